// The handlers which change something: edits, deletions, scans, refreshes, images.
// They check first and change only through `commit` or `later`, so that an answer never waits for the work behind it.
import type { Answer } from './answer.ts';
import { applyEdit, parseEdit } from './edit.ts';
import type { PlexEntry } from './entries.ts';
import { fetchImage, hasImage, maxImageBytes, selectImage, uploadImage } from './images.ts';
import { collectionType, movieType, selectEntries } from './listing.ts';
import { lastValue, type QueryPair, splitList } from './query.ts';
import {
  badRequest,
  empty,
  found,
  type Handled,
  imageKind,
  notFound,
  type PlexRequest,
  type PlexWorld,
  serverError,
  withEntry,
  withSection,
} from './world.ts';

/** Without `id=` Plex edits every entry which the other filters leave: done here too, and reported as dangerous. */
export function editSection(world: PlexWorld, { pairs }: PlexRequest, key: string): Answer | Handled {
  const { library } = world;
  const ids = splitList(lastValue(pairs, 'id'));
  const isDangerous = ids.length === 0;
  const type = lastValue(pairs, 'type') ?? movieType;
  const answer = withSection(library, key, () => {
    if (type === collectionType && library.quirks.isCollectionSectionEdit404) return notFound;
    const selection = selectEntries(library, [key], [{ name: 'type', value: type }, ...pairs]);
    if (selection.kind === 'failed') return serverError;
    const editable = selection.entries.filter((entry) => library.fetchable(entry.ratingKey) !== undefined);
    return edit(
      world,
      isDangerous ? editable : editable.filter((entry) => ids.includes(entry.ratingKey)),
      pairs,
    );
  });
  return { answer, isDangerous };
}

export function edit(world: PlexWorld, entries: readonly PlexEntry[], pairs: readonly QueryPair[]): Answer {
  const parsed = parseEdit(pairs);
  if (entries.length === 0) return notFound;
  if (parsed.kind === 'refused') return badRequest;
  const { tagMode, maxTagsPerKind } = world;
  world.commit(() => {
    for (const entry of entries) applyEdit(world.library, entry, parsed.command, { tagMode, maxTagsPerKind });
  });
  return empty;
}

export function scanSection({ library, later }: PlexWorld, { pairs }: PlexRequest, key: string): Answer {
  return withSection(library, key, (section) => {
    section.isRefreshing = true;
    later(() => {
      library.scan(key, lastValue(pairs, 'path'));
      section.isRefreshing = false;
    });
    return empty;
  });
}

/** The agent's values come back over every field that is not locked. */
export function refreshEntries({ library, later }: PlexWorld, _request: PlexRequest, ids: string): Answer {
  const entries = found(library, splitList(ids));
  if (entries.length === 0) return notFound;
  later(() => {
    for (const entry of entries) {
      if (entry.kind === 'collection') continue;
      for (const [name, value] of Object.entries(entry.agentFields)) {
        if (!entry.locked.has(name)) entry.fields[name as keyof typeof entry.fields] = value;
      }
      library.noteChange(entry);
    }
  });
  return empty;
}

export async function takeUpload(
  world: PlexWorld,
  request: PlexRequest,
  key: string,
  word: string,
): Promise<Answer> {
  const entry = world.library.fetchable(key);
  if (entry === undefined) return notFound;
  const url = lastValue(request.pairs, 'url');
  const body = url === undefined ? request.body : await fetchImage(url);
  if (body === 'failed' || body.length > maxImageBytes) return serverError;
  if (body.length === 0) return badRequest;
  world.commit(() => uploadImage(world.library, entry, imageKind(word), body));
  return empty;
}

export function choose(world: PlexWorld, { pairs }: PlexRequest, key: string, word: string): Answer {
  const kind = imageKind(word);
  const ratingKey = lastValue(pairs, 'url') ?? '';
  return withEntry(world.library, key, (entry) => {
    if (!hasImage(entry, kind, ratingKey)) return notFound;
    world.commit(() => selectImage(world.library, entry, kind, ratingKey));
    return empty;
  });
}

export function deleteEntries({ library, commit }: PlexWorld, _request: PlexRequest, ids: string): Handled {
  const entries = found(library, splitList(ids));
  commit(() => {
    for (const entry of entries) {
      if (entry.kind === 'collection') library.dissolve(entry);
      else library.removeItem(entry.ratingKey);
    }
  });
  return { answer: entries.length === 0 ? notFound : empty, isDangerous: true };
}

export function emptyTrash({ library }: PlexWorld, _request: PlexRequest, key: string): Answer {
  return withSection(library, key, () => {
    for (const item of library.itemsOf(key)) if (item.isTrashed) library.removeItem(item.ratingKey);
    return empty;
  });
}

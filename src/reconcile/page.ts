// One page of a reconciliation: the next scenes of Stash, their items, and what differs. It writes nothing, neither to
// Plex nor to the journal, so that a dry run is the same code. Requests to Plex go by the page and not by the scene.

import type { Failure } from '../plex/failures.ts';
import type { PlexClient, PlexResult } from '../plex/plex-client.ts';
import type { PlexItem, PlexSection } from '../plex/plex-item.ts';
import type { JobName } from '../queue/events.ts';
import type { Queue } from '../queue/queue.ts';
import type { ReconcileScope, SkipReason } from '../queue/reconciliation.ts';
import type { SceneFiles, StashClient, StashFailure } from '../stash/stash-client.ts';
import type { StashScene } from '../stash/stash-scene.ts';
import type { SyncOptions } from '../sync/fields.ts';
import {
  isStillItem,
  type Match,
  matchByEnd,
  matchByPath,
  mayMatchByEnd,
  namesToAsk,
  nothing,
  type Places,
} from '../sync/match.ts';
import type { PathRule } from '../sync/path-map.ts';
import { baseNameOf } from '../sync/paths.ts';
import type { IndexedItem } from '../sync/section-index.ts';
import { isWithheld } from '../sync/stance.ts';
import { wantedOf } from '../sync/wanted.ts';
import { type Gap, gapOf, hasChangedInStash, hasOtherFiles, type Skipped } from './gaps.ts';

export interface FileIndex {
  /** Items with a file of that name, as a listing has them. */
  find(baseName: string): readonly IndexedItem[];
}

export interface PageOptions {
  readonly stash: Pick<StashClient, 'scenesAfter' | 'scenesWithFile'>;
  readonly plex: Pick<PlexClient, 'items'>;
  /** The libraries of the scope. */
  readonly libraries: () => Promise<PlexResult<readonly PlexSection[]>>;
  /** Of the files in them; asked for only when a scene's item is not known. */
  readonly index: () => Promise<PlexResult<FileIndex>>;
  readonly pathRules: readonly PathRule[];
  readonly sync: SyncOptions;
}

export type Page =
  | {
      readonly kind: 'page';
      readonly gaps: readonly Gap[];
      readonly skipped: readonly Skipped[];
      /** Scenes that were compared. */
      readonly checked: number;
      readonly lastId: number;
      readonly isLast: boolean;
      /** Scenes after this page, about. */
      readonly left: number;
    }
  | { readonly kind: 'stash'; readonly failure: StashFailure }
  | { readonly kind: 'plex'; readonly failure: Failure };

/** One or two questions to Stash, and at most two to Plex beside the index. */
const PAGE_SCENES = 100;
/** Where ids lie further apart than this, what is known is gone through instead of the ids. */
const MAX_ID_SPAN = 100_000;

export async function reconcilePage(
  scope: ReconcileScope,
  cursor: number,
  queue: Queue,
  options: PageOptions,
): Promise<Page> {
  const { stash, sync } = options;
  const page = await stash.scenesAfter(cursor, PAGE_SCENES, scope.since ?? undefined);
  if (!page.ok) return { kind: 'stash', failure: page.failure };
  const { scenes, lastId, isLast } = page.value;
  const considered: StashScene[] = [];
  const skipped: Skipped[] = [];
  for (const scene of scenes.filter((one) => isInScope(one, scope, queue))) {
    const reason = skipReason(scene, queue, sync);
    if (reason === null) considered.push(scene);
    else skipped.push({ scene: scene.id, reason });
  }
  const found =
    scope.depth === 'plex'
      ? await inPlex(considered, scope, queue, options)
      : inStash(considered, scope, queue, sync);
  if (found.kind !== 'gaps') return found;
  const isWhole = scope.since === null && !scope.isMissingOnly && scope.libraries.length === 0;
  const gone = isWhole ? goneBetween(cursor, isLast ? null : lastId, scenes, queue) : [];
  const left = Math.max(0, page.value.left - scenes.length);
  const gaps = [...found.gaps, ...gone];
  return { kind: 'page', gaps, skipped, checked: considered.length, lastId, isLast, left };
}

function isInScope(scene: StashScene, scope: ReconcileScope, { jobs, known }: Queue): boolean {
  const name: JobName = `scene:${scene.id}`;
  if (known.has(name)) return !scope.isMissingOnly;
  return scope.newSince === null || scene.updatedAt >= scope.newSince || jobs.has(name);
}

/** What waits already is delivered anyway; what was given up is revived by a change, or when its item is there. */
function skipReason(scene: StashScene, { jobs, known }: Queue, sync: SyncOptions): SkipReason | null {
  const name: JobName = `scene:${scene.id}`;
  const job = jobs.get(name);
  if (job !== undefined && !(job.state !== 'pending' && isForWantOfItem(job.reason))) return 'waiting';
  if (scene.files.length === 0) return 'no-file';
  return isWithheld(wantedOf(scene, sync), known.get(name)) ? 'no-values' : null;
}

function isForWantOfItem(reason: string): boolean {
  return reason === 'missing' || reason === 'scanning';
}

type Compared = { readonly kind: 'gaps'; readonly gaps: readonly Gap[] } | Exclude<Page, { kind: 'page' }>;

function inStash(
  scenes: readonly StashScene[],
  { newSince, depth }: ReconcileScope,
  queue: Queue,
  sync: SyncOptions,
): Compared {
  const changed = scenes.filter((scene) => {
    const known = queue.known.get(`scene:${scene.id}`);
    const isQueued = queue.jobs.has(`scene:${scene.id}`);
    // One that waits for its item may have the file that Plex knows by now.
    if (known === undefined) return isQueued ? depth === 'files' : newSince !== null;
    return hasChangedInStash(scene, known, sync) || (depth === 'files' && hasOtherFiles(scene, known));
  });
  return {
    kind: 'gaps',
    gaps: changed.map(({ id }) => bare(id, 'changed', 'Stash says something else now')),
  };
}

async function inPlex(
  scenes: readonly StashScene[],
  scope: ReconcileScope,
  queue: Queue,
  options: PageOptions,
): Promise<Compared> {
  const libraries = await options.libraries();
  if (!libraries.ok) return { kind: 'plex', failure: libraries.failure };
  const titles = new Map(libraries.value.map(({ key, title }) => [key, title]));
  const items = await itemsOf(scenes, queue, libraries.value, options);
  if (items.kind !== 'items') return items;
  const gaps = scenes.flatMap((scene): Gap[] => {
    const known = queue.known.get(`scene:${scene.id}`);
    const found = items.found.get(scene.id);
    if (found?.kind === 'found') {
      const library = titles.get(found.item.sectionKey) ?? null;
      if (library === null && scope.libraries.length > 0) return [];
      const gap = gapOf(scene, found.item, library, known, options.sync);
      return gap === null ? [] : [gap];
    }
    // Asked already, or not of these libraries: nothing new.
    if (queue.jobs.has(`scene:${scene.id}`) || scope.libraries.length > 0) return [];
    return found?.kind === 'ambiguous'
      ? [bare(scene.id, 'ambiguous', `several Plex items have its file: ${found.keys.join(', ')}`)]
      : [bare(scene.id, 'missing', 'Plex has no item for it')];
  });
  return { kind: 'gaps', gaps };
}

type Found =
  | { readonly kind: 'found'; readonly item: PlexItem }
  | { readonly kind: 'ambiguous'; readonly keys: readonly string[] };

type FoundItems =
  | { readonly kind: 'items'; readonly found: ReadonlyMap<string, Found> }
  | Exclude<Page, { kind: 'page' }>;

/** By scene. First those that are remembered and are still the scene's, then by the index. */
async function itemsOf(
  scenes: readonly StashScene[],
  queue: Queue,
  libraries: readonly PlexSection[],
  { plex, index, pathRules, stash }: PageOptions,
): Promise<FoundItems> {
  const places = { rules: pathRules, libraries };
  const found = new Map<string, Found>();
  const take = (items: ReadonlyMap<string, PlexItem>, scene: StashScene, key: string | undefined) => {
    const item = key === undefined ? undefined : items.get(key);
    if (item !== undefined && isStillItem(item, scene, places)) found.set(scene.id, { kind: 'found', item });
  };
  const keyOf = ({ id }: StashScene) => queue.known.get(`scene:${id}`)?.item;
  const remembered = await whole(scenes.map(keyOf), plex);
  if (!remembered.ok) return { kind: 'plex', failure: remembered.failure };
  for (const scene of scenes) take(remembered.value, scene, keyOf(scene));

  const rest = scenes.filter(({ id }) => !found.has(id));
  if (rest.length === 0) return { kind: 'items', found };
  const files = await index();
  if (!files.ok) return { kind: 'plex', failure: files.failure };
  const matches = await matched(rest, files.value, places, stash);
  if (!(matches instanceof Map)) return matches;
  const keys = new Map<string, string>();
  for (const [id, match] of matches) {
    if (match.kind === 'found') keys.set(id, match.item.ratingKey);
    if (match.kind === 'ambiguous') {
      found.set(id, { kind: 'ambiguous', keys: match.candidates.map(({ ratingKey }) => ratingKey) });
    }
  }
  const searched = await whole([...keys.values()], plex);
  if (!searched.ok) return { kind: 'plex', failure: searched.failure };
  for (const scene of rest) take(searched.value, scene, keys.get(scene.id));
  return { kind: 'items', found };
}

/** By scene. Stash is asked at most once, for all of them, who else may want an item. */
async function matched(
  scenes: readonly SceneFiles[],
  index: FileIndex,
  places: Places,
  stash: PageOptions['stash'],
): Promise<Map<string, Match<IndexedItem>> | Extract<Page, { kind: 'stash' }>> {
  const matches = new Map<string, Match<IndexedItem>>();
  const open: { readonly scene: SceneFiles; readonly candidates: readonly IndexedItem[] }[] = [];
  for (const scene of scenes) {
    const names = namesToAsk(scene.files, places.rules).map(([name = '']) => name);
    const candidates = names.flatMap((name) => index.find(name));
    const match = matchByPath(scene.files, places.rules, candidates);
    if (match !== null) matches.set(scene.id, match);
    else if (mayMatchByEnd(scene, candidates, places)) open.push({ scene, candidates });
    else matches.set(scene.id, nothing(scene, candidates, places));
  }
  if (open.length === 0) return matches;
  const names = new Set(open.flatMap(({ scene }) => scene.files.map(baseNameOf)));
  const others = await stash.scenesWithFile([...names]);
  if (!others.ok) return { kind: 'stash', failure: others.failure };
  for (const { scene, candidates } of open) {
    matches.set(scene.id, matchByEnd(scene, others.value, candidates, places));
  }
  return matches;
}

async function whole(
  keys: readonly (string | undefined)[],
  plex: PageOptions['plex'],
): Promise<PlexResult<Map<string, PlexItem>>> {
  const distinct = [...new Set(keys)].filter((key) => key !== undefined);
  if (distinct.length === 0) return { ok: true, value: new Map() };
  const items = await plex.items(distinct);
  if (!items.ok) return items;
  return { ok: true, value: new Map(items.value.map((item) => [item.ratingKey, item])) };
}

/** Scenes that were delivered and that Stash has no more, of those with an id between the two. */
function goneBetween(after: number, upTo: number | null, page: readonly StashScene[], queue: Queue): Gap[] {
  const here = new Set(page.map(({ id }) => id));
  const gone = knownBetween(after, upTo, queue).filter((id) => !here.has(id));
  if (gone.length === 0) return [];
  const scenesByItem = new Map<string, number>();
  for (const { item } of queue.known.values()) scenesByItem.set(item, (scenesByItem.get(item) ?? 0) + 1);
  return gone.map((id) => {
    const item = queue.known.get(`scene:${id}`)?.item ?? '';
    const isMerged = (scenesByItem.get(item) ?? 0) > 1;
    return isMerged
      ? bare(id, 'merged', `its Plex item ${item} belongs to another scene now`)
      : bare(id, 'deleted', `it is no longer in Stash; its Plex item ${item} is left as it is`);
  });
}

function knownBetween(after: number, upTo: number | null, { known }: Queue): string[] {
  if (upTo !== null && upTo - after <= MAX_ID_SPAN) {
    const ids = Array.from({ length: upTo - after }, (_, index) => String(after + 1 + index));
    return ids.filter((id) => known.has(`scene:${id}`));
  }
  return [...known.keys()]
    .filter((name) => name.startsWith('scene:'))
    .map((name) => name.slice('scene:'.length))
    .filter((id) => Number(id) > after && (upTo === null || Number(id) <= upTo));
}

function bare(scene: string, kind: Gap['kind'], detail: string): Gap {
  return { scene, kind, item: null, library: null, changes: [], detail };
}

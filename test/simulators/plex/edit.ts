// Query-string edits: reads them into a command, and carries the command out on one entry.
// Reading never changes anything; carrying out never fails. Facts, section 6.
import {
  type FieldName,
  fieldNames,
  type PlexEntry,
  type PlexTag,
  type TagKind,
  tagElements,
  tagKinds,
  titleOf,
} from './entries.ts';
import type { PlexLibrary } from './library.ts';
import type { QueryPair } from './query.ts';

export type TagMode = 'append' | 'replace';

export interface EditCommand {
  /** '' clears. */
  readonly fields: ReadonlyMap<FieldName, string>;
  readonly locks: ReadonlyMap<string, boolean>;
  readonly adds: ReadonlyMap<TagKind, readonly PlexTag[]>;
  readonly removals: ReadonlyMap<TagKind, readonly string[]>;
  readonly cleared: ReadonlySet<TagKind>;
}

export type ParsedEdit =
  | { readonly kind: 'edit'; readonly command: EditCommand }
  | { readonly kind: 'refused'; readonly reason: string };

export interface EditPolicy {
  readonly tagMode: TagMode;
  readonly maxTagsPerKind: number;
}

export function parseEdit(pairs: readonly QueryPair[]): ParsedEdit {
  const fields = new Map<FieldName, string>();
  const locks = new Map<string, boolean>();
  const slots = new Map<TagKind, Map<string, TagDraft>>();
  const removals = new Map<TagKind, string[]>();
  const cleared = new Set<TagKind>();
  for (const [position, { name, value }] of pairs.entries()) {
    const scalar = /^([A-Za-z]+)\.(value|locked)$/.exec(name);
    if (scalar?.[2] === 'locked') locks.set(scalar[1]!, value === '1' || value === 'true');
    if (scalar?.[2] === 'value' && isFieldName(scalar[1]!)) {
      const reason = refusalOf(scalar[1], value);
      if (reason !== 'none') return { kind: 'refused', reason };
      fields.set(scalar[1], value);
    }
    const tag = /^([A-Za-z]+)\[(\d*)\]\.(.+)$/.exec(name);
    if (tag === null || !isTagKind(tag[1]!)) continue;
    const [, kind, index, part] = tag;
    if (part === 'tag.tag-') {
      // A comma inside a name arrives encoded twice: split what is left after one decoding, then decode each name.
      const names = value.split(',').map((encoded) => decodeOnceMore(encoded).trim());
      removals.set(kind, [...(removals.get(kind) ?? []), ...names.filter((each) => each !== '')]);
    } else if (part === 'tag') {
      if (value === '') cleared.add(kind);
    } else {
      const kindSlots = slots.get(kind) ?? new Map<string, TagDraft>();
      slots.set(kind, kindSlots);
      const slot = index === '' ? `unnumbered ${position}` : index!;
      kindSlots.set(slot, { ...(kindSlots.get(slot) ?? emptyDraft), ...draftPart(part!, value) });
    }
  }
  return { kind: 'edit', command: { fields, locks, adds: addsOf(slots), removals, cleared } };
}

export function applyEdit(
  library: PlexLibrary,
  entry: PlexEntry,
  command: EditCommand,
  policy: EditPolicy,
): void {
  for (const [name, value] of command.fields) {
    if (entry.kind === 'collection' && name === 'title' && value !== '')
      library.renameCollection(entry, value);
    else if (value === '') delete entry.fields[name];
    else entry.fields[name] = value;
    if (library.quirks.isEditLocking) entry.locked.add(name);
  }
  for (const kind of tagKinds) editTags(library, entry, kind, command, policy);
  for (const [name, isLocked] of command.locks) {
    if (isLocked) entry.locked.add(name);
    else entry.locked.delete(name);
  }
  if (entry.kind === 'collection' && titleOf(entry) === '')
    throw new Error('plex simulator: a collection lost its name');
  library.noteChange(entry);
}

function editTags(
  library: PlexLibrary,
  entry: PlexEntry,
  kind: TagKind,
  command: EditCommand,
  policy: EditPolicy,
): void {
  const adds = command.adds.get(kind) ?? [];
  const named = command.removals.get(kind) ?? [];
  const removals = library.quirks.isRemovalOneNameOnly ? named.slice(0, 1) : named;
  const isCleared = command.cleared.has(kind) && library.quirks.isEmptyTagClearing;
  if (adds.length === 0 && removals.length === 0 && !isCleared) return;

  let tags = isCleared || (adds.length > 0 && policy.tagMode === 'replace') ? [] : [...entry.tags[kind]];
  tags = tags.filter((tag) => !removals.some((name) => library.isSameTag(tag.name, name)));
  for (const added of adds) {
    const tag = { ...added, name: keptSpelling(library, kind, added.name) };
    const at = tags.findIndex((known) => library.isSameTag(known.name, tag.name));
    if (at < 0) tags.push(tag);
    else tags[at] = { ...tag, role: tag.role || tags[at]!.role, thumb: tag.thumb || tags[at]!.thumb };
  }
  entry.tags[kind] = tags.slice(0, policy.maxTagsPerKind);
  if (library.quirks.isEditLocking) entry.locked.add(kind);
}

function keptSpelling(library: PlexLibrary, kind: TagKind, name: string): string {
  const isCapitalised = kind === 'label' && library.quirks.isLabelCapitalised;
  const spelling = isCapitalised ? name.charAt(0).toUpperCase() + name.slice(1) : name;
  return library.tagRecord(kind, spelling).name;
}

interface TagDraft {
  readonly name: string;
  readonly role: string;
  readonly thumb: string;
}
const emptyDraft: TagDraft = { name: '', role: '', thumb: '' };

function draftPart(part: string, value: string): Partial<TagDraft> {
  if (part === 'tag.tag') return { name: value.trim() };
  if (part === 'tagging.text') return { role: value };
  if (part === 'tag.thumb') return { thumb: value };
  return {};
}

function addsOf(slots: ReadonlyMap<TagKind, ReadonlyMap<string, TagDraft>>): Map<TagKind, PlexTag[]> {
  const adds = new Map<TagKind, PlexTag[]>();
  for (const [kind, drafts] of slots) {
    // Keys arrive sorted as text (plexapi: 0, 1, 10, 11, 2), so the number decides the order, not the position.
    const ordered = [...drafts].sort(([one], [other]) => slotNumber(one) - slotNumber(other));
    const named = ordered.map(([, draft]) => draft).filter((draft) => draft.name !== '');
    if (named.length > 0) adds.set(kind, named);
  }
  return adds;
}

function slotNumber(slot: string): number {
  return /^\d+$/.test(slot) ? Number(slot) : Number.MAX_SAFE_INTEGER;
}

function decodeOnceMore(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded; // a client that encoded only once, with a bare `%` in the name
  }
}

/** Why Plex would not take this value, or 'none'. */
function refusalOf(name: FieldName, value: string): string {
  if (value === '') return 'none';
  if (name === 'originallyAvailableAt' && !isDate(value)) return 'originallyAvailableAt is not YYYY-MM-DD';
  if (name === 'year' && !/^\d{1,4}$/.test(value)) return 'year is not a number';
  if (name === 'userRating' && !Number.isFinite(Number(value))) return 'userRating is not a number';
  return 'none';
}

function isDate(value: string): boolean {
  const match = /^(\d{4})-(\d{2})-(\d{2})(?:[ T].*)?$/.exec(value);
  if (match === null) return false;
  const at = new Date(`${match[1]}-${match[2]}-${match[3]}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.getUTCDate() === Number(match[3]);
}

function isFieldName(name: string): name is FieldName {
  return (fieldNames as readonly string[]).includes(name);
}

function isTagKind(name: string): name is TagKind {
  return Object.hasOwn(tagElements, name);
}

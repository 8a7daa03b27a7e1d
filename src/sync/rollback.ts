// Writing back what was overwritten: from what the journal recorded of a scene's edits, what goes back and what does not.
// A field that somebody changed since is left alone and named: it is no longer ours to undo.

import {
  IMAGE_KINDS,
  type ImageKind,
  type PlexImage,
  type PlexItem,
  SCALARS,
  TAG_KINDS,
} from '../plex/plex-item.ts';
import type { FieldChange } from '../queue/changes.ts';
import type { OwnTags, Spared } from '../queue/events.ts';
import { comparable, type Difference, type TagPlan } from './difference.ts';
import { digestOfValue } from './digest.ts';
import { nameOfUpload } from './pictures.ts';
import { tagKey, type Wanted } from './wanted.ts';

/** Of a picture that we put where nobody had chosen one: Plex cannot be told to choose none. */
const NONE_CHOSEN = 'no picture was chosen before: choose one in Plex';

/** One edit as it was written down before it was made. */
export interface RecordedEdit {
  readonly item: string;
  readonly changes: readonly FieldChange[];
  readonly own: OwnTags;
}

type Value = FieldChange['before'];

/** A field over several edits: what it was before the first, and all that we made of it. */
export interface Overwritten {
  readonly field: string;
  readonly before: Value;
  readonly ours: readonly Value[];
  /** Too long for the journal: what it was is not known whole. */
  readonly isCut: boolean;
}

export interface Rollback {
  /** From what Plex shows to what it goes back to. */
  readonly changes: readonly FieldChange[];
  readonly difference: Difference;
  readonly pictures: readonly { readonly kind: ImageKind; readonly image: string }[];
  readonly left: readonly LeftAlone[];
  /** Our tags when it is done, and those that may be ours until then. */
  readonly own: OwnTags;
  readonly ownDuring: OwnTags;
  /** What deliveries leave alone from now on, until Stash says something else; `false`: no longer. */
  readonly spares: Readonly<Record<string, string | null | false>>;
}

export interface LeftAlone {
  readonly field: string;
  readonly reason: string;
}

/** `edits`: oldest first, all of one item. */
export function overwrittenBy(edits: readonly RecordedEdit[]): Overwritten[] {
  const byField = new Map<string, Overwritten>();
  for (const { field, before, after, isCut } of edits.flatMap(({ changes }) => changes)) {
    const first = byField.get(field);
    byField.set(field, {
      field,
      before: first === undefined ? before : first.before,
      ours: [...(first?.ours ?? []), after],
      isCut: first?.isCut === true || isCut === true,
    });
  }
  return [...byField.values()];
}

export interface RollbackInput {
  readonly edits: readonly RecordedEdit[];
  readonly item: PlexItem;
  /** The pictures that Plex has, for the kinds that were overwritten. */
  readonly images: Readonly<Partial<Record<ImageKind, readonly PlexImage[]>>>;
  readonly own: OwnTags;
  readonly spared: Spared;
  /** What Stash says now; null: the scene is gone. */
  readonly wanted: Wanted | null;
  /** The cover that was delivered last. */
  readonly coverSha1: string | null;
}

export function rollbackOf(input: RollbackInput): Rollback {
  const { edits, item, images, wanted } = input;
  const fields: Record<string, string> = {};
  const tags: TagPlan[] = [];
  const pictures: { kind: ImageKind; image: string }[] = [];
  const changes: FieldChange[] = [];
  const left: LeftAlone[] = [];
  const spares: Record<string, string | null | false> = {};
  const ownDuring = united([input.own, ...edits.map(({ own }) => own)]);
  const own: Record<string, readonly string[]> = { ...input.own };

  for (const overwritten of overwrittenBy(edits)) {
    const { field, before, ours, isCut } = overwritten;
    const isPicture = isOneOf(IMAGE_KINDS, field);
    const shown = isPicture ? selectedIn(images[field]) : shownIn(item, field);
    if (shown === undefined) {
      left.push({ field, reason: 'this Breakwater does not know the field' });
      continue;
    }
    if (isSame(field, shown, before)) continue;
    if (!ours.some((value) => isSame(field, shown, value))) {
      left.push({ field, reason: 'it was changed in Plex since' });
      continue;
    }
    if (isCut) {
      left.push({ field, reason: 'what it was is too long for the journal' });
      continue;
    }
    if (isPicture) {
      const image = images[field]?.find(({ ratingKey }) => isPictureNamed(ratingKey, before));
      if (image === undefined) {
        const gone = 'Plex no longer has the picture that was there';
        left.push({ field, reason: before === null ? NONE_CHOSEN : gone });
        continue;
      }
      pictures.push({ kind: field, image: image.ratingKey });
    } else if (isOneOf(TAG_KINDS, field)) {
      const held = item.tags[field];
      const all = Array.isArray(before) ? before : [];
      const keys = new Set(all.map(tagKey));
      const ownKeys = new Set((ownDuring[field] ?? []).map(tagKey));
      own[field] = all.filter((name) => ownKeys.has(tagKey(name)));
      const dropped = held.filter((name) => !keys.has(tagKey(name)));
      tags.push({
        kind: field,
        held,
        all,
        dropped,
        own: own[field],
        ownBefore: ownDuring[field] ?? [],
        isChanged: true,
      });
    } else {
      fields[field] = typeof before === 'string' ? before : '';
    }
    changes.push({ field, before: shown, after: before });
    spares[field] = spareFor(field, before, own[field] ?? [], input);
  }
  const actorDetails = { ...item.actorDetails, ...wanted?.actorDetails };
  const difference = { fields, tags, actorDetails, locks: pictures.map(({ kind }) => kind), changes };
  return { changes, difference, pictures, left, own: withoutEmpty(own), ownDuring, spares };
}

/** The fields of `changes` that Plex does not show as they should be. */
export function unmetIn(changes: readonly FieldChange[], item: PlexItem): string[] {
  return changes
    .filter(
      ({ field, after }) =>
        !isOneOf(IMAGE_KINDS, field) && !isSame(field, shownIn(item, field) ?? null, after),
    )
    .map(({ field }) => field);
}

/** Undefined for a field that nobody knows. */
function shownIn(item: PlexItem, field: string): Value | undefined {
  if (isOneOf(TAG_KINDS, field)) return item.tags[field];
  if (isOneOf(SCALARS, field)) return item.fields[field] || null;
  return undefined;
}

function selectedIn(images: readonly PlexImage[] | undefined): Value {
  return images?.find(({ isSelected }) => isSelected)?.ratingKey ?? null;
}

/**
 * Until Stash says something else than now, or, of a scene that is gone and a field that was given back, until a person
 * does. `own`: our tags of `target`.
 */
function spareFor(
  field: string,
  target: Value,
  own: readonly string[],
  { wanted, coverSha1, spared }: RollbackInput,
): string | null | false {
  if (wanted === null || spared[field] === null) return null;
  const wish = wishFor(field, wanted, coverSha1);
  // The tags of others are no difference.
  const isWished = Array.isArray(wish)
    ? isWithin(wish, target) && isWithin(own, wish)
    : isSame(field, target, wish ?? null);
  return isWished ? false : digestOfValue(wish);
}

function wishFor(
  field: string,
  wanted: Wanted,
  coverSha1: string | null,
): string | readonly string[] | undefined {
  if (isOneOf(TAG_KINDS, field)) return wanted.tags[field];
  if (isOneOf(IMAGE_KINDS, field)) return coverSha1 === null ? undefined : nameOfUpload(coverSha1);
  return wanted.fields[field];
}

function isSame(field: string, one: Value, other: Value): boolean {
  if (isOneOf(IMAGE_KINDS, field))
    return one !== null && other !== null && isPictureNamed(`${one}`, `${other}`);
  if (isOneOf(TAG_KINDS, field)) return keysOf(one) === keysOf(other);
  return comparable(String(one ?? '')) === comparable(String(other ?? ''));
}

/** The journal names ours by its digest, Plex by an address that ends in it. */
function isPictureNamed(one: string, other: Value): boolean {
  return typeof other === 'string' && (one === other || digestIn(one) === digestIn(other));
}

function digestIn(name: string): string {
  return /[:/]([0-9a-f]{40})$/.exec(name)?.[1] ?? name;
}

function isWithin(some: readonly string[], all: Value): boolean {
  const keys = new Set((Array.isArray(all) ? all : []).map(tagKey));
  return some.every((name) => keys.has(tagKey(name)));
}

function keysOf(value: Value): string {
  return JSON.stringify((Array.isArray(value) ? value : []).map(tagKey).sort());
}

function united(all: readonly OwnTags[]): OwnTags {
  const byKind: Record<string, string[]> = {};
  for (const [kind, names] of all.flatMap((own) => Object.entries(own))) {
    const there = byKind[kind] ?? [];
    const keys = new Set(there.map(tagKey));
    byKind[kind] = [...there, ...names.filter((name) => !keys.has(tagKey(name)))];
  }
  return byKind;
}

function withoutEmpty(own: OwnTags): OwnTags {
  return Object.fromEntries(Object.entries(own).filter(([, names]) => names.length > 0));
}

function isOneOf<const Word extends string>(words: readonly Word[], word: string): word is Word {
  return (words as readonly string[]).includes(word);
}

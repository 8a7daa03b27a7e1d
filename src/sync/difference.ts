// Wanted against held: what to change, and the parameters of the edit that does it. An edit says the whole list of
// a kind of tag and which ones to drop, because servers differ in whether a list replaces or adds.

import { type ActorDetails, type PlexItem, SCALARS, TAG_KINDS, type TagKind } from '../plex/plex-item.ts';
import type { FieldChange } from '../queue/changes.ts';
import type { OwnTags } from '../queue/events.ts';
import { modeOf, type Stance } from './stance.ts';
import { tagKey, type Wanted } from './wanted.ts';

export interface TagPlan {
  readonly kind: TagKind;
  readonly held: readonly string[];
  /** The whole list as it should be, ours first. */
  readonly all: readonly string[];
  readonly dropped: readonly string[];
  /** Those of `all` that are there because of us. */
  readonly own: readonly string[];
  /** Those that were, before this. */
  readonly ownBefore: readonly string[];
  readonly isChanged: boolean;
}

export interface Difference {
  /** Scalars to write; empty: to empty. */
  readonly fields: Readonly<Record<string, string>>;
  readonly tags: readonly TagPlan[];
  readonly actorDetails: Readonly<Record<string, ActorDetails>>;
  /** Pictures to lock. */
  readonly locks: readonly string[];
  /** What will be different, for the journal. Empty: nothing to write. */
  readonly changes: readonly FieldChange[];
}

export function differenceOf(wanted: Wanted, item: PlexItem, stance: Stance): Difference {
  const fields: Record<string, string> = {};
  const changes: FieldChange[] = [];
  for (const field of SCALARS) {
    const asked = wanted.fields[field];
    const mode = modeOf(field, asked, stance);
    const held = item.fields[field] ?? '';
    if (mode === 'off' || (mode === 'only-if-empty' && held !== '')) continue;
    if (field === 'year' && !isYearAsked(asked, fields.originallyAvailableAt, item)) continue;
    const value = field === 'year' ? (asked ?? yearOf(wanted.fields.originallyAvailableAt)) : asked;
    // An item always has a title.
    const isEmptied =
      mode === 'mirror' || (field === 'originallyAvailableAt' && isTakenBack(held, wanted, stance));
    if (value === undefined && (!isEmptied || field === 'title')) continue;
    const after = value ?? '';
    if (comparable(held) === comparable(after)) continue;
    fields[field] = after;
    changes.push({ field, before: held === '' ? null : held, after: after === '' ? null : after });
  }
  const tags = TAG_KINDS.map((kind) => planTags(kind, wanted, item, stance));
  for (const { kind, held, all, isChanged } of tags) {
    if (isChanged) changes.push({ field: kind, before: held, after: all });
  }
  // Those of others go with the list, or a server that replaces it would forget them.
  const actorDetails = { ...item.actorDetails, ...wanted.actorDetails };
  return { fields, tags, actorDetails, locks: [], changes };
}

/** The day that we wrote, of a scene that knows no more than the year. */
function isTakenBack(held: string, { fields }: Wanted, { ownDate }: Stance): boolean {
  return fields.year !== undefined && held !== '' && held === ownDate;
}

/**
 * Plex makes the year of a whole date; a year that was said by itself stays, and is ours to put right. `written`: the date
 * that goes into the same edit, if one does.
 */
function isYearAsked(
  asked: string | undefined,
  written: string | undefined,
  { fields: { year, originallyAvailableAt: held } }: PlexItem,
): boolean {
  return asked === undefined ? Boolean(year) && year !== yearOf(held) : !(written ?? held);
}

function yearOf(date: string | undefined): string | undefined {
  return date?.slice(0, 4) || undefined;
}

/** The parameters of one edit for all of it, with a lock on everything that is written. */
export function editOf(difference: Difference): URLSearchParams {
  const parameters = new URLSearchParams();
  for (const [field, value] of Object.entries(difference.fields)) {
    parameters.append(`${field}.value`, value);
    parameters.append(`${field}.locked`, '1');
  }
  for (const { kind, all, dropped, isChanged } of difference.tags) {
    if (!isChanged) continue;
    all.forEach((name, index) => {
      parameters.append(`${kind}[${index}].tag.tag`, name);
      const { role, thumb } = (kind === 'actor' && detailsOf(difference.actorDetails, name)) || NO_DETAILS;
      if (role !== '') parameters.append(`${kind}[${index}].tagging.text`, role);
      if (thumb !== '') parameters.append(`${kind}[${index}].tag.thumb`, thumb);
    });
    if (dropped.length > 0)
      parameters.append(`${kind}[].tag.tag-`, dropped.map(encodeURIComponent).join(','));
    parameters.append(`${kind}.locked`, '1');
  }
  for (const picture of difference.locks) parameters.append(`${picture}.locked`, '1');
  return parameters;
}

/** Our tags by kind once the edit is done. */
export function ownOf({ tags }: Difference): OwnTags {
  return byKind(tags.map(({ kind, own }) => [kind, own]));
}

/**
 * Our tags by kind while it is not certain how much of the edit is done. Those of before stay ours even where Plex does not
 * show them: an edit that it has not applied yet may still bring them.
 */
export function ownDuring({ tags }: Difference): OwnTags {
  return byKind(tags.map(({ kind, own, ownBefore }) => [kind, [...new Set([...own, ...ownBefore])]]));
}

const NO_DETAILS: ActorDetails = { role: '', thumb: '' };

function byKind(entries: readonly (readonly [TagKind, readonly string[]])[]): OwnTags {
  return Object.fromEntries(entries.filter(([, names]) => names.length > 0));
}

function planTags(kind: TagKind, wantedInAll: Wanted, item: PlexItem, stance: Stance): TagPlan {
  const wanted = wantedInAll.tags[kind];
  const held = item.tags[kind];
  const ownBefore = stance.own[kind] ?? [];
  const ownKeys = new Set(ownBefore.map(tagKey));
  const isOwn = (name: string) => ownKeys.has(tagKey(name));
  const mode = modeOf(kind, wanted, stance);
  if (mode === 'off' || (mode === 'only-if-empty' && !held.every(isOwn))) {
    return { kind, held, all: held, dropped: [], own: ownBefore, ownBefore, isChanged: false };
  }
  const wantedKeys = new Set(wanted.map(tagKey));
  const heldKeys = new Set(held.map(tagKey));
  const dropped = held.filter((name) => (mode === 'mirror' || isOwn(name)) && !wantedKeys.has(tagKey(name)));
  const droppedKeys = new Set(dropped.map(tagKey));
  const others = held.filter((name) => !wantedKeys.has(tagKey(name)) && !droppedKeys.has(tagKey(name)));
  const added = wanted.filter((name) => !heldKeys.has(tagKey(name)));
  const isCastChanged = kind === 'actor' && hasNewDetails(wantedInAll, item);
  return {
    kind,
    held,
    all: [...wanted, ...others],
    dropped,
    own: wanted.filter((name) => !heldKeys.has(tagKey(name)) || isOwn(name)),
    ownBefore,
    isChanged: added.length > 0 || dropped.length > 0 || isCastChanged,
  };
}

/** A picture's address is Plex's own once it has taken it: only whether there is one can be compared. */
function hasNewDetails({ tags, actorDetails }: Wanted, item: PlexItem): boolean {
  const heldByKey = new Map(
    Object.entries(item.actorDetails).map(([name, details]) => [tagKey(name), details]),
  );
  return tags.actor.some((name) => {
    const wanted = detailsOf(actorDetails, name);
    const held = heldByKey.get(tagKey(name));
    if (wanted === undefined || held === undefined) return false;
    return (wanted.role !== '' && wanted.role !== held.role) || (wanted.thumb !== '' && held.thumb === '');
  });
}

/** A performer may be called as what every object has. */
function detailsOf(details: Wanted['actorDetails'], name: string): ActorDetails | undefined {
  return Object.hasOwn(details, name) ? details[name] : undefined;
}

/** Plex normalises line ends and trailing blanks. */
export function comparable(text: string): string {
  return text.normalize('NFC').replace(/\r\n?/g, '\n').trimEnd();
}

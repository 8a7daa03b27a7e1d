// Wanted against held: what to change, and the parameters of the edit that does it. An edit says the whole list of
// a kind of tag and which ones to drop, because servers differ in whether a list replaces or adds.

import { type PlexItem, TAG_KINDS, type TagKind } from '../plex/plex-item.ts';
import type { FieldChange } from '../queue/changes.ts';
import type { OwnTags } from '../queue/events.ts';
import { tagKey, type Wanted } from './wanted.ts';

export interface TagPlan {
  readonly kind: TagKind;
  readonly held: readonly string[];
  /** The whole list as it should be, ours first. */
  readonly all: readonly string[];
  readonly dropped: readonly string[];
  /** Those of `all` that are there because of us. */
  readonly own: readonly string[];
  readonly isChanged: boolean;
}

export interface Difference {
  readonly fields: Readonly<Record<string, string>>;
  readonly tags: readonly TagPlan[];
  /** What will be different, for the journal. Empty: nothing to write. */
  readonly changes: readonly FieldChange[];
}

/** `own`: the tags that we put there before; of those in Plex only these are ever dropped. */
export function differenceOf(wanted: Wanted, item: PlexItem, own: OwnTags): Difference {
  const fields: Record<string, string> = {};
  const changes: FieldChange[] = [];
  for (const [field, value] of Object.entries(wanted.fields)) {
    const held = item.fields[field] ?? '';
    if (comparable(held) === comparable(value)) continue;
    fields[field] = value;
    changes.push({ field, before: held === '' ? null : held, after: value });
  }
  const tags = TAG_KINDS.map((kind) => planTags(kind, wanted.tags[kind], item.tags[kind], own[kind] ?? []));
  for (const { kind, held, all, isChanged } of tags) {
    if (isChanged) changes.push({ field: kind, before: held, after: all });
  }
  return { fields, tags, changes };
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
    });
    if (dropped.length > 0)
      parameters.append(`${kind}[].tag.tag-`, dropped.map(encodeURIComponent).join(','));
    parameters.append(`${kind}.locked`, '1');
  }
  return parameters;
}

/** Our tags by kind once the edit is done. */
export function ownOf({ tags }: Difference): OwnTags {
  return byKind(tags.map(({ kind, own }) => [kind, own]));
}

/** Our tags by kind while it is not certain how much of the edit is done. */
export function ownDuring({ tags }: Difference): OwnTags {
  return byKind(tags.map(({ kind, own, dropped }) => [kind, [...own, ...dropped]]));
}

function byKind(entries: readonly (readonly [TagKind, readonly string[]])[]): OwnTags {
  return Object.fromEntries(entries.filter(([, names]) => names.length > 0));
}

function planTags(
  kind: TagKind,
  wanted: readonly string[],
  held: readonly string[],
  ownBefore: readonly string[],
): TagPlan {
  const wantedKeys = new Set(wanted.map(tagKey));
  const heldKeys = new Set(held.map(tagKey));
  const ownKeys = new Set(ownBefore.map(tagKey));
  const dropped = held.filter((name) => ownKeys.has(tagKey(name)) && !wantedKeys.has(tagKey(name)));
  const droppedKeys = new Set(dropped.map(tagKey));
  const others = held.filter((name) => !wantedKeys.has(tagKey(name)) && !droppedKeys.has(tagKey(name)));
  const added = wanted.filter((name) => !heldKeys.has(tagKey(name)));
  return {
    kind,
    held,
    all: [...wanted, ...others],
    dropped,
    own: wanted.filter((name) => !heldKeys.has(tagKey(name)) || ownKeys.has(tagKey(name))),
    isChanged: added.length > 0 || dropped.length > 0,
  };
}

/** Plex normalises line ends and trailing blanks. */
function comparable(text: string): string {
  return text.normalize('NFC').replace(/\r\n?/g, '\n').trimEnd();
}

// Delivering one scene: find its item, compare, write what differs, read back. It decides nothing about
// waiting or the breaker: it says what happened and leaves that to the drainer.
// Delivering the same scene twice writes nothing the second time.

import type { Failure } from '../plex/failures.ts';
import type { PlexClient, PlexResult } from '../plex/plex-client.ts';
import type { PlexItem, PlexSection } from '../plex/plex-item.ts';
import type { FieldChange } from '../queue/changes.ts';
import type { OwnTags } from '../queue/events.ts';
import type { Known } from '../queue/queue.ts';
import type { StashScene } from '../stash/stash-scene.ts';
import { type Difference, differenceOf, editOf, ownDuring, ownOf } from './difference.ts';
import { hasFile, type Match, matchScene } from './match.ts';
import { baseNameOf, type PathRule } from './path-map.ts';
import { isEmpty, type Wanted, wantedOf } from './wanted.ts';

export type PlexPort = Pick<PlexClient, 'probe' | 'sections' | 'findByFile' | 'items' | 'edit' | 'close'>;

export type Delivery =
  | { readonly kind: 'unchanged'; readonly item: string; readonly own: OwnTags }
  /** `unmet`: fields that still differ after two writes. */
  | {
      readonly kind: 'written';
      readonly item: string;
      readonly own: OwnTags;
      readonly unmet: readonly string[];
    }
  | { readonly kind: 'withheld' }
  | { readonly kind: 'no-file' }
  | { readonly kind: 'missing'; readonly near: readonly string[] }
  | { readonly kind: 'ambiguous'; readonly candidates: readonly PlexItem[] }
  | { readonly kind: 'failed'; readonly failure: Failure };

export interface DeliverOptions {
  readonly plex: PlexPort;
  /** The libraries to look in; asked only when an item must be searched. */
  readonly sections: () => Promise<PlexResult<readonly PlexSection[]>>;
  readonly pathRules: readonly PathRule[];
  /** Called once before anything is written; when it throws, nothing is. */
  readonly beforeWrite: (intent: WriteIntent) => Promise<void>;
  /** Called before each request that writes: may throw to stop. */
  readonly beforeEdit: () => Promise<void>;
}

export interface WriteIntent {
  readonly item: string;
  readonly changes: readonly FieldChange[];
  /** Our tags as they may be from now on: those that are to be dropped are still among them. */
  readonly own: OwnTags;
}

export async function deliver(
  scene: StashScene,
  known: Known | undefined,
  options: DeliverOptions,
): Promise<Delivery> {
  if (scene.files.length === 0) return { kind: 'no-file' };
  const wanted = wantedOf(scene);
  if (isEmpty(wanted)) return { kind: 'withheld' };
  const match = await find(scene, known, options);
  if (!match.ok) return { kind: 'failed', failure: match.failure };
  if (match.value.kind !== 'found') return match.value;
  return write(match.value.item, wanted, known?.own ?? {}, options);
}

async function find(
  scene: StashScene,
  known: Known | undefined,
  { plex, sections, pathRules }: DeliverOptions,
): Promise<PlexResult<Match>> {
  if (known !== undefined) {
    const remembered = await plex.items([known.item]);
    if (!remembered.ok) return remembered;
    const item = remembered.value.find((candidate) => hasFile(candidate, scene.files, pathRules));
    if (item !== undefined) return { ok: true, value: { kind: 'found', item } };
  }
  const libraries = await sections();
  if (!libraries.ok) return libraries;
  const candidates: PlexItem[] = [];
  for (const baseName of new Set(scene.files.map(baseNameOf))) {
    for (const section of libraries.value) {
      const found = await plex.findByFile(section.key, baseName);
      if (!found.ok) return found;
      candidates.push(...found.value);
    }
  }
  const match = matchScene(scene.files, pathRules, candidates);
  if (match.kind !== 'found') return { ok: true, value: match };
  // A listing shows only some tags and no locks: never compare with it.
  const whole = await plex.items([match.item.ratingKey]);
  if (!whole.ok) return whole;
  const item = whole.value[0];
  // Items in Plex's trash are listed but not there.
  return { ok: true, value: item === undefined ? { kind: 'missing', near: [] } : { kind: 'found', item } };
}

async function write(
  item: PlexItem,
  wantedInFull: Wanted,
  ownBefore: OwnTags,
  options: DeliverOptions,
): Promise<Delivery> {
  const { plex, beforeWrite, beforeEdit } = options;
  const planned = differenceOf(wantedInFull, item, ownBefore);
  const own = ownOf(planned);
  if (planned.changes.length === 0) return { kind: 'unchanged', item: item.ratingKey, own };
  await beforeWrite({ item: item.ratingKey, changes: planned.changes.map(bounded), own: ownDuring(planned) });
  let wanted = wantedInFull;
  let left: Difference = planned;
  // What was refused or came out different is written once more, one tag at a time; then it is only noted.
  for (const isSecondTry of [false, true]) {
    for (const parameters of isSecondTry ? editsOneByOne(left) : editsOf(left)) {
      await beforeEdit();
      const edited = await plex.edit(item, parameters);
      if (edited.ok) continue;
      const shorter = isSecondTry || edited.failure.symptom !== 'too-large' ? null : withShortSummary(wanted);
      if (shorter === null) return { kind: 'failed', failure: edited.failure };
      wanted = shorter;
    }
    const after = await plex.items([item.ratingKey]);
    if (!after.ok) return { kind: 'failed', failure: after.failure };
    const now = after.value[0];
    if (now === undefined) return { kind: 'missing', near: [] };
    left = differenceOf(wanted, now, ownBefore);
    if (left.changes.length === 0) break;
  }
  const unmet = left.changes.map(({ field }) => field);
  return { kind: 'written', item: item.ratingKey, own, unmet };
}

/** An edit travels in the address of a request: a long summary goes alone, or it takes all else down with it. */
const MAX_QUERY_LENGTH = 6_000;
/** What a summary is cut to when even that is too long, in UTF-16 units: a CJK character takes nine in an address. */
const SHORT_SUMMARY_LENGTH = 700;

function editsOf(difference: Difference): URLSearchParams[] {
  const whole = editOf(difference);
  const { summary, ...fields } = difference.fields;
  if (summary === undefined || whole.toString().length <= MAX_QUERY_LENGTH) return [whole];
  const rest = editOf({ ...difference, fields });
  const alone = editOf({ fields: { summary }, tags: [], changes: [] });
  return rest.toString() === '' ? [alone] : [rest, alone];
}

/** Null when the summary is short already. */
function withShortSummary(wanted: Wanted): Wanted | null {
  const { summary } = wanted.fields;
  if (summary === undefined || summary.length <= SHORT_SUMMARY_LENGTH) return null;
  const short = `${summary.slice(0, SHORT_SUMMARY_LENGTH - 1).replace(/[\ud800-\udbff]$/, '')}…`;
  return { ...wanted, fields: { ...wanted.fields, summary: short } };
}

/** What Plex held may be of any size; the journal keeps what a person can look at, and says that it was cut. */
function bounded({ field, before, after }: FieldChange): FieldChange {
  const isCut = isLong(before) || isLong(after);
  return isCut ? { field, before: cut(before), after: cut(after), isCut } : { field, before, after };
}

const MAX_KEPT_LENGTH = 20_000;
const MAX_KEPT_TAGS = 500;

function isLong(value: FieldChange['before']): boolean {
  return value !== null && value.length > (typeof value === 'string' ? MAX_KEPT_LENGTH : MAX_KEPT_TAGS);
}

function cut(value: FieldChange['before']): FieldChange['before'] {
  if (value === null) return null;
  return typeof value === 'string' ? value.slice(0, MAX_KEPT_LENGTH) : value.slice(0, MAX_KEPT_TAGS);
}

/** Some servers honour only one name in a removal: the fields and lists together, then each removal alone. */
function editsOneByOne(difference: Difference): URLSearchParams[] {
  const together = { ...difference, tags: difference.tags.map((plan) => ({ ...plan, dropped: [] })) };
  const removals = difference.tags.flatMap((plan) =>
    plan.dropped.map((name) =>
      editOf({ fields: {}, changes: [], tags: [{ ...plan, all: [], dropped: [name], isChanged: true }] }),
    ),
  );
  return [...editsOf(together), ...removals];
}

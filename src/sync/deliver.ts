// Delivering one scene: find its item, compare, write what differs, read back. It decides nothing about
// waiting or the breaker: it says what happened and leaves that to the drainer.
// Delivering the same scene twice writes nothing the second time.

import type { Failure } from '../plex/failures.ts';
import type { PlexClient } from '../plex/plex-client.ts';
import type { PlexItem } from '../plex/plex-item.ts';
import type { FieldChange } from '../queue/changes.ts';
import type { OwnTags, ShownCover } from '../queue/events.ts';
import type { Known } from '../queue/queue.ts';
import type { StashFailure } from '../stash/stash-client.ts';
import type { StashScene } from '../stash/stash-scene.ts';
import { type Difference, differenceOf, ownDuring, ownOf } from './difference.ts';
import { digestOf } from './digest.ts';
import { bounded, editsOf, editsOneByOne, withShortSummary } from './edits.ts';
import type { SyncOptions } from './fields.ts';
import { type FindOptions, findItem } from './find.ts';
import type { Match } from './match.ts';
import { type CoverSource, type PicturePlan, pictureChanges, planPictures, putPictures } from './pictures.ts';
import { isWithheld, type Stance, stanceOf } from './stance.ts';
import { leftOutOf, type Wanted, wantedOf } from './wanted.ts';

export type PlexPort = Pick<
  PlexClient,
  | 'probe'
  | 'sections'
  | 'findByFile'
  | 'itemsOfSection'
  | 'items'
  | 'edit'
  | 'images'
  | 'uploadImage'
  | 'selectImage'
  | 'scan'
  | 'close'
>;

/** What is known of a scene after its delivery, and what is left to do about it. */
export interface Delivered {
  readonly item: string;
  readonly own: OwnTags;
  readonly cover: ShownCover | null;
  /** Of what was wanted. */
  readonly digest: string;
  /** Why the cover is not there yet; null: it is, or need not be. */
  readonly waitsFor: string | null;
  /** What Plex cannot take or is not given, and why. */
  readonly refused: readonly string[];
}

export type Delivery =
  /** `isCertain`: nothing else was written that Plex may still have before it. */
  | ({ readonly kind: 'unchanged'; readonly isCertain: boolean } & Delivered)
  /** `unmet`: fields that still differ after two writes. */
  | ({ readonly kind: 'written'; readonly unmet: readonly string[] } & Delivered)
  | { readonly kind: 'withheld' }
  | { readonly kind: 'no-file' }
  | Exclude<Match, { kind: 'found' }>
  | { readonly kind: 'failed'; readonly failure: Failure }
  /** Stash did not say who else may want the item. */
  | { readonly kind: 'stash'; readonly failure: StashFailure };

export interface DeliverOptions extends Omit<FindOptions, 'plex'> {
  readonly plex: PlexPort;
  readonly covers: CoverSource;
  readonly sync: SyncOptions;
  /** Whole items that were read for this batch, by key; each is taken out when it is used, for it may change then. */
  readonly prefetched?: Map<string, PlexItem>;
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
  /** Of what is wanted. */
  readonly digest: string;
}

export async function deliver(
  scene: StashScene,
  known: Known | undefined,
  options: DeliverOptions,
): Promise<Delivery> {
  if (scene.files.length === 0) return { kind: 'no-file' };
  const wanted = wantedOf(scene, options.sync);
  if (isWithheld(wanted, known)) return { kind: 'withheld' };
  const found = await findItem(scene, known?.item, { ...options, plex: prefetchedFirst(options) });
  if (found.kind !== 'found') return found;
  const { item } = found;
  const stance = stanceOf(wanted, known, options.sync.modes);
  const pictures = await planPictures(scene.id, item, known?.cover, stance, options);
  if (!pictures.ok) return { kind: 'failed', failure: pictures.failure };
  return write(item, wanted, pictures.value, stance, leftOutOf(scene, options.sync), options);
}

/** What is about to change is written down first, on one line of the journal: that holds no more, in bytes. */
const MAX_INTENT_BYTES = 200_000;
const TOO_MUCH: Failure = {
  class: 'rejected',
  symptom: 'too-large',
  detail: 'what Plex holds of this scene is too much to be noted before it is changed: shorten it in Plex',
};

function prefetchedFirst({ plex, prefetched }: DeliverOptions): FindOptions['plex'] {
  return {
    findByFile: (section, baseName) => plex.findByFile(section, baseName),
    items: async (keys) => {
      const [key = ''] = keys;
      const item = keys.length === 1 ? prefetched?.get(key) : undefined;
      if (item === undefined) return plex.items(keys);
      prefetched?.delete(key);
      return { ok: true, value: [item] };
    },
  };
}

async function write(
  item: PlexItem,
  wantedInFull: Wanted,
  pictures: PicturePlan,
  stance: Stance,
  leftOut: readonly string[],
  options: DeliverOptions,
): Promise<Delivery> {
  const { plex, beforeWrite, beforeEdit } = options;
  const planned = differenceOf(wantedInFull, item, stance);
  const changes = [...planned.changes, ...pictureChanges(pictures)];
  const done = {
    item: item.ratingKey,
    own: ownOf(planned),
    cover: pictures.kind === 'settled' || pictures.kind === 'put' ? pictures.cover : null,
    digest: digestOf(wantedInFull, options.sync),
    waitsFor: pictures.kind === 'waiting' ? pictures.detail : null,
    refused: pictures.kind === 'unfit' ? [...leftOut, pictures.detail] : leftOut,
  };
  const own = ownDuring(planned);
  if (changes.length === 0) {
    const isCertain = stance.unseen === null || stance.unseen === done.digest;
    return { kind: 'unchanged', ...done, isCertain, own: isCertain ? done.own : own };
  }
  const intent = { item: item.ratingKey, changes: changes.map(bounded), own, digest: done.digest };
  if (Buffer.byteLength(JSON.stringify(intent)) > MAX_INTENT_BYTES)
    return { kind: 'failed', failure: TOO_MUCH };
  await beforeWrite(intent);

  const put =
    pictures.kind === 'put'
      ? await putPictures(item, pictures, plex, beforeEdit)
      : { ok: true as const, value: NONE };
  if (!put.ok) return { kind: 'failed', failure: put.failure };
  let wanted = wantedInFull;
  let left: Difference = { ...planned, locks: put.value.put };
  let now: PlexItem = item;
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
    if (after.value[0] === undefined) return { kind: 'missing', near: [], rivals: [] };
    now = after.value[0];
    left = differenceOf(wanted, now, stance);
    if (left.changes.length === 0) break;
  }
  const shown = Object.fromEntries(put.value.put.map((kind) => [kind, now.images[kind]]));
  return {
    kind: 'written',
    ...done,
    // What was dropped and is still shown stays ours to drop.
    own: left.changes.length === 0 ? done.own : own,
    cover: done.cover === null ? null : { ...done.cover, shown: { ...done.cover.shown, ...shown } },
    refused: [...done.refused, ...put.value.refused],
    unmet: left.changes.map(({ field }) => field),
  };
}

const NONE = { put: [], refused: [] } as const;

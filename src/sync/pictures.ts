// The cover of a scene as poster and background of its item. Compared by digest before anything is sent: what Plex has
// is chosen, what it shows is left, only what is new goes out. A cover that cannot be had never holds up the rest.

import type { Failure } from '../plex/failures.ts';
import type { PlexClient, PlexResult } from '../plex/plex-client.ts';
import { IMAGE_KINDS, type ImageKind, type PlexItem } from '../plex/plex-item.ts';
import type { FieldChange } from '../queue/changes.ts';
import type { ShownCover } from '../queue/events.ts';
import type { Cover } from '../stash/cover.ts';
import type { StashResult } from '../stash/stash-client.ts';
import { modeOf, type Stance } from './stance.ts';

export type PicturePort = Pick<PlexClient, 'images' | 'uploadImage' | 'selectImage'>;
/** The cover of a scene; `validator`: of the one that is known. */
export type CoverSource = (sceneId: string, validator: string) => Promise<StashResult<Cover>>;

export interface PicturePut {
  readonly kind: ImageKind;
  /** The picture that is shown until now, by the name that Plex gives it; null: none of those that it lists. */
  readonly before: string | null;
  /** The name of ours, if Plex has it already. */
  readonly has: string | null;
}

export type PicturePlan =
  /** Nothing to send. `cover`: what is known from now on. */
  | { readonly kind: 'settled'; readonly cover: ShownCover | null }
  | {
      readonly kind: 'put';
      readonly puts: readonly PicturePut[];
      readonly picture: Picture;
      readonly cover: ShownCover;
    }
  /** There may be a cover later. */
  | { readonly kind: 'waiting'; readonly detail: string }
  /** There is one that Plex cannot take. */
  | { readonly kind: 'unfit'; readonly detail: string };

type Picture = Extract<Cover, { kind: 'picture' }>;

/** What is kept in the journal of a picture that was put. */
export function nameOfUpload(sha1: string): string {
  return `upload:${sha1}`;
}

export async function planPictures(
  sceneId: string,
  item: PlexItem,
  known: ShownCover | undefined,
  stance: Stance,
  { plex, covers }: { readonly plex: PicturePort; readonly covers: CoverSource },
): Promise<PlexResult<PicturePlan>> {
  const kinds = IMAGE_KINDS.filter((kind) => isWanted(kind, item, known, stance));
  const settled = { kind: 'settled', cover: known ?? null } as const;
  if (kinds.length === 0) return { ok: true, value: settled };
  const isShown = (kind: ImageKind) =>
    known !== undefined && known.shown[kind] === (item.images[kind] || undefined);
  const isSparedFor = (kind: ImageKind, sha1: string) => modeOf(kind, nameOfUpload(sha1), stance) === 'off';
  const isRight = (kind: ImageKind) =>
    known !== undefined && (isShown(kind) || isSparedFor(kind, known.sha1));
  const asked = await covers(sceneId, kinds.every(isRight) ? (known?.validator ?? '') : '');
  // Stash is asked again for the scene itself soon enough: a cover is no reason to stop.
  if (!asked.ok) return { ok: true, value: { kind: 'waiting', detail: asked.failure.detail } };
  const cover = asked.value;
  if (cover.kind === 'same') return { ok: true, value: settled };
  if (cover.kind === 'none-yet') return { ok: true, value: { kind: 'waiting', detail: cover.detail } };
  if (cover.kind === 'unfit') return { ok: true, value: cover };

  const shown: Record<string, string> = known?.sha1 === cover.sha1 ? { ...known.shown } : {};
  const puts: PicturePut[] = [];
  for (const kind of kinds) {
    if (isSparedFor(kind, cover.sha1) || (known?.sha1 === cover.sha1 && isShown(kind))) continue;
    const listed = await plex.images(item.ratingKey, kind);
    if (!listed.ok) return listed;
    const ours = listed.value.find(({ ratingKey }) => ratingKey.endsWith(`/${cover.sha1}`));
    if (ours?.isSelected === true) shown[kind] = item.images[kind];
    else {
      const before = listed.value.find(({ isSelected }) => isSelected)?.ratingKey ?? null;
      puts.push({ kind, before, has: ours?.ratingKey ?? null });
    }
  }
  const shownNow = { sha1: cover.sha1, validator: cover.validator, shown };
  if (puts.length === 0) return { ok: true, value: { kind: 'settled', cover: shownNow } };
  return { ok: true, value: { kind: 'put', puts, picture: cover, cover: shownNow } };
}

export function pictureChanges(plan: PicturePlan): FieldChange[] {
  if (plan.kind !== 'put') return [];
  const after = nameOfUpload(plan.picture.sha1);
  return plan.puts.map(({ kind, before }) => ({ field: kind, before, after }));
}

/** What became of the pictures: those that are in place, and why others are not. */
export interface PutResult {
  readonly put: readonly ImageKind[];
  readonly refused: readonly string[];
}

export async function putPictures(
  item: PlexItem,
  plan: Extract<PicturePlan, { kind: 'put' }>,
  plex: PicturePort,
  beforeEdit: () => Promise<void>,
): Promise<
  { readonly ok: true; readonly value: PutResult } | { readonly ok: false; readonly failure: Failure }
> {
  const put: ImageKind[] = [];
  const refused: string[] = [];
  for (const { kind, has } of plan.puts) {
    await beforeEdit();
    const result =
      has === null
        ? await plex.uploadImage(item.ratingKey, kind, plan.picture.bytes)
        : await plex.selectImage(item.ratingKey, kind, has);
    if (result.ok) put.push(kind);
    // A proxy in front of Plex may take less than Plex does: that is about this picture and nothing else.
    else if (result.failure.class === 'rejected') refused.push(`${kind}: ${result.failure.detail}`);
    else return result;
  }
  return { ok: true, value: { put, refused } };
}

/** Plex makes a picture of every video by itself: empty is where nobody has chosen one. */
function isWanted(kind: ImageKind, item: PlexItem, known: ShownCover | undefined, stance: Stance): boolean {
  const mode = modeOf(kind, undefined, stance);
  if (mode === 'off') return false;
  const isOurs = known?.shown[kind] === item.images[kind];
  return mode !== 'only-if-empty' || isOurs || item.images[kind] === '' || !item.locked.has(kind);
}

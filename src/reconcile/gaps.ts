// What is not as it should be: one scene as Stash has it, its item as Plex has it, and what is remembered of the last
// delivery. Pure; it decides nothing about what to do.

import { IMAGE_KINDS, type PlexItem, SCALARS, type Scalar } from '../plex/plex-item.ts';
import type { FieldChange } from '../queue/changes.ts';
import type { Known } from '../queue/queue.ts';
import type { GapCounts, GapKind, SkipReason } from '../queue/reconciliation.ts';
import type { StashScene } from '../stash/stash-scene.ts';
import { differenceOf } from '../sync/difference.ts';
import { digestOf, digestOfFiles } from '../sync/digest.ts';
import type { SyncOptions } from '../sync/fields.ts';
import { nameOfUpload } from '../sync/pictures.ts';
import { modeOf, type Stance, stanceOf } from '../sync/stance.ts';
import { wantedOf } from '../sync/wanted.ts';

export interface Gap {
  /** Its id in Stash. */
  readonly scene: string;
  readonly kind: GapKind;
  /** The Plex item and the title of its library; null where there is none, or none that is known. */
  readonly item: string | null;
  readonly library: string | null;
  /** What a delivery would change. A picture is named by the address under which Plex shows it. */
  readonly changes: readonly FieldChange[];
  /** For a person. */
  readonly detail: string;
}

/** A scene of the scope that is not compared. */
export interface Skipped {
  readonly scene: string;
  readonly reason: SkipReason;
}

/** A scene against what was delivered of it, without asking Plex. */
export function hasChangedInStash(scene: StashScene, known: Known, sync: SyncOptions): boolean {
  return known.digest !== digestOf(wantedOf(scene, sync), sync);
}

/** One that was delivered before this was remembered counts as changed: delivering it again costs little, once. */
export function hasOtherFiles(scene: StashScene, { files }: Known): boolean {
  return files !== digestOfFiles(scene);
}

/** A scene against its item. Null: all is well. */
export function gapOf(
  scene: StashScene,
  item: PlexItem,
  library: string | null,
  known: Known | undefined,
  sync: SyncOptions,
): Gap | null {
  const wanted = wantedOf(scene, sync);
  const stance = stanceOf(wanted, known, sync.modes);
  const changes = [...differenceOf(wanted, item, stance).changes, ...pictureGaps(item, known, stance)];
  if (changes.length === 0) return null;
  const kind = kindOf(item, known, digestOf(wanted, sync));
  return { scene: scene.id, kind, item: item.ratingKey, library, changes, detail: '' };
}

export function countGaps(gaps: readonly Gap[], skipped: readonly Skipped[]): GapCounts {
  return {
    kinds: tally(gaps.map(({ kind }) => kind)),
    fields: tally(gaps.flatMap(({ changes }) => changes.map(({ field }) => field))),
    libraries: tally(gaps.flatMap(({ library }) => library ?? [])),
    skipped: tally(skipped.map(({ reason }) => reason)),
  };
}

/** By a map, because a library may be called `constructor`. */
function tally(names: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries(counts);
}

/** Whether an item that has it was filled in by somebody. */
const IS_FROM_SOMEBODY = {
  // Every item has one.
  title: false,
  studio: true,
  summary: true,
  tagline: false,
  originallyAvailableAt: true,
  // Plex makes it of the date.
  year: false,
  userRating: true,
} as const satisfies Readonly<Record<Scalar, boolean>>;

function kindOf(item: PlexItem, known: Known | undefined, digest: string): GapKind {
  if (known?.digest !== undefined) return known.digest === digest ? 'wiped' : 'changed';
  const isBare =
    SCALARS.every((name) => !IS_FROM_SOMEBODY[name] || !item.fields[name]) &&
    Object.values(item.tags).every(isNone);
  return isBare ? 'empty' : 'changed';
}

/**
 * Only what can be seen without asking for pictures: one that was never delivered, or another in the place of ours. A
 * cover that Plex could not take was delivered as far as it can be.
 */
function pictureGaps(item: PlexItem, known: Known | undefined, stance: Stance): FieldChange[] {
  const { cover } = known ?? {};
  if (cover === undefined && known?.digest !== undefined) return [];
  const name = cover === undefined ? undefined : nameOfUpload(cover.sha1);
  return IMAGE_KINDS.flatMap((field) => {
    const mode = modeOf(field, name, stance);
    const held = item.images[field];
    const isOthers = mode === 'only-if-empty' && held !== '' && item.locked.has(field);
    if (mode === 'off' || isOthers || (cover !== undefined && cover.shown[field] === held)) return [];
    return [{ field, before: held === '' ? null : held, after: name ?? 'the cover' }];
  });
}

function isNone(names: readonly string[]): boolean {
  return names.length === 0;
}

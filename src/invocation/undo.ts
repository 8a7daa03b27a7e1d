// Undo: writes back what Breakwater overwrote, from what the journal recorded. It is an edit like any other, written down
// before it is made, so that it can be undone itself: for one scene the newest edit is undone, which may be an undo.

import { readAll } from '../breaker/index.ts';
import { count } from '../cli/format.ts';
import { fieldName } from '../cli/reconciliation.ts';
import type { Failure } from '../plex/failures.ts';
import type { PlexResult } from '../plex/plex-client.ts';
import { IMAGE_KINDS, type ImageKind, type PlexImage } from '../plex/plex-item.ts';
import type { JobName } from '../queue/events.ts';
import type { Known, Queue } from '../queue/queue.ts';
import { queueEventOf } from '../queue/queue-fold.ts';
import type { Settings } from '../settings/settings.ts';
import type { StashFailure } from '../stash/stash-client.ts';
import type { StashScene } from '../stash/stash-scene.ts';
import type { PlexPort } from '../sync/deliver.ts';
import { editsOf } from '../sync/edits.ts';
import { overwrittenBy, type RecordedEdit, type Rollback, rollbackOf, unmetIn } from '../sync/rollback.ts';
import { wantedOf } from '../sync/wanted.ts';
import { byHand, type Hands } from './by-hand.ts';
import { openQueue } from './operator.ts';
import { readingPlex } from './reading-plex.ts';
import { failed, type TaskResult } from './task-result.ts';
import type { World } from './world.ts';

export interface UndoScope {
  /** Empty: every scene. */
  readonly scenes: readonly string[];
  /** Wall ms: everything since then; null: the newest edit of each of the scenes. */
  readonly since: number | null;
}

/** What was done, or would be, to one scene. */
interface Undone {
  readonly scene: string;
  readonly item: string;
  readonly changes: Rollback['changes'];
  readonly left: Rollback['left'];
  readonly unmet: readonly string[];
}

/** Scenes that Stash is asked for at once. */
const SCENES_PER_QUERY = 50;

export async function undo(world: World, scope: UndoScope, isDry: boolean): Promise<TaskResult> {
  const edits = await editsIn(world, scope);
  if (edits.size === 0)
    return failed('There is nothing to undo: the journal knows of no such edit.', 'nothing');
  if (isDry) {
    return readingPlex(world, async (plex, settings) => {
      const { queue } = await openQueue(world);
      return resultOf(await undoAll(world, edits, queue, { plex, settings, hands: null }), edits.size, true);
    });
  }
  return byHand(world, 'undo', async (hands) => {
    const { plex, settings } = hands.contact;
    // Read anew: whoever held the lease until now may have written more.
    const settled = await editsIn(world, scope);
    return resultOf(
      await undoAll(world, settled, hands.queue.queue, { plex, settings, hands }),
      settled.size,
      false,
    );
  });
}

interface UndoParts {
  readonly plex: PlexPort;
  readonly settings: Settings;
  /** Null: nothing is written. */
  readonly hands: Hands | null;
}

interface AllUndone {
  readonly undone: readonly Undone[];
  /** Why it ended early. */
  readonly stopped: string | null;
}

async function undoAll(
  world: World,
  edits: ReadonlyMap<JobName, readonly RecordedEdit[]>,
  queue: Queue,
  parts: UndoParts,
): Promise<AllUndone> {
  const undone: Undone[] = [];
  const all = [...edits];
  for (let from = 0; from < all.length; from += SCENES_PER_QUERY) {
    const some = all.slice(from, from + SCENES_PER_QUERY);
    const scenes = await world.stash.scenes(some.map(([job]) => idOf(job)));
    if (!scenes.ok) return { undone, stopped: (scenes.failure satisfies StashFailure).detail };
    for (const [job, recorded] of some) {
      const scene = scenes.value.get(idOf(job)) ?? null;
      const result = await undoScene(job, recorded, scene, queue.known.get(job), parts);
      if (!result.ok) {
        const detail =
          parts.hands === null ? result.failure.detail : await parts.hands.heed(result.failure, job);
        return { undone, stopped: detail };
      }
      if (result.value.changes.length + result.value.left.length > 0) undone.push(result.value);
      world.log.progress((undone.length + 1) / (all.length + 1));
    }
  }
  return { undone, stopped: null };
}

async function undoScene(
  job: JobName,
  recorded: readonly RecordedEdit[],
  scene: StashScene | null,
  known: Known | undefined,
  { plex, settings, hands }: UndoParts,
): Promise<PlexResult<Undone>> {
  // An item that took the place of another is not the one that was edited.
  const key = recorded.at(-1)?.item ?? '';
  const edits = recorded.filter(({ item }) => item === key);
  const base = { scene: idOf(job), item: key, unmet: [] };
  const items = await plex.items([key]);
  if (!items.ok) return items;
  const item = items.value[0];
  if (item === undefined) {
    const left = overwrittenBy(edits).map(({ field }) => ({ field, reason: 'Plex no longer has the item' }));
    return { ok: true, value: { ...base, changes: [], left } };
  }
  const images = await imagesOf(edits, key, plex);
  if (!images.ok) return images;
  const rollback = rollbackOf({
    edits,
    item,
    images: images.value,
    own: known?.own ?? {},
    spared: known?.spared ?? {},
    wanted: scene === null ? null : wantedOf(scene, settings.sync),
    coverSha1: known?.cover?.sha1 ?? null,
  });
  const { changes, left } = rollback;
  if (hands === null || changes.length === 0) return { ok: true, value: { ...base, changes, left } };
  const { spares, ownDuring, own } = rollback;
  await hands.queue.appendOrThrow({
    type: 'job.attempted',
    job,
    item: key,
    changes,
    own: ownDuring,
    by: 'undo',
    spares,
  });
  const failure = await writeBack(rollback, item, plex, hands);
  if (failure !== null) return { ok: false, failure };
  const after = await plex.items([key]);
  if (!after.ok) return after;
  const unmet = after.value[0] === undefined ? [] : unmetIn(changes, after.value[0]);
  const notes = [...unmet, ...left.map(({ field, reason }) => `${field}: ${reason}`)];
  // What was dropped and is still shown stays ours to drop.
  const ours = unmet.length === 0 ? own : ownDuring;
  const done = { type: 'job.restored', job, item: key, own: ours } as const;
  await hands.queue.appendOrThrow(notes.length === 0 ? done : { ...done, notes });
  return { ok: true, value: { ...base, changes, left, unmet } };
}

async function writeBack(
  { pictures, difference }: Rollback,
  item: Parameters<PlexPort['edit']>[0],
  plex: PlexPort,
  { beforeEdit }: Hands,
): Promise<Failure | null> {
  for (const { kind, image } of pictures) {
    await beforeEdit();
    const selected = await plex.selectImage(item.ratingKey, kind, image);
    if (!selected.ok) return selected.failure;
  }
  for (const parameters of editsOf(difference)) {
    if (parameters.size === 0) continue;
    await beforeEdit();
    const edited = await plex.edit(item, parameters);
    if (!edited.ok) return edited.failure;
  }
  return null;
}

async function imagesOf(
  edits: readonly RecordedEdit[],
  key: string,
  plex: PlexPort,
): Promise<PlexResult<Partial<Record<ImageKind, readonly PlexImage[]>>>> {
  const images: Partial<Record<ImageKind, readonly PlexImage[]>> = {};
  for (const kind of IMAGE_KINDS) {
    if (!edits.some(({ changes }) => changes.some(({ field }) => field === kind))) continue;
    const listed = await plex.images(key, kind);
    if (!listed.ok) return listed;
    images[kind] = listed.value;
  }
  return { ok: true, value: images };
}

/** The edits that are meant, by scene, oldest first. */
async function editsIn(world: World, scope: UndoScope): Promise<Map<JobName, readonly RecordedEdit[]>> {
  const wanted = new Set<string>(scope.scenes.map((id) => `scene:${id}`));
  const edits = new Map<JobName, RecordedEdit[]>();
  for await (const entry of readAll(world.dir.journal, 'queue')) {
    if (entry.kind !== 'record' || entry.record.type !== 'job.attempted') continue;
    const event = queueEventOf(entry.record, entry.position);
    if (event?.type !== 'job.attempted' || event.changes.length === 0) continue;
    const { job, item, changes, own } = event;
    if (wanted.size > 0 && !wanted.has(job)) continue;
    if (scope.since !== null && entry.record.at < scope.since) continue;
    const before = scope.since === null ? [] : (edits.get(job) ?? []);
    edits.set(job, [...before, { item, changes, own }]);
  }
  return edits;
}

function resultOf({ undone, stopped }: AllUndone, total: number, isDry: boolean): TaskResult {
  const lines = undone.flatMap(({ scene, changes, left, unmet }) => {
    const fields = namesOf(changes.map(({ field }) => field));
    const verb = isDry ? 'would put back' : 'put back';
    return [
      ...(fields === '' ? [] : [`scene ${scene}: ${verb} ${fields}`]),
      ...left.map(({ field, reason }) => `scene ${scene}: left alone: ${fieldName(field)}, as ${reason}`),
      ...(unmet.length === 0 ? [] : [`scene ${scene}: Plex does not show yet: ${namesOf(unmet)}`]),
    ];
  });
  const changed = undone.filter(({ changes }) => changes.length > 0).length;
  const head = isDry
    ? `${count(changed, 'scene')} of ${total} would change; nothing was written.`
    : `${count(changed, 'scene')} of ${total} put back; until Stash says something new, they stay so. Plex keeps them locked: "unlock" lets it change them.`;
  const end = stopped === null ? [] : [`It ended early: ${stopped}. Run it again to go on.`];
  return {
    isOk: stopped === null,
    lines: [...lines, head, ...end],
    document: { undone, total, isDry, stopped },
  };
}

/** Each once: the date is two fields in Plex. */
function namesOf(fields: readonly string[]): string {
  return [...new Set(fields.map(fieldName))].join(', ');
}

function idOf(job: JobName): string {
  return job.slice(job.indexOf(':') + 1);
}

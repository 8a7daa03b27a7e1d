// One batch of jobs: fetch the scenes as they are now, deliver each, write down what became of it. Stops at
// the first failure that says something about Plex itself; what it did not get to stays pending.
//
// Before each write it makes sure of the lease. A write that nevertheless went out under a lost lease may
// have put something old over something new: then the scene is queued again.

import { isOver } from '../../machines/time.ts';
import { type DrainLease, gate, JournalError, LeaseLost } from '../breaker/index.ts';
import type { Failure } from '../plex/failures.ts';
import type { PlexItem } from '../plex/plex-item.ts';
import type { JobKind, JobName, QueueEvent } from '../queue/events.ts';
import type { Job } from '../queue/queue.ts';
import type { QueueLog } from '../queue/queue-log.ts';
import { SHARED_GONE } from '../reconcile/schedule.ts';
import type { StashFailure } from '../stash/stash-client.ts';
import type { StashScene } from '../stash/stash-scene.ts';
import { type DeliverOptions, type Delivery, deliver } from '../sync/deliver.ts';
import { type FolderScan, scanSign } from '../sync/folder-scan.ts';
import {
  type Attempt,
  deferredOrDead,
  delivered,
  type ItemWait,
  NO_WAIT,
  type Settled,
  settled,
  settledAs,
} from './outcome.ts';
import type { World } from './world.ts';

export type BatchEnd =
  | { readonly kind: 'done' }
  /** Plex: the failure, and the attempt that met it; its job is still pending. */
  | { readonly kind: 'plex'; readonly failure: Failure; readonly attempt: Attempt }
  | { readonly kind: 'stash'; readonly failure: StashFailure };

export interface BatchResult {
  readonly end: BatchEnd;
  /** Jobs for which Plex answered as it should, whatever became of them. */
  readonly answered: number;
}

export interface BatchOptions {
  readonly world: World;
  readonly lease: DrainLease;
  readonly queue: QueueLog;
  readonly delivery: Pick<DeliverOptions, 'plex' | 'sections' | 'pathRules' | 'sync'>;
  /** Null: Plex is not asked to scan. */
  readonly folderScan: FolderScan | null;
  /** How a path is told to a person, and kept. */
  readonly showPath: (path: string) => string;
  readonly onOutcome: (event: QueueEvent) => void;
}

export async function runBatch(jobs: readonly Job[], options: BatchOptions): Promise<BatchResult> {
  const { world, queue, lease } = options;
  // Everything queued before here is covered by what is fetched after here.
  const upTo = queue.position;
  const ids = jobs.filter((job) => kindOf(job.job) === 'scene').map((job) => idOf(job.job));
  const fetched = await fetchScenes(ids, world);
  if (!fetched.ok) return { end: { kind: 'stash', failure: fetched.failure }, answered: 0 };

  const prefetched = await prefetch(ids, fetched.value, options);
  let answered = 0;
  for (const job of jobs) {
    if (world.ending?.aborted === true) break;
    await lease.renewIfNeeded();
    // A person who holds it, or releases what kept it going, need not wait for the end of a batch.
    await lease.refresh();
    if (gate(lease.state, world.writer.now()).kind !== 'go') break;
    const attempt = { job, upTo, isExtra: job.state === 'deferred' && !isOver(job.due, world.writer.now()) };
    const kind = kindOf(job.job);
    const result =
      kind === 'scene'
        ? await settleScene(attempt, fetched.value.get(idOf(job.job)), { ...options, prefetched })
        : await expand(attempt, kind, options);
    if (result.kind === 'stash' || result.kind === 'plex') return { end: result, answered };
    if (result.isAnswered) answered += 1;
    await queue.appendOrThrow(result.event);
    options.onOutcome(result.event);
  }
  return { end: { kind: 'done' }, answered };
}

/** What Stash said about one scene: it, that it is gone, or that it cannot be read. */
type Fetched = StashScene | { readonly unreadable: string } | undefined;

/** One document for all. If Stash refuses that, one for each, so that one bad scene does not stop the others. */
async function fetchScenes(ids: readonly string[], { stash }: World) {
  const together = await stash.scenes(ids);
  if (together.ok) return { ok: true, value: together.value as ReadonlyMap<string, Fetched> } as const;
  if (together.failure.kind !== 'refused') return together;
  const fetched = new Map<string, Fetched>();
  for (const id of ids) {
    const alone = await stash.scenes([id]);
    if (alone.ok) fetched.set(id, alone.value.get(id));
    else if (alone.failure.kind === 'refused') fetched.set(id, { unreadable: alone.failure.detail });
    else return alone;
  }
  return { ok: true, value: fetched as ReadonlyMap<string, Fetched> } as const;
}

type Prefetched = BatchOptions & { readonly prefetched: Map<string, PlexItem> };

/** The items of scenes that were delivered before, in one request: most of a big batch is unchanged. */
async function prefetch(
  ids: readonly string[],
  scenes: ReadonlyMap<string, Fetched>,
  { queue, delivery }: BatchOptions,
): Promise<Map<string, PlexItem>> {
  const here = ids.filter((id) => scenes.has(id));
  const keys = here
    .map((id) => queue.queue.known.get(`scene:${id}`)?.item)
    .filter((key) => key !== undefined);
  if (keys.length < 2) return new Map();
  const items = await delivery.plex.items([...new Set(keys)]);
  // What fails here fails again for the first job, which knows what to make of it.
  return new Map(items.ok ? items.value.map((item) => [item.ratingKey, item]) : []);
}

type SceneSettled = Settled | Extract<BatchEnd, { kind: 'stash' }>;

async function settleScene(attempt: Attempt, scene: Fetched, options: Prefetched): Promise<SceneSettled> {
  const { world } = options;
  if (scene === undefined) return settled(false, delivered(attempt, 'gone'));
  const draw = world.writer.random();
  if ('unreadable' in scene)
    return settled(false, deferredOrDead(attempt, 'transient', scene.unreadable, draw));
  try {
    const result = await deliverUnderLease(attempt, scene, options);
    if (result.kind === 'stash' && result.failure.kind !== 'refused') return result;
    if (result.kind === 'stash') {
      return settled(false, deferredOrDead(attempt, 'transient', result.failure.detail, draw));
    }
    const wait = result.kind === 'missing' ? await waitForItem(attempt, scene, options) : NO_WAIT;
    return settledAs(attempt, scene, result, draw, wait, options.showPath);
  } catch (error) {
    if (error instanceof LeaseLost || error instanceof JournalError) throw error;
    // A fault of ours over one scene must not stand in the way of the others.
    return settled(false, deferredOrDead(attempt, 'transient', `failed: ${(error as Error).message}`, draw));
  }
}

async function deliverUnderLease(
  { job, upTo }: Attempt,
  scene: StashScene,
  options: Prefetched,
): Promise<Delivery> {
  const { world, queue, lease, delivery, prefetched } = options;
  let hasWritten = false;
  try {
    const result = await deliver(scene, queue.queue.known.get(job.job), {
      ...delivery,
      prefetched,
      covers: (id, validator) => world.stash.cover(id, validator),
      scenesWithFile: (baseNames) => world.stash.scenesWithFile(baseNames),
      beforeWrite: (intent) => queue.appendOrThrow({ type: 'job.attempted', job: job.job, upTo, ...intent }),
      beforeEdit: async () => {
        await lease.refresh();
        await lease.renewIfNeeded();
        hasWritten = true;
      },
    });
    if (hasWritten) await lease.refresh();
    return result;
  } catch (error) {
    if (error instanceof LeaseLost && hasWritten) {
      await queue.appendOrThrow({ type: 'job.queued', job: job.job, cause: 'lease-lost' });
    }
    throw error;
  }
}

/** Has Plex look for the file where that is wanted, once for each change of the scene. */
async function waitForItem(
  { job }: Attempt,
  scene: StashScene,
  { world, delivery, folderScan }: BatchOptions,
): Promise<ItemWait> {
  const sections = await delivery.sections();
  if (!sections.ok) return NO_WAIT;
  const isNew = job.deferredFor === null || job.deferredFor === 'scanning';
  const wish = { files: scene.files, queuedAt: job.queuedAt, now: world.writer.now().at };
  const isScanning = isNew && folderScan !== null && (await folderScan.ask(wish, sections.value));
  return { isScanning, scan: scanSign(sections.value) };
}

/**
 * One job for each scene that the tag, performer, studio or group touches, then this one is done. Where nobody can say any
 * more which scenes those were, all are compared.
 */
async function expand(
  attempt: Attempt,
  kind: Exclude<JobKind, 'scene'>,
  { world, queue }: BatchOptions,
): Promise<SceneSettled> {
  const { job } = attempt.job;
  if (kind === 'library') {
    const [cause = 'library'] = attempt.job.causes;
    await queue.appendOrThrow({ type: 'reconcile.requested', scope: SHARED_GONE, cause });
    return settled(false, delivered(attempt, 'expanded'));
  }
  const ids = await world.stash.scenesWith(kind, idOf(job));
  if (!ids.ok && ids.failure.kind === 'refused') {
    return settled(false, deferredOrDead(attempt, 'transient', ids.failure.detail, world.writer.random()));
  }
  if (!ids.ok) return { kind: 'stash', failure: ids.failure };
  for (let from = 0; from < ids.value.length; from += EXPAND_RECORDS) {
    const some = ids.value.slice(from, from + EXPAND_RECORDS);
    await queue.appendOrThrow(
      ...some.map((id) => ({ type: 'job.queued', job: `scene:${id}`, cause: job }) as const),
    );
  }
  return settled(false, delivered(attempt, 'expanded'));
}

/** Records in one append when a tag becomes its scenes. */
const EXPAND_RECORDS = 500;

function kindOf(job: JobName): JobKind {
  return job.slice(0, job.indexOf(':')) as JobKind;
}

function idOf(job: JobName): string {
  return job.slice(job.indexOf(':') + 1);
}

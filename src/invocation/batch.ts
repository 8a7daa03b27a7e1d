// One batch of jobs: fetch the scenes as they are now, deliver each, write down what became of it. Stops at
// the first failure that says something about Plex itself; what it did not get to stays pending.
//
// Before each write it makes sure of the lease. A write that nevertheless went out under a lost lease may
// have put something old over something new: then the scene is queued again.

import { JournalError } from '../journal/journal.ts';
import type { Position } from '../journal/record.ts';
import type { Failure } from '../plex/failures.ts';
import { isCounted } from '../plex/failures.ts';
import type { DeferReason, JobKind, JobName, QueueEvent } from '../queue/events.ts';
import type { Job } from '../queue/queue.ts';
import type { QueueLog } from '../queue/queue-log.ts';
import { retryDelayMs, SCHEDULES } from '../queue/retry.ts';
import type { StashFailure } from '../stash/stash-client.ts';
import type { StashScene } from '../stash/stash-scene.ts';
import { type DeliverOptions, type Delivery, deliver } from '../sync/deliver.ts';
import { type DrainLease, LeaseLost } from './drain-lease.ts';
import type { World } from './world.ts';

export type BatchEnd =
  | { readonly kind: 'done' }
  /** Plex: the failure, and the attempt that met it; its job is still pending. */
  | { readonly kind: 'plex'; readonly failure: Failure; readonly attempt: Attempt }
  | { readonly kind: 'stash'; readonly failure: StashFailure };

/** A try at a job, and what was queued when its scene was fetched: an outcome covers no more than that. */
export interface Attempt {
  readonly job: Job;
  readonly upTo: Position;
  /** A person had it tried before its time: that uses none of its attempts. */
  readonly isExtra: boolean;
}

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
  readonly isImpatient: boolean;
  readonly onOutcome: (event: QueueEvent) => void;
}

export async function runBatch(jobs: readonly Job[], options: BatchOptions): Promise<BatchResult> {
  const { world, queue, lease } = options;
  // Everything queued before here is covered by what is fetched after here.
  const upTo = queue.position;
  const ids = jobs.filter((job) => kindOf(job.job) === 'scene').map((job) => idOf(job.job));
  const fetched = await fetchScenes(ids, world);
  if (!fetched.ok) return { end: { kind: 'stash', failure: fetched.failure }, answered: 0 };

  let answered = 0;
  for (const job of jobs) {
    await lease.renewIfNeeded();
    const attempt = { job, upTo, isExtra: options.isImpatient && job.state === 'deferred' };
    const kind = kindOf(job.job);
    const result =
      kind === 'scene'
        ? await settleScene(attempt, fetched.value.get(idOf(job.job)), options)
        : await expand(attempt, kind, options);
    if (result.kind === 'stash' || result.kind === 'plex') return { end: result, answered };
    if (result.isAnswered) answered += 1;
    await queue.appendOrThrow(result.event);
    options.onOutcome(result.event);
  }
  return { end: { kind: 'done' }, answered };
}

/** A failure of this attempt that is not the breaker's business any more: try the job again later. */
export function transientOutcome(attempt: Attempt, failure: Failure, draw: number): QueueEvent {
  const reason = failure.symptom === 'error-500' ? 'error-500' : 'transient';
  return deferredOrDead(attempt, reason, failure.detail, draw);
}

type Settled =
  | { readonly kind: 'settled'; readonly event: QueueEvent; readonly isAnswered: boolean }
  | Extract<BatchEnd, { kind: 'plex' | 'stash' }>;

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

async function settleScene(attempt: Attempt, scene: Fetched, options: BatchOptions): Promise<Settled> {
  const { world } = options;
  if (scene === undefined) return settled(false, delivered(attempt, 'gone'));
  const draw = world.writer.random();
  if ('unreadable' in scene)
    return settled(false, deferredOrDead(attempt, 'transient', scene.unreadable, draw));
  try {
    return judged(attempt, scene, await deliverUnderLease(attempt, scene, options), draw);
  } catch (error) {
    if (error instanceof LeaseLost || error instanceof JournalError) throw error;
    // A fault of ours over one scene must not stand in the way of the others.
    return settled(false, deferredOrDead(attempt, 'transient', `failed: ${(error as Error).message}`, draw));
  }
}

async function deliverUnderLease(
  { job }: Attempt,
  scene: StashScene,
  options: BatchOptions,
): Promise<Delivery> {
  const { world, queue, lease, delivery } = options;
  let hasWritten = false;
  try {
    const result = await deliver(scene, queue.queue.known.get(job.job), {
      ...delivery,
      covers: (id, validator) => world.stash.cover(id, validator),
      beforeWrite: (intent) => queue.appendOrThrow({ type: 'job.attempted', job: job.job, ...intent }),
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

function judged(attempt: Attempt, scene: StashScene, result: Delivery, draw: number): Settled {
  switch (result.kind) {
    case 'withheld':
      return settled(false, delivered(attempt, 'withheld'));
    case 'unchanged':
    case 'written':
      return settled(true, doneOutcome(attempt, result, draw));
    case 'no-file':
      return settled(
        false,
        dead(attempt, 'no-file', 'the scene has no file, so no Plex item can be its own'),
      );
    case 'missing':
      return settled(true, deferredOrDead(attempt, 'missing', missingDetail(scene, result.near), draw));
    case 'ambiguous': {
      const items = result.candidates.map((item) => `${item.ratingKey} (${item.files.join(', ')})`).sort();
      return settled(
        true,
        dead(attempt, 'ambiguous', `several Plex items have this file: ${items.join('; ')}`),
      );
    }
    case 'failed':
      return failedOutcome(attempt, result.failure, draw);
  }
}

function doneOutcome(
  attempt: Attempt,
  result: Extract<Delivery, { kind: 'unchanged' | 'written' }>,
  draw: number,
): QueueEvent {
  const { item, own, cover, digest, waitsFor, refused } = result;
  const unmet = result.kind === 'written' ? result.unmet : [];
  if (unmet.length > 0 && !isLastAttempt(attempt, 'incomplete')) {
    const detail = `Plex does not show yet what was written: ${unmet.join(', ')}`;
    return deferredOrDead(attempt, 'incomplete', detail, draw);
  }
  if (waitsFor !== null && !isLastAttempt(attempt, 'cover')) {
    return deferredOrDead(attempt, 'cover', waitsFor, draw);
  }
  const notes = [...unmet, ...(waitsFor === null ? [] : [waitsFor]), ...refused];
  return {
    ...delivered(attempt, result.kind),
    item,
    own,
    digest,
    ...(cover === null ? {} : { cover }),
    ...(notes.length === 0 ? {} : { notes }),
  };
}

function isLastAttempt(attempt: Attempt, reason: DeferReason): boolean {
  return attemptNumber(attempt, reason) >= SCHEDULES[reason].maxAttempts;
}

function failedOutcome(attempt: Attempt, failure: Failure, draw: number): Settled {
  if (isCounted(failure.class)) return { kind: 'plex', failure, attempt };
  switch (failure.class) {
    case 'missing':
      return settled(true, deferredOrDead(attempt, 'missing', failure.detail, draw));
    case 'rejected':
      return settled(true, dead(attempt, 'rejected', failure.detail));
    default:
      return { kind: 'plex', failure, attempt };
  }
}

/** One job for each scene that the tag, performer, studio or group touches, then this one is done. */
async function expand(
  attempt: Attempt,
  kind: Exclude<JobKind, 'scene'>,
  { world, queue }: BatchOptions,
): Promise<Settled> {
  const { job } = attempt.job;
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

function delivered({ job, upTo }: Attempt, result: Extract<QueueEvent, { type: 'job.delivered' }>['result']) {
  return { type: 'job.delivered', job: job.job, upTo, result } as const;
}

function dead(
  { job, upTo }: Attempt,
  reason: Extract<QueueEvent, { type: 'job.deadLettered' }>['reason'],
  detail: string,
) {
  return {
    type: 'job.deadLettered',
    job: job.job,
    upTo,
    reason,
    detail: detail.slice(0, MAX_DETAIL),
  } as const;
}

function deferredOrDead(attempt: Attempt, reason: DeferReason, detail: string, draw: number): QueueEvent {
  const { job, upTo } = attempt;
  const number = attemptNumber(attempt, reason);
  const isOver = number >= SCHEDULES[reason].maxAttempts;
  if (isOver && reason === 'missing') return dead(attempt, 'missing', detail);
  if (isOver && reason === 'error-500') return dead(attempt, 'rejected', `${detail}, ${number} times`);
  const waitMs = retryDelayMs(reason, number, draw);
  return {
    type: 'job.deferred',
    job: job.job,
    upTo,
    reason,
    detail: detail.slice(0, MAX_DETAIL),
    attempt: number,
    waitMs,
  };
}

/** Counts from 1, for each reason anew. */
function attemptNumber({ job, isExtra }: Attempt, reason: DeferReason): number {
  const before = job.deferredFor === reason ? job.attempts : 0;
  return Math.max(1, isExtra ? before : before + 1);
}

/** What is kept of a message, in characters. */
const MAX_DETAIL = 1_000;
/** Records in one append when a tag becomes its scenes. */
const EXPAND_RECORDS = 500;

function missingDetail(scene: StashScene, near: readonly string[]): string {
  const file = scene.files[0] ?? '';
  return near.length === 0
    ? `Plex has no item for ${file} yet`
    : `Plex has no item for ${file}, but files of that name at ${near.slice(0, 3).join(', ')}: check pathMap`;
}

function settled(isAnswered: boolean, event: QueueEvent): Settled {
  return { kind: 'settled', event, isAnswered };
}

function kindOf(job: JobName): JobKind {
  return job.slice(0, job.indexOf(':')) as JobKind;
}

function idOf(job: JobName): string {
  return job.slice(job.indexOf(':') + 1);
}

// One batch of jobs: fetch the scenes as they are now, deliver each, write down what became of it. Stops at
// the first failure that says something about Plex itself; what it did not get to stays pending.

import { JournalError } from '../journal/journal.ts';
import type { Failure } from '../plex/failures.ts';
import { isCounted } from '../plex/failures.ts';
import type { DeferReason, JobKind, JobName, QueueEvent } from '../queue/events.ts';
import type { Job } from '../queue/queue.ts';
import type { QueueLog } from '../queue/queue-log.ts';
import { MAX_ERROR_500, retryDelayMs, SCHEDULES } from '../queue/retry.ts';
import type { StashFailure } from '../stash/stash-client.ts';
import type { StashScene } from '../stash/stash-scene.ts';
import { type DeliverOptions, type Delivery, deliver } from '../sync/deliver.ts';
import type { DrainLease } from './drain-lease.ts';
import type { World } from './world.ts';

export type BatchEnd =
  | { readonly kind: 'done' }
  /** Plex: the failure and the job that met it, which is still pending. */
  | { readonly kind: 'plex'; readonly failure: Failure; readonly job: Job }
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
  readonly delivery: DeliverOptions;
  readonly onOutcome: (event: QueueEvent) => void;
}

export async function runBatch(jobs: readonly Job[], options: BatchOptions): Promise<BatchResult> {
  const { world, queue, lease } = options;
  // Everything queued before here is covered by what is fetched after here.
  const upTo = queue.position;
  const scenes = await world.stash.scenes(
    jobs.filter((job) => kindOf(job.job) === 'scene').map((job) => idOf(job.job)),
  );
  if (!scenes.ok) return { end: { kind: 'stash', failure: scenes.failure }, answered: 0 };

  let answered = 0;
  for (const job of jobs) {
    await lease.renewIfNeeded();
    const kind = kindOf(job.job);
    const result =
      kind === 'scene'
        ? await settleScene(job, scenes.value.get(idOf(job.job)), upTo, options)
        : await expand(job, kind, upTo, options);
    if (result.kind === 'stash' || result.kind === 'plex') return { end: result, answered };
    if (result.isAnswered) answered += 1;
    await appendOrThrow(queue, ...result.events);
    for (const event of result.events) options.onOutcome(event);
  }
  return { end: { kind: 'done' }, answered };
}

/** A failure of this attempt that is not the breaker's business any more: try the job again later. */
export function transientOutcome(job: Job, upTo: number, failure: Failure, draw: number): QueueEvent {
  const attempt = job.attempts + 1;
  if (failure.symptom === 'error-500' && attempt >= MAX_ERROR_500) {
    const detail = `${failure.detail}, ${attempt} times`;
    return { type: 'job.deadLettered', job: job.job, upTo, reason: 'rejected', detail };
  }
  return deferred(job, upTo, 'transient', failure.detail, attempt, draw);
}

type Settled =
  | { readonly kind: 'settled'; readonly events: readonly QueueEvent[]; readonly isAnswered: boolean }
  | Extract<BatchEnd, { kind: 'plex' | 'stash' }>;

async function settleScene(
  job: Job,
  scene: StashScene | undefined,
  upTo: number,
  { world, queue, delivery }: BatchOptions,
): Promise<Settled> {
  if (scene === undefined) {
    return settled(false, { type: 'job.delivered', job: job.job, upTo, result: 'gone' });
  }
  const result = await deliver(scene, queue.queue.known.get(job.job), delivery, (intent) =>
    appendOrThrow(queue, { type: 'job.attempted', job: job.job, ...intent }),
  );
  const draw = world.writer.random();
  switch (result.kind) {
    case 'withheld':
      return settled(false, { type: 'job.delivered', job: job.job, upTo, result: 'withheld' });
    case 'unchanged': {
      const { item, own } = result;
      return settled(true, { type: 'job.delivered', job: job.job, upTo, result: 'unchanged', item, own });
    }
    case 'written':
      return settled(true, writtenOutcome(job, upTo, result, draw));
    case 'no-file': {
      const detail = 'the scene has no file, so no Plex item can be its own';
      return settled(false, { type: 'job.deadLettered', job: job.job, upTo, reason: 'no-file', detail });
    }
    case 'missing':
      return settled(true, missingOutcome(job, upTo, missingDetail(scene, result.near), draw));
    case 'ambiguous': {
      const items = result.candidates
        .map((item) => `${item.ratingKey} (${item.files.join(', ')})`)
        .sort()
        .join('; ');
      const detail = `several Plex items have this file: ${items}`.slice(0, MAX_DETAIL);
      return settled(true, { type: 'job.deadLettered', job: job.job, upTo, reason: 'ambiguous', detail });
    }
    case 'failed':
      return failedOutcome(job, upTo, result.failure, draw);
  }
}

function writtenOutcome(
  job: Job,
  upTo: number,
  { item, own, unmet }: Extract<Delivery, { kind: 'written' }>,
  draw: number,
): QueueEvent {
  const attempt = job.attempts + 1;
  if (unmet.length > 0 && attempt < SCHEDULES.incomplete.maxAttempts) {
    const detail = `Plex does not show yet what was written: ${unmet.join(', ')}`;
    return deferred(job, upTo, 'incomplete', detail, attempt, draw);
  }
  const delivered = { type: 'job.delivered', job: job.job, upTo, result: 'written', item, own } as const;
  return unmet.length === 0 ? delivered : { ...delivered, notes: unmet };
}

function failedOutcome(job: Job, upTo: number, failure: Failure, draw: number): Settled {
  if (isCounted(failure.class)) return { kind: 'plex', failure, job };
  switch (failure.class) {
    case 'missing':
      return settled(true, missingOutcome(job, upTo, failure.detail, draw));
    case 'rejected': {
      const { detail } = failure;
      return settled(true, { type: 'job.deadLettered', job: job.job, upTo, reason: 'rejected', detail });
    }
    default:
      return { kind: 'plex', failure, job };
  }
}

function missingOutcome(job: Job, upTo: number, detail: string, draw: number): QueueEvent {
  const attempt = job.attempts + 1;
  if (attempt >= SCHEDULES.missing.maxAttempts) {
    return { type: 'job.deadLettered', job: job.job, upTo, reason: 'missing', detail };
  }
  return deferred(job, upTo, 'missing', detail, attempt, draw);
}

function deferred(
  job: Job,
  upTo: number,
  reason: DeferReason,
  detail: string,
  attempt: number,
  draw: number,
): QueueEvent {
  const waitMs = retryDelayMs(reason, attempt, draw);
  return { type: 'job.deferred', job: job.job, upTo, reason, detail, attempt, waitMs };
}

/** One job for each scene that the tag, performer, studio or group touches, then this one is done. */
async function expand(
  job: Job,
  kind: Exclude<JobKind, 'scene'>,
  upTo: number,
  { world, queue }: BatchOptions,
): Promise<Settled> {
  for (let page = 1; page <= MAX_PAGES; page++) {
    const ids = await world.stash.scenesWith(kind, idOf(job.job), page);
    if (!ids.ok) return { kind: 'stash', failure: ids.failure };
    if (ids.value.length === 0) break;
    const jobs = ids.value.map(
      (id) => ({ type: 'job.queued', job: `scene:${id}`, cause: job.job }) as const satisfies QueueEvent,
    );
    await appendOrThrow(queue, ...jobs);
  }
  return settled(false, { type: 'job.delivered', job: job.job, upTo, result: 'expanded' });
}

async function appendOrThrow(queue: QueueLog, ...events: readonly QueueEvent[]): Promise<void> {
  const appended = await queue.append(...events);
  if (!appended.ok) throw new JournalError(appended.failure.detail);
}

const MAX_DETAIL = 1_000;
/** Far more pages than any library has scenes. */
const MAX_PAGES = 10_000;

function missingDetail(scene: StashScene, near: readonly string[]): string {
  const file = scene.files[0] ?? '';
  const detail =
    near.length === 0
      ? `Plex has no item for ${file} yet`
      : `Plex has no item for ${file}, but files of that name at ${near.slice(0, 3).join(', ')}: check pathMap`;
  return detail.slice(0, MAX_DETAIL);
}

function settled(isAnswered: boolean, ...events: readonly QueueEvent[]): Settled {
  return { kind: 'settled', events, isAnswered };
}

function kindOf(job: JobName): JobKind {
  return job.slice(0, job.indexOf(':')) as JobKind;
}

function idOf(job: JobName): string {
  return job.slice(job.indexOf(':') + 1);
}

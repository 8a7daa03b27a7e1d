// What a person does to the queue and the breaker by hand. Each act is an event like any other: it is in the
// journal, and why something was not delivered can be read there.

import { ControlLog } from '../breaker/index.ts';
import { count, duration } from '../cli/format.ts';
import type { JobName, QueueEvent } from '../queue/events.ts';
import { DELIVERY_ORDER, type Job } from '../queue/queue.ts';
import { QueueLog } from '../queue/queue-log.ts';
import { openHistory, outageNumbered } from './outage-history.ts';
import { saveControlCheckpoint } from './save-checkpoints.ts';
import type { TaskResult } from './task-result.ts';
import type { World } from './world.ts';

/** Which dead letters are meant; all that is given must fit. */
export interface DeadFilter {
  readonly reason?: string;
  readonly job?: string;
  /** Given up at least this long ago, in ms. */
  readonly olderThanMs?: number;
  /** Given up while this outage lasted: its number as `outages` shows it. */
  readonly outage?: number;
}

/** The longest hold, in ms: one that is forgotten must end by itself. */
const MAX_HOLD_MS = 30 * 86_400_000;
const RECORDS_PER_APPEND = 500;
const MAX_REASON = 300;

/** `open`: nothing is sent to Plex. `closed`: work goes on whatever the breaker says. */
export async function placeHold(
  world: World,
  stance: 'open' | 'closed',
  forMs: number,
  reason: string,
): Promise<TaskResult> {
  if (!(forMs > 0 && forMs <= MAX_HOLD_MS)) {
    throw new Error(`a hold lasts more than nothing and at most ${duration(MAX_HOLD_MS)}`);
  }
  const control = await openControl(world);
  const placed = {
    type: 'hold.placed',
    hold: 'operator',
    stance,
    reason: reason.slice(0, MAX_REASON),
    forMs,
  } as const;
  await control.appendOrThrow(placed);
  saveControlCheckpoint(world, control);
  const what =
    stance === 'open' ? 'Nothing is sent to Plex' : 'Changes are delivered whatever the breaker says';
  return ok([`${what} for ${duration(forMs)}: ${reason}`], { stance, forMs, reason });
}

export async function releaseHold(world: World): Promise<TaskResult> {
  const control = await openControl(world);
  if (control.state.operator.value !== 'held') return ok(['Nothing was held.'], { released: false });
  await control.appendOrThrow({ type: 'hold.released', hold: 'operator', reason: 'a person released it' });
  saveControlCheckpoint(world, control);
  return ok(['Released.'], { released: true });
}

export async function listQueue(world: World): Promise<TaskResult> {
  const { queue } = await openQueue(world);
  const jobs = [...queue.jobs.values()].sort(DELIVERY_ORDER);
  return ok(jobs.length === 0 ? ['The queue is empty.'] : jobs.map(lineOf), { counts: queue.counts, jobs });
}

export async function listDead(world: World, filter: DeadFilter): Promise<TaskResult> {
  const dead = await deadJobs(world, await openQueue(world), filter);
  return ok(dead.length === 0 ? ['No dead letters.'] : dead.map(lineOf), { dead });
}

/** Queues them again; what is true in Stash then is delivered. */
export async function retryDead(world: World, filter: DeadFilter): Promise<TaskResult> {
  const log = await openQueue(world);
  const dead = await deadJobs(world, log, filter);
  await append(
    log,
    dead.map(({ job }) => ({ type: 'job.queued', job, cause: 'retry' })),
  );
  return ok([`${count(dead.length, 'dead letter')} queued again.`], { retried: dead.map(({ job }) => job) });
}

/** `isDry`: only says which they are. */
export async function dropDead(world: World, filter: DeadFilter, isDry: boolean): Promise<TaskResult> {
  const log = await openQueue(world);
  const dead = await deadJobs(world, log, filter);
  const document = { dropped: dead.map(({ job }) => job), isDry };
  const told = count(dead.length, 'dead letter');
  if (isDry) return ok([...dead.map(lineOf), `${told} would be dropped; nothing was written.`], document);
  await append(log, dead.map(drop(log, 'dropped by a person')));
  return ok([`${told} dropped.`], document);
}

/** Forgets what is pending and deferred; dead letters stay. `isDry`: only says what that is. */
export async function clearQueue(world: World, isDry: boolean): Promise<TaskResult> {
  const log = await openQueue(world);
  const jobs = [...log.queue.jobs.values()].filter(({ state }) => state !== 'dead').sort(DELIVERY_ORDER);
  const document = { dropped: jobs.length, jobs: jobs.map(({ job }) => job), isDry };
  const told = count(jobs.length, 'change');
  if (isDry) return ok([...jobs.map(lineOf), `${told} would be dropped; nothing was written.`], document);
  await append(log, jobs.map(drop(log, 'the queue was cleared')));
  return ok([`${told} dropped; a newer change queues a scene again.`], document);
}

/** Queues scenes as if they had changed. */
export async function queueScenes(world: World, ids: readonly string[], cause: string): Promise<TaskResult> {
  const log = await openQueue(world);
  await append(
    log,
    ids.map((id) => ({ type: 'job.queued', job: `scene:${id}` as JobName, cause })),
  );
  return ok([`${count(ids.length, 'scene')} queued.`], { queued: ids.length });
}

async function deadJobs(
  world: World,
  log: QueueLog,
  filter: DeadFilter,
): Promise<Extract<Job, { state: 'dead' }>[]> {
  const window = filter.outage === undefined ? null : await outageWindow(world, filter.outage);
  const now = world.writer.now().at;
  return [...log.queue.jobs.values()]
    .filter((job) => job.state === 'dead')
    .filter(({ job }) => filter.job === undefined || job === filter.job)
    .filter(({ reason }) => filter.reason === undefined || reason === filter.reason)
    .filter(({ at }) => filter.olderThanMs === undefined || now - at >= filter.olderThanMs)
    .filter(({ at }) => window === null || (at >= window.from && at <= window.to))
    .sort(DELIVERY_ORDER);
}

async function outageWindow(world: World, number: number): Promise<{ from: number; to: number }> {
  const outage = outageNumbered((await openHistory(world.dir.journal, world.writer)).history, number);
  return { from: outage.firstFailed.at, to: outage.closed?.at ?? Number.POSITIVE_INFINITY };
}

function drop(log: QueueLog, reason: string) {
  return ({ job }: Job): QueueEvent => ({ type: 'job.dropped', job, upTo: log.position, reason });
}

async function append(log: QueueLog, events: readonly QueueEvent[]): Promise<void> {
  for (let from = 0; from < events.length; from += RECORDS_PER_APPEND) {
    await log.appendOrThrow(...events.slice(from, from + RECORDS_PER_APPEND));
  }
}

function openControl({ dir, writer }: World): Promise<ControlLog> {
  return ControlLog.open(dir.journal, writer, dir.controlCheckpoint.read());
}

export function openQueue({ dir, writer }: World): Promise<QueueLog> {
  return QueueLog.open(dir.journal, writer, dir.queueCheckpoint.read());
}

function lineOf(job: Job): string {
  const name = job.job.replace(':', ' ');
  switch (job.state) {
    case 'pending':
      return `${name}: pending (${job.causes.join(', ')})`;
    case 'deferred':
      return `${name}: deferred (${job.reason}): ${job.detail}`;
    case 'dead':
      return `${name}: given up (${job.reason}): ${job.detail}`;
  }
}

function ok(lines: readonly string[], document: unknown): TaskResult {
  return { isOk: true, lines, document };
}

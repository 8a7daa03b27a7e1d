// What a person does to Plex by hand goes under the drain lease, like a drainer's work: two that write to one item at
// the same time would not know what the other overwrote. Nothing is waited for but a drainer that is about to leave.

import type { Moment } from '../../machines/time.ts';
import { ControlLog, DrainLease, gate, LeaseLost } from '../breaker/index.ts';
import type { Failure } from '../plex/failures.ts';
import type { JobName } from '../queue/events.ts';
import { dueJobs } from '../queue/queue.ts';
import type { QueueLog } from '../queue/queue-log.ts';
import { drain } from './drainer.ts';
import { openQueue } from './operator.ts';
import { PlexContact } from './plex-contact.ts';
import { rest } from './rest.ts';
import { saveControlCheckpoint, saveQueueCheckpoint } from './save-checkpoints.ts';
import { failed, type TaskResult } from './task-result.ts';
import type { World } from './world.ts';

export interface Hands {
  readonly contact: PlexContact;
  readonly lease: DrainLease;
  readonly queue: QueueLog;
  /** Tells the breaker or a hold of a failure that says something about Plex, and gives the line for a person. */
  readonly heed: (failure: Failure, about: JobName) => Promise<string>;
  /** Makes sure of the lease before a request that writes. */
  readonly beforeEdit: () => Promise<void>;
}

/** How long a drainer at work is waited for, in ms. */
const BUSY_MS = 20_000;
const BUSY_POLL_MS = 500;

export async function byHand(
  world: World,
  what: string,
  work: (hands: Hands) => Promise<TaskResult>,
): Promise<TaskResult> {
  const { journal, controlCheckpoint } = world.dir;
  const control = await ControlLog.open(journal, world.writer, controlCheckpoint.read());
  const away = awayFrom(control, world.writer.now());
  if (away !== null) return away;
  const lease = await claimSoon(world, control);
  if (lease === null) {
    return failed('A drainer is at work; try again when it has finished ("drain" says so).', 'busy');
  }
  const queue = await openQueue(world);
  const contact = new PlexContact(world, lease);
  try {
    const refusal = await refusalOf(world, control, contact, queue);
    const result = refusal ?? (await work(handsOf(contact, lease, queue)));
    await lease.release(what, contact.answeredAt);
    return result;
  } catch (error) {
    if (error instanceof LeaseLost) return failed('Another process took over; run it again.', 'lease-lost');
    await lease
      .release(`failed: ${contact.redact((error as Error).message)}`, contact.answeredAt)
      .catch(() => {});
    throw error;
  } finally {
    await contact.close();
    // A wake that came meanwhile saw a live lease and started nobody.
    await queue.refresh();
    saveControlCheckpoint(world, control);
    saveQueueCheckpoint(world, queue);
    if (dueJobs(queue.queue, world.writer.now(), 1).length > 0) {
      await drain(world, { isImpatient: false, mayWait: false });
    }
  }
}

function handsOf(contact: PlexContact, lease: DrainLease, queue: QueueLog): Hands {
  return {
    contact,
    lease,
    queue,
    heed: async (failure, about) => {
      await contact.tell(failure, about);
      return failure.detail;
    },
    beforeEdit: async () => {
      await lease.refresh();
      await lease.renewIfNeeded();
    },
  };
}

async function refusalOf(
  world: World,
  control: ControlLog,
  contact: PlexContact,
  queue: QueueLog,
): Promise<TaskResult | null> {
  const away = awayFrom(control, world.writer.now());
  if (away !== null) return away;
  const refused = await contact.open(queue.queue.counts.pending);
  if (refused?.kind === 'stash') return failed(refused.failure.detail, 'stash');
  if (refused?.kind === 'settings') return failed('Nothing was done.', 'settings', refused.problems);
  if (!contact.isAcquainted)
    return failed('Nothing was done: Plex does not answer. "check" says why.', 'away');
  return null;
}

function awayFrom({ state }: ControlLog, now: Moment): TaskResult | null {
  const answer = gate(state, now);
  if (answer.kind === 'held')
    return failed(`Nothing was done: held (${answer.hold}): ${answer.reason}`, 'held');
  if (answer.kind !== 'go' || state.breaker.value !== 'closed') {
    return failed('Nothing was done: Plex is away. Try again when "status" says that it is back.', 'away');
  }
  return null;
}

async function claimSoon(world: World, control: ControlLog): Promise<DrainLease | null> {
  for (let waitedMs = 0; ; waitedMs += BUSY_POLL_MS) {
    const lease = await DrainLease.claim(control, world.writer);
    if (lease !== null || waitedMs >= BUSY_MS || world.ending?.aborted) return lease;
    await rest(world, BUSY_POLL_MS);
  }
}

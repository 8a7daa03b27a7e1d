// The drainer: holds the drain lease, works jobs off while the gate lets it, asks whether Plex is back when that
// is due, and leaves. It may die at any instruction: what it did is in the journal, what it did not is pending.
//
// The order at the end matters: it appends the release, then reads the queue once more, and claims again if
// a job is there. A wake appends its jobs, then looks at the lease. So one of the two always sees the other.

import { ControlLog, DrainLease, type Gate, gate, isDrainerNeeded, LeaseLost } from '../breaker/index.ts';
import { dueJobs, type QueueCounts } from '../queue/queue.ts';
import { QueueLog } from '../queue/queue-log.ts';
import type { Settings } from '../settings/settings.ts';
import { ANY_CHANGE, look } from '../wake/look.ts';
import { DrainSession, type Stop, type Tally } from './drain-session.ts';
import { tidy } from './housekeeping.ts';
import { saveControlCheckpoint, saveQueueCheckpoint } from './save-checkpoints.ts';
import type { World } from './world.ts';

export interface DrainOptions {
  /** A person asked: deferred jobs and a probe are tried now. */
  readonly isImpatient: boolean;
  /** Whether it may wait: for more jobs, for Plex, for Stash. A task that waits keeps Stash from other work. */
  readonly mayWait: boolean;
  /** Stash was looked at just now. */
  readonly hasLooked?: true;
  /** How long it stays for more after its last job, in ms. */
  readonly lingerMs?: number;
}

/** Another drainer has the lease, and delivers what waits as far as the gate lets it. */
export interface Busy {
  readonly kind: 'busy';
  readonly owner: string;
  readonly gate: Gate;
}

export interface DrainSummary extends Readonly<Tally> {
  readonly stop: Stop | Busy;
  readonly left: QueueCounts;
}

/** Sessions in one process; each but the last ended with work that came in meanwhile. */
const MAX_SESSIONS = 100;

export async function drain(world: World, options: DrainOptions): Promise<DrainSummary> {
  const { journal, controlCheckpoint, queueCheckpoint } = world.dir;
  // What no hook told is found here. A Stash that does not answer is met again when its scenes are asked for.
  if (options.hasLooked !== true) {
    const looked = await look(world, ANY_CHANGE);
    if (looked.kind === 'looked') for (const note of looked.notes) world.log.line('info', note);
  }
  const control = await ControlLog.open(journal, world.writer, controlCheckpoint.read());
  const queue = await QueueLog.open(journal, world.writer, queueCheckpoint.read());
  const tally: Tally = {
    written: 0,
    unchanged: 0,
    withheld: 0,
    gone: 0,
    expanded: 0,
    deferred: 0,
    deadLettered: 0,
  };
  let stop: DrainSummary['stop'] = { kind: 'idle' };
  let settings: Settings | null = null;
  try {
    for (let sessions = 0; sessions < MAX_SESSIONS; sessions++) {
      const lease = await DrainLease.claim(control, world.writer);
      if (lease === null) {
        stop = busy(control, world);
        break;
      }
      const sessionFrom = queue.position;
      const session = new DrainSession({ world, options, control, queue, lease, tally });
      stop = await runSession(session);
      settings = session.settings;
      if (stop.kind === 'lease-lost' && (await isHeldElsewhere(control, world))) {
        stop = busy(control, world);
        break;
      }
      if (!(await isWorthAnother(stop, session, sessionFrom, control, queue, world))) break;
    }
    if (stop.kind !== 'busy' && stop.kind !== 'ended') await tidy(world, settings);
  } finally {
    saveControlCheckpoint(world, control);
    saveQueueCheckpoint(world, queue);
  }
  return { stop, ...tally, left: queue.queue.counts };
}

function busy({ state }: ControlLog, { writer }: World): DrainSummary['stop'] {
  return { kind: 'busy', owner: state.drain.context.owner, gate: gate(state, writer.now()) };
}

async function runSession(session: DrainSession): Promise<Stop> {
  try {
    const stop = await session.run();
    await session.lease.release(stop.kind, session.answeredAt);
    return stop;
  } catch (error) {
    if (error instanceof LeaseLost) return { kind: 'lease-lost' };
    // The output of a detached drainer is read by nobody: the journal is where its error can be found.
    const reason = `failed: ${session.redact((error as Error).message)}`;
    await session.lease.release(reason, session.answeredAt).catch(() => {});
    throw error;
  } finally {
    await session.close();
  }
}

/**
 * Whether a process of another machine holds the lease: it delivers what waits. Where the clocks of two disagree by more than
 * is taken for a skew, the lease of each is over for the other, and they would take it from each other without end.
 */
async function isHeldElsewhere(control: ControlLog, { writer }: World): Promise<boolean> {
  // What was queued again is written by now: either it is still held, and seen there, or this looks after it.
  await control.refresh();
  const { value, context } = control.state.drain;
  return value === 'held' && context.ends?.from.boot !== writer.now().boot;
}

/** Wakes that came while the lease was held started nobody: what they queued is this process's to look after. */
async function isWorthAnother(
  stop: Stop,
  session: DrainSession,
  sessionFrom: number,
  control: ControlLog,
  queue: QueueLog,
  world: World,
): Promise<boolean> {
  await queue.refresh();
  const now = world.writer.now();
  switch (stop.kind) {
    case 'idle':
    case 'lease-lost':
      if (gate(control.state, now).kind !== 'go') return false;
      return (
        dueJobs(queue.queue, now, 1).length > 0 ||
        (session.hasLeftReconciliation && control.state.breaker.value === 'closed')
      );
    case 'away':
    case 'held':
      return queue.hasPendingSince(sessionFrom) && isDrainerNeeded(control.state, now, false);
    default:
      return false;
  }
}

// Status: what Breakwater knows now, as a document (for `--json` and for Stash) and as lines for a person.

import { isOver, type Moment, remainingMs } from '../../machines/time.ts';
import { type ControlState, type FoldCounts, type Gate, gate, isLeaseLive } from '../breaker/index.ts';
import type { Queue } from '../queue/queue.ts';
import { DELIVERY_ORDER } from '../queue/queue.ts';
import type { Reconciliation } from '../queue/reconciliation.ts';
import { count, duration, time } from './format.ts';
import { reconciliationLines } from './reconciliation.ts';

export interface Status {
  readonly breaker: 'closed' | 'open' | 'half-open';
  readonly recovery: string;
  readonly gate: Gate;
  readonly drainer: { readonly isAlive: boolean; readonly owner: string };
  readonly holds: readonly { readonly hold: string; readonly reason: string; readonly remainingMs: number }[];
  readonly queue: { readonly pending: number; readonly deferred: number; readonly dead: number };
  readonly delivered: { readonly count: number; readonly at: number | null };
  readonly oldestPendingAt: number | null;
  readonly waiting: readonly {
    readonly job: string;
    readonly reason: string;
    readonly dueInMs: number;
    readonly detail: string;
  }[];
  readonly dead: readonly { readonly job: string; readonly reason: string; readonly detail: string }[];
  readonly reconciliation: Reconciliation;
  readonly journal: FoldCounts & { readonly damagedQueueLines: number };
}

/** Jobs that are listed one by one; the counts have them all. */
const MAX_LISTED = 10;

export function statusOf(
  state: ControlState,
  queue: Queue,
  counts: FoldCounts,
  damagedQueueLines: number,
  now: Moment,
  isHolderGone: boolean,
): Status {
  const jobs = [...queue.jobs.values()].sort(DELIVERY_ORDER);
  const pending = jobs.find((job) => job.state === 'pending');
  const deferred = jobs.filter((job) => job.state === 'deferred').slice(0, MAX_LISTED);
  const dead = jobs.filter((job) => job.state === 'dead').slice(0, MAX_LISTED);
  const isAlive = state.drain.value === 'held' && isLeaseLive(state, 'drain', now) && !isHolderGone;
  return {
    breaker: state.breaker.value === 'halfOpen' ? 'half-open' : state.breaker.value,
    recovery: state.recovery.value,
    gate: gate(state, now),
    drainer: { isAlive, owner: isAlive ? state.drain.context.owner : '' },
    holds: (['operator', 'config', 'throttle'] as const).flatMap((hold) => {
      const { value, context } = state[hold];
      if (value !== 'held' || context.ends === null || isOver(context.ends, now)) return [];
      return [{ hold, reason: context.reason, remainingMs: remainingMs(context.ends, now) }];
    }),
    queue: { pending: queue.counts.pending, deferred: queue.counts.deferred, dead: queue.counts.dead },
    delivered: {
      count: queue.counts.delivered,
      at: queue.counts.deliveredAt === 0 ? null : queue.counts.deliveredAt,
    },
    oldestPendingAt: pending?.queuedAt ?? null,
    waiting: deferred.map(({ job, reason, detail, due }) => ({
      job,
      reason,
      detail,
      dueInMs: Math.round(remainingMs(due, now)),
    })),
    dead: dead.map(({ job, reason, detail }) => ({ job, reason, detail })),
    reconciliation: queue.reconciliation,
    journal: { ...counts, damagedQueueLines },
  };
}

export function statusLines(status: Status): string[] {
  const { queue, delivered, journal } = status;
  const lines = [plexLine(status)];
  for (const { hold, reason, remainingMs: leftMs } of status.holds) {
    lines.push(`Held (${hold}) for ${duration(leftMs)} more: ${reason}`);
  }
  lines.push(`Queue: ${queue.pending} pending, ${queue.deferred} deferred, ${queue.dead} given up.`);
  const last = delivered.at === null ? '' : `, the last ${time(delivered.at)}`;
  lines.push(`Delivered: ${delivered.count}${last}.`);
  if (status.oldestPendingAt !== null) lines.push(`Oldest pending change: ${time(status.oldestPendingAt)}.`);
  lines.push(
    status.drainer.isAlive ? `A drainer is at work (${status.drainer.owner}).` : 'No drainer is at work.',
  );
  for (const { job, detail, dueInMs } of status.waiting)
    lines.push(`  ${sceneName(job)}, again in ${duration(dueInMs)}: ${detail}`);
  for (const { job, reason, detail } of status.dead)
    lines.push(`  ${sceneName(job)}, given up (${reason}): ${detail}`);
  lines.push(...reconciliationLines(status.reconciliation));
  const damaged = journal.damaged + journal.damagedQueueLines;
  if (damaged > 0) lines.push(`Journal: ${count(damaged, 'damaged line')} skipped and kept.`);
  if (journal.drift > 0)
    lines.push(`Journal: ${count(journal.drift, 'record')} fold differently from when they were written.`);
  if (journal.newer > 0) lines.push('Journal: written by a newer Breakwater; update this one.');
  return lines;
}

/** `scene:12` → `scene 12` */
function sceneName(job: string): string {
  return job.replace(':', ' ');
}

function plexLine({ breaker, gate: answer, recovery }: Status): string {
  if (breaker === 'closed') {
    return recovery === 'ramping'
      ? 'Plex is back; the backlog is being worked off.'
      : 'Plex: no outage (breaker closed).';
  }
  if (breaker === 'half-open') return 'Plex answers again; the next change proves it (breaker half-open).';
  const next = answer.kind === 'wait' ? `in ${duration(answer.remainingMs)}` : 'now, at the next invocation';
  return `Plex is away (breaker open); asked again ${next}.`;
}

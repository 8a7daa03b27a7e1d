// When a reconciliation is due by itself. Nothing ticks: it is a question that a drainer asks when it has nothing else to
// do, so the schedule is as punctual as Stash is busy, and a Stash that nobody uses is left in peace.

import type { Queue } from '../queue/queue.ts';
import { type ReconcileScope, WIDEST } from '../queue/reconciliation.ts';

export const RECONCILE_EVERY = ['never', 'hourly', 'daily', 'weekly'] as const;
export type ReconcileEvery = (typeof RECONCILE_EVERY)[number];

type History = Pick<Queue, 'reconciliation' | 'begunAt'>;

const HOUR_MS = 3_600_000;
const INTERVAL_MS: Readonly<Record<ReconcileEvery, number>> = {
  never: Number.POSITIVE_INFINITY,
  hourly: HOUR_MS,
  daily: 24 * HOUR_MS,
  weekly: 7 * 24 * HOUR_MS,
};
/** How far back an outage looks at most. */
const OUTAGE_WINDOW_MS = 7 * 24 * HOUR_MS;

/** Counted from the first change on, so that a new installation begins with what somebody changes. `now`: wall ms. */
export function isReconcileDue(every: ReconcileEvery, queue: History, now: number): boolean {
  const { state, wholeAt } = queue.reconciliation;
  const from = Math.max(wholeAt, queue.begunAt);
  return state === 'idle' && from > 0 && now - from >= INTERVAL_MS[every];
}

/** Scenes that nobody has touched since Breakwater came are left alone until a person asks for all. */
export function scheduledScope({ begunAt }: History): ReconcileScope {
  return { ...WIDEST, newSince: begunAt, depth: 'plex' };
}

/** What Stash may have seen and no hook told, from the last look on. */
export function scopeAfterOutage({ reconciliation, begunAt }: History, now: number): ReconcileScope {
  const lookedAt = Math.max(reconciliation.wholeAt, reconciliation.last?.startedAt ?? 0, begunAt);
  const since = Math.max(lookedAt, now - OUTAGE_WINDOW_MS);
  return { ...WIDEST, since, depth: 'plex' };
}

/** All that was delivered, and of the rest what has changed since; where no times can be gone by. `since`: wall ms. */
export function scopeOfDoubt(since: number): ReconcileScope {
  return { ...WIDEST, newSince: since, depth: 'stash' };
}

/** A file was renamed or replaced: Stash does not say of which scene. */
export const FILES_CHANGED: ReconcileScope = { ...WIDEST, depth: 'files' };

/** What was shared is gone: whoever had it says something else now. */
export const SHARED_GONE: ReconcileScope = { ...WIDEST, depth: 'stash' };

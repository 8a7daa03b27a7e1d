// decide: control state + now → what may be done. Pure questions, asked by wake, drainer, tasks and status
// alike, so that they cannot disagree. It writes nothing, and an answer is only good for the `now` it was
// asked with.

import type { HoldName, LeaseName } from '../../../machines/events.ts';
import { isOver, type Moment, remainingMs } from '../../../machines/time.ts';
import type { ControlState } from './state.ts';

export type Gate =
  /** Work may be attempted, at most `limit` jobs before the next question. */
  | { readonly kind: 'go'; readonly limit: number }
  /** The breaker is open and a probe may be claimed. */
  | { readonly kind: 'probe' }
  /** The breaker is open; `remainingMs` until a probe is due. */
  | { readonly kind: 'wait'; readonly remainingMs: number }
  /** A hold stands in the way, whatever the breaker says. */
  | { readonly kind: 'held'; readonly hold: HoldName; readonly reason: string; readonly remainingMs: number };

/** How far a batch goes when nothing narrows it, in jobs. */
export const BATCH_JOBS = 32;

/** How long a prober that says nothing is believed, in ms: two requests and some air. */
export const PROBE_LEASE_MS = 15_000;

export function gate(state: ControlState, now: Moment): Gate {
  let isForced = false;
  for (const hold of ['operator', 'config', 'throttle'] as const) {
    const { context } = state[hold];
    if (!isHeld(state, hold, now) || context.ends === null) continue;
    // It overrules the breaker. What else the server refuses, or asks us to wait for, still counts: an attempt would be
    // refused again at once, and again.
    if (context.stance === 'closed') {
      isForced = true;
      continue;
    }
    return { kind: 'held', hold, reason: context.reason, remainingMs: remainingMs(context.ends, now) };
  }
  if (isForced) return { kind: 'go', limit: BATCH_JOBS };
  switch (state.breaker.value) {
    case 'closed':
      return {
        kind: 'go',
        limit: state.recovery.value === 'ramping' ? state.recovery.context.limit : BATCH_JOBS,
      };
    case 'halfOpen':
      return { kind: 'go', limit: 1 };
    case 'open': {
      const { due } = state.recovery.context;
      const { ends } = state.probe.context;
      const isAsked = state.probe.value === 'held' && ends !== null;
      // A prober that is slow or dead keeps its lease a little beyond the wait.
      const leftMs = Math.max(due === null ? 0 : remainingMs(due, now), isAsked ? remainingMs(ends, now) : 0);
      return leftMs === 0 ? { kind: 'probe' } : { kind: 'wait', remainingMs: leftMs };
    }
  }
}

export function isHeld(state: ControlState, hold: HoldName, now: Moment): boolean {
  const { value, context } = state[hold];
  return value === 'held' && context.ends !== null && !isOver(context.ends, now);
}

/** Whether somebody holds the lease, or was asked to come for it, and is not overdue. */
export function isLeaseLive(state: ControlState, lease: LeaseName, now: Moment): boolean {
  const { value, context } = state[lease];
  return value !== 'free' && context.ends !== null && !isOver(context.ends, now);
}

/**
 * Whether a drainer should be started for a job that was just queued: none is alive or asked for (or its
 * process was seen to be gone), and it would find something to do, now or while it keeps vigil.
 */
export function isDrainerNeeded(
  state: ControlState,
  now: Moment,
  isHolderGone: boolean,
  vigilMs = state.breaker.context.policy.vigilMs,
): boolean {
  if (isLeaseLive(state, 'drain', now) && !isHolderGone) return false;
  const answer = gate(state, now);
  switch (answer.kind) {
    case 'go':
    case 'probe':
      return true;
    case 'wait':
      return answer.remainingMs <= vigilMs;
    case 'held':
      return answer.hold === 'throttle' && answer.remainingMs <= vigilMs;
  }
}

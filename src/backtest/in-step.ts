// Whether two folds of one log under two policies are where the same goes on: what they wait for, count and work off, and not
// by which numbers.

import type { Policy } from '../../machines/policy.ts';
import type { Wait } from '../../machines/time.ts';
import type { ControlState } from '../breaker/index.ts';

export function isInStep(a: ControlState, b: ControlState): boolean {
  if (a.breaker.value !== b.breaker.value || a.recovery.value !== b.recovery.value) return false;
  const [breakerA, breakerB] = [a.breaker.context, b.breaker.context];
  const [recoveryA, recoveryB] = [a.recovery.context, b.recovery.context];
  switch (a.recovery.value) {
    case 'idle':
      return breakerA.failures === breakerB.failures && recoveryA.hasBacklog === recoveryB.hasBacklog;
    case 'waiting':
    case 'probing':
      return (
        recoveryA.attempt === recoveryB.attempt &&
        recoveryA.kind === recoveryB.kind &&
        isSameWait(recoveryA.due, recoveryB.due)
      );
    case 'proving':
      return breakerA.successes === breakerB.successes;
    case 'ramping':
      return recoveryA.limit === recoveryB.limit && recoveryA.acknowledged === recoveryB.acknowledged;
  }
}

/** The state under another policy. */
export function withPolicy(state: ControlState, policy: Policy): ControlState {
  const { breaker, recovery } = state;
  return {
    ...state,
    breaker: { ...breaker, context: { ...breaker.context, policy } },
    recovery: { ...recovery, context: { ...recovery.context, policy } },
  };
}

function isSameWait(a: Wait | null, b: Wait | null): boolean {
  if (a === null || b === null) return a === b;
  const isSameBegin = a.from.boot === b.from.boot && a.from.mono === b.from.mono && a.from.at === b.from.at;
  return isSameBegin && a.waitMs === b.waitMs;
}

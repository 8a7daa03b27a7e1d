// The recovery flow: when to ask again, and how fast to go once the server is back. Waits are data
// (`due`), being due is asked with `now`; the number drawn for the jitter came in the event.
// A probe whose prober died counts as failed at the moment it was claimed, so one wait holds one probe
// whatever dies (over all processes), and no state waits for something that cannot come.

import { assign, setup } from 'xstate';
import type { BreakerMoved, Stamped, StampedControlEvent } from './events.ts';
import { type CountedClass, meaningOf } from './failure-classes.ts';
import { DEFAULT_POLICY, JITTER_SHARE, type Policy, RETRY_AFTER_MAX_MS } from './policy.ts';
import { isOver, type Wait } from './time.ts';

export interface RecoveryContext {
  readonly policy: Policy;
  /** Probes of this outage that failed or got lost; the exponent of the wait. */
  readonly attempt: number;
  /** Which kind of absence the waits are for. */
  readonly kind: 'outage' | 'maintenance';
  /** When the next probe may be claimed. */
  readonly due: Wait | null;
  /** Jobs that one batch may hold while ramping, and how many were acknowledged at this limit. */
  readonly limit: number;
  readonly acknowledged: number;
  /** Whether the backlog of the last outage is still being worked off. */
  readonly hasBacklog: boolean;
}

type RecoveryEvent = StampedControlEvent | Stamped<BreakerMoved>;
interface Drawn {
  readonly draw: number;
  readonly class?: CountedClass;
  readonly retryAfterMs?: number;
}

export const recoveryMachine = setup({
  types: { context: {} as RecoveryContext, events: {} as RecoveryEvent },
  guards: {
    isProbeDue: ({ context, event }) =>
      isProbeClaim(event) &&
      (event.isForced === true || context.due === null || isOver(context.due, event.moment)),
    isProbeLease: ({ event }) => 'lease' in event && event.lease === 'probe',
    isFull: ({ context, event }) => widened(context, event).limit >= context.policy.rampFull,
    hasBacklog: ({ context }) => context.hasBacklog,
  },
  actions: {
    setPolicy: assign(({ context, event }) =>
      event.type === 'policy.set' ? { ...context, policy: event.policy } : context,
    ),
    startWaiting: assign(({ context, event }) => waiting(context, event, 0)),
    waitLonger: assign(({ context, event }) => waiting(context, event, context.attempt + 1)),
    waitAgain: assign(({ context, event }) => waiting(context, event, context.attempt)),
    startRamping: assign({ limit: 1, acknowledged: 0, hasBacklog: true, due: null, attempt: 0 }),
    widen: assign(({ context, event }) => widened(context, event)),
    settle: assign({ hasBacklog: false }),
    stopWaiting: assign({ due: null }),
  },
}).createMachine({
  id: 'recovery',
  context: {
    policy: DEFAULT_POLICY,
    attempt: 0,
    kind: 'outage',
    due: null,
    limit: 1,
    acknowledged: 0,
    hasBacklog: false,
  },
  initial: 'idle',
  on: { 'policy.set': { actions: 'setPolicy' } },
  states: {
    idle: {
      on: {
        'breaker.opened': { target: 'waiting', actions: 'startWaiting' },
        'backlog.drained': { guard: 'hasBacklog', actions: 'settle' },
      },
    },
    waiting: {
      description: 'The next probe may be claimed when `due` is over.',
      on: {
        'lease.claimed': { guard: 'isProbeDue', target: 'probing', actions: 'waitLonger' },
      },
    },
    probing: {
      description: 'One process asks. `due` already holds the wait that follows if it never answers.',
      on: {
        'probe.succeeded': { guard: 'isProbeLease', target: 'proving', actions: 'stopWaiting' },
        'probe.failed': { guard: 'isProbeLease', target: 'waiting', actions: 'waitAgain' },
        'lease.released': { guard: 'isProbeLease', target: 'waiting' },
        'lease.lost': { guard: 'isProbeLease', target: 'waiting' },
        'lease.claimed': { guard: 'isProbeDue', target: 'probing', reenter: true, actions: 'waitLonger' },
      },
    },
    proving: {
      description: 'Canary jobs are attempted under the drain lease.',
      on: {
        'breaker.closed': { target: 'ramping', actions: 'startRamping' },
        'breaker.opened': { target: 'waiting', actions: 'waitLonger' },
      },
    },
    ramping: {
      description: 'Batches of 1, 2, 4, … jobs; the next size only when this one was acknowledged.',
      on: {
        'attempt.succeeded': [{ guard: 'isFull', target: 'idle', actions: 'widen' }, { actions: 'widen' }],
        'backlog.drained': { target: 'idle', actions: 'settle' },
        'breaker.opened': { target: 'waiting', actions: 'startWaiting' },
      },
    },
  },
});

/** The wait before probe number `attempt` + 1 of an outage, in ms. Jitter only shortens; Retry-After wins when longer. */
export function recoveryWaitMs(
  policy: Policy,
  kind: RecoveryContext['kind'],
  attempt: number,
  drawn: Drawn,
): number {
  const isMaintenance = kind === 'maintenance';
  const { maintenanceTimeoutMs, recoveryTimeoutMs } = policy;
  const baseMs = isMaintenance ? Math.min(maintenanceTimeoutMs, recoveryTimeoutMs) : recoveryTimeoutMs;
  const maxMs = isMaintenance ? policy.maintenanceTimeoutMaxMs : policy.recoveryTimeoutMaxMs;
  const nominalMs = Math.min(Math.max(baseMs, maxMs), baseMs * 2 ** Math.min(attempt, 30));
  const jitteredMs = Math.round(nominalMs * (1 - JITTER_SHARE * drawn.draw));
  return Math.max(jitteredMs, Math.min(drawn.retryAfterMs ?? 0, RETRY_AFTER_MAX_MS));
}

function waiting(context: RecoveryContext, event: RecoveryEvent, attempt: number): RecoveryContext {
  const drawn: Drawn = 'draw' in event ? event : { draw: 0 };
  const kind = kindAfter(context.kind, drawn.class);
  // Another kind of absence is news: its waits begin anew (refused → 503 Maintenance means it is coming up).
  const exponent = kind === context.kind ? attempt : 0;
  const waitMs = recoveryWaitMs(context.policy, kind, exponent, drawn);
  return { ...context, kind, attempt: exponent, due: { from: event.moment, waitMs } };
}

function kindAfter(
  kind: RecoveryContext['kind'],
  failure: CountedClass | undefined,
): RecoveryContext['kind'] {
  if (failure === undefined) return kind;
  return meaningOf(failure).breaker === 'maintenance' ? 'maintenance' : 'outage';
}

function widened(context: RecoveryContext, event: RecoveryEvent): RecoveryContext {
  let acknowledged = context.acknowledged + (event.type === 'attempt.succeeded' ? event.count : 0);
  let limit = context.limit;
  // At most log2(rampFull) rounds: `limit` doubles in each.
  while (acknowledged >= limit && limit < context.policy.rampFull) {
    acknowledged -= limit;
    limit *= 2;
  }
  return { ...context, limit, acknowledged };
}

function isProbeClaim(event: RecoveryEvent): event is Extract<RecoveryEvent, { type: 'lease.claimed' }> {
  return event.type === 'lease.claimed' && event.lease === 'probe';
}

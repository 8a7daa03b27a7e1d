// The circuit breaker. It says whether work may be attempted, and knows nothing of waiting: when to ask
// again is recovery's business, and who may act is the lease's. It has no timers and no effects, so folding
// the log is all it takes to know its state.
// If it is wrong, an outage burns jobs (it opened late) or a healthy server gets no work (it stayed open).

import { assign, setup } from 'xstate';
import type { KnownServer, StampedControlEvent } from './events.ts';
import { isAway } from './failure-classes.ts';
import { BURST_MS, DEFAULT_POLICY, FLAP_HALF_LIFE_MS, FLAP_PENALTY, type Policy } from './policy.ts';
import { elapsedMs, isShortlyAfter, type Moment } from './time.ts';

export interface BreakerContext {
  readonly policy: Policy;
  /** The server that this breaker is for. */
  readonly server: KnownServer;
  /** Counted failures in a row; bursts count once. */
  readonly failures: number;
  /** When the last counted failure was, to tell a burst. */
  readonly failedAt: Moment | null;
  /** Subjects whose failure was counted in this row; at most `failureThreshold` of them. */
  readonly subjects: readonly string[];
  /** Canary successes since half-open, and how many close the breaker. */
  readonly successes: number;
  readonly successesNeeded: number;
  /** The flapping penalty as it was at `flappedAt`; it decays from there. */
  readonly penalty: number;
  readonly flappedAt: Moment | null;
}

type BreakerEvent = Extract<
  StampedControlEvent,
  { type: `attempt.${string}` | `probe.${string}` | 'policy.set' }
>;
type AttemptFailed = Extract<BreakerEvent, { type: 'attempt.failed' }>;

export const breakerMachine = setup({
  types: { context: {} as BreakerContext, events: {} as BreakerEvent },
  guards: {
    counts: ({ context, event }) => event.type === 'attempt.failed' && counts(context, event),
    trips: ({ context, event }) => event.type === 'attempt.failed' && trips(context, event),
    isOutage: ({ event }) => event.type === 'attempt.failed' && isAway(event.class),
    hasFailures: ({ context }) => context.failures > 0,
    isProbe: ({ event }) => event.type === 'probe.succeeded' && event.lease === 'probe',
    isProven: ({ context, event }) => context.successes + countOf(event) >= context.successesNeeded,
  },
  actions: {
    setPolicy: assign(({ context, event }) =>
      event.type === 'policy.set' ? { ...context, policy: event.policy, server: event.server } : context,
    ),
    countFailure: assign(({ context, event }) => ({
      failures: context.failures + 1,
      failedAt: event.moment,
      subjects: event.type === 'attempt.failed' ? withSubject(context, event) : context.subjects,
    })),
    forgetFailures: assign({ failures: 0, failedAt: null, subjects: [] }),
    notePenalty: assign(({ context, event }) => ({
      penalty: penaltyAt(context, event.moment) + 1,
      flappedAt: event.moment,
    })),
    startProving: assign(({ context, event }) => ({
      successes: 0,
      successesNeeded: isFlapping(context, event.moment)
        ? context.policy.successThresholdFlapping
        : context.policy.successThreshold,
    })),
    countSuccess: assign(({ context, event }) => ({ successes: context.successes + countOf(event) })),
  },
}).createMachine({
  id: 'breaker',
  context: {
    policy: DEFAULT_POLICY,
    server: { id: '', under: '' },
    failures: 0,
    failedAt: null,
    subjects: [],
    successes: 0,
    successesNeeded: DEFAULT_POLICY.successThreshold,
    penalty: 0,
    flappedAt: null,
  },
  initial: 'closed',
  on: { 'policy.set': { actions: 'setPolicy' } },
  states: {
    closed: {
      description: 'Work is attempted.',
      on: {
        'attempt.failed': [
          { guard: 'trips', target: 'open', actions: ['forgetFailures', 'notePenalty'] },
          { guard: 'counts', actions: 'countFailure' },
        ],
        'attempt.succeeded': { guard: 'hasFailures', actions: 'forgetFailures' },
        'probe.failed': { target: 'open', actions: ['forgetFailures', 'notePenalty'] },
      },
    },
    open: {
      description: 'Nothing is attempted; recovery asks from time to time.',
      on: {
        'probe.succeeded': { guard: 'isProbe', target: 'halfOpen', actions: 'startProving' },
      },
    },
    halfOpen: {
      description: 'A probe succeeded; a few canary jobs must prove it.',
      on: {
        'attempt.succeeded': [
          { guard: 'isProven', target: 'closed', actions: ['countSuccess', 'forgetFailures'] },
          { actions: ['countSuccess', 'forgetFailures'] },
        ],
        'attempt.failed': [
          { guard: 'isOutage', target: 'open', actions: 'forgetFailures' },
          { guard: 'trips', target: 'open', actions: 'forgetFailures' },
          { guard: 'counts', actions: 'countFailure' },
        ],
        'probe.failed': { target: 'open', actions: 'forgetFailures' },
      },
    },
  },
});

/** Three openings in half an hour are one trouble, not three: closing then takes more proof. */
export function isFlapping(context: BreakerContext, now: Moment): boolean {
  return penaltyAt(context, now) >= FLAP_PENALTY;
}

function penaltyAt(context: BreakerContext, now: Moment): number {
  if (context.flappedAt === null) return 0;
  return context.penalty * 2 ** (-elapsedMs(context.flappedAt, now) / FLAP_HALF_LIFE_MS);
}

function counts(context: BreakerContext, event: AttemptFailed): boolean {
  // One job that fails again and again says nothing of the server: a failed probe does.
  if (event.subject !== undefined && context.subjects.includes(event.subject)) return false;
  return context.failedAt === null || !isShortlyAfter(context.failedAt, event.moment, BURST_MS);
}

function trips(context: BreakerContext, event: AttemptFailed): boolean {
  const threshold = Math.min(context.policy.failureThreshold, event.opensAfter ?? Number.POSITIVE_INFINITY);
  return counts(context, event) && context.failures + 1 >= threshold;
}

function withSubject(context: BreakerContext, event: AttemptFailed): readonly string[] {
  if (event.subject === undefined) return context.subjects;
  return [...context.subjects, event.subject];
}

function countOf(event: BreakerEvent): number {
  return event.type === 'attempt.succeeded' ? event.count : 0;
}

// The recovery flow's transitions as a table, its waits at their bounds, and the ramp.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_POLICY, JITTER_SHARE, RETRY_AFTER_MAX_MS } from '../../machines/policy.ts';
import { type RecoveryContext, recoveryMachine, recoveryWaitMs } from '../../machines/recovery.ts';
import { isOver } from '../../machines/time.ts';
import { breakerClosed, breakerOpened, event } from '../support/machine-events.ts';
import { definitionOf, impuritiesOf, type PlainState, step, walk } from '../support/machine-walk.ts';
import { moment } from '../support/moments.ts';
import { type Table, testTable } from '../support/transition-table.ts';

const FRESH = recoveryMachine.config.context as RecoveryContext;
const due = (from: number, waitMs: number) => ({ from: moment(from), waitMs });
const WAITING: RecoveryContext = { ...FRESH, due: due(0, 60_000) };
const PROBING: RecoveryContext = { ...FRESH, attempt: 1, due: due(60_000, 120_000) };
const PROVING: RecoveryContext = { ...FRESH, attempt: 1 };
const RAMPING: RecoveryContext = { ...FRESH, hasBacklog: true };

type Value = 'idle' | 'waiting' | 'probing' | 'proving' | 'ramping';
type Type =
  | 'policy.set'
  | 'lease.requested'
  | 'lease.claimed'
  | 'lease.renewed'
  | 'lease.released'
  | 'lease.lost'
  | 'probe.succeeded'
  | 'probe.failed'
  | 'attempt.succeeded'
  | 'attempt.failed'
  | 'backlog.drained'
  | 'hold.placed'
  | 'hold.released'
  | 'breaker.opened'
  | 'breaker.closed';

const setPolicy = event('policy.set');
const policyRow = (to: Value) =>
  [{ event: setPolicy, becomes: { to, context: { policy: setPolicy.policy } } }] as const;
const ignored = (...events: readonly { readonly type: string }[]) =>
  events.map((one) => ({ event: one, becomes: 'ignored' as const }));
/** Types that no state of it hears. */
const deafTo = {
  'lease.requested': ignored(event('lease.requested')),
  'lease.renewed': ignored(event('lease.renewed')),
  'attempt.failed': ignored(event('attempt.failed')),
  'hold.placed': ignored(event('hold.placed')),
  'hold.released': ignored(event('hold.released')),
};
const claim = (ms: number, change = {}) => event('lease.claimed', change, moment(ms));

const table: Table<Value, Type, RecoveryContext> = {
  idle: {
    ...deafTo,
    'policy.set': policyRow('idle'),
    'lease.claimed': ignored(claim(0), claim(0, { isForced: true }), claim(0, { lease: 'drain' })),
    'lease.released': ignored(event('lease.released')),
    'lease.lost': ignored(event('lease.lost')),
    'probe.succeeded': ignored(event('probe.succeeded')),
    'probe.failed': ignored(event('probe.failed')),
    'attempt.succeeded': ignored(event('attempt.succeeded')),
    'backlog.drained': [
      { when: 'no outage left a backlog', event: event('backlog.drained'), becomes: 'ignored' },
      {
        when: 'the ramp was full before the backlog was dry',
        given: { hasBacklog: true },
        event: event('backlog.drained'),
        becomes: { to: 'idle', context: { hasBacklog: false } },
      },
    ],
    'breaker.opened': [
      { event: breakerOpened(), becomes: { to: 'waiting', context: { attempt: 0, due: due(0, 60_000) } } },
      {
        when: 'the whole jitter was drawn',
        event: breakerOpened({ draw: 0.999_999_9 }),
        becomes: { to: 'waiting', context: { due: due(0, 48_000) } },
      },
      {
        when: 'it is maintenance',
        event: breakerOpened({ class: 'maintenance' }),
        becomes: { to: 'waiting', context: { kind: 'maintenance', due: due(0, 5_000) } },
      },
      {
        when: 'the last outage was maintenance',
        given: { kind: 'maintenance' },
        event: breakerOpened(),
        becomes: { to: 'waiting', context: { kind: 'outage', due: due(0, 60_000) } },
      },
    ],
    'breaker.closed': ignored(breakerClosed()),
  },
  waiting: {
    ...deafTo,
    'policy.set': policyRow('waiting'),
    'lease.claimed': [
      { when: 'it is not due', event: claim(59_999), becomes: 'ignored' },
      {
        when: 'it is due',
        event: claim(60_000),
        becomes: { to: 'probing', context: { attempt: 1, due: due(60_000, 120_000) } },
      },
      {
        when: 'it is not due, but a person asked',
        event: claim(1, { isForced: true }),
        becomes: { to: 'probing', context: { attempt: 1, due: due(1, 120_000) } },
      },
      {
        when: 'nothing says when it is due',
        given: { due: null },
        event: claim(0),
        becomes: { to: 'probing', context: { attempt: 1, due: due(0, 120_000) } },
      },
      {
        when: 'it is the drain lease',
        event: claim(60_000, { lease: 'drain', isForced: true }),
        becomes: 'ignored',
      },
    ],
    'lease.released': ignored(event('lease.released')),
    'lease.lost': ignored(event('lease.lost')),
    'probe.succeeded': ignored(event('probe.succeeded')),
    'probe.failed': ignored(event('probe.failed')),
    'attempt.succeeded': ignored(event('attempt.succeeded')),
    'backlog.drained': ignored(event('backlog.drained')),
    'breaker.opened': ignored(breakerOpened()),
    'breaker.closed': ignored(breakerClosed()),
  },
  probing: {
    ...deafTo,
    'policy.set': policyRow('probing'),
    'lease.claimed': [
      { when: 'the wait of the claim is not over', event: claim(179_999), becomes: 'ignored' },
      {
        when: 'the prober never answered and its wait is over',
        event: claim(180_000),
        becomes: { to: 'probing', context: { attempt: 2, due: due(180_000, 240_000) } },
      },
      {
        when: 'a person asked',
        event: claim(60_001, { isForced: true }),
        becomes: { to: 'probing', context: { attempt: 2, due: due(60_001, 240_000) } },
      },
      { when: 'it is the drain lease', event: claim(180_000, { lease: 'drain' }), becomes: 'ignored' },
    ],
    'lease.released': [
      { when: 'it brought no result', event: event('lease.released'), becomes: { to: 'waiting' } },
      {
        when: 'it is the drain lease',
        event: event('lease.released', { lease: 'drain' }),
        becomes: 'ignored',
      },
    ],
    'lease.lost': [
      { event: event('lease.lost'), becomes: { to: 'waiting' } },
      { when: 'it is the drain lease', event: event('lease.lost', { lease: 'drain' }), becomes: 'ignored' },
    ],
    'probe.succeeded': [
      { event: event('probe.succeeded'), becomes: { to: 'proving', context: { due: null } } },
      {
        when: 'it only confirms for a drainer',
        event: event('probe.succeeded', { lease: 'drain' }),
        becomes: 'ignored',
      },
    ],
    'probe.failed': [
      {
        event: event('probe.failed', {}, moment(61_000)),
        becomes: { to: 'waiting', context: { attempt: 1, due: due(61_000, 120_000) } },
      },
      {
        when: 'it turned into maintenance',
        given: { attempt: 4 },
        event: event('probe.failed', { class: 'maintenance' }, moment(61_000)),
        becomes: { to: 'waiting', context: { kind: 'maintenance', attempt: 0, due: due(61_000, 5_000) } },
      },
      {
        when: 'maintenance turned into an outage',
        given: { kind: 'maintenance', attempt: 4 },
        event: event('probe.failed', { class: 'transient' }, moment(61_000)),
        becomes: { to: 'waiting', context: { kind: 'outage', attempt: 0, due: due(61_000, 60_000) } },
      },
      {
        when: 'the server named a longer wait',
        event: event('probe.failed', { retryAfterMs: 120_001 }, moment(61_000)),
        becomes: { to: 'waiting', context: { due: due(61_000, 120_001) } },
      },
      {
        when: 'the server named a shorter wait',
        event: event('probe.failed', { retryAfterMs: 119_999 }, moment(61_000)),
        becomes: { to: 'waiting', context: { due: due(61_000, 120_000) } },
      },
      {
        when: 'it was the drainer who asked',
        event: event('probe.failed', { lease: 'drain' }),
        becomes: 'ignored',
      },
    ],
    'attempt.succeeded': ignored(event('attempt.succeeded')),
    'backlog.drained': ignored(event('backlog.drained')),
    'breaker.opened': ignored(breakerOpened()),
    'breaker.closed': ignored(breakerClosed()),
  },
  proving: {
    ...deafTo,
    'policy.set': policyRow('proving'),
    'lease.claimed': ignored(claim(1e9), claim(0, { isForced: true })),
    'lease.released': ignored(event('lease.released')),
    'lease.lost': ignored(event('lease.lost')),
    'probe.succeeded': ignored(event('probe.succeeded')),
    'probe.failed': ignored(event('probe.failed')),
    'attempt.succeeded': ignored(event('attempt.succeeded')),
    'backlog.drained': ignored(event('backlog.drained')),
    'breaker.opened': [
      {
        when: 'a canary failed: the wait is longer than the last',
        event: breakerOpened(),
        becomes: { to: 'waiting', context: { attempt: 2, due: due(0, 240_000) } },
      },
      {
        when: 'a canary met maintenance',
        event: breakerOpened({ class: 'maintenance', retryAfterMs: 7_000 }),
        becomes: { to: 'waiting', context: { kind: 'maintenance', attempt: 0, due: due(0, 7_000) } },
      },
    ],
    'breaker.closed': [
      {
        given: { limit: 16, acknowledged: 3 },
        event: breakerClosed(),
        becomes: { to: 'ramping', context: { limit: 1, acknowledged: 0, hasBacklog: true, attempt: 0 } },
      },
    ],
  },
  ramping: {
    ...deafTo,
    'policy.set': policyRow('ramping'),
    'lease.claimed': ignored(claim(0), claim(0, { isForced: true })),
    'lease.released': ignored(event('lease.released')),
    'lease.lost': ignored(event('lease.lost')),
    'probe.succeeded': ignored(event('probe.succeeded')),
    'probe.failed': ignored(event('probe.failed')),
    'attempt.succeeded': [
      {
        event: event('attempt.succeeded'),
        becomes: { to: 'ramping', context: { limit: 2, acknowledged: 0 } },
      },
      {
        when: 'not the whole batch was acknowledged yet',
        given: { limit: 4 },
        event: event('attempt.succeeded', { count: 3 }),
        becomes: { to: 'ramping', context: { acknowledged: 3 } },
      },
      {
        when: 'the rest of the batch was acknowledged',
        given: { limit: 4, acknowledged: 3 },
        event: event('attempt.succeeded'),
        becomes: { to: 'ramping', context: { limit: 8, acknowledged: 0 } },
      },
      {
        when: 'one short of the full limit',
        given: { limit: 16 },
        event: event('attempt.succeeded', { count: 15 }),
        becomes: { to: 'ramping', context: { acknowledged: 15 } },
      },
      {
        when: 'the limit is full',
        given: { limit: 16 },
        event: event('attempt.succeeded', { count: 16 }),
        becomes: { to: 'idle', context: { limit: 32 } },
      },
      {
        when: 'one batch was all that a whole ramp needs',
        event: event('attempt.succeeded', { count: 31 }),
        becomes: { to: 'idle', context: { limit: 32 } },
      },
    ],
    'backlog.drained': [
      { event: event('backlog.drained'), becomes: { to: 'idle', context: { hasBacklog: false } } },
    ],
    'breaker.opened': [
      {
        given: { limit: 8, acknowledged: 1 },
        event: breakerOpened(),
        becomes: { to: 'waiting', context: { attempt: 0, due: due(0, 60_000) } },
      },
    ],
    'breaker.closed': ignored(breakerClosed()),
  },
};

testTable(
  recoveryMachine,
  { idle: FRESH, waiting: WAITING, probing: PROBING, proving: PROVING, ramping: RAMPING },
  table,
);

describe('the walk', () => {
  const policy = { ...DEFAULT_POLICY, rampFull: 4 };
  const times = [moment(0), moment(90_000), moment(1_000_000)];
  const start = event('policy.set', { policy });
  const events = times.flatMap((at) => [
    event('lease.claimed', {}, at),
    event('lease.claimed', { lease: 'drain' }, at),
    event('lease.claimed', { isForced: true }, at),
    event('lease.released', {}, at),
    event('lease.lost', {}, at),
    event('probe.succeeded', {}, at),
    event('probe.failed', {}, at),
    event('probe.failed', { class: 'maintenance' }, at),
    event('attempt.succeeded', {}, at),
    event('attempt.succeeded', { count: 3 }, at),
    event('backlog.drained', {}, at),
    breakerOpened({}, at),
    breakerClosed(at),
  ]);
  const { states, transitions, visited } = walk(recoveryMachine, {
    // A short ramp first: with the ordinary one there are too many limits to walk.
    events: ({ context }) =>
      (context as RecoveryContext).policy.rampFull === policy.rampFull ? [start, ...events] : [start],
    // Two waits that are over at the same times of the walk are one.
    nameOf: ({ value, context }) => {
      const { due, ...rest } = context as RecoveryContext;
      return JSON.stringify([value, rest, due === null ? null : times.map((at) => isOver(due, at))]);
    },
    isFarEnough: ({ context }) => (context as RecoveryContext).attempt > 2,
  });

  test('reaches every state and takes every transition of the recovery flow', () => {
    const definition = definitionOf(recoveryMachine);
    expect(states).toEqual(definition.states);
    expect(transitions).toEqual(definition.transitions);
  });

  test('never waits or probes without a due time, and never proves or ramps with one', () => {
    for (const { value, context } of visited as (PlainState & { context: RecoveryContext })[]) {
      expect(context.due !== null, JSON.stringify({ value, context })).toBe(
        value === 'waiting' || value === 'probing',
      );
    }
  });
});

describe('the wait', () => {
  const wait = (attempt: number, drawn = {}) =>
    recoveryWaitMs(DEFAULT_POLICY, 'outage', attempt, { draw: 0, ...drawn });

  test('doubles from 60 s to its cap of 5 min and stays there', () => {
    expect([0, 1, 2, 3, 4, 30, 31, 5_000].map((attempt) => wait(attempt))).toEqual([
      60_000, 120_000, 240_000, 300_000, 300_000, 300_000, 300_000, 300_000,
    ]);
  });

  test('doubles from 5 s to 60 s in maintenance', () => {
    const waits = [0, 1, 2, 3, 4, 5].map((attempt) =>
      recoveryWaitMs(DEFAULT_POLICY, 'maintenance', attempt, { draw: 0 }),
    );
    expect(waits).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
  });

  test('is never below its base, even when the cap is', () => {
    const policy = { ...DEFAULT_POLICY, recoveryTimeoutMs: 10_000, recoveryTimeoutMaxMs: 1 };
    expect(recoveryWaitMs(policy, 'outage', 0, { draw: 0 })).toBe(10_000);
    expect(recoveryWaitMs(policy, 'outage', 9, { draw: 0 })).toBe(10_000);
  });

  test('believes a Retry-After up to an hour, and no longer', () => {
    expect(wait(0, { retryAfterMs: RETRY_AFTER_MAX_MS })).toBe(RETRY_AFTER_MAX_MS);
    expect(wait(0, { retryAfterMs: RETRY_AFTER_MAX_MS + 1 })).toBe(RETRY_AFTER_MAX_MS);
    expect(wait(0, { retryAfterMs: -1 })).toBe(60_000);
  });

  test('is shortened by jitter only, by a fifth at most', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 100 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.constantFrom('outage', 'maintenance'),
        (attempt, draw, kind) => {
          const nominal = recoveryWaitMs(DEFAULT_POLICY, kind, attempt, { draw: 0 });
          const waitMs = recoveryWaitMs(DEFAULT_POLICY, kind, attempt, { draw });
          expect(waitMs).toBeLessThanOrEqual(nominal);
          expect(waitMs).toBeGreaterThanOrEqual(nominal * (1 - JITTER_SHARE));
          expect(Number.isInteger(waitMs)).toBe(true);
        },
      ),
    );
  });
});

test('the ramp is at most twice what was acknowledged, and never past twice its full size', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 40 }),
      fc.integer({ min: 1, max: 64 }),
      (counts, rampFull) => {
        let state: PlainState = {
          value: 'ramping',
          context: { ...RAMPING, policy: { ...DEFAULT_POLICY, rampFull } },
        };
        let acknowledged = 0;
        for (const count of counts) {
          if (state.value !== 'ramping') break;
          state = step(recoveryMachine, state, event('attempt.succeeded', { count })).after;
          acknowledged += count;
          const { limit } = state.context as RecoveryContext;
          expect(limit).toBeLessThanOrEqual(acknowledged + 1);
          expect(limit).toBeLessThan(2 * rampFull);
          expect(state.value).toBe(limit >= rampFull ? 'idle' : 'ramping');
        }
      },
    ),
  );
});

test('the recovery flow is pure: no timers, no children, nothing but names in its definition', () => {
  expect(impuritiesOf(recoveryMachine)).toEqual([]);
});

// The breaker's transitions as a table, and its numbers at the bound and one past it.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BreakerContext, breakerMachine, isFlapping } from '../../machines/breaker.ts';
import { BURST_MS, DEFAULT_POLICY, FLAP_HALF_LIFE_MS, FLAP_PENALTY } from '../../machines/policy.ts';
import { breakerClosed, event } from '../support/machine-events.ts';
import { definitionOf, impuritiesOf, type PlainState, step, walk } from '../support/machine-walk.ts';
import { moment, momentOfOtherBoot } from '../support/moments.ts';
import { type Table, testTable } from '../support/transition-table.ts';

const FRESH = breakerMachine.config.context as BreakerContext;
const OPENED: BreakerContext = { ...FRESH, penalty: 1, flappedAt: moment(0) };
const later = moment(BURST_MS);

type Value = 'closed' | 'open' | 'halfOpen';
type Type =
  | 'policy.set'
  | 'probe.succeeded'
  | 'probe.failed'
  | 'attempt.succeeded'
  | 'attempt.failed'
  | 'lease.claimed'
  | 'backlog.drained'
  | 'hold.placed';

const setPolicy = event('policy.set');
const withPolicy = { policy: setPolicy.policy, server: setPolicy.server };
const none = { failures: 0, failedAt: null, subjects: [] };

const table: Table<Value, Type, BreakerContext> = {
  closed: {
    'policy.set': [{ event: setPolicy, becomes: { to: 'closed', context: withPolicy } }],
    'probe.succeeded': [{ event: event('probe.succeeded'), becomes: 'ignored' }],
    'probe.failed': [
      {
        event: event('probe.failed', { lease: 'drain' }),
        becomes: { to: 'open', context: { penalty: 1, flappedAt: moment(0) } },
      },
      {
        when: 'failures were counted',
        given: { failures: 1, failedAt: moment(0), subjects: ['scene:1'] },
        event: event('probe.failed', { lease: 'drain' }, moment(1)),
        becomes: { to: 'open', context: { ...none, penalty: 1, flappedAt: moment(1) } },
      },
    ],
    'attempt.succeeded': [
      { when: 'no failure was counted', event: event('attempt.succeeded'), becomes: 'ignored' },
      {
        when: 'failures were counted',
        given: { failures: 4, failedAt: moment(0), subjects: ['scene:1'] },
        event: event('attempt.succeeded'),
        becomes: { to: 'closed', context: none },
      },
    ],
    'attempt.failed': [
      {
        event: event('attempt.failed'),
        becomes: { to: 'closed', context: { failures: 1, failedAt: moment(0) } },
      },
      {
        when: 'it is of a burst',
        given: { failures: 1, failedAt: moment(0) },
        event: event('attempt.failed', {}, moment(BURST_MS - 1)),
        becomes: 'ignored',
      },
      {
        when: 'it would be the fifth but is of a burst',
        given: { failures: 4, failedAt: moment(0) },
        event: event('attempt.failed', {}, moment(BURST_MS - 1)),
        becomes: 'ignored',
      },
      {
        when: 'the burst is just over',
        given: { failures: 1, failedAt: moment(0) },
        event: event('attempt.failed', {}, later),
        becomes: { to: 'closed', context: { failures: 2, failedAt: later } },
      },
      {
        when: 'it is one short of the threshold',
        given: { failures: 3, failedAt: moment(0) },
        event: event('attempt.failed', {}, later),
        becomes: { to: 'closed', context: { failures: 4, failedAt: later } },
      },
      {
        when: 'it reaches the threshold',
        given: { failures: 4, failedAt: moment(0), subjects: ['scene:1'] },
        event: event('attempt.failed', {}, later),
        becomes: { to: 'open', context: { ...none, penalty: 1, flappedAt: later } },
      },
      {
        when: 'the threshold was lowered below the count',
        given: { failures: 4, failedAt: moment(0), policy: { ...DEFAULT_POLICY, failureThreshold: 2 } },
        event: event('attempt.failed', {}, later),
        becomes: { to: 'open', context: { ...none, penalty: 1, flappedAt: later } },
      },
      {
        when: 'its symptom opens at once',
        event: event('attempt.failed', { opensAfter: 1 }),
        becomes: { to: 'open', context: { penalty: 1, flappedAt: moment(0) } },
      },
      {
        when: 'its symptom opens after more than it is',
        event: event('attempt.failed', { opensAfter: 2 }),
        becomes: { to: 'closed', context: { failures: 1, failedAt: moment(0) } },
      },
      {
        when: 'its symptom would wait longer than the policy',
        given: { failures: 4, failedAt: moment(0) },
        event: event('attempt.failed', { opensAfter: 6 }, later),
        becomes: { to: 'open', context: { ...none, penalty: 1, flappedAt: later } },
      },
      {
        when: 'a first transient failure of a subject',
        event: event('attempt.failed', { class: 'transient', subject: 'scene:1' }),
        becomes: { to: 'closed', context: { failures: 1, failedAt: moment(0), subjects: ['scene:1'] } },
      },
      {
        when: 'the same subject failed before',
        given: { failures: 1, failedAt: moment(0), subjects: ['scene:1'] },
        event: event('attempt.failed', { class: 'transient', subject: 'scene:1' }, later),
        becomes: 'ignored',
      },
      {
        when: 'another subject failed before',
        given: { failures: 1, failedAt: moment(0), subjects: ['scene:1'] },
        event: event('attempt.failed', { class: 'transient', subject: 'scene:2' }, later),
        becomes: {
          to: 'closed',
          context: { failures: 2, failedAt: later, subjects: ['scene:1', 'scene:2'] },
        },
      },
      {
        when: 'the same subject failed before, whatever the class: a failed probe tells an outage',
        given: { failures: 1, failedAt: moment(0), subjects: ['scene:1'] },
        event: event('attempt.failed', { class: 'outage', subject: 'scene:1' }, later),
        becomes: 'ignored',
      },
    ],
    'lease.claimed': [{ event: event('lease.claimed'), becomes: 'ignored' }],
    'backlog.drained': [{ event: event('backlog.drained'), becomes: 'ignored' }],
    'hold.placed': [{ event: event('hold.placed'), becomes: 'ignored' }],
  },
  open: {
    'policy.set': [{ event: setPolicy, becomes: { to: 'open', context: withPolicy } }],
    'probe.succeeded': [
      {
        event: event('probe.succeeded'),
        becomes: { to: 'halfOpen', context: { successes: 0, successesNeeded: 1 } },
      },
      {
        when: 'it flaps',
        given: { penalty: FLAP_PENALTY },
        event: event('probe.succeeded'),
        becomes: { to: 'halfOpen', context: { successes: 0, successesNeeded: 3 } },
      },
      {
        when: 'its penalty is just below flapping',
        given: { penalty: FLAP_PENALTY - 1e-9 },
        event: event('probe.succeeded'),
        becomes: { to: 'halfOpen', context: { successes: 0, successesNeeded: 1 } },
      },
      {
        when: 'it only confirms for a drainer',
        event: event('probe.succeeded', { lease: 'drain' }),
        becomes: 'ignored',
      },
    ],
    'probe.failed': [{ event: event('probe.failed'), becomes: 'ignored' }],
    'attempt.succeeded': [{ event: event('attempt.succeeded'), becomes: 'ignored' }],
    'attempt.failed': [{ event: event('attempt.failed', { opensAfter: 1 }), becomes: 'ignored' }],
    'lease.claimed': [{ event: event('lease.claimed'), becomes: 'ignored' }],
    'backlog.drained': [{ event: event('backlog.drained'), becomes: 'ignored' }],
    'hold.placed': [{ event: event('hold.placed', { stance: 'closed' }), becomes: 'ignored' }],
  },
  halfOpen: {
    'policy.set': [{ event: setPolicy, becomes: { to: 'halfOpen', context: withPolicy } }],
    'probe.succeeded': [{ event: event('probe.succeeded'), becomes: 'ignored' }],
    'probe.failed': [{ event: event('probe.failed', { lease: 'drain' }), becomes: { to: 'open' } }],
    'attempt.succeeded': [
      { event: event('attempt.succeeded'), becomes: { to: 'closed', context: { successes: 1 } } },
      {
        when: 'it is one short of what proves it',
        given: { successes: 1, successesNeeded: 3 },
        event: event('attempt.succeeded'),
        becomes: { to: 'halfOpen', context: { successes: 2 } },
      },
      {
        when: 'one batch holds all that proves it',
        given: { successesNeeded: 3 },
        event: event('attempt.succeeded', { count: 3 }),
        becomes: { to: 'closed', context: { successes: 3 } },
      },
      {
        when: 'failures were counted among the canaries',
        given: { failures: 1, failedAt: moment(0), subjects: ['scene:1'] },
        event: event('attempt.succeeded'),
        becomes: { to: 'closed', context: { ...none, successes: 1 } },
      },
    ],
    'attempt.failed': [
      { event: event('attempt.failed'), becomes: { to: 'open' } },
      {
        when: 'it is of a burst, but an outage',
        given: { failures: 1, failedAt: moment(0) },
        event: event('attempt.failed', {}, moment(1)),
        becomes: { to: 'open', context: none },
      },
      {
        when: 'maintenance',
        event: event('attempt.failed', { class: 'maintenance' }),
        becomes: { to: 'open' },
      },
      {
        when: 'transient',
        event: event('attempt.failed', { class: 'transient', subject: 'scene:1' }),
        becomes: { to: 'halfOpen', context: { failures: 1, failedAt: moment(0), subjects: ['scene:1'] } },
      },
      {
        when: 'transient, and it reaches the threshold',
        given: { failures: 4, failedAt: moment(0) },
        event: event('attempt.failed', { class: 'transient' }, later),
        becomes: { to: 'open', context: none },
      },
      {
        when: 'transient, of a burst',
        given: { failures: 4, failedAt: moment(0) },
        event: event('attempt.failed', { class: 'transient' }, moment(1)),
        becomes: 'ignored',
      },
    ],
    'lease.claimed': [{ event: event('lease.claimed'), becomes: 'ignored' }],
    'backlog.drained': [{ event: event('backlog.drained'), becomes: 'ignored' }],
    'hold.placed': [{ event: event('hold.placed'), becomes: 'ignored' }],
  },
};

testTable(breakerMachine, { closed: FRESH, open: OPENED, halfOpen: OPENED }, table);

test('the breaker is told of its own moves no more than of the weather', () => {
  expect(step(breakerMachine, { value: 'halfOpen', context: OPENED }, breakerClosed()).isIgnored).toBe(true);
});

describe('the walk', () => {
  const policy = { ...DEFAULT_POLICY, failureThreshold: 3, successThresholdFlapping: 2 };
  const times = [moment(0), later, moment(FLAP_HALF_LIFE_MS)];
  const events = times.flatMap((at) => [
    event('policy.set', { policy }, at),
    event('probe.succeeded', {}, at),
    event('probe.succeeded', { lease: 'drain' }, at),
    event('probe.failed', {}, at),
    event('attempt.succeeded', {}, at),
    event('attempt.failed', {}, at),
    event('attempt.failed', { class: 'transient', subject: 'scene:1' }, at),
    event('attempt.failed', { class: 'transient', subject: 'scene:2', opensAfter: 1 }, at),
  ]);
  const { states, transitions, visited } = walk(breakerMachine, {
    events: () => events,
    nameOf: (state) => JSON.stringify(state),
    isFarEnough: ({ context }) => (context as BreakerContext).penalty > FLAP_PENALTY + 0.5,
  });

  test('reaches every state and takes every transition of the breaker', () => {
    const definition = definitionOf(breakerMachine);
    expect(states).toEqual(definition.states);
    expect(transitions).toEqual(definition.transitions);
  });

  test('never counts to the threshold without opening, nor to the successes without closing', () => {
    expect(visited.length).toBeGreaterThan(50);
    for (const { value, context } of visited as (PlainState & { context: BreakerContext })[]) {
      expect(context.failures).toBeLessThan(DEFAULT_POLICY.failureThreshold);
      expect(context.subjects.length).toBeLessThanOrEqual(context.failures);
      if (value === 'halfOpen') expect(context.successes).toBeLessThan(context.successesNeeded);
      if (value === 'open') expect(context).toMatchObject(none);
    }
  });
});

describe('flapping', () => {
  const openings = (count: number, everyMs: number): BreakerContext => {
    let state: PlainState = { value: 'closed', context: FRESH };
    for (let number = 0; number < count; number++) {
      state = step(
        breakerMachine,
        { ...state, value: 'closed' },
        event('probe.failed', {}, moment(number * everyMs)),
      ).after;
    }
    return state.context as BreakerContext;
  };

  test('three openings within a few minutes are flapping, two are not', () => {
    expect(isFlapping(openings(3, 180_000), moment(2 * 180_000))).toBe(true);
    expect(isFlapping(openings(2, 1_000), moment(1_000))).toBe(false);
  });

  test('openings half an hour apart never are', () => {
    expect(isFlapping(openings(100, FLAP_HALF_LIFE_MS), moment(99 * FLAP_HALF_LIFE_MS))).toBe(false);
  });

  test('the penalty halves in the half-life: flapping ends at the bound and holds just before it', () => {
    const context = { ...FRESH, penalty: 2 * FLAP_PENALTY, flappedAt: moment(0) };
    expect(isFlapping(context, moment(FLAP_HALF_LIFE_MS))).toBe(true);
    expect(isFlapping(context, moment(FLAP_HALF_LIFE_MS + 1))).toBe(false);
  });

  test('the penalty never grows by waiting, whatever the clocks say', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 50, noNaN: true }),
        fc.integer({ min: -1e10, max: 1e10 }),
        fc.boolean(),
        (penalty, ms, isOtherBoot) => {
          const now = isOtherBoot ? momentOfOtherBoot(ms) : moment(ms);
          const context = { ...FRESH, penalty, flappedAt: moment(0) };
          const { after } = step(
            breakerMachine,
            { value: 'closed', context },
            event('probe.failed', {}, now),
          );
          const grown = (after.context as BreakerContext).penalty;
          expect(grown).toBeGreaterThanOrEqual(1);
          expect(grown).toBeLessThanOrEqual(penalty + 1);
        },
      ),
    );
  });
});

test('failures count after a reboot with a clock that was set back', () => {
  const context = { ...FRESH, failures: 1, failedAt: moment(0) };
  const anHourBack = momentOfOtherBoot(-3_600_000);
  const { isIgnored } = step(
    breakerMachine,
    { value: 'closed', context },
    event('attempt.failed', {}, anHourBack),
  );
  expect(isIgnored).toBe(false);
});

test('a canary success ends the row of failures', () => {
  const context = { ...OPENED, failures: 4, failedAt: moment(0), successesNeeded: 3 };
  const { after } = step(breakerMachine, { value: 'halfOpen', context }, event('attempt.succeeded'));
  expect(after.context).toMatchObject({ successes: 1, failures: 0 });
});

test('the breaker is pure: no timers, no children, nothing but names in its definition', () => {
  expect(impuritiesOf(breakerMachine)).toEqual([]);
});

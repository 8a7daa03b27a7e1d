// The gate and its neighbours as tables: what may be done in which state, asked with a moment.
import { describe, expect, test } from 'vitest';
import type { StampedControlEvent } from '../../../machines/events.ts';
import {
  BATCH_JOBS,
  gate,
  isDrainerNeeded,
  isHeld,
  isLeaseLive,
} from '../../../src/breaker/control/decide.ts';
import { evolve } from '../../../src/breaker/control/evolve.ts';
import { INITIAL_STATE } from '../../../src/breaker/control/state.ts';
import { event } from '../../support/machine-events.ts';
import { moment } from '../../support/moments.ts';

const fold = (...events: readonly StampedControlEvent[]) => events.reduce(evolve, INITIAL_STATE);
const drainer = event('lease.claimed', { lease: 'drain', forMs: 120_000 });
const opened = [drainer, event('probe.failed', { lease: 'drain' })];
const halfOpen = [
  ...opened,
  event('lease.claimed', { isForced: true }, moment(1)),
  event('probe.succeeded', {}, moment(1)),
];
const ramping = [...halfOpen, event('attempt.succeeded', {}, moment(2))];
const hold = (name: 'operator' | 'config' | 'throttle', change = {}) =>
  event('hold.placed', { hold: name, reason: name, forMs: 60_000, ...change });

describe('the gate', () => {
  test.each([
    ['closed', fold(), 0, { kind: 'go', limit: BATCH_JOBS }],
    ['open, not due', fold(...opened), 59_999, { kind: 'wait', remainingMs: 1 }],
    ['open, due', fold(...opened), 60_000, { kind: 'probe' }],
    ['half-open: one canary at a time', fold(...halfOpen), 1, { kind: 'go', limit: 1 }],
    ['ramping', fold(...ramping), 2, { kind: 'go', limit: 1 }],
    [
      'ramping, wider',
      fold(...ramping, event('attempt.succeeded', { count: 3 }, moment(3))),
      3,
      { kind: 'go', limit: 4 },
    ],
    [
      'held by an operator',
      fold(hold('operator')),
      10_000,
      { kind: 'held', hold: 'operator', reason: 'operator', remainingMs: 50_000 },
    ],
    ['held, and over', fold(hold('operator')), 60_000, { kind: 'go', limit: BATCH_JOBS }],
    [
      'held closed while open',
      fold(...opened, hold('operator', { stance: 'closed' })),
      0,
      { kind: 'go', limit: BATCH_JOBS },
    ],
    [
      'held closed, and over',
      fold(...opened, hold('operator', { stance: 'closed', forMs: 100 })),
      100,
      { kind: 'wait', remainingMs: 59_900 },
    ],
    [
      'refused settings, and the breaker due',
      fold(...opened, hold('config')),
      59_999,
      { kind: 'held', hold: 'config', reason: 'config', remainingMs: 1 },
    ],
    [
      'throttled',
      fold(hold('throttle')),
      0,
      { kind: 'held', hold: 'throttle', reason: 'throttle', remainingMs: 60_000 },
    ],
    [
      'held closed: the breaker is overruled, but not a server that refuses us, or it is asked again at once for ever',
      fold(...opened, hold('throttle'), hold('config'), hold('operator', { stance: 'closed' })),
      0,
      { kind: 'held', hold: 'config', reason: 'config', remainingMs: 60_000 },
    ],
    [
      'an operator who holds it open comes before all else',
      fold(hold('throttle'), hold('config'), hold('operator')),
      0,
      { kind: 'held', hold: 'operator', reason: 'operator', remainingMs: 60_000 },
    ],
  ] as const)('%s', (_, state, ms, answer) => {
    expect(gate(state, moment(ms))).toEqual(answer);
  });
});

describe('the gate of an open breaker', () => {
  const due = moment(60_000);
  /** A probe is due, and the lease of it lasts beyond the wait that its claim began. */
  const probing = fold(...opened, event('lease.claimed', { forMs: 500_000 }, due));

  test('waits for the prober as well, when its lease lasts longer than the wait', () => {
    expect(gate(probing, moment(60_000))).toEqual({ kind: 'wait', remainingMs: 500_000 });
    expect(gate(probing, moment(559_999))).toEqual({ kind: 'wait', remainingMs: 1 });
    expect(gate(probing, moment(560_000))).toEqual({ kind: 'probe' });
  });

  test('waits for the longer of the two', () => {
    const brief = fold(...opened, event('lease.claimed', { forMs: 1 }, due));
    expect(gate(brief, moment(60_000))).toEqual({ kind: 'wait', remainingMs: 120_000 });
  });

  test('waits for nobody who was only asked to probe', () => {
    const asked = fold(...opened, event('lease.requested', { forMs: 500_000 }, due));
    expect(asked.probe.value).toBe('asked');
    expect(gate(asked, due)).toEqual({ kind: 'probe' });
  });

  // What a damaged line or another era leaves: states that no fold of a whole log comes to.
  test('gives a probe to whoever comes when nothing says when it is due, or until when it is held', () => {
    const { recovery, probe } = probing;
    const undated = { ...probing, recovery: { ...recovery, context: { ...recovery.context, due: null } } };
    expect(gate(undated, moment(560_000))).toEqual({ kind: 'probe' });
    const endless = { ...probing, probe: { ...probe, context: { ...probe.context, ends: null } } };
    expect(gate(endless, moment(60_000))).toEqual({ kind: 'wait', remainingMs: 120_000 });
  });
});

describe('a state that history left half told', () => {
  const held = fold(hold('operator'));
  const { operator } = held;
  const claimed = fold(drainer);

  test('a hold is none without an end, nor when it is free with one', () => {
    expect(isHeld(held, 'operator', moment(0))).toBe(true);
    const endless = { ...held, operator: { ...operator, context: { ...operator.context, ends: null } } };
    const free = { ...held, operator: { ...operator, value: 'free' as const } };
    for (const state of [endless, free]) {
      expect(isHeld(state, 'operator', moment(0))).toBe(false);
      expect(gate(state, moment(0))).toEqual({ kind: 'go', limit: BATCH_JOBS });
    }
  });

  test('a lease is not live without an end, nor when it is free with one', () => {
    const { drain } = claimed;
    const endless = { ...claimed, drain: { ...drain, context: { ...drain.context, ends: null } } };
    const free = { ...claimed, drain: { ...drain, value: 'free' as const } };
    expect([claimed, endless, free].map((state) => isLeaseLive(state, 'drain', moment(0)))).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe('whether a drainer should be started', () => {
  const vigil = event('policy.set', { policy: { ...INITIAL_STATE.breaker.context.policy, vigilMs: 30_000 } });
  test.each([
    ['nobody is alive', fold(), 0, false, true],
    ['one is alive', fold(drainer), 119_999, false, false],
    ['one is overdue', fold(drainer), 120_000, false, true],
    ['one holds the lease and was seen to be gone', fold(drainer), 1, true, true],
    ['one was asked for', fold(event('lease.requested', { lease: 'drain' })), 9_999, false, false],
    [
      'the one who was asked did not come',
      fold(event('lease.requested', { lease: 'drain' })),
      10_000,
      false,
      true,
    ],
    ['Plex is away, and the vigil reaches the next probe', fold(...opened), 1, true, true],
    ['Plex is away for longer than the vigil', fold(vigil, ...opened), 29_999, true, false],
    ['Plex is away for just the vigil', fold(vigil, ...opened), 30_000, true, true],
    ['throttled for a while', fold(hold('throttle')), 0, false, true],
    ['throttled for longer than the vigil', fold(vigil, hold('throttle')), 29_999, false, false],
    ['throttled for just the vigil', fold(vigil, hold('throttle')), 30_000, false, true],
    ['an operator holds it open', fold(hold('operator')), 59_999, false, false],
    ['the settings are refused', fold(hold('config')), 59_999, false, false],
  ] as const)('%s', (_, state, ms, isHolderGone, isNeeded) => {
    expect(isDrainerNeeded(state, moment(ms), isHolderGone)).toBe(isNeeded);
  });
});

test('a lease is live until its end, asked for or held', () => {
  expect(isLeaseLive(fold(), 'drain', moment(0))).toBe(false);
  expect(isLeaseLive(fold(drainer), 'drain', moment(119_999))).toBe(true);
  expect(isLeaseLive(fold(drainer), 'drain', moment(120_000))).toBe(false);
  expect(isLeaseLive(fold(event('lease.requested', { lease: 'drain' })), 'drain', moment(9_999))).toBe(true);
});

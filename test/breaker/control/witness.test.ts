// The witness of a record: what is taken over from it when history leads, and what of it is not believed.
import { describe, expect, test } from 'vitest';
import type { StampedControlEvent } from '../../../machines/events.ts';
import { MACHINES } from '../../../src/breaker/control/evolve.ts';
import { type ControlState, INITIAL_STATE, type MachineName } from '../../../src/breaker/control/state.ts';
import { adopt, isSameTransition, transitionOf } from '../../../src/breaker/control/witness.ts';
import { event } from '../../support/machine-events.ts';
import { moment } from '../../support/moments.ts';

const statesOf = (name: MachineName) => Object.keys(MACHINES[name].states);
const adopted = (to: object, heard: StampedControlEvent | null = null, computed = INITIAL_STATE) =>
  adopt(INITIAL_STATE, computed, { from: {}, to: to as Record<string, string> }, heard, statesOf);

const process = { pid: 7, space: 'one-machine' };
const HELD: ControlState = {
  ...INITIAL_STATE,
  drain: {
    value: 'held',
    context: { epoch: 3, owner: 'old', ends: { from: moment(0), waitMs: 5 }, holder: process },
  },
};

describe('what a record says of a machine', () => {
  test.each([
    ['no text', 7],
    ['no state of it', 'ajar'],
    ['a lease without its epoch', 'held'],
    ['an epoch that is no number', 'held#x'],
    ['an epoch that only begins as one', 'held#1e9'],
    ['an epoch that does not begin as one', 'held#-1'],
    ['an epoch larger than any log has', 'held#1234567890123456'],
  ])('is not believed when it is %s', (_, to) => {
    expect(adopted({ drain: to }).drain).toBe(INITIAL_STATE.drain);
  });

  test('is believed up to an epoch of fifteen digits', () => {
    expect(adopted({ drain: 'held#123456789012345' }).drain.context.epoch).toBe(123_456_789_012_345);
  });

  test('is all that moves: a machine that it does not name stays as it was before', () => {
    expect(adopted({ operator: 'held' }, null, HELD).drain).toBe(INITIAL_STATE.drain);
  });
});

describe('a lease that is adopted', () => {
  test('belongs to the process of the claim that was recorded, for as long as that said', () => {
    const claim = event('lease.claimed', { lease: 'drain', forMs: 9_000, process }, moment(4), 'two');
    expect(adopted({ drain: 'held#8' }, claim).drain).toEqual({
      value: 'held',
      context: { epoch: 8, owner: 'two', ends: { from: moment(4), waitMs: 9_000 }, holder: process },
    });
  });

  test('has no known process when its claim named none', () => {
    const claim = event('lease.claimed', { lease: 'drain' }, moment(4));
    expect(adopted({ drain: 'held#8' }, claim, HELD).drain.context.holder).toBe(null);
  });

  test('keeps its process when it is renewed', () => {
    const renewal = event('lease.renewed', { lease: 'drain', epoch: 3, forMs: 70 }, moment(9), 'two');
    expect(adopted({ drain: 'held#3' }, renewal, HELD).drain.context).toEqual({
      epoch: 3,
      owner: 'two',
      ends: { from: moment(9), waitMs: 70 },
      holder: process,
    });
  });

  test.each([
    ['of an event that nobody knows any more', null],
    ['of one that is no grant', event('lease.lost', { lease: 'drain', epoch: 3 }, moment(9), 'two')],
    ['of a hold, though that has a length too', event('hold.placed', {}, moment(9), 'two')],
  ])('keeps its owner and its end, when the record is %s', (_, heard) => {
    expect(adopted({ drain: 'held#8' }, heard, HELD).drain.context).toEqual({
      ...HELD.drain.context,
      epoch: 8,
    });
  });
});

describe('breaker and recovery', () => {
  test.each([
    ['idle', 'closed'],
    ['waiting', 'open'],
    ['probing', 'open'],
    ['proving', 'halfOpen'],
    ['ramping', 'closed'],
  ])('recovery told to be %s alone leads a breaker to %s', (recovery, breaker) => {
    const { value } = breaker === 'open' ? { value: 'closed' as const } : { value: 'open' as const };
    const before: ControlState = { ...INITIAL_STATE, breaker: { ...INITIAL_STATE.breaker, value } };
    const after = adopt(before, before, { from: {}, to: { recovery } }, null, statesOf);
    expect(after.recovery.value).toBe(recovery);
    expect(after.breaker).toEqual({ ...before.breaker, value: breaker });
  });

  test.each([
    ['closed', 'waiting', 'idle'],
    ['open', 'idle', 'waiting'],
    ['halfOpen', 'idle', 'proving'],
  ] as const)('a breaker told to be %s leads recovery out of %s into %s', (breaker, value, recovery) => {
    const before: ControlState = { ...INITIAL_STATE, recovery: { ...INITIAL_STATE.recovery, value } };
    const after = adopt(before, before, { from: {}, to: { breaker } }, null, statesOf);
    expect(after.breaker.value).toBe(breaker);
    expect(after.recovery).toEqual({ ...before.recovery, value: recovery });
  });

  test('both told, and not fitting: the breaker leads', () => {
    const after = adopted({ breaker: 'open', recovery: 'ramping' });
    expect([after.breaker.value, after.recovery.value]).toEqual(['open', 'waiting']);
  });

  test('both told, and fitting: both are as told', () => {
    const after = adopted({ breaker: 'open', recovery: 'probing' });
    expect([after.breaker.value, after.recovery.value]).toEqual(['open', 'probing']);
  });
});

describe('two transitions', () => {
  const one = { from: { breaker: 'closed' }, to: { breaker: 'open' } };
  test.each([
    ['name another state before', { ...one, from: { breaker: 'halfOpen' } }],
    ['name another state after', { ...one, to: { breaker: 'closed' } }],
    ['name one machine more', { ...one, to: { ...one.to, recovery: 'waiting' } }],
    ['name another machine', { ...one, from: { recovery: 'closed' } }],
    ['name nothing', { from: {}, to: {} }],
  ])('differ when they %s', (_, other) => {
    expect(isSameTransition(one, other)).toBe(false);
    expect(isSameTransition(other, one)).toBe(false);
  });

  test('are the same whatever the order of their names', () => {
    const both = { breaker: 'open', recovery: 'waiting' };
    expect(
      isSameTransition(
        { from: both, to: both },
        { from: both, to: { recovery: 'waiting', breaker: 'open' } },
      ),
    ).toBe(true);
  });
});

test('a transition names only what moved, and a lease by its epoch', () => {
  expect(transitionOf(INITIAL_STATE, HELD)).toEqual({ from: { drain: 'free#0' }, to: { drain: 'held#3' } });
  expect(transitionOf(HELD, HELD)).toEqual({ from: {}, to: {} });
});

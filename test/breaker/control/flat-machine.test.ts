// A step is XState's own transition(), without its interpreter: the same state for every event of every log, and the
// same object when nothing happens. What it cannot step it refuses.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AnyStateMachine, assign, createMachine, setup, transition } from 'xstate';
import { MACHINES } from '../../../src/breaker/control/evolve.ts';
import { flatMachine } from '../../../src/breaker/control/flat-machine.ts';
import { MACHINE_NAMES } from '../../../src/breaker/control/state.ts';
import { play, strokes } from '../../support/control-logs.ts';
import { breakerClosed, breakerOpened } from '../../support/machine-events.ts';

const RUNS = { numRuns: process.env.BREAKWATER_LONG === undefined ? 100 : 3_000 };

test.each(MACHINE_NAMES)('%s steps as XState steps it, whatever it is told in whatever state', (name) => {
  const machine = MACHINES[name];
  const step = flatMachine(machine);
  let moves = 0;
  fc.assert(
    fc.property(strokes(), (log) => {
      for (const { event, before } of play(log).passed) {
        const told = [event, breakerOpened({ draw: 0.3 }, event.moment), breakerClosed(event.moment)];
        for (const one of told) {
          const snapshot = machine.resolveState(before[name]);
          const [expected] = transition(machine, snapshot, one);
          const found = step(before[name], one);
          expect(found).toEqual({ value: expected.value, context: expected.context });
          expect(found === before[name]).toBe(expected === snapshot);
          if (found !== before[name]) moves += 1;
        }
      }
    }),
    RUNS,
  );
  expect(moves).toBeGreaterThan(RUNS.numRuns);
});

describe('a machine of more than states, named guards and assignments is refused', () => {
  const pure = setup({ guards: { yes: () => true }, actions: { note: assign({ n: 1 }), ring: () => {} } });
  const two = (a: object, more: object = {}) => ({
    id: 'm',
    context: { n: 0 },
    initial: 'a',
    states: { a, b: {} },
    ...more,
  });

  test('and one of just that is stepped', () => {
    const go = { guard: 'yes', target: 'b', actions: 'note', description: 'said in Studio' };
    const config: unknown = two({ on: { go, leave: 'b' } }, { description: 'and so is this', schemas: {} });
    const machine: unknown = pure.createMachine(config as never);
    const step = flatMachine(machine as AnyStateMachine);
    const from = { value: 'a', context: { n: 0, m: 'kept' } };
    expect(step(from, { type: 'go' })).toEqual({ value: 'b', context: { n: 1, m: 'kept' } });
    expect(step(from, { type: 'leave' } as never)).toEqual({ ...from, value: 'b' });
    expect(step(from, { type: 'stay' })).toBe(from);
    // A state of another era, that this machine does not have.
    const elsewhere = { ...from, value: 'c' };
    expect(step(elsewhere, { type: 'go' })).toBe(elsewhere);
  });

  test('and so is one whose assignments are computed field by field', () => {
    const counting = setup({
      types: { context: {} as { n: number }, events: {} as { type: 'add'; by: number } },
      actions: { add: assign({ n: ({ context, event }) => context.n + event.by }) },
    }).createMachine({
      id: 'm',
      context: { n: 0 },
      initial: 'a',
      states: { a: { on: { add: { actions: 'add' } } } },
    });
    const machine: unknown = counting;
    const step = flatMachine(machine as AnyStateMachine);
    expect(step({ value: 'a', context: { n: 2 } }, { type: 'add', by: 3 } as never)).toEqual({
      value: 'a',
      context: { n: 5 },
    });
  });

  test.each([
    ['a child state', 'the word initial', two({ initial: 'c', states: { c: {} } })],
    ['a final state', 'the word type', two({ type: 'final' })],
    ['an eventless transition', 'the word always', two({ always: 'b' })],
    ['a timer', 'the word after', two({ after: { 10: 'b' } })],
    ['an invoked actor', 'the word invoke', two({ invoke: { src: 'x' } })],
    ['an entry action', 'the word entry', two({ entry: 'note' })],
    ['an exit action of the machine', 'the word exit', two({}, { exit: 'note' })],
    ['a wildcard', 'a transition for *', two({ on: { '*': 'b' } })],
    ['an event of XState itself', 'a transition for xstate.init', two({ on: { 'xstate.init': 'b' } })],
    [
      'a guard called like what every object has',
      'a guard that is not a named function',
      two({ on: { go: { guard: 'toString', target: 'b' } } }),
    ],
    [
      'a guard that is not named',
      'a guard that is not a named function',
      two({ on: { go: { guard: () => true, target: 'b' } } }),
    ],
    [
      'a guard that nobody made',
      'a guard that is not a named function',
      two({ on: { go: { guard: 'no', target: 'b' } } }),
    ],
    ['an effect', 'an action that is no named assign', two({ on: { go: { actions: 'ring' } } })],
    [
      'an action that is not named',
      'an action that is no named assign',
      two({ on: { go: { actions: assign({ n: 1 }) } } }),
    ],
    [
      'a transition to itself and another',
      'a transition to what is no state of its own',
      two({ on: { go: { target: ['b', 'a'] } } }),
    ],
    [
      'a target in a list, though it is the only one',
      'a transition to what is no state of its own',
      two({ on: { go: { target: ['b'] } } }),
    ],
    [
      'an action that nobody made',
      'an action that is no named assign',
      two({ on: { go: { actions: 'sing' } } }),
    ],
  ])('%s', (_, what, config) => {
    const machine: unknown = createMachine(config as never).provide({
      guards: { yes: () => true },
      actions: { note: assign({ n: 1 }), ring: () => {} },
    } as never);
    expect(() => flatMachine(machine as AnyStateMachine)).toThrow(
      `the machine m has ${what}; src/breaker/control/flat-machine.ts cannot step that`,
    );
  });
});

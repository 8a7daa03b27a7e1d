// Machines that are made without XState step as those that XState made, from every state for every event.
import fc from 'fast-check';
import { beforeAll, expect, test, vi } from 'vitest';
import { setup } from '../../src/build/xstate-definitions.ts';
import { evolve, MACHINES } from '../../src/control/evolve.ts';
import { flatMachine } from '../../src/control/flat-machine.ts';
import { MACHINE_NAMES } from '../../src/control/state.ts';
import { play, strokes } from '../support/control-logs.ts';
import { breakerClosed, breakerOpened } from '../support/machine-events.ts';

const RUNS = { numRuns: process.env.BREAKWATER_LONG === undefined ? 100 : 3_000 };

let bare: typeof import('../../src/control/evolve.ts');

beforeAll(async () => {
  vi.resetModules();
  vi.doMock('xstate', () => import('../../src/build/xstate-definitions.ts'));
  bare = await import('../../src/control/evolve.ts');
  vi.doUnmock('xstate');
});

test('they know the same states, and nothing else of XState', () => {
  for (const name of MACHINE_NAMES) {
    expect(Object.keys(bare.MACHINES[name].states)).toEqual(Object.keys(MACHINES[name].states));
    expect(Object.keys(bare.MACHINES[name])).toEqual(['id', 'config', 'states', 'implementations']);
  }
});

test('each machine steps the same, whatever it is told in whatever state', () => {
  const pairs = MACHINE_NAMES.map(
    (name) => [name, flatMachine(MACHINES[name]), flatMachine(bare.MACHINES[name])] as const,
  );
  let moves = 0;
  fc.assert(
    fc.property(strokes(), (log) => {
      for (const { event, before } of play(log).passed) {
        const told = [event, breakerOpened({ draw: 0.3 }, event.moment), breakerClosed(event.moment)];
        for (const [name, step, stepBare] of pairs) {
          for (const one of told) {
            const expected = step(before[name], one);
            const found = stepBare(before[name], one);
            expect(found).toEqual(expected);
            expect(found === before[name]).toBe(expected === before[name]);
            if (found !== before[name]) moves += 1;
          }
        }
      }
    }),
    RUNS,
  );
  expect(moves).toBeGreaterThan(RUNS.numRuns);
});

test('all of them together come to the same state', () => {
  fc.assert(
    fc.property(strokes(), (log) => {
      for (const { event, before } of play(log).passed) {
        expect(bare.evolve(before, event)).toEqual(evolve(before, event));
      }
    }),
    RUNS,
  );
});

test('what only XState could do is refused', () => {
  const parts: object = { guards: {}, actors: {} };
  expect(() => setup(parts)).toThrow('set up with actors');
});

// evolve against a second telling of the same rules, and against XState's own way of doing it.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createActor, transition } from 'xstate';
import { CONTROL_EVENT_TYPES, type StampedControlEvent } from '../../../machines/events.ts';
import {
  evolve,
  evolveWatched,
  type Heard,
  hearersOf,
  MACHINES,
} from '../../../src/breaker/control/evolve.ts';
import { eventOf } from '../../../src/breaker/control/replay.ts';
import { type ControlState, INITIAL_STATE, MACHINE_NAMES } from '../../../src/breaker/control/state.ts';
import { play, strokes } from '../../support/control-logs.ts';
import { event } from '../../support/machine-events.ts';
import { moment } from '../../support/moments.ts';
import { beginning, inWordsOfEvolve, tell } from './oracle.ts';

const RUNS = { numRuns: process.env.BREAKWATER_LONG === undefined ? 300 : 10_000 };

test('the fold of an empty log is what the machines begin with', () => {
  for (const name of MACHINE_NAMES) {
    const { value, context } = createActor(MACHINES[name]).getSnapshot();
    expect({ name, value, context }).toEqual({ name, ...INITIAL_STATE[name] });
  }
  expect(inWordsOfEvolve(beginning())).toEqual(INITIAL_STATE);
});

test('an independent telling of the rules agrees with evolve on every state and every void', () => {
  fc.assert(
    fc.property(strokes(), (log) => {
      const told = beginning();
      for (const { event, before, after } of play(log).passed) {
        const isHeard = tell(told, event);
        expect(inWordsOfEvolve(told), event.type).toEqual(after);
        expect(isHeard, event.type).toBe(after !== before);
      }
    }),
    RUNS,
  );
});

test('random logs come by every state of every machine', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(strokes(), (log) => {
      for (const { after } of play(log).passed) {
        for (const name of MACHINE_NAMES) seen.add(`${name}.${after[name].value}`);
      }
    }),
    RUNS,
  );
  const all = MACHINE_NAMES.flatMap((name) =>
    Object.keys(MACHINES[name].states).map((value) => `${name}.${value}`),
  );
  expect([...seen].sort()).toEqual(all.sort());
});

test("a step agrees with XState's transition()", () => {
  fc.assert(
    fc.property(strokes(), (log) => {
      for (const { event, before, after } of play(log).passed) {
        for (const name of hearersOf(event)) {
          // Where the breaker moved, recovery was told of that as well: two events.
          const isToldMore = name === 'recovery' && after.breaker.value !== before.breaker.value;
          if (after === before || isToldMore) continue;
          const [next] = transition(MACHINES[name], MACHINES[name].resolveState(before[name]), event);
          expect({ value: next.value, context: next.context }, name).toEqual(after[name]);
        }
      }
    }),
    RUNS,
  );
});

test('a state that went through JSON folds on identically, and what is void stays void', () => {
  fc.assert(
    fc.property(strokes(), (log) => {
      for (const { event, before, after } of play(log).passed) {
        const read = JSON.parse(JSON.stringify(before)) as ControlState;
        const next = evolve(read, event);
        expect(next).toEqual(after);
        expect(JSON.parse(JSON.stringify(next))).toEqual(next);
        expect(next === read).toBe(after === before);
      }
    }),
    RUNS,
  );
});

test('folding leaves the state before as it was', () => {
  fc.assert(
    fc.property(strokes(), (log) => {
      const passed = play(log).passed;
      const kept = passed.map(({ before }) => JSON.stringify(before));
      passed.forEach(({ event, before }) => void evolve(before, event));
      expect(passed.map(({ before }) => JSON.stringify(before))).toEqual(kept);
    }),
  );
});

test('every type of event has somebody who hears it', () => {
  for (const type of CONTROL_EVENT_TYPES) {
    const hearers = hearersOf(event(type));
    expect(hearers.length, type).toBeGreaterThan(0);
    for (const name of hearers) expect(MACHINE_NAMES).toContain(name);
  }
});

test.each([
  ['lease.requested', 'probe', ['probe']],
  ['lease.renewed', 'probe', ['probe']],
  ['lease.claimed', 'probe', ['probe', 'recovery']],
  ['lease.released', 'probe', ['probe', 'recovery']],
  ['lease.lost', 'probe', ['probe', 'recovery']],
  ['lease.requested', 'drain', ['drain']],
  ['lease.renewed', 'drain', ['drain']],
  ['lease.claimed', 'drain', ['drain']],
  ['lease.released', 'drain', ['drain']],
  ['lease.lost', 'drain', ['drain']],
] as const)('a %s of the %s lease is for %j', (type, lease, hearers) => {
  expect(hearersOf(event(type, { lease }))).toEqual(hearers);
});

describe('one who watches', () => {
  const opens = event('attempt.failed', { epoch: 1, opensAfter: 1, draw: 0.25 }, moment(1), 'one');
  const granted = evolve(INITIAL_STATE, event('lease.claimed', { lease: 'drain' }, moment(0), 'one'));
  const watched = (state: ControlState, told: StampedControlEvent) => {
    const heard: Heard[] = [];
    const after = evolveWatched(state, told, (one) => heard.push(one));
    expect(after).toEqual(evolve(state, told));
    return { heard, after };
  };

  test('is told of each machine that heard the event, and of what one machine told another', () => {
    const { heard, after } = watched(granted, opens);
    const { moment: at, by } = opens;
    expect(heard).toStrictEqual([
      { name: 'breaker', source: null, event: opens, before: granted.breaker, after: after.breaker },
      {
        name: 'recovery',
        source: 'breaker',
        event: { type: 'breaker.opened', class: 'outage', draw: 0.25, moment: at, by },
        before: granted.recovery,
        after: after.recovery,
      },
    ]);
  });

  test('is told how long the server asked to be left alone, when it did', () => {
    const { heard } = watched(granted, { ...opens, retryAfterMs: 7_000 });
    expect(heard[1]?.event).toMatchObject({ type: 'breaker.opened', retryAfterMs: 7_000 });
  });

  test('is told of a machine that did nothing, and of no move that was none', () => {
    const { heard } = watched(granted, event('attempt.succeeded', { epoch: 1 }, moment(1), 'one'));
    expect(heard.map(({ name, before, after }) => [name, before === after])).toEqual([
      ['breaker', true],
      ['recovery', true],
    ]);
  });

  test('is told of nothing when nobody may hear it', () => {
    expect(watched(INITIAL_STATE, opens).heard).toEqual([]);
  });
});

describe('who is heard', () => {
  const granted = evolve(INITIAL_STATE, event('lease.claimed', { lease: 'drain' }, moment(0), 'one'));

  test('the holder', () => {
    const after = evolve(granted, event('attempt.failed', { epoch: 1 }, moment(1), 'one'));
    expect(after.breaker.context.failures).toBe(1);
  });

  test.each([
    ['an old epoch', 0, 'one'],
    ['an epoch that was never granted', 2, 'one'],
    ['another invocation in the name of this epoch', 1, 'two'],
  ])('not %s', (_, epoch, by) => {
    for (const type of ['attempt.failed', 'lease.renewed', 'lease.released', 'backlog.drained'] as const) {
      expect(evolve(granted, event(type, { lease: 'drain', epoch }, moment(1), by)), type).toBe(granted);
    }
  });

  test('anybody who saw the holder gone', () => {
    const after = evolve(granted, event('lease.lost', { lease: 'drain', epoch: 1 }, moment(1), 'two'));
    expect(after.drain.value).toBe('free');
  });

  test('nobody before the first grant', () => {
    expect(evolve(INITIAL_STATE, event('attempt.failed', { epoch: 0 }, moment(1), ''))).toBe(INITIAL_STATE);
  });

  test('no prober while the breaker is closed, not even a forced one', () => {
    expect(evolve(INITIAL_STATE, event('lease.claimed', { isForced: true }))).toBe(INITIAL_STATE);
  });
});

describe('a canary that fails', () => {
  const at = (ms: number) => moment(ms);
  const log = [
    event('lease.claimed', { lease: 'drain', forMs: 9e6 }, at(0)),
    event('probe.failed', { lease: 'drain' }, at(1)),
    event('lease.claimed', {}, at(60_001)),
    event('probe.succeeded', { epoch: 1 }, at(60_002)),
    event('lease.released', { epoch: 1 }, at(60_003)),
    event('attempt.failed', {}, at(60_004)),
  ];

  test('opens again with a longer wait and no second penalty', () => {
    const state = log.reduce(evolve, INITIAL_STATE);
    expect(state.breaker.value).toBe('open');
    expect(state.breaker.context.penalty).toBe(1);
    expect(state.recovery).toMatchObject({
      value: 'waiting',
      context: { attempt: 2, due: { from: at(60_004), waitMs: 240_000 } },
    });
  });
});

test('a probe brings one result; a second of the same epoch is void', () => {
  const log = [
    event('lease.claimed', { lease: 'drain', forMs: 9e6 }, moment(0)),
    event('probe.failed', { lease: 'drain' }, moment(1)),
    event('lease.claimed', {}, moment(60_001)),
    event('probe.failed', { epoch: 1 }, moment(60_002)),
    event('probe.succeeded', { epoch: 1 }, moment(60_003)),
  ];
  const state = log.reduce(evolve, INITIAL_STATE);
  expect([state.breaker.value, state.recovery.value]).toEqual(['open', 'waiting']);
});

test.each([
  ['lease.requested', { lease: 'sync', forMs: 1 }],
  ['lease.released', { lease: 'sync', epoch: 1, reason: '' }],
  ['hold.placed', { hold: 'quota', stance: 'open', reason: '', forMs: 1 }],
] as const)('a %s for something that this code does not know is no event', (type, data) => {
  const envelope = { v: 1, id: 'x', at: 0, mono: 0, boot: 'b', inv: 'cli-1' };
  expect(eventOf({ ...envelope, type, data })).toBe(null);
});

// The stream: every event that a machine was let hear, the snapshot after it, and nothing else; the last snapshot of
// each machine is its state. That it is what live actors send is tested in a browser (test/browser/inspect.test.ts).

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ERA } from '../../machines/era.ts';
import { MACHINES } from '../../src/breaker/control/evolve.ts';
import { INITIAL_STATE, MACHINE_NAMES } from '../../src/breaker/control/state.ts';
import { MemoryJournal } from '../../src/breaker/journal/memory-journal.ts';
import { makeRecord } from '../../src/breaker/journal/writer.ts';
import { ADOPTED, inspect, openingEvents } from '../../src/inspect/protocol.ts';
import { play, strokes } from '../support/control-logs.ts';
import { FakeClock, fakeWriter } from '../support/fake-writer.ts';
import { writeOutage } from '../support/outage-journal.ts';
import { PROPERTY_RUNS } from '../support/property-runs.ts';
import { controlJournal, entriesOf, foldAll } from '../support/streams.ts';

interface Told {
  readonly type: string;
  readonly sessionId: string;
  readonly createdAt: string;
  readonly event?: { readonly type: string };
  readonly snapshot?: { readonly value: string; readonly context: unknown };
}
const told = (events: readonly unknown[]) => events as readonly Told[];

async function outageSteps() {
  const journal = new MemoryJournal();
  await writeOutage(journal);
  return foldAll(await entriesOf(journal)).steps;
}

test('each machine opens as an actor with its definition, then its start', () => {
  const events = told(openingEvents(INITIAL_STATE, 1234));
  expect(events.map(({ type, sessionId }) => [type, sessionId])).toEqual(
    MACHINE_NAMES.flatMap((name) => [
      ['@xstate.actor', name],
      ['@xstate.event', name],
      ['@xstate.snapshot', name],
    ]),
  );
  const breaker = events[0] as unknown as { definition: string; createdAt: string };
  expect(JSON.parse(breaker.definition)).toEqual(MACHINES.breaker.config);
  expect(breaker.createdAt).toBe('1234');
});

test('a record is told to those who hear it, with the time of the record; what follows from it names its source', async () => {
  const step = (await outageSteps()).find(({ record }) => record.type === 'probe.failed');
  const { events, moves } = inspect(step!);
  expect(told(events).map(({ type, sessionId, event }) => `${type} ${sessionId} ${event?.type}`)).toEqual([
    '@xstate.event breaker probe.failed',
    '@xstate.snapshot breaker probe.failed',
    '@xstate.event recovery probe.failed',
    '@xstate.snapshot recovery probe.failed',
    '@xstate.event recovery breaker.opened',
    '@xstate.snapshot recovery breaker.opened',
  ]);
  expect(events[4]).toMatchObject({ sourceId: 'breaker' });
  expect(new Set(told(events).map(({ createdAt }) => createdAt))).toEqual(new Set([String(step!.record.at)]));
  expect(moves).toEqual([
    { actor: 'breaker', from: 'closed', to: 'open', event: 'probe.failed' },
    { actor: 'recovery', from: 'idle', to: 'waiting', event: 'breaker.opened' },
  ]);
});

test('what no machine may hear is not told: a result of an old epoch', async () => {
  const step = (await outageSteps()).find(
    ({ record, isVoid }) => isVoid && record.type === 'probe.succeeded',
  );
  expect(inspect(step!)).toEqual({ events: [], moves: [] });
});

test('whatever the log, the last that was told of a machine is its state, and moves are what moved', async () => {
  await fc.assert(
    fc.asyncProperty(strokes(), async (log) => {
      const journal = await controlJournal(play(log).passed.map(({ event }) => event));
      const newest = new Map(MACHINE_NAMES.map((name) => [name as string, INITIAL_STATE[name] as unknown]));
      for (const step of foldAll(await entriesOf(journal)).steps) {
        const { events, moves } = inspect(step);
        for (const { type, sessionId, snapshot } of told(events)) {
          if (type === '@xstate.snapshot')
            newest.set(sessionId, { value: snapshot?.value, context: snapshot?.context });
        }
        for (const name of MACHINE_NAMES) {
          expect(newest.get(name)).toEqual(step.after[name]);
          expect(moves.some(({ actor }) => actor === name)).toBe(step.after[name] !== step.before[name]);
        }
        expect(JSON.parse(JSON.stringify(events))).toEqual(withoutUndefined(events));
      }
    }),
    { numRuns: Math.min(60, PROPERTY_RUNS.numRuns) },
  );
});

describe('a record of another era', () => {
  test('is told as adopted, in the state that it recorded', async () => {
    const journal = new MemoryJournal();
    const writer = fakeWriter(new FakeClock());
    const witness = { seen: 0, from: { breaker: 'closed' }, to: { breaker: 'open' }, era: `not-${ERA}` };
    const data = { lease: 'drain', epoch: 1, count: 1 };
    await journal.append('control', [makeRecord(writer, 'attempt.succeeded', data, witness)]);
    const [step] = foldAll(await entriesOf(journal)).steps;
    expect(step?.agreement).toBe('adopted');
    const { events, moves } = inspect(step!);
    expect(
      told(events).map(({ sessionId, event, snapshot }) => [sessionId, event?.type, snapshot?.value]),
    ).toEqual([
      ['breaker', ADOPTED, 'open'],
      ['recovery', ADOPTED, 'waiting'],
    ]);
    expect(moves.map(({ actor, from, to }) => [actor, from, to])).toEqual([
      ['breaker', 'closed', 'open'],
      ['recovery', 'idle', 'waiting'],
    ]);
  });
});

/** As JSON sees it. */
function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutUndefined(inner)]));
}

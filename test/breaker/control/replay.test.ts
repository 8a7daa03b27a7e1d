// Replay: one log, one history, for whoever reads it, from the beginning or from any checkpoint; and what it says
// when history and fold differ.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ERA } from '../../../machines/era.ts';
import type { StampedControlEvent } from '../../../machines/events.ts';
import { EMPTY_FOLD, eventOf, type FoldState, foldEntry } from '../../../src/breaker/control/replay.ts';
import { INITIAL_STATE, MACHINE_NAMES } from '../../../src/breaker/control/state.ts';
import { isSameTransition, transitionOf } from '../../../src/breaker/control/witness.ts';
import type { Entry } from '../../../src/breaker/journal/lines.ts';
import type { JournalRecord, Witness } from '../../../src/breaker/journal/record.ts';
import { play, strokes } from '../../support/control-logs.ts';
import { event } from '../../support/machine-events.ts';
import { moment } from '../../support/moments.ts';
import { controlJournal, entriesOf, foldAll } from '../../support/streams.ts';

const RUNS = { numRuns: process.env.BREAKWATER_LONG === undefined ? 60 : 1_000 };
const eventsOf = (log: Parameters<typeof play>[0]) => play(log).passed.map(({ event }) => event);

/** Records by hand: what one line says, at which position. */
function entry(position: number, from: StampedControlEvent, witness?: Witness): Entry {
  const { type, moment, by, ...data } = from;
  const envelope = { v: 1, id: `id-${position}`, ...moment, inv: by, type, data };
  const record: JournalRecord = witness === undefined ? envelope : { ...envelope, witness };
  return { kind: 'record', position, next: position + 100, record };
}
const damaged = (position: number): Entry => ({
  kind: 'damaged',
  position,
  next: position + 100,
  reason: 'checksum',
});
const witness = (seen: number, from = {}, to = {}, era = ERA): Witness => ({ seen, from, to, era });
const opening = event('attempt.failed', { opensAfter: 1 }, moment(1));
const claimed = event('lease.claimed', { lease: 'drain', forMs: 9e6 }, moment(0));
const granted = witness(0, { drain: 'free#0' }, { drain: 'held#1' });

test('8: replay gives the states that the writers saw, the same each time', () => {
  return fc.assert(
    fc.asyncProperty(strokes(40), async (log) => {
      const { passed } = play(log);
      const entries = await entriesOf(await controlJournal(passed.map(({ event }) => event)));
      const { steps, fold } = foldAll(entries);
      expect(steps.map((step) => step.after)).toEqual(passed.map(({ after }) => after));
      expect(steps.map((step) => step.isVoid)).toEqual(passed.map(({ before, after }) => before === after));
      expect(foldAll(entries).fold).toEqual(fold);
      expect(fold.counts).toMatchObject({ records: passed.length, drift: 0, adopted: 0, contended: 0 });
    }),
    RUNS,
  );
});

test('8: a checkpoint through JSON and the tail behind it equal the whole log, at every cut', () => {
  return fc.assert(
    fc.asyncProperty(strokes(25), async (log) => {
      const entries = await entriesOf(await controlJournal(eventsOf(log)));
      const { fold } = foldAll(entries);
      let before = EMPTY_FOLD;
      for (let cut = 0; cut <= entries.length; cut++) {
        const kept = JSON.parse(JSON.stringify(before)) as FoldState;
        expect(foldAll(entries.slice(cut), kept).fold).toEqual(fold);
        if (cut < entries.length) before = foldEntry(before, entries[cut]!).fold;
      }
    }),
    RUNS,
  );
});

test('17: the state at a record is the fold of the records up to it', () => {
  return fc.assert(
    fc.asyncProperty(strokes(25), async (log) => {
      const entries = await entriesOf(await controlJournal(eventsOf(log)));
      const { steps } = foldAll(entries);
      steps.forEach((step, index) => {
        expect(foldAll(entries.slice(0, index + 1)).fold.control).toEqual(step.after);
      });
    }),
    RUNS,
  );
});

describe('agreement', () => {
  test('a record whose transition is what the fold computes agrees', () => {
    const { steps } = foldAll([entry(0, claimed, granted)]);
    expect(steps[0]).toMatchObject({ agreement: 'agreed', isVoid: false });
  });

  test('a record without a witness is taken as it is', () => {
    expect(foldAll([entry(0, claimed)]).steps[0]).toMatchObject({ agreement: 'agreed', isVoid: false });
  });

  test('a claim that came second is contended and void', () => {
    const other = { ...claimed, by: 'two' };
    const { steps, fold } = foldAll([entry(0, claimed, granted), entry(100, other, granted)]);
    expect(steps[1]).toMatchObject({ agreement: 'contended', isVoid: true });
    expect(fold.control.drain.context.owner).toBe('one');
    expect(fold.counts).toMatchObject({ contended: 1, voids: 1, drift: 0 });
  });

  test('what another wrote before `seen` is no contention', () => {
    const other = { ...claimed, by: 'two' };
    const { steps } = foldAll([entry(0, claimed, granted), entry(100, other, { ...granted, seen: 100 })]);
    expect(steps[1]).toMatchObject({ agreement: 'drift' });
  });

  test('what the same invocation wrote in between is no contention', () => {
    const { steps } = foldAll([entry(0, claimed, granted), entry(100, claimed, granted)]);
    expect(steps[1]).toMatchObject({ agreement: 'drift' });
  });

  test('a difference inside one era that nobody caused is drift, and the fold stands', () => {
    const { steps, fold } = foldAll([
      entry(0, claimed, granted),
      entry(100, opening, witness(100, { breaker: 'closed' }, { breaker: 'halfOpen' })),
    ]);
    expect(steps[1]).toMatchObject({ agreement: 'drift', computed: { to: { breaker: 'open' } } });
    expect(fold.control.breaker.value).toBe('open');
    expect(fold.counts.drift).toBe(1);
  });

  test('across eras history is taken as it was recorded', () => {
    const { steps, fold } = foldAll([
      entry(0, claimed, { ...granted, era: 'older' }),
      entry(100, opening, witness(100, { breaker: 'closed' }, { breaker: 'halfOpen' }, 'older')),
    ]);
    expect(steps.map((step) => step.agreement)).toEqual(['agreed', 'adopted']);
    expect(fold.control.breaker.value).toBe('halfOpen');
    // Breaker and recovery move together: the one that is told of leads, what else it knows stays.
    expect(fold.control.recovery).toEqual({ ...INITIAL_STATE.recovery, value: 'proving' });
    expect(fold.control.drain.context.epoch).toBe(1);
  });

  test('a recorded epoch is adopted with its lease', () => {
    const later = witness(0, { drain: 'free#41' }, { drain: 'held#42' }, 'older');
    const { fold } = foldAll([entry(0, claimed, later)]);
    expect(fold.control.drain).toMatchObject({ value: 'held', context: { epoch: 42 } });
  });

  test('states and machines that nobody knows any more are left as computed', () => {
    const to = { breaker: 'ajar', drain: 'held#1', airlock: 'shut' };
    const { fold } = foldAll([entry(0, claimed, witness(0, {}, to, 'older'))]);
    expect(fold.control.breaker.value).toBe('closed');
    expect(fold.control.drain.value).toBe('held');
  });

  test('after a damaged line the next record that differs is adopted', () => {
    const moved = { breaker: 'closed', recovery: 'ramping' };
    const { steps, fold } = foldAll([
      entry(0, claimed, granted),
      damaged(100),
      entry(200, event('attempt.succeeded', {}, moment(2)), witness(200, {}, moved)),
    ]);
    expect(steps[1]).toMatchObject({ agreement: 'adopted' });
    expect(fold.control.recovery.value).toBe('ramping');
    expect(fold).toMatchObject({ counts: { damaged: 1, adopted: 1 } });
  });

  test('a record without a witness settles no doubt', () => {
    const { fold } = foldAll([damaged(0), entry(100, claimed)]);
    expect(fold.doubted).toEqual(MACHINE_NAMES);
    expect(foldAll([damaged(0), entry(100, claimed, granted)]).fold.doubted).not.toContain('drain');
  });

  test('a log without damage doubts nothing', () => {
    expect(foldAll([entry(0, claimed, granted)]).fold.doubted).toEqual([]);
  });

  test('what is adopted settles the doubt of the machines that it tells of, and of no other', () => {
    const from = { breaker: 'closed', recovery: 'idle' };
    const moved = witness(200, from, { breaker: 'open', recovery: 'waiting' });
    const { fold, steps } = foldAll([damaged(0), entry(100, claimed, granted), entry(200, opening, moved)]);
    expect(steps.map(({ agreement }) => agreement)).toEqual(['agreed', 'agreed']);
    expect(fold.doubted).toEqual(['probe', 'operator', 'config', 'throttle']);
    const other = witness(200, {}, { breaker: 'halfOpen' });
    const adopted = foldAll([damaged(0), entry(100, claimed, granted), entry(200, opening, other)]);
    expect(adopted.steps[1]?.agreement).toBe('adopted');
    expect(adopted.fold.doubted).toEqual(['recovery', 'probe', 'operator', 'config', 'throttle']);
  });

  test('what is contended settles no doubt: it was told of another state', () => {
    const other = { ...claimed, by: 'two' };
    const late = witness(0, {}, { drain: 'held#7', breaker: 'open' });
    const { fold, steps } = foldAll([damaged(0), entry(100, claimed, granted), entry(200, other, late)]);
    expect(steps[1]?.agreement).toBe('contended');
    expect(fold.doubted).toContain('breaker');
  });

  test('the first record of a log is contended by nobody', () => {
    const { steps } = foldAll([entry(0, claimed, witness(0, {}, { drain: 'held#7' }))]);
    expect(steps[0]?.agreement).toBe('drift');
  });

  test('a lease that is adopted belongs to whoever was granted it', () => {
    const probe = event('lease.claimed', { draw: 0 }, moment(70_000));
    const answer = event('probe.succeeded', { epoch: 1 }, moment(70_001));
    const { fold } = foldAll([
      entry(0, claimed, granted),
      // Damaged: the opening of the breaker, at moment(1).
      damaged(100),
      entry(200, probe, witness(200, {}, { probe: 'held#1', recovery: 'probing' })),
      entry(300, answer, witness(300, {}, { breaker: 'halfOpen', recovery: 'proving' })),
    ]);
    expect(fold.counts.drift).toBe(0);
  });

  test('what a damaged line moved is adopted when the machine that it moved is next heard of', () => {
    const { fold } = foldAll([
      entry(0, claimed, granted),
      entry(
        100,
        opening,
        witness(100, { breaker: 'closed', recovery: 'idle' }, { breaker: 'open', recovery: 'waiting' }),
      ),
      entry(
        200,
        event('lease.claimed', {}, moment(70_000)),
        witness(200, { probe: 'free#0', recovery: 'waiting' }, { probe: 'held#1', recovery: 'probing' }),
      ),
      damaged(300),
      entry(400, event('lease.released', {}, moment(70_002)), witness(400, {}, { probe: 'free#1' })),
      entry(
        500,
        event('attempt.succeeded', {}, moment(70_003)),
        witness(500, {}, { breaker: 'closed', recovery: 'ramping' }),
      ),
    ]);
    expect(fold.counts.drift).toBe(0);
    expect(fold.control.breaker.value).toBe('closed');
  });
});

describe('what is no event', () => {
  test('a damaged line is counted and moves nothing', () => {
    const { fold, step } = foldEntry(EMPTY_FOLD, damaged(0));
    expect(step).toBe(null);
    expect(fold.control).toBe(INITIAL_STATE);
    expect(fold.counts.damaged).toBe(1);
  });

  test('a line of a newer version is counted and moves nothing', () => {
    const { fold, step } = foldEntry(EMPTY_FOLD, { kind: 'newer', position: 0, next: 9, version: 2 });
    expect(step).toBe(null);
    expect(fold.control).toBe(INITIAL_STATE);
    expect(fold.counts.newer).toBe(1);
  });

  test('a record of a type that this code does not know is void', () => {
    const unknown = entry(0, { ...claimed, type: 'tide.turned' } as never);
    const { fold, step } = foldEntry(EMPTY_FOLD, unknown);
    expect(step).toMatchObject({ event: null, isVoid: true });
    expect(fold.control).toBe(INITIAL_STATE);
  });

  test('data cannot pose as the envelope', () => {
    const posing = { v: 1, id: 'x', at: 1, mono: 2, boot: 'b', inv: 'one', type: 'lease.requested' } as const;
    const data = { lease: 'drain', forMs: 1, by: 'two', moment: 0, type: 'hold.placed' };
    expect(eventOf({ ...posing, data })).toMatchObject({
      type: 'lease.requested',
      by: 'one',
      moment: { at: 1, mono: 2, boot: 'b' },
    });
  });
});

test('a transition names the machines that moved, leases with their epoch', () => {
  fc.assert(
    fc.property(strokes(30), (log) => {
      for (const { before, after } of play(log).passed) {
        const { from, to } = transitionOf(before, after);
        expect(Object.keys(from)).toEqual(Object.keys(to));
        expect(Object.keys(to).length === 0).toBe(before === after);
        expect(isSameTransition({ from, to }, JSON.parse(JSON.stringify({ from, to })))).toBe(true);
        if (to.drain !== undefined)
          expect(to.drain).toBe(`${after.drain.value}#${after.drain.context.epoch}`);
      }
    }),
  );
});

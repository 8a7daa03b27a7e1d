// The control stream as processes share it: claims that race, appends that fail, checkpoints, newer logs.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ControlLog } from '../../../src/breaker/control/control-log.ts';
import { gate } from '../../../src/breaker/control/decide.ts';
import { INITIAL_STATE } from '../../../src/breaker/control/state.ts';
import { JournalError } from '../../../src/breaker/journal/journal.ts';
import { joinLines } from '../../../src/breaker/journal/lines.ts';
import { MemoryJournal } from '../../../src/breaker/journal/memory-journal.ts';
import { encodeLine } from '../../../src/breaker/journal/record.ts';
import { makeRecord } from '../../../src/breaker/journal/writer.ts';
import { FakeClock, fakeWriter } from '../../support/fake-writer.ts';
import { drainClaim, moves, playHonestly, probeClaim, probeFailed } from '../../support/honest-writers.ts';
import { journalWith } from '../../support/journal-with.ts';
import { entriesOf, foldAll } from '../../support/streams.ts';

const RUNS = { numRuns: process.env.BREAKWATER_LONG === undefined ? 60 : 1_000 };
function setting() {
  const clock = new FakeClock();
  const journal = new MemoryJournal();
  let seed = 0;
  const open = (inv: string) => {
    seed += 1;
    return ControlLog.open(journal, fakeWriter(clock, inv, seed));
  };
  return { clock, journal, open };
}

describe('an append', () => {
  test('comes back as steps, in order, folded', async () => {
    const log = await setting().open('one');
    const recorded = await log.append(drainClaim, probeFailed('drain', 1));
    expect(recorded.ok && recorded.steps.map(({ isVoid, agreement }) => ({ isVoid, agreement }))).toEqual([
      { isVoid: false, agreement: 'agreed' },
      { isVoid: false, agreement: 'agreed' },
    ]);
    expect(log.state.breaker.value).toBe('open');
  });

  test('that fails says why and leaves the state as it was', async () => {
    const { clock, journal } = setting();
    const failure = { kind: 'full', detail: 'only 3 of 300 bytes fitted' } as const;
    const full = journalWith(journal, {
      append: async () => ({ ok: false, failure }),
    });
    const log = await ControlLog.open(full, fakeWriter(clock));
    expect(await log.append(drainClaim)).toEqual({ ok: false, failure });
    expect(log.state).toBe(INITIAL_STATE);
    // For a caller that cannot go on it is an error of the journal.
    const thrown = await log.appendOrThrow(drainClaim).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(JournalError);
    expect((thrown as Error).message).toContain(failure.detail);
  });

  test('comes back as its steps to a caller that cannot go on without', async () => {
    const log = await setting().open('one');
    expect(await log.appendOrThrow(drainClaim)).toMatchObject([{ isVoid: false, agreement: 'agreed' }]);
  });

  test('of an event that no reader would hear is refused, and nothing is written', async () => {
    const { journal, open } = setting();
    const log = await open('one');
    const endless = { ...drainClaim, forMs: Number.POSITIVE_INFINITY };
    await expect(log.append(drainClaim, endless)).rejects.toThrow(
      'a lease.claimed of this shape would be void: {"lease":"drain","forMs":null',
    );
    expect(await journal.size('control')).toBe(0);
  });

  test('that was acknowledged and is not there is a broken invariant', async () => {
    const { clock, journal } = setting();
    const forgetful = journalWith(journal, {
      append: async () => ({ ok: true }),
    });
    const log = await ControlLog.open(forgetful, fakeWriter(clock));
    await expect(log.append(drainClaim)).rejects.toThrow('not in the log');
  });

  test('of which only a part is there is one as well', async () => {
    const { clock, journal } = setting();
    const careless = journalWith(journal, {
      append: (stream, records) => journal.append(stream, records.slice(0, 1)),
    });
    const log = await ControlLog.open(careless, fakeWriter(clock));
    await expect(log.append(drainClaim, probeFailed('drain', 1))).rejects.toThrow('not in the log');
  });

  test('is refused under a log that a newer version wrote', async () => {
    const { clock, journal, open } = setting();
    const record = makeRecord(fakeWriter(clock), 'tide.turned', {});
    journal.appendBytes('control', joinLines([encodeLine({ ...record, v: 2 })]));
    const log = await open('one');
    const before = await journal.size('control');
    const recorded = await log.append(drainClaim);
    expect(recorded.ok === false && recorded.failure).toEqual({
      kind: 'newer',
      detail: 'the journal was written by a newer version: update this one',
    });
    expect(await journal.size('control')).toBe(before);
  });

  test('is not believed when a newer version wrote beside it: what it came to only that one can say', async () => {
    const { clock, journal } = setting();
    const newer = { ...makeRecord(fakeWriter(clock, 'newer', 2), 'tide.turned', {}), v: 2 };
    const beside = journalWith(journal, {
      append: (stream, records) => {
        journal.appendBytes('control', joinLines([encodeLine(newer)]));
        return journal.append(stream, records);
      },
    });
    const log = await ControlLog.open(beside, fakeWriter(clock));
    expect(await log.append(drainClaim)).toMatchObject({ ok: false, failure: { kind: 'newer' } });
    await expect(log.appendOrThrow(drainClaim)).rejects.toThrow('update this one');
  });
});

test('after an append that could not be read back the next one first reads it: its own words are no drift', async () => {
  const { clock, journal } = setting();
  let isReadable = true;
  const failing = journalWith(journal, {
    read: async (stream, from) => {
      if (!isReadable) throw Object.assign(new Error('EIO: made up, read'), { code: 'EIO' });
      return journal.read(stream, from);
    },
  });
  const log = await ControlLog.open(failing, fakeWriter(clock));
  await log.append(drainClaim);
  const released = { type: 'lease.released', lease: 'drain', epoch: 1, reason: 'idle' } as const;
  isReadable = false;
  await expect(log.append(released)).rejects.toThrow('EIO');
  isReadable = true;
  const again = await log.append(released);
  expect(again.ok && again.steps.map(({ isVoid, agreement }) => ({ isVoid, agreement }))).toEqual([
    { isVoid: true, agreement: 'agreed' },
  ]);
});

test('a log is read to its end, and whoever follows it is told of records and of nothing else', async () => {
  const { clock, journal, open } = setting();
  await (await open('one')).append(drainClaim);
  journal.appendBytes('control', Buffer.from('\ngarbage\n'));
  const steps: unknown[] = [];
  const log = await ControlLog.open(journal, fakeWriter(clock, 'two'), null, (step) => steps.push(step));
  expect(steps).toMatchObject([{ record: { type: 'lease.claimed' } }]);
  expect(log.position).toBe(await journal.size('control'));
  expect(log.tailLength).toBe(2);
});

describe('9: racers', () => {
  test('who claim at once agree on the one that came first', async () => {
    const { open } = setting();
    const logs = await Promise.all(['one', 'two', 'three'].map(open));
    const recorded = await Promise.all(logs.map((log) => log.append(drainClaim)));
    const won = recorded.map((one) => one.ok && one.steps[0]?.isVoid === false);
    expect(won.filter(Boolean)).toHaveLength(1);
    for (const log of logs) {
      await log.refresh();
      expect(log.state).toEqual(logs[0]!.state);
    }
    expect(logs[0]!.state.drain.context).toMatchObject({
      epoch: 1,
      owner: ['one', 'two', 'three'][won.indexOf(true)],
    });
  });

  test('a claim of a log that was read a while ago is void when another landed since', async () => {
    const { open, clock } = setting();
    const [one, two] = [await open('one'), await open('two')];
    await one.append(drainClaim, probeFailed('drain', 1));
    clock.advance(60_000);
    await one.refresh();
    await two.refresh();
    const first = await one.append(probeClaim);
    const second = await two.append(probeClaim);
    expect(first.ok && first.steps[0]).toMatchObject({ isVoid: false, agreement: 'agreed' });
    expect(second.ok && second.steps[0]).toMatchObject({ isVoid: true, agreement: 'contended' });
  });

  test('any interleaving of honest writers folds without drift, to one state, with one winner a claim', () => {
    return fc.assert(
      fc.asyncProperty(moves(60), async (log) => {
        const winners = new Map<string, string>();
        const { journal, logs } = await playHonestly(log, (step) => {
          if (step.event?.type !== 'lease.claimed' || step.isVoid) return;
          const { lease } = step.event;
          const grant = `${lease}#${step.after[lease].context.epoch}`;
          expect(winners.has(grant)).toBe(false);
          winners.set(grant, step.record.inv);
        });
        const { fold, steps } = foldAll(await entriesOf(journal));
        expect(fold.counts).toMatchObject({ drift: 0, adopted: 0, damaged: 0 });
        for (const log of logs) {
          await log.refresh();
          expect(log.fold).toEqual(fold);
        }
        for (const { before, after, event } of steps) {
          for (const lease of ['drain', 'probe'] as const) {
            if (after[lease].context.epoch === before[lease].context.epoch) continue;
            expect(winners.get(`${lease}#${after[lease].context.epoch}`)).toBe(event!.by);
          }
          const { value } = after.recovery;
          expect(value === 'waiting' || value === 'probing').toBe(after.breaker.value === 'open');
        }
      }),
      RUNS,
    );
  });

  test('3: a log of honest writers that lost any one line wedges nobody', () => {
    return fc.assert(
      fc.asyncProperty(moves(40), fc.nat(), async (log, at) => {
        const { clock, journal } = await playHonestly(log);
        const bytes = Buffer.from(journal.bytes('control'));
        fc.pre(bytes.length > 0);
        bytes[at % bytes.length]! ^= 1;
        journal.replaceBytes('control', bytes);
        const rescuer = await ControlLog.open(journal, fakeWriter(clock, 'rescuer'));
        clock.advance(1e9);
        if (gate(rescuer.state, clock.now()).kind === 'go') return;
        const recorded = await rescuer.append(probeClaim);
        expect(recorded.ok && recorded.steps[0]?.isVoid).toBe(false);
      }),
      RUNS,
    );
  });
});

describe('a checkpoint', () => {
  async function outage() {
    const parts = setting();
    const log = await parts.open('one');
    await log.append(drainClaim);
    await log.append(probeFailed('drain', 1));
    return { ...parts, log };
  }

  test('there is none of an empty log', async () => {
    expect((await setting().open('one')).checkpoint()).toBe(null);
  });

  test('is folded on from, and gives what the whole log gives', async () => {
    const { journal, log, clock } = await outage();
    const checkpoint = JSON.parse(JSON.stringify(log.checkpoint()));
    clock.advance(60_000);
    await log.append(probeClaim);
    const steps: string[] = [];
    const read = await ControlLog.open(journal, fakeWriter(clock, 'two'), checkpoint, ({ record }) =>
      steps.push(record.type),
    );
    expect(steps).toEqual(['lease.claimed']);
    expect(read.fold).toEqual(log.fold);
    expect(read.position).toBe(log.position);
    expect(read.tailLength).toBe(1);
  });

  test('that was written makes the tail begin anew', async () => {
    const { log } = await outage();
    expect(log.tailLength).toBe(2);
    log.noteCheckpoint();
    expect(log.tailLength).toBe(0);
  });

  test('there is none of a log that cannot be read whole: a newer version would take it for the whole', async () => {
    const { journal, log, clock } = await outage();
    const newer = { ...makeRecord(fakeWriter(clock, 'newer'), 'breaker.something', {}), v: 2 };
    journal.appendBytes('control', joinLines([encodeLine(newer)]));
    await log.refresh();
    expect(log.checkpoint()).toBe(null);
  });

  test('of another era is ignored', async () => {
    const { journal, log, clock } = await outage();
    const checkpoint = { ...log.checkpoint()!, era: 'older' };
    const read = await ControlLog.open(journal, fakeWriter(clock), checkpoint);
    expect(read.tailLength).toBe(2);
    expect(read.fold).toEqual(log.fold);
  });

  test('of another log is ignored', async () => {
    const { log, clock } = await outage();
    const other = await outage();
    await other.log.append(drainClaim);
    // The same words, but other ids: drawn by other dice.
    const reader = await ControlLog.open(other.journal, fakeWriter(clock), {
      ...log.checkpoint()!,
      last: { ...log.checkpoint()!.last, id: 'of-another-log' },
    });
    expect(reader.tailLength).toBe(3);
  });
});

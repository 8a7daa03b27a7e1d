// Verifying: what is sound is called sound, and each thing that can be wrong with a log is found, counted and named.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ERA } from '../../machines/era.ts';
import { FileJournal } from '../../src/breaker/journal/file-journal.ts';
import { joinLines } from '../../src/breaker/journal/lines.ts';
import { MemoryJournal } from '../../src/breaker/journal/memory-journal.ts';
import { encodeLine, type JournalRecord } from '../../src/breaker/journal/record.ts';
import { makeRecord } from '../../src/breaker/journal/writer.ts';
import { controlVerificationLines, isSound, queueVerificationLines } from '../../src/cli/verify.ts';
import { MAX_LISTED, verifyControl, verifyQueue } from '../../src/history/verify.ts';
import { writeControlLog } from '../bench/control-log.ts';
import { fakeWriter } from '../support/fake-writer.ts';
import { moves, playHonestly } from '../support/honest-writers.ts';
import { anOutage } from '../support/stories.ts';
import { entriesOf, foldAll } from '../support/streams.ts';
import { tempDir } from '../support/temp-dir.ts';

const RUNS = { numRuns: process.env.BREAKWATER_LONG === undefined ? 40 : 1_000 };

/** The log of an outage with its record number `index` changed: sealed anew, so that only the fold can tell. */
async function forged(
  index: number,
  change: (record: JournalRecord) => JournalRecord,
): Promise<MemoryJournal> {
  const { journal } = await anOutage(new MemoryJournal());
  const records = (await entriesOf(journal)).map((entry) => (entry.kind === 'record' ? entry.record : null));
  const lines = records.map((record, at) => encodeLine(at === index ? change(record!) : record!));
  journal.replaceBytes('control', joinLines(lines));
  return journal;
}

const indexOf = async (type: string) => {
  const { journal } = await anOutage(new MemoryJournal());
  return (await entriesOf(journal)).findIndex(
    (entry) => entry.kind === 'record' && entry.record.type === type,
  );
};

const textOf = async (journal: MemoryJournal) =>
  controlVerificationLines(await verifyControl(journal)).join('\n');

test('an empty journal is sound, and claims nothing', async () => {
  const control = await verifyControl(new MemoryJournal());
  expect(control).toMatchObject({ records: 0, agreed: 0, from: null, firstDivergence: null });
  expect(isSound(control, await verifyQueue(new MemoryJournal()))).toBe(true);
});

test('whatever honest writers do, and however they race, is sound and counted as the fold counts it', () =>
  fc.assert(
    fc.asyncProperty(moves(50), async (all) => {
      const { journal } = await playHonestly(all);
      const control = await verifyControl(journal);
      const { counts } = foldAll(await entriesOf(journal)).fold;
      expect(control).toMatchObject({
        records: counts.records,
        contended: counts.contended,
        voids: counts.voids,
        drift: 0,
        damaged: 0,
        unfinishedBytes: 0,
      });
      expect(control.agreed + control.contended + control.adopted).toBe(control.records);
      expect(isSound(control)).toBe(true);
    }),
    RUNS,
  ));

test('the log that the benchmark writes is sound, so what it measures is a whole verification', async () => {
  const dir = tempDir();
  writeControlLog(dir, 3_000);
  const journal = new FileJournal(dir);
  const control = await verifyControl(journal);
  journal.close();
  expect(control).toMatchObject({ records: 3_000, agreed: 3_000, unfinishedBytes: 0 });
  expect(control.voids).toBeLessThan(300);
});

describe('drift inside an era', () => {
  test('is found, and the first record that drifts is named with what was expected and found of each machine', async () => {
    const index = await indexOf('probe.failed');
    const journal = await forged(index, (record) => ({
      ...record,
      witness: { ...record.witness!, to: { ...record.witness!.to, breaker: 'halfOpen' } },
    }));
    const control = await verifyControl(journal);
    const position = (await entriesOf(journal))[index]!.position;
    expect(control).toMatchObject({ drift: 1, damaged: 0 });
    expect(control.firstDivergence).toMatchObject({
      position,
      type: 'probe.failed',
      era: ERA,
      inv: 'drain-1',
    });
    expect(control.firstDivergence?.machines).toEqual([
      {
        machine: 'breaker',
        expected: { from: 'closed', to: 'halfOpen' },
        found: { from: 'closed', to: 'open' },
      },
    ]);
    expect(isSound(control)).toBe(false);
    const text = await textOf(journal);
    expect(text).toContain(`DRIFT: control@${position}`);
    expect(text).toContain('breaker: expected closed → halfOpen, found closed → open');
    expect(text).not.toContain('DAMAGE');
  });

  test('of a move that nobody recorded, and of a machine that nobody has', async () => {
    const index = await indexOf('probe.failed');
    const journal = await forged(index, (record) => ({
      ...record,
      witness: {
        ...record.witness!,
        from: { breaker: 'closed', tide: 'low' },
        to: { breaker: 'open', tide: 'high' },
      },
    }));
    expect((await verifyControl(journal)).firstDivergence?.machines).toEqual([
      { machine: 'recovery', expected: null, found: { from: 'idle', to: 'waiting' } },
      { machine: 'tide', expected: { from: 'low', to: 'high' }, found: null },
    ]);
    expect(await textOf(journal)).toContain('recovery: expected no move, found idle → waiting');
  });

  test('is no drift across eras: the same difference is adopted, and the log is sound', async () => {
    const journal = await forged(await indexOf('backlog.drained'), (record) => ({
      ...record,
      witness: { ...record.witness!, to: { recovery: 'ramping' }, era: 'older' },
    }));
    const control = await verifyControl(journal);
    expect(control).toMatchObject({ drift: 0, adopted: 1, eras: { older: 1 } });
    expect(isSound(control)).toBe(true);
  });
});

describe('damage', () => {
  test('a torn tail cost only itself, and is named so', async () => {
    const { journal, control: log } = await anOutage(new MemoryJournal());
    const position = await journal.size('control');
    journal.appendBytes('control', Buffer.from('\n{"v":1,"id":"x'));
    await log.append({ type: 'lease.renewed', lease: 'drain', epoch: 1, forMs: 1_000 });
    const control = await verifyControl(journal);
    expect(control).toMatchObject({ damaged: 1, drift: 0 });
    expect(control.damages).toEqual([
      { stream: 'control', position: position + 1, kind: 'torn', reason: 'no checksum' },
    ]);
    expect(isSound(control)).toBe(false);
    expect(await textOf(journal)).toMatch(/control@\d+ \(no checksum\): cut short: .*It cost only itself/);
  });

  test('a tail that nobody wrote behind is not judged yet, and is told', async () => {
    const { journal } = await anOutage(new MemoryJournal());
    journal.appendBytes('control', Buffer.from('\n{"v":1'));
    const control = await verifyControl(journal);
    expect(control).toMatchObject({ damaged: 0, unfinishedBytes: 6 });
    expect(isSound(control)).toBe(true);
    expect(await textOf(journal)).toMatch(/ends in 6 bytes without an end of line/);
  });

  test('any bit of any record that flips is found, and is drift of none', async () => {
    const { journal } = await anOutage(new MemoryJournal());
    const whole = Buffer.from(journal.bytes('control'));
    const total = (await verifyControl(journal)).records;
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: whole.length * 8 - 1 }), async (bit) => {
        const bytes = Buffer.from(whole);
        bytes[bit >> 3]! ^= 1 << (bit & 7);
        // A newline that is none any more joins two lines, or an empty one and a line.
        fc.pre(whole[bit >> 3] !== 10);
        journal.replaceBytes('control', bytes);
        const control = await verifyControl(journal);
        expect(control.damaged).toBeGreaterThan(0);
        expect(control.records).toBe(total - 1);
        expect(control.drift).toBe(0);
      }),
      RUNS,
    );
  });

  test('is listed up to a bound, at the bound and one past it', async () => {
    const journal = new MemoryJournal();
    const damage = (lines: number) => journal.appendBytes('queue', Buffer.from('nonsense}\n'.repeat(lines)));
    damage(MAX_LISTED);
    expect((await verifyQueue(journal)).damages).toHaveLength(MAX_LISTED);
    expect(queueVerificationLines(await verifyQueue(journal)).join()).not.toContain('more');
    damage(1);
    const queue = await verifyQueue(journal);
    expect(queue).toMatchObject({ damaged: MAX_LISTED + 1, records: 0 });
    expect(queue.damages).toHaveLength(MAX_LISTED);
    expect(queueVerificationLines(queue).join('\n')).toContain('… and 1 more');
  });

  test('what was altered is told from what was cut short', async () => {
    const { journal } = await anOutage(new MemoryJournal());
    const altered = Buffer.from(
      journal.bytes('queue').toString('latin1').replace('"new"', '"gnu"'),
      'latin1',
    );
    journal.replaceBytes('queue', altered);
    const queue = await verifyQueue(journal);
    expect(queue.damages).toMatchObject([{ kind: 'altered', reason: 'checksum' }]);
    expect(queueVerificationLines(queue).join('\n')).toMatch(/altered after it was written/);
  });
});

test('lines of a newer version are no damage, and not sound either: this code cannot say', async () => {
  const { journal, clock } = await anOutage(new MemoryJournal());
  journal.appendBytes(
    'control',
    joinLines([encodeLine({ ...makeRecord(fakeWriter(clock), 'a.b', {}), v: 2 })]),
  );
  const control = await verifyControl(journal);
  expect(control).toMatchObject({ damaged: 0, newer: 1 });
  expect(isSound(control)).toBe(false);
  expect(await textOf(journal)).toMatch(/NEWER: 1 line of control/);
});

test('records of a type that nobody knows are counted, and do no harm', async () => {
  const { journal, clock } = await anOutage(new MemoryJournal());
  for (const stream of ['control', 'queue'] as const) {
    await journal.append(stream, [makeRecord(fakeWriter(clock), 'tide.turned', {})]);
  }
  expect(await verifyControl(journal)).toMatchObject({ unknown: 1 });
  expect(await verifyQueue(journal)).toMatchObject({ unknown: 1 });
  expect(isSound(await verifyControl(journal))).toBe(true);
});

test('what a record says of itself cannot steer a terminal', async () => {
  const journal = await forged(await indexOf('probe.failed'), (record) => ({
    ...record,
    inv: '\u001b[2Jdrain\n',
    witness: { ...record.witness!, to: { breaker: '\u001b[31mopen' } },
  }));
  expect(await textOf(journal)).toContain('DRIFT');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: looking for them is what this is for
  expect(await textOf(journal)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
});

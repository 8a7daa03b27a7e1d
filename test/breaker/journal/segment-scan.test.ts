// A segment is looked through in pieces: what is found is what stands in the whole, and no more than a piece is held.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chain, verifyChain } from '../../../src/breaker/journal/chain.ts';
import type { JournalFs } from '../../../src/breaker/journal/disk.ts';
import { FileJournal } from '../../../src/breaker/journal/file-journal.ts';
import { FileSegments } from '../../../src/breaker/journal/file-segments.ts';
import { READ_BYTES } from '../../../src/breaker/journal/journal.ts';
import { joinLines } from '../../../src/breaker/journal/lines.ts';
import { encodeLine } from '../../../src/breaker/journal/record.ts';
import { chainLinksOf, lastIndexOf, sealEndOf } from '../../../src/breaker/journal/segment-scan.ts';
import { chainedEvent, openingLine, sealEndIn, sealLine } from '../../../src/breaker/journal/segments.ts';
import { makeRecord } from '../../../src/breaker/journal/writer.ts';
import { FakeClock, fakeWriter } from '../../support/fake-writer.ts';
import { MemoryDisk } from '../../support/memory-disk.ts';
import { PROPERTY_RUNS } from '../../support/property-runs.ts';
import { entriesOf } from '../../support/streams.ts';
import { recordOf } from './conformance.ts';

const writer = fakeWriter(new FakeClock());
const lineOf = (...records: ReturnType<typeof recordOf>[]) => joinLines(records.map(encodeLine));
const link = { segment: 3, bytes: 7, sha256: 'abc' };
const { type, data } = chainedEvent(link);

const PARTS: Readonly<Record<string, Buffer>> = {
  record: lineOf(recordOf(1)),
  seal: sealLine(recordOf(0), 0),
  opening: openingLine(recordOf(0), 1, 9),
  chained: lineOf(makeRecord(writer, type, data)),
  torn: sealLine(recordOf(0), 0).subarray(0, 60),
  mention: lineOf(makeRecord(writer, 'test.said', { text: '"type":"segment.sealed"' })),
  junk: Buffer.from('\n\n"type":"segment.sealed"\n\u0000'),
};

async function* cut(whole: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < whole.length; at += size) yield whole.subarray(at, at + size);
}

test('what is found in pieces of any size is what stands in the whole', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...Object.keys(PARTS)), { maxLength: 12 }),
      fc.integer({ min: 1, max: 700 }),
      fc.constantFrom(...Object.keys(PARTS)),
      async (names, size, wanted) => {
        const whole = Buffer.concat(names.map((name) => PARTS[name] as Buffer));
        expect(await sealEndOf(cut(whole, size))).toBe(sealEndIn(whole));
        const needle = PARTS[wanted] as Buffer;
        expect(await lastIndexOf(cut(whole, size), needle)).toBe(whole.lastIndexOf(needle));
        const links = names.filter((name, at) => name === 'chained' && names[at - 1] !== 'torn').length;
        // A line that is torn takes the newline of the next one, and is damaged alone.
        expect((await chainLinksOf(cut(whole, size))).length).toBeGreaterThanOrEqual(links);
        for (const found of await chainLinksOf(cut(whole, size))) expect(found).toEqual(link);
      },
    ),
    PROPERTY_RUNS,
  ));

test('a line that is longer than any of ours is stepped over, and what follows is found', async () => {
  const long = Buffer.concat([Buffer.from('\n'), Buffer.alloc(2.5 * READ_BYTES, 'x'), Buffer.from('\n')]);
  const whole = Buffer.concat([long, PARTS.chained as Buffer, long, PARTS.seal as Buffer]);
  for (const size of [READ_BYTES, 1_000_003]) {
    expect(await sealEndOf(cut(whole, size))).toBe(whole.length);
    expect(await chainLinksOf(cut(whole, size))).toEqual([link]);
  }
});

describe('a segment of before there were segments', () => {
  const SIZE = 12 * READ_BYTES;

  /** A process that counts what it reads, and how much at a time. */
  function counting(disk: MemoryDisk) {
    const read = { largest: 0, total: 0 };
    const plain = disk.process();
    const fs: JournalFs = {
      ...plain,
      readSync: (fd, bytes, offset, length, position) => {
        read.largest = Math.max(read.largest, bytes.length);
        read.total += length;
        return plain.readSync(fd, bytes, offset, length, position);
      },
    };
    return { read, fs };
  }

  async function large(): Promise<MemoryDisk> {
    const disk = new MemoryDisk();
    const journal = new FileJournal('/data', disk.process());
    await journal.append('control', [recordOf(1)]);
    const line = lineOf(recordOf(2));
    disk.replace('control.ndjson', Buffer.concat(Array(Math.ceil(SIZE / line.length)).fill(line)));
    return disk;
  }

  test('is sealed, chained and verified without ever being held', async () => {
    const disk = await large();
    const { read, fs } = counting(disk);
    const [journal, segments] = [new FileJournal('/data', fs), new FileSegments('/data', fs)];
    expect(await segments.seal('control', recordOf(0))).toEqual({ ok: true });
    expect(await chain(journal, segments, 'control', writer)).toEqual({ ok: true });
    expect(await verifyChain(segments, 'control')).toEqual({ kind: 'intact', chained: 1, unchained: [] });
    expect(read.largest).toBeLessThanOrEqual(READ_BYTES);
    // Twice to seal it, before and after; twice for the chain; once by the one who verifies.
    expect(read.total / SIZE).toBeLessThan(6);
  });

  test('is looked through in pieces by a writer who was late, and by one who completes it', async () => {
    const disk = await large();
    const { read, fs } = counting(disk);
    const late = new FileJournal('/data', fs);
    expect(await late.append('control', [recordOf(3)])).toEqual({ ok: true });
    await new FileSegments('/data', disk.process()).seal('control', recordOf(0));
    expect(await late.append('control', [recordOf(4)])).toEqual({ ok: true });
    expect(read.largest).toBeLessThanOrEqual(READ_BYTES);
    const entries = await entriesOf(new FileJournal('/data', disk.process()));
    const said = entries.map((entry) => (entry.kind === 'record' ? entry.record.data.n : entry.kind));
    expect(said.slice(-3)).toEqual([2, 3, 4]);
  });
});

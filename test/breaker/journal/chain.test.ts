// The chain of hashes: whatever is changed in a sealed segment is found, and its segment named.
import { describe, expect, test } from 'vitest';
import { chain, verifyChain } from '../../../src/breaker/journal/chain.ts';
import { FileJournal } from '../../../src/breaker/journal/file-journal.ts';
import { FileSegments } from '../../../src/breaker/journal/file-segments.ts';
import type { Segments } from '../../../src/breaker/journal/journal.ts';
import { joinLines } from '../../../src/breaker/journal/lines.ts';
import { encodeLine, type Position, type StreamName } from '../../../src/breaker/journal/record.ts';
import { chainLinksOf } from '../../../src/breaker/journal/segment-scan.ts';
import { FakeClock, fakeWriter } from '../../support/fake-writer.ts';
import { MemoryDisk } from '../../support/memory-disk.ts';
import { bytesOf } from '../../support/segment-bytes.ts';
import { entriesOf } from '../../support/streams.ts';
import { recordOf } from './conformance.ts';

const writer = fakeWriter(new FakeClock());

/** Segments of two records each, the last one open. */
async function chained(segmentCount = 4, isChained = true) {
  const disk = new MemoryDisk();
  const journal = new FileJournal('/data', disk.process());
  const segments = new FileSegments('/data', disk.process());
  for (let n = 1; n <= segmentCount * 2; n++) {
    await journal.append('control', [recordOf(n)]);
    if (n % 2 !== 0 || n === segmentCount * 2) continue;
    await segments.seal('control', recordOf(0));
    if (isChained) await chain(journal, segments, 'control', writer);
  }
  return { disk, journal, segments };
}

const verdictOf = (disk: MemoryDisk) => verifyChain(new FileSegments('/data', disk.process()), 'control');
const nameOf = (index: number) => (index === 0 ? 'control.ndjson' : `control.00000${index}.ndjson`);

async function numbersIn(disk: MemoryDisk, from: Position = 0): Promise<unknown[]> {
  const entries = await entriesOf(new FileJournal('/data', disk.process()));
  return entries
    .filter(({ position }) => position >= from)
    .map((entry) => (entry.kind === 'record' ? entry.record.data.n : entry.kind));
}

describe('a chain', () => {
  test('of a journal that was left alone is intact', async () => {
    const { disk } = await chained();
    expect(await verdictOf(disk)).toEqual({ kind: 'intact', chained: 3, unchained: [] });
    expect(await numbersIn(disk)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test('of a stream that was never sealed, and of none, is intact', async () => {
    const { disk } = await chained(1);
    expect(await verdictOf(disk)).toEqual({ kind: 'intact', chained: 0, unchained: [] });
    expect(await verdictOf(new MemoryDisk())).toEqual({ kind: 'intact', chained: 0, unchained: [] });
  });

  test('that nobody came to write is written by the next one, all of it, once', async () => {
    const { disk, journal, segments } = await chained(4, false);
    expect(await verdictOf(disk)).toEqual({ kind: 'intact', chained: 0, unchained: [0, 1, 2] });
    expect(await chain(journal, segments, 'control', writer)).toEqual({ ok: true });
    expect(await verdictOf(disk)).toEqual({ kind: 'intact', chained: 3, unchained: [] });
    const before = await journal.size('control');
    expect(await chain(journal, segments, 'control', writer)).toBeNull();
    expect(await journal.size('control')).toBe(before);
    const links = await chainLinksOf(segments.pieces('control', 3));
    expect(links.map(({ segment }) => segment)).toEqual([0, 1, 2]);
  });

  test('of one segment is nothing to read: it may be of any size', async () => {
    const { journal, segments } = await chained(1);
    const listing: Segments = Object.assign(Object.create(segments), {
      list: (stream: StreamName) => segments.list(stream),
      pieces: () => {
        throw new Error('read');
      },
    });
    expect(await chain(journal, listing, 'control', writer)).toBeNull();
    expect(await verifyChain(listing, 'control')).toMatchObject({ kind: 'intact' });
  });

  test('names the segment in which any single byte was changed', async () => {
    const { disk } = await chained();
    const segments = new FileSegments('/data', disk.process());
    for (let index = 0; index < 3; index++) {
      const sealed = (await bytesOf(segments, 'control', index))!.length;
      const whole = disk.bytes(nameOf(index));
      for (let at = 0; at < sealed; at++) {
        const changed = Buffer.from(whole);
        changed[at]! ^= 0x20;
        disk.replace(nameOf(index), changed);
        const verdict = await verdictOf(disk);
        // A link inside is damaged with it: then the segment that it was about cannot be vouched for any more.
        expect(verdict, `byte ${at} of segment ${index}`).toMatchObject({ kind: 'broken', segment: index });
      }
      disk.replace(nameOf(index), whole);
    }
  });

  test('names the segment from which a line was taken, or into which one was put', async () => {
    const { disk, segments } = await chained();
    const whole = (await bytesOf(segments, 'control', 1))!;
    const lines = whole
      .toString()
      .split('\n')
      .filter((line) => line !== '');
    for (const [index] of lines.entries()) {
      disk.replace(
        nameOf(1),
        Buffer.from(
          lines
            .filter((_, at) => at !== index)
            .map((line) => `\n${line}\n`)
            .join(''),
        ),
      );
      expect(await verdictOf(disk), lines[index]).toMatchObject({
        kind: 'broken',
        segment: 1,
        file: nameOf(1),
      });
    }
    disk.replace(nameOf(1), Buffer.concat([joinLines([encodeLine(recordOf(9))]), whole]));
    expect(await verdictOf(disk)).toMatchObject({ kind: 'broken', segment: 1, reason: 'changed' });
  });

  test('names a segment that is gone, and the reader tells a gap from a beginning', async () => {
    const { disk } = await chained();
    disk.folder.names.delete(nameOf(1));
    expect(await verdictOf(disk)).toMatchObject({ kind: 'broken', segment: 1, reason: 'missing' });
    expect(await numbersIn(disk)).toEqual([1, 2, 'damaged', 5, 6, 7, 8]);
    disk.folder.names.delete(nameOf(0));
    expect(await verdictOf(disk)).toMatchObject({ kind: 'broken', segment: 0, reason: 'missing' });
    expect(await numbersIn(disk)).toEqual(['damaged', 5, 6, 7, 8]);
  });

  test('does not mind what is written behind a seal', async () => {
    const { disk } = await chained();
    disk.replace(nameOf(1), Buffer.concat([disk.bytes(nameOf(1)), joinLines([encodeLine(recordOf(9))])]));
    expect(await verdictOf(disk)).toEqual({ kind: 'intact', chained: 3, unchained: [] });
  });

  test('goes on over dropped segments', async () => {
    const { disk, segments } = await chained();
    await segments.dropBefore('control', 2, [recordOf(100)]);
    expect(await verdictOf(disk)).toEqual({ kind: 'intact', chained: 1, unchained: [] });
  });

  test('is not written for dropped segments', async () => {
    const { disk, journal, segments } = await chained(4, false);
    await segments.dropBefore('control', 2, [recordOf(100)]);
    await chain(journal, segments, 'control', writer);
    const links = await chainLinksOf(segments.pieces('control', 3));
    expect(links.map(({ segment }) => segment)).toEqual([2]);
    expect(await verdictOf(disk)).toEqual({ kind: 'intact', chained: 1, unchained: [] });
  });

  test('names what is gone also where only the newest segment is left, and no image', async () => {
    const { disk } = await chained(2);
    disk.folder.names.delete(nameOf(0));
    expect(await verdictOf(disk)).toEqual({
      kind: 'broken',
      segment: 0,
      file: nameOf(0),
      reason: 'missing',
      detail: expect.stringContaining('not there'),
    });
  });
});

test('a damaged seal costs a line of damage: the stream goes on, and what stands behind it stays void', async () => {
  const { disk } = await chained();
  const sealed = disk.bytes(nameOf(1));
  const damaged = Buffer.from(sealed);
  damaged[sealed.lastIndexOf('segment.sealed')]! ^= 1;
  disk.replace(nameOf(1), Buffer.concat([damaged, joinLines([encodeLine(recordOf(9))])]));
  expect(await numbersIn(disk)).toEqual([1, 2, 3, 4, 'damaged', 5, 6, 7, 8]);
  // A writer that has slept since then finds its record void as well.
  const journal = new FileJournal('/data', disk.process());
  await journal.append('control', [recordOf(10)]);
  expect((await numbersIn(disk)).at(-1)).toBe(10);
});

test('with seal and opening damaged, the stream still goes on', async () => {
  const { disk } = await chained();
  for (const [name, mark] of [
    [nameOf(1), 'segment.sealed'],
    [nameOf(2), 'segment.opened'],
  ] as const) {
    const bytes = Buffer.from(disk.bytes(name));
    bytes[bytes.lastIndexOf(mark)]! ^= 1;
    disk.replace(name, bytes);
  }
  expect(await numbersIn(disk)).toEqual([1, 2, 3, 4, 'damaged', 'damaged', 5, 6, 7, 8]);
});

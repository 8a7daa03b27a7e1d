// Reading a chain of segments that is damaged or has gaps: what is there is read once, what is not there is told, and a
// reader is never stuck. And how often it looks at the disk, for every invocation pays that.
import { describe, expect, test } from 'vitest';
import { FileJournal } from '../../../src/breaker/journal/file-journal.ts';
import { FileSegments } from '../../../src/breaker/journal/file-segments.ts';
import { joinLines } from '../../../src/breaker/journal/lines.ts';
import { encodeLine } from '../../../src/breaker/journal/record.ts';
import { baseOf, imageBaseOf, imageName, segmentName } from '../../../src/breaker/journal/segments.ts';
import { MemoryDisk } from '../../support/memory-disk.ts';
import { bytesOf } from '../../support/segment-bytes.ts';
import { entriesOf } from '../../support/streams.ts';
import { recordOf } from './conformance.ts';

const nameOf = (index: number) => segmentName('control', index);
const lineOf = (n: number) => joinLines([encodeLine(recordOf(n))]);

/** One record in each segment, numbered as it is, each but the last one sealed. */
async function segmented(count: number) {
  const disk = new MemoryDisk();
  const journal = new FileJournal('/data', disk.process());
  const segments = new FileSegments('/data', disk.process());
  for (let n = 0; n < count; n++) {
    if (n > 0) await segments.seal('control', recordOf(99));
    await journal.append('control', [recordOf(n)]);
  }
  return { disk, journal, segments };
}

const readerOf = (disk: MemoryDisk) => new FileJournal('/data', disk.process());

async function toldBy(journal: FileJournal): Promise<unknown[]> {
  return (await entriesOf(journal)).map((entry) =>
    entry.kind === 'record' ? entry.record.data.n : entry.kind,
  );
}

function damage(disk: MemoryDisk, index: number, mark: string): void {
  const bytes = Buffer.from(disk.bytes(nameOf(index)));
  bytes[bytes.indexOf(mark)]! ^= 1;
  disk.replace(nameOf(index), bytes);
}

describe('a damaged chain', () => {
  test('is gone on in, whichever byte it is that was changed', async () => {
    const { disk } = await segmented(3);
    for (const index of [0, 1, 2]) {
      const whole = disk.bytes(nameOf(index));
      for (let at = 0; at < whole.length; at++) {
        const changed = Buffer.from(whole);
        changed[at]! ^= 1;
        disk.replace(nameOf(index), changed);
        const told = (await toldBy(readerOf(disk))).filter((one) => typeof one === 'number');
        expect(told, `byte ${at} of segment ${index}`).toEqual(
          expect.arrayContaining([0, 1, 2].filter((n) => n !== index)),
        );
        expect(new Set(told).size).toBe(told.length);
      }
      disk.replace(nameOf(index), whole);
    }
  });

  test('ends a segment whose seal is damaged where it was sealed, wherever a read begins', async () => {
    const { disk } = await segmented(3);
    damage(disk, 1, 'segment.sealed');
    const whole = await entriesOf(readerOf(disk));
    disk.replace(nameOf(1), Buffer.concat([disk.bytes(nameOf(1)), lineOf(7)]));
    for (const { position } of whole.filter(
      ({ position }) => position >= baseOf(1) && position < baseOf(2),
    )) {
      const { entries, next } = await readerOf(disk).read('control', position);
      expect(entries).toEqual(whole.filter((one) => one.position >= position && one.position < baseOf(2)));
      expect(next).toBe(baseOf(2));
    }
  });

  test('is followed by a reader that saw a segment half ended, though its seal was damaged then', async () => {
    const { disk } = await segmented(1);
    disk.replace(nameOf(1), Buffer.alloc(0));
    const journal = readerOf(disk);
    const { next } = await journal.read('control', 0);
    expect(await journal.read('control', next)).toEqual({ entries: [], next });
    await readerOf(disk).append('control', [recordOf(1)]);
    const bytes = disk.folder.names.get(nameOf(0))!.bytes;
    bytes[bytes.indexOf('segment.sealed')]! ^= 1;
    expect(await toldBy(journal)).toEqual([0, 'damaged', 1]);
  });

  test('ends a segment without a seal where its file ends, when the next one is missing', async () => {
    const { disk } = await segmented(3);
    disk.folder.names.delete(nameOf(1));
    const line = lineOf(0);
    disk.replace(nameOf(0), line);
    expect(await toldBy(readerOf(disk))).toEqual([0, 'damaged', 2]);
    expect(await bytesOf(new FileSegments('/data', disk.process()), 'control', 0)).toEqual(line);
  });
});

describe('a gap', () => {
  test('is told with what it leaves out', async () => {
    const { disk } = await segmented(3);
    disk.folder.names.delete(nameOf(1));
    const [, gap] = await entriesOf(readerOf(disk));
    expect(gap).toEqual({
      kind: 'damaged',
      position: baseOf(1),
      next: baseOf(2),
      reason: 'a segment is missing',
    });
  });

  test('behind an image is one: no reader is led back to the image', async () => {
    const { disk, segments } = await segmented(4);
    await segments.dropBefore('control', 2, [recordOf(12)]);
    disk.folder.names.delete(nameOf(2));
    expect(await toldBy(readerOf(disk))).toEqual([12, 'damaged', 3]);
  });

  test('is what an image leaves that somebody removed, for who was in it as well', async () => {
    const { disk, segments } = await segmented(3);
    await segments.dropBefore('control', 2, [recordOf(12), recordOf(13)]);
    const [, second] = await entriesOf(readerOf(disk));
    disk.folder.names.delete(imageName('control', 2));
    expect(second!.position).toBeGreaterThan(imageBaseOf(2));
    expect(await readerOf(disk).read('control', second!.position)).toMatchObject({
      entries: [{ kind: 'damaged' }],
      next: baseOf(2),
    });
    expect(await toldBy(readerOf(disk))).toEqual(['damaged', 2]);
  });

  test('before a segment in which nothing is yet does not hide where the stream ends', async () => {
    const disk = new MemoryDisk();
    disk.replace(nameOf(1), Buffer.alloc(0));
    expect(await readerOf(disk).size('control')).toBe(baseOf(1));
  });
});

describe('looks at the disk', () => {
  function counted(disk: MemoryDisk) {
    const counts = { openSync: 0, readdirSync: 0 };
    const fs = disk.process((call) => {
      if (call === 'openSync' || call === 'readdirSync') counts[call] += 1;
    });
    const journal = new FileJournal('/data', fs);
    const during = async (work: (journal: FileJournal) => Promise<unknown>) => {
      Object.assign(counts, { openSync: 0, readdirSync: 0 });
      await work(journal);
      return { ...counts };
    };
    return during;
  }

  test('are one at the folder and one at the newest segment for where the stream ends', async () => {
    const during = counted((await segmented(3)).disk);
    expect(await during((journal) => journal.size('control'))).toEqual({ openSync: 1, readdirSync: 1 });
    const empty = new MemoryDisk();
    empty.replace(nameOf(0), Buffer.alloc(0));
    expect(await counted(empty)((journal) => journal.size('control'))).toEqual({
      openSync: 1,
      readdirSync: 1,
    });
  });

  test('are made once for where a segment ends that is not the newest', async () => {
    const during = counted((await segmented(3)).disk);
    // The segment, the folder, and the head of the next segment.
    const read = (journal: FileJournal) => journal.read('control', 0);
    expect(await during(read)).toEqual({ openSync: 2, readdirSync: 1 });
    // Where a segment begins, the folder tells whether an image stands in for it.
    expect(await during(read)).toEqual({ openSync: 0, readdirSync: 1 });
    const readOn = (journal: FileJournal) => journal.read('control', baseOf(1));
    expect(await during(readOn)).toEqual({ openSync: 2, readdirSync: 1 });
  });
});

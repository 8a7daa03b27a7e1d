// Keeping house on a disk that fails, that others clear up, or that a crash has left half done.
import { describe, expect, test } from 'vitest';
import type { JournalFs } from '../../../src/breaker/journal/disk.ts';
import { FileJournal } from '../../../src/breaker/journal/file-journal.ts';
import { FileSegments } from '../../../src/breaker/journal/file-segments.ts';
import { JournalError } from '../../../src/breaker/journal/journal.ts';
import { MemoryDisk } from '../../support/memory-disk.ts';
import { bytesOf } from '../../support/segment-bytes.ts';
import { entriesOf } from '../../support/streams.ts';
import { recordOf } from './conformance.ts';

const [FIRST, SECOND, THIRD] = ['control.ndjson', 'control.000001.ndjson', 'control.000002.ndjson'];
const IMAGE = 'control.000002.image.ndjson';

/** Segments of one record each: 1, 2 and, not sealed yet, 3. */
async function three(): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  const journal = new FileJournal('/data', disk.process());
  for (const n of [1, 2, 3]) {
    await journal.append('control', [recordOf(n)]);
    if (n < 3) await new FileSegments('/data', disk.process()).seal('control', recordOf(0));
  }
  return disk;
}

const namesIn = (disk: MemoryDisk) => [...disk.folder.names.keys()].sort();

async function numbersIn(disk: MemoryDisk): Promise<unknown[]> {
  const entries = await entriesOf(new FileJournal('/data', disk.process()));
  return entries.map((entry) => (entry.kind === 'record' ? entry.record.data.n : entry.kind));
}

/** A process, and the descriptors that it has open. */
function watched(disk: MemoryDisk, before: (call: keyof JournalFs) => void = () => {}) {
  const fs = disk.process(before);
  const open = new Set<number>();
  const watching: JournalFs = {
    ...fs,
    openSync: async (...args) => {
      const fd = await fs.openSync(...args);
      open.add(fd);
      return fd;
    },
    closeSync: async (fd) => {
      await fs.closeSync(fd);
      open.delete(fd);
    },
  };
  return { segments: new FileSegments('/data', watching), open };
}

const full = () => {
  throw Object.assign(new Error('made up'), { code: 'ENOSPC', syscall: 'write' });
};
const FULL = { ok: false, failure: { kind: 'full', detail: 'ENOSPC on write' } };

describe('dropping', () => {
  test('an image of more records than one write takes is stored whole, each record once', async () => {
    const disk = await three();
    const numbers = Array.from({ length: 130 }, (_, index) => 100 + index);
    await new FileSegments('/data', disk.process()).dropBefore(
      'control',
      2,
      numbers.map((n) => recordOf(n)),
    );
    expect(await numbersIn(disk)).toEqual([...numbers, 3]);
  });

  test.each(['writeSync', 'renameSync'] as const)(
    'when %s fails, all is as it was, and that is told',
    async (failing) => {
      const disk = await three();
      const fs = disk.process((call) => {
        if (call === failing) full();
      });
      expect(await new FileSegments('/data', fs).dropBefore('control', 2, [recordOf(12)])).toEqual(FULL);
      expect(namesIn(disk)).toEqual([FIRST, SECOND, THIRD].sort());
      expect(await numbersIn(disk)).toEqual([1, 2, 3]);
    },
  );

  test('done twice by two at once leaves the image and what it does not cover', async () => {
    const disk = await three();
    const other = new FileSegments('/data', disk.process());
    let isFirst = true;
    const fs = disk.process(async (call) => {
      if (call !== 'unlinkSync' || !isFirst) return;
      isFirst = false;
      await other.dropBefore('control', 2, [recordOf(12)]);
    });
    const result = await new FileSegments('/data', fs).dropBefore('control', 2, [recordOf(12)]);
    expect(result).toEqual({ ok: true });
    expect(namesIn(disk)).toEqual([IMAGE, THIRD].sort());
    expect(await numbersIn(disk)).toEqual([12, 3]);
  });

  test('takes away what crashes have left of images of this stream, and nothing else', async () => {
    const disk = await three();
    const others = ['queue.000002.image.ndjson.0190.tmp', 'notes.tmp', 'control.txt'];
    for (const name of [...others, `${IMAGE}.0190.tmp`]) disk.replace(name, Buffer.from('left'));
    await new FileSegments('/data', disk.process()).dropBefore('control', 2, [recordOf(12)]);
    expect(namesIn(disk)).toEqual([IMAGE, THIRD, ...others].sort());
  });
});

describe('sealing', () => {
  test('on a full disk is told', async () => {
    const fs = (await three()).process((call) => {
      if (call === 'writeSync') full();
    });
    expect(await new FileSegments('/data', fs).seal('control', recordOf(0))).toEqual(FULL);
  });

  test('a segment that is gone by then makes none', async () => {
    const disk = await three();
    let isFirst = true;
    const fs = disk.process((call) => {
      if (call !== 'openSync' || !isFirst) return;
      isFirst = false;
      disk.folder.names.clear();
    });
    expect(await new FileSegments('/data', fs).seal('control', recordOf(0))).toEqual({ ok: true });
    expect(namesIn(disk)).toEqual([]);
  });

  test('what another has begun is completed with one seal, which says what the next one is', async () => {
    const disk = new MemoryDisk();
    await new FileJournal('/data', disk.process()).append('control', [recordOf(1)]);
    const seals = () => disk.bytes(FIRST!).toString().split('"type":"segment.sealed"').slice(1);
    let writes = 0;
    const dying = disk.process((call) => {
      if (call === 'writeSync' && ++writes === 2) full();
    });
    disk.replace(SECOND!, Buffer.alloc(0));
    expect(await new FileSegments('/data', dying).seal('control', recordOf(0))).toEqual(FULL);
    expect(seals()).toEqual([expect.stringMatching(/^,"data":\{"next":1\}/)]);
    // The seal is there, its opening is not.
    expect(disk.bytes(SECOND!)).toHaveLength(0);
    await new FileJournal('/data', disk.process()).append('control', [recordOf(2)]);
    expect(seals()).toHaveLength(1);
    expect(await numbersIn(disk)).toEqual([1, 2]);
  });
});

test('no file is left open, whatever was done, and when it failed', async () => {
  const { segments, open } = watched(await three());
  await segments.list('control');
  await bytesOf(segments, 'control', 0);
  await bytesOf(segments, 'control', 2);
  await segments.seal('control', recordOf(0));
  await segments.dropBefore('control', 2, [recordOf(12)]);
  await segments.imageBytes('control');
  expect([...open]).toEqual([]);

  const failing = watched(await three(), (call) => {
    if (call === 'writeSync' || call === 'readSync') full();
  });
  await expect(failing.segments.list('control')).rejects.toThrow('made up');
  await expect(bytesOf(failing.segments, 'control', 0)).rejects.toThrow('made up');
  expect(await failing.segments.seal('control', recordOf(0))).toEqual(FULL);
  expect(await failing.segments.dropBefore('control', 2, [recordOf(12)])).toEqual(FULL);
  expect([...failing.open]).toEqual([]);
});

test('who cannot go on without having written says what failed', () => {
  expect(new JournalError('ENOSPC on write').message).toContain('ENOSPC on write');
});

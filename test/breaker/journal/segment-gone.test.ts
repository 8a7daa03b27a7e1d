// Files that go, shrink or are not what was written, between one call and the next: a folder that somebody clears away, a
// device that forgets. Nothing is acknowledged that is not there, and what is there is found.
import { describe, expect, test } from 'vitest';
import { chain, verifyChain } from '../../../src/breaker/journal/chain.ts';
import type { JournalFs } from '../../../src/breaker/journal/disk.ts';
import { FileJournal } from '../../../src/breaker/journal/file-journal.ts';
import { FileSegments } from '../../../src/breaker/journal/file-segments.ts';
import { joinLines } from '../../../src/breaker/journal/lines.ts';
import { encodeLine } from '../../../src/breaker/journal/record.ts';
import { baseOf, chainedEvent, openingLine, sealLine } from '../../../src/breaker/journal/segments.ts';
import { makeRecord } from '../../../src/breaker/journal/writer.ts';
import { FakeClock, fakeWriter } from '../../support/fake-writer.ts';
import { MemoryDisk } from '../../support/memory-disk.ts';
import { entriesOf } from '../../support/streams.ts';
import { recordOf } from './conformance.ts';

const writer = fakeWriter(new FakeClock());
const [FIRST, SECOND] = ['control.ndjson', 'control.000001.ndjson'];
const lineOf = (n: number) => joinLines([encodeLine(recordOf(n))]);

async function numbersIn(disk: MemoryDisk): Promise<unknown[]> {
  const entries = await entriesOf(new FileJournal('/data', disk.process()));
  return entries.map((entry) => (entry.kind === 'record' ? entry.record.data.n : entry.kind));
}

/** A process of this disk for which `happens` comes before the one call of that name that is `nth`, from 1. */
function interrupted(disk: MemoryDisk, call: keyof JournalFs, nth: number, happens: () => void): JournalFs {
  let calls = 0;
  return disk.process((name) => {
    if (name !== call) return;
    calls += 1;
    if (calls === nth) happens();
  });
}

describe('a writer', () => {
  test('whose folder is cleared while it writes begins anew, and acknowledges only what is there', async () => {
    const disk = new MemoryDisk();
    await new FileJournal('/data', disk.process()).append('control', [recordOf(1)]);
    // Listed when it enters, and again when it looks whether its record counts.
    const fs = interrupted(disk, 'readdirSync', 2, () => disk.folder.names.clear());
    expect(await new FileJournal('/data', fs).append('control', [recordOf(2)])).toEqual({ ok: true });
    expect(await numbersIn(disk)).toEqual([2]);
  });

  test('whose segment was replaced by an older one begins anew there', async () => {
    const disk = new MemoryDisk();
    const journal = new FileJournal('/data', disk.process());
    await journal.append('control', [recordOf(1)]);
    const older = disk.bytes(FIRST);
    await new FileSegments('/data', disk.process()).seal('control', recordOf(0));
    const fs = interrupted(disk, 'readdirSync', 2, () => {
      disk.folder.names.clear();
      disk.replace(FIRST, older);
    });
    expect(await new FileJournal('/data', fs).append('control', [recordOf(2)])).toEqual({ ok: true });
    expect(await numbersIn(disk)).toEqual([1, 2]);
  });

  test('that comes to open a segment which is gone by then takes what is the newest now', async () => {
    const disk = new MemoryDisk();
    disk.replace(FIRST, lineOf(1));
    const fs = interrupted(disk, 'openSync', 1, () => disk.folder.names.clear());
    expect(await new FileJournal('/data', fs).append('control', [recordOf(2)])).toEqual({ ok: true });
    expect(await numbersIn(disk)).toEqual([2]);
  });

  test('does not bring back a segment that was listed and is gone', async () => {
    const disk = new MemoryDisk();
    disk.replace(FIRST, lineOf(1));
    disk.replace(SECOND, lineOf(2));
    const fs = interrupted(disk, 'openSync', 1, () => disk.folder.names.delete(SECOND));
    expect(await new FileJournal('/data', fs).append('control', [recordOf(3)])).toEqual({ ok: true });
    expect([...disk.folder.names.keys()]).toEqual([FIRST]);
    expect(await numbersIn(disk)).toEqual([1, 3]);
  });

  test('whose bytes a device forgot before another sealed writes them anew', async () => {
    const disk = new MemoryDisk();
    const older = lineOf(1);
    disk.replace(FIRST, older);
    const fs = interrupted(disk, 'readdirSync', 2, () => {
      disk.folder.names.get(FIRST)!.bytes = Buffer.concat([older, sealLine(recordOf(0), 0)]);
      disk.replace(SECOND, openingLine(recordOf(0), 1, disk.bytes(FIRST).length));
    });
    expect(await new FileJournal('/data', fs).append('control', [recordOf(2)])).toEqual({ ok: true });
    expect(await numbersIn(disk)).toEqual([1, 2]);
  });

  test('writes to a segment whose elder is gone, for there is nothing left to seal', async () => {
    const disk = new MemoryDisk();
    disk.replace(SECOND, Buffer.alloc(0));
    const journal = new FileJournal('/data', disk.process());
    expect(await journal.append('control', [recordOf(2)])).toEqual({ ok: true });
    expect([...disk.folder.names.keys()]).toEqual([SECOND]);
    expect(await numbersIn(disk)).toEqual(['damaged', 2]);
  });

  test('that cannot read back its seal tells of a device that fails, and goes on when it is well again', async () => {
    const disk = new MemoryDisk();
    disk.replace(FIRST, lineOf(1));
    disk.replace(SECOND, Buffer.alloc(0));
    const real = disk.process();
    const forgetful: JournalFs = { ...real, writeSync: async (_fd, _bytes, _offset, length) => length };
    expect(await new FileJournal('/data', forgetful).append('control', [recordOf(2)])).toEqual({
      ok: false,
      failure: { kind: 'io', detail: 'EIO on read' },
    });
    expect(await new FileJournal('/data', real).append('control', [recordOf(2)])).toEqual({ ok: true });
    expect(await numbersIn(disk)).toEqual([1, 2]);
  });

  test('that meets a seal at every try gives up, and says so', async () => {
    const disk = new MemoryDisk();
    const segments = new FileSegments('/data', disk.process());
    let seals = 0;
    const fs = disk.process(async (call) => {
      if (call !== 'writeSync' || disk.folder.names.size === 0) return;
      seals += 1;
      await segments.seal('control', recordOf(0));
    });
    disk.replace(FIRST, lineOf(1));
    const result = await new FileJournal('/data', fs).append('control', [recordOf(2)]);
    expect(result).toEqual({ ok: false, failure: { kind: 'unwritable', detail: 'EAGAIN on append' } });
    expect(seals).toBe(100);
    expect(await numbersIn(disk)).toEqual([1]);
  });
});

describe('a reader', () => {
  test('of a file that is shorter than it was a moment ago takes what there is', async () => {
    const disk = new MemoryDisk();
    disk.replace(FIRST, Buffer.concat([lineOf(1), lineOf(2)]));
    const fs = interrupted(disk, 'readSync', 1, () => {
      disk.folder.names.get(FIRST)!.bytes = lineOf(1);
    });
    const { entries } = await new FileJournal('/data', fs).read('control', 0);
    expect(entries).toMatchObject([{ kind: 'record', record: { data: { n: 1 } } }]);
  });

  test('that asks for the end of a stream whose newest segment goes just then finds the end before it', async () => {
    const disk = new MemoryDisk();
    disk.replace(FIRST, Buffer.concat([lineOf(1), sealLine(recordOf(0), 0)]));
    disk.replace(SECOND, lineOf(2));
    const whole = disk.bytes(FIRST).length;
    const fs = interrupted(disk, 'openSync', 1, () => disk.folder.names.delete(SECOND));
    expect(await new FileJournal('/data', fs).size('control')).toBe(whole);
  });

  test('is told where a segment begins that does not say so itself', async () => {
    const disk = new MemoryDisk();
    const first = Buffer.concat([lineOf(1), lineOf(2)]);
    disk.replace(FIRST, first);
    // The opening of another segment says nothing of this one.
    disk.replace(SECOND, Buffer.concat([openingLine(recordOf(0), 7, lineOf(1).length), lineOf(3)]));
    expect(await numbersIn(disk)).toEqual([1, 2, 3]);
    const [segment] = await new FileSegments('/data', disk.process()).list('control');
    expect(segment).toEqual({ index: 0, base: 0, bytes: first.length, sealedAt: null });
    expect(await new FileJournal('/data', disk.process()).size('control')).toBeGreaterThan(baseOf(1));
  });
});

describe('who keeps house', () => {
  async function two() {
    const disk = new MemoryDisk();
    const journal = new FileJournal('/data', disk.process());
    const segments = new FileSegments('/data', disk.process());
    await journal.append('control', [recordOf(1)]);
    await segments.seal('control', recordOf(0));
    await journal.append('control', [recordOf(2)]);
    return { disk, journal, segments };
  }

  test('lists no segment that goes while it looks', async () => {
    const { disk } = await two();
    const fs = interrupted(disk, 'openSync', 1, () => disk.folder.names.delete(FIRST));
    const found = await new FileSegments('/data', fs).list('control');
    expect(found.map(({ index }) => index)).toEqual([1]);
  });

  test('finds no image that goes while it looks', async () => {
    const { disk, segments } = await two();
    await segments.dropBefore('control', 1, [recordOf(9)]);
    const fs = interrupted(disk, 'openSync', 1, () =>
      disk.folder.names.delete('control.000001.image.ndjson'),
    );
    expect(await new FileSegments('/data', fs).imageBytes('control')).toBe(0);
  });

  test('vouches for no segment that goes before its hash is taken', async () => {
    const { disk, journal, segments } = await two();
    await chain(journal, segments, 'control', writer);
    // Two are listed, each with a look at the next one: the fifth that is opened is to be hashed.
    const fs = interrupted(disk, 'openSync', 5, () => disk.folder.names.delete(FIRST));
    expect(await verifyChain(new FileSegments('/data', fs), 'control')).toMatchObject({
      kind: 'broken',
      segment: 0,
      reason: 'changed',
      detail: expect.stringContaining(' 0 bytes '),
    });
  });

  test('names a segment of which two records tell differently', async () => {
    const { journal, segments } = await two();
    await chain(journal, segments, 'control', writer);
    const { type, data } = chainedEvent({ segment: 0, bytes: 1, sha256: 'another' });
    await journal.append('control', [makeRecord(writer, type, data)]);
    expect(await verifyChain(segments, 'control')).toEqual({
      kind: 'broken',
      segment: 0,
      file: FIRST,
      reason: 'contradicted',
      detail: 'two records differ',
    });
  });
});

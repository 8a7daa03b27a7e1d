// What only the journal on disk can get wrong: modes, short writes, failing devices, many processes.
import { spawn, spawnSync } from 'node:child_process';
import * as nodeFs from 'node:fs';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { describe, expect, onTestFinished, test } from 'vitest';
import { FileJournal, type JournalFs } from '../../../src/breaker/journal/file-journal.ts';
import { FileSegments } from '../../../src/breaker/journal/file-segments.ts';
import {
  type AppendResult,
  type Journal,
  READ_BYTES,
  readAll,
} from '../../../src/breaker/journal/journal.ts';
import type { JournalRecord } from '../../../src/breaker/journal/record.ts';
import { bundledProgram } from '../../support/bundled-program.ts';
import { bytesOf } from '../../support/segment-bytes.ts';
import { entriesOf } from '../../support/streams.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { recordOf, testJournal } from './conformance.ts';

function open(dir: string, fs?: JournalFs): FileJournal {
  const journal = new FileJournal(dir, fs);
  onTestFinished(() => journal.close());
  return journal;
}

testJournal('FileJournal', () => {
  const journal = open(tempDir());
  const path = journal.pathOf('control');
  return {
    journal,
    segments: new FileSegments(journal.dir),
    appendBytes: (bytes) => nodeFs.appendFileSync(path, bytes),
    replaceBytes: (bytes) => nodeFs.writeFileSync(path, bytes),
    bytes: () => readFileSync(path),
  };
});

async function numbersIn(journal: Journal): Promise<unknown[]> {
  const numbers: unknown[] = [];
  for await (const entry of readAll(journal, 'control')) {
    if (entry.kind === 'record') numbers.push(entry.record.data.n);
  }
  return numbers;
}

/** The real system calls, with some replaced, and the order in which they came. */
function recording(change: Partial<JournalFs> = {}) {
  const calls: string[] = [];
  const real = { ...nodeFs, ...change } as JournalFs;
  const names = ['openSync', 'writeSync', 'fdatasyncSync', 'fsyncSync', 'mkdirSync'] as const;
  const noted = Object.fromEntries(
    names.map((name) => [
      name,
      (...args: unknown[]) => {
        calls.push(name);
        return (real[name] as unknown as (...all: unknown[]) => unknown)(...args);
      },
    ]),
  );
  return { calls, fs: { ...real, ...noted } as JournalFs };
}

function failing(code: string, syscall: string): () => never {
  return () => {
    throw Object.assign(new Error(`${code}: made up, ${syscall}`), { code, syscall });
  };
}

describe('files', () => {
  test('are for their owner only, and the folder as well', async () => {
    const dir = join(tempDir(), 'made', 'on demand');
    const journal = open(dir);
    expect(await journal.append('queue', [recordOf(1)])).toEqual({ ok: true });
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    expect(statSync(journal.pathOf('queue')).mode & 0o777).toBe(0o600);
  });

  test('are not made by reading, nor by writing nothing', async () => {
    const dir = join(tempDir(), 'none');
    const journal = open(dir);
    expect(await numbersIn(journal)).toEqual([]);
    expect(await journal.append('control', [])).toEqual({ ok: true });
    expect(existsSync(dir)).toBe(false);
  });

  test('of another process are gone on with', async () => {
    const dir = tempDir();
    await open(dir).append('control', [recordOf(1)]);
    const second = open(dir);
    await second.append('control', [recordOf(2)]);
    expect(await numbersIn(second)).toEqual([1, 2]);
  });

  test('that another process makes at the same moment are shared', async () => {
    const dir = tempDir();
    let isFirst = true;
    const { fs } = recording({
      openSync: ((path: string, ...rest: [number, number]) => {
        // Between our first look and our making it, somebody else made it.
        if (isFirst) {
          isFirst = false;
          writeFileSync(path, '');
          failing('ENOENT', 'open')();
        }
        return nodeFs.openSync(path, ...rest);
      }) as JournalFs['openSync'],
    });
    const journal = open(dir, fs);
    expect(await journal.append('control', [recordOf(1)])).toEqual({ ok: true });
    expect(await numbersIn(journal)).toEqual([1]);
  });
});

describe('durability', () => {
  test('an append is one write, made durable before it is acknowledged', async () => {
    const dir = tempDir();
    const { calls, fs } = recording();
    const journal = open(dir, fs);
    await journal.append('control', [recordOf(1)]);
    calls.length = 0;
    expect(await journal.append('control', [recordOf(2), recordOf(3)])).toEqual({ ok: true });
    expect(calls).toEqual(['writeSync', 'fdatasyncSync']);
  });

  test('the folder of a new file is synced before the first write', async () => {
    const { calls, fs } = recording();
    await open(join(tempDir(), 'new'), fs).append('control', [recordOf(1)]);
    expect(calls.slice(-3)).toEqual(['fsyncSync', 'writeSync', 'fdatasyncSync']);
  });

  test.each([
    ['new', ['.', '..']],
    // The topmost is new in a folder as well; between them is the one of ours.
    ['made/for/us', ['../../..', '.', '..']],
  ])(
    'the folder of a new folder %s is synced as well, or that is gone with all in it',
    async (name, above) => {
      const dir = join(tempDir(), name);
      const synced: string[] = [];
      const paths = new Map<number, string>();
      const { fs } = recording({
        openSync: ((path: string, ...rest: [number, number]) => {
          const fd = nodeFs.openSync(path, ...rest);
          paths.set(fd, nodeFs.realpathSync(path));
          return fd;
        }) as JournalFs['openSync'],
        fsyncSync: (fd) => void synced.push(paths.get(fd) ?? ''),
      });
      await open(dir, fs).append('control', [recordOf(1)]);
      expect(synced).toEqual(above.map((path) => nodeFs.realpathSync(join(dir, path))));
    },
  );

  test('a sync that fails is a failed append', async () => {
    const { fs } = recording({ fdatasyncSync: failing('EIO', 'fdatasync') });
    expect(await open(tempDir(), fs).append('control', [recordOf(1)])).toEqual({
      ok: false,
      failure: { kind: 'io', detail: 'EIO on fdatasync' },
    });
  });
});

describe('a disk that is full', () => {
  test('writes short: that is a failure, and the next append is intact', async () => {
    const dir = tempDir();
    let room = 40;
    const { calls, fs } = recording({
      writeSync: ((fd: number, bytes: Buffer, offset: number, length: number) => {
        const fitting = Math.min(length, room);
        room = 1e9;
        return nodeFs.writeSync(fd, bytes, offset, fitting);
      }) as JournalFs['writeSync'],
    });
    const journal = open(dir, fs);
    const result = await journal.append('control', [recordOf(1)]);
    const detail = expect.stringContaining('only 40 of ');
    expect(result).toMatchObject({ ok: false, failure: { kind: 'full', detail } });
    expect(calls).not.toContain('fdatasyncSync');
    expect(await journal.append('control', [recordOf(2)])).toEqual({ ok: true });
    expect(await numbersIn(journal)).toEqual([2]);
  });

  test.each([
    ['ENOSPC', 'full'],
    ['EDQUOT', 'full'],
    ['EFBIG', 'full'],
    ['EIO', 'io'],
    ['EACCES', 'unwritable'],
    ['EPERM', 'unwritable'],
    ['EROFS', 'unwritable'],
    ['EMFILE', 'unwritable'],
  ])('%s is told as %s, on the write and on opening', async (code, kind) => {
    const onWrite = open(tempDir(), recording({ writeSync: failing(code, 'write') }).fs);
    const onOpen = open(tempDir(), recording({ openSync: failing(code, 'open') }).fs);
    const told = (syscall: string): AppendResult =>
      ({ ok: false, failure: { kind, detail: `${code} on ${syscall}` } }) as AppendResult;
    expect(await onWrite.append('control', [recordOf(1)])).toEqual(told('write'));
    expect(await onOpen.append('control', [recordOf(1)])).toEqual(told('open'));
  });

  test('an error that is none of the system is a bug and is thrown', async () => {
    const broken = () => {
      throw new TypeError('made up');
    };
    const journal = open(tempDir(), recording({ writeSync: broken }).fs);
    await expect(journal.append('control', [recordOf(1)])).rejects.toThrow('made up');
  });
});

describe('a data dir that cannot be used', () => {
  test('because a file stands in its place', async () => {
    const file = join(tempDir(), 'file');
    writeFileSync(file, '');
    const result = await open(join(file, 'data')).append('control', [recordOf(1)]);
    expect(result).toMatchObject({ ok: false, failure: { kind: 'unwritable' } });
  });

  test('because a folder stands in place of the stream', async () => {
    const journal = open(tempDir());
    mkdirSync(journal.pathOf('control'));
    expect(await journal.append('control', [recordOf(1)])).toMatchObject({
      ok: false,
      failure: { kind: 'unwritable', detail: 'EISDIR on open' },
    });
  });

  // Root may write anywhere, so as root this becomes nobody for a moment; a thread cannot.
  test.skipIf(process.platform === 'win32' || !isMainThread)('because it is read-only', async () => {
    const dir = tempDir();
    chmodSync(dir, 0o555);
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.(65_534);
    try {
      const result = await open(dir).append('control', [recordOf(1)]);
      expect(result).toEqual({ ok: false, failure: { kind: 'unwritable', detail: 'EACCES on open' } });
    } finally {
      if (isRoot) process.seteuid?.(0);
      chmodSync(dir, 0o700);
    }
  });

  test('a device that cannot be read throws: an empty log there would be a fresh start', async () => {
    const dir = tempDir();
    await open(dir).append('control', [recordOf(1)]);
    const unreadable = open(dir, recording({ readSync: failing('EIO', 'read') as never }).fs);
    await expect(unreadable.read('control', 0)).rejects.toThrow('EIO');
    const unopenable = open(dir, recording({ openSync: failing('EACCES', 'open') }).fs);
    await expect(unopenable.read('control', 0)).rejects.toThrow('EACCES');
    await expect(unopenable.size('control')).rejects.toThrow('EACCES');
  });
});

describe('reading', () => {
  test('a short read is read on', async () => {
    const dir = tempDir();
    await open(dir).append('control', [recordOf(1, 'x'.repeat(1_000)), recordOf(2)]);
    // Half of what is asked for, each time.
    const readSync = ((fd: number, bytes: Buffer, offset: number, length: number, position: number) =>
      nodeFs.readSync(fd, bytes, offset, Math.ceil(length / 2), position)) as JournalFs['readSync'];
    expect(await numbersIn(open(dir, recording({ readSync }).fs))).toEqual([1, 2]);
  });

  test('a run without a newline that is longer than one read is one piece of damage', async () => {
    const journal = open(tempDir());
    writeFileSync(journal.pathOf('control'), Buffer.alloc(2 * READ_BYTES + 5, 'x'));
    await journal.append('control', [recordOf(1)]);
    expect(await entriesOf(journal)).toMatchObject([
      { kind: 'damaged', position: 0, next: 2 * READ_BYTES + 6 },
      { kind: 'record', record: { data: { n: 1 } } },
    ]);
  });

  test('a run without a newline that no read can hold is damage, and what stands behind it is read', async () => {
    const journal = open(tempDir());
    const path = journal.pathOf('control');
    writeFileSync(path, '');
    // A hole: zeros that take no room.
    nodeFs.truncateSync(path, 65 * 1024 * 1024);
    await journal.append('control', [recordOf(1)]);
    const held = 64 * 1024 * 1024;
    expect(await entriesOf(journal)).toMatchObject([
      { kind: 'damaged', position: 0, next: held, reason: 'no newline' },
      { kind: 'damaged', position: held },
      { kind: 'record', record: { data: { n: 1 } } },
    ]);
  });
});

describe('what somebody put in place of a file of ours', () => {
  const SECOND = 'control.000001.ndjson';
  const link = (dir: string, name: string) => {
    const elsewhere = join(tempDir(), 'elsewhere');
    writeFileSync(elsewhere, 'not ours');
    nodeFs.symlinkSync(elsewhere, join(dir, name));
    return elsewhere;
  };

  test.each(['control.ndjson', SECOND])(
    'a link in place of %s is neither read nor written through',
    async (name) => {
      const dir = tempDir();
      if (name === SECOND) await open(dir).append('control', [recordOf(1)]);
      const elsewhere = link(dir, name);
      const journal = open(dir);
      expect(await journal.append('control', [recordOf(2)])).toMatchObject({ ok: false });
      await expect(numbersIn(journal)).rejects.toThrow('ELOOP');
      const segments = new FileSegments(dir);
      await expect(segments.list('control')).rejects.toThrow('ELOOP');
      // Where the first ends is told by the second.
      await expect(bytesOf(segments, 'control', 0)).rejects.toThrow('ELOOP');
      expect(await segments.seal('control', recordOf(0))).toMatchObject({ ok: false });
      expect(readFileSync(elsewhere, 'utf8')).toBe('not ours');
    },
  );

  test.skipIf(process.platform === 'win32')('nobody waits for the other end of a pipe', async () => {
    const dir = tempDir();
    expect(spawnSync('mkfifo', [join(dir, 'control.ndjson')]).status).toBe(0);
    expect(await numbersIn(open(dir))).toEqual([]);
  });
});

test('closing gives every descriptor back, and the journal can be used again', async () => {
  const opened: number[] = [];
  const closed: number[] = [];
  const dir = tempDir();
  const { fs } = recording({
    openSync: ((...args: Parameters<typeof nodeFs.openSync>) => {
      const fd = nodeFs.openSync(...args);
      opened.push(fd);
      return fd;
    }) as JournalFs['openSync'],
    closeSync: (fd: number) => {
      closed.push(fd);
      nodeFs.closeSync(fd);
    },
  });
  const journal = open(dir, fs);
  await journal.append('control', [recordOf(1)]);
  await numbersIn(journal);
  await journal.close();
  expect(closed.sort()).toEqual(opened.sort());
  expect(await numbersIn(journal)).toEqual([1]);
});

test('what one process does at once, over a file system that answers later, opens each file once', async () => {
  const opened: string[] = [];
  const later = Object.fromEntries(
    Object.entries(nodeFs)
      .filter(([name]) => name.endsWith('Sync'))
      .map(([name, call]) => [
        name,
        async (...args: unknown[]) => {
          await new Promise(setImmediate);
          if (name === 'openSync' && String(args[0]).endsWith('.ndjson')) opened.push(String(args[0]));
          return (call as (...all: unknown[]) => unknown)(...args);
        },
      ]),
  ) as unknown as JournalFs;
  const dir = tempDir();
  writeFileSync(join(dir, 'control.ndjson'), '');
  const journal = open(dir, later);
  const numbers = [1, 2, 3, 4, 5];
  await Promise.all(numbers.flatMap((n) => [journal.append('control', [recordOf(n)]), numbersIn(journal)]));
  expect(await numbersIn(journal)).toEqual(numbers);
  expect(opened).toHaveLength(2);
});

test('processes that append at once lose nothing and tear nothing', async () => {
  const dir = tempDir();
  const script = await bundledProgram('appender', dir);
  const data = join(dir, 'data');
  const [processes, count] = [8, 200];
  const exits = Array.from({ length: processes }, (_, index) => {
    const child = spawn(process.execPath, [script, data, `inv-${index}`, String(count)], { stdio: 'ignore' });
    return new Promise((resolve) => child.on('exit', resolve));
  });
  expect(await Promise.all(exits)).toEqual(Array(processes).fill(0));

  const perProcess = new Map<string, unknown[]>();
  const ids = new Set<string>();
  for await (const entry of readAll(open(data), 'control')) {
    expect(entry.kind).toBe('record');
    const { record } = entry as { record: JournalRecord };
    ids.add(record.id);
    perProcess.set(record.inv, [...(perProcess.get(record.inv) ?? []), record.data.n]);
  }
  expect(ids.size).toBe(processes * count);
  const inOrder = [...Array(count).keys()];
  expect([...perProcess.values()]).toEqual(Array(processes).fill(inOrder));
});

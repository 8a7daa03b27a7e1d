// The lock around appends on a network file system: one holder at a time whatever the order, nobody waits for long for one
// who is dead, and on a local disk there is none.

import * as nodeFs from 'node:fs';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppendLock, BREAK_AFTER_LOOKS, MAX_LOOKS } from '../../../src/breaker/journal/append-lock.ts';
import { Disk, type JournalFs } from '../../../src/breaker/journal/disk.ts';
import { FileJournal } from '../../../src/breaker/journal/file-journal.ts';
import { isShared, NETWORK_TYPES } from '../../../src/breaker/journal/network.ts';
import { interleave, type Turn } from '../../support/interleave.ts';
import { Killed, MemoryDisk } from '../../support/memory-disk.ts';
import { PROPERTY_RUNS } from '../../support/property-runs.ts';
import { seeded } from '../../support/seeded.ts';
import { entriesOf } from '../../support/streams.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { recordOf } from './conformance.ts';

const [EXT4, NFS] = [0xef53, 0x6969];

async function numbersIn(disk: MemoryDisk): Promise<unknown[]> {
  const entries = await entriesOf(new FileJournal('/data', disk.process()));
  return entries.map((entry) => (entry.kind === 'record' ? entry.record.data.n : entry.kind));
}

const locksIn = (disk: MemoryDisk) =>
  [...disk.folder.names.keys()].filter((name) => name.startsWith('append-lock'));

/** A network disk whose lock is held, by nobody who would ever give it back. */
function leftHeld(number = 7): MemoryDisk {
  const disk = new MemoryDisk('network');
  disk.replace('append-lock', Buffer.alloc(0));
  disk.replace(`append-lock.${number}.held`, Buffer.alloc(0));
  return disk;
}

/** How often a process calls what. */
function counting(disk: MemoryDisk, fs?: (calls: JournalFs) => Partial<JournalFs>) {
  const calls: Partial<Record<keyof JournalFs, number>> = {};
  const process = disk.process((call) => {
    calls[call] = (calls[call] ?? 0) + 1;
  });
  return { calls, fs: { ...process, ...fs?.(process) } as JournalFs };
}

describe('there is a lock', () => {
  test.each([
    ['on a local disk: no', EXT4, ['control.ndjson'], false],
    ['where nothing is known of the file system: no', 0, [], false],
    ['on NFS', NFS, [], true],
    ['where one is, whatever the disk looks like from here', EXT4, ['append-lock'], true],
    ['where a person wants none: no', NFS, ['append-lock', 'append-lock.never'], false],
  ])('%s', (_, type, names, expected) => {
    expect(isShared(names, type)).toBe(expected);
  });

  // The numbers as linux/magic.h of a kernel has them; VirtualBox's and Lustre's stand in their own sources.
  test.each([
    [0x6969, 'NFS'],
    [0x517b, 'SMB'],
    [0xff534d42, 'CIFS'],
    [0xfe534d42, 'SMB2'],
    [0x01021997, '9p'],
    [0x00c36400, 'Ceph'],
    [0x5346414f, 'AFS'],
    [0x6b414653, 'AFS'],
    [0x73757245, 'Coda'],
    [0x0bd00bd0, 'Lustre'],
    [0x786f4256, 'VirtualBox'],
    [0x65735546, 'FUSE'],
  ])('on file system %i, %s', (type, name) => {
    expect(isShared([], type)).toBe(true);
    expect(NETWORK_TYPES.get(type)).toBe(name);
  });

  test('where the folder is not made yet, by what it will be on', async () => {
    const asked: string[] = [];
    const disk = new MemoryDisk();
    const statfsSync = (path: string) => {
      asked.push(path);
      if (path.length > '/mnt'.length) throw Object.assign(new Error('none'), { code: 'ENOENT' });
      return { type: NFS };
    };
    const fs = { ...disk.process(), statfsSync };
    expect(await new Disk('/mnt/a/b', fs).isShared([])).toBe(true);
    expect(asked).toEqual(['/mnt/a/b', '/mnt/a', '/mnt']);
  });

  test('nowhere, when no folder can be asked; a bug is thrown', async () => {
    const disk = new MemoryDisk('network');
    const failing = (error: Error) => ({
      ...disk.process(),
      statfsSync: () => {
        throw error;
      },
    });
    const refused = Object.assign(new Error('made up'), { code: 'ENOSYS' });
    expect(await new Disk('/data', failing(refused)).isShared([])).toBe(false);
    await expect(new Disk('/data', failing(new TypeError('made up'))).isShared([])).rejects.toThrow(
      'made up',
    );
  });
});

test('on a local disk a process asks once what it is on, and for nothing else', async () => {
  const { calls, fs } = counting(new MemoryDisk());
  const journal = new FileJournal('/data', fs);
  for (const stream of ['control', 'queue'] as const) {
    for (const n of [1, 2]) expect(await journal.append(stream, [recordOf(n)])).toEqual({ ok: true });
    expect((await journal.read(stream, 0)).entries).toHaveLength(2);
  }
  expect(calls).toMatchObject({ statfsSync: 1 });
  expect(calls).not.toHaveProperty('renameSync');
  expect(calls).not.toHaveProperty('pause');
});

describe('on a network file system', () => {
  test('each append takes the lock and gives it back, and leaves nothing open', async () => {
    const disk = new MemoryDisk('network');
    const { calls, fs } = counting(disk);
    const journal = new FileJournal('/data', fs);
    for (const n of [1, 2, 3]) expect(await journal.append('control', [recordOf(n)])).toEqual({ ok: true });
    expect(calls).toMatchObject({ statfsSync: 1, renameSync: 6 });
    expect(calls.openSync).toBe(calls.closeSync);
    expect(locksIn(disk)).toEqual(['append-lock', 'append-lock.3.free']);
    expect(await numbersIn(disk)).toEqual([1, 2, 3]);
  });

  test('the lock is held from before the file is opened until after it is closed', async () => {
    const disk = new MemoryDisk('network');
    await new FileJournal('/data', disk.process()).append('control', [recordOf(1)]);
    const held: string[] = [];
    const fs = disk.process((call) => {
      if (locksIn(disk).some((name) => name.endsWith('held'))) held.push(call);
    });
    await new FileJournal('/data', fs).append('control', [recordOf(2)]);
    const append = ['openSync', 'fstatSync', 'writeSync', 'fdatasyncSync', 'readdirSync', 'closeSync'];
    expect(held).toEqual(['readdirSync', ...append, 'renameSync']);
  });

  test('what others wrote is seen by who has the journal open', async () => {
    const disk = new MemoryDisk('network');
    const [one, other] = [1, 2].map(() => new FileJournal('/data', disk.process()));
    await one!.append('control', [recordOf(1)]);
    const { next } = await one!.read('control', 0);
    await other!.append('control', [recordOf(2)]);
    expect((await one!.read('control', next)).entries).toMatchObject([{ record: { data: { n: 2 } } }]);
  });

  test('an append that has to begin anew does so with the lock that it has', async () => {
    const disk = new MemoryDisk('network');
    await new FileJournal('/data', disk.process()).append('control', [recordOf(1)]);
    const { calls, fs } = counting(disk, (real) => ({
      openSync: (path, flags) => {
        // Somebody has taken away what was listed a moment ago.
        if (calls.openSync === undefined) disk.folder.names.delete('control.ndjson');
        return real.openSync(path, flags);
      },
    }));
    expect(await new FileJournal('/data', fs).append('control', [recordOf(2)])).toEqual({ ok: true });
    expect(calls).toMatchObject({ renameSync: 2 });
    expect(calls).not.toHaveProperty('pause');
    expect(await numbersIn(disk)).toEqual([2]);
  });

  test('an append that fails gives it back', async () => {
    const disk = new MemoryDisk('network');
    const { fs } = counting(disk, () => ({
      fdatasyncSync: () => {
        throw Object.assign(new Error('made up'), { code: 'EIO', syscall: 'fdatasync' });
      },
    }));
    const failure = { kind: 'io', detail: 'EIO on fdatasync' };
    expect(await new FileJournal('/data', fs).append('control', [recordOf(1)])).toEqual({
      ok: false,
      failure,
    });
    expect(locksIn(disk)).toEqual(['append-lock', 'append-lock.1.free']);
  });

  test('a file that cannot be closed keeps the lock from nobody', async () => {
    const disk = new MemoryDisk('network');
    const { fs } = counting(disk, (real) => ({
      closeSync: async (fd) => {
        await real.closeSync(fd);
        if (disk.bytes('control.ndjson').length === 0) return;
        throw Object.assign(new Error('made up'), { code: 'EIO', syscall: 'close' });
      },
    }));
    const failure = { kind: 'io', detail: 'EIO on close' };
    expect(await new FileJournal('/data', fs).append('control', [recordOf(1)])).toEqual({
      ok: false,
      failure,
    });
    expect(locksIn(disk)).toEqual(['append-lock', 'append-lock.1.free']);
  });

  test.each(['renameSync', 'openSync'] as const)(
    'a lock that fails (%s) keeps nobody from appending',
    async (call) => {
      const disk = new MemoryDisk('network');
      if (call === 'renameSync')
        await new FileJournal('/data', disk.process()).append('queue', [recordOf(0)]);
      const { fs } = counting(disk, (real) => ({
        [call]: (path: string, ...rest: [number, number]) => {
          if (path.includes('append-lock')) throw Object.assign(new Error('made up'), { code: 'EACCES' });
          return real.openSync(path, ...rest);
        },
      }));
      expect(await new FileJournal('/data', fs).append('control', [recordOf(1)])).toEqual({ ok: true });
      expect(await numbersIn(disk)).toEqual([1]);
    },
  );
});

describe('a lock that nobody gives back', () => {
  test('is broken after as many looks as it says, and then it is as if it had never been', async () => {
    const disk = leftHeld();
    const { calls, fs } = counting(disk);
    const journal = new FileJournal('/data', fs);
    expect(await journal.append('control', [recordOf(1)])).toEqual({ ok: true });
    expect(calls.pause).toBe(BREAK_AFTER_LOOKS);
    expect(await journal.append('control', [recordOf(2)])).toEqual({ ok: true });
    expect(calls.pause).toBe(BREAK_AFTER_LOOKS);
    expect(locksIn(disk)).toEqual(['append-lock', 'append-lock.9.free']);
  });

  test('is not broken one look earlier', async () => {
    const disk = leftHeld();
    let pauses = 0;
    const { fs } = counting(disk, () => ({
      pause: () => {
        pauses += 1;
        // The holder was alive after all, and has had another turn.
        if (pauses === BREAK_AFTER_LOOKS) renamed(disk, 'append-lock.7.held', 'append-lock.8.held');
        if (pauses === BREAK_AFTER_LOOKS + 1) renamed(disk, 'append-lock.8.held', 'append-lock.8.free');
      },
    }));
    expect(await new FileJournal('/data', fs).append('control', [recordOf(1)])).toEqual({ ok: true });
    expect(locksIn(disk)).toEqual(['append-lock', 'append-lock.9.free']);
    expect(pauses).toBe(BREAK_AFTER_LOOKS + 1);
  });

  test('was never there, for its maker died before he made it: it is made', async () => {
    const disk = new MemoryDisk('network');
    disk.replace('append-lock', Buffer.alloc(0));
    const { calls, fs } = counting(disk);
    expect(await new FileJournal('/data', fs).append('control', [recordOf(1)])).toEqual({ ok: true });
    expect(calls.pause).toBe(BREAK_AFTER_LOOKS + 1);
    expect(locksIn(disk)).toEqual(['append-lock', 'append-lock.anew.1', 'append-lock.1.free']);
  });

  test('was taken away, and again: each time it is made anew', async () => {
    const disk = new MemoryDisk('network');
    const journal = new FileJournal('/data', disk.process());
    for (const n of [1, 2, 3]) {
      expect(await journal.append('control', [recordOf(n)])).toEqual({ ok: true });
      expect(disk.folder.names.delete('append-lock.1.free')).toBe(true);
    }
    expect(locksIn(disk)).toEqual(['append-lock', 'append-lock.anew.1', 'append-lock.anew.2']);
    expect(await numbersIn(disk)).toEqual([1, 2, 3]);
  });

  // Found by the property below, when who made the mark had died. The late one made a second lock with the number of the
  // first, which was held, and who had only seen the first took the second.
  test('was never there, and several make it at once: one of them does', async () => {
    const disk = new MemoryDisk('network');
    disk.replace('append-lock', Buffer.alloc(0));
    const [late, first, other] = [stepwise(disk), stepwise(disk), stepwise(disk)];
    late.take();
    await late.until(/^openSync .*append-lock\./);
    first.take();
    await first.until(/^renameSync .*append-lock\.0\.free/);
    other.take();
    await other.until(/^renameSync .*append-lock\.0\.free/);
    await first.until(/^taken/);
    await late.until(/^pause/);
    await other.until(/^(pause|taken)/);
    expect([late, first, other].map(({ at }) => at)).toEqual(['pause 20', 'taken', 'pause 20']);
    expect(locksIn(disk)).toEqual(['append-lock', 'append-lock.anew.1', 'append-lock.1.held']);
  });

  test('gives nothing back when its holder wakes up after it was broken', async () => {
    const disk = new MemoryDisk('network');
    const [slow, next] = [1, 2].map(() => new AppendLock(new Disk('/data', disk.process())));
    await slow!.take();
    await next!.take();
    expect(locksIn(disk)).toEqual(['append-lock', 'append-lock.2.held']);
    await slow!.giveBack();
    expect(locksIn(disk)).toEqual(['append-lock', 'append-lock.2.held']);
    await next!.giveBack();
    expect(locksIn(disk)).toEqual(['append-lock', 'append-lock.2.free']);
  });
});

/** A process that takes the lock, and waits before each call until it is let go. */
function stepwise(disk: MemoryDisk) {
  let go = () => {};
  const calls = Object.entries(disk.process()).map(([name, call]) => [
    name,
    async (...args: unknown[]) => {
      await new Promise<void>((resolve) => {
        go = resolve;
        process.at = `${name} ${args[0]}`;
      });
      return (call as (...all: unknown[]) => unknown)(...args);
    },
  ]);
  const lock = new AppendLock(new Disk('/data', Object.fromEntries(calls)));
  const process = {
    at: 'start',
    take: () => {
      void lock.take().then(() => {
        process.at = 'taken';
      });
    },
    /** Until it is about to make such a call, or has the lock. */
    until: async (what: RegExp) => {
      while (!what.test(process.at)) {
        expect(process.at).not.toBe('taken');
        go();
        await setImmediate();
      }
    },
  };
  return process;
}

function renamed(disk: MemoryDisk, from: string, to: string): void {
  const { names } = disk.folder;
  const inode = names.get(from);
  if (inode === undefined || !names.delete(from)) throw new Error(`${from} is not there`);
  names.set(to, inode);
}

test('nobody waits for longer than he says, and then he appends without it', async () => {
  const disk = leftHeld();
  let number = 7;
  let pauses = 0;
  const { calls, fs } = counting(disk, () => ({
    // Others have it again and again.
    pause: () => {
      pauses += 1;
      renamed(disk, `append-lock.${number}.held`, `append-lock.${++number}.held`);
    },
  }));
  expect(await new FileJournal('/data', fs).append('control', [recordOf(1)])).toEqual({ ok: true });
  expect(pauses).toBe(MAX_LOOKS);
  // What he never had he does not give back.
  expect(calls.renameSync).toBe(undefined);
  expect(locksIn(disk)).toEqual(['append-lock', `append-lock.${number}.held`]);
  expect(await numbersIn(disk)).toEqual([1]);
});

test('should there be another, the one that was taken most often counts', async () => {
  const disk = leftHeld(10);
  renamed(disk, 'append-lock.10.held', 'append-lock.10.free');
  disk.replace('append-lock.9.free', Buffer.alloc(0));
  await new FileJournal('/data', disk.process()).append('control', [recordOf(1)]);
  expect(locksIn(disk).sort()).toEqual(['append-lock', 'append-lock.11.free', 'append-lock.9.free']);
});

test('what only looks like a lock is none', async () => {
  const disk = new MemoryDisk('network');
  disk.replace('append-lock', Buffer.alloc(0));
  disk.replace('append-lock.7.free', Buffer.alloc(0));
  const others = ['my-append-lock.8.free', 'append-lock.9.free.bak', 'append-lock.10.broken'];
  for (const name of others) disk.replace(name, Buffer.alloc(0));
  await new FileJournal('/data', disk.process()).append('control', [recordOf(1)]);
  expect(locksIn(disk)).toContain('append-lock.8.free');
  expect([...disk.folder.names.keys()]).toEqual(expect.arrayContaining(others));
});

test('over node:fs somebody waits until it is given back', async () => {
  const dir = tempDir();
  for (const name of ['append-lock', 'append-lock.3.held']) writeFileSync(join(dir, name), '');
  const journal = new FileJournal(dir);
  let isDone = false;
  const append = journal.append('control', [recordOf(1)]).then((result) => {
    isDone = true;
    return result;
  });
  await setImmediate();
  expect(isDone).toBe(false);
  nodeFs.renameSync(join(dir, 'append-lock.3.held'), join(dir, 'append-lock.3.free'));
  expect(await append).toEqual({ ok: true });
  expect(nodeFs.readdirSync(dir).sort()).toEqual(['append-lock', 'append-lock.4.free', 'control.ndjson']);
});

describe('in any order of calls', () => {
  const none = { dies: -1, atCall: 0, missed: 0, isMarked: false };
  /**
   * One dies before one of its calls; or who looks into the folder may miss a file, as one that is just being renamed; or
   * a person has made the mark, and all make the lock.
   */
  const troubles = fc.oneof(
    fc
      .record({ dies: fc.nat({ max: 4 }), atCall: fc.nat({ max: 20 }) })
      .map((dead) => ({ ...none, ...dead })),
    fc.constant({ ...none, missed: 0.2 }),
    fc.constant({ ...none, isMarked: true }),
  );

  test('one holds it at a time, and everybody who lives has it in time', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 2, max: 5 }), troubles, async (seed, count, trouble) => {
        const disk = new MemoryDisk('network');
        if (trouble.isMarked) disk.replace('append-lock', Buffer.alloc(0));
        const random = seeded(seed);
        const holders = new Set<number>();
        let served = 0;
        const one = (number: number) => async (turn: Turn) => {
          let calls = 0;
          let looks = 0;
          const real = disk.process(async () => {
            await turn();
            if (trouble.dies === number && calls++ >= trouble.atCall) throw new Killed();
          });
          const readdirSync = async (path: string) => {
            looks += 1;
            return (await real.readdirSync(path)).filter(() => random() >= trouble.missed);
          };
          const lock = new AppendLock(new Disk('/data', { ...real, readdirSync }));
          for (let n = 0; n < 3; n++) {
            looks = 0;
            await lock.take();
            expect(looks).toBeLessThan(MAX_LOOKS);
            expect([...holders]).toEqual([]);
            holders.add(number);
            await turn();
            holders.delete(number);
            await lock.giveBack();
          }
          served += 1;
        };
        const living = (process: (turn: Turn) => Promise<void>) => (turn: Turn) =>
          process(turn).catch((error: unknown) => {
            if (!(error instanceof Killed)) throw error;
          });
        await interleave(
          seed,
          Array.from({ length: count }, (_, number) => living(one(number))),
        );
        expect(served).toBeGreaterThanOrEqual(trouble.dies >= 0 && trouble.dies < count ? count - 1 : count);
      }),
      PROPERTY_RUNS,
    );
  });

  /** Of several who append at once: how many acknowledged records are not there in the end. */
  async function lostOf(seed: number, isLocked: boolean): Promise<number> {
    const disk = new MemoryDisk('network');
    if (!isLocked) disk.replace('append-lock.never', Buffer.alloc(0));
    let acknowledged = 0;
    const writer = (number: number) => async (turn: Turn) => {
      const journal = new FileJournal('/data', disk.process(turn));
      for (let n = 0; n < 3; n++) {
        const result = await journal.append('control', [recordOf(number * 10 + n)]);
        if (result.ok) acknowledged += 1;
      }
    };
    await interleave(seed, [1, 2, 3].map(writer));
    const found = (await numbersIn(disk)).filter((n) => typeof n === 'number');
    return acknowledged - new Set(found).size;
  }

  test('records are lost there without the lock, and none with it', async () => {
    const seeds = Array.from({ length: 40 }, (_, seed) => seed);
    const sum = async (isLocked: boolean) => {
      let lost = 0;
      for (const seed of seeds) lost += await lostOf(seed, isLocked);
      return lost;
    };
    expect(await sum(false)).toBeGreaterThan(seeds.length);
    expect(await sum(true)).toBe(0);
  });
});

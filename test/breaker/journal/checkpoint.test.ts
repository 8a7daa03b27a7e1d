// A checkpoint is a cache: replaced whole, and believed only when it is whole and of this log and era.

import { spawnSync } from 'node:child_process';
import * as nodeFs from 'node:fs';
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { AtomicFile, replaceFile } from '../../../src/breaker/journal/atomic-file.ts';
import { type Checkpoint, trusted, writeCheckpoint } from '../../../src/breaker/journal/checkpoint.ts';
import { joinLines } from '../../../src/breaker/journal/lines.ts';
import { MemoryJournal } from '../../../src/breaker/journal/memory-journal.ts';
import { encodeLine } from '../../../src/breaker/journal/record.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { recordOf } from './conformance.ts';

type State = { readonly text: string };
// What a process goes by.
const OURS = { era: 'era-1', boot: 'boot-1' };
const checkpoint = (text = 'folded €'): Checkpoint<State> => ({
  ...OURS,
  position: 300,
  last: { position: 1, id: 'id-1' },
  state: { text },
});

describe('the file', () => {
  test('that is not there reads as none', () => {
    expect(new AtomicFile(join(tempDir(), 'none.json')).read()).toBe(null);
  });

  test('is written and read through lowdb, for its owner only, in a folder made on demand', () => {
    const dir = join(tempDir(), 'new');
    const path = join(dir, 'checkpoint.json');
    writeCheckpoint(new AtomicFile<Checkpoint<State>>(path), checkpoint());
    expect(new AtomicFile(path).read()).toEqual(checkpoint());
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    expect(readdirSync(dir)).toEqual(['checkpoint.json']);
  });

  test('is replaced whole: the old one stands until the new one is durable', () => {
    const dir = tempDir();
    const path = join(dir, 'checkpoint.json');
    const file = new AtomicFile<State>(path);
    file.write({ text: 'old' });
    const calls: string[] = [];
    const noting = {
      ...nodeFs,
      fsyncSync: (fd: number) => {
        calls.push(`sync ${nodeFs.fstatSync(fd).isDirectory() ? 'folder' : 'file'}`);
        expect(file.read()?.text).toBe(calls.length === 1 ? 'old' : 'new');
        nodeFs.fsyncSync(fd);
      },
      renameSync: (from: string, to: string) => {
        calls.push('rename');
        nodeFs.renameSync(from, to);
      },
    } as typeof nodeFs;
    new AtomicFile<State>(path, noting).write({ text: 'new' });
    expect(calls).toEqual(['sync file', 'rename', 'sync folder']);
  });

  test.each(['writeFileSync', 'fsyncSync', 'renameSync'])(
    'when %s fails, the old one stands and no temp file is left',
    (name) => {
      const dir = tempDir();
      const path = join(dir, 'checkpoint.json');
      const file = new AtomicFile<State>(path);
      file.write({ text: 'old' });
      const full = () => {
        throw Object.assign(new Error('made up'), { code: 'ENOSPC' });
      };
      const failing = { ...nodeFs, [name]: full } as typeof nodeFs;
      expect(() => new AtomicFile<State>(path, failing).write({ text: 'new' })).toThrow('made up');
      expect(file.read()).toEqual({ text: 'old' });
      expect(readdirSync(dir)).toEqual(['checkpoint.json']);
    },
  );

  test('with any bit flipped is ignored', () => {
    const path = join(tempDir(), 'checkpoint.json');
    const file = new AtomicFile<State>(path);
    file.write({ text: 'folded €' });
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const flipped = Buffer.from(whole);
        flipped[at]! ^= 1 << bit;
        writeFileSync(path, flipped);
        expect(file.read(), `byte ${at}, bit ${bit}`).toBe(null);
      }
    }
  });

  test('that is cut off anywhere is ignored', () => {
    const path = join(tempDir(), 'checkpoint.json');
    const file = new AtomicFile<State>(path);
    file.write({ text: 'folded' });
    const whole = readFileSync(path);
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(path, whole.subarray(0, length));
      expect(file.read(), `${length} bytes`).toBe(null);
    }
  });

  test('in a folder of ours that leads elsewhere is not written', () => {
    const root = tempDir();
    const [elsewhere, dir] = [join(root, 'elsewhere'), join(root, 'ours')];
    mkdirSync(elsewhere);
    symlinkSync(elsewhere, dir);
    const path = join(dir, 'checkpoint.json');
    expect(() => new AtomicFile<State>(path, nodeFs, true).write({ text: 'x' })).toThrow(
      `${dir} leads elsewhere`,
    );
    expect(readdirSync(elsewhere)).toEqual([]);
    // A folder that is none of ours may be anywhere: people move theirs to other disks.
    new AtomicFile<State>(path).write({ text: 'x' });
    expect(readdirSync(elsewhere)).toEqual(['checkpoint.json']);
  });

  test.skipIf(process.platform === 'win32')('that is a pipe is not waited for', () => {
    const path = join(tempDir(), 'checkpoint.json');
    expect(spawnSync('mkfifo', [path]).status).toBe(0);
    expect(new AtomicFile<State>(path).read()).toBe(null);
  });

  test('that is a link is not read, wherever it leads', () => {
    const dir = tempDir();
    const [real, link] = [join(dir, 'real.json'), join(dir, 'link.json')];
    new AtomicFile<State>(real).write({ text: 'x' });
    symlinkSync(real, link);
    expect(new AtomicFile<State>(real).read()).toEqual({ text: 'x' });
    expect(new AtomicFile<State>(link).read()).toBe(null);
  });

  test('of a sound first line and no JSON behind it is ignored', () => {
    const path = join(tempDir(), 'checkpoint.json');
    const body = '{"text":';
    writeFileSync(path, `checkpoint 1 ${crc32(body)}\n${body}`);
    expect(new AtomicFile(path).read()).toBe(null);
  });

  test('of an interrupted write is neither read nor written over', () => {
    const dir = tempDir();
    const path = join(dir, 'checkpoint.json');
    const opened: [string, unknown, unknown][] = [];
    const noting = {
      ...nodeFs,
      openSync: (...args: [string, string, number]) => {
        opened.push(args);
        return nodeFs.openSync(...args);
      },
    } as unknown as typeof nodeFs;
    new AtomicFile<State>(path, noting).write({ text: 'x' });
    // A name of its own, that must not be there yet; then the folder.
    expect(opened[0]![0]).toMatch(/\/checkpoint\.json\.\d+\.\d+\.tmp$/);
    expect(opened[0]!.slice(1)).toEqual(['wx', 0o600]);
    expect(opened[1]!.slice(0, 2)).toEqual([dir, 'r']);
  });

  test('is written a moment after a write that was killed, whose temp file is still there', () => {
    const dir = tempDir();
    const path = join(dir, 'checkpoint.json');
    const die = () => {
      throw new Error('made up');
    };
    const dying = { ...nodeFs, renameSync: die, rmSync: () => {} } as typeof nodeFs;
    expect(() => new AtomicFile<State>(path, dying).write({ text: 'old' })).toThrow('made up');
    new AtomicFile<State>(path).write({ text: 'new' });
    expect(new AtomicFile<State>(path).read()).toEqual({ text: 'new' });
    expect(readdirSync(dir)).toHaveLength(2);
  });

  test('whose temp file somebody took away says that, and not that it could not be removed', () => {
    const path = join(tempDir(), 'checkpoint.json');
    const taken = (temp: string) => {
      nodeFs.unlinkSync(temp);
      throw new Error('made up');
    };
    const fs = { ...nodeFs, renameSync: taken } as typeof nodeFs;
    expect(() => new AtomicFile<State>(path, fs).write({ text: 'x' })).toThrow('made up');
  });

  test.each(['none', 'writeFileSync', 'fsyncSync'])('leaves no descriptor open when %s fails', (failing) => {
    let open = 0;
    const fs = {
      ...nodeFs,
      openSync: (...args: [string, string, number]) => {
        open += 1;
        return nodeFs.openSync(...args);
      },
      closeSync: (fd: number) => {
        open -= 1;
        nodeFs.closeSync(fd);
      },
      [failing]: () => {
        throw new Error('made up');
      },
    } as unknown as typeof nodeFs;
    const write = () => new AtomicFile<State>(join(tempDir(), 'checkpoint.json'), fs).write({ text: 'x' });
    if (failing === 'none') write();
    else expect(write).toThrow('made up');
    expect(open).toBe(0);
  });

  test('at the root of a file system has that for its folder', () => {
    const synced: unknown[] = [];
    const calls = ['writeFileSync', 'fsyncSync', 'closeSync', 'renameSync'].map((name) => [name, () => {}]);
    const fs = { ...Object.fromEntries(calls), openSync: (path: string) => synced.push(path) };
    replaceFile('/checkpoint.json', 'x', 0o600, fs as unknown as typeof nodeFs);
    expect(synced.at(-1)).toBe('/');
  });

  test('of a version that this code does not know is ignored', () => {
    const path = join(tempDir(), 'checkpoint.json');
    const file = new AtomicFile<State>(path);
    file.write({ text: 'folded' });
    writeFileSync(path, readFileSync(path, 'utf8').replace('checkpoint 1 ', 'checkpoint 2 '));
    expect(file.read()).toBe(null);
  });
});

describe('trust', () => {
  async function logOf(count: number) {
    const journal = new MemoryJournal();
    for (let n = 0; n < count; n++) await journal.append('control', [recordOf(n)]);
    const { entries, next } = await journal.read('control', 0);
    return { journal, entries, end: next };
  }

  async function checkpointOf(count: number) {
    const { journal, entries, end } = await logOf(count);
    const last = entries.at(-1)!;
    const id = last.kind === 'record' ? last.record.id : '';
    const kept: Checkpoint<null> = {
      ...OURS,
      position: end,
      last: { position: last.position, id },
      state: null,
    };
    return { journal, kept };
  }

  test('a checkpoint of this log is believed, also when more was appended, here or behind sealed segments', async () => {
    const { journal, kept } = await checkpointOf(3);
    const check = () => trusted(journal, 'control', OURS, kept);
    expect(await check()).toBe(kept);
    await journal.append('control', [recordOf(9)]);
    expect(await check()).toBe(kept);
    await journal.seal('control', recordOf(0));
    await journal.seal('control', recordOf(0));
    await journal.append('control', [recordOf(10)]);
    expect(await check()).toBe(kept);
  });

  test('it is ignored when its position is no number, though it compares like one, or no record is named', async () => {
    const { journal, kept } = await checkpointOf(1);
    const check = (changed: object) => trusted(journal, 'control', OURS, { ...kept, ...changed });
    expect(await check({})).toEqual(kept);
    for (const changed of [{ position: String(kept.position) }, { last: undefined }, { last: null }]) {
      expect(await check(changed), JSON.stringify(changed)).toBeNull();
    }
  });

  test('a line of another hand, without the newline before it, begins where it ends and is read after it', async () => {
    const { journal, kept } = await checkpointOf(3);
    journal.appendBytes('control', joinLines([encodeLine(recordOf(9))]).subarray(1));
    expect(await trusted(journal, 'control', OURS, kept)).toBe(kept);
    expect((await journal.read('control', kept.position)).entries).toMatchObject([
      { position: kept.position },
    ]);
  });

  test.each([
    ['there is none', () => null],
    ['it is of another era', (kept: Checkpoint<null>) => ({ ...kept, era: 'era-2' })],
    ['it is of another boot', (kept: Checkpoint<null>) => ({ ...kept, boot: 'boot-2' })],
    [
      'it names another record',
      (kept: Checkpoint<null>) => ({ ...kept, last: { ...kept.last, id: 'other' } }),
    ],
    [
      'no record begins where it says',
      (kept: Checkpoint<null>) => ({ ...kept, last: { ...kept.last, position: kept.last.position + 1 } }),
    ],
    ['it ends behind the log', (kept: Checkpoint<null>) => ({ ...kept, position: kept.position + 1 })],
    [
      'it ends before the record that it names does',
      (kept: Checkpoint<null>) => ({ ...kept, position: kept.last.position + 1 }),
    ],
  ])('it is ignored when %s', async (_, changed) => {
    const { journal, kept } = await checkpointOf(3);
    expect(await trusted(journal, 'control', OURS, changed(kept))).toBeNull();
  });

  test('it is ignored when its log is gone, shorter, or another', async () => {
    const { journal, kept } = await checkpointOf(3);
    const bytes = Buffer.from(journal.bytes('control'));
    expect(await trusted(new MemoryJournal(), 'control', OURS, kept)).toBeNull();
    journal.replaceBytes('control', bytes.subarray(0, kept.last.position + 5));
    expect(await trusted(journal, 'control', OURS, kept)).toBeNull();
    expect(await trusted((await logOf(3)).journal, 'control', OURS, kept)).toBeNull();
  });

  test('it is ignored when the record that it names is damaged', async () => {
    const { journal, kept } = await checkpointOf(3);
    const bytes = Buffer.from(journal.bytes('control'));
    bytes[kept.last.position + 20]! ^= 1;
    journal.replaceBytes('control', bytes);
    expect(await trusted(journal, 'control', OURS, kept)).toBeNull();
  });
});

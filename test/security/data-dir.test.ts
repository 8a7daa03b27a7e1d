// Nothing outside the data dir is ever written: links and pipes that somebody planted in it, modes under any umask. The
// data dir itself may be a link, for that is how people move it to another disk.

import { spawnSync } from 'node:child_process';
import * as nodeFs from 'node:fs';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import * as path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ControlLog } from '../../src/breaker/control/control-log.ts';
import { AtomicFile } from '../../src/breaker/journal/atomic-file.ts';
import { FileJournal } from '../../src/breaker/journal/file-journal.ts';
import { processWriter, thisProcess } from '../../src/breaker/process.ts';
import { openDataDir } from '../../src/invocation/data-dir.ts';
import { settingsFileIn } from '../../src/invocation/settings-now.ts';
import { recordOf } from '../breaker/journal/conformance.ts';
import { BUNDLE, spawnAndRead } from '../support/live-world.ts';
import { tempDir } from '../support/temp-dir.ts';

/** As Stash starts a wake that a hook asked for; nobody is at its address, so it sees no more than the folder. */
const WAKE = JSON.stringify({
  server_connection: { Scheme: 'http', Host: '127.0.0.1', Port: 9, SessionCookie: null, Dir: '.' },
  args: { mode: 'wake', scope: 'changes', at: Date.now() },
});
const PRECIOUS = 'root:x:0:0';

interface Place {
  readonly data: string;
  readonly outside: string;
}

/** A data dir, and beside it a file that is none of ours. */
function place(): Place {
  const root = tempDir();
  const [data, outside] = [path.join(root, 'data'), path.join(root, 'outside')];
  mkdirSync(data, { mode: 0o700 });
  mkdirSync(outside);
  writeFileSync(path.join(outside, 'passwd'), PRECIOUS);
  return { data, outside };
}

function journalIn(dir: string): FileJournal {
  const journal = new FileJournal(dir);
  onTestFinished(() => journal.close());
  return journal;
}

/** As if a drainer were at work, so that no wake starts a real one. */
async function pretendDrainer(data: string): Promise<void> {
  const control = await ControlLog.open(journalIn(data), processWriter('drain'));
  const claimed = { type: 'lease.claimed', lease: 'drain', forMs: 3_600_000, draw: 0 } as const;
  await control.append({ ...claimed, process: thisProcess() });
}

function wake(data: string) {
  return spawnAndRead(process.execPath, [BUNDLE], { ...process.env, BREAKWATER_DATA: data }, WAKE);
}

function expectUntouched({ outside }: Place): void {
  expect(readdirSync(outside)).toEqual(['passwd']);
  expect(readFileSync(path.join(outside, 'passwd'), 'utf8')).toBe(PRECIOUS);
}

describe('a link in place of a stream', () => {
  test.each(['control', 'queue'] as const)('%s is neither written nor read', async (stream) => {
    const there = place();
    symlinkSync(path.join(there.outside, 'passwd'), path.join(there.data, `${stream}.ndjson`));
    const journal = journalIn(there.data);
    expect(await journal.append(stream, [recordOf(1)])).toEqual({
      ok: false,
      failure: { kind: 'unwritable', detail: 'ELOOP on open' },
    });
    // An empty log there would be a fresh start.
    await expect(journal.read(stream, 0)).rejects.toThrow('ELOOP');
    expectUntouched(there);
  });

  test('that leads nowhere is not made to lead somewhere', async () => {
    const there = place();
    symlinkSync(path.join(there.outside, 'new'), path.join(there.data, 'queue.ndjson'));
    expect((await journalIn(there.data).append('queue', [recordOf(1)])).ok).toBe(false);
    expectUntouched(there);
  });

  test('is told by the wake, with what that means', async () => {
    const there = place();
    symlinkSync(path.join(there.outside, 'passwd'), path.join(there.data, 'queue.ndjson'));
    const { code, stdout } = await wake(there.data);
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as { error: string }).error).toMatch(
      /data folder cannot be used: ELOOP.* Nothing is lost: Stash holds what was changed/,
    );
    expectUntouched(there);
  });

  test('is told at the shell, with an exit code', async () => {
    const there = place();
    symlinkSync(path.join(there.outside, 'passwd'), path.join(there.data, 'control.ndjson'));
    const { code, stderr } = await spawnAndRead(
      process.execPath,
      [BUNDLE, 'hold', 'open', '--data', there.data],
      process.env,
    );
    expect(code).toBe(2);
    expect(stderr).toMatch(/^breakwater: ELOOP/);
    expectUntouched(there);
  });
});

test.skipIf(process.platform === 'win32')('a pipe in place of a stream keeps nobody waiting', async () => {
  const { data } = place();
  expect(spawnSync('mkfifo', [path.join(data, 'queue.ndjson')]).status).toBe(0);
  const { code, stdout } = await wake(data);
  expect(code).toBe(0);
  expect((JSON.parse(stdout) as { error: string }).error).toMatch(
    /journal cannot be written: (ENXIO|EINVAL)/,
  );
});

describe.skipIf(process.platform === 'win32')('a pipe keeps nobody waiting, whatever it stands for', () => {
  // Nobody writes to it, so that whoever opens it as a file waits for ever.
  test.each([
    'breakwater.json',
    'control.ndjson',
    'queue.ndjson',
    'control.000001.ndjson',
    'queue.000001.image.ndjson',
    'checkpoint/control.json',
    'checkpoint/queue.json',
    'append-lock',
    'append-lock.1.free',
    'report.html',
  ])('%s', async (name) => {
    const { data } = place();
    mkdirSync(path.join(data, 'checkpoint'), { mode: 0o700 });
    expect(spawnSync('mkfifo', ['-m', '600', path.join(data, name)]).status).toBe(0);
    const env = { ...process.env, STASH_URL: 'http://127.0.0.1:1' };
    for (const verb of ['status', 'settings', 'doctor', 'drain', 'report', 'verify']) {
      const { code, stdout, stderr } = await spawnAndRead(
        process.execPath,
        [BUNDLE, verb, '--data', data],
        env,
      );
      expect(code, verb).not.toBeNull();
      expect(`${stdout}${stderr}`.length, verb).toBeGreaterThan(10);
    }
  });
});

describe('the settings file', () => {
  const readIn = (data: string) => settingsFileIn(data).read();

  test('is no link, wherever it leads', () => {
    const { data, outside } = place();
    const file = path.join(outside, 'other.json');
    writeFileSync(file, '{"requestTimeout": 20}');
    symlinkSync(file, path.join(data, 'breakwater.json'));
    expect(readIn(data)).toEqual({
      kind: 'bad',
      name: 'breakwater.json',
      problem: 'is a link; nothing in it is used',
    });
  });

  test.skipIf(process.platform === 'win32')('is no pipe, and no folder', () => {
    const { data } = place();
    const file = path.join(data, 'breakwater.json');
    expect(spawnSync('mkfifo', [file]).status).toBe(0);
    expect(readIn(data)).toMatchObject({ kind: 'bad', problem: 'is no file; nothing in it is used' });
    const other = place().data;
    mkdirSync(path.join(other, 'breakwater.json'));
    expect(readIn(other)).toMatchObject({ kind: 'bad', problem: 'is no file; nothing in it is used' });
  });
});

describe('a link among the checkpoints', () => {
  test('in place of one is replaced, and what it led to stays', () => {
    const there = place();
    mkdirSync(path.join(there.data, 'checkpoint'));
    const file = path.join(there.data, 'checkpoint', 'control.json');
    symlinkSync(path.join(there.outside, 'passwd'), file);
    const { controlCheckpoint } = openDataDir(there.data);
    expect(controlCheckpoint.read()).toBeNull();
    controlCheckpoint.write({ era: 'x' } as never);
    expect(lstatSync(file).isFile()).toBe(true);
    expectUntouched(there);
  });

  test('in place of their folder is not written to', () => {
    const there = place();
    symlinkSync(there.outside, path.join(there.data, 'checkpoint'));
    expect(() => openDataDir(there.data).queueCheckpoint.write({} as never)).toThrow(/leads elsewhere/);
    expectUntouched(there);
  });

  test('and a pipe is no checkpoint', () => {
    const { data } = place();
    mkdirSync(path.join(data, 'checkpoint'));
    expect(spawnSync('mkfifo', [path.join(data, 'checkpoint', 'control.json')]).status).toBe(0);
    expect(openDataDir(data).controlCheckpoint.read()).toBeNull();
  });

  test('what has the name of a temp file by chance or by malice is neither written nor removed', () => {
    const { data } = place();
    let planted = '';
    const openSync = ((file: string, flags: string, mode: number) => {
      if (flags === 'wx') {
        planted = file;
        writeFileSync(file, PRECIOUS);
      }
      return nodeFs.openSync(file, flags, mode);
    }) as typeof nodeFs.openSync;
    const file = new AtomicFile(path.join(data, 'x.json'), { ...nodeFs, openSync });
    expect(() => file.write({ a: 1 })).toThrow('EEXIST');
    expect(readFileSync(planted, 'utf8')).toBe(PRECIOUS);
    expect(existsSync(path.join(data, 'x.json'))).toBe(false);
  });
});

test('a data dir that is itself a link works like any other', async () => {
  const { data, outside } = place();
  const link = path.join(path.dirname(data), 'link');
  symlinkSync(data, link);
  await pretendDrainer(link);
  const { stdout } = await wake(link);
  expect(stdout).toContain('Stash does not answer');
  expect(existsSync(path.join(data, 'queue.ndjson'))).toBe(true);
  openDataDir(link).controlCheckpoint.write({} as never);
  expect(existsSync(path.join(data, 'checkpoint', 'control.json'))).toBe(true);
  expectUntouched({ data, outside });
});

describe.skipIf(process.platform === 'win32')('modes', () => {
  test('are for the owner alone, though the umask is 0', async () => {
    const root = tempDir();
    const data = path.join(root, 'deep', 'breakwater');
    const before = process.umask(0);
    try {
      await pretendDrainer(data);
      await wake(data);
      openDataDir(data).controlCheckpoint.write({} as never);
    } finally {
      process.umask(before);
    }
    const made = readdirSync(data, { recursive: true, withFileTypes: true });
    const modes = made.map((entry) => {
      const { mode } = statSync(path.join(entry.parentPath, entry.name));
      return `${entry.name} ${(mode & 0o777).toString(8)}`;
    });
    expect(modes.sort()).toEqual([
      'checkpoint 700',
      'control.json 600',
      'control.ndjson 600',
      'queue.ndjson 600',
    ]);
    expect(statSync(data).mode & 0o777).toBe(0o700);
  });

  test('that let others in are told by status, and not changed', async () => {
    const { data } = place();
    await journalIn(data).append('queue', [recordOf(1)]);
    chmodSync(path.join(data, 'queue.ndjson'), 0o644);
    chmodSync(data, 0o770);
    const { code, stdout } = await spawnAndRead(
      process.execPath,
      [BUNDLE, 'status', '--data', data],
      process.env,
    );
    expect(code).toBe(0);
    expect(stdout).toContain(`others may change ${data}: chmod 700 puts it right`);
    expect(stdout).toContain(`others may read ${data}/queue.ndjson: chmod 600 puts it right`);
    expect(statSync(path.join(data, 'queue.ndjson')).mode & 0o777).toBe(0o644);
  });
});

// The hook as Stash runs it: the built bundle, a document on stdin, whatever state the disk is in. It must
// answer one JSON document, end with code 0, say what is wrong, and never lose what it accepted.

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ControlLog } from '../../src/control/control-log.ts';
import { openDataDir } from '../../src/invocation/data-dir.ts';
import { HOOK_TRIGGERS } from '../../src/invocation/input.ts';
import { processWriter, thisProcess } from '../../src/invocation/process.ts';
import { readAll } from '../../src/journal/journal.ts';
import { encodeLine } from '../../src/journal/record.ts';
import { makeRecord } from '../../src/journal/writer.ts';
import { BUNDLE, killDrainerOf, spawnAndRead, until } from '../support/live-world.ts';
import { removeDir } from '../support/temp-dir.ts';

const RAW = fileURLToPath(new URL('../fixtures/captures/raw/', import.meta.url));
const UPDATE = readFileSync(path.join(RAW, 'sceneUpdate-full-1.stdin'));

/** Two tests need what only some machines allow; elsewhere they are skipped, and say so. */
const canBecomeOther = isAllowed('a read-only data dir', 'setpriv', [
  '--reuid=65534',
  '--clear-groups',
  'true',
]);
const canMount = isAllowed('a full disk', 'unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']);

function isAllowed(what: string, command: string, args: readonly string[]): boolean {
  const { status } = spawnSync(command, [...args]);
  if (status !== 0) process.stderr.write(`SKIPPED: ${what} (${command} is not allowed here)\n`);
  return status === 0;
}

let root: string;
let data: string;
beforeEach(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'breakwater-hook-'));
  data = path.join(root, 'breakwater');
  await pretendDrainer();
});
afterEach(() => removeDir(root));

describe('what a real Stash sent', () => {
  test.each(readdirSync(RAW))('%s is understood', async (name) => {
    const stdin = readFileSync(path.join(RAW, name));
    const context = JSON.parse(stdin.toString()).args.hookContext as { type: string; id: number } | undefined;
    const run = await hook(stdin);
    expect(run.code).toBe(0);
    const answer = JSON.parse(run.stdout) as { output?: unknown; error?: string };
    if (context === undefined) {
      expect(answer.error).toMatch(/^mode .* is not known; it is one of drain, check, status, outages,/);
    } else if (HOOK_TRIGGERS.includes(context.type)) {
      expect(answer).toEqual({ output: 'queued' });
      expect(await queued()).toEqual([`${context.type.split('.')[0]?.toLowerCase()}:${context.id}`]);
    } else {
      expect(answer).toEqual({ output: 'ignored' });
      expect(run.stderr).toContain(`${context.type} changes nothing that is synced`);
      expect(await queued()).toEqual([]);
    }
  });
});

describe('stdin that Stash would not send', () => {
  test.each([
    ['nothing', '', /nothing came on stdin/],
    ['blanks', ' \n ', /nothing came on stdin/],
    ['half a document', UPDATE.subarray(0, UPDATE.length / 2), /not a whole JSON document/],
    ['no JSON', 'hello', /not a whole JSON document/],
    ['a number', '7', /not the object/],
    ['no connection', '{"args":{}}', /lacks server_connection/],
    ['a hook without id', UPDATE.toString().replace('"id":1,', ''), /names no id/],
    [
      'a hook with a path for an id',
      UPDATE.toString().replace('"id":1,', '"id":"../../etc",'),
      /names no id/,
    ],
  ])('%s: a clear error, code 0, nothing queued', async (_, stdin, message) => {
    const run = await hook(stdin);
    expect(run.code).toBe(0);
    expect((JSON.parse(run.stdout) as { error: string }).error).toMatch(message);
    expect(run.stderr.startsWith('\u0001e\u0002')).toBe(true);
    expect(await queued()).toEqual([]);
  });

  test('10 MB of cover image are read and left alone', async () => {
    const image = `"cover_image":"data:image/png;base64,${'A'.repeat(10 * 1024 * 1024)}"`;
    const run = await hook(UPDATE.toString().replace('"cover_image":null', image));
    expect(JSON.parse(run.stdout)).toEqual({ output: 'queued' });
    expect(await queued()).toEqual(['scene:1']);
    expect(statSync(path.join(data, 'queue.ndjson')).size).toBeLessThan(1_000);
  });
});

describe('a data dir that cannot be used', () => {
  test('missing, with its parents: it is made, for this user alone', async () => {
    data = path.join(root, 'not', 'yet', 'there');
    await pretendDrainer();
    expect(JSON.parse((await hook(UPDATE)).stdout)).toEqual({ output: 'queued' });
    expect(statSync(data).mode & 0o777).toBe(0o700);
    for (const name of ['queue.ndjson', 'control.ndjson']) {
      expect(statSync(path.join(data, name)).mode & 0o777).toBe(0o600);
    }
  });

  test('a file where the folder should be: refused with a message that names it', async () => {
    data = path.join(root, 'taken');
    writeFileSync(data, '');
    const run = await hook(UPDATE);
    expect(run.code).toBe(0);
    expect((JSON.parse(run.stdout) as { error: string }).error).toMatch(
      /cannot write to the data folder .*taken/,
    );
  });

  test.skipIf(!canBecomeOther)('read-only for this user: refused, and the journal is as it was', async () => {
    const before = readFileSync(path.join(data, 'control.ndjson'));
    chmodSync(root, 0o755);
    chmodSync(data, 0o555);
    chmodSync(path.join(data, 'control.ndjson'), 0o444);
    // Root may write anywhere, so the hook runs as somebody else.
    const run = await spawnAndRead(
      'setpriv',
      ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, BUNDLE],
      environment(),
      UPDATE,
    );
    expect(run.code).toBe(0);
    expect((JSON.parse(run.stdout) as { error: string }).error).toMatch(
      /cannot write to the data folder.*EACCES/,
    );
    expect(readFileSync(path.join(data, 'control.ndjson'))).toEqual(before);
  });

  test.skipIf(!canMount)('on a full disk: refused; once there is room, the next one counts', async () => {
    const small = path.join(root, 'small');
    mkdirSync(small);
    const mounted = await spawnAndRead(
      'mount',
      ['-t', 'tmpfs', '-o', 'size=32k', 'tmpfs', small],
      process.env,
    );
    expect(mounted.stderr, 'a small file system is needed for this test').toBe('');
    try {
      data = path.join(small, 'breakwater');
      await pretendDrainer();
      writeFileSync(path.join(small, 'ballast'), Buffer.alloc(8_000));
      let accepted = 0;
      let refused = '';
      for (let i = 0; i < 200 && refused === ''; i++) {
        const answer = JSON.parse((await hook(UPDATE)).stdout) as { output?: string; error?: string };
        if (answer.error === undefined) accepted += 1;
        else refused = answer.error;
      }
      expect(refused).toMatch(/no room left for the journal .* the change of scene:1 was not noted/);
      expect(await queued()).toHaveLength(accepted);
      rmSync(path.join(small, 'ballast'));
      expect(JSON.parse((await hook(UPDATE)).stdout)).toEqual({ output: 'queued' });
      expect(await queued()).toHaveLength(accepted + 1);
    } finally {
      await spawnAndRead('umount', [small], process.env);
    }
  });

  test('a torn tail and a line of noise cost nothing but themselves', async () => {
    await hook(UPDATE);
    const whole = readFileSync(path.join(data, 'queue.ndjson'));
    writeFileSync(
      path.join(data, 'queue.ndjson'),
      Buffer.concat([whole, Buffer.from('\n{"v":1,"id":"torn'), Buffer.from('\nnoise\n')]),
    );
    expect(JSON.parse((await hook(UPDATE)).stdout)).toEqual({ output: 'queued' });
    expect(await queued()).toEqual(['scene:1', 'scene:1']);
  });

  test('damaged checkpoint: the hook folds the log instead', async () => {
    mkdirSync(path.join(data, 'checkpoint'), { recursive: true });
    writeFileSync(path.join(data, 'checkpoint', 'control.json'), 'breakwater-checkpoint 1 12\n{"era":');
    expect(JSON.parse((await hook(UPDATE)).stdout)).toEqual({ output: 'queued' });
  });

  test('a journal from a newer version: the job is kept, nothing else is written, and it says so', async () => {
    const { journal } = openDataDir(data);
    const newer = { ...makeRecord(processWriter('cli'), 'future.thing', {}), v: 2 };
    writeFileSync(journal.pathOf('control'), `\n${encodeLine(newer)}\n`);
    const before = readFileSync(journal.pathOf('control'));
    const run = await hook(UPDATE);
    expect(JSON.parse(run.stdout)).toEqual({ output: 'queued' });
    expect(run.stderr).toMatch(/newer Breakwater: update this plugin/);
    expect(await queued()).toEqual(['scene:1']);
    expect(readFileSync(journal.pathOf('control'))).toEqual(before);
  });
});

test('many hooks at once ask for one drainer', async () => {
  data = path.join(root, 'fresh');
  // The drainer is a real one: it must meet no Stash of this machine, and be gone before its folder is.
  const stdin = UPDATE.toString().replace('"Port":9999', '"Port":1');
  const runs = await Promise.all(Array.from({ length: 12 }, () => hook(stdin)));
  const answers = runs.map(({ stdout }) => (JSON.parse(stdout) as { output: string }).output);
  expect(answers.filter((answer) => answer === 'queued, drainer started')).toHaveLength(1);
  expect(await queued()).toHaveLength(12);
  await until('the drainer has been ended', async () => (await killDrainerOf(data)) !== null);
});

/** As if a drainer were at work, so that no hook starts a real one. */
async function pretendDrainer(): Promise<void> {
  const { journal } = openDataDir(data);
  const control = await ControlLog.open(journal, processWriter('drain'));
  await control.append({
    type: 'lease.claimed',
    lease: 'drain',
    forMs: 3_600_000,
    draw: 0,
    process: thisProcess(),
  });
  journal.close();
}

async function queued(): Promise<string[]> {
  const { journal } = openDataDir(data);
  const jobs: string[] = [];
  for await (const entry of readAll(journal, 'queue')) {
    if (entry.kind === 'record') jobs.push(String(entry.record.data.job));
  }
  journal.close();
  return jobs;
}

function hook(stdin: string | Buffer) {
  return spawnAndRead(process.execPath, [BUNDLE], environment(), stdin);
}

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, BREAKWATER_DATA: data };
}

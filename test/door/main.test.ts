// What the launcher starts, with a document on stdin as Stash sends it: the built bundle, whatever comes, and whatever state
// the disk is in. It answers one JSON document, ends with code 0, and says in one line what is wrong.

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
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
import { ControlLog } from '../../src/breaker/control/control-log.ts';
import { encodeLine } from '../../src/breaker/journal/record.ts';
import { makeRecord } from '../../src/breaker/journal/writer.ts';
import { processWriter } from '../../src/breaker/process.ts';
import { MAX_INPUT_BYTES } from '../../src/door/input.ts';
import { openDataDir } from '../../src/invocation/data-dir.ts';
import { QueueLog } from '../../src/queue/queue-log.ts';
import { startStashSimulator } from '../simulators/stash/server.ts';
import { BUNDLE, killDrainerOf, spawnAndRead, until } from '../support/live-world.ts';
import { removeDir } from '../support/temp-dir.ts';

const RAW = fileURLToPath(new URL('../fixtures/captures/raw/', import.meta.url));
const captured = (name: string) => readFileSync(path.join(RAW, `${name}.stdin`), 'utf8');

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
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'breakwater-main-'));
  data = path.join(root, 'breakwater');
});
afterEach(() => removeDir(root));

function run(stdin: string | Buffer) {
  return spawnAndRead(process.execPath, [BUNDLE], environment(), stdin);
}

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, BREAKWATER_DATA: data };
}

/** A document of a task. `port` 1: nothing listens there. */
function task(args: Record<string, unknown>, port = 1): string {
  return JSON.stringify({
    server_connection: { Scheme: 'http', Host: '127.0.0.1', Port: port, Dir: root },
    args,
  });
}

const WAKE = { mode: 'wake', scope: 'changes', at: Date.UTC(2026, 0, 5, 12) };

/** Code 0, one document on stdout, and one line of level error for Stash's log. */
function errorOf({ code, stdout, stderr }: Awaited<ReturnType<typeof run>>): string {
  expect(code).toBe(0);
  const { error } = JSON.parse(stdout) as { error: string };
  const errors = stderr
    .split('\n')
    .filter((line) => ['\u0001e\u0002', '\u0001w\u0002'].includes(line.slice(0, 3)));
  expect(errors).toHaveLength(1);
  expect(stderr).not.toMatch(/^ +at /m);
  return error;
}

describe('stdin that Stash would not send', () => {
  const update = captured('sceneUpdate-full-1');
  test.each<[string, string, RegExp]>([
    ['nothing', '', /nothing came on stdin/],
    ['blanks', ' \n ', /nothing came on stdin/],
    ['half a document', update.slice(0, update.length / 2), /not a whole JSON document/],
    ['no JSON', 'hello', /not a whole JSON document/],
    ['a megabyte of brackets', '['.repeat(MAX_INPUT_BYTES), /not a whole JSON document/],
    ['too much', `${' '.repeat(MAX_INPUT_BYTES)}{}`, /over 1048576 bytes/],
    ['a number', '7', /not the object/],
    ['no connection', '{"args":{}}', /lacks server_connection/],
    ['a task without a mode', task({}), /mode that is not text is not known; it is one of drain, wake,/],
    ['a task of another plugin', task({ mode: 'echo' }), /mode "echo" is not known/],
    ['a mode that every object has', task({ mode: 'constructor' }), /mode "constructor" is not known/],
  ])('%s: a clear error, and nothing is written', async (_, stdin, message) => {
    expect(errorOf(await run(stdin))).toMatch(message);
    expect(existsSync(data)).toBe(false);
  });
});

describe('a wake', () => {
  test('finds what changed in Stash, and its answer says how much', async () => {
    const stash = await startStashSimulator({ dir: root, scenes: 3, version: 'v0.30.1' });
    try {
      const { port } = new URL(stash.url);
      // So that nobody is started: it would outlive this test.
      await held();
      const args = { ...WAKE, at: Date.now() };
      const wake = async () => JSON.parse((await run(task(args, Number(port)))).stdout);
      expect(await wake()).toEqual({ output: { queued: 0, drainer: 'none' } });
      await stash.graphql('mutation{sceneUpdate(input:{id:"2",title:"new"}){id}}');
      expect(await wake()).toEqual({ output: { queued: 1, drainer: 'none' } });
      expect([...(await queue()).jobs.keys()]).toEqual(['scene:2']);
      expect(await wake()).toEqual({ output: { queued: 0, drainer: 'none' } });
    } finally {
      await stash.close();
    }
  });

  test('of a Stash that does not answer says so, and has written where looking begins', async () => {
    expect(errorOf(await run(task(WAKE)))).toMatch(/^Stash does not answer \(ECONNREFUSED\)$/);
    expect((await queue()).looked).toMatchObject({ upTo: WAKE.at - 60_000, begin: WAKE.at - 60_000 });
    expect(statSync(data).mode & 0o777).toBe(0o700);
    expect(statSync(path.join(data, 'queue.ndjson')).mode & 0o777).toBe(0o600);
  });

  test.each(['sceneUpdate-full-1', 'tagsMerge-1', 'v0.22.1-sceneUpdate-1'])(
    'is what a hook of an older yml comes to, which does not wait for it: %s',
    async (name) => {
      const stdin = captured(name).replace('"Port":9999', '"Port":1');
      const { code, stdout } = await run(stdin);
      expect([code, JSON.parse(stdout)]).toEqual([0, { output: { queued: 0, drainer: 'started' } }]);
      // It waits for a Stash: nobody else ends it.
      await until('the drainer has been ended', async () => (await killDrainerOf(data)) !== null);
    },
  );

  test('a cover of some megabytes in the document of such a hook is too much, and is said to be', async () => {
    const image = `"cover_image":"data:image/png;base64,${'A'.repeat(10 * 1024 * 1024)}"`;
    const stdin = captured('sceneUpdate-full-1').replace('"cover_image":null', image);
    expect(errorOf(await run(stdin))).toMatch(/over 1048576 bytes/);
  });
});

describe('a data dir that cannot be used', () => {
  test('missing, with its parents: it is made', async () => {
    data = path.join(root, 'not', 'yet', 'there');
    expect(errorOf(await run(task(WAKE)))).toMatch(/Stash does not answer/);
    expect(readdirSync(data)).toContain('queue.ndjson');
  });

  test('a file where the folder should be: refused with a message that names it', async () => {
    data = path.join(root, 'taken');
    writeFileSync(data, '');
    expect(errorOf(await run(task(WAKE)))).toMatch(/taken/);
    expect(readFileSync(data, 'utf8')).toBe('');
  });

  test.skipIf(!canBecomeOther)('read-only for this user: refused, and the journal is as it was', async () => {
    await held();
    const file = path.join(data, 'control.ndjson');
    const before = readFileSync(file);
    chmodSync(root, 0o755);
    chmodSync(data, 0o555);
    chmodSync(file, 0o444);
    // Root may write anywhere, so it runs as somebody else.
    const words = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, BUNDLE];
    const ended = await spawnAndRead('setpriv', words, environment(), task(WAKE));
    expect(errorOf(ended)).toMatch(/EACCES/);
    expect(readFileSync(file)).toEqual(before);
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
      mkdirSync(data);
      writeFileSync(path.join(small, 'ballast'), Buffer.alloc(32 * 1024 - 4_096));
      const full = spawnSync('sh', ['-c', `cat /dev/zero > ${path.join(small, 'rest')}`]);
      expect(full.status).not.toBe(0);
      expect(errorOf(await run(task(WAKE)))).toMatch(/ENOSPC|no room/);
      rmSync(path.join(small, 'ballast'));
      rmSync(path.join(small, 'rest'));
      expect(errorOf(await run(task(WAKE)))).toMatch(/Stash does not answer/);
      expect((await queue()).looked.upTo).toBe(WAKE.at - 60_000);
    } finally {
      await spawnAndRead('umount', [small], process.env);
    }
  });

  test('damaged checkpoints: the log is folded instead', async () => {
    await run(task(WAKE));
    mkdirSync(path.join(data, 'checkpoint'), { recursive: true });
    for (const name of ['control', 'queue', 'agenda']) {
      writeFileSync(path.join(data, 'checkpoint', `${name}.json`), 'checkpoint 1 12\n{"era":');
    }
    const before = readFileSync(path.join(data, 'queue.ndjson'));
    expect(errorOf(await run(task(WAKE)))).toMatch(/Stash does not answer/);
    // It knows that it has begun.
    expect(readFileSync(path.join(data, 'queue.ndjson'))).toEqual(before);
  });

  test('a journal of a newer version is left as it is', async () => {
    const { journal } = openDataDir(data);
    const writer = processWriter('cli');
    const log = await QueueLog.open(journal, writer);
    await log.appendOrThrow({ type: 'job.queued', job: 'scene:1', cause: 'change' });
    const newer = { ...makeRecord(writer, 'future.thing', {}), v: 2 };
    writeFileSync(journal.pathOf('control'), `\n${encodeLine(newer)}\n`);
    journal.close();
    const before = readFileSync(path.join(data, 'control.ndjson'));
    const { code, stdout } = await run(task({ ...WAKE, at: null }));
    expect([code, JSON.parse(stdout)]).toEqual([0, { error: 'Stash does not answer (ECONNREFUSED)' }]);
    expect(readFileSync(path.join(data, 'control.ndjson'))).toEqual(before);
  });
});

/** An operator's hold, for longer than any test: nobody needs a drainer. */
async function held(): Promise<void> {
  const { journal } = openDataDir(data);
  const control = await ControlLog.open(journal, processWriter('cli'));
  await control.appendOrThrow({
    type: 'hold.placed',
    hold: 'operator',
    stance: 'open',
    reason: 'a test',
    forMs: 3_600_000,
  });
  journal.close();
}

async function queue() {
  const { journal } = openDataDir(data);
  const { queue: folded } = await QueueLog.open(journal, processWriter('cli'));
  journal.close();
  return folded;
}

// A disk that is full and a folder that cannot be written, under the real drainer and the real command line: what cannot be
// noted is not done, what was queued stays queued, and once there is room all goes on.

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import * as path from 'node:path';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { ControlLog } from '../../src/breaker/control/control-log.ts';
import { writeCheckpoint } from '../../src/breaker/journal/checkpoint.ts';
import { processWriter } from '../../src/breaker/process.ts';
import { openDataDir } from '../../src/invocation/data-dir.ts';
import { QueueLog } from '../../src/queue/queue-log.ts';
import { BUNDLE, LiveWorld, PLUGIN_DIR, spawnAndRead } from '../support/live-world.ts';
import { tempDir } from '../support/temp-dir.ts';

const canMount = isAllowed('a full disk', 'unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']);
const canBecomeOther = isAllowed('a read-only folder', 'setpriv', [
  '--reuid=65534',
  '--clear-groups',
  'true',
]);

function isAllowed(what: string, command: string, args: readonly string[]): boolean {
  const { status } = spawnSync(command, [...args]);
  if (status !== 0) process.stderr.write(`SKIPPED: ${what} (${command} is not allowed here)\n`);
  return status === 0;
}

let world: LiveWorld | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

/** A file system of its own, so small that a test can fill it. */
function smallDisk(kilobytes: number): string {
  const dir = path.join(tempDir(), 'small');
  mkdirSync(dir);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', dir]);
  expect(mounted.stderr.toString(), 'a small file system is needed for this test').toBe('');
  onTestFinished(() => {
    spawnSync('umount', [dir]);
  });
  return dir;
}

/** Takes what is left, up to the last page. */
function fill(dir: string): string {
  const ballast = path.join(dir, 'ballast');
  const { bavail, bsize } = statfsSync(dir);
  writeFileSync(ballast, Buffer.alloc(bavail * bsize));
  return ballast;
}

async function queueIn(data: string) {
  const { journal } = openDataDir(data);
  try {
    return (await QueueLog.open(journal, processWriter('cli'))).queue;
  } finally {
    journal.close();
  }
}

test.skipIf(!canMount)(
  'a drainer on a full disk changes nothing in Plex that it cannot note, and goes on once there is room',
  async () => {
    const small = smallDisk(256);
    const data = path.join(small, 'breakwater');
    world = await LiveWorld.start({ scenes: 40 });
    const { stash, plex } = world;
    for (let scene = 1; scene <= 40; scene++) stash.db.scene(scene).title = `title ${scene}`;
    {
      const { journal } = openDataDir(data);
      const queue = await QueueLog.open(journal, processWriter('cli'));
      for (let scene = 1; scene <= 40; scene++) {
        expect((await queue.append({ type: 'job.queued', job: `scene:${scene}`, cause: 'x' })).ok).toBe(true);
      }
      journal.close();
    }
    const ballast = fill(small);
    const env = { ...process.env, STASH_URL: stash.url };
    const drain = () => spawnAndRead(process.execPath, [BUNDLE, 'drain', '--data', data], env);

    const refused = await drain();
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/^breakwater: the journal cannot be written: .*(ENOSPC|fitted)/m);
    const queue = await queueIn(data);
    const noted = (await recordsIn(data, 'queue')).filter(({ type }) => type === 'job.attempted').length;
    const edits = plex.requests.filter(({ method }) => method === 'PUT').length;
    expect(edits).toBeLessThanOrEqual(noted);
    expect(queue.jobs.size + queue.counts.delivered).toBe(40);

    rmSync(ballast);
    const drained = await drain();
    expect(drained.code, drained.stderr).toBe(0);
    expect((await queueIn(data)).counts).toMatchObject({ pending: 0, deferred: 0, dead: 0 });
    for (let scene = 1; scene <= 40; scene++) expect(world.title(scene)).toBe(`title ${scene}`);
  },
);

test.skipIf(!canMount)(
  'a checkpoint for which there is no room leaves the old one, and nothing else',
  async () => {
    const small = smallDisk(64);
    const dir = openDataDir(path.join(small, 'breakwater'));
    onTestFinished(() => dir.journal.close());
    const control = await ControlLog.open(dir.journal, processWriter('cli'));
    await control.append({ type: 'lease.requested', lease: 'drain', forMs: 1_000 });
    const image = control.checkpoint()!;
    writeCheckpoint(dir.controlCheckpoint, image);
    fill(small);
    expect(() => writeCheckpoint(dir.controlCheckpoint, { ...image, era: 'x'.repeat(8_000) })).toThrow(
      'ENOSPC',
    );
    expect(dir.controlCheckpoint.read()).toEqual(JSON.parse(JSON.stringify(image)));
    expect(readdirSync(path.join(dir.path, 'checkpoint'))).toEqual(['control.json']);
  },
);

test.skipIf(!canBecomeOther)(
  'a folder that may only be read: what only reads works, what writes says why',
  async () => {
    const root = tempDir();
    const data = path.join(root, 'breakwater');
    const dir = openDataDir(data);
    const queue = await QueueLog.open(dir.journal, processWriter('cli'));
    await queue.append({ type: 'job.queued', job: 'scene:7', cause: 'x' });
    await (await ControlLog.open(dir.journal, processWriter('cli'))).append({
      type: 'lease.requested',
      lease: 'drain',
      forMs: 1_000,
    });
    dir.journal.close();
    chmodSync(root, 0o755);
    chmodSync(data, 0o555);
    for (const name of readdirSync(data)) chmodSync(path.join(data, name), 0o444);
    const before = readdirSync(data).map((name) => readFileSync(path.join(data, name), 'utf8'));
    const asNobody = (...words: string[]) =>
      spawnAndRead(
        'setpriv',
        [
          '--reuid=65534',
          '--regid=65534',
          '--clear-groups',
          process.execPath,
          BUNDLE,
          ...words,
          '--data',
          data,
        ],
        process.env,
      );
    expect(existsSync(PLUGIN_DIR)).toBe(true);
    for (const verb of ['status', 'outages', 'queue', 'dead']) {
      const { code, stderr } = await asNobody(verb);
      expect({ verb, code, stderr }).toEqual({ verb, code: 0, stderr: '' });
    }
    expect((await asNobody('queue')).stdout).toContain('scene 7: pending');
    for (const words of [['hold', 'open'], ['clear'], ['sync', '--scene', '3']]) {
      const { code, stderr } = await asNobody(...words);
      expect(code, words[0]).toBe(2);
      expect(stderr).toMatch(/^breakwater: the journal cannot be written: EACCES on open/);
    }
    expect(readdirSync(data).map((name) => readFileSync(path.join(data, name), 'utf8'))).toEqual(before);
  },
);

async function recordsIn(data: string, stream: 'queue') {
  const { journal } = openDataDir(data);
  try {
    const { entries } = await journal.read(stream, 0);
    return entries.flatMap((entry) => (entry.kind === 'record' ? entry.record : []));
  } finally {
    journal.close();
  }
}

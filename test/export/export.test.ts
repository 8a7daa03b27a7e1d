// export, as it is run: to stdout or to a file that only its owner reads, whole or not at all.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import * as path from 'node:path';
import { describe, expect, test } from 'vitest';
import { dataDirOf } from '../support/data-dirs.ts';
import { BUNDLE, spawnAndRead } from '../support/live-world.ts';
import { tempDir } from '../support/temp-dir.ts';
import { VirtualWorld } from '../support/virtual-world.ts';

const cli = (data: string, ...words: string[]) =>
  spawnAndRead(process.execPath, [BUNDLE, ...words, '--data', data], { ...process.env, NO_COLOR: '1' });

test('the outages as CSV and as JSON say the same', async () => {
  const data = await dataDirOf('flapping');
  const csv = await cli(data, 'export', '--format', 'csv');
  expect(csv).toMatchObject({ code: 0, stderr: '' });
  const [head, ...rows] = csv.stdout
    .trimEnd()
    .split('\r\n')
    .map((line) => line.split(','));
  const json = JSON.parse((await cli(data, 'export')).stdout);
  expect(json.schema).toBe('breakwater/export-outages/1');
  expect(json.rows).toHaveLength(3);
  expect(rows).toEqual(json.rows.map((row: object) => Object.values(row).map((cell) => String(cell ?? ''))));
  expect(head).toEqual(Object.keys(json.rows[0]));
  expect(json.rows[0]).toMatchObject({
    number: 1,
    cause: 'bad-gateway',
    first_failed: expect.stringMatching(/^2026-01-01T.*Z$/),
  });
});

test('the events are those of both streams, with what the fold says of each', async () => {
  const data = await dataDirOf('racing-drainers');
  const { rows } = JSON.parse((await cli(data, 'export', '--what', 'events')).stdout) as {
    rows: Record<string, unknown>[];
  };
  expect(rows.filter(({ stream }) => stream === 'control')).toHaveLength(8);
  expect(rows.filter(({ verdict }) => verdict === 'void')).toHaveLength(4);
  expect(rows.find(({ type }) => type === 'job.queued')).toMatchObject({
    stream: 'queue',
    data: { job: 'scene:1' },
  });
});

test('the queue: each job where it is', async () => {
  const data = await dataDirOf('missing-and-ambiguous');
  const { rows } = JSON.parse((await cli(data, 'export', '--what', 'queue')).stdout);
  expect(rows).toHaveLength(7);
  expect(rows[0]).toMatchObject({
    job: 'scene:1',
    state: 'deferred',
    reason: 'missing',
    due: expect.stringMatching(/Z$/),
  });
  expect(rows[6]).toMatchObject({ job: 'scene:7', state: 'dead', reason: 'ambiguous', due: null });
});

describe('-o', () => {
  test.each([
    [['--format', 'csv'], 0o600],
    [['--format', 'json', '--what', 'queue'], 0o600],
    [['--golden'], 0o600],
    // The collector of node_exporter is another user, and there are only numbers in it.
    [['--format', 'prometheus'], 0o644],
  ])('%j is written whole, with its mode %i', async (words, mode) => {
    const data = await dataDirOf('flapping');
    const out = path.join(tempDir(), 'out');
    writeFileSync(out, 'before', { mode: 0o666 });
    chmodSync(out, 0o666);
    const run = await cli(data, 'export', ...words, '-o', out);
    expect(run).toMatchObject({ code: 0, stdout: '', stderr: `Written to ${out}\n` });
    expect(statSync(out).mode & 0o777).toBe(mode & ~process.umask());
    expect(readFileSync(out, 'utf8')).toBe((await cli(data, 'export', ...words)).stdout);
    expect(readdirSync(path.dirname(out))).toEqual(['out']);
  });

  test('that cannot be written: an error that names it, and what was there stays', async () => {
    const data = await dataDirOf('flapping');
    const dir = tempDir();
    mkdirSync(path.join(dir, 'taken'));
    for (const file of ['no/such/folder/out', 'taken']) {
      const run = await cli(data, 'export', '-o', path.join(dir, file));
      expect(run.code).toBe(2);
      expect(run.stderr).toContain(file);
      expect(readdirSync(dir)).toEqual(['taken']);
    }
  });

  test('has no say from Stash: a mode of ours writes no file', async () => {
    const world = VirtualWorld.withScenes(1);
    const out = path.join(tempDir(), 'out');
    await world.run('export', { format: 'csv', output: out, o: out });
    expect(existsSync(out)).toBe(false);
    // What is exported is in the answer; Stash's log is for other eyes.
    await world.queued('scene:1');
    const { lines, file } = await world.run('export', { what: 'events' });
    expect(file?.text).toContain('scene:1');
    expect(lines.join('\n')).not.toContain('scene');
  });
});

test.each([
  [['--format', 'xml'], /Allowed choices are csv, json, prometheus/],
  [['--what', 'secrets'], /Allowed choices are outages, events, queue/],
  [['--outage', '1'], /--outage goes with --golden/],
  [['--golden', '--outage', '9'], /there is no outage #9/],
  [['--golden', '--outage', 'x'], /"x" is not the number of an outage/],
  [['--golden', '--format', 'csv'], /cannot be used with/],
])('%j is refused', async (words, message) => {
  const run = await cli(await dataDirOf('flapping'), 'export', ...words);
  expect(run.code).not.toBe(0);
  expect(run.stderr).toMatch(message);
  expect(run.stdout).toBe('');
});

test('deleting every checkpoint changes no answer', async () => {
  const data = await dataDirOf('one-outage');
  const ask = async () => {
    const wishes = [
      ['export', '--what', 'outages'],
      ['export', '--what', 'events', '--format', 'csv'],
      ['export', '--what', 'queue'],
      ['export', '--format', 'prometheus'],
      ['export', '--golden'],
      ['outages', '--json'],
      ['backtest', '--recovery-timeout', '10s', '--json'],
    ];
    const answers: string[] = [];
    for (const words of wishes) answers.push((await cli(data, ...words)).stdout);
    return answers;
  };
  // Writes a checkpoint.
  await cli(data, 'hold', 'open', '--for', '1h');
  await cli(data, 'outages', 'note', '1', 'a note');
  expect(readdirSync(path.join(data, 'checkpoint'))).toContain('control.json');
  const before = await ask();
  rmSync(path.join(data, 'checkpoint'), { recursive: true });
  expect(await ask()).toEqual(before);
  expect(before[5]).toContain('a note');
});

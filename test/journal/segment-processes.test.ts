// Real processes on a real disk: many that append while others seal all the time, some of them killed.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { FileJournal } from '../../src/journal/file-journal.ts';
import { FileSegments } from '../../src/journal/file-segments.ts';
import { readAll } from '../../src/journal/journal.ts';
import { tempDir } from '../support/temp-dir.ts';

const IS_LONG = process.env.BREAKWATER_LONG === '1';
const [APPENDERS, SEALERS, COUNT] = [8, 2, IS_LONG ? 2_000 : 150];
/** How many acknowledged appends go by until a sealer is killed and another one started. */
const APPENDS_A_SEALER = 100;

test('eight processes append while two seal and are killed: each record is there once, in its order', async () => {
  const dir = tempDir();
  const data = join(dir, 'data');
  await build({
    entryPoints: ['appender', 'sealer'].map((name) =>
      fileURLToPath(new URL(`../support/${name}.ts`, import.meta.url)),
    ),
    outdir: dir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  });
  const start = (script: string, ...args: string[]): ChildProcess =>
    spawn(process.execPath, [join(dir, `${script}.mjs`), data, ...args], { stdio: 'ignore' });
  const startSealer = () => start('sealer', '20000');
  const sealers = Array.from({ length: SEALERS }, startSealer);
  const exits = Array.from(
    { length: APPENDERS },
    (_, index) =>
      new Promise((resolve) => start('appender', `inv-${index}`, String(COUNT)).on('exit', resolve)),
  );
  const all = Promise.all(exits);
  let isOver = false;
  void all.then(() => {
    isOver = true;
  });

  // Reads along, as a drainer would, and has sealers die at whatever they are about.
  const journal = new FileJournal(data);
  const seen: string[] = [];
  const killed: NodeJS.Signals[] = [];
  let position = 0;
  while (!isOver) {
    await new Promise(setImmediate);
    const { entries, next } = await journal.read('control', position);
    position = next;
    for (const entry of entries) if (entry.kind === 'record') seen.push(entry.record.id);
    if (seen.length < APPENDS_A_SEALER * (killed.length + 1)) continue;
    sealers.shift()?.kill('SIGKILL');
    killed.push('SIGKILL');
    sealers.push(startSealer());
  }
  for (const sealer of sealers) sealer.kill('SIGKILL');

  expect(await all).toEqual(Array(APPENDERS).fill(0));
  const perProcess = new Map<string, unknown[]>();
  const final: string[] = [];
  for await (const entry of readAll(new FileJournal(data), 'control')) {
    if (entry.kind !== 'record') continue;
    const { id, inv, data: said } = entry.record;
    final.push(id);
    perProcess.set(inv, [...(perProcess.get(inv) ?? []), said.n]);
  }
  expect(final).toHaveLength(APPENDERS * COUNT);
  const inOrder = [...Array(COUNT).keys()];
  expect([...perProcess.values()]).toEqual(Array(APPENDERS).fill(inOrder));
  expect(final.slice(0, seen.length)).toEqual(seen);
  expect(killed.length).toBeGreaterThan(2);
  expect((await new FileSegments(data).list('control')).length).toBeGreaterThan(5);
});

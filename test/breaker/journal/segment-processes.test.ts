// Real processes on a real disk: many that append and seal at once, and others that seal all the time and are killed.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FileJournal } from '../../../src/breaker/journal/file-journal.ts';
import { FileSegments } from '../../../src/breaker/journal/file-segments.ts';
import { readAll } from '../../../src/breaker/journal/journal.ts';
import { bundledProgram } from '../../support/bundled-program.ts';
import { tempDir } from '../../support/temp-dir.ts';

const IS_LONG = process.env.BREAKWATER_LONG === '1';
const [APPENDERS, SEALERS, COUNT] = [8, 2, IS_LONG ? 2_000 : 150];
const SEAL_EVERY = 25;
/** How many sealers are killed, each after so many records were read since the one before. */
const [DEATHS, RECORDS_A_DEATH] = [6, 100];

test('eight processes append and seal while two more seal and are killed: each record is there once, in its order', async () => {
  const dir = tempDir();
  const data = join(dir, 'data');
  const programs = {
    appender: await bundledProgram('appender', dir),
    sealer: await bundledProgram('sealer', dir),
  };
  const start = (name: keyof typeof programs, ...args: string[]): ChildProcess =>
    spawn(process.execPath, [programs[name], data, ...args], { stdio: 'ignore' });
  const startSealer = () => start('sealer', '20000');
  const sealers = Array.from({ length: SEALERS }, startSealer);
  const exits = Array.from(
    { length: APPENDERS },
    (_, index) =>
      new Promise((resolve) =>
        start('appender', `inv-${index}`, String(COUNT), String(SEAL_EVERY)).on('exit', resolve),
      ),
  );
  const all = Promise.all(exits);
  let isOver = false;
  void all.then(() => {
    isOver = true;
  });

  // Reads along, as a drainer would, and has sealers die at whatever they are about.
  const journal = new FileJournal(data);
  const seen: string[] = [];
  let deaths = 0;
  let position = 0;
  while (!isOver || deaths < DEATHS) {
    await new Promise(setImmediate);
    const { entries, next } = await journal.read('control', position);
    position = next;
    for (const entry of entries) if (entry.kind === 'record') seen.push(entry.record.id);
    if (seen.length < RECORDS_A_DEATH * (deaths + 1)) continue;
    sealers.shift()?.kill('SIGKILL');
    deaths += 1;
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
  // Seals of two at once are one; those of one are not.
  expect((await new FileSegments(data).list('control')).length).toBeGreaterThan(COUNT / SEAL_EVERY);
});

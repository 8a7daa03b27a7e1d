// `inspect` and `machines` at the shell: what they print, and honest exit codes.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import * as path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { MACHINE_NAMES } from '../../src/breaker/control/state.ts';
import { FileJournal } from '../../src/breaker/journal/file-journal.ts';
import { BUNDLE, spawnAndRead } from '../support/live-world.ts';
import { writeOutage } from '../support/outage-journal.ts';
import { RunningCommand } from '../support/running-command.ts';
import { tempDir } from '../support/temp-dir.ts';

const run = (...words: string[]) => spawnAndRead(process.execPath, [BUNDLE, ...words], process.env);

async function dataWithOutage(): Promise<string> {
  const data = tempDir();
  const journal = new FileJournal(data);
  await writeOutage(journal);
  journal.close();
  return data;
}

test('--jsonl prints the inspection events and ends; the same log, the same bytes', async () => {
  const data = await dataWithOutage();
  const { code, stdout } = await run('inspect', '--jsonl', '--data', data);
  expect(code).toBe(0);
  const events = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; sessionId: string });
  const actors = events.filter(({ type }) => type === '@xstate.actor').map(({ sessionId }) => sessionId);
  expect(actors).toEqual(MACHINE_NAMES);
  expect((await run('inspect', '--jsonl', '--data', data)).stdout).toBe(stdout);
});

test('it reads and leaves no trace in the data dir', async () => {
  const data = await dataWithOutage();
  const file = path.join(data, 'control.ndjson');
  const before = readFileSync(file);
  await run('inspect', '--jsonl', '--data', data);
  expect(readFileSync(file).equals(before)).toBe(true);
  expect(readdirSync(data)).toEqual(['control.ndjson']);
});

test.each([
  [['--from', 'yesterday'], /"yesterday" is not a time/],
  [['--outage', '7'], /there is no outage #7; there are 1/],
  [['--speed', 'fast'], /"fast" is no speed/],
  [['--live', '--step'], /leave out/],
])('%j: said in one line, exit code 2', async (words, message) => {
  const { code, stdout, stderr } = await run('inspect', '--data', await dataWithOutage(), ...words);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^breakwater: .*\n$/);
  expect(stderr).toMatch(message);
});

test('a journal that is not there yet: nothing to see, and --live waits for it', async () => {
  const data = path.join(tempDir(), 'not-there');
  const command = new RunningCommand('inspect', '--live', '--data', data);
  onTestFinished(async () => void (await command.end('SIGKILL')));
  await command.printed(/^0 records\nhttp:\/\/127\.0\.0\.1:\d+\/#[\w-]{32}\n/);
  expect(await command.end('SIGTERM')).toBe(0);
});

test('machines: a list, JSON, a file only for its owner; nonsense is exit code 2', async () => {
  expect((await run('machines')).stdout).toContain('lease     free · asked · held\n');
  expect(JSON.parse((await run('machines', 'breaker', '--json')).stdout)).toMatchObject({ id: 'breaker' });
  const file = path.join(tempDir(), 'breaker.svg');
  expect(await run('machines', 'breaker', '--format', 'svg', '-o', file)).toMatchObject({
    code: 0,
    stdout: '',
  });
  expect(readFileSync(file, 'utf8')).toMatch(/^<svg [\s\S]+<\/svg>\n$/);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(await run('machines', 'nope')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('there is no machine "nope"'),
  });
  expect(await run('machines', '--format', 'svg')).toMatchObject({ code: 2 });
});

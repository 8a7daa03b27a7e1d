// Where no Node fits: one line that says what to do on this system, as the one document that Stash reads, and in its
// log; for wakes no more than once an hour.

import { readdirSync, readFileSync, utimesSync } from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { assert, asyncProperty, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PROPERTY_RUNS } from '../support/property-runs.ts';
import { byHand, errorOf, has, release } from './launcher-answers.ts';
import { Machine, SHELLS } from './launcher-machine.ts';

const RAW = fileURLToPath(new URL('../fixtures/captures/raw/', import.meta.url));
const NONE = 'Breakwater needs Node 20.19 or newer, and there is none here: ';
const CONTAINER =
  '. In a container: run the task "Install Node here", or let a companion do the work (README)';
const HOUR_MS = 3_600_000;

describe.each(SHELLS)('in $name', (shell) => {
  test('the answer is one document, one line of the log at level error, and no exit code', async () => {
    const machine = new Machine();
    const run = await machine.run(shell);
    expect(errorOf(run)).toBe(`${NONE}${byHand(machine.data)}`);
  });

  test('a Node that is too old is named, with where it is', async () => {
    const machine = new Machine();
    const node = machine.node(path.join(machine.bin, 'node'), 'v18.19.0');
    machine.node(path.join(machine.root, 'usr/bin/node'), 'v12.22.12');
    expect(errorOf(await machine.run(shell))).toBe(
      `Breakwater needs Node 20.19 or newer, and this is v18.19.0 at ${node}: ${byHand(machine.data)}`,
    );
  });

  test.each<[string, string, (machine: Machine) => void]>([
    ['Alpine', 'apk add --no-cache nodejs', (machine) => machine.tool('apk')],
    ['Debian', 'apt-get update && apt-get install nodejs', (machine) => release(machine, 'trixie')],
    [
      'a Synology',
      'install Node.js v20 or newer from the Package Center',
      (machine) => has(machine, 'etc/synoinfo.conf'),
    ],
    [
      'Unraid',
      'unpack Node from https://nodejs.org below /mnt/user/appdata and write the path of its program into DATA/node-path',
      (machine) => has(machine, 'etc/unraid-version'),
    ],
  ])('on %s it says: %s', async (_system, advice, furnish) => {
    const machine = new Machine();
    furnish(machine);
    const said = NONE + advice.replace('DATA', machine.data);
    expect(errorOf(await machine.run(shell))).toBe(said);
    has(machine, '.dockerenv');
    expect(errorOf(await machine.run(shell))).toBe(said + CONTAINER);
  });

  test('of a release whose own Node is too old it says so', async () => {
    const machine = new Machine();
    release(machine, 'bookworm');
    has(machine, 'run/.containerenv');
    expect(errorOf(await machine.run(shell))).toBe(
      `${NONE}the nodejs of this release is too old, so ${byHand(machine.data)}${CONTAINER}`,
    );
  });

  test('where the Node of Alpine is too old, installing it again is not all that it says', async () => {
    const machine = new Machine();
    machine.tool('apk');
    machine.node(path.join(machine.root, 'usr/bin/node'), 'v18.20.1');
    expect(errorOf(await machine.run(shell))).toMatch(
      /v18\.20\.1 at .*: apk add --no-cache nodejs; where that is too old, use an image with a newer Alpine$/,
    );
  });

  test('a person at a shell gets a line, and exit code 1', async () => {
    const machine = new Machine();
    const run = await machine.run(shell, { args: ['status'], env: { BREAKWATER_DATA: '/somewhere' } });
    expect(run).toEqual({ code: 1, stdout: '', stderr: `${NONE}${byHand('/somewhere')}\n` });
  });

  test('a wake says it once an hour; a task says it each time', async () => {
    const machine = new Machine();
    has(machine, path.relative(machine.root, path.join(machine.data, 'journal')));
    const wake = { input: machine.document({ mode: 'wake' }) };
    expect(errorOf(await machine.run(shell, wake))).toContain(NONE);
    const quiet = await machine.run(shell, wake);
    expect(JSON.parse(quiet.stdout)).toEqual({ output: expect.stringContaining('within the last hour') });
    expect(quiet).toMatchObject({ code: 0, stderr: '' });
    expect(errorOf(await machine.run(shell))).toContain(NONE);
    const stamp = path.join(machine.data, 'node-missing');
    const before = Date.now() - HOUR_MS - 60_000;
    utimesSync(stamp, before / 1000, before / 1000);
    expect(errorOf(await machine.run(shell, wake))).toContain(NONE);
    expect(JSON.parse((await machine.run(shell, wake)).stdout)).toHaveProperty('output');
  });

  test('with no data folder yet the hour is kept in the plugin folder, and none is made', async () => {
    const machine = new Machine();
    const wake = { input: machine.document({ mode: 'wake' }) };
    expect(JSON.parse((await machine.run(shell, wake)).stdout)).toHaveProperty('error');
    expect(JSON.parse((await machine.run(shell, wake)).stdout)).toHaveProperty('output');
    expect(readdirSync(machine.plugin)).toContain('node-missing');
    expect(readdirSync(machine.config)).toEqual([]);
  });

  test.each(readdirSync(RAW).filter((name) => /^(auth-hook-1|sceneUpdate-|op-1|v0\.22\.1-task)/.test(name)))(
    'the folder of Stash is found in what a real Stash sent: %s',
    async (name) => {
      const input = readFileSync(path.join(RAW, name));
      const { Dir } = JSON.parse(input.toString()).server_connection;
      expect(errorOf(await new Machine().run(shell, { input }))).toBe(NONE + byHand(`${Dir}/breakwater`));
    },
  );

  test.each([
    '',
    'no JSON',
    '{"server_connection":{"Dir":"',
    '"Dir":"\\',
    '{"server_connection":null,"args":null}',
  ])('what is no document of Stash (%s) is answered as well', async (input) => {
    const machine = new Machine();
    expect(errorOf(await machine.run(shell, { input }))).toContain(`${machine.plugin}/node-path`);
  });

  test('whatever is in the name of a folder, the answer is JSON and the log one line', async () => {
    const machine = new Machine();
    const text = string({ unit: 'binary', maxLength: 40 });
    await assert(
      asyncProperty(text, text, async (dir, version) => {
        const config = `/nowhere/${dir}`;
        const run = await machine.run(shell, {
          input: machine.document({ version }, config),
          env: { BREAKWATER_NODE: dir.replaceAll('\0', '') },
        });
        const error = errorOf(run);
        // JSON escapes of control characters are not read: such a folder is no folder for the launcher.
        const isPlain = !/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(dir);
        if (isPlain) expect(error).toBe(NONE + byHand(`${config}/breakwater`));
      }),
      { numRuns: PROPERTY_RUNS.numRuns / 20 },
    );
  });
});

describe.each(SHELLS.filter(({ hasOwnTools }) => !hasOwnTools))('in $name', (shell) => {
  test('on macOS it says: brew install node', async () => {
    const machine = new Machine();
    machine.tool('uname', 'echo Darwin');
    expect(errorOf(await machine.run(shell))).toBe(`${NONE}brew install node`);
  });
});

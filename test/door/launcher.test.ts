// The launcher finds a Node that fits and becomes it, in every shell that Stash may have.

import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { until } from '../support/live-world.ts';
import { DOOR, inPath, Machine, SHELLS, skipped, started } from './launcher-machine.ts';
import { follow } from './programs.ts';

const RAW = fileURLToPath(new URL('../fixtures/captures/raw/', import.meta.url));
const FITTING = [
  'v20.19.0',
  'v20.20.2',
  'v22.0.0',
  'v100.1.0',
  'v20.19.0-rc.1',
  'v26.0.0-nightly20260101abcdef',
];
const TOO_OLD = ['v20.18.3', 'v18.20.8', 'v12.22.12', 'v9.99.9', 'v0.12.18', 'v2.99.0'];
const NO_NODE = [
  '20.19.0',
  'v20',
  'v20.19',
  'LinuxNode v0.3.2',
  'v20.x.1',
  'vv22.0.0',
  'v22.0.0 of another kind',
  '',
];
/** Where systems put it, below the root of the machine. */
const PLACES = [
  'usr/local/bin/node',
  'usr/bin/node',
  'usr/bin/nodejs',
  'opt/bin/node',
  'opt/homebrew/bin/node',
  'opt/homebrew/opt/node@22/bin/node',
  'usr/local/opt/node@20/bin/node',
  'opt/local/bin/node',
  'var/packages/Node.js_v20/target/usr/local/bin/node',
  'volume1/@appstore/Node.js_v22/usr/local/bin/node',
  'usr/lib/nodejs/node-v22/bin/node',
  'usr/local/lib/nodejs/node-v22.3.0-linux-x64/bin/node',
  'snap/bin/node',
];
const HOSTILE_NAMES = [
  'with blanks  in it',
  "it's",
  'say "hi"',
  '$HOME',
  '$(reboot)',
  '`id`',
  '*',
  'a;b&c|d>e',
  'back\\slash\\n',
  '日本語 é 🌊',
  '%s%n',
  '-n',
  '~',
];

describe.each(SHELLS)('in $name', (shell) => {
  test.each(readdirSync(RAW).filter((name) => /^(task|op|auth-hook-1|sceneUpdate-cover)/.test(name)))(
    'Node gets %s, as Stash sent it, and the words',
    async (name) => {
      const machine = new Machine();
      const node = machine.node(path.join(machine.bin, 'node'));
      const input = readFileSync(path.join(RAW, name));
      const run = await machine.run(shell, { input, args: ['--plugin-dir=a b', '', '*'] });
      const args = [`${machine.plugin}/breakwater.cjs`, '--plugin-dir=a b', '', '*'];
      expect(started(run)).toEqual({ by: node, args, stdin: input.toString() });
      expect(run).toMatchObject({ code: 0, stderr: '' });
    },
  );

  test('started from its own folder by its bare name, it works as well', async () => {
    const machine = new Machine();
    const node = machine.node(path.join(machine.bin, 'node'));
    const [program, ...words] = shell.command;
    const env = { PATH: machine.bin, HOME: machine.home };
    const child = spawn(program, [...words, 'breakwater.sh'], { cwd: machine.plugin, env, stdio: 'pipe' });
    const run = started(await follow(child, machine.document()).ended);
    expect(run).toMatchObject({ by: node, args: ['./breakwater.cjs'] });
  });

  test('what is longer than a pipe comes through as well', async () => {
    const machine = new Machine();
    machine.node(path.join(machine.bin, 'node'));
    const input = machine.document({ cover: 'x'.repeat(3_000_000) });
    expect(started(await machine.run(shell, { input })).stdin).toBe(input);
  });

  test('the first that fits is taken: the variable, the two files, PATH, then the usual places', async () => {
    const machine = new Machine();
    const [variable, inData, inPlugin] = ['one', 'two', 'three'].map((name) =>
      machine.node(path.join(machine.dir, 'own', name)),
    ) as [string, string, string];
    const inPathFolder = machine.node(path.join(machine.bin, 'node'));
    const debian = machine.node(path.join(machine.bin, 'nodejs'));
    const usual = machine.node(path.join(machine.root, 'usr/local/bin/node'));
    machine.file(path.join(machine.data, 'node-path'), `${inData}\n`);
    machine.file(path.join(machine.plugin, 'node-path'), `${inPlugin}\n`);
    const env = { BREAKWATER_NODE: variable, BREAKWATER_DATA: machine.data };
    const order = [variable, inData, inPlugin, inPathFolder, debian, usual];
    for (const expected of order) {
      expect(started(await machine.run(shell, { env })).by).toBe(expected);
      machine.node(expected, 'v18.0.0');
    }
  });

  test.each(PLACES)('a Node at /%s is found', async (place) => {
    const machine = new Machine();
    const node = machine.node(path.join(machine.root, place));
    expect(started(await machine.run(shell)).by).toBe(node);
  });

  test('of the Nodes of nvm one that fits is found, in a home with a blank in its name', async () => {
    const machine = new Machine();
    const nvm = path.join(machine.home, '.nvm/versions/node');
    machine.node(path.join(nvm, 'v18.1.0/bin/node'), 'v18.1.0');
    const fits = machine.node(path.join(nvm, 'v22.1.0/bin/node'), 'v22.1.0');
    expect(started(await machine.run(shell)).by).toBe(fits);
  });

  test.each(FITTING)('a Node that says %s is taken', async (version) => {
    const machine = new Machine();
    const node = machine.node(path.join(machine.bin, 'node'), version);
    expect(started(await machine.run(shell)).by).toBe(node);
  });

  test.each([...TOO_OLD, ...NO_NODE])(
    'a program that says "%s" is passed by for the next',
    async (version) => {
      const machine = new Machine();
      machine.node(path.join(machine.bin, 'node'), version);
      const next = machine.node(path.join(machine.bin, 'nodejs'));
      expect(started(await machine.run(shell)).by).toBe(next);
    },
  );

  test.each([
    ['fails', ['exit 3']],
    ['says a version and fails', ['echo v22.0.0', 'exit 1']],
    ['says a version and more', ['echo v22.0.0', 'echo and more']],
    ['would read what Stash sent', ['cat >/dev/null', 'echo v18.0.0']],
  ])('a program that %s is no Node that fits, and leaves the document to the next', async (_what, lines) => {
    const machine = new Machine();
    machine.program(path.join(machine.bin, 'node'), ...lines);
    const next = machine.node(path.join(machine.bin, 'nodejs'));
    const run = await machine.run(shell, { env: { BREAKWATER_NODE: machine.dir } });
    expect(started(run)).toMatchObject({ by: next, stdin: machine.document() });
  });

  test.each([
    ['a line with the ending of Windows', (node: string) => `${node}\r\n`],
    ['no end of line', (node: string) => node],
    ['more lines', (node: string) => `${node}\nsomething else\n`],
  ])('the file node-path may have %s', async (_what, text) => {
    const machine = new Machine();
    const node = machine.node(path.join(machine.dir, 'my nodes', 'node "22"'));
    machine.file(path.join(machine.plugin, 'node-path'), text(node));
    expect(started(await machine.run(shell)).by).toBe(node);
  });

  test('a folder or nothing in place of the file node-path harms nobody', async () => {
    const machine = new Machine();
    mkdirSync(path.join(machine.plugin, 'node-path'));
    machine.file(path.join(machine.data, 'node-path'));
    const node = machine.node(path.join(machine.bin, 'node'));
    const run = await machine.run(shell, { env: { BREAKWATER_DATA: machine.data } });
    expect(started(run).by).toBe(node);
    expect(run.stderr).toBe('');
  });

  test.each(HOSTILE_NAMES)('folders of the name %s work', async (name) => {
    const machine = new Machine(`p ${name}`);
    const config = path.join(machine.dir, name);
    const node = machine.node(path.join(machine.dir, `n ${name}`, name));
    // Only the document tells of this file, and the document still arrives.
    machine.file(path.join(config, 'breakwater', 'node-path'), `${node}\n`);
    const input = machine.document({ Dir: 'not this one', text: '"Dir":"nor this"' }, config);
    const run = await machine.run(shell, { input, args: ['--plugin-dir=x'] });
    const args = [`${machine.plugin}/breakwater.cjs`, '--plugin-dir=x'];
    expect(started(run)).toEqual({ by: node, args, stdin: `${input}\n` });
    expect(run.stderr).toBe('');
  });

  test('Node has the process that Stash started, and Stash as its parent: a kill of it reaches Node', async () => {
    const machine = new Machine();
    writeFileSync(
      path.join(machine.plugin, 'breakwater.cjs'),
      'process.stdout.write(JSON.stringify([process.pid, process.ppid])); setInterval(() => {}, 1000);',
    );
    const child = machine.start(shell, { env: { BREAKWATER_NODE: process.execPath } });
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += String(chunk);
    });
    const ended = new Promise((resolve) => child.once('close', (_code, signal) => resolve(signal)));
    await until('Node runs', () => said.endsWith(']'));
    expect(JSON.parse(said)).toEqual([child.pid, process.pid]);
    child.kill('SIGKILL');
    expect(await ended).toBe('SIGKILL');
  });
});

test('the version that is asked for is the one of package.json', () => {
  const { engines } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  expect(engines.node).toBe('>=20.19');
});

const shellcheck = inPath('shellcheck');
if (shellcheck === null) skipped('the launcher as shellcheck sees it', 'shellcheck is not installed here');
test.skipIf(shellcheck === null)('shellcheck finds nothing in the launcher', () => {
  const { stdout, status } = spawnSync('shellcheck', ['-x', '-a', path.join(DOOR, 'breakwater.sh')]);
  expect(String(stdout)).toBe('');
  expect(status).toBe(0);
});

test('the launcher for Windows has the ends of line of Windows and no other', () => {
  const text = readFileSync(path.join(DOOR, 'sh.cmd'), 'latin1');
  expect(text.split('\r\n').every((line) => !/[\r\n]/.test(line))).toBe(true);
  expect(text.endsWith('\r\n')).toBe(true);
});

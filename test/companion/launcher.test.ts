// The launcher itself, in a system without Node, beside a companion: what it gives to Stash is what the companion did.

import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CompanionProcess, FakeLauncher } from '../support/companion.ts';
import { LiveWorld, spawnAndRead } from '../support/live-world.ts';

const DOOR = fileURLToPath(new URL('../../src/door/', import.meta.url));
const TOOLS = ['cat', 'date', 'find', 'head', 'id', 'mv', 'rm', 'sed', 'sh', 'sleep', 'tr', 'uname'];

let world: LiveWorld;
let companion: CompanionProcess;
let launcher: string;
let bin: string;

beforeEach(async () => {
  world = await LiveWorld.start({ scenes: 2, settings: { reconcile: 'never' } });
  companion = new CompanionProcess(world);
  await new FakeLauncher(world.data).ready();
  bin = path.join(world.root, 'bin');
  mkdirSync(bin);
  for (const tool of TOOLS) symlinkSync(await whereIs(tool), path.join(bin, tool));
  // In front of every absolute path: none of the Nodes of this machine is found.
  for (const file of ['breakwater.sh', 'breakwater-no-node.sh']) {
    const text = readFileSync(path.join(DOOR, file), 'utf8').replace(/^root=$/m, "root='/nowhere'");
    writeFileSync(path.join(world.root, file), text);
  }
  launcher = path.join(world.root, 'breakwater.sh');
});

afterEach(async () => {
  await companion.end('SIGKILL');
  await world.close();
});

test.each([
  [{ mode: 'status' }, 'output'],
  [{ mode: 'wake', scope: 'changes', at: 1 }, 'output'],
  [{ mode: 'no such' }, 'error'],
])('%j is done and answered with an %s, and nothing is left', async (args, kind) => {
  const { code, stdout, stderr } = await run(args);
  expect(code).toBe(0);
  expect(Object.keys(JSON.parse(stdout) as object)).toEqual([kind]);
  expect(stderr).toMatch(kind === 'output' ? '\u0001p\u00021.0000\n' : '\u0001e\u0002mode "no such"');
  expect(readdirSync(path.join(world.data, 'companion'))).toEqual(['alive']);
});

function run(args: object) {
  const server_connection = {
    Scheme: 'http',
    Host: '0.0.0.0',
    Port: 9999,
    SessionCookie: { Name: 'session', Value: 'its-session' },
    Dir: world.root,
    PluginDir: world.root,
  };
  const document = JSON.stringify({ server_connection, args });
  return spawnAndRead(path.join(bin, 'sh'), [launcher], { PATH: bin }, document);
}

async function whereIs(tool: string): Promise<string> {
  return (await spawnAndRead('sh', ['-c', `command -v ${tool}`], process.env)).stdout.trim();
}

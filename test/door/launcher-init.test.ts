// Stash as process 1 of its container reaps nobody but its own children. Whatever the launcher does, it leaves nothing.

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { describe, expect, test } from 'vitest';
import { inPath, Machine, notAllowed, SHELLS } from './launcher-machine.ts';
import { run } from './programs.ts';

const NAMESPACE = ['--fork', '--pid', '--mount-proc', '--kill-child'];
const hasNamespaces = spawnSync('unshare', [...NAMESPACE, 'true']).status === 0;
if (!hasNamespaces) notAllowed('the launcher below process 1', 'unshare is not allowed here');

/** Starts the launcher as its child, and says which zombies there are when that has ended. */
const INIT = `
const { spawn } = require('node:child_process');
const { readdirSync, readFileSync } = require('node:fs');
const [, , program, ...words] = process.argv;
const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'ignore'] });
let stdout = '';
child.stdout.on('data', (chunk) => { stdout += chunk; });
child.stdin.on('error', () => {});
child.stdin.end(readFileSync(0));
child.once('close', () => {
  const stats = readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name))
    .map((pid) => readFileSync('/proc/' + pid + '/stat', 'latin1'));
  const others = stats.filter((stat) => !stat.startsWith('1 '));
  process.stdout.write(JSON.stringify({ pid: process.pid, stdout, others }));
});
`;

describe.skipIf(!hasNamespaces).each(SHELLS)('in $name', (shell) => {
  test.each(['with a Node', 'with none'])('no process is left, %s', async (kind) => {
    const machine = new Machine();
    const init = machine.file(path.join(machine.dir, 'init.cjs'), INIT);
    writeFileSync(path.join(machine.plugin, 'breakwater.cjs'), "console.log('from Node', process.ppid)");
    // Programs that are asked for their version on the way.
    machine.node(path.join(machine.bin, 'node'), 'v18.0.0');
    if (kind === 'with a Node') {
      machine.program(path.join(machine.bin, 'nodejs'), `exec '${process.execPath}' "$@"`);
    }
    const words = [process.execPath, init, ...shell.command, `${machine.plugin}/breakwater.sh`];
    const env = { PATH: machine.bin, HOME: machine.home };
    const ended = await run(inPath('unshare') ?? '', [...NAMESPACE, ...words], {
      env,
      input: machine.document(),
    });
    const { pid, stdout, others } = JSON.parse(ended.stdout);
    expect(pid).toBe(1);
    expect(stdout).toMatch(kind === 'with a Node' ? /^from Node 1\n$/ : /^\{"error":"Breakwater needs Node/);
    expect(others).toEqual([]);
  });
});

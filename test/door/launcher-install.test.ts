// *Install Node here*, with stand-ins for the package managers. With a real one, and in busybox as on Alpine, it runs in
// launcher-roots.test.ts.

import * as path from 'node:path';
import { describe, expect, test } from 'vitest';
import { byHand, errorOf, has, lastErrorOf } from './launcher-answers.ts';
import { Machine, SHELLS } from './launcher-machine.ts';

const args = ['install-node'];

describe.each(SHELLS.filter(({ hasOwnTools }) => !hasOwnTools))('in $name', (shell) => {
  test('on Alpine as root it says what it runs, passes its lines on, and says what came of it', async () => {
    const machine = installable('apk', 'v22.11.0');
    has(machine, '.dockerenv');
    const run = await machine.run(shell, { args });
    const node = path.join(machine.bin, 'node');
    const told =
      `Node v22.11.0 is installed at ${node}. It goes with this container: ` +
      'when that is made anew, run this task again';
    expect(JSON.parse(run.stdout)).toEqual({ output: told });
    expect(run.stderr.split('\n')).toEqual([
      '\x01i\x02This runs now: apk add --no-cache nodejs',
      '\x01d\x02got: add --no-cache nodejs',
      '\x01d\x02a word on stderr',
      `\x01i\x02${told}`,
      '',
    ]);
    expect(run.code).toBe(0);
  });

  test('on Debian it reads the lists first', async () => {
    const machine = installable('apt-get', 'v20.19.2');
    const run = await machine.run(shell, { args });
    expect(JSON.parse(run.stdout)).toEqual({
      output: `Node v20.19.2 is installed at ${machine.bin}/node`,
    });
    expect(run.stderr).toMatch(
      /got: update -q\n(?:.*\n)*.*got: install -q -y --no-install-recommends nodejs\n/,
    );
  });

  test('a Node that fits is left alone', async () => {
    const machine = installable('apk', 'v22.11.0');
    const node = machine.node(path.join(machine.root, 'usr/local/bin/node'), 'v24.1.0');
    const run = await machine.run(shell, { args });
    expect(JSON.parse(run.stdout)).toEqual({
      output: `Node v24.1.0 is here already, at ${node}: nothing was installed`,
    });
    expect(run).toMatchObject({ code: 0, stderr: '' });
  });

  test('what is too old when installed is said to be', async () => {
    const machine = installable('apt-get', 'v18.20.4');
    expect(lastErrorOf(await machine.run(shell, { args }))).toBe(
      `What this system installs is too old (v18.20.4 at ${machine.bin}/node): ${byHand(machine.data)}`,
    );
  });

  test('a package manager that fails is said to have', async () => {
    const machine = installable('apk', 'v22.11.0');
    machine.tool('apk', 'echo no network >&2', 'exit 7');
    const run = await machine.run(shell, { args });
    expect(lastErrorOf(run)).toBe(
      'It failed with exit status 7; its own lines are in the log, at level debug: apk add --no-cache nodejs',
    );
    expect(run.stderr).toContain('\x01d\x02no network\n');
  });

  test('who is not root, or has neither apk nor apt-get, is told so', async () => {
    const machine = installable('apk', 'v22.11.0');
    machine.tool('id', 'echo 1000');
    expect(errorOf(await machine.run(shell, { args }))).toBe(
      'Stash does not run as root, so this task cannot install Node. As root: apk add --no-cache nodejs',
    );
    const bare = new Machine();
    expect(errorOf(await bare.run(shell, { args }))).toBe(
      `This task knows apk and apt-get, and neither is here: ${byHand(bare.data)}`,
    );
  });
});

/** Root, and a package manager that installs a Node of this version. */
function installable(manager: string, version: string): Machine {
  const machine = new Machine();
  machine.tool('id', 'echo 0');
  const made = machine.node(path.join(machine.dir, 'packages', 'node'), version);
  machine.tool(
    manager,
    'echo "got: $*"',
    'echo a word on stderr >&2',
    `[ "$1" = update ] || { cat '${made}' >'${machine.bin}/node'; /bin/chmod +x '${machine.bin}/node'; }`,
  );
  return machine;
}

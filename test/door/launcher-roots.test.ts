// The launcher in systems that have nothing else: busybox alone, as in Alpine, and a small Debian, where *Install Node
// here* really installs one. Both need root.

import { beforeAll, describe, expect, test } from 'vitest';
import type { Ended } from '../support/live-world.ts';
import { errorOf } from './launcher-answers.ts';
import { inPath, Machine, notAllowed, skipped } from './launcher-machine.ts';
import { FITTING_VERSION, nodeOfVersion, OLD_VERSIONS } from './old-nodes.ts';
import { busyboxRoot, debianRoot, fetchDebian, type Root } from './roots.ts';

/** Programs are fetched: slow is not stuck. */
const FETCHING_MS = 600_000;

const isRoot = process.getuid?.() === 0;
if (!isRoot) notAllowed('the launcher in other systems', 'chroot is for root');
const hasBusybox = isRoot && needs('busybox');
const hasDebian = isRoot && needs('mmdebstrap');

const nodes = new Map<string, string>();
beforeAll(async () => {
  if (!isRoot) return;
  for (const version of [...OLD_VERSIONS, FITTING_VERSION]) {
    const found = await nodeOfVersion(version);
    if ('node' in found) nodes.set(version, found.node);
    else skipped(`the launcher with Node ${version}`, found.problem);
  }
}, FETCHING_MS);

describe.skipIf(!hasBusybox)('in a system of busybox alone', () => {
  test('without a Node it says so', async () => {
    expect(errorOf(await busyboxRoot().launch())).toMatch(
      /^Breakwater needs Node 20\.19 or newer, and there is none here: unpack Node .* \/config\/breakwater\/node-path\. In a container: /,
    );
  });

  test('a Node that is too old is named; one that fits runs', async () => {
    await namesOrRuns(busyboxRoot());
  });

  test('Install Node here runs apk, and then the launcher runs', async () => {
    const root = busyboxRoot();
    const node = nodes.get(FITTING_VERSION);
    if (node === undefined) return;
    root.bring(node, '/packages/node');
    new Machine().program(
      `${root.dir}/bin/apk`,
      'echo "fetching: $*"',
      'cp /packages/node /usr/bin/node && chmod +x /usr/bin/node',
    );
    expect(errorOf(await root.launch())).toContain(
      ': apk add --no-cache nodejs. In a container: run the task',
    );
    const run = await root.launch('install-node');
    expect(JSON.parse(run.stdout).output).toMatch(
      /^Node v20\.19\.0 is installed at \/usr\/bin\/node\. It goes with this container/,
    );
    expect(run.stderr).toContain('\x01d\x02fetching: add --no-cache nodejs\n');
    runsIn(await root.launch(), 'v20.19.0');
  });
});

describe.skipIf(!hasDebian)('in a small Debian', () => {
  let problem: string | null = null;
  beforeAll(async () => {
    problem = await fetchDebian();
    if (problem !== null) skipped('the launcher in a Debian', problem);
  }, FETCHING_MS);

  test('without a Node it says what to run', async ({ skip }) => {
    if (problem !== null) skip();
    expect(errorOf(await debianRoot().launch())).toMatch(
      /, and there is none here: apt-get update && apt-get install nodejs\. In a container: run the task/,
    );
  });

  test('a Node that is too old is named; one that fits runs', async ({ skip }) => {
    if (problem !== null) skip();
    await namesOrRuns(debianRoot());
  });

  test('Install Node here installs the one of Debian, and then the launcher runs', {
    timeout: FETCHING_MS,
  }, async ({ skip }) => {
    if (problem !== null) skip();
    const root = debianRoot();
    const run = await root.launch('install-node');
    expect(JSON.parse(run.stdout)).toEqual({
      output: expect.stringContaining(' is installed at /usr/bin/node'),
    });
    const [, version = ''] = /^Node (v\S+) is installed/.exec(JSON.parse(run.stdout).output) ?? [];
    const lines = run.stderr.split('\n').slice(0, -1);
    expect(lines[0]).toContain('\x01i\x02This runs now: apt-get update');
    expect(lines.some((line) => line.startsWith('\x01d\x02Setting up nodejs'))).toBe(true);
    expect(lines.filter((line) => !['\x01d\x02', '\x01i\x02'].includes(line.slice(0, 3)))).toEqual([]);
    runsIn(await root.launch(), version);
    const again = await root.launch('install-node');
    expect(JSON.parse(again.stdout).output).toBe(
      `Node ${version} is here already, at /usr/bin/node: nothing was installed`,
    );
  });
});

function needs(program: string): boolean {
  if (inPath(program) !== null) return true;
  skipped(`the launcher in a system of ${program}`, `${program} is not installed here`);
  return false;
}

async function namesOrRuns(root: Root): Promise<void> {
  for (const [version, node] of nodes) {
    root.bring(node, '/usr/local/bin/node');
    const run = await root.launch();
    if (version === FITTING_VERSION) runsIn(run, `v${version}`);
    else expect(errorOf(run)).toContain(`, and this is v${version} at /usr/local/bin/node: `);
  }
}

function runsIn({ code, stdout, stderr }: Ended, version: string): void {
  expect(JSON.parse(stdout)).toEqual({ output: [version, { mode: 'status' }] });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
}

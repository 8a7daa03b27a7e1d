// Stash as process 1 of its container: it reaps no orphans, so a hook must not leave any, and asks Stash for a
// task instead. Needs a process namespace of its own.

import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { startPlexSimulator } from '../simulators/plex/server.ts';
import { PLUGIN_DIR, TOKEN, until } from '../support/live-world.ts';
import { removeDir } from '../support/temp-dir.ts';

const SIM_STASH = fileURLToPath(new URL('../../dist/tools/sim-stash.cjs', import.meta.url));
const NAMESPACE = ['--fork', '--pid', '--mount-proc', '--kill-child'];
const hasNamespaces = spawnSync('unshare', [...NAMESPACE, 'true']).status === 0;
if (!hasNamespaces) process.stderr.write('SKIPPED: Stash as process 1 (unshare is not allowed here)\n');

test.skipIf(!hasNamespaces)(
  'no zombie is left: the wake, a task of Stash, drains in its own process, and the change arrives',
  async () => {
    const root = mkdtempSync(path.join(tmpdir(), 'breakwater-init-'));
    cpSync(PLUGIN_DIR, path.join(root, 'plugins', 'breakwater'), { recursive: true });
    const plex = await startPlexSimulator({ token: TOKEN, items: 3 });
    const words = [
      '--port',
      '0',
      '--plugins',
      path.join(root, 'plugins'),
      '--scenes',
      '3',
      '--dir',
      path.join(root, 'stash'),
    ];
    const env = { ...process.env, PLEX_URL: plex.url, PLEX_TOKEN: TOKEN };
    const stash = spawn('unshare', [...NAMESPACE, process.execPath, SIM_STASH, ...words], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    stash.stdout.on('data', (chunk) => {
      said += String(chunk);
    });
    try {
      await until('Stash is up', () => /simulator on (\S+)/.test(said));
      const url = /simulator on (\S+)/.exec(said)?.[1] ?? '';
      const query = 'mutation{sceneUpdate(input:{id:"2",title:"by task"}){id}}';
      await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
      });
      await until('it arrives', () => plex.library.byRatingKey('1002')?.fields.title === 'by task');
      const control = () => readFileSync(path.join(root, 'stash', 'breakwater', 'control.ndjson'), 'utf8');
      await until('the task has ended', () => control().includes('"lease.released"'));
      expect(control()).toMatch(/"inv":"wake-/);
      expect(control()).not.toMatch(/"inv":"drain-/);
      expect(zombiesBelow(stash.pid ?? 0)).toEqual([]);
    } finally {
      stash.kill('SIGKILL');
      await plex.close();
      removeDir(root);
    }
  },
);

/** Dead children that a process or its children have not reaped, by their names. */
function zombiesBelow(root: number): string[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const [, name, state, parent] =
          /^\d+ \((.*)\) (\S) (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1')) ?? [];
        return [{ pid: Number(pid), name: name ?? '', state, parent: Number(parent) }];
      } catch {
        return [];
      }
    });
  const below = (parent: number): typeof all =>
    all.filter((one) => one.parent === parent).flatMap((one) => [one, ...below(one.pid)]);
  return below(root)
    .filter(({ state }) => state === 'Z')
    .map(({ name }) => name);
}

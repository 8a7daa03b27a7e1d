// The demo's other setting (`npm run demo -- --companion`): a Stash that finds no Node, as in its official container, and a
// companion beside it that does the work.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** What the launcher needs of a system; Node is not among it. */
const TOOLS = ['sh', 'cat', 'date', 'find', 'head', 'id', 'mv', 'rm', 'sed', 'sleep', 'tr', 'uname'];
const START_MS = 20_000;
const END_MS = 5_000;
const POLL_MS = 20;

/** A copy of the plugin whose launcher looks for Node in no place of this machine, and the PATH that its Stash has. */
export function withoutNode(
  pluginDir: string,
  dir: string,
): { readonly plugins: string; readonly path: string } {
  const plugins = join(dir, 'plugins');
  const copy = join(plugins, 'breakwater');
  cpSync(pluginDir, copy, { recursive: true });
  const launcher = join(copy, 'breakwater.sh');
  writeFileSync(launcher, readFileSync(launcher, 'utf8').replace(/^root=$/m, 'root=/nowhere'));
  const path = join(dir, 'bin');
  mkdirSync(path);
  for (const tool of TOOLS) {
    const found = execFileSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim();
    symlinkSync(found, join(path, tool));
  }
  return { plugins, path };
}

export interface Companion {
  end(): Promise<void>;
}

/** As its container would start it. Breakwater begins with what changes from then on, so that is waited for. */
export async function startCompanion(pluginDir: string, data: string, stashUrl: string): Promise<Companion> {
  const child: ChildProcess = spawn(
    process.execPath,
    [join(pluginDir, 'breakwater.cjs'), 'watch', '--data', data],
    {
      env: { ...process.env, STASH_URL: stashUrl, STASH_API_KEY: '', PLEX_URL: '', PLEX_TOKEN: '' },
      stdio: 'ignore',
    },
  );
  const ended = once(child, 'exit');
  const upBy = Date.now() + START_MS;
  while (!existsSync(join(data, 'control.ndjson')) && !existsSync(join(data, 'queue.ndjson'))) {
    if (Date.now() > upBy) throw new Error('the companion did not start');
    await sleep(POLL_MS);
  }
  return {
    end: async () => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), END_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

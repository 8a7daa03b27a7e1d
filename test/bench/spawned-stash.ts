// The Stash simulator in a process of its own, so that what is measured does not wait for who measures it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import * as path from 'node:path';
import { createInterface } from 'node:readline';

export interface SpawnedStash {
  /** As Stash gives it to a plugin. */
  readonly connection: object;
  end(): void;
}

export async function spawnedStash(root: string): Promise<SpawnedStash> {
  const plugins = path.join(root, 'plugins');
  mkdirSync(plugins, { recursive: true });
  const words = [
    '--port',
    '0',
    '--plugins',
    plugins,
    '--scenes',
    '30',
    '--dir',
    root,
    '--stash-version',
    'v0.30.1',
  ];
  const child = spawn(process.execPath, [path.join(__dirname, 'sim-stash.cjs'), ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const url = new URL(/simulator on (\S+)/.exec(line)?.[1] ?? 'http://nobody');
  const connection = {
    Scheme: 'http',
    Host: url.hostname,
    Port: Number(url.port),
    SessionCookie: null,
    Dir: root,
  };
  return { connection, end: () => child.kill('SIGKILL') };
}

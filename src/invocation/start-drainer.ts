// Starting a drainer that outlives the hook: its own session, nothing inherited that could keep Stash waiting.
// Secrets travel in its environment, which only this user can read; never in its arguments.

import * as path from 'node:path';
import type { StashConnection } from '../stash/connection.ts';
import { DATA_VARIABLE } from './data-dir.ts';

export const STASH_VARIABLE = 'BREAKWATER_STASH';

/** The bundle beside this one that drains: the hook's own must not carry an HTTP client. */
export const WORKER_FILE = 'breakwater-worker.cjs';

export async function startDrainer(
  connection: StashConnection,
  data: string,
  bundleDir: string,
): Promise<void> {
  // Loading it costs a hook a tenth of its life, so only the one that starts a drainer does.
  const { spawn } = await import('node:child_process');
  const child = spawn(process.execPath, [path.join(bundleDir, WORKER_FILE), 'drain', '--detached'], {
    detached: true,
    stdio: 'ignore',
    windowsHide: true,
    env: { ...process.env, [DATA_VARIABLE]: data, [STASH_VARIABLE]: JSON.stringify(connection) },
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  child.unref();
}

/** The connection that a hook handed on; null when this process was started by a person. */
export function handedConnection(env: Readonly<Record<string, string | undefined>>): StashConnection | null {
  const text = env[STASH_VARIABLE];
  return text === undefined || text === '' ? null : (JSON.parse(text) as StashConnection);
}

// What a hook hands to the processes that come after it: names, and the connection to Stash.

import type { StashConnection } from '../stash/connection.ts';

/** Beside the hook's own bundle, which must carry neither the machines nor an HTTP client. */
export const START_FILE = 'breakwater-start.cjs';
export const WORKER_FILE = 'breakwater-worker.cjs';

/** The plugin's id in Stash (the name of its yml), and its task that drains. */
export const PLUGIN_ID = 'breakwater';
export const DRAIN_TASK = 'Drain now';

export const STASH_VARIABLE = 'BREAKWATER_STASH';

/** The connection that a hook handed on; null when this process was started by a person. */
export function handedConnection(env: Readonly<Record<string, string | undefined>>): StashConnection | null {
  const text = env[STASH_VARIABLE];
  if (text === undefined || text === '') return null;
  try {
    return JSON.parse(text) as StashConnection;
  } catch {
    // The parser's own message quotes what it could not read, and this holds a secret.
    throw new Error(`${STASH_VARIABLE} is not what a hook hands on: unset it`);
  }
}

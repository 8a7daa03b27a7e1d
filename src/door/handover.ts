// What one of our processes hands to the next: the name of the bundle, and the connection to Stash.

import type { StashConnection } from '../stash/connection.ts';

/** What the launcher starts, and a wake for a drainer. */
export const BUNDLE_FILE = 'breakwater.cjs';

export const STASH_VARIABLE = 'BREAKWATER_STASH';

/** The connection that was handed on; null when this process was started by a person. */
export function handedConnection(env: Readonly<Record<string, string | undefined>>): StashConnection | null {
  const text = env[STASH_VARIABLE];
  if (text === undefined || text === '') return null;
  try {
    return JSON.parse(text) as StashConnection;
  } catch {
    // The parser's own message quotes what it could not read, and this holds a secret.
    throw new Error(`${STASH_VARIABLE} is not what Breakwater hands on: unset it`);
  }
}

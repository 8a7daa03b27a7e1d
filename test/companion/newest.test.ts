// The small question of `watch`: what changed last of each kind. Asked of the Stash simulator in versions that differ.

import { afterEach, expect, test } from 'vitest';
import { StashClient } from '../../src/stash/stash-client.ts';
import { type StashSimulator, startStashSimulator } from '../simulators/stash/server.ts';

let stash: StashSimulator | null = null;
afterEach(() => stash?.close());

test.each(['v0.25.1', 'v0.30.1'])(
  'of %s it is one row a kind, the newest, however many there are',
  async (version) => {
    stash = await startStashSimulator({ scenes: 30, version });
    const client = new StashClient({ origin: stash.url, credential: { kind: 'none' } });
    const at = Math.floor(Date.now() / 1_000) * 1_000 + 60_000;
    Object.assign(stash.db.scenes()[6]!, { updatedAt: at });
    const newest = await client.newest();
    await client.close();
    const rows = newest.ok ? newest.value.rows : [];
    expect(rows.find(({ kind }) => kind === 'scene')).toMatchObject({ id: '7', changedAt: at });
    expect(new Set(rows.map(({ kind }) => kind)).size).toBe(rows.length);
  },
);

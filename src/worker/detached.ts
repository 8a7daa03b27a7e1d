// The drainer that a wake has started.

import { sweepTemporaries } from '../breaker/index.ts';
import { handedConnection } from '../door/handover.ts';
import { drain } from '../invocation/drainer.ts';
import { silentLog } from '../invocation/stash-log.ts';
import type { StashConnection } from '../stash/connection.ts';
import { StashClient } from '../stash/stash-client.ts';
import { worldOf } from './process-world.ts';

/** Nobody reads what it says: all it has to tell is in the journal. `linger`: ms. */
export async function drainDetached(data: string, linger = ''): Promise<void> {
  const handed = handedConnection(process.env);
  if (handed === null) throw new Error('a detached drainer is started by a wake only');
  const world = worldOf('drain', data, await lasting(handed), silentLog);
  try {
    const lingerMs = /^\d{1,7}$/.test(linger) ? { lingerMs: Number(linger) } : {};
    await drain(world, { isImpatient: false, mayWait: true, ...lingerMs });
    sweepTemporaries(data, world.writer.now().at);
  } finally {
    await world.stash.close();
  }
}

/** The session cookie lives an hour; where Stash has an API key, that lasts. */
async function lasting(connection: StashConnection): Promise<StashConnection> {
  if (connection.credential.kind !== 'cookie') return connection;
  const client = new StashClient(connection);
  try {
    const key = await client.apiKey();
    if (!key.ok || key.value === '') return connection;
    return { ...connection, credential: { kind: 'apiKey', value: key.value } };
  } finally {
    await client.close();
  }
}

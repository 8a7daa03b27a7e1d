// The drainer that a hook has started.

import { sweepTemporaries } from '../invocation/data-dir.ts';
import { drain } from '../invocation/drainer.ts';
import { handedConnection } from '../invocation/handover.ts';
import { silentLog } from '../invocation/stash-log.ts';
import type { StashConnection } from '../stash/connection.ts';
import { StashClient } from '../stash/stash-client.ts';
import { worldOf } from './process-world.ts';

/** Nobody listens; the journal is its only voice. */
export async function drainDetached(data: string): Promise<void> {
  const handed = handedConnection(process.env);
  if (handed === null) throw new Error('a detached drainer is started by a hook only');
  const world = worldOf('drain', data, await lasting(handed), silentLog);
  try {
    await drain(world, { isImpatient: false, mayWait: true });
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

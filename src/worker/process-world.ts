// The world as a process has it: the real disk, clock, Stash and Plex.

import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { FileSegments, processWriter } from '../breaker/index.ts';
import { openDataDir } from '../invocation/data-dir.ts';
import { HOUSE_RULES } from '../invocation/housekeeping.ts';
import { settingsFileIn } from '../invocation/settings-now.ts';
import type { Log } from '../invocation/stash-log.ts';
import type { World } from '../invocation/world.ts';
import { PlexClient } from '../plex/plex-client.ts';
import type { Settings } from '../settings/settings.ts';
import type { StashConnection } from '../stash/connection.ts';
import { StashClient } from '../stash/stash-client.ts';
import { detachedDrainers } from '../wake/drainer-process.ts';

type InvocationKind = 'wake' | 'drain' | 'task' | 'cli';

export function worldOf(kind: InvocationKind, data: string, connection: StashConnection, log: Log): World {
  const writer = processWriter(kind);
  return {
    dir: openDataDir(data),
    house: { segments: new FileSegments(data), rules: HOUSE_RULES },
    writer,
    settingsFile: settingsFileIn(data),
    stash: new StashClient(connection),
    connectPlex: (settings, hasEverWorked) => {
      const { plexUrl, plexToken, allowsSelfSigned, requestTimeoutMs } = settings;
      return new PlexClient({
        url: plexUrl,
        token: plexToken,
        allowsSelfSigned,
        hasEverWorked,
        timeoutMs: requestTimeoutMs,
        clientIdentifier: `breakwater-${digest(data)}`,
        now: () => writer.now().at,
      });
    },
    fingerprint: ({ plexUrl, plexToken, allowsSelfSigned }: Settings) =>
      digest(JSON.stringify([plexUrl, plexToken, allowsSelfSigned])),
    drainers: detachedDrainers(connection, data, __dirname),
    env: process.env,
    // Woken early, it has slept all the same.
    sleep: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => {}),
    log,
  };
}

/** 48 bits of SHA-256: enough to see a change, far too little to find a token by. */
function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

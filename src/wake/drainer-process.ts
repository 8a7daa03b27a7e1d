// A drainer as a process of its own: in its own session, with nothing inherited that could keep Stash waiting. Secrets
// travel in its environment, which only this user can read; never in its arguments.

import { spawn } from 'node:child_process';
import * as path from 'node:path';
import { BUNDLE_FILE, STASH_VARIABLE } from '../door/handover.ts';
import { DATA_VARIABLE } from '../invocation/data-dir.ts';
import type { StashConnection } from '../stash/connection.ts';
import type { Drainers } from './see-to-drainer.ts';

/** `data`: the data folder. `bundleDir`: where the plugin's files are. */
export function detachedDrainers(connection: StashConnection, data: string, bundleDir: string): Drainers {
  return {
    isStashInit: () => process.ppid === 1 && process.platform !== 'win32',
    startDetached: async (lingerMs) => {
      const linger = lingerMs === undefined ? [] : [`--linger=${lingerMs}`];
      const child = spawn(
        process.execPath,
        [path.join(bundleDir, BUNDLE_FILE), 'drain', '--detached', ...linger],
        {
          detached: true,
          stdio: 'ignore',
          windowsHide: true,
          env: { ...process.env, [DATA_VARIABLE]: data, [STASH_VARIABLE]: JSON.stringify(connection) },
        },
      );
      await new Promise<void>((resolve, reject) => {
        child.once('spawn', resolve);
        child.once('error', reject);
      });
      child.unref();
    },
  };
}

// Starting a drainer: the part of a hook that needs the machines, in a bundle of its own. The log decides who
// starts one; the drainer outlives the hook, in its own session, with nothing inherited that could keep Stash
// waiting. Secrets travel in its environment, which only this user can read; never in its arguments.

import * as path from 'node:path';
import { ControlLog } from '../control/control-log.ts';
import { gate } from '../control/decide.ts';
import type { FoldState } from '../control/replay.ts';
import type { Checked } from '../journal/trust.ts';
import type { Writer } from '../journal/writer.ts';
import type { StashConnection } from '../stash/connection.ts';
import { DATA_VARIABLE, type DataDir } from './data-dir.ts';
import { isDrainerWanted, isHolderGone, isStashInit } from './drainer-wanted.ts';
import { STASH_VARIABLE, WORKER_FILE } from './handover.ts';
import { saveControlCheckpoint } from './save-checkpoints.ts';

/** How long after asking for a drainer nobody asks again, in ms: starting Node on a slow NAS takes seconds. */
const ASKED_MS = 15_000;
/** The same where it is a task of Stash, which waits behind a scan or whatever else Stash is doing. */
const ASKED_TASK_MS = 300_000;

/** So many entries take a hook longer to fold than to keep what they came to. */
const LONG_TAIL = 256;

/** How a drainer is brought to life; a simulation has processes of its own. */
export interface Launcher {
  isStashInit(): boolean;
  /** Whether Stash has taken it. */
  queuedAsTask(connection: StashConnection): Promise<boolean>;
  startDetached(connection: StashConnection, data: string, bundleDir: string): Promise<void>;
}

const SYSTEM: Launcher = { isStashInit, queuedAsTask, startDetached };

export async function startIfNeeded(
  dir: DataDir,
  writer: Writer,
  checked: Checked<FoldState>,
  connection: StashConnection,
  bundleDir: string,
  launcher = SYSTEM,
): Promise<{ started: boolean; warning?: string }> {
  const control = await ControlLog.resume(dir.journal, writer, checked);
  // After a reboot or an update, while Plex is away: no drainer may come for long, and the next hook finds it done.
  if (control.tailLength >= LONG_TAIL) saveControlCheckpoint({ dir }, control);
  if (control.isNewer) {
    return {
      started: false,
      warning: 'queued, but the journal is of a newer Breakwater: update this plugin',
    };
  }
  if (!isDrainerWanted(control.state, writer)) return { started: false };
  // A task must not wait, or nothing else in Stash goes on; a wait is worth a zombie.
  const isTask = launcher.isStashInit() && gate(control.state, writer.now()).kind !== 'wait';
  const asked = {
    type: 'lease.requested',
    lease: 'drain',
    forMs: isTask ? ASKED_TASK_MS : ASKED_MS,
  } as const;
  const lost = { type: 'lease.lost', lease: 'drain', epoch: control.state.drain.context.epoch } as const;
  const steps = await control.appendOrThrow(...(isHolderGone(control.state) ? [lost, asked] : [asked]));
  // Of two hooks that ask at once the log knows one: only that one starts a drainer.
  if (steps.at(-1)?.isVoid !== false) return { started: false };
  const isQueued = isTask && (await launcher.queuedAsTask(connection));
  if (!isQueued) await launcher.startDetached(connection, dir.path, bundleDir);
  return { started: true };
}

// Loading what starts a process, or speaks HTTP, costs more than folding a tail: only the one hook that was
// granted it does.

async function queuedAsTask(connection: StashConnection): Promise<boolean> {
  const { queueTask } = await import('./queue-task.ts');
  return queueTask(connection);
}

export async function startDetached(
  connection: StashConnection,
  data: string,
  bundleDir: string,
): Promise<void> {
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

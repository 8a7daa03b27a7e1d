// A hook: append the job, look at the gate, have a drainer started if one is needed, leave. Stash waits for it
// and may kill it at any moment, so it does no network and loads nothing that it does not need: with a current
// checkpoint not even XState, which is in the bundle of start-drainer.ts.
//
// It must never fail a save: whatever is wrong comes out as one clear line, and exit code 0.

import { ERA } from '../../machines/era.ts';
import type { FoldState } from '../control/replay.ts';
import { type ControlState, INITIAL_STATE } from '../control/state.ts';
import type { AppendFailure } from '../journal/journal.ts';
import { type Checked, checkCheckpoint, originOf } from '../journal/trust.ts';
import { makeRecord, type Writer } from '../journal/writer.ts';
import type { JobName } from '../queue/events.ts';
import type { DataDir } from './data-dir.ts';
import { isDrainerWanted } from './drainer-wanted.ts';

export type HookResult =
  /** The job is durable. `started`: and a drainer is on its way. */
  | { readonly kind: 'queued'; readonly started: boolean; readonly warning?: string }
  | { readonly kind: 'refused'; readonly failure: AppendFailure };

/** Folds the log from where the checkpoint ends, asks for a drainer in it, and starts one where that was granted. */
export type StartIfNeeded = (
  dir: DataDir,
  writer: Writer,
  checked: Checked<FoldState>,
) => Promise<{ started: boolean; warning?: string }>;

/** `startIfNeeded` is called only when the checkpoint alone cannot say that no drainer is needed. */
export async function runHook(
  job: JobName,
  trigger: string,
  dir: DataDir,
  writer: Writer,
  startIfNeeded: StartIfNeeded,
): Promise<HookResult> {
  const record = makeRecord(writer, 'job.queued', { job, cause: trigger });
  const appended = await dir.journal.append('queue', [record]);
  if (!appended.ok) return { kind: 'refused', failure: appended.failure };
  // From here on the job is safe: nothing that goes wrong may look like a refusal.
  try {
    const checkpoint = dir.controlCheckpoint.read();
    const checked = await checkCheckpoint(dir.journal, 'control', originOf(ERA, writer), checkpoint);
    const known = await currentState(dir, checked);
    if (known !== null && !isDrainerWanted(known, writer)) return { kind: 'queued', started: false };
    return { kind: 'queued', ...(await startIfNeeded(dir, writer, checked)) };
  } catch (error) {
    const warning = `the change is queued, but no drainer could be started: ${(error as Error).message}`;
    return { kind: 'queued', started: false, warning };
  }
}

/** The control state without folding anything; null when there is something to fold. */
async function currentState(dir: DataDir, checked: Checked<FoldState>): Promise<ControlState | null> {
  if (checked.kind === 'trusted') return checked.isCurrent ? checked.checkpoint.state.control : null;
  return (await dir.journal.size('control')) === 0 ? INITIAL_STATE : null;
}

// A hook: append the job, look at the gate, start a drainer if one is needed, leave. Stash waits for it and may
// kill it at any moment, so it does no network and loads nothing that it does not need: with a current
// checkpoint not even XState.
//
// It must never fail a save: whatever is wrong comes out as one clear line, and exit code 0.

import { ERA } from '../../machines/era.ts';
import { isDrainerNeeded } from '../control/decide.ts';
import { type ControlState, INITIAL_STATE } from '../control/state.ts';
import type { AppendFailure } from '../journal/journal.ts';
import { checkCheckpoint } from '../journal/trust.ts';
import { makeRecord, type Writer } from '../journal/writer.ts';
import type { JobName } from '../queue/events.ts';
import type { DataDir } from './data-dir.ts';
import { isGone } from './process.ts';

export type HookResult =
  /** The job is durable. `started`: and a drainer is on its way. */
  | { readonly kind: 'queued'; readonly started: boolean; readonly warning?: string }
  | { readonly kind: 'refused'; readonly failure: AppendFailure };

/** How long after asking for a drainer nobody asks again, in ms: starting Node on a slow NAS takes seconds. */
const ASKED_MS = 15_000;

/** `start` gets a drainer going and returns at once. */
export async function runHook(
  job: JobName,
  trigger: string,
  dir: DataDir,
  writer: Writer,
  start: () => Promise<void>,
): Promise<HookResult> {
  const record = makeRecord(writer, 'job.queued', { job, cause: trigger });
  const appended = await dir.journal.append('queue', [record]);
  if (!appended.ok) return { kind: 'refused', failure: appended.failure };
  // From here on the job is safe: nothing that goes wrong may look like a refusal.
  try {
    return { kind: 'queued', ...(await startIfNeeded(dir, writer, start)) };
  } catch (error) {
    const warning = `the change is queued, but no drainer could be started: ${(error as Error).message}`;
    return { kind: 'queued', started: false, warning };
  }
}

async function startIfNeeded(
  dir: DataDir,
  writer: Writer,
  start: () => Promise<void>,
): Promise<{ started: boolean; warning?: string }> {
  const known = await currentState(dir);
  if (known !== null && !isWanted(known, writer)) return { started: false };
  // Somebody is to be asked for, or the log has moved on: now the machines are needed.
  const { ControlLog } = await import('../control/control-log.ts');
  const control = await ControlLog.open(dir.journal, writer, dir.controlCheckpoint.read());
  if (control.fold.counts.newer > 0) {
    return {
      started: false,
      warning: 'queued, but the journal is of a newer Breakwater: update this plugin',
    };
  }
  if (!isWanted(control.state, writer)) return { started: false };
  const asked = { type: 'lease.requested', lease: 'drain', forMs: ASKED_MS } as const;
  const lost = { type: 'lease.lost', lease: 'drain', epoch: control.state.drain.context.epoch } as const;
  const recorded = await control.append(...(isHolderGone(control.state) ? [lost, asked] : [asked]));
  if (!recorded.ok) throw new Error(recorded.failure.detail);
  // Of two hooks that ask at once the log knows one: only that one starts a drainer.
  if (recorded.steps.at(-1)?.isVoid !== false) return { started: false };
  await start();
  return { started: true };
}

/** The control state without folding anything; null when there is something to fold. */
async function currentState(dir: DataDir): Promise<ControlState | null> {
  const checked = await checkCheckpoint(dir.journal, 'control', ERA, dir.controlCheckpoint.read());
  if (checked.kind === 'trusted') return checked.isCurrent ? checked.checkpoint.state.control : null;
  return (await dir.journal.size('control')) === 0 ? INITIAL_STATE : null;
}

function isWanted(state: ControlState, writer: Writer): boolean {
  return isDrainerNeeded(state, writer.now(), isHolderGone(state));
}

function isHolderGone({ drain }: ControlState): boolean {
  return drain.value === 'held' && drain.context.holder !== null && isGone(drain.context.holder);
}

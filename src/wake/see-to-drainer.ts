// Whether somebody has to deliver what waits, and who. The log decides: of two that ask at once only one is granted it.

import { ControlLog, gate, isDrainerWanted, isHolderGone } from '../breaker/index.ts';
import { drain } from '../invocation/drainer.ts';
import { saveTails } from '../invocation/save-checkpoints.ts';
import type { World } from '../invocation/world.ts';
import { type Agenda, type AgendaLog, hasWork } from '../queue/agenda.ts';
import { isReconcileDue, RECONCILE_EVERY } from '../reconcile/schedule.ts';

/**
 * - `none`: there is nothing to do, or somebody sees to it
 * - `started`: a drainer is on its way
 * - `here`: this process delivered what it could
 * - `newer`: the journal is of a newer version, which has to do it
 */
export type DrainerStart = 'none' | 'started' | 'here' | 'newer';

/** How a drainer is brought to life; a simulation has processes of its own. */
export interface Drainers {
  /** Stash is process 1 of its container: it reaps no orphans, and each detached process stays a zombie. */
  isStashInit(): boolean;
  /** In a process that outlives this one. `lingerMs`: how long it stays for more after its last job, at least. */
  startDetached(lingerMs?: number): Promise<void>;
}

/** How long after asking for a drainer nobody asks again, in ms: starting Node on a slow NAS takes seconds. */
export const ASKED_MS = 15_000;
/** Where each drainer leaves a zombie behind, one stays as long as it may be needed again, in ms. */
const LINGER_MS = 600_000;

/** `isHurried`: somebody waits for this process. */
export async function seeToDrainer(world: World, log: AgendaLog, isHurried: boolean): Promise<DrainerStart> {
  const { drainers, writer, dir } = world;
  const control = await ControlLog.open(dir.journal, writer, dir.controlCheckpoint.read());
  saveTails(world, control, log);
  if (control.isNewer) return 'newer';
  if (!isDrainerWanted(control.state, writer) || !isWorthwhile(log.agenda, world)) return 'none';
  const isInit = drainers.isStashInit();
  if (!isInit) return (await isGranted(control)) ? started(drainers) : 'none';
  if (!isHurried && gate(control.state, writer.now()).kind !== 'wait') {
    const { stop } = await drain(world, { isImpatient: false, mayWait: false, hasLooked: true });
    if (stop.kind !== 'away') return 'here';
    await control.refresh();
  }
  // A task may not wait for Plex, nor a save for a drain. Somebody has to, or nobody sees Plex come back.
  return isDrainerWanted(control.state, writer) && (await isGranted(control))
    ? started(drainers, LINGER_MS)
    : 'none';
}

/** Of two that ask at once the log knows one. */
async function isGranted(control: ControlLog): Promise<boolean> {
  const asked = { type: 'lease.requested', lease: 'drain', forMs: ASKED_MS } as const;
  const lost = { type: 'lease.lost', lease: 'drain', epoch: control.state.drain.context.epoch } as const;
  const steps = await control.appendOrThrow(...(isHolderGone(control.state) ? [lost, asked] : [asked]));
  return steps.at(-1)?.isVoid === false;
}

async function started(drainers: Drainers, lingerMs?: number): Promise<'started'> {
  await drainers.startDetached(lingerMs);
  return 'started';
}

/** Whether a drainer would find anything to do. */
export function isWorthwhile(agenda: Agenda, { writer }: World): boolean {
  const now = writer.now();
  const given = agenda.settings.reconcile?.value;
  const every = RECONCILE_EVERY.find((one) => one === given) ?? 'daily';
  return (
    hasWork(agenda, now) || agenda.reconciliation.state === 'running' || isReconcileDue(every, agenda, now.at)
  );
}

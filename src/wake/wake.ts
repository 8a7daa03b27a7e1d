// A wake: the short-lived process that Stash starts for us when something has changed. It looks, sees to a drainer, and
// stays for two seconds in all, looking again each second where something changed: what a bulk edit changes meanwhile is
// found by this process, so that there is one in two seconds and not one for each scene.
//
// The order matters: jobs are appended, then the lease is looked at. A drainer appends its release, then looks at the
// jobs. So one of the two always sees the other.

import type { Scope } from '../door/scopes.ts';
import { failed, type TaskResult } from '../invocation/task-result.ts';
import type { World } from '../invocation/world.ts';
import { ANY_CHANGE, look, noteHook } from './look.ts';
import { FIRST_NOTE } from './news.ts';
import { type DrainerStart, seeToDrainer } from './see-to-drainer.ts';

export interface WakeOptions {
  readonly scope: Scope;
  /** When the hook that asked for it ran, by Stash's clock, wall ms; null: no hook did. */
  readonly hookAt: number | null;
  /** It is done beside a busy queue, and the save of a scene waits for it. */
  readonly isBeside: boolean;
}

/** From its start to its last look, in ms. */
export const STAY_MS = 2_000;
const LOOK_EVERY_MS = 1_000;

export async function wake(world: World, { scope, hookAt, isBeside }: WakeOptions): Promise<TaskResult> {
  const startedMs = world.writer.now().mono;
  if (isBeside && !world.drainers.isStashInit()) {
    // It begins with the same look, and the save need not wait for that. Only who was told by a hook knows where to begin.
    const { isFirst } = await noteHook(world, hookAt);
    await world.drainers.startDetached();
    return result(0, 'started', isFirst ? [FIRST_NOTE] : []);
  }
  const first = await look(world, { scope, hookAt, openSecond: isBeside ? 'queue' : 'wait' });
  const drainer = await seeToDrainer(world, first.agenda, isBeside);
  if (first.kind === 'blind') return failed(first.failure.detail, 'stash');
  let { queued } = first;
  const leftMs = () => startedMs + STAY_MS - world.writer.now().mono;
  // Where nothing had changed, whoever asked for this has been seen to, and who comes meanwhile asks for another.
  if (!isBeside && queued === 0) await world.sleep(Math.max(0, leftMs()));
  while (!isBeside && leftMs() > 0) {
    await world.sleep(Math.min(LOOK_EVERY_MS, leftMs()));
    const again = await look(world, { ...ANY_CHANGE, openSecond: 'leave' });
    if (again.kind === 'blind') break;
    queued += again.queued;
    // In the end also where nothing was found: the drainer that there was may have left, because its session in Stash has
    // ended.
    if (again.queued > 0 || leftMs() <= 0) await seeToDrainer(world, again.agenda, false);
  }
  return result(queued, drainer, first.notes);
}

function result(queued: number, drainer: DrainerStart, notes: readonly string[]): TaskResult {
  const warning = drainer === 'newer' ? ['The journal is of a newer Breakwater: update this plugin.'] : [];
  return { isOk: warning.length === 0, lines: [...notes, ...warning], document: { queued, drainer } };
}

// One run: a plan is carried out on a machine, then everything is put right and must come to rest as it should. The
// same plan gives the same run, to the last step: `hash` is of all of them.

import { Acts } from './acts.ts';
import type { Violation } from './invariants.ts';
import { Runaway } from './kernel.ts';
import type { Plan } from './plan.ts';
import { comeToRest } from './rest.ts';
import { Stage } from './stage.ts';

export interface Outcome {
  readonly plan: Plan;
  readonly violation: Violation | null;
  readonly hash: number;
  readonly steps: number;
  readonly virtualMs: number;
  readonly processes: number;
  /** What people changed in Stash. */
  readonly changes: number;
  readonly hooks: Readonly<Record<string, number>>;
  readonly jobsAccepted: number;
  readonly jobsDelivered: number;
  readonly jobsLost: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly looked: Readonly<Record<number, number>>;
}

export async function simulate(plan: Plan, trace: ((line: string) => void) | null = null): Promise<Outcome> {
  const stage = new Stage(plan, trace);
  const acts = new Acts(stage);
  const { kernel, looks, promises } = stage;
  const giveBack = stage.machine.takeOver();
  try {
    for (let number = 1; number <= plan.scenes; number++) {
      stage.stash.found(`${number}`);
      if (!plan.missing.includes(`${number}`)) stage.plex.add(`${number}`);
    }
    for (const act of plan.acts) kernel.at(act.atMs, () => acts.carryOut(act));
    await stage.pass((plan.acts.at(-1)?.atMs ?? 0) + 1);
    await comeToRest(stage, acts);
  } catch (error) {
    if (!(error instanceof Runaway)) throw error;
    looks.at(19, false, () => error.message);
  } finally {
    giveBack();
  }
  return {
    plan,
    violation: looks.violation,
    hash: kernel.hash,
    steps: kernel.steps,
    virtualMs: kernel.nowMs,
    processes: stage.processes.size,
    changes: stage.found.changes,
    hooks: hooksOf(stage),
    jobsAccepted: promises.accepted,
    jobsDelivered: promises.delivered,
    jobsLost: promises.lost,
    faults: { ...stage.faults, kill: kernel.kills },
    looked: looks.looked,
  };
}

function hooksOf({ machines, found }: Stage): Record<string, number> {
  const sum: Record<string, number> = { 'found without one': found.foundUntold };
  for (const { queue } of machines) {
    for (const [outcome, count] of Object.entries(queue.outcomes)) sum[outcome] = (sum[outcome] ?? 0) + count;
  }
  return sum;
}

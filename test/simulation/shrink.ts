// Makes a failing plan smaller: leaves out whatever the same invariant breaks without.

import type { InvariantNumber } from './invariants.ts';
import type { Act, Plan } from './plan.ts';
import { simulate } from './simulation.ts';

/** Runs that a shrinking may take. */
const MAX_RUNS = 400;

export async function shrink(plan: Plan, invariant: InvariantNumber): Promise<Plan> {
  let best = plan;
  let runs = 0;
  const stillFails = async (candidate: Plan): Promise<boolean> => {
    runs += 1;
    const { violation } = await simulate(candidate);
    if (violation?.invariant !== invariant) return false;
    best = candidate;
    return true;
  };
  for (let isSmaller = true; isSmaller && runs < MAX_RUNS; ) {
    isSmaller = false;
    // First halves and quarters, then one by one.
    for (let size = Math.ceil(best.acts.length / 2); size >= 1; size = Math.floor(size / 2)) {
      for (let from = 0; from < best.acts.length && runs < MAX_RUNS; ) {
        const acts = [...best.acts.slice(0, from), ...best.acts.slice(from + size)];
        if (await stillFails({ ...best, acts })) isSmaller = true;
        else from += size;
      }
    }
    for (const simpler of simplerThan(best)) {
      if (runs < MAX_RUNS && (await stillFails(simpler))) isSmaller = true;
    }
  }
  return best;
}

function* simplerThan(plan: Plan): Generator<Plan> {
  if (plan.missing.length > 0) yield { ...plan, missing: [] };
  if (plan.hasCovers) yield { ...plan, hasCovers: false };
  if (plan.isStashInit) yield { ...plan, isStashInit: false };
  if (plan.second !== null) yield { ...plan, second: null };
  if (plan.hookLoss > 0) yield { ...plan, hookLoss: 0 };
  if (plan.scansNewFiles) yield { ...plan, scansNewFiles: false };
  if (plan.reconcilesAtEnd) yield { ...plan, reconcilesAtEnd: false };
  for (const [index, act] of plan.acts.entries()) {
    const simpler = simplerAct(act);
    if (simpler !== null) yield { ...plan, acts: plan.acts.map((one, at) => (at === index ? simpler : one)) };
  }
}

function simplerAct(act: Act): Act | null {
  if (act.does === 'edit' && act.told !== undefined) {
    const { told: _, ...plain } = act;
    return plain;
  }
  if (act.does === 'edit' && act.scenes.length > 1) {
    return { ...act, scenes: act.scenes.slice(0, Math.ceil(act.scenes.length / 2)) };
  }
  if (act.does === 'Plex' && act.faults.length > 1) return { ...act, faults: act.faults.slice(0, 1) };
  return null;
}

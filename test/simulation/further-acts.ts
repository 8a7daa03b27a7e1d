// Acts that came into the simulation later. They are drawn from dice of their own, so that what a seed did before they
// came is still what it does, but for those that have some.

import { Dice } from './dice.ts';
import type { Act, Plan } from './plan.ts';
import { FIRST_NEW } from './stash.ts';

/** A plan with what its seed has of them. */
export function furthered(plan: Plan): Plan {
  const dice = new Dice(plan.seed ^ 0x2545f491);
  const scansNewFiles = dice.chance(0.1);
  const further = scansNewFiles ? newFiles(dice, plan) : [];
  if (further.length === 0) return plan;
  return { ...plan, scansNewFiles, acts: [...plan.acts, ...further].sort((a, b) => a.atMs - b.atMs) };
}

/** When something happens in the plan, or at any time of it. */
function time(dice: Dice, { acts }: Plan): number {
  const lastMs = acts.at(-1)?.atMs ?? 0;
  return dice.chance(0.6) && acts.length > 0 ? dice.pick(acts).atMs : dice.int(lastMs + 5_000);
}

/** Files that are put into two folders, some of them at once. */
function newFiles(dice: Dice, plan: Plan): Act[] {
  let atMs = time(dice, plan);
  return Array.from({ length: dice.between(2, 8) }, (_, index): Act => {
    atMs += dice.pick([20, 60, 400, 5_000, 20_000, 90_000]);
    return { atMs, does: 'new file', scene: `${FIRST_NEW + index}` };
  });
}

// A share of the seeds of `npm test`, in a file of its own so that shares run side by side.

import { expect, test } from 'vitest';
import { INVARIANTS } from './invariants.ts';
import { planOf } from './plan.ts';
import { shrink } from './shrink.ts';
import { simulate } from './simulation.ts';
import { Summary } from './summary.ts';

const SHARES = 4;
const SEEDS = process.env.BREAKWATER_LONG === undefined ? 2_000 : 40_000;

/** `share` counts from 0. */
export function simulateShare(share: number): void {
  test(`seeds ${share} modulo ${SHARES}: no invariant breaks, and everything comes to rest as it should`, async () => {
    const summary = new Summary();
    for (let seed = 1 + share; seed <= SEEDS; seed += SHARES) {
      const outcome = await simulate(planOf(seed));
      summary.add(outcome);
      if (outcome.violation === null) continue;
      const { invariant, detail } = outcome.violation;
      const small = await shrink(outcome.plan, invariant);
      expect.fail(
        `seed ${seed}: invariant ${invariant} (${INVARIANTS[invariant].says}): ${detail}\n` +
          `again: npm run sim -- --seed ${seed} --trace\n` +
          `smaller: npm run sim -- --trace --plan '${JSON.stringify(small)}'`,
      );
    }
    for (const [number, count] of Object.entries(summary.looked)) {
      expect(count, `invariant ${number} was never looked at`).toBeGreaterThan(0);
    }
  }, 3_600_000);
}

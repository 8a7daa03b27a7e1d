// npm run sim: many runs, one seed after another. The first seed that fails is made small and printed with the command
// that repeats it.

import { parseArgs } from 'node:util';
import { INVARIANTS } from './invariants.ts';
import { type Plan, planOf } from './plan.ts';
import { RECORDED } from './recorded-plans.ts';
import { shrink } from './shrink.ts';
import { type Outcome, simulate } from './simulation.ts';
import { Summary } from './summary.ts';

const HELP = `npm run sim -- [--seeds N] [--from SEED] [--seed SEED] [--plan JSON] [--recorded]
            [--trace] [--keep-going] [--no-shrink]
  --seeds N      so many seeds (1000)
  --from SEED    beginning with this one (1)
  --seed SEED    this one only
  --plan JSON    this plan, as a failing run printed it
  --recorded     first the plans that once broke something
  --trace        every step of it
  --keep-going   do not stop at the first failure
  --no-shrink    print a failing plan as it is
`;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    plan: { type: 'string' },
    recorded: { type: 'boolean', default: false },
    trace: { type: 'boolean', default: false },
    'keep-going': { type: 'boolean', default: false },
    'no-shrink': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function* plans(): Generator<Plan> {
  if (values.plan !== undefined) return yield JSON.parse(values.plan) as Plan;
  if (values.recorded) for (const { plan } of RECORDED) yield plan;
  if (values.seed !== undefined) return yield planOf(Number(values.seed));
  for (let index = 0; index < Number(values.seeds); index++) yield planOf(Number(values.from) + index);
}

async function run(): Promise<void> {
  if (values.help) return say(HELP);
  const summary = new Summary();
  for (const plan of plans()) {
    const outcome = await simulate(plan, values.trace ? say : null);
    summary.add(outcome);
    if (outcome.violation === null) continue;
    process.exitCode = 1;
    await tell(outcome);
    if (!values['keep-going']) break;
  }
  for (const line of summary.lines()) say(line);
}

async function tell({ plan, violation }: Outcome): Promise<void> {
  if (violation === null) return;
  const { invariant, detail, atMs } = violation;
  say(
    `FAILED seed ${plan.seed}: invariant ${invariant} (${INVARIANTS[invariant].says}) at ${Math.round(atMs)} ms`,
  );
  say(`  ${detail.slice(0, 2_000)}`);
  say(`  again: npm run sim -- --seed ${plan.seed} --trace`);
  if (values['no-shrink']) return;
  const small = await shrink(plan, invariant);
  say(
    `  smaller (${plan.acts.length} acts to ${small.acts.length}): npm run sim -- --trace --plan '${JSON.stringify(small)}'`,
  );
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

void run();

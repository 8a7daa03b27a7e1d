// That the walk through every order misses nothing: against all orders, one by one, of processes drawn from a seed.

import { expect, test } from 'vitest';
import { seeded } from '../support/seeded.ts';
import { inEveryOrder, Run, type Step } from './interleavings-orders.ts';

const THINGS = ['a', 'b'] as const;

/** Processes that read and write, and what they come to tells in which order those were that touch the same. */
function drawn(seed: number) {
  const random = seeded(seed);
  const step = (): Step & { readonly starts: boolean } => {
    const thing = THINGS[Math.floor(random() * THINGS.length)]!;
    const isWrite = random() < 0.5;
    return { what: thing, reads: [thing], writes: isWrite ? [thing] : [], starts: random() < 0.15 };
  };
  const some = (count: number) => Array.from({ length: count }, step);
  return [some(2), some(2), some(2)];
}

function begin(processes: readonly (readonly (Step & { readonly starts: boolean })[])[], seen: Set<string>) {
  const run = new Run();
  const values: Record<string, string> = { a: '', b: '' };
  const told: string[] = [];
  const start = (name: string, steps: (typeof processes)[number]) =>
    run.start(name, async (turn) => {
      let read = '';
      for (const [index, step] of steps.entries()) {
        await turn(step);
        read += `${values[step.what]};`;
        if (step.writes.length > 0) values[step.what] += `${name}${index}`;
        if (step.starts) start(`${name}>${index}`, [{ ...step, starts: false }]);
      }
      told.push(`${name} ${read}`);
    });
  processes.forEach((steps, index) => {
    start(`${index}`, steps);
  });
  return { run, atEnd: async () => void seen.add(JSON.stringify([values, told.sort()])) };
}

async function oneByOne(processes: ReturnType<typeof drawn>): Promise<{ seen: Set<string>; runs: number }> {
  const seen = new Set<string>();
  let runs = 0;
  const walk = async (prefix: readonly string[]): Promise<void> => {
    const { run, atEnd } = begin(processes, seen);
    for (const name of prefix) await run.take(name);
    const next = [...run.waiting.keys()];
    if (next.length === 0) {
      runs += 1;
      return atEnd();
    }
    for (const name of next) await walk([...prefix, name]);
  };
  await walk([]);
  return { seen, runs };
}

test('it comes to all that any order comes to, in fewer runs', async () => {
  let [all, few] = [0, 0];
  for (let seed = 1; seed <= 15; seed++) {
    const processes = drawn(seed);
    const { seen: expected, runs } = await oneByOne(processes);
    const seen = new Set<string>();
    const orders = await inEveryOrder(async () => begin(processes, seen), 10_000);
    expect([...seen].sort(), `seed ${seed}`).toEqual([...expected].sort());
    all += runs;
    few += orders.runs;
  }
  expect(few).toBeLessThan(all / 2);
}, 120_000);

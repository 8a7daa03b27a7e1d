// That the simulation is able to fail: a few planted bugs, each in a build of its own. All of them: npm run sim:mutants.

import { spawnSync } from 'node:child_process';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { tempDir } from '../support/temp-dir.ts';
import { buildMutant, changedSource } from './mutant-build.ts';
import { MUTANTS } from './mutants.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const SOME = [
  'an append is acknowledged before it is durable',
  'work goes on while the breaker is open',
  'what was delivered is still queued',
];
const SEEDS = '100';

test('there are enough bugs to plant, each with a name of its own and a place that is there exactly once', () => {
  expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
  expect(MUTANTS.length).toBeGreaterThanOrEqual(25);
  for (const mutant of MUTANTS) expect(changedSource(root, mutant).length, mutant.name).toBeGreaterThan(0);
});

test.each(SOME)(
  '%s: is found',
  async (name) => {
    const mutant = MUTANTS.find((one) => one.name === name)!;
    const bundle = path.join(tempDir(), 'mutant.cjs');
    await buildMutant(root, mutant, bundle);
    const run = spawnSync(process.execPath, [bundle, '--seeds', SEEDS, '--no-shrink'], { encoding: 'utf8' });
    expect(run.stdout).toContain('FAILED seed');
    expect(run.status).toBe(1);
  },
  300_000,
);

test('without a bug nothing is found', async () => {
  const bundle = path.join(tempDir(), 'no-mutant.cjs');
  await buildMutant(root, null, bundle);
  const run = spawnSync(process.execPath, [bundle, '--seeds', '20'], { encoding: 'utf8' });
  expect(run.stdout).toContain('20 seeds, 0 failed');
  expect(run.status).toBe(0);
}, 300_000);

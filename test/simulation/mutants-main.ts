// npm run sim:mutants: plants each bug of mutants.ts in a build of its own, and lets the simulation look for it. Prints
// which seed found it, and fails when one was not found.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import { buildMutant } from './mutant-build.ts';
import { MUTANTS, type Mutant } from './mutants.ts';

const AT_ONCE = 2;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '2000' },
    only: { type: 'string', default: '' },
  },
});

/** Which seed found it, and what it saw; null: none. `mutant` null: nothing is planted. */
async function foundBy(root: string, dir: string, mutant: Mutant | null): Promise<string | null> {
  const bundle = path.join(dir, `${mutant === null ? 'none' : MUTANTS.indexOf(mutant)}.cjs`);
  await buildMutant(root, mutant, bundle);
  const args = [bundle, '--seeds', values.seeds, '--recorded', '--no-shrink'];
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, args, { maxBuffer: 1e8 }, (error, stdout, stderr) => {
      const hasCrashed = error !== null && !stdout.includes('FAILED');
      resolve(
        hasCrashed
          ? `FAILED crash: ${stderr.split('\n').find((line) => line.includes('Error')) ?? ''}`
          : stdout,
      );
    });
  });
  const found = /FAILED (.*)/.exec(output)?.[1] ?? null;
  if (found !== null || mutant?.tests === undefined) return found;
  return (await doTestsPass(root, mutant, mutant.tests)) ? null : mutant.tests;
}

function doTestsPass(root: string, mutant: Mutant, tests: string): Promise<boolean> {
  const vitest = path.join(root, 'node_modules/vitest/vitest.mjs');
  const args = [vitest, 'run', '--config', 'test/vitest.config.ts', tests];
  const env = { ...process.env, BREAKWATER_MUTANT: JSON.stringify(mutant) };
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: root, env, maxBuffer: 1e8 }, (error) => resolve(error === null));
  });
}

async function run(): Promise<void> {
  const root = path.join(__dirname, '../..');
  const dir = mkdtempSync(path.join(tmpdir(), 'breakwater-mutants-'));
  const mutants = MUTANTS.filter(({ name, file }) => `${file} ${name}`.includes(values.only));
  const waiting = [...mutants];
  let survived = 0;
  const work = async () => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const found = await foundBy(root, dir, mutant);
      if (found === null) survived += 1;
      process.stdout.write(`${found === null ? 'SURVIVED' : 'found   '}  ${mutant.file}: ${mutant.name}\n`);
      if (found !== null) process.stdout.write(`          by ${found}\n`);
    }
  };
  try {
    const unplanted = await foundBy(root, dir, null);
    if (unplanted !== null) throw new Error(`without any bug planted: ${unplanted}`);
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
  process.stdout.write(
    `${mutants.length} bugs planted, ${mutants.length - survived} found, ${survived} survived\n`,
  );
  if (survived > 0) process.exitCode = 1;
}

void run();

// The simulation with one bug planted in the source, as a bundle of its own.

import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { build } from 'esbuild';
import type { Mutant } from './mutants.ts';

/** Throws when the place to change is not there exactly once. `mutant` null: nothing is changed. */
export async function buildMutant(root: string, mutant: Mutant | null, outfile: string): Promise<void> {
  const changed = mutant === null ? null : changedSource(root, mutant);
  await build({
    entryPoints: [path.join(root, 'test/simulation/main.ts')],
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    outfile,
    absWorkingDir: root,
    logLevel: 'error',
    plugins: [
      {
        name: 'mutant',
        setup: ({ onLoad }) => {
          // The report's page is built where it stands, and no part of the simulation.
          onLoad({ filter: /[\\/]report[\\/]page-assets\.ts$/ }, () => ({
            contents: `export const pageAssets = async () => ({ script: '', styles: '' });`,
          }));
          if (mutant === null || changed === null) return;
          const isMeant = (file: string) => path.relative(root, file).replaceAll('\\', '/') === mutant.file;
          onLoad({ filter: /\.ts$/ }, ({ path: file }) =>
            isMeant(file) ? { contents: changed, loader: 'ts' } : undefined,
          );
        },
      },
    ],
  });
}

export function changedSource(root: string, { name, file, find, replace }: Mutant): string {
  const source = readFileSync(path.join(root, file), 'utf8');
  const parts = source.split(find);
  if (parts.length !== 2) {
    throw new Error(
      `"${name}": its place is ${parts.length - 1} times in ${file}; mutants.ts must follow the source`,
    );
  }
  return parts.join(replace);
}

// The one vitest configuration. `--mode long` runs the same files for longer: more seeds, more edits, more crashes.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// Node 20 parses the bundle that this names at every start: slow, and not ours to test.
delete process.env.NODE_EXTRA_CA_CERTS;

/** A bug that test/simulation/mutants-main.ts has planted, to see whether the tests find it. */
const { BREAKWATER_MUTANT: planted } = process.env;
const mutant = planted === undefined ? null : JSON.parse(planted);

export default defineConfig(({ mode }) => {
  const isLong = mode === 'long';
  return {
    plugins: [
      {
        name: 'mutant',
        enforce: 'pre',
        transform: (code, id) =>
          mutant !== null && id.endsWith(`/${mutant.file}`)
            ? code.split(mutant.find).join(mutant.replace)
            : undefined,
      },
    ],
    test: {
      root: fileURLToPath(new URL('..', import.meta.url)),
      include: ['test/**/*.test.ts'],
      pool: 'forks',
      // By default a machine of two cores works with one.
      maxWorkers: '100%',
      env: isLong ? { BREAKWATER_LONG: '1', BREAKWATER_EDITS: '5000' } : {},
      testTimeout: isLong ? 3_600_000 : 60_000,
      hookTimeout: 60_000,
    },
  };
});

// The one vitest configuration. Long runs use the same files with BREAKWATER_LONG=1.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// Node 20 parses the bundle that this names at every start: slow, and not ours to test.
delete process.env.NODE_EXTRA_CA_CERTS;

export default defineConfig({
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});

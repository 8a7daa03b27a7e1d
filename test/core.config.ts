// The tests of the core alone (machines, journal, control, queue), for what measures the tests themselves:
// `npm run coverage`, which fails below its thresholds, and Stryker (stryker.config.mjs).

import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import type { Reporter, RunnerTestCase, RunnerTestFile, TestModule } from 'vitest/node';

// Node 20 parses the bundle that this names at every start: slow, and not ours to test.
delete process.env.NODE_EXTRA_CA_CERTS;

const GOLDEN = 'test/golden/golden.test.ts';
/** By folder: the tests that must notice when something in it is changed. */
const JUDGES: Readonly<Record<string, readonly string[]>> = {
  machines: ['test/machines', 'test/breaker/control', GOLDEN],
  control: ['test/breaker/control', GOLDEN],
  journal: ['test/breaker/journal'],
  queue: ['test/queue', 'test/wake/news.test.ts'],
};

// Stryker says so to the processes that it starts.
const isMutated = process.env.STRYKER_MUTATOR_WORKER !== undefined;
const judges = JUDGES[process.env.BREAKWATER_MUTATE ?? ''] ?? Object.values(JUDGES).flat();

/**
 * Stryker counts failed tests and nothing else: of a mutant that already fails while a test file is loaded (a machine that
 * cannot be made, a walk that never ends) it would say that it survived. So such a file gets a test that failed.
 */
const failedToLoad: Reporter = {
  onTestModuleEnd({ task: file }: TestModule & { readonly task?: RunnerTestFile }) {
    if (file === undefined || file.tasks.length > 0 || file.result?.state !== 'fail') return;
    const name = 'is loaded';
    const shared = {
      id: `${file.id}_0`,
      fullName: name,
      fullTestName: name,
      timeout: 0,
      annotations: [],
      artifacts: [],
    };
    const context = {} as RunnerTestCase['context'];
    const test: RunnerTestCase = {
      ...shared,
      type: 'test',
      name,
      mode: 'run',
      file,
      suite: file,
      meta: {},
      result: file.result,
      context,
    };
    file.tasks.push(test);
  },
};

/**
 * The least share of its branches that the tests take, in each folder. What no test takes:
 * - `unreachable` at the end of a `switch`, which does not compile while it can be reached
 * - other systems: no O_NOFOLLOW or O_NONBLOCK, no syncing of folders (atomic-file.ts, disk.ts)
 * - what the compiler cannot know to be there: the last of a list that is never empty (memory-journal.ts, chain.ts,
 *   compaction.ts), a count of a state that has one (queue.ts)
 * - a file that is gone between being made and being opened, in one call of ours (segment-images.ts, segment-writer.ts)
 *   or between being listed and being read, where the next one who keeps house looks anew (chain.ts)
 */
const MUST_TAKE = { branches: 95 };

export default defineConfig({
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    include: judges.map((judge) => (judge.endsWith('.ts') ? judge : `${judge}/**/*.test.ts`)),
    exclude: isMutated
      ? [
          // Knows every change of the machines' sources by their digest: it would find all, and prove nothing.
          'test/machines/era.test.ts',
          // Real processes, which run a bundle that knows of no mutant.
          'test/breaker/journal/segment-processes.test.ts',
          'test/breaker/journal/append-lock-processes.test.ts',
        ]
      : [],
    ...(isMutated && { reporters: [failedToLoad] }),
    pool: 'forks',
    testTimeout: 60_000,
    coverage: {
      provider: 'v8',
      include: ['machines/**', 'src/breaker/journal/**', 'src/breaker/control/**', 'src/queue/**'],
      reporter: ['text', 'json'],
      reportsDirectory: 'coverage',
      thresholds: {
        'machines/**': MUST_TAKE,
        'src/breaker/journal/**': MUST_TAKE,
        'src/breaker/control/**': MUST_TAKE,
        'src/queue/**': MUST_TAKE,
      },
    },
  },
});

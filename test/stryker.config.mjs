// Mutation testing of the core: Stryker changes one thing in the code, and some test must fail.
// `npm run mutate` for all of it, `BREAKWATER_MUTATE=machines npm run mutate` for one folder (also control, journal,
// queue): from some minutes to an hour and more, so nothing waits for it.

const FOLDERS = {
  // `era.ts` is one constant that a test compares with the sources.
  machines: ['machines/**/*.ts', '!machines/era.ts'],
  control: ['src/breaker/control/**/*.ts'],
  journal: ['src/breaker/journal/**/*.ts'],
  queue: ['src/queue/**/*.ts'],
};
// Also tells core.config.ts, in the processes that Stryker starts, which tests are to judge.
const folder = process.env.BREAKWATER_MUTATE ?? 'all';
const reports = `reports/mutation/${folder}`;

export default {
  packageManager: 'npm',
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner'],
  vitest: { configFile: 'test/core.config.ts', related: false },
  mutate: FOLDERS[folder] ?? Object.values(FOLDERS).flat(),
  // There is nothing to rewrite in ours, and TypeScript 7 lacks what Stryker would read it with.
  tsconfigFile: 'none',
  coverageAnalysis: 'perTest',
  concurrency: 2,
  // What loops for ever is mostly found by counting; this is for the rest, on a busy machine.
  timeoutMS: 20_000,
  timeoutFactor: 3,
  incremental: true,
  incrementalFile: `${reports}/incremental.json`,
  tempDirName: '.stryker-tmp',
  cleanTempDir: 'always',
  ignorePatterns: ['dist', 'coverage', 'reports'],
  reporters: ['progress-append-only', 'clear-text', 'html', 'json'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  htmlReporter: { fileName: `${reports}/index.html` },
  jsonReporter: { fileName: `${reports}/mutation.json` },
};

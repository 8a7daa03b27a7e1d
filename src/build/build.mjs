// Builds dist/: `plugin/` is what Stash loads, `tools/` is what the npm scripts run.
// The hook's bundle must stay small: an HTTP client in it costs every save in Stash more than all else.
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { buildReportPage } from './report-page.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const isQuiet = process.argv.includes('--quiet');

const PLUGIN = {
  'breakwater.cjs': 'src/plugin/entry.ts',
  'breakwater-start.cjs': 'src/invocation/start-drainer.ts',
  'breakwater-worker.cjs': 'src/worker/worker.ts',
};
const TOOLS = {
  'sim-plex.cjs': 'src/simulators/plex/main.ts',
  'sim-stash.cjs': 'src/simulators/stash/main.ts',
  'demo.cjs': 'src/demo/demo.ts',
  'bench.cjs': 'test/bench/bench.ts',
  'docs.cjs': 'src/build/docs.ts',
  'replay-bench.cjs': 'test/bench/replay.ts',
  'sim.cjs': 'test/simulation/main.ts',
  'sim-mutants.cjs': 'test/simulation/mutants-main.ts',
  'growth.cjs': 'test/bench/growth.ts',
};
/** What a hook may load. */
const FOR_HOOKS = ['breakwater.cjs', 'breakwater-start.cjs'];
/** Where only the definitions of the machines are needed. */
const DEFINITIONS_ONLY = { 'breakwater-start.cjs': { xstate: './src/build/xstate-definitions.ts' } };
/** Bytes; a hook reads and parses all of it each time. */
const MAX_HOOK_BUNDLE = 26 * 1024;

/** The report's page goes into the bundle as two texts: nothing is read later, when an update may have replaced it. */
const page = buildReportPage();
const reportPage = {
  name: 'report-page',
  setup: ({ onLoad }) =>
    onLoad({ filter: /[\\/]src[\\/]report[\\/]page-assets\.ts$/ }, () => ({
      contents: `const assets = ${JSON.stringify(page)};\nexport const pageAssets = async () => assets;\n`,
      loader: 'js',
    })),
};

const common = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  absWorkingDir: root,
  logLevel: 'warning',
  legalComments: 'none',
  charset: 'ascii',
  plugins: [reportPage],
  // It builds mutants; its binary cannot be bundled.
  external: ['esbuild'],
};

mkdirSync(`${root}dist/plugin`, { recursive: true });
mkdirSync(`${root}dist/tools`, { recursive: true });

await Promise.all([
  ...Object.entries(PLUGIN).map(([out, entry]) =>
    bundle(entry, `dist/plugin/${out}`, true, DEFINITIONS_ONLY[out]),
  ),
  ...Object.entries(TOOLS)
    .filter(([, entry]) => existsSync(`${root}${entry}`))
    .map(([out, entry]) => bundle(entry, `dist/tools/${out}`, false)),
]);
checkVersion();
replace('dist/plugin/breakwater.yml', readFileSync(`${root}src/plugin/breakwater.yml`));
replace('dist/plugin/breakwater-inspect.html', await inspectPage());
replace('dist/plugin/LICENSE', readFileSync(`${root}LICENSE`));

const hookBytes = statSync(`${root}dist/plugin/breakwater.cjs`).size;
if (hookBytes > MAX_HOOK_BUNDLE) {
  throw new Error(
    `breakwater.cjs is ${hookBytes} bytes, more than ${MAX_HOOK_BUNDLE}: what did the hook path import?`,
  );
}
if (!isQuiet)
  process.stdout.write(`built dist/plugin (hook ${(hookBytes / 1024).toFixed(0)} kB) and dist/tools\n`);

async function bundle(entry, outfile, minify, alias = {}) {
  const options = { ...common, entryPoints: [entry], outfile, minify, alias };
  const { outputFiles } = await build({ ...options, write: false });
  const [{ text }] = outputFiles;
  replace(outfile, FOR_HOOKS.includes(path.basename(outfile)) ? withPlainBuiltins(text) : text);
}

/** The viewer of `inspect` as one file: no request but for the stream. The worker puts the charts' style into it. */
async function inspectPage() {
  const folder = 'src/inspect/page';
  const script = await build({
    ...common,
    entryPoints: [`${folder}/viewer.ts`],
    platform: 'browser',
    target: 'es2022',
    format: 'iife',
    minify: true,
    write: false,
  });
  const style = await build({ ...common, entryPoints: [`${folder}/page.css`], minify: true, write: false });
  const text = ({ outputFiles: [file] }) => file.text.trim();
  // Nothing in a script may look like its end.
  const code = text(script).replaceAll('</script', '<\\/script');
  return readFileSync(`${root}${folder}/page.html`, 'utf8')
    .replace('/*STYLE*/', () => `/*CHART*/${text(style)}`)
    .replace('/*SCRIPT*/', () => code);
}

/** Whole or not at all: a test, a demo or a Stash may be running from dist/. */
function replace(file, content) {
  const temp = `${root}${file}.${process.pid}.tmp`;
  writeFileSync(temp, content);
  renameSync(temp, `${root}${file}`);
}

/**
 * esbuild copies every export of a built-in into an ES namespace, once for each file that imports it: for
 * node:fs half a millisecond of a hook. Our files use them by name only, so the module itself will do.
 */
function withPlainBuiltins(code) {
  return code.replace(/[\w$]+\(require\("(node:[\w/]+)"\)(, ?1)?\)/g, 'require("$1")');
}

/** The yml is what Stash shows: it may not say another version than the package. */
function checkVersion() {
  const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
  const yml = readFileSync(`${root}src/plugin/breakwater.yml`, 'utf8');
  if (!yml.includes(`\nversion: ${version}\n`)) {
    throw new Error(`src/plugin/breakwater.yml does not say version: ${version}, which package.json does`);
  }
}

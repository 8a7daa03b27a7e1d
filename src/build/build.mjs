// Builds dist/: `plugin/` is what Stash loads, `tools/` is what the npm scripts run.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { noticesOf } from './notices.mjs';
import { buildReportPage } from './report-page.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const isQuiet = process.argv.includes('--quiet');

const PLUGIN = {
  'breakwater.cjs': { entry: 'src/door/entry.ts', target: 'node12', external: ['./breakwater-main.cjs'] },
  'breakwater-main.cjs': { entry: 'src/door/main.ts' },
  // A script without modules, whose last value Stash takes; what is not ES5 does not build.
  'breakwater-hook.js': { entry: 'src/door/hook-main.ts', target: 'es5', format: 'esm', platform: 'neutral' },
};
/** As they are. */
const COPIED = [
  'src/door/breakwater.yml',
  'src/door/breakwater-hooks.yml',
  'src/door/breakwater.sh',
  'src/door/breakwater-no-node.sh',
  'src/door/sh.cmd',
  'LICENSE',
];
const TOOLS = {
  'sim-plex.cjs': 'test/simulators/plex/main.ts',
  'sim-stash.cjs': 'test/simulators/stash/main.ts',
  'demo.cjs': 'test/demo/demo.ts',
  'bench.cjs': 'test/bench/bench.ts',
  'docs.cjs': 'src/build/docs.ts',
  'replay-bench.cjs': 'test/bench/replay.ts',
  'sim.cjs': 'test/simulation/main.ts',
  'sim-mutants.cjs': 'test/simulation/mutants-main.ts',
  'growth.cjs': 'test/bench/growth.ts',
};
/** The report's page goes into the bundle as two texts: nothing is read later, when an update may have replaced it. */
const { metafile: pageMetafile, ...page } = buildReportPage();
const reportPage = {
  name: 'report-page',
  setup: ({ onLoad }) =>
    onLoad({ filter: /[\\/]src[\\/]report[\\/]page-assets\.ts$/ }, () => ({
      contents: `const assets = ${JSON.stringify(page)};\nexport const pageAssets = async () => assets;\n`,
      loader: 'js',
    })),
};
/** See there. HTTP/2 is off, and Node's part for it takes longer to load than the rest of undici. */
const leanUndici = {
  name: 'undici',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /^undici$/ }, () => ({ path: `${root}src/build/undici.cjs` }));
    onLoad({ filter: /[\\/]undici[\\/]lib[\\/]dispatcher[\\/]client-h2\.js$/ }, () => ({ contents: '' }));
  },
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
  metafile: true,
  plugins: [reportPage, leanUndici],
  // It builds mutants; its binary cannot be bundled.
  external: ['esbuild'],
};

/** What is in each part of the plugin, as esbuild tells it. */
const shipped = [pageMetafile];

mkdirSync(`${root}dist/plugin`, { recursive: true });
mkdirSync(`${root}dist/tools`, { recursive: true });

await Promise.all([
  ...Object.entries(PLUGIN).map(async ([out, { entry, ...options }]) => {
    shipped.push(await bundle(entry, `dist/plugin/${out}`, { minify: true, ...options }));
  }),
  ...Object.entries(TOOLS)
    .filter(([, entry]) => existsSync(`${root}${entry}`))
    .map(([out, entry]) => bundle(entry, `dist/tools/${out}`)),
]);
checkVersions();
for (const file of COPIED) replace(`dist/plugin/${path.basename(file)}`, readFileSync(`${root}${file}`));
replace('dist/plugin/breakwater-inspect.html', await inspectPage());
replace('dist/plugin/THIRD-PARTY-NOTICES.txt', noticesOf(shipped, root));
if (!isQuiet) process.stdout.write('built dist/plugin and dist/tools\n');

async function bundle(entry, outfile, options = {}) {
  const built = await build({ ...common, ...options, entryPoints: [entry], outfile, write: false });
  replace(outfile, built.outputFiles[0].contents);
  return built.metafile;
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
  shipped.push(script.metafile, style.metafile);
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

/** The ymls are what Stash shows: they may not say another version than the package. */
function checkVersions() {
  const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
  for (const file of COPIED.filter((name) => name.endsWith('.yml'))) {
    if (readFileSync(`${root}${file}`, 'utf8').includes(`\nversion: ${version}\n`)) continue;
    throw new Error(`${file} does not say version: ${version}, which package.json does`);
  }
}

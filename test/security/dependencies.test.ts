// Few dependencies, each pinned, none with a script that runs at installation but the one that is known, under licences that
// let the bundle be given away; and what ships is only what is declared. Known flaws in them are looked up with
// `npm audit`, which needs a network and so is no test.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

interface Locked {
  readonly version: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly optional?: boolean;
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const lock = JSON.parse(readFileSync(`${root}package-lock.json`, 'utf8')) as {
  packages: Record<string, Locked>;
};
const manifest = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
};
const packages = Object.entries(lock.packages).filter(([path]) => path !== '');
/** What comes with the plugin, with what that needs itself. */
const shipped = packages
  .filter(([, { dev, devOptional, optional }]) => !dev && !devOptional && !optional)
  .map(([path]) => path.replace('node_modules/', ''));

const PERMISSIVE = /^(MIT|ISC|0BSD|BSD-[23]-Clause|Apache-2\.0|BlueOak-1\.0\.0|MIT OR Apache-2\.0)$/;
/** Only for building and testing: data, and a parser of styles that is not changed or given away. */
const DEVELOPMENT_ONLY = /^(MPL-2\.0|CC-BY-4\.0)$/;
/** Nine of them stand behind the sender of the Stately inspector; the inspect page carries what it uses of them. */
const MAX_SHIPPED = 21;

test('one package runs a script when it is installed: esbuild, which looks for its binary', () => {
  const running = packages
    .filter(([, { hasInstallScript }]) => hasInstallScript === true)
    .map(([path]) => path);
  expect(running.filter((path) => !/(^|\/)(esbuild|fsevents)$/.test(path))).toEqual([]);
  const atInstall = ['preinstall', 'install', 'postinstall', 'prepare'];
  expect(Object.keys(manifest.scripts).filter((name) => atInstall.includes(name))).toEqual([]);
});

test('every package is pinned to one content', () => {
  for (const [path, { version, integrity }] of packages) {
    expect(version, path).toMatch(/^\d+\.\d+\.\d+/);
    expect(integrity, path).toMatch(/^sha512-/);
  }
});

test('the licences allow what is done', () => {
  for (const [path, { license, dev, devOptional, optional }] of packages) {
    const isShipped = !dev && !devOptional && !optional;
    const isFine = PERMISSIVE.test(license ?? '') || (!isShipped && DEVELOPMENT_ONLY.test(license ?? ''));
    expect(isFine, `${path} is under ${license}`).toBe(true);
  }
});

test(`at most ${MAX_SHIPPED} packages come with the plugin, those that it names and what they need`, () => {
  expect(shipped).toEqual(expect.arrayContaining(Object.keys(manifest.dependencies)));
  expect(shipped.length, shipped.join(', ')).toBeLessThanOrEqual(MAX_SHIPPED);
});

test.each(['src/door/entry.ts', 'src/door/main.ts', 'src/door/hook-main.ts'])(
  'the bundle of %s holds nothing else',
  async (entry) => {
    const { metafile } = await build({
      absWorkingDir: root,
      entryPoints: [entry],
      bundle: true,
      platform: 'node',
      format: 'cjs',
      external: ['./breakwater-main.cjs'],
      metafile: true,
      write: false,
      outdir: 'nowhere',
      logLevel: 'error',
    });
    const inside = Object.keys(metafile.inputs).flatMap(
      (file) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? [],
    );
    expect([...new Set(inside)].filter((name) => !shipped.includes(name))).toEqual([]);
    const own = Object.keys(metafile.inputs).filter((file) => !file.includes('node_modules'));
    expect(own.filter((file) => file.startsWith('test/'))).toEqual([]);
  },
);

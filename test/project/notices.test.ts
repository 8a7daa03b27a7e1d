// What ships names the packages that are in it, with the texts of their licences: held against what esbuild finds in a build
// of its own, and against the licences as they are in the packages.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { tempDir } from '../support/temp-dir.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const NOTICES: string = new URL('../../src/build/notices.mjs', import.meta.url).href;
const { noticesOf } = (await import(NOTICES)) as {
  noticesOf(metafiles: readonly object[], root: string): string;
};
const shipped = readFileSync(path.join(root, 'dist/plugin/THIRD-PARTY-NOTICES.txt'), 'utf8');
const named = [...shipped.matchAll(/^(\S+) (\d+\.\d+\.\d+\S*) \((.+)\)$/gm)].map(([, name]) => name);

test('every package that is in the plugin is named once, with its licence, and no other', async () => {
  const inside = [
    ...(await packagesIn('node', 'src/door/main.ts')),
    ...(await packagesIn('browser', 'src/report/page/page.ts', 'src/inspect/page/viewer.ts')),
  ];
  expect(named.length).toBeGreaterThan(5);
  expect([...new Set(inside)].sort()).toEqual([...named].sort());
});

async function packagesIn(platform: 'node' | 'browser', ...entryPoints: string[]): Promise<string[]> {
  const { metafile } = await build({
    entryPoints,
    absWorkingDir: root,
    bundle: true,
    platform,
    format: 'esm',
    external: ['esbuild'],
    metafile: true,
    write: false,
    outdir: 'nowhere',
    logLevel: 'error',
  });
  return Object.values(metafile.outputs)
    .flatMap(({ inputs }) => Object.entries(inputs))
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .flatMap(([file]) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []);
}

test('each notice is the text that the package has', () => {
  for (const name of named) {
    const licence = ['LICENSE', 'LICENSE.md'].map((file) =>
      path.join(root, 'node_modules', name ?? '', file),
    );
    const texts = licence.flatMap((file) => {
      try {
        return [readFileSync(file, 'utf8').trim()];
      } catch {
        return [];
      }
    });
    // One package of all comes without a text.
    expect(texts, name).toHaveLength(name === 'partysocket' ? 0 : 1);
    expect(shipped).toContain(texts[0] ?? `${name} 0.0.25 (ISC)`);
  }
});

test('a package without a licence stops the build', () => {
  const dir = tempDir();
  const folder = path.join(dir, 'node_modules/secret');
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), '{"name":"secret","version":"1.0.0"}');
  const inputs = { 'node_modules/secret/index.js': { bytesInOutput: 1 } };
  expect(() => noticesOf([{ outputs: { 'a.js': { inputs } } }], dir)).toThrow(/secret says no licence/);
});

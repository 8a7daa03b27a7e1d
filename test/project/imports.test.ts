// Imports point one way, so that the circuit breaker could be published without Plex, and a hook stays cheap.

import * as path from 'node:path';
import { expect, test } from 'vitest';
import { filesIn, textOf } from './files.ts';

/** Folder → the folders that it may import from, besides itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  machines: [],
  'src/breaker': ['machines'],
  'src/queue': ['machines', 'src/breaker'],
  'src/outages': ['machines', 'src/breaker'],
  'src/backtest': ['machines', 'src/breaker', 'src/queue', 'src/outages'],
  'src/export': [
    'machines',
    'src/breaker',
    'src/queue',
    'src/outages',
    // How the words of others leave us.
    'src/cli',
    // Closed lists of theirs: what may be told of a log.
    'src/plex',
    'src/sync',
  ],
  'src/chart': ['machines'],
  'src/history': ['machines', 'src/breaker', 'src/queue'],
  'src/doctor': ['machines', 'src/breaker', 'src/queue', 'src/history'],
  'src/schemas': ['machines'],
  'src/inspect': ['machines', 'src/chart', 'src/cli', 'src/breaker', 'src/outages'],
  'src/http': [],
  'src/plex': ['machines', 'src/breaker', 'src/http'],
  'src/stash': ['src/http', 'src/queue'],
  'src/sync': ['src/plex', 'src/stash', 'src/queue'],
  'src/reconcile': ['machines', 'src/plex', 'src/stash', 'src/queue', 'src/sync'],
  'src/settings': ['machines', 'src/sync', 'src/reconcile', 'src/queue'],
  'src/cli': [
    'machines',
    'src/chart',
    'src/breaker',
    'src/queue',
    'src/outages',
    'src/history',
    'src/doctor',
    'src/reconcile',
    'src/sync',
    'src/backtest',
  ],
  'src/report': ['machines', 'src/chart', 'src/breaker', 'src/queue', 'src/outages', 'src/cli'],
};

const sources = filesIn(['machines', 'src'], /\.ts$/);

test.each(Object.keys(MAY_IMPORT))('%s imports only what it may', (folder) => {
  const allowed = [folder, ...(MAY_IMPORT[folder] ?? [])];
  const wrong = sources
    .filter((file) => file.startsWith(`${folder}/`))
    .flatMap((file) => importsOf(file).map((target) => ({ file, target })))
    .filter(({ target }) => !allowed.some((prefix) => target.startsWith(`${prefix}/`)));
  expect(wrong).toEqual([]);
});

test('of the breaker the rest knows what its index gives', () => {
  const wrong = sources
    .filter((file) => file.startsWith('src/') && !file.startsWith('src/breaker/'))
    .flatMap((file) => importsOf(file).map((target) => ({ file, target })))
    .filter(({ target }) => target.startsWith('src/breaker/') && target !== 'src/breaker/index.ts');
  expect(wrong).toEqual([]);
});

test('the breaker knows neither Plex nor Stash, and no name of this product', () => {
  const words = /\b(plex|stash|scene|breakwater)/i;
  const files = sources.filter((file) => /^(machines|src\/breaker)\//.test(file));
  const told = files.flatMap((file) =>
    textOf(file)
      .split('\n')
      .filter((line) => words.test(line))
      .map((line) => `${file}: ${line.trim()}`),
  );
  expect(told).toEqual([]);
});

test('what runs in a browser takes nothing with it but words and shapes', () => {
  const page = sources.filter((file) => file.startsWith('src/report/page/'));
  const targets = page
    .flatMap((file) => valuesFrom(file))
    .filter((file) => !file.startsWith('src/report/page/'));
  expect([...new Set(targets)].sort()).toEqual([
    'src/cli/format.ts',
    'src/report/columns.ts',
    'src/report/report-data.ts',
  ]);
});

test('nothing in the product imports what never ships', () => {
  expect(sources.flatMap(importsOf).filter((target) => target.startsWith('test/'))).toEqual([]);
});

test('how a journal is stored is known where it is stored, and who opens it names the adapter', () => {
  const openers = ['src/breaker/index.ts', 'src/invocation/data-dir.ts', 'src/worker/process-world.ts'];
  for (const file of sources.filter((name) => !name.startsWith('src/breaker/'))) {
    const code = textOf(file);
    expect(code, file).not.toMatch(/\.ndjson|statfsSync/);
    if (!openers.includes(file)) expect(code, file).not.toMatch(/File(Journal|Segments)\b/);
  }
});

test('machines are pure: no clock, no dice, no timers, no effects', () => {
  for (const file of sources.filter((name) => name.startsWith('machines/'))) {
    const code = textOf(file).replace(/\/\/.*$|\/\*[\s\S]*?\*\//gm, '');
    expect(code, file).not.toMatch(
      /Date\.|Math\.random|setTimeout|performance|process\.|\bafter:|\binvoke:|node:/,
    );
  }
});

test('nobody but the shell reads the clock or throws dice', () => {
  const shell = /^src\/(door\/hook-main|breaker\/process|breaker\/journal\/atomic-file|worker|http)/;
  for (const file of sources.filter((name) => !shell.test(name))) {
    expect(textOf(file), file).not.toMatch(/Date\.now|Math\.random\(|performance\.now/);
  }
});

test('the hook imports nothing but its scopes, and what Stash loads first nothing but the version of Node', () => {
  expect(importsOf('src/door/hook-main.ts')).toEqual(['src/door/hook.ts']);
  expect(importsOf('src/door/hook.ts')).toEqual(['src/door/scopes.ts']);
  expect(importsOf('src/door/scopes.ts')).toEqual([]);
  expect(importsOf('src/door/entry.ts')).toEqual(['src/door/node-version.ts']);
  expect(importsOf('src/door/node-version.ts')).toEqual([]);
});

/** The files that one imports more than types from. */
function valuesFrom(file: string): string[] {
  const code = textOf(file);
  const kept = code.replace(/import type [\s\S]*? from '[^']+';/g, '');
  return [...kept.matchAll(/from '(\.[^']+)'/g)].map(([, target]) =>
    path.posix.join(path.posix.dirname(file), target ?? ''),
  );
}

/** The files that one imports, relative to the root; packages are left out. */
function importsOf(file: string): string[] {
  const code = textOf(file);
  return [...code.matchAll(/from '(\.[^']+)'/g)].map(([, target]) =>
    path.posix.join(path.posix.dirname(file), target ?? ''),
  );
}

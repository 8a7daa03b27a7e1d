// A closed list that grows does not compile until each place that must know says what it makes of the new word. Shown by the
// compiler itself, on a copy of the sources: the files that it names are these and no others.

import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FAILURE_CLASSES } from '../../machines/failure-classes.ts';
import { BODY_ROWS, NETWORK_ROWS, STATUS_ROWS } from '../../src/plex/failures.ts';
import { readSettings } from '../../src/settings/settings.ts';
import { digestOf } from '../../src/sync/digest.ts';
import { FIELD_NAMES } from '../../src/sync/fields.ts';
import { wantedOf } from '../../src/sync/wanted.ts';
import { sceneWith } from '../support/stash-scenes.ts';
import { removeDir } from '../support/temp-dir.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** `line` is put in front of `before`, which is there once. */
interface Addition {
  readonly file: string;
  readonly before: string;
  readonly line: string;
}

const CLASSES = 'machines/failure-classes.ts';
const ITEM = 'src/plex/plex-item.ts';
const FIELDS = 'src/sync/fields.ts';

const NEW_CLASS = [{ file: CLASSES, before: "'rejected',\n]", line: "'postponed'," }];
const NEW_SCALAR = [{ file: ITEM, before: "'userRating',\n]", line: "'titleSort'," }];
const WHOLE_FIELD = [
  ...NEW_SCALAR,
  { file: FIELDS, before: "userRating: 'rating',", line: "titleSort: 'sortTitle'," },
  { file: FIELDS, before: "rating: 'on',", line: "sortTitle: 'off'," },
  { file: 'src/sync/wanted.ts', before: 'userRating: scene', line: 'titleSort: cleanLine(scene.title),' },
  { file: 'src/reconcile/gaps.ts', before: 'userRating: true,', line: 'titleSort: true,' },
];

interface Program {
  readonly readSettings: typeof readSettings;
  readonly digestOf: typeof digestOf;
  readonly wantedOf: typeof wantedOf;
}

interface Case {
  readonly additions: readonly Addition[];
  /** The files that no longer compile. */
  readonly named: readonly string[];
}

const CASES: Readonly<Record<string, Case>> = {
  'a failure class without a row': { additions: NEW_CLASS, named: [CLASSES] },
  'a failure class that wants something new to become of its job': {
    additions: [
      ...NEW_CLASS,
      { file: CLASSES, before: "'missing' | 'rejected';", line: "'postponed' |" },
      {
        file: CLASSES,
        before: 'rejected: { job',
        line: "postponed: { job: 'postponed', breaker: 'nothing', probe: 'outage', hold: 'config' },",
      },
    ],
    named: ['src/invocation/outcome.ts'],
  },
  'a scalar of Plex without a field': {
    additions: NEW_SCALAR,
    named: ['src/reconcile/gaps.ts', FIELDS, 'src/sync/wanted.ts'],
  },
  'a kind of tag and a picture without a field': {
    additions: [
      { file: ITEM, before: "'label'] as const", line: "'mood'," },
      { file: ITEM, before: "'art'] as const", line: "'clearLogo'," },
    ],
    named: ['src/plex/plex-client.ts', ITEM, FIELDS, 'src/sync/wanted.ts'],
  },
  'a field that is told everywhere': { additions: WHOLE_FIELD, named: [] },
};

/** On a machine that does other things as well. */
const COMPILE_MS = 120_000;

const folder = mkdtempSync(path.join(tmpdir(), 'breakwater-closed-lists-'));
afterAll(() => removeDir(folder));
const copyOf = (name: string) => path.join(folder, name);

const compiled = new Map<string, string>();
beforeAll(async () => {
  const names = Object.keys(CASES);
  const outputs = await Promise.all(names.map((name) => compile(copyOf(name), CASES[name]!.additions)));
  for (const [index, name] of names.entries()) compiled.set(name, outputs[index]!);
}, COMPILE_MS);

describe('the compiler names each place that must know', () => {
  test.each(Object.entries(CASES))('%s', (name, { named }) => {
    const output = compiled.get(name)!;
    const files = [...output.matchAll(/^(\S+)\(\d+,\d+\): error /gm)].map(([, file]) => file);
    expect([...new Set(files)].sort(), output).toEqual([...named].sort());
    if (named.length === 0) expect(output).toBe('');
  });
});

test('a field that is told everywhere can be set by its name, and changes no digest while it is off', async () => {
  const scene = sceneWith({ title: 'A title', tags: ['one'] });
  const there = await programOf(copyOf('a field that is told everywhere'));
  const digestWith = ({ readSettings, digestOf, wantedOf }: Program, fields: string) => {
    const read = readSettings({ plexUrl: 'http://127.0.0.1:32400', plexToken: 'a-token', fields }, {});
    if (!read.ok) throw new Error(JSON.stringify(read.problems));
    expect(read.problems).toEqual([]);
    return digestOf(wantedOf(scene, read.settings.sync), read.settings.sync);
  };
  const before = digestWith({ readSettings, digestOf, wantedOf }, 'rating: off');
  expect(digestWith(there, 'rating: off')).toBe(before);
  expect(digestWith(there, 'rating: off, SortTitle: on')).not.toBe(before);
});

test('every failure class is made by a symptom', () => {
  const rows = [...Object.values(NETWORK_ROWS), ...STATUS_ROWS, ...Object.values(BODY_ROWS)];
  expect(new Set(rows.map((row) => row.class))).toEqual(new Set(FAILURE_CLASSES));
});

test('the README names every field', () => {
  const readme = readFileSync(path.join(root, 'README.md'), 'utf8').replace(/\s+/g, ' ');
  const all = `${FIELD_NAMES.slice(0, -1).join(', ')} and ${FIELD_NAMES.at(-1)}`;
  expect(readme).toContain(`**Fields** are ${all}.`);
});

/** What the compiler says of a copy with so much added. */
function compile(copy: string, additions: readonly Addition[]): Promise<string> {
  for (const name of ['machines', 'src', 'package.json', 'tsconfig.json']) {
    cpSync(path.join(root, name), path.join(copy, name), { recursive: true });
  }
  symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'), 'junction');
  for (const { file, before, line } of additions) {
    const code = readFileSync(path.join(copy, file), 'utf8');
    expect(code.split(before), `"${before}" in ${file}`).toHaveLength(2);
    writeFileSync(path.join(copy, file), code.replace(before, `${line}\n${before}`));
  }
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  // There are as many compilers as there are cases.
  const options = ['--noEmit', '--pretty', 'false', '--singleThreaded', '-p', copy];
  return new Promise((resolve) =>
    execFile(process.execPath, [tsc, ...options], { cwd: copy }, (_, stdout, stderr) =>
      resolve(`${stdout}${stderr}`),
    ),
  );
}

/** The sources of a copy, with what was added to them. */
async function programOf(copy: string): Promise<Program> {
  const outfile = path.join(copy, 'program.mjs');
  await build({
    stdin: {
      resolveDir: copy,
      contents: `
        export { readSettings } from './src/settings/settings.ts';
        export { digestOf } from './src/sync/digest.ts';
        export { wantedOf } from './src/sync/wanted.ts';`,
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile,
  });
  return import(pathToFileURL(outfile).href);
}

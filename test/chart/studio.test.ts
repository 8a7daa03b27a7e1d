// `machines/*.ts` open in Stately Studio as they are: it reads one file with `setup(…).createMachine({…})`,
// whose configuration is plain data, and knows nothing of our folders.

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { DRAWN, DRAWN_NAMES } from '../../src/chart/machines.ts';

const folder = new URL('../../machines/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.ts'));
const sourceOf = (name: string) => readFileSync(new URL(name, folder), 'utf8');
const machineFiles = files.filter((name) => sourceOf(name).includes('createMachine('));

test('each machine has a file of its own name, and each is drawn', () => {
  expect(machineFiles.map((name) => name.replace(/\.ts$/, '')).sort()).toEqual([...DRAWN_NAMES].sort());
});

test.each(files)('%s imports only xstate and what is beside it', (name) => {
  const targets = [...sourceOf(name).matchAll(/\bfrom '([^']+)'/g)].map(([, target]) => target ?? '');
  expect(targets.filter((target) => target !== 'xstate' && !/^\.\/[\w-]+\.ts$/.test(target))).toEqual([]);
});

describe.each(DRAWN_NAMES)('%s', (name) => {
  const { config, implementations } = DRAWN[name];

  test('is one setup().createMachine() with its name as id', () => {
    const code = sourceOf(`${name}.ts`);
    expect(code.match(/createMachine\(/g)).toHaveLength(1);
    expect(code).toMatch(/= setup\(\{[\s\S]+\}\)\.createMachine\(\{\n {2}id: '/);
    expect(config.id).toBe(name);
  });

  test('its configuration is plain data, without timers and actors', () => {
    expect(JSON.parse(JSON.stringify(config))).toEqual(config);
    expect(JSON.stringify(config)).not.toMatch(/"(?:after|invoke|always|entry|exit)":/);
  });

  test('every guard and action that it names is in its setup', () => {
    const named = (field: string) =>
      [...JSON.stringify(config).matchAll(new RegExp(`"${field}":("[^"]+"|\\[[^\\]]+\\])`, 'g'))].flatMap(
        ([, value]) => [JSON.parse(value ?? '""') as string | string[]].flat(),
      );
    expect(Object.keys(implementations.guards)).toEqual(expect.arrayContaining(named('guard')));
    expect(Object.keys(implementations.actions)).toEqual(expect.arrayContaining(named('actions')));
  });
});

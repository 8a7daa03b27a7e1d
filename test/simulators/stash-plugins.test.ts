// Which plugins load. Stash is strict: what it does not know keeps the whole plugin out.
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startStashSimulator } from './stash/server.ts';
import { atEnd, startStash, tempDir, texts } from './stash-fixture.ts';

const FULL = `name: Full
# requires: another
description: d
url: https://example.invalid/
version: 1.0
interface: raw
errLog: debug
tasks:
  - { name: T, description: d, execArgs: [a], defaultArgs: { k: "v" } }
hooks:
  - { name: H, description: d, triggeredBy: [Scene.Create.Post, Not.A.Trigger], execArgs: [b], defaultArgs: { k: v } }
settings:
  plexUrl: { type: STRING, displayName: Plex, description: where }
  batchSize: { type: NUMBER }
ui: { requires: [x], javascript: [a.js], css: [a.css], assets: { /: www }, csp: { connect-src: ['http://x'] } }
`;

async function loaded(version = 'v0.25.1', files: Readonly<Record<string, string>> = {}) {
  const root = tempDir();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const sim = await startStashSimulator({ plugins: root, version });
  atEnd(() => sim.close());
  const { plugins } = await sim.graphql(
    '{ plugins { id name version description tasks { name } hooks { hooks } } }',
  );
  return {
    sim,
    root,
    plugins,
    ids: plugins.map((plugin: { id: string }) => plugin.id),
    errors: texts(sim, 'error'),
  };
}

test('every key Stash knows is accepted, and version 1.0 is text', async () => {
  const { plugins, errors, sim } = await loaded('v0.25.1', { 'full.yml': FULL });
  expect(errors).toEqual([]);
  expect(plugins).toEqual([
    {
      id: 'full',
      name: 'Full',
      version: '1.0',
      description: 'd',
      tasks: [{ name: 'T' }],
      hooks: [{ hooks: ['Scene.Create.Post', 'Not.A.Trigger'] }],
    },
  ]);
  const { plugins: more } = await sim.graphql(
    '{ plugins { requires enabled settings { name type display_name } } }',
  );
  expect(more).toEqual([
    {
      requires: ['x'],
      enabled: true,
      settings: [
        { name: 'batchSize', type: 'NUMBER', display_name: '' },
        { name: 'plexUrl', type: 'STRING', display_name: 'Plex' },
      ],
    },
  ]);
});

test.each([
  ['an unknown key', 'name: x\nunknown: 1\n', 'field unknown not found'],
  ['an unknown key of a task', 'name: x\ntasks: [{ name: t, hidden: true }]\n', 'field hidden not found'],
  ['an unknown key of a hook', 'name: x\nhooks: [{ name: h, hooks: [] }]\n', 'field hooks not found'],
  ['an unknown setting key', 'name: x\nsettings: { a: { default: 1 } }\n', 'field default not found'],
  ['an unknown setting type', 'name: x\nsettings: { a: { type: TEXT } }\n', 'invalid setting type'],
  ['an unknown ui key', 'name: x\nui: { html: [a] }\n', 'field html not found'],
  ['an unknown interface', 'name: x\ninterface: grpc\n', 'invalid interface'],
  ['a key twice', 'name: x\nname: y\n', 'unique'],
  ['nothing', '', 'EOF'],
  ['no yaml', 'name: [x\n', 'yaml'],
  ['a list', '- a\n', 'not a map'],
])('%s keeps the plugin out, and only it', async (_, yml, reason) => {
  const { ids, errors } = await loaded('v0.25.1', { 'a.yml': yml, 'b.yml': 'name: B\n' });
  expect(ids).toEqual(['b']);
  expect(errors).toHaveLength(1);
  expect(errors[0]).toContain('Error loading plugin');
  expect(errors[0]).toContain(reason);
});

test('settings keep a plugin out before v0.24', async () => {
  const { ids, errors } = await loaded('v0.22.1', { 'a.yml': 'name: x\nsettings: {}\n' });
  expect([ids, errors.length]).toEqual([[], 1]);
});

test('every .yml at every depth is a plugin, the first of an id wins, and .yaml is none', async () => {
  const { ids, errors } = await loaded('v0.25.1', {
    'a/deep/er/one.yml': 'name: One\n',
    'b/ONE.yml': 'name: Other\n',
    'c/ci.yml': 'on: push\n',
    'c/two.yaml': 'name: Two\n',
    'c/noname.yml': 'exec: [x]\n',
  });
  expect(ids).toEqual(['one', 'noname']);
  expect(errors.map((line) => line.replace(/.*plugin \S+: /, ''))).toEqual([
    'plugin ID ONE already exists',
    expect.stringContaining('field on not found'),
  ]);
});

test('a symlinked folder is followed, and a reload sees what is new', async () => {
  const { sim, root } = await loaded('v0.25.1');
  const elsewhere = tempDir();
  writeFileSync(join(elsewhere, 'linked.yml'), 'name: L\n');
  symlinkSync(elsewhere, join(root, 'link'));
  await sim.graphql('mutation { reloadPlugins }');
  expect(await sim.graphql('{ plugins { id } }')).toEqual({ plugins: [{ id: 'linked' }] });
});

test('exec is looked up in PATH and else in the plugin folder', async () => {
  const sim = await startStash({ own: { exec: '[own.sh, "{pluginDir}"]' } });
  await expect(sim.runOperation('own')).rejects.toThrow('ENOENT');
  const { configuration } = await sim.graphql('{ configuration { general { pluginsPath } } }');
  const folder = join(configuration.general.pluginsPath, 'own');
  const script = join(folder, 'own.sh');
  writeFileSync(script, '#!/bin/sh\nprintf %s "$1"\n');
  chmodSync(script, 0o755);
  expect(await sim.runOperation('own')).toBe(folder);
});

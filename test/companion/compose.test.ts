// The compose file in the README is what a newcomer copies: it says what the code does, and its companion runs.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import { LiveWorld, PLUGIN_DIR, spawnAndRead, until } from '../support/live-world.ts';

interface Service {
  readonly image: string;
  readonly user?: string;
  readonly command?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const [, block = ''] = /```yaml\n(services:[\s\S]*?)```/.exec(readFileSync(`${root}README.md`, 'utf8')) ?? [];
const { services } = parse(block) as { services: { stash: Service; breakwater: Service } };
const { stash, breakwater } = services;
const environment = breakwater.environment ?? {};

test('there is a Stash, and beside it a Node that is new enough', () => {
  expect(Object.keys(services)).toEqual(['stash', 'breakwater']);
  expect(Number(/^node:(\d+)-alpine$/.exec(breakwater.image)?.[1])).toBeGreaterThanOrEqual(20);
  expect(breakwater.user).toBe(stash.user);
});

test("both see Stash's folder at one path, and the plugin and the data folder are in it", () => {
  const [shared = ''] = breakwater.volumes;
  expect(stash.volumes).toContain(shared);
  const [, inside = ''] = shared.split(':');
  // As it is called where Stash runs (src/door/input.ts, data-dir.ts), and so by the launcher.
  expect(environment.BREAKWATER_DATA).toBe(`${inside}/breakwater`);
  for (const words of [breakwater.command?.split(' '), breakwater.healthcheck?.test.slice(1)]) {
    expect(words?.slice(0, 2)).toEqual(['node', `${inside}/plugins/breakwater/breakwater.cjs`]);
  }
});

test('each variable is one that the code reads', () => {
  const sources = readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(`${root}src/${file}`, 'utf8'))
    .join('\n');
  for (const name of Object.keys(environment)) {
    expect(sources, name).toMatch(new RegExp(`env\\.${name}\\b|VARIABLE = '${name}'`));
  }
});

let world: LiveWorld | null = null;
let companion: ChildProcess | null = null;
afterEach(async () => {
  companion?.kill('SIGKILL');
  await world?.close();
});

test('its command delivers, and its health check tells when it does', async () => {
  world = await LiveWorld.start({ scenes: 1 });
  const config = world.root;
  mkdirSync(path.join(config, 'plugins'));
  symlinkSync(PLUGIN_DIR, path.join(config, 'plugins/breakwater'));
  const here = (text: string) => text.replaceAll('/root/.stash', config);
  const named = Object.entries(environment).map(([name, value]) => [name, here(value)]);
  const env = { ...process.env, ...Object.fromEntries(named), STASH_URL: world.stash.url, STASH_API_KEY: '' };
  const check = async () => {
    const [, command = '', ...words] = breakwater.healthcheck?.test.map(here) ?? [];
    return (await spawnAndRead(command, words, env)).code;
  };
  expect(await check()).toBe(1);
  const [command = '', ...words] = here(breakwater.command ?? '').split(' ');
  companion = spawn(command, words, { env, stdio: 'ignore' });
  await until('it is healthy', async () => (await check()) === 0);
  await until('it has looked once', async () => (await world!.queue()).looked.upTo > 0);
  Object.assign(world.stash.db.scenes()[0]!, { title: 'from compose', updatedAt: Date.now() });
  await until('it is delivered', () => world?.title(1) === 'from compose');
});

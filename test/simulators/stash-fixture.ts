// A simulated Stash with small plugins written for one test, and the means to wait for what they do.
// A plugin's script is the body of an async function of `input`, the document it read on stdin.
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { removeDir } from '../support/temp-dir.ts';
import {
  type PluginRun,
  type StashSimulator,
  type StashSimulatorOptions,
  startStashSimulator,
} from './stash/server.ts';

const PATIENCE_MS = 15_000;
const LOOK_EVERY_MS = 5;

const PREFACE = `
const fs = require('node:fs');
const http = require('node:http');
const post = (input, query, variables) => new Promise((resolve, reject) => {
  const { Host, Port, SessionCookie } = input.server_connection;
  const headers = { 'content-type': 'application/json', cookie: 'session=' + SessionCookie.Value };
  const request = http.request({ host: Host, port: Port, path: '/graphql', method: 'POST', headers }, (response) => {
    let text = '';
    response.on('data', (chunk) => { text += chunk; });
    response.on('end', () => resolve({ status: response.statusCode, body: text === '' ? null : JSON.parse(text) }));
  });
  request.on('error', reject);
  request.end(JSON.stringify({ query, variables }));
});
const log = (level, text) => fs.writeSync(2, '\\x01' + level + '\\x02' + text + '\\n');
const answer = (value) => fs.writeSync(1, JSON.stringify(value));
const forever = () => new Promise(() => setInterval(() => {}, 1000));
`;

export const ALL_HOOKS = ['Scene', 'Performer', 'Studio', 'Tag', 'Movie', 'Group'].flatMap((type) =>
  ['Create', 'Update', 'Destroy'].map((verb) => `${type}.${verb}.Post`),
);

export interface TestPlugin {
  readonly script?: string;
  readonly hooks?: readonly string[];
  /** More yml, put after what is made here. */
  readonly yml?: string;
  /** A whole script for `interface: js`, instead of a process. */
  readonly js?: string;
  /** Instead of node and the script. */
  readonly exec?: string;
}

const ends: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

export function atEnd(end: () => Promise<void> | void): void {
  ends.push(end);
}

export function tempDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'stash-test-'));
  atEnd(() => removeDir(dir));
  return dir;
}

/** One folder a plugin, named as the plugin. */
export function writePlugins(plugins: Readonly<Record<string, TestPlugin>>): string {
  const root = tempDir();
  for (const [id, plugin] of Object.entries(plugins)) {
    const dir = join(root, id);
    mkdirSync(dir);
    const body = `(async (input) => {\n${plugin.script ?? ''}\n})(JSON.parse(fs.readFileSync(0, 'utf8')));`;
    writeFileSync(join(dir, 'plugin.cjs'), PREFACE + body);
    if (plugin.js !== undefined) writeFileSync(join(dir, 'plugin.js'), plugin.js);
    const process = '[node, "{pluginDir}/plugin.cjs"]';
    const exec = plugin.exec ?? (plugin.js === undefined ? process : '[plugin.js]\ninterface: js');
    const hooks = plugin.hooks?.length
      ? `hooks:\n  - name: h\n    triggeredBy: [${plugin.hooks.join(', ')}]\n`
      : '';
    writeFileSync(join(dir, `${id}.yml`), `name: Plugin ${id}\nexec: ${exec}\n${hooks}${plugin.yml ?? ''}`);
  }
  return root;
}

export async function startStash(
  plugins: Readonly<Record<string, TestPlugin>> = {},
  options: StashSimulatorOptions = {},
): Promise<StashSimulator> {
  const sim = await startStashSimulator({ plugins: writePlugins(plugins), ...options });
  atEnd(() => sim.close());
  return sim;
}

export async function until(what: string, isTrue: () => boolean): Promise<void> {
  const givesUpAt = Date.now() + PATIENCE_MS;
  while (!isTrue()) {
    if (Date.now() > givesUpAt) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

export async function ended(sim: StashSimulator, count: number): Promise<PluginRun[]> {
  await until(`${count} ended runs`, () => sim.runs.filter((run) => run.endedAt !== null).length >= count);
  return sim.runs;
}

export function texts(sim: StashSimulator, level: string): string[] {
  return sim.log.filter((line) => line.level === level).map((line) => line.text);
}

/** As a stranger would ask, over a connection of its own. */
export function ask(sim: StashSimulator, query: string, init: RequestInit & { variables?: object } = {}) {
  const { variables, headers, ...rest } = init;
  return fetch(`${sim.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close', ...(headers as object) },
    body: JSON.stringify({ query, variables }),
    ...rest,
  });
}

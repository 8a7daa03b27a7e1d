// Where the demo plays: both simulators on free loopback ports, the plugin folder as the build left it, and a
// temporary folder for everything that is written. Whatever happens, `close` leaves no process and no port.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, relative } from 'node:path';
import { performance } from 'node:perf_hooks';
import { type PlexSimulator, startPlexSimulator } from '../simulators/plex/server.ts';
import { type StashSimulator, startStashSimulator } from '../simulators/stash/server.ts';
import { type Companion, startCompanion, withoutNode } from './companion.ts';

export interface Stage {
  readonly plex: PlexSimulator;
  readonly stash: StashSimulator;
  /** The built plugin, and its version as Stash read it. */
  readonly plugin: { readonly dir: string; readonly version: string };
  /** Does the work where Stash finds no Node; null: Stash has one. */
  readonly companion: Companion | null;
  /** Holds all that is written. */
  readonly dir: string;
  /** Breakwater's data dir: the journal. */
  readonly data: string;
  close(isKept: boolean): Promise<void>;
}

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export const VIDEOS = 40;
export const PLUGIN_ID = 'breakwater';
const MAIN_FILE = 'breakwater.cjs';
const BASELINE_RUNS = 5;
const COMMAND_LIMIT_MS = 15_000;

/** What a person may have set for a Breakwater of their own must not reach into the demo. */
const CLEAN_ENV = {
  BREAKWATER_DATA: '',
  BREAKWATER_STASH: '',
  PLEX_URL: '',
  PLEX_TOKEN: '',
  PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ''}`,
};

/** `hasCompanion`: Stash finds no Node, and a companion beside it does the work. */
export async function setStage(pluginDir: string, hasCompanion: boolean): Promise<Stage> {
  if (!existsSync(join(pluginDir, `${PLUGIN_ID}.yml`))) {
    throw new Error(`there is no built plugin in ${pluginDir}: run "npm run demo", which builds it`);
  }
  const dir = mkdtempSync(join(tmpdir(), 'breakwater-demo-'));
  const ends: (() => Promise<void>)[] = [];
  const close = async (isKept: boolean): Promise<void> => {
    for (const end of ends.splice(0).reverse()) await end();
    if (!isKept) rmSync(dir, { recursive: true, force: true });
  };
  try {
    const plex = await startPlexSimulator({ items: VIDEOS });
    ends.push(() => plex.close());
    const stashDir = join(dir, 'stash');
    const bare = hasCompanion ? withoutNode(pluginDir, dir) : null;
    const stash = await startStashSimulator({
      version: 'v0.30.1',
      scenes: VIDEOS,
      plugins: bare?.plugins ?? pluginDir,
      dir: stashDir,
      env: bare === null ? CLEAN_ENV : { ...CLEAN_ENV, PATH: bare.path },
    });
    ends.push(() => stash.close());
    const data = join(stashDir, PLUGIN_ID);
    const companion = hasCompanion ? await startCompanion(pluginDir, data, stash.url) : null;
    if (companion !== null) ends.push(() => companion.end());
    const version = await versionOfPlugin(stash, pluginDir);
    stash.configurePlugin(PLUGIN_ID, { plexUrl: plex.url, plexToken: plex.token, recoveryTimeout: 1 });
    return { plex, stash, plugin: { dir: pluginDir, version }, companion, dir, data, close };
  } catch (error) {
    await close(false);
    throw error;
  }
}

/** Breakwater's own command line, as a person would use it on this data dir. */
export function breakwater(
  { plugin, data }: Stage,
  verb: string,
  ...flags: string[]
): Promise<CommandResult> {
  return run([join(plugin.dir, MAIN_FILE), verb, ...flags, '--data', data]);
}

/** The same, as a person would type it. */
export function commandLine({ plugin }: Stage, verb: string, data: string): string {
  const path = relative(process.cwd(), join(plugin.dir, MAIN_FILE));
  return `node ${path} ${verb} --data ${data}`;
}

/** What Node itself takes to start and end, in ms: the median of a few runs. */
export async function nodeStartMs(): Promise<number> {
  const tookMs: number[] = [];
  for (let index = 0; index < BASELINE_RUNS; index += 1) {
    const startedMs = performance.now();
    await run(['-e', '0']);
    tookMs.push(performance.now() - startedMs);
  }
  return tookMs.sort((a, b) => a - b)[Math.floor(BASELINE_RUNS / 2)] ?? 0;
}

function run(args: readonly string[]): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      env: { ...process.env, ...CLEAN_ENV },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: COMMAND_LIMIT_MS,
    });
    const said = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => {
      said.stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      said.stderr += chunk;
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ exitCode: code ?? 1, ...said }));
  });
}

async function versionOfPlugin(stash: StashSimulator, pluginDir: string): Promise<string> {
  const { plugins } = (await stash.graphql('{ plugins { id version } }')) as {
    plugins: { id: string; version: string | null }[];
  };
  const found = plugins.find(({ id }) => id === PLUGIN_ID);
  if (found === undefined) {
    const why = stash.log.map(({ text }) => text).join('; ');
    throw new Error(`Stash did not load the plugin from ${pluginDir}: ${why}`);
  }
  return found.version ?? '';
}

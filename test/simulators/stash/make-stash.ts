// Puts one simulated Stash together, and takes its process apart: what dies with it, and what has to be
// ended by force because a simulator, unlike Stash, must leave nothing behind.
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Auth } from './auth.ts';
import { StashDatabase } from './database.ts';
import { type GraphqlEngine, makeGraphql, makeSchema } from './graphql.ts';
import { JobQueue } from './jobs.ts';
import type { LogLevel, StashLogLine } from './log.ts';
import { loadPlugins } from './plugins.ts';
import { startThreadsAhead } from './script-pool.ts';
import type { StashSimulatorOptions } from './server.ts';
import { PluginSettings } from './settings.ts';
import type { Stash } from './stash.ts';
import { Clock } from './time.ts';
import { featuresOf } from './versions.ts';

/** One runs while the other tidies up. */
const SCRIPT_THREADS_AHEAD = 2;

/** Of the scenes that are made at the start. */
const AGE_MS = 30 * 86_400_000;

export function makeStash(options: StashSimulatorOptions, dir: string, host: string, port: number): Stash {
  const features = featuresOf(options.version ?? 'v0.25.1');
  const lines: StashLogLine[] = [];
  const log = (level: LogLevel, plugin: string, text: string): void => {
    const line = { at: Date.now(), level, plugin, text };
    lines.push(line);
    options.onLog?.(line);
  };
  const pluginsPath = options.plugins === undefined ? undefined : resolve(options.plugins);
  const { username, password, apiKey, maxSessionAgeS = 3600 } = options;
  const root = options.root ?? '/media/scenes';
  const clock = new Clock(options.zone ?? options.env?.TZ);
  const db = new StashDatabase(clock);
  let graphql: GraphqlEngine;
  const stash: Stash = {
    features,
    clock,
    schema: makeSchema(features),
    get graphql() {
      graphql ??= makeGraphql(stash);
      return graphql;
    },
    auth: new Auth({ username, password, apiKey, maxSessionAgeS }, features, () => clock.now()),
    db,
    settings: new PluginSettings(features),
    jobs: new JobQueue(features, () => clock.exact()),
    plugins: [],
    disabledPlugins: new Set(),
    log,
    lines,
    runs: [],
    children: new Set(),
    scripts: new Set(),
    life: new AbortController(),
    suppressHooks: options.suppressHooks ?? null,
    env: { ...process.env, ...options.env },
    place: {
      host,
      port,
      dir,
      pluginsPath: pluginsPath ?? join(dir, 'plugins'),
      root,
      apiKey: apiKey ?? '',
      parallelTasks: options.parallelTasks ?? 1,
    },
    reloadPlugins: () => {
      stash.plugins = loadPlugins(pluginsPath, features, log);
      if (stash.plugins.some((plugin) => plugin.interface === 'js')) startThreadsAhead(SCRIPT_THREADS_AHEAD);
    },
  };
  stash.reloadPlugins();
  for (let n = 1; n <= (options.scenes ?? 0); n += 1) {
    const scene = db.addScene({ files: [`${root}/clip ${n}.mp4`] });
    // They were there before whoever looks at this library now.
    scene.updatedAt -= AGE_MS;
  }
  return stash;
}

/** What dies with Stash's process: scripts, what they wait for, and the queue. */
export function endLife(stash: Stash): void {
  stash.life.abort();
  stash.jobs.restart();
  for (const kill of [...stash.scripts]) kill();
}

/** Stash's own stays; where there is none, one is needed only so that the folder looks like Stash's. */
export function writeConfig(dir: string, host: string): void {
  try {
    writeFileSync(join(dir, 'config.yml'), `host: ${host}\n`, { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Stash would leave a running task's process behind; a simulator must not. */
export async function endChildren(stash: Stash): Promise<void> {
  const ends = [...stash.children].map((child) => {
    const end = new Promise<void>((ended) => child.once('close', () => ended()));
    child.kill('SIGKILL');
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
    return end;
  });
  await Promise.all(ends);
}

// The whole thing for a test: both simulators on free ports and the built plugin, loaded as Stash would load
// it, with a data dir of its own. Nothing here is a mock: hooks and drainers are real processes.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ControlLog } from '../../src/breaker/control/control-log.ts';
import type { Step } from '../../src/breaker/control/replay.ts';
import { readAll } from '../../src/breaker/journal/journal.ts';
import type { JournalRecord } from '../../src/breaker/journal/record.ts';
import { isGone, processWriter } from '../../src/breaker/process.ts';
import { openDataDir } from '../../src/invocation/data-dir.ts';
import { QueueLog } from '../../src/queue/queue-log.ts';
import { type PlexSimulator, startPlexSimulator } from '../simulators/plex/server.ts';
import { type StashSimulator, startStashSimulator } from '../simulators/stash/server.ts';
import { removeDir } from './temp-dir.ts';

export const PLUGIN_DIR = fileURLToPath(new URL('../../dist/plugin', import.meta.url));
export const BUNDLE = path.join(PLUGIN_DIR, 'breakwater.cjs');

/** Looks like a token and is searched for in everything that a run leaves behind. */
export const TOKEN = 'canary-T0kEn-7f3a9c';

export interface WorldOptions {
  readonly scenes: number;
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  readonly stashVersion?: string;
  readonly apiKey?: string;
}

export class LiveWorld {
  readonly plex: PlexSimulator;
  readonly stash: StashSimulator;
  readonly root: string;

  private constructor(plex: PlexSimulator, stash: StashSimulator, root: string) {
    this.plex = plex;
    this.stash = stash;
    this.root = root;
  }

  static async start({ scenes, settings, stashVersion, apiKey }: WorldOptions): Promise<LiveWorld> {
    const root = mkdtempSync(path.join(tmpdir(), 'breakwater-world-'));
    const plex = await startPlexSimulator({ token: TOKEN, items: scenes });
    const stash = await startStashSimulator({
      plugins: PLUGIN_DIR,
      dir: root,
      scenes,
      version: stashVersion ?? 'v0.30.1',
      ...(apiKey === undefined ? {} : { apiKey }),
    });
    stash.configurePlugin('breakwater', {
      plexUrl: plex.url,
      plexToken: TOKEN,
      recoveryTimeout: 1,
      ...settings,
    });
    return new LiveWorld(plex, stash, root);
  }

  get data(): string {
    return path.join(this.root, 'breakwater');
  }

  title(scene: number): string | undefined {
    return this.plex.library.byRatingKey(String(1000 + scene))?.fields.title;
  }

  /** The control stream as it is now, folded from the beginning. */
  async steps(): Promise<Step[]> {
    const steps: Step[] = [];
    await this.#closing(async (dir) => {
      await ControlLog.open(dir.journal, processWriter('cli'), null, (step) => steps.push(step));
    });
    return steps;
  }

  control() {
    return controlIn(this.data);
  }

  async queue() {
    return this.#closing(async (dir) => (await QueueLog.open(dir.journal, processWriter('cli'))).queue);
  }

  async queueRecords(): Promise<JournalRecord[]> {
    return this.#closing(async (dir) => {
      const records: JournalRecord[] = [];
      for await (const entry of readAll(dir.journal, 'queue')) {
        if (entry.kind === 'record') records.push(entry.record);
      }
      return records;
    });
  }

  /** Runs the built command line to its end. */
  cli(...words: string[]) {
    const env = { ...process.env, STASH_URL: this.stash.url, NO_COLOR: '1' };
    return spawnAndRead(process.execPath, [BUNDLE, ...words, '--data', this.data], env);
  }

  killDrainer(): Promise<number | null> {
    return killDrainerOf(this.data);
  }

  /** Everything that was left behind, as text: for looking for secrets. */
  remains(): string {
    const files = readdirSync(this.root, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    const texts = files.map((file) => readFileSync(path.join(file.parentPath, file.name), 'latin1'));
    return [
      ...texts,
      ...this.stash.log.map(({ text }) => text),
      ...this.stash.runs.map(({ stdout }) => stdout),
    ].join('\n');
  }

  /** How things stand, for who has waited in vain. */
  account(): string {
    const recorded = readdirSync(this.data)
      .filter((name) => name.endsWith('.ndjson'))
      .map((name) => `${name}:\n${readFileSync(path.join(this.data, name), 'utf8').slice(-6_000)}`);
    const runs = this.stash.runs.map((run) => JSON.stringify({ ...run, stdin: undefined }));
    const log = this.stash.log.map(({ level, text }) => `${level} ${text}`);
    const asked = this.plex.requests.map(({ method, path: where }) => `${method} ${where}`);
    return [...recorded, 'runs:', ...runs, 'log of Stash:', ...log, 'asked of Plex:', ...asked].join('\n');
  }

  async close(): Promise<void> {
    const { drain } = await this.control().catch(() => ({ drain: null }));
    await this.stash.close();
    await this.plex.close();
    if (drain?.value === 'held') await this.killDrainer();
    removeDir(this.root);
  }

  #closing<T>(use: (dir: DataDir) => Promise<T>): Promise<T> {
    return closing(this.data, use);
  }
}

/** Kills the drainer that holds the lease, if there is one. Its process id, or null. */
export async function killDrainerOf(data: string): Promise<number | null> {
  const { drain } = await controlIn(data);
  if (drain.value !== 'held' || drain.context.holder === null) return null;
  // Its number may be that of another process by now, of another test.
  if (isGone(drain.context.holder, drain.context.ends?.from)) return null;
  try {
    process.kill(drain.context.holder.pid, 'SIGKILL');
    return drain.context.holder.pid;
  } catch {
    return null;
  }
}

function controlIn(data: string) {
  return closing(
    data,
    async (dir) =>
      (await ControlLog.open(dir.journal, processWriter('cli'), dir.controlCheckpoint.read())).state,
  );
}

type DataDir = ReturnType<typeof openDataDir>;

async function closing<T>(data: string, use: (dir: DataDir) => Promise<T>): Promise<T> {
  const dir = openDataDir(data);
  try {
    return await use(dir);
  } finally {
    dir.journal.close();
  }
}

/** Looks until it holds. No sleeping for a length of time: only between two looks. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  patienceMs = 30_000,
): Promise<void> {
  const endAt = performance.now() + patienceMs;
  while (!(await holds())) {
    if (performance.now() > endAt) throw new Error(`waited ${patienceMs} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A child's whole life, without blocking: the simulators live in this process. */
export function spawnAndRead(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  input?: string | Buffer,
): Promise<Ended> {
  const child: ChildProcess = spawn(command, [...args], { env });
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk) => {
    stdout += String(chunk);
  });
  child.stderr?.on('data', (chunk) => {
    stderr += String(chunk);
  });
  child.stdin?.on('error', () => {});
  child.stdin?.end(input ?? '');
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

// The Stash simulator: a Stash on a loopback port that runs real plugins in real processes. This is its
// public face; what it imitates was measured on a real v0.30.1, or read in Stash's source. It must never outlive
// `close`: no port, no process and no folder of its own stays behind.
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { askGraphql } from './client.ts';
import type { StashDatabase } from './database.ts';
import { type Fault, FaultList } from './faults.ts';
import { handle, type RequestLine } from './http.ts';
import type { JobStatus } from './jobs.ts';
import { Listener } from './listener.ts';
import type { StashLogLine } from './log.ts';
import { endChildren, endLife, makeStash, writeConfig } from './make-stash.ts';
import type { PluginRun } from './run.ts';
import type { SettingValues } from './settings.ts';
import type { SuppressHooks } from './stash.ts';

export type { NewEntity, NewScene } from './database.ts';
export { StashDatabase } from './database.ts';
export type { Fault } from './faults.ts';
export type { RequestLine } from './http.ts';
export type { StashLogLine } from './log.ts';
export type { Entity, Scene, VideoFile } from './records.ts';
export type { PluginRun, ProcessRun, ScriptRun } from './run.ts';
export type { SuppressHooks } from './stash.ts';

export interface StashSimulatorOptions {
  /** Default: a free one. */
  readonly port?: number;
  /** Default 127.0.0.1. Also sent to plugins as it is, so 0.0.0.0 is what they get for 0.0.0.0. */
  readonly host?: string;
  /** Folder searched for *.yml, at every depth. */
  readonly plugins?: string;
  /** Given to plugins as Dir. Default: a new folder, removed on close. */
  readonly dir?: string;
  /** Any of these three closes the server to who does not log in. */
  readonly username?: string;
  readonly password?: string;
  readonly apiKey?: string;
  /** How many scenes to make: scene n has the file `${root}/clip ${n}.mp4`, no title, and is a month old. Default 0. */
  readonly scenes?: number;
  /** Default /media/scenes. */
  readonly root?: string;
  /** Default v0.25.1. Decides which fields and arguments exist. */
  readonly version?: string;
  /** The server's zone, like America/New_York. Default: TZ of `env`, else this process's own. */
  readonly zone?: string;
  /** Hooks to lose from the start; see `StashSimulator.suppressHooks`. */
  readonly suppressHooks?: SuppressHooks;
  /** Added to the environment plugins inherit. */
  readonly env?: Readonly<Record<string, string>>;
  /** How long a session cookie is good for. Default 3600 s. */
  readonly maxSessionAgeS?: number;
  /** Scan workers, so hooks of a scan that run at once. Default 1. */
  readonly parallelTasks?: number;
  readonly onLog?: (line: StashLogLine) => void;
}

export interface JobResult {
  readonly id: string;
  /** FINISHED also for a plugin that failed, as in Stash. */
  readonly status: JobStatus;
  readonly description: string;
  readonly progress: number;
  /** What the plugin printed; null for a job that was stopped or could not start. */
  readonly output: unknown;
  readonly error: string | null;
}

export interface StashSimulator {
  readonly url: string;
  readonly port: number;
  readonly dir: string;
  readonly db: StashDatabase;
  readonly log: StashLogLine[];
  readonly runs: PluginRun[];
  /** Never a cookie, a key or a query string. */
  readonly requests: RequestLine[];
  /** As the admin, over the socket, spared by faults but `down`. Gives `data`; throws the first error's message. */
  // biome-ignore lint/suspicious/noExplicitAny: what comes back is what was asked for
  graphql(query: string, variables?: object): Promise<any>;
  /** sceneUpdate with its hooks. Gives how long the mutation took, in milliseconds. */
  updateScene(id: number | string, input: object): Promise<number>;
  configurePlugin(pluginId: string, settings: SettingValues): void;
  /** Resolves when the job has ended. */
  runTask(pluginId: string, taskName: string, args?: object): Promise<JobResult>;
  // biome-ignore lint/suspicious/noExplicitAny: a plugin's output is its own
  runOperation(pluginId: string, args?: object): Promise<any>;
  /** Puts the files on the simulated disk and scans. Resolves when the scan and its hooks have ended. */
  scan(files?: readonly string[]): Promise<JobResult>;
  /** Resolves when the queue is empty. */
  idle(): Promise<void>;
  setPluginEnabled(pluginId: string, isEnabled: boolean): void;
  /** Takes an event's hooks away from all plugins where the function says so; null loses none any more. */
  suppressHooks(test: SuppressHooks | null): void;
  /** Sets the server's clock forward, or back: its rows, jobs, sessions and Date headers. */
  stepClock(ms: number): void;
  /**
   * Ends Stash's process and starts another on the same port: connections are cut, hooks in flight and
   * scripts die, all jobs are forgotten and their ids begin again. The process of a running task lives on
   * as an orphan (until `close`). `whileDown` runs between the two. Library, settings and sessions stay.
   */
  restart(whileDown?: () => Promise<void> | void): Promise<void>;
  addFault(fault: Fault): string;
  clearFaults(): void;
  close(): Promise<void>;
}

export async function startStashSimulator(options: StashSimulatorOptions = {}): Promise<StashSimulator> {
  const server = createServer();
  const { host = '127.0.0.1' } = options;
  const listener = new Listener(server, host);
  const ownDir = options.dir === undefined ? mkdtempSync(join(tmpdir(), 'stash-simulator-')) : undefined;
  const dir = ownDir ?? resolve(options.dir!);
  mkdirSync(dir, { recursive: true });
  writeConfig(dir, host);
  const port = await listener.open(options.port ?? 0);
  const stash = makeStash(options, dir, host, port);
  const faults = new FaultList((isDown) => listener.setDown(isDown));
  const requests: RequestLine[] = [];
  const adminToken = randomBytes(16).toString('hex');
  const face = { stash, graphql: stash.graphql, faults, requests, adminToken };
  server.on('request', (request, response) => {
    handle(face, request, response).catch((error: Error) => {
      stash.log('error', '', `request failed: ${error.message}`);
      response.destroy();
    });
  });

  const connectHost = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host;
  const url = `http://${connectHost}:${port}`;
  // biome-ignore lint/suspicious/noExplicitAny: see StashSimulator.graphql
  const graphql = async (query: string, variables: object = {}): Promise<any> => {
    await listener.settled();
    return askGraphql(url, adminToken, query, variables);
  };
  const finishedJob = async (id: number): Promise<JobResult> => {
    await stash.jobs.whenEnded(id);
    const job = stash.jobs.find(id);
    if (job === undefined) throw new Error(`job ${id} is not known any more`);
    const { status, description, progress, result } = job;
    const said = { output: result?.output ?? null, error: result?.error ?? job.error };
    return { id: String(id), status, description, progress, ...said };
  };

  return {
    url,
    port,
    dir,
    db: stash.db,
    log: stash.lines,
    runs: stash.runs,
    requests,
    graphql,
    async updateScene(id, input) {
      const startedMs = performance.now();
      const variables = { input: { id: String(id), ...input } };
      await graphql('mutation($input: SceneUpdateInput!) { sceneUpdate(input: $input) { id } }', variables);
      return performance.now() - startedMs;
    },
    configurePlugin(pluginId, settings) {
      stash.settings.configure(pluginId, settings);
    },
    async runTask(pluginId, taskName, args = {}) {
      const mutation = stash.features.operations ? RUN_TASK : RUN_TASK_BEFORE_V25;
      const list = Object.entries(args).map(([key, value]) => ({ key, value: { str: String(value) } }));
      const variables = { id: pluginId, name: taskName, args: stash.features.operations ? args : list };
      const data = await graphql(mutation, variables);
      return finishedJob(stash.features.jobIds ? Number(data.runPluginTask) : stash.jobs.lastId);
    },
    async runOperation(pluginId, args = {}) {
      const mutation = 'mutation($id: ID!, $args: Map) { runPluginOperation(plugin_id: $id, args: $args) }';
      return (await graphql(mutation, { id: pluginId, args })).runPluginOperation;
    },
    async scan(files = []) {
      for (const path of files) stash.db.putOnDisk(path);
      return finishedJob(Number((await graphql('mutation { metadataScan(input: {}) }')).metadataScan));
    },
    idle: () => stash.jobs.whenIdle(),
    setPluginEnabled(pluginId, isEnabled) {
      if (isEnabled) stash.disabledPlugins.delete(pluginId);
      else stash.disabledPlugins.add(pluginId);
    },
    suppressHooks(test) {
      stash.suppressHooks = test;
    },
    stepClock: (ms) => stash.clock.step(ms),
    async restart(whileDown) {
      const wasDown = faults.isDown;
      listener.setDown(true);
      endLife(stash);
      stash.life = new AbortController();
      await whileDown?.();
      stash.reloadPlugins();
      if (!wasDown) listener.setDown(false);
      await listener.settled();
    },
    addFault: (fault) => faults.add(fault),
    clearFaults: () => faults.clear(),
    async close() {
      faults.clear();
      stash.jobs.close();
      await listener.close();
      endLife(stash);
      await endChildren(stash);
      if (ownDir !== undefined) rmSync(ownDir, { recursive: true, force: true });
    },
  };
}

const RUN_TASK = `mutation($id: ID!, $name: String, $args: Map) {
  runPluginTask(plugin_id: $id, task_name: $name, args_map: $args)
}`;
const RUN_TASK_BEFORE_V25 = `mutation($id: ID!, $name: String!, $args: [PluginArgInput!]) {
  runPluginTask(plugin_id: $id, task_name: $name, args: $args)
}`;

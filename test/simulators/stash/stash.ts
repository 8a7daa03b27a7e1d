// What the parts of one simulated Stash share: the library, its plugins, the queue, the log and the list
// of plugin processes, and who is asking. server.ts makes one; nothing here listens on a socket.
import type { ChildProcess } from 'node:child_process';
import type { GraphQLSchema } from 'graphql';
import type { Auth, Visited } from './auth.ts';
import type { StashDatabase } from './database.ts';
import type { GraphqlEngine } from './graphql.ts';
import type { JobQueue } from './jobs.ts';
import type { LogLine, StashLogLine } from './log.ts';
import type { Plugin } from './plugins.ts';
import type { PluginRun } from './run.ts';
import type { PluginSettings } from './settings.ts';
import type { Clock } from './time.ts';
import type { Features } from './versions.ts';

export interface Stash {
  readonly features: Features;
  readonly clock: Clock;
  readonly schema: GraphQLSchema;
  readonly graphql: GraphqlEngine;
  readonly auth: Auth;
  readonly db: StashDatabase;
  readonly settings: PluginSettings;
  readonly jobs: JobQueue;
  plugins: Plugin[];
  readonly disabledPlugins: Set<string>;
  readonly log: LogLine;
  readonly lines: StashLogLine[];
  readonly runs: PluginRun[];
  /** Processes that still run. Those that outlive `close` are killed. */
  readonly children: Set<ChildProcess>;
  /** The same for scripts, as what ends each. */
  readonly scripts: Set<() => void>;
  /** Aborted when this process of Stash ends; a restart makes another. */
  life: AbortController;
  /** Takes the hooks of an event away where it says so, as if they had been lost. */
  suppressHooks: SuppressHooks | null;
  readonly env: NodeJS.ProcessEnv;
  readonly place: Place;
  readonly reloadPlugins: () => void;
}

/** `id` is that of the scene, tag or whatever the trigger names. */
export type SuppressHooks = (trigger: string, id: number) => boolean;

export interface Place {
  readonly host: string;
  readonly port: number;
  /** The folder of config.yml. */
  readonly dir: string;
  readonly pluginsPath: string;
  /** Library folders. */
  readonly root: string;
  readonly apiKey: string;
  readonly parallelTasks: number;
}

/** Who asks, and how long they stay. A job keeps the user and the visited list, not the client's patience. */
export interface Asker {
  readonly user: string;
  readonly visited: readonly Visited[];
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
  /** From the Host header: every address in an answer starts with it. */
  readonly base: string;
}

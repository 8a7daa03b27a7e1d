// The three ways Stash runs a plugin: hooks after a mutation, tasks through the queue, operations at once.
// Hooks are strictly one after another and the mutation's answer waits for them; they are lossy on
// purpose: a client that leaves, or an earlier plugin that cannot start, and later hooks never run.

import { type JobControl, STASH_ENDED } from './jobs.ts';
import type { LogLevel } from './log.ts';
import { commandOf, hooksFor, type Plugin, scriptOf } from './plugins.ts';
import { type PluginRun, type RunAbout, type Started, startRun } from './run.ts';
import { scriptInput } from './script-input.ts';
import { startScript } from './script-run.ts';
import type { Asker, Stash } from './stash.ts';
import { type HookContext, type PluginArgs, stdinDocument } from './stdin.ts';
import type { Operation } from './yml.ts';

export async function executeHooks(stash: Stash, asker: Asker, context: HookContext): Promise<void> {
  const failure = await hookFailure(stash, asker, context);
  if (failure !== undefined) stash.log('error', '', `error executing post hooks: ${failure}`);
}

async function hookFailure(stash: Stash, asker: Asker, context: HookContext): Promise<string | undefined> {
  const trigger = context.type;
  if (stash.suppressHooks?.(trigger, context.id)) return undefined;
  for (const plugin of enabledPlugins(stash)) {
    const hooks = hooksFor(plugin, trigger);
    if (hooks.length > 0 && isVisitedTooOften(stash, asker, plugin.id, trigger)) {
      stash.log('debug', '', `plugin ID '${plugin.id}' already triggered, not re-triggering`);
      continue;
    }
    for (const hook of hooks) {
      if (asker.signal.aborted) return 'context canceled';
      const visited = [...asker.visited, { pluginId: plugin.id, hookType: trigger }];
      const about = { kind: 'hook', pluginId: plugin.id, trigger, ...sceneOf(context) } as const;
      const ends = await start(stash, { ...asker, visited }, plugin, hook, hook.defaultArgs, about, context);
      if (ends.kind === 'failed') return ends.message;
      const run = await endOrAbort(ends, asker.signal);
      if (run === 'aborted') return 'operation cancelled';
      if (run.error !== null) {
        stash.log('error', '', `${trigger} [${plugin.name}]: returned error: ${run.error}`);
      } else if (run.output !== null) {
        stash.log('debug', '', `${trigger} [${plugin.name}]: returned: ${JSON.stringify(run.output)}`);
      }
    }
  }
  return undefined;
}

export interface TaskOrder {
  readonly pluginId: string;
  readonly taskName: string | null;
  readonly description: string | null;
  readonly args: PluginArgs;
}

/** Queues the task and gives the job's id. */
export function queueTask(stash: Stash, asker: Asker, order: TaskOrder): number {
  const shown = order.description ?? order.taskName ?? order.pluginId;
  const job = stash.jobs.add(`Running plugin task: ${shown}`, (control) =>
    runTask(stash, asker, order, control),
  );
  return job.id;
}

async function runTask(stash: Stash, asker: Asker, order: TaskOrder, control: JobControl): Promise<void> {
  const plugin = stash.plugins.find((candidate) => candidate.id === order.pluginId);
  const task = plugin?.tasks.find((candidate) => candidate.name === order.taskName);
  const refusal = taskRefusal(stash, order, plugin, task);
  if (refusal !== undefined || plugin === undefined) {
    stash.log('error', '', `Error creating plugin task: ${refusal}`);
    throw new Error(`error creating plugin task: ${refusal}`);
  }
  const args = { ...task?.defaultArgs, ...order.args };
  const about = { kind: 'task', pluginId: plugin.id, trigger: order.taskName ?? plugin.id } as const;
  const started = await start(stash, asker, plugin, task, args, about, undefined, control.progress);
  if (started.kind === 'failed') {
    stash.log('error', '', `Error running plugin task: ${started.message}`);
    throw new Error(`error running plugin task: ${started.message}`);
  }
  // A stop kills the process. The end of Stash leaves it alone with nobody at its pipes.
  const leave = (): void => (control.signal.reason === STASH_ENDED ? started.abandon() : started.kill());
  const run = await endOrAbort(started, control.signal, leave);
  if (run === 'aborted') return;
  control.said({ output: run.output, error: run.error });
  if (run.error !== null) stash.log('error', '', `Plugin returned error: ${run.error}`);
  else if (run.output !== null) stash.log('debug', '', `Plugin returned: ${JSON.stringify(run.output)}`);
}

/** Throws what the GraphQL answer shall say; gives the plugin's output. */
export async function runOperation(
  stash: Stash,
  asker: Asker,
  id: string,
  args: PluginArgs,
): Promise<unknown> {
  const plugin = stash.plugins.find((candidate) => candidate.id === id);
  if (stash.disabledPlugins.has(id)) throw new Error(`plugin ${id} is disabled`);
  if (plugin === undefined) throw new Error(`no plugin with ID ${id}`);
  const about = { kind: 'operation', pluginId: id, trigger: 'operation' } as const;
  const started = await start(stash, asker, plugin, undefined, args, about);
  if (started.kind === 'failed') throw new Error(started.message);
  const run = await endOrAbort(started, asker.signal);
  if (run === 'aborted') throw new Error('operation cancelled');
  if (run.error !== null) throw new Error(run.error);
  return run.output;
}

async function start(
  stash: Stash,
  asker: Pick<Asker, 'user' | 'visited'>,
  plugin: Plugin,
  operation: Operation | undefined,
  args: PluginArgs,
  about: RunAbout,
  hook?: HookContext,
  onProgress?: (share: number) => void,
): Promise<Started> {
  const connection = {
    host: stash.place.host,
    port: stash.place.port,
    cookieValue: stash.auth.cookieValue(asker.user, asker.visited),
    dir: stash.place.dir,
    pluginDir: plugin.dir,
  };
  const onLine = (level: LogLevel, text: string): void => stash.log(level, plugin.id, text);
  if (plugin.interface === 'js') {
    const file = scriptOf(plugin);
    if (file === undefined) return { kind: 'failed', message: 'no script specified in exec' };
    const engine = stash.features.scriptEngine;
    return startScript({
      about,
      file,
      engine,
      input: scriptInput(engine, stash.schema, connection, args, hook),
      onLine,
      onProgress,
      onRun: (run, kill) => {
        stash.runs.push(run);
        stash.scripts.add(kill);
      },
      onEnd: (kill) => stash.scripts.delete(kill),
      ask: (body, onFields) => stash.graphql.answer(body, scriptAsker(stash, asker), onFields),
    });
  }
  return startRun({
    about,
    command: commandOf(plugin, operation, stash.env.PATH ?? ''),
    stdin: stdinDocument(connection, args, hook),
    env: stash.env,
    errLog: plugin.errLog,
    onLine: (level, text) => {
      onLine(level, text);
      if (level !== 'progress') return;
      const share = text === '' ? Number.NaN : Number(text);
      if (Number.isNaN(share)) stash.log('error', '', `Error parsing progress value '${text}'`);
      else onProgress?.(share);
    },
    onRun: (run, child) => {
      stash.runs.push(run);
      stash.children.add(child);
      child.once('close', () => stash.children.delete(child));
    },
  });
}

/**
 * `gql.Do` enters behind the login: its request carries the visited list of the cookie, but no user, no
 * address of its own and nobody who could go away (pkg/javascript/gql.go, internal/api/server.go: the
 * handler it is given has no authentication in front). So a plugin that is started through it gets a
 * cookie without a user, which a closed server refuses.
 */
function scriptAsker(stash: Stash, { visited }: Pick<Asker, 'visited'>): Asker {
  return { user: '', visited, signal: stash.life.signal, base: '' };
}

/** Stash does not wait for what it killed. */
async function endOrAbort(
  started: Extract<Started, { kind: 'started' }>,
  signal: AbortSignal,
  leave = started.kill,
): Promise<PluginRun | 'aborted'> {
  let onAbort = (): void => {};
  const aborted = new Promise<'aborted'>((resolve) => {
    onAbort = () => resolve('aborted');
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort);
  });
  const first = await Promise.race([started.ended, aborted]);
  signal.removeEventListener('abort', onAbort);
  if (first === 'aborted') leave();
  return first;
}

function enabledPlugins(stash: Stash): Plugin[] {
  return stash.plugins.filter((plugin) => !stash.disabledPlugins.has(plugin.id));
}

function isVisitedTooOften(stash: Stash, asker: Asker, pluginId: string, hookType: string): boolean {
  const limit = stash.features.nestedHookLimit;
  const isSame = (pair: { pluginId: string; hookType: string }): boolean =>
    pair.pluginId === pluginId && (limit === 1 || pair.hookType === hookType);
  return asker.visited.filter(isSame).length >= limit;
}

function taskRefusal(
  stash: Stash,
  order: TaskOrder,
  plugin: Plugin | undefined,
  task: Operation | undefined,
): string | undefined {
  if (stash.disabledPlugins.has(order.pluginId)) return `plugin ${order.pluginId} is disabled`;
  if (plugin === undefined) return `no plugin with ID ${order.pluginId}`;
  if (order.taskName === null || task !== undefined) return undefined;
  return `no task with name ${order.taskName} in plugin ${plugin.name}`;
}

function sceneOf(context: HookContext): { sceneId?: number } {
  return context.type.startsWith('Scene.') ? { sceneId: context.id } : {};
}

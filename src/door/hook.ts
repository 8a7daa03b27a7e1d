// The hook that Stash runs inside itself (`interface: js`), once for each changed scene, tag, performer, studio or group,
// while the save that changed it waits. It carries nothing: Stash holds the change and its time already. It only makes
// sure that a wake starts after it: one that is READY in Stash's queue is enough, one that is RUNNING is not, because
// it may have looked already.
//
// ES5, because Stash up to v0.25 runs it in otto; the build refuses anything newer. It is compiled at each call, so it
// stays small. Whatever Stash answers, the save succeeds: a failure is one debug line.

import { DESCRIPTIONS, JOB_PREFIX, PLUGIN_ID, type Scope } from './scopes.ts';

/** The globals of a script in Stash that are used here. Up to v0.25 the context has Go's names. */
interface Cookie {
  readonly Name: string;
  readonly Value: string;
}
export interface HookInput {
  readonly ServerConnection?: { readonly SessionCookie: Cookie | null };
  readonly Args: { readonly hookContext: Readonly<Record<string, unknown>> };
}
export interface Gql {
  /** Waits for the answer, and throws on any error in it. */
  Do(query: string, variables?: object): unknown;
}
export interface HookLog {
  Debug(text: string): void;
}

/**
 * - `off`: the plugin that runs wakes is switched off or not there
 * - `ready`: a wake that has not begun is in the queue
 * - `added`: one was put there
 * - `beside`: the queue is busy with something else: a wake was started beside it, and one that is new is in the queue
 * - `failed`: Stash did not let us; the next wake finds the change
 */
export type HookOutcome = 'off' | 'ready' | 'added' | 'beside' | 'failed';

interface Job {
  readonly id: string;
  readonly status: string;
  readonly description: string;
  readonly addTime: string;
}
interface Asked {
  readonly jobQueue: readonly Job[] | null;
  readonly plugins: readonly { readonly id: string; readonly enabled: boolean }[] | null;
  readonly configuration: { readonly general: { readonly apiKey: string | null } } | null;
}
/** How a wake is let in where Stash has a password: what Stash gives to a task of a script names no user. */
type Session = { readonly apiKey: string } | Cookie | null;
interface Ready {
  readonly id: string;
  readonly scope: Scope;
  readonly addedAt: number;
}

/** A wake that waits longer than this is done beside the queue, in ms. So a hook waits for a process no more often. */
export var PATIENCE_MS = 5000;

var ASK = '{jobQueue{id status description addTime} plugins{id enabled} configuration{general{apiKey}}}';
var ADD =
  'mutation($plugin:ID!,$text:String!,$args:Map!){runPluginTask(plugin_id:$plugin,description:$text,args_map:$args)}';
var STOP = 'mutation($id:ID!){stopJob(job_id:$id)}';
var RUN = 'mutation($plugin:ID!,$args:Map!){runPluginOperation(plugin_id:$plugin,args:$args)}';

/** `now`: wall ms of this machine, which is Stash's own. */
export function runHook(input: HookInput, gql: Gql, log: HookLog, now: number): { Output: HookOutcome } {
  try {
    return { Output: seeToWake(input, gql, log, now) };
  } catch (error) {
    log.Debug('Breakwater could not ask for a wake; the next one finds this change: ' + error);
    return { Output: 'failed' };
  }
}

function seeToWake(input: HookInput, gql: Gql, log: HookLog, now: number): HookOutcome {
  var scope = scopeOf(input.Args.hookContext);
  var asked = gql.Do(ASK) as Asked;
  if (!isEnabled(asked.plugins || [])) return 'off';
  var ready = readyWakes(asked.jobQueue || [], scope);
  var isWaiting = ready.length > 0 && isOld(ready, now);
  if (ready.length > 0 && !(isWaiting && scope === 'changes')) return 'ready';
  var session = sessionOf(asked, input);
  if (isWaiting) lookBeside(session, gql, log, now);
  var args = { mode: 'wake', scope: scope, at: now, session: session };
  gql.Do(ADD, { plugin: PLUGIN_ID, text: DESCRIPTIONS[scope], args: args });
  for (var i = 0; i < ready.length; i++) {
    if ((ready[i] as Ready).scope === scope) gql.Do(STOP, { id: (ready[i] as Ready).id });
  }
  return isWaiting ? 'beside' : 'added';
}

/** The key lasts; the cookie is good for an hour, and a scan may take longer. */
function sessionOf(asked: Asked, input: HookInput): Session {
  var key = asked.configuration && asked.configuration.general.apiKey;
  var cookie = input.ServerConnection && input.ServerConnection.SessionCookie;
  if (key) return { apiKey: key };
  return cookie ? { Name: cookie.Name, Value: cookie.Value } : null;
}

/** Only for changes: what the other scopes look through is too much to be done again and again beside a long scan. */
function lookBeside(session: Session, gql: Gql, log: HookLog, now: number): void {
  var args = { mode: 'wake', scope: 'changes', at: now, session: session, beside: true };
  try {
    gql.Do(RUN, { plugin: PLUGIN_ID, args: args });
  } catch (error) {
    log.Debug('Breakwater could not look beside the busy queue: ' + error);
  }
}

/**
 * A time that cannot be read counts as new, or each hook would start a process. One that lies ahead, because the clock was
 * set back, counts as old: a job of now takes its place.
 */
function isOld(ready: readonly Ready[], now: number): boolean {
  for (var i = 0; i < ready.length; i++) {
    if (!(Math.abs(now - (ready[i] as Ready).addedAt) >= PATIENCE_MS)) return false;
  }
  return true;
}

/** Those that will see what `scope` asks for. Any wake looks for changes. */
function readyWakes(jobs: readonly Job[], scope: Scope): Ready[] {
  var found: Ready[] = [];
  for (var i = 0; i < jobs.length; i++) {
    var job = jobs[i] as Job;
    var its = job.status === 'READY' ? scopeNamed(job.description) : null;
    if (its !== null && (its === scope || scope === 'changes')) {
      found.push({ id: job.id, scope: its, addedAt: timeOf(job.addTime) });
    }
  }
  return found;
}

function scopeNamed(description: string): Scope | null {
  for (var scope in DESCRIPTIONS) {
    if (description === JOB_PREFIX + DESCRIPTIONS[scope as Scope]) return scope as Scope;
  }
  return null;
}

/** Stash gives nanoseconds, which not every engine reads. NaN where it cannot be read. */
function timeOf(text: string): number {
  return Date.parse(text.replace(/\.(\d{1,3})\d*/, '.$1'));
}

function isEnabled(plugins: readonly { readonly id: string; readonly enabled: boolean }[]): boolean {
  for (var i = 0; i < plugins.length; i++) {
    var plugin = plugins[i] as { readonly id: string; readonly enabled: boolean };
    if (plugin.id === PLUGIN_ID) return plugin.enabled;
  }
  return false;
}

function scopeOf(context: Readonly<Record<string, unknown>>): Scope {
  var type = String(context.type || context.Type);
  var given = context.input === undefined ? context.Input : context.input;
  if (type.indexOf('Scene.') === 0) {
    if (type === 'Scene.Destroy.Post') return 'gone';
    // A scan that found its file renamed or replaced; an edit by a person always has an input.
    return type === 'Scene.Update.Post' && (given === null || given === undefined) ? 'files' : 'changes';
  }
  return /\.(Destroy|Merge)\./.test(type) ? 'shared' : 'changes';
}

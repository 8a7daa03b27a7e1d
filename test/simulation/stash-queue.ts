// Stash's job queue on one machine: in memory, one job at a time, and what a hook inside Stash can ask of it. A hook is a
// synchronous thing: nothing else happens while it runs, and it touches no disk.

import { type HookOutcome, PATIENCE_MS, runHook } from '../../src/door/hook.ts';
import { isScope, JOB_PREFIX, PLUGIN_ID, type Scope } from '../../src/door/scopes.ts';
import type { TaskArgs } from '../../src/invocation/task.ts';
import type { Looks } from './invariants.ts';
import type { Kernel, SimProcess } from './kernel.ts';

export type JobWork = (args: TaskArgs) => SimProcess;

interface Job {
  readonly id: string;
  readonly description: string;
  /** RFC 3339 with nanoseconds, as Go writes it. */
  readonly addTime: string;
  /** Null: not of the plugin; it lasts so long, in ms. */
  readonly args: TaskArgs | null;
  readonly lastsMs: number;
  status: 'READY' | 'RUNNING';
  process: SimProcess | null;
}

export interface StashQueueParts {
  readonly kernel: Kernel;
  readonly looks: Looks;
  /** By the clock of the machine that Stash runs on. */
  readonly wallNow: () => number;
  /** Starts a task of the plugin. */
  readonly startTask: JobWork;
  readonly onLog: (line: string) => void;
}

/** A READY job begins after this, in ms. */
const NEXT_MS = 3;

export class StashQueue {
  readonly #parts: StashQueueParts;
  #jobs: Job[] = [];
  #made = 0;
  /** Counts the starts of Stash: what was planned before one is planned no more. */
  era = 0;
  isEnabled = true;
  /** Of scopes that a hook was told a wake will see to, and none began since. */
  readonly #told = new Set<Scope>();
  /** What became of hooks. */
  readonly outcomes: Record<HookOutcome | 'lost', number> = {
    off: 0,
    ready: 0,
    added: 0,
    beside: 0,
    failed: 0,
    lost: 0,
  };
  /** The wakes that are lost with Stash, or when somebody stops them, or because the plugin is off. */
  onWakeLost: (scope: Scope) => void = () => {};
  /** Whether the mutation of a hook fails in the middle. */
  failsHook: () => boolean = () => false;

  constructor(parts: StashQueueParts) {
    this.#parts = parts;
  }

  get isIdle(): boolean {
    return this.#jobs.length === 0;
  }

  get hasBusyJob(): boolean {
    return this.#jobs.some(({ args }) => args === null);
  }

  /** One hook of the plugin, from its start to its end. */
  hook(type: string, input: unknown): HookOutcome {
    const { kernel, looks, wallNow, onLog } = this.#parts;
    const context = { id: 1, type, input };
    const gql = { Do: (query: string, variables: object = {}) => this.#answer(query, variables as TaskArgs) };
    const log = { Debug: onLog };
    const now = Math.floor(wallNow());
    const { Output: outcome } = runHook(
      { ServerConnection: { SessionCookie: null }, Args: { hookContext: context } },
      gql,
      log,
      now,
    );
    this.outcomes[outcome] += 1;
    kernel.note(`hook ${type}: ${outcome}`);
    const scope = scopeOfHook(type, input);
    const isTold = outcome !== 'off' && outcome !== 'failed';
    if (isTold) this.#told.add(scope);
    const ready = this.#jobs.filter((job) => job.status === 'READY' && scopeOf(job) !== null);
    for (const one of this.#told) {
      const isSeenTo = ready.some((job) => one === 'changes' || scopeOf(job) === one);
      looks.at(26, isSeenTo, () => `a hook says ${outcome} and no wake for ${one} will begin after it`);
    }
    for (const one of new Set(ready.map(scopeOf))) {
      const count = ready.filter((job) => scopeOf(job) === one).length;
      // A hook that failed may have added one and not taken off the one before.
      looks.at(26, count <= 1 + this.outcomes.failed, () => `${count} wakes for ${one} are in the queue`);
    }
    const waitedMs = Math.min(...ready.map(({ addTime }) => Math.abs(now - Date.parse(addTime))));
    const isPatient = outcome !== 'ready' || scope !== 'changes' || waitedMs <= PATIENCE_MS;
    looks.at(26, isPatient, () => `a change waits behind a wake of ${waitedMs} ms`);
    return outcome;
  }

  /** A scan or the like. */
  addBusy(lastsMs: number): void {
    this.#add('Scanning...', null, lastsMs);
  }

  /** Somebody stops what is at work or waits. */
  stopAny(pick: (count: number) => number): void {
    const job = this.#jobs[pick(this.#jobs.length)];
    if (job === undefined) return;
    this.#lose(job);
    this.#stop(job.id);
  }

  /** Its queue is gone. What runs goes on without it. */
  restart(): void {
    this.era += 1;
    const jobs = this.#jobs;
    this.#jobs = [];
    for (const job of jobs) if (job.status === 'READY') this.#lose(job);
    this.#told.clear();
  }

  onProcessEnd(process: SimProcess): void {
    const job = this.#jobs.find((one) => one.process === process);
    if (job !== undefined) this.#remove(job);
  }

  /** Scopes of which a wake was promised and has not begun; to be none when nothing is left to happen. */
  get owed(): readonly Scope[] {
    return [...this.#told];
  }

  #answer(query: string, variables: TaskArgs): unknown {
    if (!query.startsWith('{') && this.failsHook()) throw new Error('database is locked');
    if (query.startsWith('{jobQueue')) {
      const jobQueue = this.#jobs.map(({ id, status, description, addTime }) => ({
        id,
        status,
        description,
        addTime,
      }));
      const plugins = [
        { id: 'another', enabled: true },
        { id: PLUGIN_ID, enabled: this.isEnabled },
      ];
      // An empty queue is null.
      return { jobQueue: jobQueue.length === 0 ? null : jobQueue, plugins };
    }
    if (query.includes('runPluginTask')) {
      const id = this.#add(`${JOB_PREFIX}${variables.text}`, variables.args as TaskArgs, 0);
      return { runPluginTask: id };
    }
    if (query.includes('stopJob')) return { stopJob: this.#stop(String(variables.id)) };
    if (query.includes('runPluginOperation')) {
      this.#parts.startTask(variables.args as TaskArgs);
      return { runPluginOperation: null };
    }
    throw new Error(`a query that Stash does not know: ${query}`);
  }

  #add(description: string, args: TaskArgs | null, lastsMs: number): string {
    this.#made += 1;
    const id = `${this.#made}`;
    const addTime = new Date(this.#parts.wallNow()).toISOString().replace('Z', '123456Z');
    this.#jobs.push({ id, description, addTime, args, lastsMs, status: 'READY', process: null });
    this.#soon();
    return id;
  }

  #stop(id: string): boolean {
    const job = this.#jobs.find((one) => one.id === id);
    if (job === undefined) return false;
    // Its end takes it off.
    if (job.process !== null) this.#parts.kernel.kill(job.process);
    else this.#remove(job);
    return true;
  }

  #remove(job: Job): void {
    this.#jobs = this.#jobs.filter((one) => one !== job);
    this.#soon();
  }

  #soon(): void {
    const { era } = this;
    this.#parts.kernel.after(NEXT_MS, () => {
      if (era === this.era) this.#next();
    });
  }

  #next(): void {
    const [job] = this.#jobs;
    if (job === undefined || job.status === 'RUNNING') return;
    job.status = 'RUNNING';
    const { kernel, startTask } = this.#parts;
    kernel.note(`job ${job.id} begins: ${job.description}`);
    if (job.args === null) {
      const { era } = this;
      kernel.after(job.lastsMs, () => {
        if (era === this.era) this.#remove(job);
      });
      return;
    }
    if (!this.isEnabled) {
      this.#lose(job);
      this.#remove(job);
      return;
    }
    const scope = scopeOf(job);
    if (scope !== null) this.#told.delete(scope);
    this.#told.delete('changes');
    job.process = startTask(job.args);
  }

  #lose(job: Job): void {
    const scope = scopeOf(job);
    if (scope === null) return;
    this.#told.delete(scope);
    if (!this.#jobs.some((one) => one !== job && scopeOf(one) !== null)) this.#told.delete('changes');
    this.onWakeLost(scope);
  }
}

function scopeOf({ args }: Job): Scope | null {
  return isScope(args?.scope) ? args.scope : null;
}

/** Told a second time, from what is known of Stash. */
function scopeOfHook(type: string, input: unknown): Scope {
  if (type === 'Scene.Destroy.Post') return 'gone';
  if (type === 'Scene.Update.Post' && input === null) return 'files';
  return type.endsWith('.Destroy.Post') || type.endsWith('.Merge.Post') ? 'shared' : 'changes';
}

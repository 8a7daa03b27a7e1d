// What people changed in Stash, and whether looks find it: all that was committed before a wake began is in the journal
// when that wake has ended well, whether or not any hook told of it.

import type { Scope } from '../../src/door/scopes.ts';
import type { TaskResult } from '../../src/invocation/task-result.ts';
import { type JobName, LIBRARY_JOB } from '../../src/queue/events.ts';
import type { PlacedQueueEvent } from '../../src/queue/queue.ts';
import type { Looks } from './invariants.ts';
import type { Exit, Kernel, SimProcess } from './kernel.ts';
import type { Plan } from './plan.ts';
import type { Promises } from './promises.ts';
import type { SimStash } from './stash.ts';
import type { Watch } from './watch.ts';

export interface FoundParts {
  readonly kernel: Kernel;
  readonly watch: Watch;
  readonly looks: Looks;
  readonly stash: SimStash;
  readonly promises: Promises;
  readonly plan: Plan;
}

/** A wake that ends well has ended after this, in ms: so long does a lost hook take to be found, from the next wake on. */
const WAKE_MS = 3_500;

interface Change {
  readonly ms: number;
  /** By Stash's clock. */
  readonly changedAt: number;
}

/** What has no time, by the scope of the wake that sees to it: those it is about. */
interface Told {
  readonly scope: Scope;
  readonly scenes: readonly string[];
}

/** When a wake began, and what it has to find. */
interface Begun {
  readonly ms: number;
  readonly scope: Scope;
  readonly told: readonly Told[];
  /** When its hook ran, by Stash's clock. */
  readonly hookAt: number;
  readonly gone: readonly JobName[];
}

export class Found {
  readonly #parts: FoundParts;
  readonly #changes = new Map<JobName, Change[]>();
  /** When each was last queued, whatever for. */
  #queuedMs = new Map<JobName, number>();
  /** When a comparison of all was last asked for, by how close it is to be: that makes up for whatever a look cannot find. */
  #comparedMs = { stash: -1, files: -1 };
  /** Told by hooks, of which no wake has begun yet. */
  #told: Told[] = [];
  /** How often Stash's clock was set back: two changes may then have the same time. */
  setBacks = 0;
  readonly #times = new Map<string, number>();
  /** Changes that were committed. */
  changes = 0;
  /** What looks found: the same change once, or twice where its second was not over. */
  found = 0;
  /** Changes without a hook, found by a look. */
  foundUntold = 0;
  readonly #untold = new Set<JobName>();
  /** The earliest that a wake which ended well was told of, by Stash's clock. */
  #toldAt = Number.POSITIVE_INFINITY;

  /** Whether wakes end in time: where Stash is process 1 they deliver as well, and a disk may be slow. */
  readonly #isPunctual: boolean;

  constructor(parts: FoundParts) {
    this.#parts = parts;
    const { isStashInit, acts } = parts.plan;
    this.#isPunctual = !isStashInit && !acts.some((act) => act.does === 'disk' && act.fault === 'slow');
  }

  /** Something was committed. False: no look can tell it from one before, for the clock was set back to the same second. */
  onChange(job: JobName, changedAt: number): boolean {
    this.changes += 1;
    const key = `${job} ${changedAt}`;
    const before = this.#times.get(key);
    this.#times.set(key, this.setBacks);
    const isTold = before === undefined || before === this.setBacks;
    if (isTold) this.#changes.set(job, [...(this.#changes.get(job) ?? []), this.#change(changedAt)]);
    return isTold;
  }

  /** Of the change that was just committed no hook tells. */
  onUntold(job: JobName): void {
    this.#untold.add(job);
  }

  /** A hook told of what moves no time, and a wake that sees to it is in the queue. */
  onTold(scope: Scope, scenes: readonly string[]): void {
    this.#told.push({ scope, scenes });
  }

  /** The wake that was to see to it is lost. */
  onWakeLost(scope: Scope): void {
    const lost = this.#told.filter((told) => told.scope === scope);
    this.#told = this.#told.filter((told) => told.scope !== scope);
    for (const { scenes } of lost) for (const scene of scenes) this.#parts.promises.excuse(scene);
  }

  /** `ms`: when it was first seen. `isAgain`: it was seen before. */
  onQueue(event: PlacedQueueEvent, ms: number, isAgain: boolean): void {
    if (event.type === 'job.queued') {
      this.#queuedMs.set(event.job, Math.max(ms, this.#queuedMs.get(event.job) ?? -1));
      if (event.cause === 'change' && !isAgain) this.#onFound(event.job, event.changedAt);
    }
    if (event.type !== 'reconcile.requested' || event.scope.since !== null || event.scope.isMissingOnly)
      return;
    this.#comparedMs.stash = Math.max(this.#comparedMs.stash, ms);
    if (event.scope.depth !== 'stash') this.#comparedMs.files = Math.max(this.#comparedMs.files, ms);
  }

  #onFound(job: JobName, changedAt: number | undefined): void {
    const { looks, watch } = this.#parts;
    this.found += 1;
    if (this.#untold.delete(job)) this.foundUntold += 1;
    const isNews = changedAt === undefined || this.setBacks > 0 || changedAt >= watch.queue.looked.begin;
    looks.at(26, isNews, () => `${job} changed before Breakwater looked first`);
  }

  /** The log is read again from its beginning. What stands in an image was seen before, and is not seen again. */
  reset(): () => void {
    const [queuedMs, comparedMs] = [this.#queuedMs, this.#comparedMs];
    this.#queuedMs = new Map();
    this.#comparedMs = { stash: -1, files: -1 };
    return () => {
      this.#queuedMs = queuedMs;
      this.#comparedMs = comparedMs;
    };
  }

  /**
   * A sync failed, and then the power: what others had read of the journal meanwhile, and took for durable, may be gone.
   * `before`: when each was queued as they saw it.
   */
  excuseLost(before: ReadonlyMap<JobName, number>): void {
    const { promises } = this.#parts;
    for (const [job, ms] of before) {
      if ((this.#queuedMs.get(job) ?? -1) >= ms) continue;
      this.#queuedMs.set(job, ms);
      if (job.startsWith('scene:')) promises.excuse(job.slice('scene:'.length));
      else promises.excuseAll();
    }
  }

  /** When each was last queued. */
  get queuedMs(): ReadonlyMap<JobName, number> {
    return this.#queuedMs;
  }

  onWakeBegins(process: SimProcess, scope: Scope, hookAt: number): void {
    const { kernel, watch, stash } = this.#parts;
    const isMeant = (told: Told) => told.scope === scope;
    const told = this.#told.filter(isMeant);
    this.#told = this.#told.filter((one) => !isMeant(one));
    const here = new Set(stash.ids);
    const { known, jobs } = watch.queue;
    const gone = [...known.keys(), ...jobs.keys()].filter(
      (job) => job.startsWith('scene:') && !here.has(job.slice('scene:'.length)),
    );
    process.notes.set('wake', { ms: kernel.nowMs, scope, hookAt, told, gone } satisfies Begun);
  }

  onWakeEnds(process: SimProcess, exit: Exit): void {
    const begun = process.notes.get('wake') as Begun | undefined;
    if (begun === undefined) return;
    const { promises, looks } = this.#parts;
    if (exit.kind !== 'done' || !(exit.value as TaskResult).isOk) {
      for (const { scenes } of begun.told) for (const scene of scenes) promises.excuse(scene);
      return;
    }
    this.#lookAt(process, begun);
    const lastedMs = this.#parts.kernel.nowMs - begun.ms;
    looks.at(26, !this.#isPunctual || lastedMs <= WAKE_MS, () => `${process.inv} lasted ${lastedMs} ms`);
  }

  /** What changed before this, by Stash's clock, is no news. */
  get begin(): number {
    return Math.min(this.#parts.watch.queue.looked.begin, this.#toldAt);
  }

  /** What was committed and is not in the journal: of those before `ms`, what a look finds by its time. */
  missing(ms: number): readonly JobName[] {
    const { begin } = this;
    if (this.#parts.watch.queue.looked.upTo === 0) return [];
    return [...this.#changes].flatMap(([job, changes]) => {
      const from = Math.max(this.#queuedMs.get(job) ?? -1, this.#comparedMs.stash);
      // Stash held the time of the last.
      const last = changes.findLast((one) => one.ms < ms);
      const isMissed = last !== undefined && last.ms > from && last.changedAt >= begin;
      return isMissed && this.#isThere(job) ? [job] : [];
    });
  }

  #lookAt(process: SimProcess, { ms, scope, hookAt, gone, told }: Begun): void {
    const { looks } = this.#parts;
    // Its change has a time of whole seconds.
    this.#toldAt = Math.min(this.#toldAt, hookAt - 1_000);
    const missing = this.missing(ms);
    looks.at(26, missing.length === 0, () => `${process.inv} ended well without ${missing.join()}`);
    const wasQueued = (job: JobName) => (this.#queuedMs.get(job) ?? -1) >= ms;
    if (scope === 'gone') {
      const left = gone.filter((job) => this.#isKnown(job) && !wasQueued(job) && !this.#isThere(job));
      looks.at(26, left.length === 0, () => `${process.inv} ended well, and ${left.join()} are gone`);
    }
    if (scope === 'shared') {
      looks.at(26, wasQueued(LIBRARY_JOB), () => `${process.inv} ended well and asked for no comparison`);
    }
    if (scope === 'files' && told.length > 0) {
      const isAsked = this.#comparedMs.files >= ms;
      looks.at(26, isAsked, () => `${process.inv} ended well and has no files compared`);
    }
  }

  #isKnown(job: JobName): boolean {
    return this.#parts.watch.queue.known.has(job);
  }

  #isThere(job: JobName): boolean {
    if (!job.startsWith('scene:')) return true;
    return this.#parts.stash.scene(job.slice('scene:'.length)) !== undefined;
  }

  #change(changedAt: number): Change {
    return { ms: this.#parts.kernel.nowMs, changedAt };
  }
}

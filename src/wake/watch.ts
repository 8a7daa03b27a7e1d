// Watching: the same look on a timer, and a drainer beside it whenever there is something to deliver, in one process that
// lives until it is told to end. For a Stash that cannot start Node: it needs no hook.
//
// While Stash is being used it looks once a second, right after a second of the clock is over: Stash's times are whole
// seconds, and a change is queued when its second is over (news.ts), so that no look comes too early for one. Most of these
// looks are one small question for what changed last: a whole look reads again what changed for hours, which after a bulk
// edit is much. The looks go on while a drainer waits for Plex. There is one drainer at a time, and the lease decides whether it is ours.

import { ControlLog, isDrainerWanted, JournalError } from '../breaker/index.ts';
import { drain } from '../invocation/drainer.ts';
import { rest } from '../invocation/rest.ts';
import { saveTails } from '../invocation/save-checkpoints.ts';
import { drainLines } from '../invocation/task.ts';
import type { TaskResult } from '../invocation/task-result.ts';
import type { World } from '../invocation/world.ts';
import type { AgendaLog } from '../queue/agenda.ts';
import { ANY_CHANGE, type LookOptions, type LookResult, look } from './look.ts';
import { isWorthwhile } from './see-to-drainer.ts';

export interface WatchOptions {
  /** Between two looks at Stash, at most. */
  readonly everyMs: number;
  readonly signal: AbortSignal;
}

interface AskedLook {
  readonly options: LookOptions;
  readonly resolve: (result: LookResult) => void;
  readonly reject: (error: unknown) => void;
}

/** Between two looks while Stash is being used, in ms; then the waits double. */
const USED_WAIT_MS = 1_000;
/** Stash is being used for so long after a change, in ms. */
const USED_FOR_MS = 120_000;
/** After the end of a second of this clock, so that it is over for Stash's as well, in ms. */
const AFTER_SECOND_MS = 15;
/** Between two whole looks, at most, in ms: what was committed late has an older time than what changed last. */
const WHOLE_LOOK_MS = 9_000;
/** Before the next drainer where one failed, at least, in ms. */
const FAILED_WAIT_MS = 30_000;

export function watch(world: World, options: WatchOptions): Promise<TaskResult> {
  return new Watch(world, options).run();
}

export class Watch {
  readonly #world: World;
  readonly #options: WatchOptions;
  readonly #asked: AskedLook[] = [];
  #waking = new AbortController();
  #waitMs = USED_WAIT_MS;
  /** When a change was found last, ms on the monotonic clock. */
  #usedAt: number;
  /** What had changed last when it was looked for, as text; empty: not known, or not over. */
  #newest = '';
  #wholeLookAt = Number.NEGATIVE_INFINITY;
  /** What was said last of what does not work; empty: all does. */
  #said = '';
  #queued = 0;
  #drainer: Promise<void> | null = null;
  #noDrainerUntil = 0;

  constructor(world: World, options: WatchOptions) {
    this.#world = { ...world, ending: options.signal };
    this.#options = options;
    this.#usedAt = this.#monoMs();
  }

  /** Until it is told to end. */
  async run(): Promise<TaskResult> {
    const { signal } = this.#options;
    while (!signal.aborted) {
      await this.#lookOnce(this.#asked.shift());
      if (this.#asked.length === 0) await this.#pause();
    }
    for (const { reject } of this.#asked.splice(0)) reject(new Error('it was told to end'));
    await this.#drainer;
    return { isOk: true, lines: ['Watched to the end.'], document: { queued: this.#queued } };
  }

  /** A look at once, or after the one that is under way: that one may have passed over what this is about. */
  look(options: LookOptions): Promise<LookResult> {
    return new Promise((resolve, reject) => {
      this.#asked.push({ options, resolve, reject });
      this.#waking.abort();
    });
  }

  async #lookOnce(asked: AskedLook | undefined): Promise<void> {
    try {
      if (asked === undefined && !(await this.#isWorthLooking())) return this.#planNext(false);
      if (this.#options.signal.aborted) return;
      const looked = await look(this.#world, asked?.options ?? ANY_CHANGE);
      this.#heed(looked, asked !== undefined);
      asked?.resolve(looked);
      if (looked.kind === 'looked') await this.#seeToDrainer(looked.agenda);
    } catch (error) {
      asked?.reject(error);
      // The disk may be full: that passes.
      if (!(error instanceof JournalError)) throw error;
      this.#sayProblem(error.message);
      this.#waitLonger();
    }
  }

  /** `isAsked`: a hook was called. */
  #heed(looked: LookResult, isAsked: boolean): void {
    const { log } = this.#world;
    if (this.#options.signal.aborted) return;
    if (looked.kind === 'blind') {
      this.#sayProblem(looked.failure.detail);
      this.#newest = '';
      this.#waitLonger();
      return;
    }
    const isBack = this.#said !== '';
    if (isBack) log.line('info', 'It works again.');
    this.#said = '';
    this.#queued += looked.queued;
    for (const note of looked.notes) log.line('info', note);
    if (looked.queued > 0) log.line('info', `${looked.queued} changed in Stash`);
    this.#planNext(isAsked || isBack || looked.queued > 0);
  }

  #planNext(isUsed: boolean): void {
    if (isUsed) this.#usedAt = this.#monoMs();
    if (this.#monoMs() - this.#usedAt <= USED_FOR_MS) this.#waitMs = USED_WAIT_MS;
    else this.#waitLonger();
  }

  /** Unless it is time for a whole look, asks what changed last, and whether that is what it was before. */
  async #isWorthLooking(): Promise<boolean> {
    const isDue = this.#monoMs() - this.#wholeLookAt >= WHOLE_LOOK_MS;
    if (!isDue && !(await this.#hasNewest())) return false;
    this.#wholeLookAt = this.#monoMs();
    return true;
  }

  async #hasNewest(): Promise<boolean> {
    const answer = await this.#world.stash.newest?.();
    const before = this.#newest;
    this.#newest = '';
    if (answer === undefined || !answer.ok) return true;
    const { rows, now } = answer.value;
    // More may change in the same second.
    if (rows.every(({ changedAt }) => changedAt < now)) this.#newest = JSON.stringify(rows);
    return this.#newest === '' || this.#newest !== before;
  }

  /** Once: what goes on not to work is not told again. */
  #sayProblem(problem: string): void {
    if (problem !== this.#said) this.#world.log.line('warning', problem);
    this.#said = problem;
  }

  #waitLonger(): void {
    this.#waitMs = Math.min(2 * this.#waitMs, this.#options.everyMs);
  }

  async #pause(): Promise<void> {
    const { signal } = this.#options;
    this.#waking = new AbortController();
    // In whole seconds: a change of this one is found when it is over.
    const waitMs = this.#waitMs - (this.#world.writer.now().at % 1_000) + AFTER_SECOND_MS;
    if (this.#asked.length > 0) return;
    await rest(this.#world, waitMs, AbortSignal.any([signal, this.#waking.signal]));
  }

  async #seeToDrainer(agenda: AgendaLog): Promise<void> {
    const { writer, dir } = this.#world;
    if (this.#drainer !== null || this.#options.signal.aborted) return;
    const control = await ControlLog.open(dir.journal, writer, dir.controlCheckpoint.read());
    saveTails(this.#world, control, agenda);
    if (this.#monoMs() < this.#noDrainerUntil) return;
    if (!isDrainerWanted(control.state, writer) || !isWorthwhile(agenda.agenda, this.#world)) return;
    this.#drainer = this.#drain().finally(() => {
      this.#drainer = null;
    });
  }

  /** Never fails: what it could not do waits in the journal. */
  async #drain(): Promise<void> {
    const { log } = this.#world;
    try {
      const summary = await drain(this.#world, { isImpatient: false, mayWait: true, hasLooked: true });
      const { written, unchanged, left } = summary;
      const isNews = written + unchanged > 0 || left.pending > 0;
      if (isNews) for (const line of drainLines(summary)) log.line('info', line);
      if (summary.stop.kind === 'stash') this.#putOffDrainer();
    } catch (error) {
      log.line('error', `The delivery failed: ${(error as Error).message}`);
      this.#putOffDrainer();
    }
  }

  #putOffDrainer(): void {
    this.#noDrainerUntil = this.#monoMs() + FAILED_WAIT_MS;
  }

  #monoMs(): number {
    return this.#world.writer.now().mono;
  }
}

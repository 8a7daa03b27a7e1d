// One machine that runs many processes, one at a time. Whatever a process asks of the outside (a system call, a request,
// a sleep) is an operation that waits here: the kernel decides by dice whose is carried out next, and time passes only
// when nobody can go on. A process that is killed is never heard of again: what it waited for never comes.
//
// It knows nothing of disks, servers or Breakwater.

import type { Dice } from './dice.ts';

/** Something of the simulation itself went wrong, or a bound was passed. */
export class Runaway extends Error {}
/** What a synchronous call of a process that is dead ends in. */
export class Dead extends Error {}

/** Operations of one run: more are a loop that goes round. */
const MAX_STEPS = 150_000;

export type ProcessKind = 'wake' | 'drain' | 'task';

/** How a process ended. */
export type Exit =
  | { readonly kind: 'done'; readonly value: unknown }
  | { readonly kind: 'threw'; readonly error: Error }
  | { readonly kind: 'killed' };

interface Operation {
  readonly process: SimProcess;
  readonly what: string;
  readonly readyAt: number;
  readonly order: number;
  readonly carryOut: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** What is left of it when its process is killed over it. */
  readonly tornBy: ((dice: Dice) => void) | null;
}

export class SimProcess {
  readonly inv: string;
  readonly kind: ProcessKind;
  readonly pid: number;
  readonly space: string;
  readonly version: number;
  isDead = false;
  hasEnded = false;
  /** Steps until it is killed; infinite: it is not. */
  stepsToLive = Number.POSITIVE_INFINITY;
  /** Whatever the checks note of it. */
  readonly notes = new Map<string, unknown>();

  constructor(inv: string, kind: ProcessKind, pid: number, space: string, version: number) {
    this.inv = inv;
    this.kind = kind;
    this.pid = pid;
    this.space = space;
    this.version = version;
  }

  get isAlive(): boolean {
    return !this.isDead && !this.hasEnded;
  }
}

export class Kernel {
  readonly dice: Dice;
  /** ms since the simulation began; time that processes see pass. */
  nowMs = 0;
  steps = 0;
  kills = 0;
  readonly processes = new Set<SimProcess>();
  /** Steps that the next processes to start have to live. */
  readonly doomed: number[] = [];
  /** Who runs. */
  current: SimProcess | null = null;
  /** Called after each step. */
  afterStep: () => Promise<void> | void = () => {};
  onEnd: (process: SimProcess, exit: Exit) => void = () => {};
  trace: ((line: string) => void) | null = null;
  /** Of all that happened, in its order. */
  hash = 0x811c9dc5;
  #waiting: Operation[] = [];
  #order = 0;
  #wake: () => void = () => {};
  readonly #timers: { readonly atMs: number; readonly order: number; readonly happens: () => void }[] = [];

  constructor(dice: Dice) {
    this.dice = dice;
  }

  /** Something that is no process's, at a time. */
  at(atMs: number, happens: () => void): void {
    const order = this.#order++;
    const index = this.#timers.findIndex((timer) => timer.atMs > atMs);
    this.#timers.splice(index < 0 ? this.#timers.length : index, 0, { atMs, order, happens });
  }

  after(ms: number, happens: () => void): void {
    this.at(this.nowMs + ms, happens);
  }

  start(process: SimProcess, startMs: number, work: () => Promise<unknown>): void {
    this.processes.add(process);
    process.stepsToLive = this.doomed.shift() ?? process.stepsToLive;
    this.#note(`${process.inv} starts`);
    const ended = (exit: Exit) => {
      if (process.hasEnded || process.isDead) return this.#wake();
      process.hasEnded = true;
      this.processes.delete(process);
      this.#note(`${process.inv} ${exit.kind}${exit.kind === 'threw' ? `: ${exit.error.message}` : ''}`);
      this.onEnd(process, exit);
      this.#wake();
    };
    void this.operation(process, 'begin', startMs, () => null).then(() =>
      work().then(
        (value) => ended({ kind: 'done', value }),
        (error: Error) => ended({ kind: 'threw', error }),
      ),
    );
  }

  /** What a process waits for: carried out after `ms`, then it goes on with the answer. */
  operation<T>(
    process: SimProcess,
    what: string,
    ms: number,
    carryOut: () => T,
    tornBy: ((dice: Dice) => void) | null = null,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (process.isAlive) {
        this.#waiting.push({
          process,
          what,
          readyAt: this.nowMs + ms,
          order: this.#order++,
          carryOut,
          resolve: resolve as (value: unknown) => void,
          reject,
          tornBy,
        });
      }
      if (this.current === process) this.#wake();
    });
  }

  /** A step that a process takes without waiting. Throws when it is dead, or dies of it. */
  immediately(process: SimProcess, what: string): void {
    if (process.isAlive) this.#count(process, what);
    if (!process.isAlive) throw new Dead(process.inv);
  }

  kill(process: SimProcess): void {
    if (!process.isAlive) return;
    process.isDead = true;
    this.kills += 1;
    this.processes.delete(process);
    this.#note(`${process.inv} is killed`);
    const under = this.#waiting.find((operation) => operation.process === process);
    this.#waiting = this.#waiting.filter((operation) => operation.process !== process);
    under?.tornBy?.(this.dice);
    this.onEnd(process, { kind: 'killed' });
  }

  /** Until nothing is left to happen, or `untilMs`; what is planned for later stays. */
  async run(untilMs: number, isOver: () => boolean = () => false): Promise<void> {
    while (!isOver()) {
      const next = Math.min(this.#timers[0]?.atMs ?? Number.POSITIVE_INFINITY, this.#soonest());
      if (next > untilMs || next === Number.POSITIVE_INFINITY) {
        this.nowMs = Math.max(this.nowMs, Number.isFinite(untilMs) ? untilMs : this.nowMs);
        return;
      }
      this.nowMs = Math.max(this.nowMs, next);
      const timer = this.#timers[0];
      if (timer !== undefined && timer.atMs <= this.nowMs) {
        this.#timers.shift();
        timer.happens();
      } else {
        await this.#step();
      }
      const later = this.afterStep();
      if (later !== undefined) await later;
    }
  }

  #soonest(): number {
    let soonest = Number.POSITIVE_INFINITY;
    for (const { readyAt } of this.#waiting) if (readyAt < soonest) soonest = readyAt;
    return soonest;
  }

  async #step(): Promise<void> {
    const ready = this.#waiting.filter(({ readyAt }) => readyAt <= this.nowMs);
    const operation = ready.length === 1 ? ready[0]! : this.dice.pick(ready);
    const { process } = operation;
    this.#count(process, operation.what);
    if (!process.isAlive) return;
    this.#waiting.splice(this.#waiting.indexOf(operation), 1);
    this.current = process;
    const blocked = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    try {
      operation.resolve(operation.carryOut());
    } catch (error) {
      operation.reject(error);
    }
    await blocked;
    this.current = null;
  }

  #count(process: SimProcess, what: string): void {
    this.steps += 1;
    if (this.steps > MAX_STEPS) throw new Runaway(`more than ${MAX_STEPS} steps`);
    this.#note(`${process.inv} ${what}`);
    process.stepsToLive -= 1;
    if (process.stepsToLive <= 0) this.kill(process);
  }

  note(what: string): void {
    this.#note(what);
  }

  #note(what: string): void {
    let { hash } = this;
    const line = `${this.nowMs} ${what}`;
    for (let index = 0; index < line.length; index++)
      hash = Math.imul(hash ^ line.charCodeAt(index), 0x01000193);
    this.hash = hash >>> 0;
    this.trace?.(line);
  }
}

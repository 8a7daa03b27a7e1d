// How many changes waited, over time: the counts of the queue as its stream went by. The control stream has no
// such numbers, and the two streams share only the wall clock.

import type { QueueCounts } from '../queue/queue.ts';
import type { CurvePart } from './report-data.ts';

export interface Waiting {
  readonly pending: number;
  readonly deferred: number;
}

/** Beyond this the oldest ones are thinned out. */
export const MAX_SAMPLES = 400_000;

const NOTHING: Waiting = { pending: 0, deferred: 0 };

export class Backlog {
  readonly #at: number[] = [];
  readonly #waiting: Waiting[] = [];

  add(at: number, { pending, deferred }: QueueCounts): void {
    const last = this.#waiting.at(-1) ?? NOTHING;
    if (last.pending === pending && last.deferred === deferred) return;
    // A clock that was set back: the order of the log counts.
    this.#at.push(Math.max(at, this.#at.at(-1) ?? at));
    this.#waiting.push({ pending, deferred });
    if (this.#at.length >= MAX_SAMPLES) this.#thin();
  }

  /** After everything that was written until `at`, wall ms. */
  at(at: number): Waiting {
    let [low, high] = [0, this.#at.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#at[middle] as number) <= at) low = middle + 1;
      else high = middle;
    }
    return this.#waiting[low - 1] ?? NOTHING;
  }

  /** What was pending at the beginning, and at the ends of `pieces` equal pieces. */
  curve(from: number, to: number, pieces: number): CurvePart {
    const pending = Array.from(
      { length: pieces + 1 },
      (_, n) => this.at(from + ((to - from) * n) / pieces).pending,
    );
    return { from, to, pending };
  }

  /** Every other sample of the older half. */
  #thin(): void {
    const half = this.#at.length >>> 1;
    const isKept = (_: unknown, index: number) => index >= half || index % 2 === 1;
    const [at, waiting] = [this.#at.filter(isKept), this.#waiting.filter(isKept)];
    this.#at.length = 0;
    this.#waiting.length = 0;
    for (const one of at) this.#at.push(one);
    for (const one of waiting) this.#waiting.push(one);
  }
}

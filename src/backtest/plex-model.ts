// Plex as a log has seen it, for questions that nobody asked it then. Between two observations that agree it is taken for what
// both saw; between two that do not, for changed halfway: that part is estimated, and so is what lies between two that
// agree but are too far apart to say anything, and what lies before the first and behind the last.

import type { CountedClass } from '../../machines/failure-classes.ts';
import { COVERAGE_GAP_MS } from '../outages/outages.ts';

/** One observation on the time line of an outage history; `class` and `symptom` of one that is not good. */
export interface Seen {
  readonly t: number;
  readonly isGood: boolean;
  readonly class: CountedClass;
  readonly symptom: string;
}

export interface Answer {
  readonly isGood: boolean;
  readonly isEstimated: boolean;
  /** Of one that is not good. */
  readonly class: CountedClass;
  readonly symptom: string;
}

const NOTHING_SEEN: Seen = { t: 0, isGood: true, class: 'outage', symptom: 'unknown' };

export class PlexModel {
  readonly #seen: readonly Seen[];

  /** `seen` in the order of time. */
  constructor(seen: readonly Seen[]) {
    this.#seen = seen;
  }

  answerAt(t: number): Answer {
    const [before, after] = this.#around(t);
    const nearest = before === null ? (after ?? NOTHING_SEEN) : before;
    const other = after ?? nearest;
    const isFirstHalf = before !== null && (after === null || t < (before.t + after.t) / 2);
    const { isGood } = isFirstHalf ? nearest : other;
    // What failed says how; where both did, the one before.
    const told = nearest.isGood ? other : nearest;
    const isEstimated = !isObserved(before, after) && before?.t !== t;
    return { isGood, isEstimated, class: told.class, symptom: told.symptom };
  }

  /** When it is taken to have come back, the last time up to `t`; null: it was not away before. */
  backBefore(t: number): number | null {
    for (let index = this.#indexAfter(t); index > 0; index--) {
      const [a, b] = [this.#seen[index - 1], this.#seen[index]];
      if (a === undefined || b === undefined || a.isGood || !b.isGood) continue;
      const back = (a.t + b.t) / 2;
      if (back <= t) return back;
    }
    return null;
  }

  /** How much of the time between the two is estimated. */
  estimatedMs(from: number, to: number): number {
    let ms = 0;
    for (let index = this.#indexAfter(from); ; index++) {
      const [before, after] = [this.#seen[index - 1] ?? null, this.#seen[index] ?? null];
      const [start, end] = [Math.max(from, before?.t ?? from), Math.min(to, after?.t ?? to)];
      if (!isObserved(before, after)) ms += Math.max(0, end - start);
      if (after === null || after.t >= to) return ms;
    }
  }

  #around(t: number): readonly [Seen | null, Seen | null] {
    const index = this.#indexAfter(t);
    return [this.#seen[index - 1] ?? null, this.#seen[index] ?? null];
  }

  /** Of the first observation later than `t`. */
  #indexAfter(t: number): number {
    let [low, high] = [0, this.#seen.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#seen[middle] ?? NOTHING_SEEN).t <= t) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function isObserved(before: Seen | null, after: Seen | null): boolean {
  if (before === null || after === null) return false;
  return before.isGood === after.isGood && after.t - before.t <= COVERAGE_GAP_MS;
}

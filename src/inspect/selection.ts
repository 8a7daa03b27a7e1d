// Which part of the log is shown: a stretch of it with the state it opens with, bounded, and where in it to begin.

import { type ControlState, INITIAL_STATE, type Position, type Step } from '../breaker/index.ts';

/** A point of the log: a wall time in ms, or the position of a record. */
export type Point =
  | { readonly kind: 'time'; readonly at: number }
  | { readonly kind: 'position'; readonly position: Position };

export interface Wanted {
  readonly from: Point | null;
  readonly to: Point | null;
  /** Show the whole stretch, and begin here. */
  readonly at: Point | null;
}

/** A page holds them all in memory; of a longer stretch the newest are shown. */
export const MAX_STEPS = 10_000;

export class Selection {
  readonly #wanted: Wanted;
  #opening: ControlState = INITIAL_STATE;
  #openingAt: number | null = null;
  #steps: Step[] = [];
  #omitted = 0;
  #hasBegun = false;
  #hasEnded = false;

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
  }

  take(step: Step): void {
    const { from, to } = this.#wanted;
    this.#hasBegun ||= from === null || isAtOrAfter(step, from);
    this.#hasEnded ||= to !== null && isAfter(step, to);
    if (!this.#hasBegun) this.#openWith(step);
    else if (!this.#hasEnded) this.#steps.push(step);
    if (this.#steps.length >= 2 * MAX_STEPS) this.#trim();
  }

  /** What was taken so far. */
  shown(): {
    readonly opening: ControlState;
    readonly openingAt: number | null;
    readonly steps: readonly Step[];
    readonly omitted: number;
    /** How many of the steps are behind us where it begins. */
    readonly cursor: number;
  } {
    this.#trim();
    const { at } = this.#wanted;
    const steps = this.#steps;
    const next = at === null ? 0 : steps.findIndex((step) => isAfter(step, at));
    return {
      opening: this.#opening,
      openingAt: this.#openingAt,
      steps,
      omitted: this.#omitted,
      cursor: next < 0 ? steps.length : next,
    };
  }

  #trim(): void {
    const surplus = this.#steps.length - MAX_STEPS;
    if (surplus <= 0) return;
    this.#openWith(this.#steps[surplus - 1] as Step);
    this.#steps = this.#steps.slice(surplus);
    this.#omitted += surplus;
  }

  #openWith(step: Step): void {
    this.#opening = step.after;
    this.#openingAt = step.record.at;
  }
}

function isAtOrAfter(step: Step, point: Point): boolean {
  return point.kind === 'time' ? step.record.at >= point.at : step.position >= point.position;
}

function isAfter(step: Step, point: Point): boolean {
  return point.kind === 'time' ? step.record.at > point.at : step.position > point.position;
}

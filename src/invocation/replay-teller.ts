// How a replay is told: line by line to somebody who reads meanwhile, and else the newest of it at its end.

import { count, plainJson } from '../cli/format.ts';
import { type HappeningDocument, happeningDocument, happeningLine } from '../cli/happening.ts';
import type { Happening } from '../history/past.ts';
import type { TaskResult } from './task-result.ts';
import type { World } from './world.ts';

interface TellingOptions {
  readonly isStepped: boolean;
  readonly isJsonl: boolean;
}

/** Steps that are held for a caller that cannot be told one by one (a task of Stash, `--json`). */
const MAX_HELD_STEPS = 1_000;

/** Tells steps one by one where somebody prints them, and else keeps the newest. */
export class ReplayTeller {
  readonly #isTold: boolean;
  readonly #isJsonl: boolean;
  readonly #print: ((line: string) => void) | undefined;
  readonly #said: string[] = [];
  #held: { readonly line: string; readonly document: HappeningDocument }[] = [];
  #told = 0;

  constructor({ print }: World, { isStepped, isJsonl }: TellingOptions) {
    this.#isTold = isStepped || isJsonl;
    this.#isJsonl = isJsonl;
    this.#print = print;
  }

  /** Lines for a person; a program gets none. */
  say(lines: readonly string[]): void {
    if (this.#isJsonl) return;
    if (this.#print === undefined) this.#said.push(...lines);
    else for (const line of lines) this.#print(line);
  }

  tell(happening: Happening): void {
    if (!this.#isTold) return;
    this.#told += 1;
    const line = this.#lineOf(happening);
    if (this.#print === undefined) this.#held.push({ line, document: happeningDocument(happening) });
    else this.#print(line);
    // Now and then, and not at each step: that would move them all each time.
    if (this.#held.length === 2 * MAX_HELD_STEPS) this.#held = this.#held.slice(MAX_HELD_STEPS);
  }

  ended(stateLines: readonly string[], document: Readonly<Record<string, unknown>>): TaskResult {
    const held = this.#held.slice(-MAX_HELD_STEPS);
    const before = this.#told - held.length;
    const isCut = this.#print === undefined && before > 0;
    const lines = [
      ...this.#said,
      ...(isCut ? [`… ${count(before, 'line')} before these …`] : []),
      ...held.map(({ line }) => line),
      ...(this.#isJsonl ? [] : stateLines),
    ];
    const steps = this.#isTold ? { steps: held.map(({ document }) => document), stepsBefore: before } : {};
    return { isOk: true, lines, document: { ...document, ...steps } };
  }

  #lineOf(happening: Happening): string {
    return this.#isJsonl ? plainJson(happeningDocument(happening), 0) : happeningLine(happening);
  }
}

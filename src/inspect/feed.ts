// What the viewers are sent, as lines of JSON. Each viewer gets all of it from the beginning, at its own pace: one that
// is slow or reloaded loses nothing and holds nobody up.

import { shownJson } from '../cli/format.ts';
import type { Message } from './frames.ts';

export class Feed {
  readonly #lines: string[] = [];
  readonly #waiting = new Set<() => void>();

  get length(): number {
    return this.#lines.length;
  }

  /** With its newline. */
  line(at: number): string {
    return this.#lines[at] ?? '';
  }

  add(message: Message): void {
    this.#lines.push(`${shownJson(message)}\n`);
    for (const wake of this.#waiting) wake();
  }

  /** `wake` is called after each addition, until the answer is called. */
  watch(wake: () => void): () => void {
    this.#waiting.add(wake);
    return () => this.#waiting.delete(wake);
  }
}

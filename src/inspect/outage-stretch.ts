// The stretch of the log that belongs to one outage: a little of what came before, and all until it was settled.

import type { Position, Step } from '../breaker/index.ts';
import { createOutageHistory, type Outage } from '../outages/outages.ts';

/** Records before the one that opened the breaker. */
const LEAD_IN = 12;

export class OutageStretch {
  readonly #number: number;
  readonly #history = createOutageHistory();
  #recent: Position[] = [];
  #from: Position | null = null;
  #to: Position = 0;
  #seen: Outage | undefined;

  constructor(number: number) {
    this.#number = number;
  }

  take(step: Step): void {
    this.#history.trigger.step({ step });
    const outage = this.#history.getSnapshot().context.outages[this.#number - 1];
    if (this.#from === null) this.#recent = [...this.#recent.slice(1 - LEAD_IN), step.position];
    if (outage === this.#seen) return;
    this.#from ??= this.#recent[0] ?? step.position;
    this.#seen = outage;
    this.#to = step.position;
  }

  /** Throws when there was no such outage. */
  bounds(): { readonly from: Position; readonly to: Position } {
    if (this.#from !== null) return { from: this.#from, to: this.#to };
    const { length } = this.#history.getSnapshot().context.outages;
    throw new Error(
      `there is no outage #${this.#number}; ${length === 0 ? 'none was recorded' : `there are ${length}`}`,
    );
  }
}

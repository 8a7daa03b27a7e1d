// What many runs come to, as lines for a person.

import { INVARIANT_NUMBERS, INVARIANTS } from './invariants.ts';
import type { Outcome } from './simulation.ts';

export class Summary {
  seeds = 0;
  failed: number[] = [];
  readonly looked: Record<number, number> = {};
  readonly #faults: Record<string, number> = {};
  #steps = 0;
  #processes = 0;
  #virtualMs = 0;
  #changes = 0;
  readonly #hooks: Record<string, number> = {};
  #accepted = 0;
  #delivered = 0;
  #lost = 0;
  /** Of all hashes, in their order. */
  hash = 0;

  add(outcome: Outcome): void {
    this.seeds += 1;
    if (outcome.violation !== null) this.failed.push(outcome.plan.seed);
    this.#steps += outcome.steps;
    this.#processes += outcome.processes;
    this.#virtualMs += outcome.virtualMs;
    this.#changes += outcome.changes;
    addTo(this.#hooks, outcome.hooks);
    this.#accepted += outcome.jobsAccepted;
    this.#delivered += outcome.jobsDelivered;
    this.#lost += outcome.jobsLost;
    this.hash = Math.imul(this.hash ^ outcome.hash, 0x01000193) >>> 0;
    addTo(this.#faults, outcome.faults);
    for (const number of INVARIANT_NUMBERS) {
      this.looked[number] = (this.looked[number] ?? 0) + (outcome.looked[number] ?? 0);
    }
  }

  lines(): string[] {
    const days = Math.round(this.#virtualMs / 86_400_000);
    const faults = Object.entries(this.#faults).sort(([, a], [, b]) => b - a);
    const injected = faults.reduce((sum, [, count]) => sum + count, 0);
    return [
      `${this.seeds} seeds, ${this.failed.length} failed; ${this.#steps} steps of ${this.#processes} processes in ${days} days of their time`,
      `${this.#changes} changes in Stash, hooks: ${Object.entries(this.#hooks)
        .map(([outcome, count]) => `${outcome} ${count}`)
        .join(', ')}`,
      `scenes: ${this.#accepted} changed, ${this.#delivered} deliveries, ${this.#lost} lost`,
      `${injected} faults injected: ${faults.map(([kind, count]) => `${kind} ${count}`).join(', ')}`,
      'invariants, and how often each was looked at:',
      ...INVARIANT_NUMBERS.map(
        (number) => `  ${number}  ${INVARIANTS[number].says}: ${this.looked[number] ?? 0}`,
      ),
    ];
  }
}

function addTo(sums: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(more)) sums[name] = (sums[name] ?? 0) + count;
}

// Names for what may not leave the house: the same for the same thing, told in the order in which things appear, so that
// who is who can still be followed and nothing can be learned from a name.

/** The moment at which every redacted log begins, wall ms. */
export const GOLDEN_START_AT = Date.UTC(2026, 0, 1);

export class Pseudonyms {
  readonly #numbers = new Map<string, Map<unknown, number>>();
  readonly #startedAt: number;
  readonly #bootedAt: ReadonlyMap<string, number>;

  /** `startedAt`: of the first record, wall ms. `bootedAt`: the least monotonic time of each boot. */
  constructor(startedAt: number, bootedAt: ReadonlyMap<string, number>) {
    this.#startedAt = startedAt;
    this.#bootedAt = bootedAt;
  }

  /** Numbers these by their size, before any of them appears: where their order means something. */
  rank(kind: string, values: readonly number[]): void {
    for (const value of [...values].sort((a, b) => a - b)) this.number(kind, value);
  }

  /** Counts from 1. */
  number(kind: string, value: unknown): number {
    const known = this.#numbers.get(kind) ?? new Map<unknown, number>();
    this.#numbers.set(kind, known);
    const number = known.get(value) ?? known.size + 1;
    known.set(value, number);
    return number;
  }

  /** `kind-3`; nothing stays nothing. */
  name(kind: string, value: string): string {
    return value === '' ? '' : `${kind}-${this.number(kind, value)}`;
  }

  /** In the form of a UUIDv7. */
  id(value: string): string {
    return `00000000-0000-7000-8000-${String(this.number('id', value)).padStart(12, '0')}`;
  }

  wall(at: number): number {
    return GOLDEN_START_AT + (at - this.#startedAt);
  }

  /** To the microsecond, as it was. */
  mono(boot: string, mono: number): number {
    return Math.round((mono - (this.#bootedAt.get(boot) ?? 0)) * 1_000) / 1_000;
  }
}

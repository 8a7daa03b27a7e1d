// What is drawn in a backtest: the numbers that the log recorded, in their order, each at most once; then a sequence that is
// always the same.

export class Draws {
  readonly #recorded: readonly { readonly index: number; readonly draw: number }[];
  #next = 0;
  #seed = 0x5eed;

  /** In the order of the log; `index` says of which record. */
  constructor(recorded: readonly { readonly index: number; readonly draw: number }[]) {
    this.#recorded = recorded;
  }

  /** The log was followed up to this record: what was drawn before is used up. */
  passed(index: number): void {
    while ((this.#recorded[this.#next]?.index ?? Number.POSITIVE_INFINITY) <= index) this.#next += 1;
  }

  /** In [0, 1). */
  next(): number {
    const recorded = this.#recorded[this.#next];
    if (recorded === undefined) return this.#made();
    this.#next += 1;
    return recorded.draw;
  }

  /** mulberry32. */
  #made(): number {
    this.#seed = (this.#seed + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#seed ^ (this.#seed >>> 15), this.#seed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  }
}

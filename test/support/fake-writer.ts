// Writers with clocks and dice of their own: what a simulation puts where a process would read the system.
import type { Moment } from '../../machines/time.ts';
import type { Writer } from '../../src/journal/writer.ts';

export const START_AT = Date.UTC(2026, 0, 5, 12);

/** The clocks of one machine. Time passes when it is told to; the wall clock can also be set, the other cannot. */
export class FakeClock {
  #at: number;
  #mono = 1_000;
  #boot = 1;

  constructor(at: number = START_AT) {
    this.#at = at;
  }

  now(): Moment {
    return { at: this.#at, mono: this.#mono, boot: `boot-${this.#boot}` };
  }

  advance(ms: number): void {
    this.#at += ms;
    this.#mono += ms;
  }

  /** Somebody sets the wall clock; no time passes. */
  stepWall(ms: number): void {
    this.#at += ms;
  }

  /** The machine starts anew: another boot, whose monotonic clock begins at 0. */
  reboot(downMs = 0): void {
    this.#at += downMs;
    this.#mono = 0;
    this.#boot += 1;
  }
}

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function fakeWriter(clock: FakeClock, inv = 'test-1', seed = 1): Writer {
  return { inv, now: () => clock.now(), random: seededRandom(seed) };
}

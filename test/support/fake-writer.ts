// Writers with clocks and dice of their own: what a simulation puts where a process would read the system.
import type { Moment } from '../../machines/time.ts';
import type { Writer } from '../../src/breaker/journal/writer.ts';
import { seeded } from './seeded.ts';

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

export function fakeWriter(clock: FakeClock, inv = 'test-1', seed = 1): Writer {
  return { inv, now: () => clock.now(), random: seeded(seed) };
}

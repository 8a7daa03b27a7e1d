// The clocks of the machine: one that people see and set, and one that begins anew with each boot.

import type { Moment } from '../../machines/time.ts';
import { START_AT } from '../support/fake-writer.ts';
import type { Kernel } from './kernel.ts';

export class MachineClock {
  readonly #kernel: Kernel;
  #wallOffsetMs = START_AT;
  #monoOffsetMs = 1_000;
  #boot = 1;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  get boot(): string {
    return `boot-${this.#boot}`;
  }

  now(): Moment {
    const { nowMs } = this.#kernel;
    return {
      at: Math.floor(nowMs + this.#wallOffsetMs),
      mono: Math.round((nowMs + this.#monoOffsetMs) * 1000) / 1000,
      boot: this.boot,
    };
  }

  stepWall(ms: number): void {
    this.#wallOffsetMs += ms;
  }

  suspend(ms: number, isMonotonicRunning: boolean): void {
    this.#wallOffsetMs += ms;
    if (isMonotonicRunning) this.#monoOffsetMs += ms;
  }

  reboot(offMs: number): void {
    this.#wallOffsetMs += offMs;
    this.#monoOffsetMs = -this.#kernel.nowMs;
    this.#boot += 1;
  }
}

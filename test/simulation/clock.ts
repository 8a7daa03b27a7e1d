// The clocks of the machine: one that people see and set, and one that begins anew with each boot.

import type { Moment } from '../../machines/time.ts';
import { START_AT } from '../support/fake-writer.ts';
import type { Kernel } from './kernel.ts';

export class MachineClock {
  readonly #kernel: Kernel;
  readonly #name: string;
  #wallOffsetMs: number;
  #monoOffsetMs = 1_000;
  #boot = 1;

  /** `wallOffMs`: by how much it is ahead of the first one. */
  constructor(kernel: Kernel, name = 'boot', wallOffMs = 0) {
    this.#kernel = kernel;
    this.#name = name;
    this.#wallOffsetMs = START_AT + wallOffMs;
  }

  get boot(): string {
    return `${this.#name}-${this.#boot}`;
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

// Every choice of a simulation: one seed, and dice that are forked for each who throws, so that one who throws more
// often does not change what the others get.

import { seeded } from '../support/seeded.ts';

export class Dice {
  readonly random: () => number;

  constructor(seed: number) {
    this.random = seeded(seed);
  }

  /** Dice of their own for `who`. */
  fork(who: number): Dice {
    return new Dice(Math.imul(this.int(0x7fffffff) ^ (who * 0x9e3779b1), 0x85ebca6b) >>> 0);
  }

  /** In [0, below). */
  int(below: number): number {
    return Math.floor(this.random() * below);
  }

  between(from: number, to: number): number {
    return from + this.int(to - from + 1);
  }

  chance(share: number): boolean {
    return this.random() < share;
  }

  pick<T>(from: readonly T[]): T {
    const picked = from[this.int(from.length)];
    if (picked === undefined) throw new Error('nothing to pick from');
    return picked;
  }

  /** One of the keys, as often as its weight says. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K {
    const entries = Object.entries(weights) as [K, number][];
    let left = this.random() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [key, weight] of entries) {
      left -= weight;
      if (left < 0) return key;
    }
    return entries[0]![0];
  }
}

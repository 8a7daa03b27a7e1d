// Runs processes that share a MemoryDisk one call at a time, in an order drawn from a seed.

import { setImmediate } from 'node:timers/promises';
import { seeded } from './seeded.ts';

export type Turn = () => Promise<void>;

/** Each process gets a `turn` to wait for before each of its calls. Ends when all have ended; throws what one throws. */
export async function interleave(seed: number, processes: readonly ((turn: Turn) => Promise<void>)[]) {
  const random = seeded(seed);
  const waiting: (() => void)[] = [];
  const turn: Turn = () => new Promise((go) => void waiting.push(go));
  let running = processes.length;
  const errors: unknown[] = [];
  for (const process of processes) {
    process(turn)
      .catch((error: unknown) => errors.push(error))
      .finally(() => {
        running -= 1;
      });
  }
  while (running > 0 || waiting.length > 0) {
    // Whoever was let go has come to its next call, or its end, when this returns.
    await setImmediate();
    const [go] = waiting.splice(Math.floor(random() * waiting.length), 1);
    go?.();
  }
  if (errors.length > 0) throw errors[0];
}

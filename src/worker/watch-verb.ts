// The verb `watch` as this process runs it: until it is told to end.

import { parseDuration } from '../cli/duration.ts';
import type { TaskResult } from '../invocation/task-result.ts';
import { watch } from '../invocation/watch.ts';
import type { World } from '../invocation/world.ts';

/** Less would ask Stash more often than a person can save, in ms. */
const MIN_EVERY_MS = 1_000;

export function runWatch(world: World, every: string): Promise<TaskResult> {
  const everyMs = parseDuration(every);
  if (everyMs < MIN_EVERY_MS) throw new Error('--every is at least 1s');
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => ending.abort());
  return watch(world, { everyMs, signal: ending.signal });
}

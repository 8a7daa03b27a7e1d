// Waiting that ends at once when the process is told to end.

import type { World } from './world.ts';

/** `signal`: by default what tells this world to end. */
export async function rest(
  { sleep, ending }: Pick<World, 'sleep' | 'ending'>,
  ms: number,
  signal = ending,
): Promise<void> {
  if (signal === undefined) return sleep(ms);
  if (signal.aborted) return;
  let wake = () => {};
  const woken = new Promise<void>((resolve) => {
    wake = resolve;
  });
  signal.addEventListener('abort', wake);
  await Promise.race([sleep(ms, signal), woken]);
  signal.removeEventListener('abort', wake);
}

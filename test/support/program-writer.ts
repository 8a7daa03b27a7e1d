// Who writes, in the programs that tests start many of: each is a boot of its own.

import type { Writer } from '../../src/breaker/journal/writer.ts';

export function programWriter(inv: string): Writer {
  const startedAt = performance.now();
  return {
    inv,
    now: () => ({ at: Date.now(), mono: performance.now() - startedAt, boot: inv }),
    random: Math.random,
  };
}

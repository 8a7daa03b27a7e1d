// A container that was killed and started anew: its main process has the process id of the dead one, and its namespace may
// have the same number.

import { expect, test } from 'vitest';
import { ControlLog } from '../../src/breaker/control/control-log.ts';
import { DrainLease } from '../../src/breaker/drain-lease.ts';
import { isHolderGone } from '../../src/breaker/drainer-wanted.ts';
import { MemoryJournal } from '../../src/breaker/journal/memory-journal.ts';
import { processWriter } from '../../src/breaker/process.ts';

test.each([
  ['before this process began is of one that has gone', -3_600_000, true],
  ['by this process itself is not', 0, false],
])('a lease that was claimed %s', async (_when, shiftMs, isGone) => {
  const writer = processWriter('cli');
  const then = () => ({ ...writer.now(), mono: writer.now().mono + shiftMs });
  const control = await ControlLog.open(new MemoryJournal(), { ...writer, now: then });
  expect(await DrainLease.claim(control, { ...writer, now: then })).not.toBeNull();
  expect(isHolderGone(control.state)).toBe(isGone);
});

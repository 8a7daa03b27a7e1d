// Whether another process is still there: certain or not said at all.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { isGone, isYounger, processWriter, thisProcess } from '../../src/breaker/process.ts';

const hasProc = existsSync('/proc/self/stat');
if (!hasProc) process.stderr.write('SKIPPED: when a process was started (there is no /proc here)\n');

test.skipIf(!hasProc)('a process that was started after the holder last wrote is not the holder', () => {
  const { now } = processWriter('test');
  const before = now();
  const child = spawn('sleep', ['60']);
  onTestFinished(() => void child.kill());
  const holder = { pid: child.pid ?? 0, space: thisProcess().space };
  const longBefore = { ...before, mono: before.mono - 1_000 };
  expect(isGone(holder, longBefore)).toBe(true);
  expect(isGone(holder, { ...now(), mono: before.mono + 60_000 })).toBe(false);
  // Not certain: nothing was heard of it, or in another boot.
  expect(isGone(holder)).toBe(false);
  expect(isGone(holder, { ...longBefore, boot: 'another' })).toBe(false);
  expect(isGone({ ...holder, space: 'elsewhere' }, longBefore)).toBe(false);
});

test.each([
  ['started later', 2_000, 10_000, true],
  ['started before', 500, 10_000, false],
  ['started later by a clock that went on while the machine slept', 2_000, 16_000, false],
  ['that is of a container with an uptime of its own', 2_000, 3_000, false],
])('a process %s', (_what, startedMs, upMs, is) => {
  expect(isYounger(startedMs / 10, upMs, 10_000, 1_000)).toBe(is);
});

test('a process that has ended is gone', async () => {
  const child = spawn(process.execPath, ['-e', '0']);
  const { pid = 0 } = child;
  await new Promise((resolve) => child.once('exit', resolve));
  expect(isGone({ pid, space: thisProcess().space })).toBe(true);
});

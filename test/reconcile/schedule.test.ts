import { expect, test } from 'vitest';
import { neverLooked } from '../../src/queue/looked.ts';
import { EMPTY_COUNTS, type Queue } from '../../src/queue/queue.ts';
import { NO_RECONCILIATION } from '../../src/queue/reconciliation.ts';
import { isReconcileDue, scheduledScope, scopeAfterOutage } from '../../src/reconcile/schedule.ts';

const HOUR_MS = 3_600_000;
const NOW = 1_800_000_000_000;

function queue(begunAt: number, wholeAt = 0): Queue {
  const reconciliation = { ...NO_RECONCILIATION, wholeAt };
  const looked = neverLooked();
  return {
    jobs: new Map(),
    known: new Map(),
    counts: EMPTY_COUNTS,
    begunAt,
    reconciliation,
    looked,
    settings: {},
  };
}

test.each([
  ['hourly', HOUR_MS],
  ['daily', 24 * HOUR_MS],
  ['weekly', 7 * 24 * HOUR_MS],
] as const)('%s: due when so long has passed since the last one, and not before', (every, intervalMs) => {
  expect(isReconcileDue(every, queue(1, NOW - intervalMs + 1), NOW)).toBe(false);
  expect(isReconcileDue(every, queue(1, NOW - intervalMs), NOW)).toBe(true);
  // A new installation counts from its first change.
  expect(isReconcileDue(every, queue(NOW - intervalMs + 1), NOW)).toBe(false);
  expect(isReconcileDue(every, queue(NOW - intervalMs), NOW)).toBe(true);
});

test('never, where nothing was ever queued, and while one runs: not due', () => {
  expect(isReconcileDue('never', queue(1), NOW)).toBe(false);
  expect(isReconcileDue('hourly', queue(0), NOW)).toBe(false);
  const scope = scheduledScope(queue(1));
  const progress = { scope, cause: 'task', startedAt: 1, checked: 0, cursor: 0, left: null };
  const gaps = { kinds: {}, fields: {}, libraries: {} };
  const running = { state: 'running', last: null, wholeAt: 0, gaps, ...progress } as const;
  expect(isReconcileDue('hourly', { ...queue(1), reconciliation: running }, NOW)).toBe(false);
});

test('a clock that was set back waits for it to catch up, and no longer than one interval', () => {
  expect(isReconcileDue('hourly', queue(1, NOW + HOUR_MS), NOW)).toBe(false);
  expect(isReconcileDue('hourly', queue(1, NOW + HOUR_MS), NOW + 2 * HOUR_MS)).toBe(true);
});

test('by the schedule, scenes that nobody touched since Breakwater came are left alone', () => {
  expect(scheduledScope(queue(77))).toMatchObject({ since: null, newSince: 77, depth: 'plex' });
});

test('after an outage it looks back to the last look, and at most a week', () => {
  expect(scopeAfterOutage(queue(NOW - HOUR_MS), NOW).since).toBe(NOW - HOUR_MS);
  expect(scopeAfterOutage(queue(1, NOW - 2 * HOUR_MS), NOW).since).toBe(NOW - 2 * HOUR_MS);
  expect(scopeAfterOutage(queue(1), NOW).since).toBe(NOW - 7 * 24 * HOUR_MS);
});

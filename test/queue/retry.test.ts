// Retry delays: doubled with each attempt, jittered between half and whole, capped.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DeferReason } from '../../src/queue/events.ts';
import { retryDelayMs, SCHEDULES } from '../../src/queue/retry.ts';

const reasons = Object.keys(SCHEDULES) as DeferReason[];
const almostOne = 1 - 2 ** -53;

test.each([
  ['missing', [60_000, 120_000, 240_000], 21_600_000],
  ['transient', [5_000, 10_000, 20_000], 1_800_000],
  ['incomplete', [10_000, 20_000, 40_000], 60_000],
] as const)('%s: doubles from its base up to its cap', (reason, first, capMs) => {
  expect([1, 2, 3].map((attempt) => retryDelayMs(reason, attempt, almostOne))).toEqual(first);
  expect([40, 1_000].map((attempt) => retryDelayMs(reason, attempt, almostOne))).toEqual([capMs, capMs]);
});

test('a delay is between half and whole of its nominal, and whole milliseconds', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...reasons),
      fc.integer({ min: 1, max: 2_000 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (reason, attempt, draw) => {
        const { baseMs, maxMs } = SCHEDULES[reason];
        const nominalMs = Math.min(maxMs, baseMs * 2 ** Math.min(attempt - 1, 60));
        const delayMs = retryDelayMs(reason, attempt, draw);
        expect(delayMs).toBeGreaterThanOrEqual(nominalMs / 2);
        expect(delayMs).toBeLessThanOrEqual(nominalMs);
        expect(Number.isInteger(delayMs)).toBe(true);
      },
    ),
  );
});

test('what is missing is asked for over at most about a day before it is given up', () => {
  const { maxAttempts } = SCHEDULES.missing;
  const delays = Array.from({ length: maxAttempts }, (_, index) =>
    retryDelayMs('missing', index + 1, almostOne),
  );
  const hours = delays.reduce((sum, ms) => sum + ms, 0) / 3_600_000;
  expect(hours).toBeGreaterThan(22);
  expect(hours).toBeLessThan(30);
});

test('a transient failure never gives a job up', () => {
  expect(SCHEDULES.transient.maxAttempts).toBe(Number.POSITIVE_INFINITY);
});

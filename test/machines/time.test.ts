// Waits over reboots and stepped clocks: always within [0, nominal], and a step costs at most one wait.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  elapsedMs,
  isOver,
  isShortlyAfter,
  type Moment,
  remainingMs,
  WALL_SKEW_MS,
} from '../../machines/time.ts';
import { moment, momentOfOtherBoot } from '../support/moments.ts';

const wait = { from: moment(0), waitMs: 60_000 };

const anyMoment: fc.Arbitrary<Moment> = fc.record({
  at: fc.integer({ min: 0, max: 4e12 }),
  mono: fc.integer({ min: 0, max: 1e10 }),
  boot: fc.constantFrom('boot-1', 'boot-2'),
});
const anyWait = fc.record({ from: anyMoment, waitMs: fc.integer({ min: 0, max: 3_600_000 }) });

describe('within one boot', () => {
  test('a wait is over at its end and not a moment before', () => {
    expect(remainingMs(wait, moment(0))).toBe(60_000);
    expect(remainingMs(wait, moment(59_999))).toBe(1);
    expect(isOver(wait, moment(59_999))).toBe(false);
    expect(isOver(wait, moment(60_000))).toBe(true);
    expect(remainingMs(wait, moment(1e9))).toBe(0);
  });

  test('a wall clock that steps changes nothing', () => {
    fc.assert(
      fc.property(anyWait, anyMoment, fc.integer({ min: -1e12, max: 1e12 }), (one, now, stepMs) => {
        const here = { ...now, boot: one.from.boot };
        expect(remainingMs(one, { ...here, at: here.at + stepMs })).toBe(remainingMs(one, here));
        expect(elapsedMs(one.from, { ...here, at: here.at + stepMs })).toBe(elapsedMs(one.from, here));
      }),
    );
  });

  test('a record that was written before the wait began does not lengthen it', () => {
    expect(remainingMs(wait, moment(-10_000))).toBe(60_000);
  });
});

describe('across boots', () => {
  test('wall time decides', () => {
    expect(remainingMs(wait, momentOfOtherBoot(59_999))).toBe(1);
    expect(isOver(wait, momentOfOtherBoot(60_000))).toBe(true);
  });

  test('a little skew between two machines is not a step; more is, and ends the wait', () => {
    expect(remainingMs(wait, momentOfOtherBoot(-WALL_SKEW_MS))).toBe(60_000);
    expect(remainingMs(wait, momentOfOtherBoot(-WALL_SKEW_MS - 1))).toBe(0);
  });
});

test('what remains of a wait is never negative and never more than the whole', () => {
  fc.assert(
    fc.property(anyWait, anyMoment, (one, now) => {
      const left = remainingMs(one, now);
      expect(left).toBeGreaterThanOrEqual(0);
      expect(left).toBeLessThanOrEqual(one.waitMs);
    }),
  );
});

test('a wait that is not over ends by waiting: at most its own length, and what two clocks may differ by', () => {
  fc.assert(
    fc.property(anyWait, anyMoment, (one, now) => {
      const isSameBoot = now.boot === one.from.boot;
      fc.pre(!isSameBoot || now.mono >= one.from.mono);
      if (isOver(one, now)) return;
      const behindMs = isSameBoot ? 0 : Math.max(0, one.from.at - now.at);
      const moreMs = remainingMs(one, now) + behindMs;
      expect(moreMs).toBeLessThanOrEqual(one.waitMs + WALL_SKEW_MS);
      expect(isOver(one, { ...now, at: now.at + moreMs, mono: now.mono + moreMs })).toBe(true);
    }),
  );
});

test('what has passed is never negative', () => {
  fc.assert(
    fc.property(anyMoment, anyMoment, (one, other) => {
      expect(elapsedMs(one, other)).toBeGreaterThanOrEqual(0);
    }),
  );
});

describe('shortly after', () => {
  test('is less than so long after, by the clock of the boot, whatever the wall clock says', () => {
    const anHourLater = { ...moment(999), at: moment(3_600_000).at };
    expect(isShortlyAfter(moment(0), anHourLater, 1_000)).toBe(true);
    expect(isShortlyAfter(moment(0), { ...moment(1_000), at: moment(1).at }, 1_000)).toBe(false);
  });

  test('is so across boots by the wall clock, and never when that was set back', () => {
    const isShortly = (ms: number) => isShortlyAfter(moment(0), momentOfOtherBoot(ms), 1_000);
    expect([-1, 0, 999, 1_000].map(isShortly)).toEqual([false, true, true, false]);
  });
});

test('what has passed across boots is so by the wall clock', () => {
  expect(elapsedMs(moment(0), momentOfOtherBoot(70))).toBe(70);
});

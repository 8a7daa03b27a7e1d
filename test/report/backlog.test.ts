// The backlog over time: what it was at any moment, in bounded memory.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EMPTY_COUNTS } from '../../src/queue/queue.ts';
import { Backlog, MAX_SAMPLES } from '../../src/report/backlog.ts';

const counts = (pending: number, deferred = 0) => ({ ...EMPTY_COUNTS, pending, deferred });

test('at a moment it is what the newest record until then left', () => {
  const sample = fc.record({
    afterMs: fc.nat({ max: 5 }),
    pending: fc.nat({ max: 3 }),
    deferred: fc.nat({ max: 2 }),
  });
  fc.assert(
    fc.property(fc.array(sample), fc.nat({ max: 200 }), (samples, asked) => {
      const backlog = new Backlog();
      let [at, expected] = [0, { pending: 0, deferred: 0 }];
      for (const { afterMs, pending, deferred } of samples) {
        at += afterMs;
        backlog.add(at, counts(pending, deferred));
        if (at <= asked) expected = { pending, deferred };
      }
      expect(backlog.at(asked)).toEqual(expected);
    }),
  );
});

test('a clock that was set back does not put what came later before what came earlier', () => {
  const backlog = new Backlog();
  backlog.add(1_000, counts(5));
  backlog.add(400, counts(6));
  expect([backlog.at(999).pending, backlog.at(1_000).pending]).toEqual([0, 6]);
});

test('a curve begins and ends where it is told to', () => {
  const backlog = new Backlog();
  backlog.add(10, counts(4));
  backlog.add(20, counts(0));
  expect(backlog.curve(10, 20, 2)).toEqual({ from: 10, to: 20, pending: [4, 4, 0] });
});

test('when there are too many samples the older half is thinned, and the newer half is as it was', () => {
  const backlog = new Backlog();
  for (let n = 1; n <= MAX_SAMPLES; n++) backlog.add(n, counts(n));
  const wrong = (from: number, to: number) => {
    let most = 0;
    for (let n = from; n <= to; n++) most = Math.max(most, Math.abs(backlog.at(n).pending - n));
    return most;
  };
  expect(wrong(MAX_SAMPLES / 2 + 1, MAX_SAMPLES)).toBe(0);
  expect(wrong(2, MAX_SAMPLES / 2)).toBe(1);
  backlog.add(MAX_SAMPLES + 1, counts(7));
  expect(backlog.at(MAX_SAMPLES + 1).pending).toBe(7);
});

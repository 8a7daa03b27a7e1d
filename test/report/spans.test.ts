// Pieces of observed time: joined, disjoint, and not too many.
import { expect, test } from 'vitest';
import type { Step } from '../../src/breaker/control/replay.ts';
import { newHistory, type OutageHistory } from '../../src/outages/outages.ts';
import { MAX_SPANS, SpanFold } from '../../src/report/spans.ts';

/** The history after an observation at `at`, `t` on the line, with this much seen up and down before it. */
function seen(at: number, t: number, upMs: number, downMs: number): OutageHistory {
  return {
    ...newHistory(),
    lastSeen: { instant: { at, t }, isGood: true },
    coverage: { upMs, downMs, unobservedMs: 0 },
  };
}

const step = { event: { type: 'attempt.succeeded' } } as unknown as Step;

function foldOf(histories: readonly OutageHistory[]): SpanFold {
  const fold = new SpanFold();
  for (const [index, after] of histories.entries())
    fold.add(histories[index - 1] ?? newHistory(), after, step);
  return fold;
}

test('what follows at once and is the same is one piece', () => {
  const fold = foldOf([seen(0, 0, 0, 0), seen(10, 10, 10, 0), seen(30, 30, 30, 0), seen(40, 40, 30, 10)]);
  expect(fold.spans(100)).toEqual([
    { kind: 'up', from: 0, to: 30 },
    { kind: 'down', from: 30, to: 40 },
  ]);
});

test('a wall clock that was set back paints no time twice', () => {
  const fold = foldOf([
    seen(0, 0, 0, 0),
    seen(100, 100, 100, 0),
    seen(50, 150, 150, 0),
    seen(110, 210, 210, 0),
  ]);
  expect(fold.spans(200)).toEqual([{ kind: 'up', from: 0, to: 110 }]);
});

test('the oldest beyond the bound are left out, so they count as not observed', () => {
  const histories = Array.from({ length: MAX_SPANS + 2 }, (_, n) => {
    const [odd, even] = [Math.ceil(n / 2), Math.floor(n / 2)];
    return seen(n * 10, n * 10, odd * 10, even * 10);
  });
  const spans = foldOf(histories).spans(histories.length * 10);
  expect(spans).toHaveLength(MAX_SPANS);
  expect(spans[0]).toEqual({ kind: 'down', from: 10, to: 20 });
});

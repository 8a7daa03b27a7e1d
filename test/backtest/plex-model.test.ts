// What the model says of Plex between observations, and what of it is a guess.
import { describe, expect, test } from 'vitest';
import { PlexModel } from '../../src/backtest/plex-model.ts';
import { COVERAGE_GAP_MS } from '../../src/outages/outages.ts';

const good = (t: number) => ({ t, isGood: true, class: 'outage', symptom: 'unknown' }) as const;
const bad = (t: number, symptom = 'refused') => ({ t, isGood: false, class: 'outage', symptom }) as const;
const plex = new PlexModel([good(0), good(100), bad(200), bad(300, 'timeout'), good(400)]);

describe('an answer', () => {
  test.each([
    [50, true, false],
    [100, true, false],
    [149, true, true],
    [150, false, true],
    [200, false, false],
    [250, false, false],
    [300, false, false],
    [349, false, true],
    [350, true, true],
    [400, true, false],
    [500, true, true],
    [-5, true, true],
  ])('at %i is good: %s, a guess: %s', (t, isGood, isEstimated) => {
    expect(plex.answerAt(t)).toMatchObject({ isGood, isEstimated });
  });

  test('names what was seen to fail nearby', () => {
    expect(plex.answerAt(160).symptom).toBe('refused');
    expect(plex.answerAt(250).symptom).toBe('refused');
    expect(plex.answerAt(320).symptom).toBe('timeout');
  });

  test('of a log without observations is good, and a guess', () => {
    expect(new PlexModel([]).answerAt(7)).toMatchObject({ isGood: true, isEstimated: true });
  });

  test('between two that agree is none up to the gap, and a guess one past it', () => {
    const apart = (ms: number) => new PlexModel([good(0), good(ms)]).answerAt(1).isEstimated;
    expect(apart(COVERAGE_GAP_MS)).toBe(false);
    expect(apart(COVERAGE_GAP_MS + 1)).toBe(true);
  });
});

test('it came back halfway between the last bad and the first good', () => {
  expect(plex.backBefore(400)).toBe(350);
  expect(plex.backBefore(350)).toBe(350);
  expect(plex.backBefore(349)).toBe(null);
});

test.each([
  [0, 100, 0],
  [0, 200, 100],
  [150, 350, 100],
  [100, 500, 300],
  [-50, 50, 50],
  [400, 400, 0],
])('from %i to %i it is a guess for %i ms', (from, to, ms) => expect(plex.estimatedMs(from, to)).toBe(ms));

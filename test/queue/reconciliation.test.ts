// The reconciliation as a fold: how far it came, what a second wish makes of it, and that no stray page moves it.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  evolveReconciliation,
  type GapCounts,
  NO_RECONCILIATION,
  type ReconcileEvent,
  type ReconcileScope,
  type Reconciliation,
} from '../../src/queue/reconciliation.ts';
import { PROPERTY_RUNS } from '../support/property-runs.ts';

const ALL: ReconcileScope = {
  since: null,
  newSince: null,
  depth: 'plex',
  isMissingOnly: false,
  libraries: [],
};
const wish = (scope: Partial<ReconcileScope> = {}): ReconcileEvent => ({
  type: 'reconcile.requested',
  scope: { ...ALL, ...scope },
  cause: 'task',
});
const page = (cursor: number, checked = 10, kinds = {}): ReconcileEvent => ({
  type: 'reconcile.advanced',
  cursor,
  checked,
  left: 5,
  gaps: { kinds, fields: {}, libraries: {} },
});
const over: ReconcileEvent = { type: 'reconcile.finished', result: 'done' };

function fold(...events: readonly ReconcileEvent[]): Reconciliation {
  return events.reduce<Reconciliation>(
    (state, event, index) =>
      evolveReconciliation(state, event, { at: 1_000 * (index + 1), mono: 0, boot: 'b' }),
    NO_RECONCILIATION,
  );
}

test('a page that comes twice counts once', () => {
  expect(fold(wish(), page(100, 90), page(100, 90), page(99, 90))).toMatchObject({
    cursor: 100,
    checked: 90,
  });
});

test('what is not compared adds up, of pages that say so and those that do not', () => {
  const skipping = (cursor: number, skipped: GapCounts['skipped']): ReconcileEvent => {
    const advanced = page(cursor) as Extract<ReconcileEvent, { type: 'reconcile.advanced' }>;
    return { ...advanced, gaps: { ...advanced.gaps, ...(skipped && { skipped }) } };
  };
  const pages = [skipping(1, { waiting: 1 }), page(2), skipping(3, { waiting: 2, 'no-file': 1 })];
  expect(fold(wish(), ...pages)).toMatchObject({ gaps: { skipped: { waiting: 3, 'no-file': 1 } } });
});

test('asked for, page by page, over', () => {
  expect(fold(wish(), page(100, 90, { changed: 1 }), page(200, 80, { changed: 2, wiped: 1 }))).toMatchObject({
    state: 'running',
    cursor: 200,
    checked: 170,
    left: 5,
    startedAt: 1_000,
    gaps: { kinds: { changed: 3, wiped: 1 } },
  });
  const ended = fold(wish(), page(100, 90), over);
  expect(ended).toMatchObject({
    state: 'idle',
    wholeAt: 1_000,
    last: { checked: 90, endedAt: 3_000, result: 'done' },
  });
});

describe('a second wish while it runs', () => {
  test('for the same changes nothing', () => {
    const once = fold(wish(), page(100));
    expect(fold(wish(), page(100), wish())).toEqual(once);
  });

  test('for as many libraries, but others, is for something else', () => {
    const libraries = (...names: string[]) => wish({ libraries: names });
    expect(fold(libraries('a', 'b'), page(100), libraries('b', 'a'))).toMatchObject({ cursor: 100 });
    expect(fold(libraries('a', 'b'), page(100), libraries('a', 'c'))).toMatchObject({
      cursor: 0,
      scope: { libraries: ['a', 'b', 'c'] },
    });
  });

  test.each<[string, Partial<ReconcileScope>, Partial<ReconcileScope>, Partial<ReconcileScope>]>([
    ['some libraries is part of all of them', {}, { libraries: ['a'] }, { libraries: [] }],
    ['what Stash says is part of what Plex holds as well', {}, { depth: 'stash' }, { depth: 'plex' }],
    [
      'missing ones is the same again',
      { isMissingOnly: true },
      { isMissingOnly: true },
      { isMissingOnly: true },
    ],
  ])('for %s', (_, first, second, scope) => {
    expect(fold(wish(first), page(100), wish(second))).toMatchObject({ cursor: 100, scope });
  });

  test('for less is part of what is being done', () => {
    expect(fold(wish(), page(100), wish({ since: 5 }))).toMatchObject({
      cursor: 100,
      scope: { since: null },
    });
  });

  test.each([
    ['an earlier time', { since: 50 }, { since: 10 }, { since: 10 }],
    ['all', { since: 50 }, {}, { since: null }],
    ['Plex as well', { depth: 'stash' }, {}, { depth: 'plex' }],
    ['those that were delivered', { isMissingOnly: true }, {}, { isMissingOnly: false }],
    ['another library', { libraries: ['A'] }, { libraries: ['B'] }, { libraries: ['A', 'B'] }],
    ['every library', { libraries: ['A'] }, {}, { libraries: [] }],
    ['new ones of longer ago', { newSince: 9 }, { newSince: 3 }, { newSince: 3 }],
  ] as const)('for %s begins anew and covers both', (_what, first, second, both) => {
    const state = fold(
      wish(first as Partial<ReconcileScope>),
      page(100),
      wish(second as Partial<ReconcileScope>),
    );
    expect(state).toMatchObject({ state: 'running', cursor: 0, checked: 0, scope: both });
  });
});

test.each([
  ['a page of one that is over', [wish(), over, page(100)]],
  ['an end of none', [over]],
  ['a page that was done already', [wish(), over, page(100), over]],
])('%s changes nothing', (_what, events) => {
  expect(fold(...events)).toEqual(fold(...events.slice(0, events[0] === over ? 0 : 2)));
});

test('only one of all scenes, Plex included, counts for the schedule', () => {
  expect(fold(wish({ since: 3 }), over).wholeAt).toBe(0);
  expect(fold(wish({ depth: 'stash' }), over).wholeAt).toBe(0);
  expect(fold(wish({ isMissingOnly: true }), over).wholeAt).toBe(0);
  expect(fold(wish(), over).wholeAt).toBe(1_000);
});

test('whatever comes in whatever order, it only goes forward until it begins anew', () => {
  const scope = fc.record({
    since: fc.option(fc.integer({ min: 0, max: 9 })),
    newSince: fc.option(fc.integer({ min: 0, max: 9 })),
    depth: fc.constantFrom('stash' as const, 'plex' as const),
    isMissingOnly: fc.boolean(),
    libraries: fc.subarray(['A', 'B']),
  });
  const event = fc.oneof(
    scope.map(wish),
    fc.integer({ min: 0, max: 500 }).map((cursor) => page(cursor)),
    fc.constant(over),
  );
  fc.assert(
    fc.property(fc.array(event), (events) => {
      let state: Reconciliation = NO_RECONCILIATION;
      for (const next of events) {
        const after = evolveReconciliation(state, next, { at: 1, mono: 0, boot: 'b' });
        if (state.state === 'running' && after.state === 'running' && next.type === 'reconcile.advanced') {
          expect(after.cursor).toBe(Math.max(state.cursor, next.cursor));
        }
        expect(JSON.parse(JSON.stringify(after))).toEqual(after);
        state = after;
      }
    }),
    PROPERTY_RUNS,
  );
});

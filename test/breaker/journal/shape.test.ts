// The checks that the shapes of records are made of: what passes, what does not, at each bound and one past it.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Check,
  isAtLeastOne,
  isCount,
  isDraw,
  isFlag,
  isMs,
  isText,
  isWaitMs,
  isWallMs,
  listOf,
  MAX_WAIT_MS,
  mapOf,
  oneOf,
  optional,
  orNull,
  shaped,
} from '../../../src/breaker/journal/shape.ts';
import { PROPERTY_RUNS } from '../../support/property-runs.ts';

interface Row {
  readonly check: Check;
  readonly passes: readonly unknown[];
  readonly fails: readonly unknown[];
}

const { MAX_SAFE_INTEGER, MIN_VALUE, POSITIVE_INFINITY } = Number;
/** What is no number, though some of it compares like one. */
const NO_NUMBERS = [undefined, null, '', '1', '0.5', true, [], [1], {}];
const NEVER_FINITE = [Number.NaN, POSITIVE_INFINITY, -POSITIVE_INFINITY];
const person = shaped<{ name: string; age?: number }>({ name: isText, age: optional(isCount) });

const ROWS: Readonly<Record<string, Row>> = {
  isText: { check: isText, passes: ['', 'text'], fails: [undefined, null, 1, true, ['text'], {}] },
  isFlag: { check: isFlag, passes: [true, false], fails: [undefined, null, 0, 1, '', 'true', [], {}] },
  isCount: {
    check: isCount,
    passes: [0, 1, MAX_SAFE_INTEGER],
    fails: [-1, 0.5, MAX_SAFE_INTEGER + 1, ...NEVER_FINITE, ...NO_NUMBERS],
  },
  isAtLeastOne: {
    check: isAtLeastOne,
    passes: [1, 2, MAX_SAFE_INTEGER],
    fails: [0, -1, 1.5, MAX_SAFE_INTEGER + 1, ...NEVER_FINITE, ...NO_NUMBERS],
  },
  isMs: {
    check: isMs,
    passes: [0, 0.5, 1, MAX_WAIT_MS + 1],
    fails: [-MIN_VALUE, -1, ...NEVER_FINITE, ...NO_NUMBERS],
  },
  isWaitMs: {
    check: isWaitMs,
    passes: [0, 0.5, MAX_WAIT_MS],
    fails: [-1, MAX_WAIT_MS + 0.5, ...NEVER_FINITE, ...NO_NUMBERS],
  },
  isDraw: {
    check: isDraw,
    passes: [0, 0.5, 1],
    fails: [-MIN_VALUE, -1, 1.000_001, 2, ...NEVER_FINITE, ...NO_NUMBERS],
  },
  isWallMs: {
    check: isWallMs,
    passes: [0, -1, Date.UTC(2026, 0), 8.6e15 - 1, 1 - 8.6e15],
    fails: [8.6e15, -8.6e15, ...NEVER_FINITE, ...NO_NUMBERS],
  },
  optional: { check: optional(isCount), passes: [undefined, 0, 7], fails: [null, -1, 'x'] },
  orNull: { check: orNull(isCount), passes: [null, 0, 7], fails: [undefined, -1, 'x'] },
  oneOf: {
    check: oneOf('open', 'closed', 1),
    passes: ['open', 'closed', 1],
    fails: ['held', '1', undefined],
  },
  listOf: {
    check: listOf(isCount),
    passes: [[], [0], [1, 2]],
    fails: [[-1], [1, 'x'], [undefined], { 0: 1, length: 1 }, 'text', '', null, undefined],
  },
  mapOf: {
    check: mapOf(isCount),
    passes: [{}, { a: 0 }, { a: 1, b: 2 }],
    fails: [{ a: -1 }, { a: 1, b: 'x' }, [], [1], '', 'text', 7, null, undefined],
  },
  shaped: {
    check: person,
    passes: [{ name: '' }, { name: 'x', age: 7 }, { name: 'x', more: null }],
    fails: [
      {},
      { age: 7 },
      { name: 'x', age: 'old' },
      { name: 7, age: 7 },
      Object.create({ name: 'inherited' }),
      Object.assign([], { name: 'x' }),
      // It has a name of its own, and is no record.
      function named() {},
      'x',
      null,
      undefined,
    ],
  },
};

describe.each(Object.entries(ROWS))('%s', (_, { check, passes, fails }) => {
  test('lets through what it should, and nothing else', () => {
    for (const value of passes) expect(check(value), `${typeof value} ${String(value)}`).toBe(true);
    for (const value of fails) expect(check(value), `${typeof value} ${JSON.stringify(value)}`).toBe(false);
  });

  test('says yes or no to anything, and never throws', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withSparseArray: true }), (anything) => {
        expect(typeof check(anything)).toBe('boolean');
      }),
      PROPERTY_RUNS,
    );
  });
});

test('a list and a map pass when each in them does, and a shape when each field of it does', () => {
  const some = fc.array(fc.oneof(fc.nat(), fc.constant(-1)), { maxLength: 4 });
  fc.assert(
    fc.property(some, (values) => {
      const named = Object.fromEntries(values.map((value, index) => [`field${index}`, value]));
      const allPass = values.every((value) => value >= 0);
      expect(listOf(isCount)(values)).toBe(allPass);
      expect(mapOf(isCount)(named)).toBe(allPass);
      const checks = Object.fromEntries(Object.keys(named).map((field) => [field, isCount]));
      expect(shaped<Record<string, number>>(checks)(named)).toBe(allPass);
    }),
    PROPERTY_RUNS,
  );
});

test('the longest wait is a month, and every time that passes is a date in every time zone', () => {
  expect(isWaitMs(31 * 24 * 3_600_000)).toBe(true);
  const wall = fc.oneof(fc.constantFrom(8.6e15 - 1, 1 - 8.6e15), fc.double({ noNaN: true }));
  fc.assert(
    fc.property(wall, fc.integer({ min: -14, max: 14 }), (at, zoneHours) => {
      fc.pre(isWallMs(at));
      expect(Number.isNaN(new Date(at + zoneHours * 3_600_000).getTime())).toBe(false);
    }),
    PROPERTY_RUNS,
  );
});

// What the page decodes is what was encoded, for any values.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ColumnReader,
  ColumnWriter,
  changesOf,
  differences,
  MAX_DEPTH,
  MAX_ITEMS,
  MAX_TEXT,
  sums,
  unchanged,
} from '../../src/report/columns.ts';

const NOBODY = { by: '', moment: null };
const MOMENT = { at: 1_000_000, mono: 5, boot: 'b' };
const SHOWN = { at: 1_000_000, t: 1_000_700 };

/** Encoded, through JSON as in the page, decoded. */
function through(
  values: readonly unknown[],
  by = 'drain-1',
  moment: typeof MOMENT | null = MOMENT,
): unknown[] {
  const writer = new ColumnWriter();
  for (const value of values) writer.add(value, { by, moment });
  const reader = new ColumnReader(JSON.parse(JSON.stringify(writer.columns())));
  return values.map(() => reader.next(SHOWN, by));
}

const leaf = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer(),
  fc.string({ maxLength: 20 }),
  fc.constantFrom('', '^', '@', '%', '=', '=closed', 'drain-1', '</script>', '__proto__'),
);
const json = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: 'small', withCrossShrink: true }, leaf, tie('list'), tie('object')),
  list: fc.array(tie('value'), { maxLength: 4 }),
  object: fc.dictionary(
    fc.oneof(
      fc.string({ maxLength: 8 }),
      fc.constantFrom('value', 'lease', 'type', 'marks', '__proto__', 'constructor'),
    ),
    tie('value'),
    { maxKeys: 4, noNullPrototype: true },
  ),
})).value;

test('any values come back as they were', () => {
  const isShallow = (value: unknown): boolean => JSON.stringify(value).split(/[[{]/).length <= MAX_DEPTH;
  fc.assert(
    fc.property(fc.array(json.filter(isShallow), { maxLength: 12 }), (values) => {
      expect(through(values)).toEqual(values);
    }),
    { numRuns: 300 },
  );
});

describe('what is cut', () => {
  test('texts at the bound', () => {
    const [whole, cut] = through(['x'.repeat(MAX_TEXT), 'x'.repeat(MAX_TEXT + 1)]) as [string, string];
    expect(whole).toBe('x'.repeat(MAX_TEXT));
    expect(cut).toBe(`${'x'.repeat(MAX_TEXT - 1)}…`);
  });

  test('lists and objects at the bound', () => {
    const numbers = (length: number) => Array.from({ length }, (_, n) => n);
    expect(through([numbers(MAX_ITEMS), numbers(MAX_ITEMS + 1)])).toEqual([
      numbers(MAX_ITEMS),
      numbers(MAX_ITEMS),
    ]);
    const wide = Object.fromEntries(numbers(MAX_ITEMS + 1).map((n) => [`k${n}`, n]));
    expect(Object.keys(through([wide])[0] as object)).toHaveLength(MAX_ITEMS);
  });

  test('what is nested too deeply: a hostile line cannot blow the stack', () => {
    let deep: unknown = 1;
    for (let n = 0; n < 50_000; n++) deep = [deep];
    expect(JSON.stringify(through([deep])).length).toBeLessThan(30);
  });

  test('fractions to a thousandth, and what is no number', () => {
    expect(through([0.123456, Number.NaN, Number.POSITIVE_INFINITY])).toEqual([0.123, 0, 0]);
  });
});

test('a moment is the record’s own, or another at its distance from it', () => {
  const own = { from: MOMENT, waitMs: 60_000 };
  const other = { from: { at: 999_000, mono: 4, boot: 'b' }, waitMs: 60_000 };
  expect(through([own, other])).toEqual([
    { from: SHOWN, waitMs: 60_000 },
    { from: { at: 999_000, t: 999_700 }, waitMs: 60_000 },
  ]);
});

test('values of one shape cost one shape', () => {
  const writer = new ColumnWriter();
  for (let n = 0; n < 1_000; n++) {
    writer.add({ type: 'probe.failed', data: { symptom: `s${n % 3}`, epoch: n } }, NOBODY);
  }
  const { shapes, texts, row } = writer.columns();
  expect([shapes.length, texts.length, row.length]).toEqual([1, 3, 2_000]);
});

test('rows of numbers come back from their differences and from their changes', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -1e12, max: 1e12 })), (values) => {
      expect(sums(differences(values))).toEqual(values);
      expect(unchanged(changesOf(values), values.length)).toEqual(values);
    }),
  );
});

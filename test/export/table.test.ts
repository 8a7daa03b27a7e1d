// CSV as RFC 4180 has it, which no spreadsheet takes for a program; the same table as JSON.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toCsv, toJson } from '../../src/export/table.ts';

const csv = (...cells: string[]) => toCsv({ columns: ['a'], rows: [cells] }).replace(/^a\r\n/, '');

/** RFC 4180, section 2, rules 1 to 7. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
  while (field.lastIndex < text.length) {
    const match = field.exec(text);
    if (match === null) throw new Error(`not CSV at ${text.slice(0, 20)}`);
    row.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    if (match[3] === '\r\n') {
      rows.push(row);
      row = [];
    }
  }
  return rows;
}

test('any text comes back as it was, or with the one mark that keeps it from being run', () => {
  const text = fc.string({
    unit: fc.constantFrom('"', ',', '\r', '\n', "'", '=', '+', '-', '@', 'a', ' ', '長', '\t'),
  });
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text), { maxLength: 5 }), (rows) => {
      const [head, ...parsed] = parseCsv(toCsv({ columns: ['x', 'y'], rows }));
      expect(head).toEqual(['x', 'y']);
      expect(parsed).toHaveLength(rows.length);
      for (const [index, row] of parsed.entries()) {
        for (const [at, cell] of row.entries()) {
          const original = rows[index]![at]!;
          expect([original, `'${original}`]).toContain(cell);
          expect(cell).not.toMatch(/^\s*[=+\-@]|^[\t\r\n]/);
        }
      }
    }),
  );
});

describe('a formula is text', () => {
  test.each(['=1+1', '+1', '-1', '@SUM(A1)', ' =cmd|x', '\t=1', '\r=1', '\uFEFF=1', '＝1'])('%j', (typed) => {
    expect(parseCsv(csv(typed))).toEqual([[`'${typed}`]]);
  });
  test.each(['a=1', '1-2', 'it is -5'])('%j is left alone', (typed) =>
    expect(csv(typed)).toBe(`${typed}\r\n`),
  );
});

test('numbers are numbers, a negative one too; nothing is empty; an object is JSON', () => {
  const table = { columns: ['n', 'b', 'none', 'data'], rows: [[-1.5, true, null, { a: '=1,"x"' }]] };
  expect(parseCsv(toCsv(table))).toEqual([
    ['n', 'b', 'none', 'data'],
    ['-1.5', 'true', '', '{"a":"=1,\\"x\\""}'],
  ]);
  expect(toJson('events', table)).toEqual({
    schema: 'breakwater/export-events/1',
    rows: [{ n: -1.5, b: true, none: null, data: { a: '=1,"x"' } }],
  });
});

// A table, as CSV or as JSON: the same columns under the same names in both.

import { plainJson, plainText } from '../cli/format.ts';

export type Cell = string | number | boolean | null | { readonly [name: string]: unknown };

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

/** Goes up when a column is dropped or comes to mean something else; a column more is no new version. */
const TABLE_VERSION = 1;

/** RFC 4180: CRLF behind every line, quotes where they are needed. Nothing (null) is an empty field. */
export function toCsv({ columns, rows }: Table): string {
  return [columns, ...rows].map((row) => `${row.map(csvField).join(',')}\r\n`).join('');
}

/** `what` names the table. */
export function toJson(what: string, { columns, rows }: Table) {
  return {
    schema: `breakwater/export-${what}/${TABLE_VERSION}`,
    rows: rows.map((row) => Object.fromEntries(columns.map((column, index) => [column, row[index] ?? null]))),
  };
}

/** What a spreadsheet would take for a formula, and run: text that anybody may have typed into a title. */
const FORMULA = /^[\s\uFEFF]*[=+\-@\uFF0B\uFF0D\uFF1D\uFF20]|^[\t\r\n]/;

function csvField(cell: Cell): string {
  switch (typeof cell) {
    case 'number':
    case 'boolean':
      return String(cell);
    case 'string': {
      // First, or what is left out would hide what begins a formula.
      const text = plainText(cell);
      return quoted(FORMULA.test(text) ? `'${text}` : text);
    }
    default:
      return cell === null ? '' : quoted(plainJson(cell, 0));
  }
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

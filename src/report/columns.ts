// Values of a log, small: thousands of events differ in few numbers and names, so the shape of a value is kept
// once and what fills it in stands in one long row. What encodes and what decodes stand side by side; a test holds
// that one undoes the other. The page in the browser decodes with this very file.
//
// It is a picture for a person and no copy of the journal: long texts and lists are cut, and fractions are rounded.

import type { Moment } from '../../machines/time.ts';

/**
 * A value with its contents taken out: `0` is a number and `""` a text of the row, `"=closed"` is that very word,
 * `"@"` the moment of the record itself, `"^"` its writer, `"%"` another moment.
 */
export type Shape = null | boolean | number | string | readonly Shape[] | { readonly [key: string]: Shape };

export interface Columns {
  readonly shapes: readonly Shape[];
  readonly texts: readonly string[];
  /** The shape of each value. */
  readonly shapeOf: readonly number[];
  /** What fills them in, one after the other: numbers, and texts by their index. */
  readonly row: readonly number[];
}

/** By whom and when a record was written: most of what it says of both is said of itself. */
export interface Envelope {
  readonly by: string;
  readonly moment: Moment | null;
}

/** A moment as the page shows it: by the wall clock, and on the line that never goes back; ms. */
export interface ShownMoment {
  readonly at: number;
  readonly t: number;
}

/** Bounds of what is shown of one value. */
export const MAX_TEXT = 300;
export const MAX_ITEMS = 40;
export const MAX_DEPTH = 6;

/** Words of a closed list: part of the shape. */
const WORDS: ReadonlySet<string> = new Set([
  'type',
  'marks',
  'value',
  'lease',
  'hold',
  'class',
  'stance',
  'kind',
  'boot',
]);

export class ColumnWriter {
  readonly #shapes = new Map<string, number>();
  readonly #texts = new Map<string, number>();
  readonly #shapeOf: number[] = [];
  readonly #row: number[] = [];

  add(value: unknown, envelope: Envelope): void {
    const shape = JSON.stringify(this.#shape(value, '', envelope, 0));
    this.#shapeOf.push(indexIn(this.#shapes, shape));
  }

  /** A text that is named from elsewhere. */
  text(text: string): number {
    return indexIn(this.#texts, cut(text));
  }

  columns(): Columns {
    return {
      shapes: [...this.#shapes.keys()].map((shape) => JSON.parse(shape) as Shape),
      texts: [...this.#texts.keys()],
      shapeOf: this.#shapeOf,
      row: this.#row,
    };
  }

  #shape(value: unknown, key: string, envelope: Envelope, depth: number): Shape {
    switch (typeof value) {
      case 'boolean':
        return value;
      case 'number':
        this.#row.push(rounded(value));
        return 0;
      case 'string':
        return this.#textShape(value, key, envelope);
      case 'object':
        return value === null ? null : this.#objectShape(value, key, envelope, depth);
      default:
        return null;
    }
  }

  #textShape(text: string, key: string, { by }: Envelope): Shape {
    if (text === by) return '^';
    if (WORDS.has(key)) return `=${cut(text)}`;
    this.#row.push(this.text(text));
    return '';
  }

  #objectShape(value: object, key: string, envelope: Envelope, depth: number): Shape {
    if (isMoment(value)) return this.#momentShape(value, envelope);
    if (depth >= MAX_DEPTH) return '=…';
    if (Array.isArray(value)) {
      return value.slice(0, MAX_ITEMS).map((item) => this.#shape(item, key, envelope, depth + 1));
    }
    const entries = Object.entries(value).slice(0, MAX_ITEMS);
    return Object.fromEntries(
      entries.map(([name, inner]) => [cut(name), this.#shape(inner, name, envelope, depth + 1)]),
    );
  }

  #momentShape(value: Moment, { moment }: Envelope): Shape {
    if (moment !== null && value.at === moment.at && value.mono === moment.mono) return '@';
    this.#row.push(rounded(value.at));
    return '%';
  }
}

/** Reads the values back in the order in which they were added. */
export class ColumnReader {
  readonly #columns: Columns;
  #value = 0;
  #cell = 0;

  constructor(columns: Columns) {
    this.#columns = columns;
  }

  /** `now` is the moment of the record, `by` its writer. */
  next(now: ShownMoment, by: string): unknown {
    const shape = this.#columns.shapes[this.#columns.shapeOf[this.#value++] ?? -1] ?? null;
    return this.#filled(shape, now, by);
  }

  #filled(shape: Shape, now: ShownMoment, by: string): unknown {
    if (typeof shape === 'number') return this.#columns.row[this.#cell++];
    if (typeof shape === 'string') return this.#word(shape, now, by);
    if (typeof shape !== 'object' || shape === null) return shape;
    if (Array.isArray(shape)) return shape.map((inner: Shape) => this.#filled(inner, now, by));
    return Object.fromEntries(
      Object.entries(shape).map(([key, inner]) => [key, this.#filled(inner, now, by)]),
    );
  }

  #word(shape: string, now: ShownMoment, by: string): unknown {
    switch (shape[0]) {
      case undefined:
        return this.#columns.texts[this.#columns.row[this.#cell++] ?? -1] ?? '';
      case '=':
        return shape.slice(1);
      case '@':
        return now;
      case '^':
        return by;
      default: {
        const at = this.#columns.row[this.#cell++] ?? 0;
        return { at, t: at + now.t - now.at };
      }
    }
  }
}

/** What each number adds to the one before. */
export function differences(values: readonly number[]): number[] {
  return values.map((value, index) => value - (values[index - 1] ?? 0));
}

export function sums(added: readonly number[]): number[] {
  let sum = 0;
  return added.map((more) => {
    sum += more;
    return sum;
  });
}

/** Where a row of numbers changes, and to what: `[index, value, index, value, …]`. */
export function changesOf(values: readonly number[]): number[] {
  return values.flatMap((value, index) => (value === (values[index - 1] ?? 0) ? [] : [index, value]));
}

/** The row again, of `length` numbers. */
export function unchanged(changes: readonly number[], length: number): number[] {
  const values: number[] = [];
  let current = 0;
  let next = 0;
  for (let index = 0; index < length; index++) {
    if (changes[next] === index) {
      current = changes[next + 1] ?? 0;
      next += 2;
    }
    values.push(current);
  }
  return values;
}

function isMoment(value: object): value is Moment {
  const { at, mono, boot } = value as Partial<Moment>;
  return typeof at === 'number' && typeof mono === 'number' && typeof boot === 'string';
}

function rounded(value: number): number {
  return Number.isFinite(value) ? Math.round(value * 1_000) / 1_000 : 0;
}

function cut(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT - 1)}…` : text;
}

function indexIn(all: Map<string, number>, one: string): number {
  const known = all.get(one);
  if (known !== undefined) return known;
  all.set(one, all.size);
  return all.size - 1;
}

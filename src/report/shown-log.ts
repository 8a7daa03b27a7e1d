// The newest events of the control stream as the page gets them: not states but what each event moved, which the
// page adds up. The states come from the steps of the replay; nothing is folded here.

import type { Moment } from '../../machines/time.ts';
import { type ControlState, MACHINE_NAMES, type Position, type Step } from '../breaker/index.ts';
import type { Backlog } from './backlog.ts';
import { ColumnWriter, changesOf, differences } from './columns.ts';
import type { LogColumns, LogValue, MachineMove, Mark } from './report-data.ts';

/** Older ones are in the figures, and not in the table. */
export const MAX_EVENTS = 5_000;

/** A line of the control stream: a record that was folded, or one that could not be read. */
export type ShownLine =
  | { readonly kind: 'step'; readonly step: Step; readonly t: number }
  | {
      readonly kind: 'unread';
      readonly mark: 'damaged' | 'newer';
      readonly detail: string;
      readonly position: Position;
      /** Of the record before it. */
      readonly at: number;
      readonly t: number;
    };

/** Keeps the newest lines. */
export class ShownLog {
  #lines: ShownLine[] = [];
  #dropped = 0;

  add(line: ShownLine): void {
    this.#lines.push(line);
    if (this.#lines.length >= 2 * MAX_EVENTS) this.#drop();
  }

  columns(backlog: Backlog, end: ControlState): LogColumns {
    this.#drop();
    return columnsOf(this.#lines, this.#dropped, backlog, end);
  }

  /** The index of the line at `position` among those that are shown; null: it is not. */
  indexOf(position: Position): number | null {
    const index = this.#lines.findIndex((line) => positionOf(line) === position);
    return index < 0 ? null : index;
  }

  /** The first line from `index` on at which the breaker closes. */
  closingFrom(index: number): number | null {
    const isClosing = (line: ShownLine) =>
      line.kind === 'step' &&
      line.step.before.breaker.value !== 'closed' &&
      line.step.after.breaker.value === 'closed';
    const found = this.#lines.findIndex((line, at) => at > index && isClosing(line));
    return found < 0 ? null : found;
  }

  #drop(): void {
    const extra = Math.max(0, this.#lines.length - MAX_EVENTS);
    this.#dropped += extra;
    this.#lines = this.#lines.slice(extra);
  }
}

function columnsOf(
  lines: readonly ShownLine[],
  earlier: number,
  backlog: Backlog,
  end: ControlState,
): LogColumns {
  const writer = new ColumnWriter();
  const first = lines.find((line) => line.kind === 'step');
  const start = first === undefined ? end : first.step.before;
  writer.add({ type: 'start', data: {}, moves: movesOf(null, start) }, { by: '', moment: null });
  const by: number[] = [];
  for (const line of lines) {
    const inv = line.kind === 'step' ? line.step.record.inv : '';
    by.push(writer.text(inv));
    writer.add(logValueOf(line), { by: inv, moment: line.kind === 'step' ? momentOf(line.step) : null });
  }
  const at = lines.map(atOf);
  const waiting = at.map((when) => backlog.at(when));
  return {
    ...writer.columns(),
    position: differences(lines.map(positionOf)),
    at: differences(at),
    by,
    clock: changesOf(steady(lines.map((line) => Math.round(line.t - atOf(line))))),
    pending: changesOf(waiting.map(({ pending }) => pending)),
    deferred: changesOf(waiting.map(({ deferred }) => deferred)),
    earlier,
  };
}

function logValueOf(line: ShownLine): LogValue {
  if (line.kind === 'unread') {
    return { type: 'line.unread', marks: [line.mark], data: { detail: line.detail }, moves: {} };
  }
  const { record, before, after } = line.step;
  const marks = marksOf(line.step);
  const value = { type: record.type, data: record.data, moves: movesOf(before, after) };
  return marks.length === 0 ? value : { ...value, marks };
}

function marksOf({ isVoid, agreement }: Step): readonly Mark[] {
  return [...(isVoid ? ['void' as const] : []), ...(agreement === 'agreed' ? [] : [agreement])];
}

/** What is different in `after`; all of it when there is no `before`. */
export function movesOf(before: ControlState | null, after: ControlState): Record<string, MachineMove> {
  const moves: Record<string, MachineMove> = {};
  for (const name of MACHINE_NAMES) {
    const [was, is] = [before?.[name], after[name]];
    if (was === is) continue;
    const old = was?.context as Readonly<Record<string, unknown>> | undefined;
    const context = Object.fromEntries(
      Object.entries(is.context).filter(([key, value]) => old === undefined || !isSame(old[key], value)),
    );
    moves[name] = { ...(was?.value === is.value ? {} : { value: is.value }), context };
  }
  return moves;
}

function isSame(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

/** Rounding makes two clocks tremble against each other; only a clock that was set is news. */
function steady(offsets: readonly number[]): number[] {
  let current = 0;
  return offsets.map((offset) => {
    if (Math.abs(offset - current) > 1_000) current = offset;
    return current;
  });
}

function positionOf(line: ShownLine): Position {
  return line.kind === 'step' ? line.step.position : line.position;
}

function atOf(line: ShownLine): number {
  return line.kind === 'step' ? line.step.record.at : line.at;
}

function momentOf({ record }: Step): Moment {
  return { at: record.at, mono: record.mono, boot: record.boot };
}

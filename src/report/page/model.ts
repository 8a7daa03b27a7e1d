// The log as the page goes through it: every event, and the state after each. The states share what they have in
// common, so that any of them is there at once.

import { ColumnReader, type ShownMoment, sums, unchanged } from '../columns.ts';
import type { LogColumns, LogValue, MachineMove, Mark } from '../report-data.ts';

export interface MachineView {
  readonly value: string;
  readonly context: Readonly<Record<string, unknown>>;
}

export type MachineViews = Readonly<Record<string, MachineView>>;

export interface ShownEvent {
  readonly index: number;
  /** Its number in the whole log, from 1. */
  readonly number: number;
  readonly position: number;
  readonly moment: ShownMoment;
  readonly by: string;
  readonly type: string;
  readonly marks: readonly Mark[];
  readonly data: LogValue['data'];
  readonly moves: LogValue['moves'];
  readonly before: MachineViews;
  readonly after: MachineViews;
  readonly pending: number;
  readonly deferred: number;
}

export const MACHINES = ['breaker', 'recovery', 'drain', 'probe', 'operator', 'config', 'throttle'] as const;

/** Which drawing each is an instance of. */
export const CHART_OF: Readonly<Record<(typeof MACHINES)[number], string>> = {
  breaker: 'breaker',
  recovery: 'recovery',
  drain: 'lease',
  probe: 'lease',
  operator: 'hold',
  config: 'hold',
  throttle: 'hold',
};

/** The state before the first event, and the events. */
export function eventsOf(log: LogColumns): readonly ShownEvent[] {
  const reader = new ColumnReader(log);
  const start = reader.next({ at: 0, t: 0 }, '') as LogValue;
  let state = moved({}, start.moves);
  const count = log.at.length;
  const [positions, times] = [sums(log.position), sums(log.at)];
  const [clock, pending, deferred] = [log.clock, log.pending, log.deferred].map((row) =>
    unchanged(row, count),
  ) as [number[], number[], number[]];
  return times.map((at, index) => {
    const moment = { at, t: at + (clock[index] ?? 0) };
    const by = log.texts[log.by[index] ?? -1] ?? '';
    const { type, marks = [], data, moves } = reader.next(moment, by) as LogValue;
    const before = state;
    state = moved(state, moves);
    return {
      index,
      number: log.earlier + index + 1,
      position: positions[index] ?? 0,
      moment,
      by,
      type,
      marks,
      data,
      moves,
      before,
      after: state,
      pending: pending[index] ?? 0,
      deferred: deferred[index] ?? 0,
    };
  });
}

/** Whether a machine is in another state than before: what "only changes" keeps. */
export function isChange({ moves, before }: ShownEvent): boolean {
  return Object.entries(moves).some(
    ([name, { value }]) => value !== undefined && value !== before[name]?.value,
  );
}

function moved(before: MachineViews, moves: Readonly<Record<string, MachineMove>>): MachineViews {
  const names = Object.keys(moves);
  if (names.length === 0) return before;
  const after: Record<string, MachineView> = { ...before };
  for (const name of names) {
    const { value, context } = moves[name] as MachineMove;
    const was = before[name];
    after[name] = { value: value ?? was?.value ?? '', context: { ...was?.context, ...context } };
  }
  return after;
}

// What a report says: the document that stands in the page, and that the page's script reads. Times are wall
// clock, ms since 1970; the page shows them in its reader's own time zone. Nothing here comes from a clock: the same
// log makes the same document.

import type { CountedClass } from '../../machines/failure-classes.ts';
import type { FoldCounts } from '../breaker/index.ts';
import type { Status } from '../cli/status.ts';
import type { HistoryFigures, OutageFigures } from '../outages/summary.ts';
import type { Columns } from './columns.ts';

export interface ReportData {
  /** When "now" is: the newest record, or what was asked for. */
  readonly now: number;
  /** When the first record was written; null in an empty log. */
  readonly begunAt: number | null;
  readonly status: Status;
  /** Since when Plex has been away, or null. */
  readonly awaySince: number | null;
  readonly figures: HistoryFigures;
  readonly records: FoldCounts;
  readonly outages: readonly ReportOutage[];
  /** How many older outages are counted and not shown. */
  readonly olderOutages: number;
  readonly spans: SpanColumns;
  readonly log: LogColumns;
}

/** What is known of a piece of time. What no span covers was not observed. */
export type SpanKind = 'up' | 'down' | 'maintenance';
export const SPAN_KINDS: readonly SpanKind[] = ['up', 'down', 'maintenance'];

/** Spans in their order, disjoint. `from` and `length` in ms, `from` as differences; `kind` by its index. */
export interface SpanColumns {
  readonly from: readonly number[];
  readonly length: readonly number[];
  readonly kind: readonly number[];
}

export interface ReportOutage {
  readonly number: number;
  readonly class: CountedClass;
  readonly lastGood: number | null;
  readonly firstFailed: number;
  readonly lastFailed: number;
  readonly firstGood: number | null;
  readonly closed: number | null;
  readonly drained: number | null;
  readonly probes: number;
  readonly waiting: number;
  readonly figures: OutageFigures;
  readonly notes: readonly { readonly at: number; readonly text: string }[];
  /** Which of the shown events opened the breaker, and which closed it; null: not among them. */
  readonly opensAt: number | null;
  readonly closesAt: number | null;
  readonly curve: DrainCurve;
}

/** Pending changes at the ends of as many equal pieces of time, while Plex was away and from then on. */
export interface DrainCurve {
  readonly away: CurvePart;
  /** Null while it is away. */
  readonly back: CurvePart | null;
}

export interface CurvePart {
  readonly from: number;
  readonly to: number;
  readonly pending: readonly number[];
}

/** The newest events of the control stream. Its first value is the state before them, then one for each. */
export interface LogColumns extends Columns {
  /** Differences. */
  readonly position: readonly number[];
  /** Differences. */
  readonly at: readonly number[];
  /** Who wrote it: an index into `texts`. */
  readonly by: readonly number[];
  /** How far the line that never goes back is from the wall clock, in ms: changes. */
  readonly clock: readonly number[];
  /** Changes. */
  readonly pending: readonly number[];
  /** Changes. */
  readonly deferred: readonly number[];
  /** How many events came before. */
  readonly earlier: number;
}

/**
 * What is to be said of a record:
 * - `void`: it changed nothing where it landed
 * - `contended`, `adopted`, `drift`: how it compares with what its writer computed
 * - `damaged`, `newer`: it could not be read
 */
export type Mark = 'void' | 'contended' | 'adopted' | 'drift' | 'damaged' | 'newer';

/** One value of the log. */
export interface LogValue {
  readonly type: string;
  readonly marks?: readonly Mark[];
  readonly data: Readonly<Record<string, unknown>>;
  /** What the event moved: machine → its state where that changed, and what changed in its context. */
  readonly moves: Readonly<Record<string, MachineMove>>;
}

export interface MachineMove {
  readonly value?: string;
  readonly context: Readonly<Record<string, unknown>>;
}

// What was seen of Plex, as pieces of time to draw: up, down, in maintenance. Which piece is what, is said by the
// coverage of the outage history and by nothing else, so that a picture and the figures cannot disagree. What is
// not in a span was not observed.

import { meaningOf } from '../../machines/failure-classes.ts';
import type { Step } from '../breaker/index.ts';
import type { OutageHistory } from '../outages/outages.ts';
import { differences } from './columns.ts';
import { SPAN_KINDS, type SpanColumns, type SpanKind } from './report-data.ts';

export interface Span {
  readonly kind: SpanKind;
  /** Wall ms. */
  readonly from: number;
  readonly to: number;
}

/** How far back the page looks. */
const BAR_DAYS = 90;
/** More than this are not drawn: the oldest then count as not observed. */
export const MAX_SPANS = 6_000;

export class SpanFold {
  readonly #spans: Span[] = [];
  /** Whether the newest observation was a server that said "maintenance". */
  #isMaintenance = false;

  /** `before` and `after`: the history around the step. */
  add(before: OutageHistory, after: OutageHistory, { event }: Step): void {
    if (after.lastSeen === before.lastSeen || after.lastSeen === null || event === null) return;
    const wasMaintenance = this.#isMaintenance;
    this.#isMaintenance = 'class' in event && meaningOf(event.class).breaker === 'maintenance';
    if (before.lastSeen === null) return;
    const kind = kindOf(before, after, wasMaintenance && this.#isMaintenance);
    if (kind !== null) {
      this.#push(kind, after.lastSeen.instant.at, after.lastSeen.instant.t - before.lastSeen.instant.t);
    }
  }

  /** Those of the days that are drawn, in their order. */
  spans(now: number): readonly Span[] {
    const begins = now - (BAR_DAYS + 1) * 86_400_000;
    return this.#spans.filter(({ to }) => to > begins).slice(-MAX_SPANS);
  }

  #push(kind: SpanKind, to: number, lengthMs: number): void {
    const last = this.#spans.at(-1);
    // A wall clock that was set back must not paint one piece of time twice.
    const from = Math.max(Math.round(to - lengthMs), last?.to ?? Number.NEGATIVE_INFINITY);
    if (to <= from) return;
    const isNext = last !== undefined && last.kind === kind && from - last.to <= 1;
    if (isNext) this.#spans[this.#spans.length - 1] = { ...last, to };
    else this.#spans.push({ kind, from, to });
  }
}

export function spanColumns(spans: readonly Span[]): SpanColumns {
  return {
    from: differences(spans.map(({ from }) => from)),
    length: spans.map(({ from, to }) => to - from),
    kind: spans.map(({ kind }) => SPAN_KINDS.indexOf(kind)),
  };
}

/** Null: the time between the two observations was not observed. */
function kindOf(before: OutageHistory, after: OutageHistory, isMaintenance: boolean): SpanKind | null {
  if (after.coverage.upMs > before.coverage.upMs) return 'up';
  if (after.coverage.downMs > before.coverage.downMs) return isMaintenance ? 'maintenance' : 'down';
  return null;
}

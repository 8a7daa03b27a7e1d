// The figures of an outage history, each with its definition. All durations in ms.

import type { Coverage, Outage, OutageHistory } from './outages.ts';

/** In ms. */
export const MIN_OBSERVED_MS = 3_600_000;

export interface OutageFigures {
  readonly number: number;
  /** `refused, then maintenance` */
  readonly cause: string;
  readonly isOngoing: boolean;
  /** Shortest and longest that the observations allow; `longestMs` null: it began or ended unseen. */
  readonly shortestMs: number;
  readonly longestMs: number | null;
  /** From the first failure to the first good answer: what somebody waiting saw. Null while it lasts. */
  readonly lastedMs: number | null;
  /** From the first failure to the breaker's opening. */
  readonly detectedAfterMs: number;
  /** From the first good answer until nothing was left to attempt. */
  readonly drainedInMs: number | null;
}

export interface HistoryFigures {
  readonly count: number;
  readonly ongoing: number;
  /** Mean time to recovery: the mean of `lastedMs` of the ended outages. */
  readonly mttrMs: number | null;
  /** Mean time between failures: the mean time from the end of an outage to the beginning of the next, observed or not. */
  readonly mtbfMs: number | null;
  /**
   * up ÷ (up + down), of the observed time only; null while less than `MIN_OBSERVED_MS` was observed: a share
   * of a few seconds says nothing.
   */
  readonly availability: number | null;
  readonly coverage: Coverage;
  /** From the first to the last observation. */
  readonly windowMs: number;
}

export function figuresOf(outage: Outage): OutageFigures {
  const { firstFailed, lastFailed, firstGood, lastGood, opened, drained } = outage;
  const end = firstGood?.t ?? null;
  return {
    number: outage.number,
    cause: outage.symptoms.join(', then '),
    isOngoing: outage.closed === null,
    shortestMs: lastFailed.t - firstFailed.t,
    longestMs: end === null || lastGood === null ? null : end - lastGood.t,
    lastedMs: end === null ? null : end - firstFailed.t,
    detectedAfterMs: opened.t - firstFailed.t,
    drainedInMs: drained === null || end === null ? null : drained.t - end,
  };
}

export function historyFigures({ outages, coverage, firstSeen, lastSeen }: OutageHistory): HistoryFigures {
  const lasted = outages.map((outage) => figuresOf(outage).lastedMs).filter((ms) => ms !== null);
  const between = outages.flatMap((outage, index) => {
    const end = outages[index - 1]?.firstGood;
    return end === undefined || end === null ? [] : [outage.firstFailed.t - end.t];
  });
  const observedMs = coverage.upMs + coverage.downMs;
  return {
    count: outages.length,
    ongoing: outages.filter((outage) => outage.closed === null).length,
    mttrMs: mean(lasted),
    mtbfMs: mean(between),
    availability: observedMs < MIN_OBSERVED_MS ? null : coverage.upMs / observedMs,
    coverage,
    windowMs: firstSeen === null || lastSeen === null ? 0 : lastSeen.instant.t - firstSeen.t,
  };
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

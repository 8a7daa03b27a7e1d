// What was and what would have been, side by side, outage by outage. Both are folded by the same read model and measured by the
// same definitions; each figure says which share of it was estimated.

import type { Policy } from '../../machines/policy.ts';
import type { Outage } from '../outages/outages.ts';
import { figuresOf } from '../outages/summary.ts';
import { type OtherRun, runOther } from './other-run.ts';
import type { RecordedLog } from './recorded.ts';

export interface Figure {
  /** ms or a count; null: it did not come to that. */
  readonly value: number | null;
  /** Which share of it rests on an estimate, in [0, 1]. */
  readonly estimated: number;
}

export interface Side {
  /** Outages; several where one would have been seen as several. */
  readonly outages: number;
  /** From the first failure to the breaker's opening. */
  readonly detectedAfterMs: Figure;
  readonly probes: Figure;
  /** From Plex's return (which nobody saw: it is taken for halfway between two observations) to the probe that found it. */
  readonly foundBackAfterMs: Figure;
  /** From that probe until nothing was left to deliver. */
  readonly drainedInMs: Figure;
}

export interface Comparison {
  /** As `outages` numbers it; null: an outage that only the other settings would have seen. */
  readonly number: number | null;
  readonly cause: string;
  readonly was: Side | null;
  /** Null: it would not have been taken for an outage. */
  readonly would: Side | null;
  /** Other − was, in ms: below zero is sooner. Null where one of the two is not known. */
  readonly detectedLaterMs: Figure;
  readonly foundBackLaterMs: Figure;
  readonly drainedLaterMs: Figure;
}

export interface Backtest {
  readonly overrides: Partial<Policy>;
  /** The policy of the end of the log. */
  readonly policy: Policy;
  readonly outages: readonly Comparison[];
  readonly total: Omit<Comparison, 'number' | 'cause'>;
}

const NOT_KNOWN: Figure = { value: null, estimated: 0 };

/** `only`: the outage with this number alone; the whole log is folded all the same. */
export function backtest(
  log: RecordedLog,
  policy: Policy,
  overrides: Partial<Policy>,
  only: number | null = null,
): Backtest {
  const run = runOther(log, { overrides });
  const pairs = pairsOf(log.history.outages, run.history.outages).filter(
    ({ was }) => only === null || was?.number === only,
  );
  const outages = pairs.map(({ was, would }) => comparisonOf(log, run, was, would));
  return { overrides, policy, outages, total: totalOf(outages) };
}

interface Pair {
  readonly was: Outage | null;
  readonly would: readonly Outage[];
}

/** Each outage of the other run with the one that it overlaps first, or alone. */
function pairsOf(actual: readonly Outage[], others: readonly Outage[]): Pair[] {
  const matched = new Map<Outage, Outage[]>(actual.map((was) => [was, []]));
  const alone: Outage[] = [];
  for (const other of others) {
    const was = actual.find((one) => beginOf(one) <= endOf(other) && beginOf(other) <= endOf(one));
    if (was === undefined) alone.push(other);
    else matched.get(was)?.push(other);
  }
  const pairs: Pair[] = [
    ...[...matched].map(([was, would]) => ({ was, would })),
    ...alone.map((other) => ({ was: null, would: [other] })),
  ];
  return pairs.sort((a, b) => beginOf(a.was ?? a.would[0]) - beginOf(b.was ?? b.would[0]));
}

function beginOf(outage: Outage | undefined): number {
  return outage?.firstFailed.t ?? 0;
}

function endOf({ closed, firstGood }: Outage): number {
  return (closed ?? firstGood)?.t ?? Number.POSITIVE_INFINITY;
}

function comparisonOf(
  log: RecordedLog,
  run: OtherRun,
  actual: Outage | null,
  others: readonly Outage[],
): Comparison {
  const nothingMadeUp = { history: log.history, madeUp: [], answers: [] };
  const was = actual === null ? null : sideOf(log, nothingMadeUp, [actual]);
  const would = others.length === 0 ? null : sideOf(log, run, others);
  const [first, last] = [others[0], others.at(-1)];
  const later = (a: number | undefined, b: number | undefined, from: Figure | undefined): Figure =>
    a === undefined || b === undefined || from === undefined
      ? NOT_KNOWN
      : figure(b - a, a === b ? 0 : from.estimated);
  const foundBack = { value: 0, estimated: guessedShare(log, run, last) };
  return {
    number: actual?.number ?? null,
    cause: figuresOf(actual ?? first!).cause,
    was,
    would,
    detectedLaterMs: later(actual?.opened.t, first?.opened.t, would?.detectedAfterMs),
    foundBackLaterMs: later(actual?.firstGood?.t, last?.firstGood?.t, foundBack),
    drainedLaterMs: later(actual?.drained?.t, last?.drained?.t, would?.drainedInMs),
  };
}

function sideOf(log: RecordedLog, run: OtherRun, outages: readonly Outage[]): Side {
  return {
    outages: outages.length,
    detectedAfterMs: sum(outages.map((outage) => detectedOf(run, outage))),
    probes: sum(outages.map((outage) => probesOf(run, outage))),
    foundBackAfterMs: sum(outages.map((outage) => foundBackOf(log, outage))),
    drainedInMs: sum(outages.map((outage) => drainedOf(run, outage))),
  };
}

function detectedOf({ answers }: OtherRun, outage: Outage): Figure {
  const isGuess = answers.some(
    ({ t, isConfirmation, isEstimated }) => isConfirmation && isEstimated && t === outage.opened.t,
  );
  return { value: figuresOf(outage).detectedAfterMs, estimated: isGuess ? 1 : 0 };
}

function probesOf({ answers }: OtherRun, outage: Outage): Figure {
  const guessed = answers.filter(
    ({ t, isEstimated }) => isEstimated && t >= beginOf(outage) && t <= endOf(outage),
  ).length;
  const { probes } = outage;
  return { value: probes, estimated: probes === 0 ? 0 : Math.min(1, guessed / probes) };
}

function foundBackOf({ plex }: RecordedLog, { firstGood }: Outage): Figure {
  const back = firstGood === null ? null : plex.backBefore(firstGood.t);
  if (firstGood === null || back === null) return NOT_KNOWN;
  const value = firstGood.t - back;
  return { value, estimated: value === 0 ? 0 : plex.estimatedMs(back, firstGood.t) / value };
}

function drainedOf({ madeUp }: OtherRun, outage: Outage): Figure {
  const value = figuresOf(outage).drainedInMs;
  const [from, to] = [outage.firstGood?.t ?? 0, outage.drained?.t ?? 0];
  if (value === null) return NOT_KNOWN;
  const made = madeUp.reduce(
    (ms, part) => ms + Math.max(0, Math.min(part.to, to) - Math.max(part.from, from)),
    0,
  );
  return { value, estimated: value === 0 ? 0 : Math.min(1, made / value) };
}

/** Of the time from its last failed probe to the one that found Plex back: in it Plex returned, nobody saw when. */
function guessedShare({ plex }: RecordedLog, { madeUp }: OtherRun, outage: Outage | undefined): number {
  const [from, to] = [outage?.lastFailed.t ?? 0, outage?.firstGood?.t ?? 0];
  const isMadeUp = madeUp.some((part) => part.from < to && part.to >= to);
  return isMadeUp && to > from ? plex.estimatedMs(from, to) / (to - from) : 0;
}

function totalOf(outages: readonly Comparison[]): Backtest['total'] {
  const sides = (pick: (one: Comparison) => Side | null): Side | null => {
    const all = outages.map(pick).filter((side) => side !== null);
    if (all.length === 0) return null;
    return {
      outages: all.reduce((n, side) => n + side.outages, 0),
      detectedAfterMs: sum(all.map((side) => side.detectedAfterMs)),
      probes: sum(all.map((side) => side.probes)),
      foundBackAfterMs: sum(all.map((side) => side.foundBackAfterMs)),
      drainedInMs: sum(all.map((side) => side.drainedInMs)),
    };
  };
  return {
    was: sides(({ was }) => was),
    would: sides(({ would }) => would),
    detectedLaterMs: sum(outages.map((one) => one.detectedLaterMs)),
    foundBackLaterMs: sum(outages.map((one) => one.foundBackLaterMs)),
    drainedLaterMs: sum(outages.map((one) => one.drainedLaterMs)),
  };
}

/** Of those that are known; each brings its share of estimate by its size. */
function sum(figures: readonly Figure[]): Figure {
  const known = figures.filter((figure): figure is Figure & { value: number } => figure.value !== null);
  if (known.length === 0) return NOT_KNOWN;
  const size = known.reduce((total, { value }) => total + Math.abs(value), 0);
  const guessed = known.reduce((total, { value, estimated }) => total + Math.abs(value) * estimated, 0);
  return figure(
    known.reduce((total, { value }) => total + value, 0),
    size === 0 ? 0 : guessed / size,
  );
}

/** To the millisecond, and to a thousandth of it. */
function figure(value: number, estimated: number): Figure {
  return { value: Math.round(value), estimated: Math.round(estimated * 1_000) / 1_000 };
}

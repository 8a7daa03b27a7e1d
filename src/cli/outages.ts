// Outages as lines for a person. The document for programs is OutageReport.

import type { Outage, OutageHistory } from '../outages/outages.ts';
import { figuresOf, type HistoryFigures, historyFigures, type OutageFigures } from '../outages/summary.ts';
import { count, duration, percent, plain, time } from './format.ts';

export interface OutageReport {
  readonly figures: HistoryFigures;
  readonly outages: readonly (Outage & { readonly figures: OutageFigures })[];
}

export function outageReport(history: OutageHistory): OutageReport {
  return {
    figures: historyFigures(history),
    outages: history.outages.map((outage) => ({ ...outage, figures: figuresOf(outage) })),
  };
}

export function outageLines({ figures, outages }: OutageReport): string[] {
  if (outages.length === 0) return ['No outage was recorded.', ...coverageLines(figures)];
  const lines = outages.flatMap((outage) => [...linesOf(outage), ...noteLines(outage), '']);
  const parts = [
    count(figures.count, 'outage'),
    figures.ongoing > 0 ? `${figures.ongoing} ongoing` : '',
    figures.mttrMs === null ? '' : `mean time to recovery ${duration(figures.mttrMs)}`,
    // By the clock: most of it may be time in which nobody looked.
    figures.mtbfMs === null
      ? ''
      : `mean time between failures ${duration(figures.mtbfMs)} (with the time that was not observed)`,
  ];
  return [...lines, `${parts.filter((part) => part !== '').join(', ')}.`, ...coverageLines(figures)];
}

function linesOf(outage: Outage & { readonly figures: OutageFigures }): string[] {
  const { number, figures, firstFailed, firstGood, lastGood, closed } = outage;
  const bound =
    lastGood === null
      ? 'Plex was not seen before'
      : `last good ${duration(firstFailed.t - lastGood.t)} before`;
  const lines = [`#${number}  ${figures.cause}`, `    from   ${time(firstFailed.at)} (${bound})`];
  const probes = count(outage.probes, 'probe');
  if (firstGood === null) return [...lines, `    Plex is still away; ${probes}`];
  const longest = figures.longestMs === null ? '' : ` and at most ${duration(figures.longestMs)}`;
  const drained =
    figures.drainedInMs === null ? 'not drained yet' : `drained in ${duration(figures.drainedInMs)}`;
  return [
    ...lines,
    `    until  ${time(firstGood.at)}${closed === null ? ', not proven by a change yet' : ''}`,
    `    lasted ${duration(figures.lastedMs ?? 0)}: at least ${duration(figures.shortestMs)}${longest}`,
    `    ${probes}, ${count(outage.waiting, 'change')} waiting, ${drained}`,
  ];
}

function noteLines({ notes }: Outage): string[] {
  return notes.map(({ at, text }) => `    note   ${plain(text)} (${time(at)})`);
}

function coverageLines({ availability, coverage, windowMs }: HistoryFigures): string[] {
  if (windowMs === 0) return [];
  const { upMs, downMs, unobservedMs } = coverage;
  const share = availability === null ? [] : [`Available ${percent(availability)} of the observed time.`];
  return [
    `In ${duration(windowMs)}: seen up ${duration(upMs)}, down ${duration(downMs)}; not observed ${duration(unobservedMs)}.`,
    ...share,
  ];
}

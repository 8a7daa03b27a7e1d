// The figures, each with what it means and what it was made from.

import { count, duration, percent } from '../../cli/format.ts';
import type { ReportData } from '../report-data.ts';
import { byId, h } from './dom.ts';

export function showFigures({ figures, outages, olderOutages }: ReportData): void {
  const { coverage, availability, windowMs, mttrMs, mtbfMs } = figures;
  const { upMs, downMs, unobservedMs } = coverage;
  const observedMs = upMs + downMs;
  const total = outages.length + olderOutages;
  const recovered = olderOutages + outages.filter((outage) => outage.figures.lastedMs !== null).length;
  const still = recovered === total ? '' : ' The one that is not over is left out.';
  const rows: readonly (readonly [string, string, string])[] = [
    [
      'Availability',
      availability === null ? '–' : percent(availability),
      availability === null
        ? 'Up ÷ (up + down). Less than an hour was observed, which says nothing yet.'
        : `Up ÷ (up + down), of observed time only: ${duration(upMs)} up, ${duration(downMs)} down.`,
    ],
    [
      'Observed',
      windowMs === 0 ? '–' : percent(observedMs / windowMs),
      `Of ${duration(windowMs)} between the first and the last sign of Plex. The other ${duration(unobservedMs)} count neither as up nor as down.`,
    ],
    [
      'MTTR',
      mttrMs === null ? '–' : duration(mttrMs),
      `Mean time to recovery: from the first failure to the first good answer, over ${count(recovered, 'outage')}.${still}`,
    ],
    [
      'MTBF',
      mtbfMs === null ? '–' : duration(mtbfMs),
      total < 2
        ? 'Mean time between failures: from the end of an outage to the beginning of the next. It takes two outages.'
        : `Mean time between failures: from the end of an outage to the beginning of the next, observed or not, over ${count(total - 1, 'interval')}.`,
    ],
  ];
  byId('figures').append(
    ...rows.map(([term, value, words]) =>
      h('div', {}, h('dt', {}, term), h('dd', { class: 'value' }, value), h('dd', { class: 'words' }, words)),
    ),
  );
}

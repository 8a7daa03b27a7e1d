// The report's page: reads the document that stands in it, and shows it.

import { count } from '../../cli/format.ts';
import type { ReportData } from '../report-data.ts';
import { showDays } from './days.ts';
import { byId, h } from './dom.ts';
import { showEvents } from './events.ts';
import { showFigures } from './figures.ts';
import { eventsOf } from './model.ts';
import { showNow } from './now.ts';
import { showOutages } from './outages.ts';
import { startThemes } from './theme.ts';
import { dayAndClock } from './times.ts';
import { showTravel } from './travel.ts';

const data = JSON.parse(byId('data').textContent) as ReportData;
const events = eventsOf(data.log);

startThemes();
showNow(data);
showFigures(data);
const travel = showTravel(events);
showOutages(data, travel.visit);
showDays(data, (number) => {
  const outage = data.outages.find((one) => one.number === number);
  const card = document.getElementById(`outage-${number}`);
  if (card !== null) {
    card.scrollIntoView({ block: 'center' });
    card.focus({ preventScroll: true });
  } else if (typeof outage?.opensAt === 'number') travel.visit(outage.opensAt);
});
showEvents(events, data.log.earlier, travel);
travel.go(data.outages.at(-1)?.opensAt ?? events.length - 1);
byId('foot').append(...footOf(data).map((words) => h('p', {}, words)));

function footOf({ records, begunAt, now, status }: ReportData): string[] {
  if (begunAt === null) return [];
  const odd = [
    records.contended > 0 ? `${records.contended} written while another process wrote` : '',
    records.adopted > 0 ? `${records.adopted} taken as recorded` : '',
    records.drift > 0 ? `${records.drift} fold differently from when they were written` : '',
    records.damaged + status.journal.damagedQueueLines > 0
      ? `${count(records.damaged + status.journal.damagedQueueLines, 'damaged line')} skipped`
      : '',
    records.newer > 0 ? `${records.newer} written by a newer Breakwater` : '',
  ].filter((words) => words !== '');
  const rest = odd.length === 0 ? '' : `: ${odd.join(', ')}`;
  return [
    `Made from ${count(records.records, 'record')} of ${dayAndClock(begunAt)} to ${dayAndClock(now)}${rest}.`,
    'The same log makes the same file. It needs no network and sends nothing.',
  ];
}

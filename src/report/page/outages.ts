// A card for each outage, the newest first: its bounds as they were seen, what it cost, and how the backlog went.

import { count, duration } from '../../cli/format.ts';
import type { ReportData, ReportOutage } from '../report-data.ts';
import { curveOf } from './curve.ts';
import { byId, h } from './dom.ts';
import { clock, day } from './times.ts';

const SHOWN_AT_FIRST = 6;

/** `onVisit` goes to the event that opened it. */
export function showOutages({ outages, olderOutages }: ReportData, onVisit: (index: number) => void): void {
  const newest = [...outages].reverse();
  const total = outages.length + olderOutages;
  byId('outages-said').textContent =
    total === 0
      ? ''
      : `${count(total, 'outage')}, the newest first. A backlog has two scales: how it grew, and right of the dashed line how it drained.`;
  const list = byId('outages');
  if (total === 0) list.append(h('p', { class: 'none' }, 'No outage was recorded.'));
  list.append(...newest.slice(0, SHOWN_AT_FIRST).map((outage) => cardOf(outage, onVisit)));
  const rest = newest.slice(SHOWN_AT_FIRST);
  const more = byId<HTMLButtonElement>('more');
  if (rest.length === 0) return;
  more.hidden = false;
  more.textContent = `Show ${rest.length} older`;
  more.addEventListener('click', () => {
    const cards = rest.map((outage) => cardOf(outage, onVisit));
    list.append(...cards);
    more.hidden = true;
    cards[0]?.focus();
  });
}

function cardOf(outage: ReportOutage, onVisit: (index: number) => void): HTMLElement {
  const { number, figures, opensAt, notes, firstFailed } = outage;
  const title = `outage-${number}-title`;
  const visit =
    opensAt === null
      ? null
      : h(
          'button',
          { type: 'button', class: 'quiet', 'aria-label': `Outage ${number}: go to this moment` },
          'Go to this moment',
        );
  visit?.addEventListener('click', () => onVisit(opensAt ?? 0));
  return h(
    'article',
    { class: 'card', id: `outage-${number}`, tabindex: -1, 'aria-labelledby': title },
    h(
      'header',
      {},
      h('h3', { id: title }, h('span', { class: 'number' }, `#${number}`), ' ', sentence(figures.cause)),
      h('p', { class: 'when' }, day(firstFailed)),
      badgeOf(outage),
    ),
    h('p', { class: 'lasted' }, ...lastedOf(outage)),
    h('ol', { class: 'bounds', 'aria-label': 'Bounds' }, ...boundsOf(outage)),
    curveOf(outage),
    h(
      'dl',
      { class: 'facts small' },
      ...factsOf(outage).map(([term, value]) => h('div', {}, h('dt', {}, term), h('dd', {}, value))),
    ),
    ...notes.map(({ at, text }) => h('p', { class: 'note' }, h('span', {}, `Note, ${day(at)}`), ' ', text)),
    visit,
  );
}

function badgeOf({ figures, class: kind, firstGood }: ReportOutage): HTMLElement {
  if (!figures.isOngoing) {
    const isMaintenance = kind === 'maintenance';
    return h(
      'span',
      { class: `badge ${isMaintenance ? 'maintenance' : 'over'}` },
      isMaintenance ? '◆ maintenance' : '● over',
    );
  }
  return firstGood === null
    ? h('span', { class: 'badge down' }, '✕ away')
    : h('span', { class: 'badge over' }, '◐ being proven');
}

function lastedOf({ figures, firstFailed, lastFailed }: ReportOutage): (Node | string)[] {
  const { lastedMs, shortestMs, longestMs } = figures;
  if (lastedMs === null) {
    return [h('strong', {}, 'not over'), ` seen away for ${duration(lastFailed - firstFailed)}`];
  }
  const longest = longestMs === null ? '' : `, at most ${duration(longestMs)}`;
  return [h('strong', {}, duration(lastedMs)), ` at least ${duration(shortestMs)}${longest}`];
}

function boundsOf({ lastGood, firstFailed, lastFailed, firstGood }: ReportOutage): Node[] {
  const bound = (shape: string, name: string, at: number | null, none: string) =>
    h(
      'li',
      { class: at === null ? 'unknown' : shape },
      h('span', { class: 'term' }, name),
      h('span', { class: 'clock' }, at === null ? none : sameDayClock(at, firstFailed)),
    );
  return [
    bound('good', 'last good', lastGood, 'never seen'),
    bound('bad', 'first failed', firstFailed, ''),
    bound('bad', 'last failed', lastFailed, ''),
    bound('good', 'first good', firstGood, 'not yet'),
  ];
}

function factsOf({
  figures,
  probes,
  waiting,
  firstGood,
}: ReportOutage): readonly (readonly [string, string])[] {
  return [
    ['Detected after', duration(figures.detectedAfterMs)],
    ['Probes', String(probes)],
    ['Jobs waiting', firstGood === null ? '–' : String(waiting)],
    ['Drained in', figures.drainedInMs === null ? '–' : duration(figures.drainedInMs)],
  ];
}

function sameDayClock(at: number, other: number): string {
  return day(at) === day(other) ? clock(at) : `${day(at).replace(/ \d{4}$/, '')}, ${clock(at)}`;
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

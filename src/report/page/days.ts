// Ninety days, a column for each, midnight at the top: what was seen of Plex, and when. What was not observed is
// hatched; only observed time is ever painted. A trouble of seconds is drawn large enough to be seen, so it may
// cover some of what is around it; what was up never grows.

import { count, duration } from '../../cli/format.ts';
import { sums } from '../columns.ts';
import { type ReportData, SPAN_KINDS, type SpanKind } from '../report-data.ts';
import { byId, h, setText } from './dom.ts';
import { longDay, month } from './times.ts';

const DAYS = 90;
const LEGEND: readonly (readonly [string, string])[] = [
  ['up', 'seen up'],
  ['down', 'seen down'],
  ['maintenance', 'in maintenance'],
  ['unobserved', 'not observed'],
];

interface Piece {
  readonly kind: SpanKind;
  readonly from: number;
  readonly to: number;
}

interface Day {
  readonly from: number;
  readonly to: number;
  readonly pieces: readonly Piece[];
  readonly outages: readonly number[];
}

/** `onOutage` goes to an outage, by its number. */
export function showDays(data: ReportData, onOutage: (number: number) => void): void {
  const days = daysOf(data);
  const said = byId('days-said');
  const quiet = `${days.length} days until ${longDay(data.now)}`;
  setText(said, quiet);
  const columns = days.map((day, index) => columnOf(day, data.now, index === days.length - 1));
  columns.forEach((column, index) => {
    const day = days[index] as Day;
    const tell = () => setText(said, wordsOf(day, data.now));
    column.addEventListener('focus', tell);
    column.addEventListener('pointerenter', tell);
    column.addEventListener('click', () => day.outages[0] !== undefined && onOutage(day.outages[0]));
    column.addEventListener('keydown', (event) => rove(event, columns, index));
  });
  const strip = h('div', { class: 'strip', role: 'group', 'aria-label': 'Days' }, ...columns);
  strip.addEventListener('pointerleave', () => setText(said, quiet));
  const hours = h(
    'div',
    { class: 'hours', 'aria-hidden': 'true' },
    ...['0', '6', '12', '18', '24'].map((hour) => h('span', {}, hour)),
  );
  const months = h('div', { class: 'months', 'aria-hidden': 'true' }, ...days.map(monthLabel));
  byId('days').append(hours, strip, months);
  byId('legend').append(
    ...LEGEND.map(([kind, words]) =>
      h('li', {}, h('span', { class: `swatch ${kind}`, 'aria-hidden': 'true' }), words),
    ),
  );
}

function daysOf({ now, spans, outages }: ReportData): readonly Day[] {
  const starts = sums(spans.from);
  const pieces = starts.map((from, index) => ({
    kind: SPAN_KINDS[spans.kind[index] ?? 0] ?? 'up',
    from,
    to: from + (spans.length[index] ?? 0),
  }));
  const today = new Date(now);
  const midnight = (back: number) =>
    new Date(today.getFullYear(), today.getMonth(), today.getDate() - back).getTime();
  return Array.from({ length: DAYS }, (_, index) => {
    const [from, to] = [midnight(DAYS - 1 - index), midnight(DAYS - 2 - index)];
    return {
      from,
      to,
      pieces: pieces
        .filter((piece) => piece.to > from && piece.from < to)
        .map(({ kind, ...piece }) => ({
          kind,
          from: Math.max(piece.from, from),
          to: Math.min(piece.to, to),
        })),
      outages: outages
        .filter(({ firstFailed, firstGood }) => firstFailed < to && (firstGood ?? now) >= from)
        .map(({ number }) => number),
    };
  });
}

function columnOf(day: Day, now: number, isLast: boolean): HTMLButtonElement {
  const share = (ms: number) => `${(100 * ms) / (day.to - day.from)}%`;
  const piece = (kind: string, from: number, to: number) => {
    const element = h('span', { class: `piece ${kind}` });
    element.style.top = share(from - day.from);
    element.style.height = share(to - from);
    return element;
  };
  // Trouble last, so that it lies on top.
  const ordered = [...day.pieces].sort((a, b) => SPAN_KINDS.indexOf(a.kind) - SPAN_KINDS.indexOf(b.kind));
  const pieces = ordered.map(({ kind, from, to }) => piece(kind, from, to));
  const rest = now < day.to ? [piece('future', Math.max(now, day.from), day.to)] : [];
  const label = { class: 'day', type: 'button', tabindex: isLast ? 0 : -1, 'aria-label': wordsOf(day, now) };
  return h('button', label, ...pieces, ...rest);
}

function wordsOf({ from, to, pieces, outages }: Day, now: number): string {
  const sum = (kind: SpanKind) =>
    pieces.filter((piece) => piece.kind === kind).reduce((ms, piece) => ms + piece.to - piece.from, 0);
  const [up, down, maintenance] = [sum('up'), sum('down'), sum('maintenance')];
  const unobserved = Math.max(0, Math.min(to, Math.max(now, from)) - from - up - down - maintenance);
  const parts = [
    up > 0 ? `up ${duration(up)}` : '',
    down > 0 ? `down ${duration(down)}` : '',
    maintenance > 0 ? `maintenance ${duration(maintenance)}` : '',
    `not observed ${duration(unobserved)}`,
    outages.length > 0 ? count(outages.length, 'outage') : '',
  ];
  return `${longDay(from)}: ${parts.filter((part) => part !== '').join(', ')}`;
}

function monthLabel({ from }: Day): HTMLElement {
  const isFirst = new Date(from).getDate() === 1;
  return h('span', {}, isFirst ? month(from) : '');
}

function rove(event: KeyboardEvent, columns: readonly HTMLElement[], index: number): void {
  const targets: Readonly<Record<string, number>> = {
    ArrowLeft: index - 1,
    ArrowRight: index + 1,
    Home: 0,
    End: columns.length - 1,
  };
  const target = columns[targets[event.key] ?? -1];
  if (target === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  columns[index]?.setAttribute('tabindex', '-1');
  target.setAttribute('tabindex', '0');
  target.focus();
}

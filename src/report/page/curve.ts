// The backlog of one outage: how it grew while Plex was away, and how it drained. A drain takes seconds and an outage
// minutes or days, so each half has a scale of its own, and the drawing says so.

import { duration } from '../../cli/format.ts';
import type { CurvePart, ReportOutage } from '../report-data.ts';
import { h, s } from './dom.ts';

const WIDTH = 400;
const HEIGHT = 72;
/** Where Plex is back. */
const BACK_AT = 240;
const TOP = 6;

export function curveOf({ number, curve, figures }: ReportOutage): HTMLElement {
  const { away, back } = curve;
  const peak = Math.max(1, ...away.pending, ...(back?.pending ?? []));
  const split = back === null ? WIDTH : BACK_AT;
  const points = [
    ...pointsOf(away, 0, split, peak),
    ...(back === null ? [] : pointsOf(back, split, WIDTH, peak)),
  ];
  const line = stepLine(points);
  const awayMs = away.to - away.from;
  const { drainedInMs } = figures;
  const drained = drainedInMs === null ? 'not drained yet' : `drained in ${duration(drainedInMs)}`;
  const label =
    `Backlog of outage ${number}: at most ${peakOf(curve)} pending while it was away` +
    (back === null ? '.' : `, ${drained}.`);
  return h(
    'figure',
    { class: 'curve' },
    s(
      'svg',
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': label },
      s('rect', { class: 'away', x: 0, y: 0, width: split, height: HEIGHT }),
      s('path', { class: 'area', d: `${line}V${HEIGHT}H0Z` }),
      s('path', { class: 'line', d: line }),
      back === null ? null : s('path', { class: 'back', d: `M${split} 0V${HEIGHT}` }),
    ),
    h(
      'figcaption',
      {},
      h('span', { class: 'left' }, `${duration(awayMs)} away, up to ${peakOf(curve)} pending`),
      back === null ? null : h('span', { class: 'right' }, `back, ${drained}`),
    ),
  );
}

function peakOf({ away, back }: ReportOutage['curve']): number {
  return Math.max(0, ...away.pending, ...(back?.pending ?? []));
}

function pointsOf({ pending }: CurvePart, left: number, right: number, peak: number) {
  const pieces = Math.max(1, pending.length - 1);
  return pending.map((value, index) => ({
    x: left + ((right - left) * index) / pieces,
    y: HEIGHT - 1 - ((HEIGHT - 1 - TOP) * value) / peak,
  }));
}

/** A backlog goes in steps. */
function stepLine(points: readonly { readonly x: number; readonly y: number }[]): string {
  const round = (value: number) => Math.round(value * 10) / 10;
  const [first, ...rest] = points;
  if (first === undefined) return 'M0 0';
  return `M${round(first.x)} ${round(first.y)}${rest.map(({ x, y }) => `H${round(x)}V${round(y)}`).join('')}`;
}

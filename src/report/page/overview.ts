// The whole log at a glance, above the scrubber and in step with it: one place for each event, the backlog as a line,
// and a marked band where the breaker was not closed.

import { h, s } from './dom.ts';
import type { ShownEvent } from './model.ts';

const HEIGHT = 48;
/** How thick the mark over a band is. */
const MARK = 4;
/** More points than that nobody can tell apart. */
const MAX_POINTS = 1_200;

/** Returns what moves the playhead to an event. */
export function showOverview(box: HTMLElement, events: readonly ShownEvent[]): (index: number) => void {
  const width = Math.max(1, events.length - 1);
  const line = lineOf(events);
  const playhead = h('div', { class: 'playhead' });
  box.append(
    s(
      'svg',
      { viewBox: `0 0 ${width} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
      ...bandsOf(events).flatMap(([from, to]) => {
        const place = { x: from - 0.5, y: 0, width: Math.max(to - from, width / 500) };
        return [
          s('rect', { class: 'band', ...place, height: HEIGHT }),
          s('rect', { class: 'mark', ...place, height: MARK }),
        ];
      }),
      s('path', { class: 'area', d: `${line}V${HEIGHT}H0Z` }),
      s('path', { class: 'line', d: line }),
    ),
    playhead,
  );
  return (index) => {
    playhead.style.left = `${(100 * index) / width}%`;
  };
}

/** From where to where the breaker was open or half-open, by index. */
function bandsOf(events: readonly ShownEvent[]): readonly (readonly [number, number])[] {
  const bands: [number, number][] = [];
  let from: number | null = null;
  for (const { index, after } of events) {
    const isClosed = after.breaker?.value === 'closed';
    if (!isClosed && from === null) from = index;
    if (isClosed && from !== null) {
      bands.push([from, index]);
      from = null;
    }
  }
  if (from !== null) bands.push([from, events.length]);
  return bands;
}

/** The highest backlog of each piece. */
function lineOf(events: readonly ShownEvent[]): string {
  const size = Math.max(1, Math.ceil(events.length / MAX_POINTS));
  const peak = Math.max(1, ...events.map(({ pending }) => pending));
  const parts: string[] = [];
  for (let from = 0; from < events.length; from += size) {
    const highest = Math.max(...events.slice(from, from + size).map(({ pending }) => pending));
    const y = HEIGHT - 2 - ((HEIGHT - 2 * MARK) * highest) / peak;
    parts.push(`${from === 0 ? 'M' : 'L'}${from} ${y.toFixed(1)}`);
  }
  return parts.join('') || 'M0 0';
}

// The right: the records around the one that is looked at, and that one in full. Only a window of them is in the page:
// ten thousand rows would take longer to lay out than to read.

import type { Frame } from '../frames.ts';
import type { Timeline } from '../timeline.ts';
import { byId, element } from './element.ts';

/** Rows before and after the current one. */
const AROUND = 40;

export class RecordPane {
  readonly #timeline: Timeline;
  readonly #onJump: (place: number) => void;

  constructor(timeline: Timeline, onJump: (place: number) => void) {
    this.#timeline = timeline;
    this.#onJump = onJump;
    byId('records').addEventListener('click', (event) => {
      const row = (event.target as Element).closest<HTMLElement>('[data-place]');
      if (row !== null) this.#onJump(Number(row.dataset.place));
    });
  }

  show(place: number): void {
    const { frames } = this.#timeline;
    const from = Math.max(0, place - 1 - AROUND);
    const rows = frames.slice(from, place + AROUND).map((frame, at) => rowOf(frame, from + at + 1, place));
    byId('records').replaceChildren(...rows);
    const frame = frames[place - 1];
    byId('event-title').textContent = frame === undefined ? 'Before the first record' : titleOf(frame);
    byId('event').textContent = frame === undefined ? '' : JSON.stringify(frame.data, null, 2);
    // Last, because the room for the rows depends on the rest.
    const list = byId('records');
    const current = rows.find((row) => row.getAttribute('aria-current') === 'true');
    list.scrollTop = current === undefined ? 0 : current.offsetTop - list.offsetTop - list.clientHeight / 2;
  }
}

function rowOf(frame: Frame, place: number, current: number): HTMLElement {
  const row = element(
    'li',
    [place > current ? 'is-ahead' : '', frame.isVoid ? 'is-void' : ''].join(' ').trim(),
    '',
  );
  row.dataset.place = String(place);
  if (place === current) row.setAttribute('aria-current', 'true');
  row.append(
    element('span', 'time', clock(frame.at)),
    element('span', 'type', frame.type),
    element('span', 'note', noteOf(frame)),
  );
  row.title = titleOf(frame);
  return row;
}

function noteOf({ isVoid, agreement, moves, data }: Frame): string {
  if (isVoid) return 'void';
  if (agreement !== 'agreed') return agreement;
  const told = moves.find(({ from, to }) => from !== to);
  if (told !== undefined) return `→ ${told.to}`;
  return String(data.lease ?? data.hold ?? '');
}

function titleOf(frame: Frame): string {
  const verdict = frame.isVoid ? 'void: it changed nothing' : frame.agreement;
  return `${frame.type} · control@${frame.position} · ${frame.by} · ${verdict}`;
}

/** The time of day, in the reader's own zone. */
function clock(at: number): string {
  const date = new Date(at);
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((n) => String(n).padStart(2, '0'))
    .join(':');
}

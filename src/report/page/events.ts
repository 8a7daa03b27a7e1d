// The table of events. Only the rows in sight are in the page, a fixed pool of them that is filled anew, so that
// thousands of events scroll like ten. The current row is the scrubber's event.

import { byId, h, setClass, setText } from './dom.ts';
import { isChange, MACHINES, type ShownEvent } from './model.ts';
import { clock, day } from './times.ts';
import type { Travel } from './travel.ts';
import { markWords, moveWords, saidOf } from './words.ts';

const SPARE_ROWS = 4;
const COLUMNS = ['#', 'Time', 'Event', 'What it says', 'What it moved', 'By'] as const;
const NAMES = ['number', 'time', 'type', 'said', 'moved', 'by'] as const;

export function showEvents(events: readonly ShownEvent[], earlier: number, travel: Travel): void {
  const table = new EventTable(byId('table'), events, travel);
  const filter = filterOf(events, (shown) => {
    table.show(shown);
    const before =
      earlier > 0 ? `; ${earlier.toLocaleString('en')} earlier ones are only in the figures` : '';
    const words = `${shown.length.toLocaleString('en')} of ${events.length.toLocaleString('en')}${before}`;
    setText(byId('events-said'), words);
  });
  filter();
  travel.onMove(() => table.follow());
  byId('events-print').textContent =
    `The table of ${events.length.toLocaleString('en')} events is only on the screen.`;
}

/** A row of the pool, and what it shows now. */
interface Slot {
  readonly row: HTMLElement;
  readonly cells: readonly HTMLElement[];
  event: ShownEvent | null;
}

class EventTable {
  readonly #events: readonly ShownEvent[];
  readonly #travel: Travel;
  readonly #scroller: HTMLElement;
  readonly #space = h('div', { class: 'space' });
  readonly #rows: Slot[] = [];
  #shown: readonly ShownEvent[] = [];
  #rowHeight = 0;

  constructor(box: HTMLElement, events: readonly ShownEvent[], travel: Travel) {
    this.#events = events;
    this.#travel = travel;
    const header = h(
      'div',
      { class: 'row header', role: 'row', 'aria-rowindex': 1 },
      ...COLUMNS.map((title, n) => h('span', { class: NAMES[n] as string, role: 'columnheader' }, title)),
    );
    this.#scroller = h(
      'div',
      {
        class: 'scroller',
        tabindex: 0,
        role: 'grid',
        'aria-label': 'Events',
        'aria-colcount': COLUMNS.length,
      },
      header,
      this.#space,
    );
    box.append(this.#scroller);
    this.#scroller.addEventListener('scroll', () => this.#fill(), { passive: true });
    this.#scroller.addEventListener('keydown', (event) => this.#onKey(event));
    new ResizeObserver(() => this.#resize()).observe(this.#scroller);
  }

  show(shown: readonly ShownEvent[]): void {
    this.#shown = shown;
    this.#scroller.setAttribute('aria-rowcount', String(shown.length + 1));
    this.#resize();
    this.follow();
  }

  /** The current event, in sight. */
  follow(): void {
    const place = this.#placeOf(this.#travel.current);
    const event = this.#shown[place];
    if (event?.index === this.#travel.current) this.#reveal(place);
    this.#fill();
  }

  #resize(): void {
    const { fontSize } = getComputedStyle(this.#scroller);
    const isNarrow = this.#scroller.clientWidth < 640;
    this.#rowHeight = Math.round(Number.parseFloat(fontSize) * (isNarrow ? 3.6 : 2.3));
    this.#scroller.style.setProperty('--row', `${this.#rowHeight}px`);
    setClass(this.#scroller, 'is-narrow', isNarrow);
    this.#space.style.height = `${this.#shown.length * this.#rowHeight}px`;
    this.#fill();
  }

  #fill(): void {
    if (this.#rowHeight === 0) return;
    const wanted = Math.ceil(this.#scroller.clientHeight / this.#rowHeight) + 2 * SPARE_ROWS;
    while (this.#rows.length < wanted) this.#addRow();
    const top = Math.floor(this.#scroller.scrollTop / this.#rowHeight) - SPARE_ROWS;
    const first = Math.max(0, Math.min(top, this.#shown.length - this.#rows.length));
    const current = this.#travel.current;
    let active = '';
    for (const [n, slot] of this.#rows.entries()) {
      const event = this.#shown[first + n];
      slot.row.hidden = event === undefined;
      if (event === undefined) continue;
      if (slot.event !== event) this.#write(slot, event);
      slot.row.style.transform = `translateY(${(first + n) * this.#rowHeight}px)`;
      slot.row.setAttribute('aria-rowindex', String(first + n + 2));
      const isCurrent = event.index === current;
      setClass(slot.row, 'is-current', isCurrent);
      slot.row.setAttribute('aria-selected', String(isCurrent));
      if (isCurrent) active = slot.row.id;
    }
    this.#scroller.setAttribute('aria-activedescendant', active);
  }

  #write(slot: Slot, event: ShownEvent): void {
    slot.event = event;
    const marks = markWords(event.marks.filter((mark) => mark !== 'void'));
    const texts = [
      event.number.toLocaleString('en'),
      `${day(event.moment.at)}, ${clock(event.moment.at)}`,
      event.type,
      saidOf(event),
      [moveWords(event), marks].filter((text) => text !== '').join('; '),
      event.by,
    ];
    for (const [n, cell] of slot.cells.entries()) setText(cell, texts[n] ?? '');
    setClass(slot.row, 'is-void', event.marks.includes('void'));
    setClass(slot.row, 'is-change', isChange(event));
  }

  #addRow(): void {
    const cells = NAMES.map((name) => h('span', { class: name, role: 'gridcell' }));
    const row = h('div', { class: 'row', role: 'row', id: `row-${this.#rows.length}` }, ...cells);
    const slot: Slot = { row, cells, event: null };
    row.addEventListener('click', () => slot.event !== null && this.#travel.go(slot.event.index));
    this.#rows.push(slot);
    this.#space.append(row);
  }

  #onKey(event: KeyboardEvent): void {
    const place = this.#placeOf(this.#travel.current);
    const isThere = this.#shown[place]?.index === this.#travel.current;
    const page = Math.max(1, Math.floor(this.#scroller.clientHeight / this.#rowHeight) - 2);
    const targets: Readonly<Record<string, number>> = {
      ArrowDown: isThere ? place + 1 : place,
      ArrowUp: place - 1,
      PageDown: place + page,
      PageUp: place - page,
      Home: 0,
      End: this.#shown.length - 1,
    };
    const target = targets[event.key];
    if (target === undefined || this.#shown.length === 0) return;
    event.preventDefault();
    const bounded = Math.max(0, Math.min(this.#shown.length - 1, target));
    this.#travel.go(this.#shown[bounded]?.index ?? 0);
  }

  /** Where the event is among those that are shown, or the first one after it. */
  #placeOf(index: number): number {
    if (this.#shown.length === this.#events.length) return index;
    let [low, high] = [0, this.#shown.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#shown[middle] as ShownEvent).index < index) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #reveal(place: number): void {
    const [top, height] = [place * this.#rowHeight, this.#scroller.clientHeight - this.#rowHeight];
    const { scrollTop } = this.#scroller;
    if (top < scrollTop) this.#scroller.scrollTop = top;
    else if (top + this.#rowHeight > scrollTop + height)
      this.#scroller.scrollTop = top + this.#rowHeight - height;
  }
}

/** Returns what applies the filters as they are set. */
function filterOf(
  events: readonly ShownEvent[],
  onShown: (shown: readonly ShownEvent[]) => void,
): () => void {
  const type = byId<HTMLSelectElement>('filter-type');
  const machine = byId<HTMLSelectElement>('filter-machine');
  const text = byId<HTMLInputElement>('filter-text');
  const changes = byId<HTMLInputElement>('filter-changes');
  const option = (value: string, words = value) => h('option', { value }, words);
  const types = [...new Set(events.map((event) => event.type))].sort();
  type.append(option('', 'all'), ...types.map((name) => option(name)));
  machine.append(option('', 'all'), ...MACHINES.map((name) => option(name)));
  const texts = new Map<ShownEvent, string>();
  const textOf = (event: ShownEvent) => {
    const known =
      texts.get(event) ?? [event.type, event.by, saidOf(event), moveWords(event)].join(' ').toLowerCase();
    texts.set(event, known);
    return known;
  };
  const apply = () => {
    const wanted = text.value.trim().toLowerCase();
    onShown(
      events.filter(
        (event) =>
          (type.value === '' || event.type === type.value) &&
          (machine.value === '' || machine.value in event.moves) &&
          (!changes.checked || isChange(event)) &&
          (wanted === '' || textOf(event).includes(wanted)),
      ),
    );
  };
  for (const control of [type, machine, text, changes]) control.addEventListener('input', apply);
  byId('filters').addEventListener('submit', (event) => event.preventDefault());
  return apply;
}

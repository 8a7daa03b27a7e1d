// The table of events. Only the rows in sight are in the page, a fixed pool of them that is filled anew, so that
// thousands of events scroll like ten. The current row is the scrubber's event.

import { byId, h, setClass, setText } from './dom.ts';
import { filterOf } from './filters.ts';
import { isChange, type ShownEvent } from './model.ts';
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

/** A row of the pool, what it shows now, and at which place. */
interface Slot {
  readonly row: HTMLElement;
  readonly cells: readonly HTMLElement[];
  event: ShownEvent | null;
  place: number;
}

class EventTable {
  readonly #events: readonly ShownEvent[];
  readonly #travel: Travel;
  readonly #scroller: HTMLElement;
  readonly #space = h('div', { class: 'space', role: 'rowgroup' });
  readonly #rows: Slot[] = [];
  #shown: readonly ShownEvent[] = [];
  #rowHeight = 0;
  /** Kept, because asking for them in the midst of a step would have the browser lay out the page for it. */
  #height = 0;
  #top = 0;
  #isFollowing = false;

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
    const onScroll = () => {
      this.#top = this.#scroller.scrollTop;
      this.#fill();
    };
    this.#scroller.addEventListener('scroll', onScroll, { passive: true });
    this.#scroller.addEventListener('keydown', (event) => this.#onKey(event));
    new ResizeObserver(() => this.#resize()).observe(this.#scroller);
  }

  show(shown: readonly ShownEvent[]): void {
    this.#shown = shown;
    this.#scroller.setAttribute('aria-rowcount', String(shown.length + 1));
    this.#resize();
    this.follow();
  }

  /** Brings the current event into sight, with the next frame: several steps of one frame need it once. */
  follow(): void {
    if (this.#isFollowing) return;
    this.#isFollowing = true;
    requestAnimationFrame(() => {
      this.#isFollowing = false;
      const place = this.#placeOf(this.#travel.current);
      if (this.#shown[place]?.index === this.#travel.current) this.#reveal(place);
      this.#fill();
    });
  }

  #resize(): void {
    const { fontSize } = getComputedStyle(this.#scroller);
    this.#height = this.#scroller.clientHeight;
    const isNarrow = this.#scroller.clientWidth < 640;
    this.#rowHeight = Math.round(Number.parseFloat(fontSize) * (isNarrow ? 3.6 : 2.3));
    this.#scroller.style.setProperty('--row', `${this.#rowHeight}px`);
    setClass(this.#scroller, 'is-narrow', isNarrow);
    this.#space.style.height = `${this.#shown.length * this.#rowHeight}px`;
    this.#top = this.#scroller.scrollTop;
    // The rows are another height, or other rows.
    for (const slot of this.#rows) slot.place = -1;
    this.#fill();
  }

  #fill(): void {
    if (this.#rowHeight === 0) return;
    const wanted = Math.ceil(this.#height / this.#rowHeight) + 2 * SPARE_ROWS;
    while (this.#rows.length < wanted) this.#addRow();
    const top = Math.floor(this.#top / this.#rowHeight) - SPARE_ROWS;
    const first = Math.max(0, Math.min(top, this.#shown.length - this.#rows.length));
    const current = this.#travel.current;
    let active = '';
    // A place always has the same row of the pool: scrolling by one writes one.
    for (let n = 0; n < this.#rows.length; n++) {
      const place = first + n;
      const slot = this.#rows[place % this.#rows.length] as Slot;
      const event = this.#shown[place];
      slot.row.hidden = event === undefined;
      if (event === undefined) continue;
      if (slot.event !== event) this.#write(slot, event);
      if (slot.place !== place) this.#move(slot, place);
      const isCurrent = event.index === current;
      if (slot.row.classList.contains('is-current') !== isCurrent) {
        slot.row.classList.toggle('is-current', isCurrent);
        slot.row.setAttribute('aria-selected', String(isCurrent));
      }
      if (isCurrent) active = slot.row.id;
    }
    this.#scroller.setAttribute('aria-activedescendant', active);
  }

  #move(slot: Slot, place: number): void {
    slot.place = place;
    slot.row.style.transform = `translateY(${place * this.#rowHeight}px)`;
    slot.row.setAttribute('aria-rowindex', String(place + 2));
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
    const row = h(
      'div',
      { class: 'row', role: 'row', id: `row-${this.#rows.length}`, 'aria-selected': 'false' },
      ...cells,
    );
    const slot: Slot = { row, cells, event: null, place: -1 };
    row.addEventListener('click', () => slot.event !== null && this.#travel.go(slot.event.index));
    this.#rows.push(slot);
    this.#space.append(row);
  }

  #onKey(event: KeyboardEvent): void {
    const place = this.#placeOf(this.#travel.current);
    const isThere = this.#shown[place]?.index === this.#travel.current;
    const page = Math.max(1, Math.floor(this.#height / this.#rowHeight) - 2);
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
    const above = place * this.#rowHeight;
    // The header takes the height of a row.
    const below = above + 2 * this.#rowHeight - this.#height;
    const top = Math.max(0, above < this.#top ? above : Math.max(this.#top, below));
    if (top === this.#top) return;
    this.#top = top;
    this.#scroller.scrollTop = top;
  }
}

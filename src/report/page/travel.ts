// Going through the log: the scrubber and its buttons, the event that is shown, the charts. One number is the whole
// state of this page: which event is current.

import { byId, h, setText } from './dom.ts';
import { showMachines } from './machines.ts';
import type { ShownEvent } from './model.ts';
import { showOverview } from './overview.ts';
import { clock, dayAndClock } from './times.ts';
import { markWords, moveWords, valueWords } from './words.ts';

export interface Travel {
  readonly current: number;
  go(index: number): void;
  /** The same, and brings the charts into view. */
  visit(index: number): void;
  onMove(listener: (index: number) => void): void;
}

export function showTravel(events: readonly ShownEvent[]): Travel {
  const scrubber = byId<HTMLInputElement>('scrubber');
  const movePlayhead = showOverview(byId('overview'), events);
  const machines = showMachines(byId('machines'), events);
  const openings = events.filter(isOpening).map(({ index }) => index);
  const listeners: ((index: number) => void)[] = [];
  const last = events.length - 1;
  let current = -1;

  const go = (wanted: number) => {
    const index = Math.max(0, Math.min(last, wanted));
    if (index === current || last < 0) return;
    current = index;
    const event = events[index] as ShownEvent;
    if (scrubber.valueAsNumber !== index) scrubber.value = String(index);
    scrubber.setAttribute('aria-valuetext', spoken(event, last + 1));
    movePlayhead(index);
    showMoment(event, events.length);
    showEvent(event);
    machines.show(index);
    for (const listener of listeners) listener(index);
  };
  const travel: Travel = {
    get current() {
      return current;
    },
    go,
    visit: (index) => {
      go(index);
      byId('travel').scrollIntoView({ block: 'start' });
      scrubber.focus({ preventScroll: true });
    },
    onMove: (listener) => void listeners.push(listener),
  };
  const moves: Readonly<Record<string, () => void>> = {
    first: () => go(0),
    last: () => go(last),
    before: () => go(current - 1),
    after: () => go(current + 1),
    'outage-before': () => go(openings.findLast((index) => index < current) ?? 0),
    'outage-after': () => go(openings.find((index) => index > current) ?? last),
  };
  scrubber.max = String(Math.max(0, last));
  scrubber.disabled = last < 0;
  scrubber.addEventListener('input', () => go(scrubber.valueAsNumber));
  for (const button of document.querySelectorAll<HTMLButtonElement>('[data-go]')) {
    button.disabled = last < 0;
    button.addEventListener('click', () => moves[button.dataset.go ?? '']?.());
  }
  document.addEventListener('keydown', (event) => onKey(event, moves));
  if (last < 0) setText(byId('moment'), 'The log holds no event yet.');
  return travel;
}

const KEYS: Readonly<Record<string, string>> = {
  ArrowLeft: 'before',
  ArrowRight: 'after',
  ArrowDown: 'before',
  ArrowUp: 'after',
  Home: 'first',
  End: 'last',
  PageUp: 'outage-before',
  PageDown: 'outage-after',
};
/** On the scrubber all of them; elsewhere only those that do not scroll the page. */
const ANYWHERE: ReadonlySet<string> = new Set(['ArrowLeft', 'ArrowRight']);

function onKey(event: KeyboardEvent, moves: Readonly<Record<string, () => void>>): void {
  if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
  const target = event.target as HTMLElement;
  const isTyping = target.matches('input:not([type=range]):not([type=checkbox]), select, textarea');
  if (event.key === '/' && !isTyping) {
    event.preventDefault();
    byId('filter-text').focus();
    return;
  }
  const move = moves[KEYS[event.key] ?? ''];
  const isHere = target.id === 'scrubber' || (ANYWHERE.has(event.key) && !isTyping);
  if (move === undefined || !isHere) return;
  event.preventDefault();
  move();
}

function isOpening({ before, after }: ShownEvent): boolean {
  return before.breaker?.value === 'closed' && after.breaker?.value === 'open';
}

function spoken({ number, moment, type, after, pending }: ShownEvent, count: number): string {
  const { breaker, recovery } = after;
  return `Event ${number}, one of ${count}, ${dayAndClock(moment.at)}: ${type}; breaker ${breaker?.value}, recovery ${recovery?.value}, ${pending} pending`;
}

function showMoment({ number, moment, pending, deferred }: ShownEvent, count: number): void {
  const box = byId('moment');
  if (box.childElementCount === 0) box.append(h('strong'), h('span'));
  setText(box.children[0] as Element, dayAndClock(moment.at));
  setText(
    box.children[1] as Element,
    `event ${number.toLocaleString('en')} · ${pending} pending, ${deferred} deferred`,
  );
  box.title = `${count} events are shown`;
}

function showEvent(event: ShownEvent): void {
  const { type, by, position, data, marks, moment } = event;
  const moved = moveWords(event);
  const facts = Object.entries(data).map(([key, value]) =>
    h('div', {}, h('dt', {}, key), h('dd', {}, valueWords(key, value, moment))),
  );
  byId('event').replaceChildren(
    h('h3', {}, type),
    h('p', { class: 'moved' }, moved === '' ? 'no machine is in another state' : moved),
    h('p', { class: 'marks' }, markWords(marks)),
    h('dl', { class: 'context' }, ...facts, ...origin(by, position, moment.at)),
  );
}

function origin(by: string, position: number, at: number): Node[] {
  const row = (term: string, value: string) =>
    h('div', { class: 'origin' }, h('dt', {}, term), h('dd', {}, value));
  return [row('by', by || '–'), row('at', clock(at)), row('position', String(position))];
}

// The statecharts, lit: the state that each machine is in, the edge that it took last, and its context.
// The drawings are the ones that the page was made with; here only classes and texts change.

import { h, setClass, setText } from './dom.ts';
import { CHART_OF, MACHINES, type ShownEvent } from './model.ts';
import { valueWords } from './words.ts';

/** Kept out: numbers that are the same for all, and told with the settings. */
const UNSHOWN: ReadonlySet<string> = new Set(['policy']);

const TITLES: Readonly<Record<(typeof MACHINES)[number], string>> = {
  breaker: 'Breaker',
  recovery: 'Recovery',
  drain: 'Drain lease',
  probe: 'Probe lease',
  operator: 'Operator hold',
  config: 'Config hold',
  throttle: 'Throttle hold',
};

export interface MachinesView {
  /** `events` up to and with `index` have happened. */
  show(index: number): void;
}

export function showMachines(box: HTMLElement, events: readonly ShownEvent[]): MachinesView {
  const views = MACHINES.map((name) => new MachineCard(name, events));
  box.append(...views.map(({ element }) => element));
  return {
    show: (index) => {
      for (const view of views) view.show(index);
    },
  };
}

class MachineCard {
  readonly element: HTMLElement;
  readonly #name: (typeof MACHINES)[number];
  readonly #events: readonly ShownEvent[];
  /** For each event the newest one that moved this machine; −1: none did. */
  readonly #movedAt: Int32Array;
  readonly #value = h('span', { class: 'value' });
  readonly #context = h('dl', { class: 'context' });
  readonly #cells = new Map<string, { row: HTMLElement; cell: HTMLElement }>();
  readonly #states: ReadonlyMap<string, Element>;
  readonly #edges: readonly Element[];
  #lit: Element | undefined;
  #edge: Element | undefined;
  #label: Element | undefined;

  constructor(name: (typeof MACHINES)[number], events: readonly ShownEvent[]) {
    this.#name = name;
    this.#events = events;
    this.#movedAt = movedAt(name, events);
    const chart = chartFor(CHART_OF[name], TITLES[name]);
    this.#states = new Map(
      [...chart.querySelectorAll('[data-state]')].map((node) => [
        node.getAttribute('data-state') ?? '',
        node,
      ]),
    );
    this.#edges = [...chart.querySelectorAll('[data-edge]')];
    const title = h('h3', {}, TITLES[name], ' ', this.#value);
    this.element = h(
      'section',
      { class: `machine ${CHART_OF[name]}` },
      title,
      h('div', { class: 'drawing' }, chart),
      this.#context,
    );
  }

  show(index: number): void {
    const event = this.#events[index];
    const view = event?.after[this.#name];
    if (event === undefined || view === undefined) return;
    const latest = this.#events[this.#movedAt[index] ?? -1];
    setText(this.#value, view.value);
    this.#light(view.value, latest);
    const changed = event.moves[this.#name]?.context ?? {};
    setClass(this.element, 'is-moved', this.#name in event.moves);
    for (const [key, value] of Object.entries(view.context)) {
      if (UNSHOWN.has(key)) continue;
      const { row, cell } = this.#row(key);
      setText(cell, valueWords(key, value, event.moment));
      setClass(row, 'is-changed', key in changed);
    }
  }

  #light(value: string, latest: ShownEvent | undefined): void {
    const state = this.#states.get(value);
    if (state !== this.#lit) {
      this.#lit?.classList.remove('is-current');
      state?.classList.add('is-current');
      this.#lit = state;
    }
    const [edge, label] = latest === undefined ? [] : this.#taken(latest);
    if (edge !== this.#edge) {
      this.#edge?.classList.remove('is-last');
      edge?.classList.add('is-last');
      this.#edge = edge;
    }
    if (label !== this.#label) {
      this.#label?.classList.remove('is-taken');
      label?.classList.add('is-taken');
      this.#label = label;
    }
  }

  /** The edge that an event took, and its label there: the event's own, or what the breaker's move told recovery. */
  #taken({ type, before, after }: ShownEvent): readonly [Element?, Element?] {
    const [from, to] = [before[this.#name]?.value, after[this.#name]?.value];
    const breaker = after.breaker?.value === 'open' ? 'breaker.opened' : 'breaker.closed';
    const heard = before.breaker?.value === after.breaker?.value ? [type] : [breaker, type];
    for (const name of heard) {
      for (const edge of this.#edges) {
        const [source, target] = [edge.getAttribute('data-from'), edge.getAttribute('data-to')];
        const isHere = (source === from && target === to) || (from === to && source === '*');
        if (!isHere) continue;
        const label = [...edge.querySelectorAll('[data-event]')].find(
          (node) => node.getAttribute('data-event') === name,
        );
        if (label !== undefined) return [edge, label];
      }
    }
    return [];
  }

  #row(key: string): { row: HTMLElement; cell: HTMLElement } {
    const known = this.#cells.get(key);
    if (known !== undefined) return known;
    const cell = h('dd');
    const row = h('div', {}, h('dt', {}, key), cell);
    this.#context.append(row);
    this.#cells.set(key, { row, cell });
    return { row, cell };
  }
}

function movedAt(name: string, events: readonly ShownEvent[]): Int32Array {
  const at = new Int32Array(events.length);
  let newest = -1;
  for (const { index, moves } of events) {
    if (name in moves) newest = index;
    at[index] = newest;
  }
  return at;
}

/** A copy of the drawing that the page holds. */
function chartFor(id: string, title: string): Element {
  const template = document.querySelector<HTMLTemplateElement>(`template[data-chart="${id}"]`);
  const chart = template?.content.firstElementChild?.cloneNode(true) as Element | undefined;
  if (chart === undefined) throw new Error(`the page has no drawing of ${id}`);
  chart.setAttribute('aria-label', `Statechart: ${title}`);
  return chart;
}

// The left and the middle: the machines with their states, the chart of the one that is looked at with its state and
// its last edge lit, and its context.

import type { MachineName } from '../../breaker/index.ts';
import { edgeTaken } from '../../chart/chart.ts';
import type { ActorView, Timeline } from '../timeline.ts';
import { byId, element, picture } from './element.ts';

export class StatePane {
  readonly #timeline: Timeline;
  readonly #buttons = new Map<MachineName, { button: HTMLElement; state: HTMLElement; mark: HTMLElement }>();
  readonly #charts = new Map<string, SVGElement>();
  #chosen: MachineName;

  constructor(timeline: Timeline, onChosen: () => void) {
    this.#timeline = timeline;
    const { actors, charts } = timeline.greeting;
    this.#chosen = actors[0]?.name ?? 'breaker';
    for (const { machine, svg } of charts) this.#charts.set(machine, picture(svg));
    byId('actors').replaceChildren(
      ...actors.map(({ name, machine }, at) => {
        const button = element('button', '', '');
        button.setAttribute('type', 'button');
        button.dataset.actor = name;
        button.title = `${machine} (${at + 1})`;
        const [mark, state] = [element('span', 'mark', ''), element('span', 'state', '')];
        button.append(element('span', 'name', name), mark, state);
        button.addEventListener('click', () => {
          this.choose(at);
          onChosen();
        });
        this.#buttons.set(name, { button, state, mark });
        const item = element('li', '', '');
        item.append(button);
        return item;
      }),
    );
  }

  choose(at: number): void {
    this.#chosen = this.#timeline.greeting.actors[at]?.name ?? this.#chosen;
  }

  show(place: number, follows: boolean): void {
    const views = new Map(
      this.#timeline.greeting.actors.map(({ name }) => [name, this.#timeline.at(place, name)]),
    );
    const moved = [...views].filter(([, view]) => hasLeftItsState(view)).map(([name]) => name);
    if (follows && !moved.includes(this.#chosen)) this.#chosen = moved[0] ?? this.#chosen;
    for (const [name, { button, state, mark }] of this.#buttons) {
      const view = views.get(name) as ActorView;
      state.textContent = view.value;
      mark.textContent = view.hasJustMoved ? '● moved' : '';
      button.setAttribute('aria-pressed', String(name === this.#chosen));
    }
    const view = views.get(this.#chosen) as ActorView;
    this.#showChart(view);
    byId('context-title').textContent = `Context of ${this.#chosen}`;
    byId('context').replaceChildren(...contextLines(view));
  }

  #showChart({ value, move }: ActorView): void {
    const actor = this.#timeline.greeting.actors.find(({ name }) => name === this.#chosen);
    const drawing = this.#timeline.greeting.charts.find(({ machine }) => machine === actor?.machine);
    const chart = actor === undefined ? undefined : this.#charts.get(actor.machine);
    if (chart === undefined || drawing === undefined) return;
    for (const lit of chart.querySelectorAll('.is-current, .is-last, .is-taken')) {
      lit.classList.remove('is-current', 'is-last', 'is-taken');
    }
    find(chart, 'state', value)?.classList.add('is-current');
    const edge = move === null ? null : edgeTaken(drawing.edges, move.from, move.to, move.event);
    const line = edge === null ? null : find(chart, 'edge', edge.key);
    line?.classList.add('is-last');
    if (line !== null && move !== null) {
      for (const text of line.querySelectorAll(`[data-event="${CSS.escape(move.event)}"]`))
        text.classList.add('is-taken');
    }
    const place = byId('chart');
    if (place.firstChild !== chart) place.replaceChildren(chart);
  }
}

/** What only counts or renews would draw the eye from one machine to another with every record. */
function hasLeftItsState({ hasJustMoved, move }: ActorView): boolean {
  return hasJustMoved && move !== null && move.from !== move.to;
}

function find(chart: SVGElement, what: 'state' | 'edge', name: string): Element | null {
  return chart.querySelector(`[data-${what}="${CSS.escape(name)}"]`);
}

/** One line a field; a field that the last event changed is marked, not only coloured. */
function contextLines({ context, contextBefore }: ActorView): Node[] {
  const before = (contextBefore ?? {}) as Record<string, unknown>;
  const entries = Object.entries((context ?? {}) as Record<string, unknown>);
  return entries.flatMap(([key, value]) => {
    const text = JSON.stringify(value, null, 2);
    const isNew = JSON.stringify(before[key], null, 2) !== text;
    const line = `${isNew ? '●' : ' '} ${key}: ${text.replaceAll('\n', '\n  ')}`;
    return [element('span', isNew ? 'is-new' : '', line), document.createTextNode('\n')];
  });
}

// A chart as SVG: deterministic, without scripts, fonts or anything from outside. Every state and every edge
// carries its name (`data-state`, `data-edge`, and `data-event` for one of several events on an edge), so that
// a page can light where a machine is with the classes `is-current` and `is-last`.

import type { Chart, ChartEdge, ChartTransition } from './chart.ts';
import {
  ANYWHERE_TITLE,
  type Box,
  LABEL_SIZE,
  LINE_HEIGHT,
  layoutOf,
  NAME_HEIGHT,
  NAME_SIZE,
  type PlacedEdge,
  type PlacedState,
  type Point,
  START_RADIUS,
} from './layout.ts';
import { labelOf } from './mermaid.ts';

export interface SvgOptions {
  /** Whether the style sheet is in the drawing; a page with several drawings has CHART_CSS once. */
  readonly hasStyle: boolean;
  /** What a screen reader says; by default the name of the machine. */
  readonly title?: string;
}

/**
 * A page may set the variables; without them the drawing goes by the reader's preference for light or dark.
 * What is lit is also thicker, not only of another colour.
 */
export const CHART_CSS = `.chart{--ink:var(--chart-ink,#1f2733);--soft:var(--chart-soft,#5b6675);--line:var(--chart-line,#8a96a6);--face:var(--chart-face,#ffffff);--back:var(--chart-back,#f4f6f9);--lit:var(--chart-lit,#0b62d6);--lit-face:var(--chart-lit-face,#e3eefe)}
@media (prefers-color-scheme:dark){.chart{--ink:var(--chart-ink,#e6ebf2);--soft:var(--chart-soft,#a3afbf);--line:var(--chart-line,#6d7a8c);--face:var(--chart-face,#1b222c);--back:var(--chart-back,#12171e);--lit:var(--chart-lit,#6db1ff);--lit-face:var(--chart-lit-face,#14365f)}}
.chart text{fill:var(--ink);font:${LABEL_SIZE}px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.chart .name{font:600 ${NAME_SIZE}px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
.chart .guard{fill:var(--soft)}
.chart .ground{fill:var(--back)}
.chart .box{fill:var(--face);stroke:var(--line);stroke-width:1.5}
.chart .rule{stroke:var(--line);stroke-width:1;opacity:.6}
.chart .everywhere .box{stroke-dasharray:4 3;fill:none}
.chart .everywhere .name{fill:var(--soft);font-size:12px}
.chart .line{fill:none;stroke:var(--line);stroke-width:1.5}
.chart .head,.chart .dot{fill:var(--line);stroke:none}
.chart .again{fill:none;stroke:var(--soft);stroke-width:1.2}
.chart .chip{fill:var(--back)}
.chart .is-current>.box{stroke:var(--lit);stroke-width:3;fill:var(--lit-face)}
.chart .is-last>.line{stroke:var(--lit);stroke-width:3}
.chart .is-last>.head{fill:var(--lit)}
.chart .is-last text.is-taken{fill:var(--lit);font-weight:700}
.chart .is-last text.is-taken .guard{fill:var(--lit)}`;

const CORNER = 9;
const HEAD_LENGTH = 9;
const HEAD_HALF = 4.5;

export function svgOf(chart: Chart, options: SvgOptions): string {
  const placed = layoutOf(chart);
  const title = options.title ?? chart.id;
  const { width, height } = placed;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="chart" data-machine="${escaped(chart.id)}" role="img" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    `<title>${escaped(title)}</title>`,
    ...(options.hasStyle ? [`<style>${CHART_CSS}</style>`] : []),
    `<rect class="ground" width="${width}" height="${height}" rx="${CORNER}"/>`,
    placed.anywhere === null ? '' : anywhereSvg(placed.anywhere.edge, placed.anywhere.box),
    startSvg(placed.start),
    // Lines first, so that a label stands on every line that passes it.
    ...placed.edges.map(edgeSvg),
    ...placed.states.map((state) => stateSvg(state, state.state.name === chart.initial)),
    '</svg>',
    '',
  ]
    .filter((line, at, all) => line !== '' || at === all.length - 1)
    .join('\n');
}

function stateSvg({ state, box, own }: PlacedState, isInitial: boolean): string {
  const middle = box.x + box.width / 2;
  return [
    `<g class="state" data-state="${escaped(state.name)}"${isInitial ? ' data-initial=""' : ''}>`,
    state.description === '' ? '' : `<title>${escaped(state.description)}</title>`,
    rect(box, 'box'),
    `<text class="name" x="${num(middle)}" y="${num(box.y + NAME_HEIGHT / 2 + 5)}" text-anchor="middle">${escaped(state.name)}</text>`,
    own === null ? '' : ownSvg(own, box),
    '</g>',
  ].join('');
}

/** The events that a state hears without being left, below its name. */
function ownSvg(edge: ChartEdge, box: Box): string {
  const top = box.y + NAME_HEIGHT;
  const rows = edge.transitions.map((transition, at) => {
    const y = top + 4 + (at + 1) * LINE_HEIGHT - 5;
    const sign = transition.isReentry ? again(box.x + 13, y - 4) : '';
    return sign + labelText(transition, box.x + 22, y, 'start');
  });
  const rule = `<path class="rule" d="M${num(box.x)} ${num(top)}h${num(box.width)}"/>`;
  return `${edgeOpen(edge)}${rule}${rows.join('')}</g>`;
}

function anywhereSvg(edge: ChartEdge, box: Box): string {
  const name = `<text class="name" x="${num(box.x + box.width / 2)}" y="${num(box.y + NAME_HEIGHT / 2 + 5)}" text-anchor="middle">${ANYWHERE_TITLE}</text>`;
  return `<g class="everywhere">${rect(box, 'box')}${name}${ownSvg(edge, box)}</g>`;
}

function edgeSvg({ edge, points, label }: PlacedEdge): string {
  const middle = label.x + label.width / 2;
  const texts = edge.transitions.map((transition, at) =>
    labelText(transition, middle, label.y + 3 + (at + 1) * LINE_HEIGHT - 5, 'middle'),
  );
  return `${edgeOpen(edge)}${lineSvg(points)}${rect(label, 'chip')}${texts.join('')}</g>`;
}

function edgeOpen({ key, kind, source, target }: ChartEdge): string {
  return `<g class="edge ${kind}" data-edge="${escaped(key)}" data-from="${escaped(source)}" data-to="${escaped(target)}">`;
}

function startSvg({ centre, points }: { readonly centre: Point; readonly points: readonly Point[] }): string {
  return `<g class="start"><circle class="dot" cx="${num(centre.x)}" cy="${num(centre.y)}" r="${START_RADIUS}"/>${lineSvg(points)}</g>`;
}

function labelText(transition: ChartTransition, x: number, y: number, anchor: 'start' | 'middle'): string {
  const { event, guard } = transition;
  const rest =
    guard === null ? '' : `<tspan class="guard">${escaped(labelOf(transition).slice(event.length))}</tspan>`;
  const does =
    transition.actions.length === 0 ? '' : `<title>${escaped(transition.actions.join(', '))}</title>`;
  return `<text data-event="${escaped(event)}" x="${num(x)}" y="${num(y)}" text-anchor="${anchor}" xml:space="preserve">${does}${escaped(event)}${rest}</text>`;
}

/** A curve along the points, and its arrowhead. */
function lineSvg(points: readonly Point[]): string {
  const end = points.at(-1) as Point;
  const before = points.at(-2) as Point;
  const length = Math.hypot(end.x - before.x, end.y - before.y) || 1;
  const along = { x: (end.x - before.x) / length, y: (end.y - before.y) / length };
  const neck = { x: end.x - along.x * HEAD_LENGTH, y: end.y - along.y * HEAD_LENGTH };
  const left = { x: neck.x - along.y * HEAD_HALF, y: neck.y + along.x * HEAD_HALF };
  const right = { x: neck.x + along.y * HEAD_HALF, y: neck.y - along.x * HEAD_HALF };
  return `<path class="line" d="${curve([...points.slice(0, -1), neck])}"/><path class="head" d="M${at(end)}L${at(left)}L${at(right)}Z"/>`;
}

/** Through the middle of each piece, bent by the points between: smooth without a spline. */
function curve(points: readonly Point[]): string {
  const [first, ...rest] = points as readonly [Point, ...Point[]];
  const last = rest.at(-1) as Point;
  const bends = rest.slice(0, -1).map((point, index) => {
    const next = rest[index + 1] as Point;
    const isLast = index === rest.length - 2;
    const stop = isLast ? last : { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 };
    return `Q${at(point)} ${at(stop)}`;
  });
  return `M${at(first)}${bends.length === 0 ? `L${at(last)}` : bends.join('')}`;
}

/** A small open circle with a tip: left and entered anew. */
function again(x: number, y: number): string {
  return `<path class="again" d="M${num(x + 3.5)} ${num(y - 1)}a3.8 3.8 0 1 0 .1 2.4m.6 -4.6v2.6h-2.6"/>`;
}

function rect({ x, y, width, height }: Box, name: string): string {
  return `<rect class="${name}" x="${num(x)}" y="${num(y)}" width="${num(width)}" height="${num(height)}" rx="${CORNER}"/>`;
}

function at({ x, y }: Point): string {
  return `${num(x)} ${num(y)}`;
}

function num(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}

// Where each part of a drawing goes. Dagre places the states and the labels of the edges between them; what a
// state does without leaving it is listed inside its box, as UML does, so that no loop is in the way.
// Sizes are computed from the number of characters, never measured: the same machine gives the same bytes.

import { Graph, layout } from '@dagrejs/dagre';
import { ANYWHERE, type Chart, type ChartEdge, type ChartState } from './chart.ts';
import { labelOf } from './mermaid.ts';

export interface Box {
  /** The left upper corner. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface PlacedState {
  readonly state: ChartState;
  readonly box: Box;
  /** What it does without being left. */
  readonly own: ChartEdge | null;
}

export interface PlacedEdge {
  readonly edge: ChartEdge;
  readonly points: readonly Point[];
  readonly label: Box;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly start: { readonly centre: Point; readonly points: readonly Point[] };
  readonly states: readonly PlacedState[];
  readonly edges: readonly PlacedEdge[];
  /** What is heard in every state; null when there is nothing of the kind. */
  readonly anywhere: { readonly edge: ChartEdge; readonly box: Box } | null;
}

/** Of a monospaced face at LABEL_SIZE; the widest of the usual ones is 0.602 em. */
export const LABEL_SIZE = 11;
export const LINE_HEIGHT = 16;
export const NAME_SIZE = 15;
export const NAME_HEIGHT = 34;
export const START_RADIUS = 6;
const CHAR_WIDTH = 0.61 * LABEL_SIZE;
const NAME_CHAR_WIDTH = 0.62 * NAME_SIZE;
const PADDING = 10;
const MARGIN = 14;
/** What stands above the events that are heard in every state. */
export const ANYWHERE_TITLE = 'in every state';

const START = '\u0000start';

export function layoutOf(chart: Chart): Layout {
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: 'TB', nodesep: 44, edgesep: 22, ranksep: 58, marginx: MARGIN, marginy: MARGIN });
  graph.setDefaultEdgeLabel(() => ({}));
  graph.setNode(START, { width: START_RADIUS * 2, height: START_RADIUS * 2 });
  const own = new Map(chart.edges.filter(({ kind }) => kind === 'self').map((edge) => [edge.source, edge]));
  for (const { name } of chart.states) graph.setNode(name, sizeOfState(name, own.get(name)));
  graph.setEdge(START, chart.initial, { weight: 4, minlen: 1 });
  const steps = chart.edges.filter(({ kind }) => kind === 'step');
  for (const edge of steps) {
    graph.setEdge(edge.source, edge.target, { ...sizeOfLabel(edge), labelpos: 'c', weight: 1 }, edge.key);
  }
  layout(graph);

  const states = chart.states.map((state) => ({
    state,
    box: boxOf(graph.node(state.name)),
    own: own.get(state.name) ?? null,
  }));
  const edges = steps.map((edge) => {
    const placed = graph.edge(edge.source, edge.target, edge.key) as unknown as Placed & { points: Point[] };
    return { edge, points: placed.points.map(rounded), label: boxOf(placed) };
  });
  const start = graph.edge(START, chart.initial) as unknown as { points: Point[] };
  const placed: Layout = {
    ...sizeOf(graph.graph()),
    start: { centre: rounded(graph.node(START) as unknown as Point), points: start.points.map(rounded) },
    states,
    edges,
    anywhere: null,
  };
  const anywhere = chart.edges.find(({ source }) => source === ANYWHERE);
  return anywhere === undefined ? placed : withAnywhere(placed, anywhere);
}

/** Into the first corner that is free, or below everything. */
function withAnywhere(placed: Layout, edge: ChartEdge): Layout {
  const size = sizeOfState(ANYWHERE_TITLE, edge);
  const right = placed.width - MARGIN - size.width;
  const bottom = placed.height - MARGIN - size.height;
  const corners = [
    { x: MARGIN, y: MARGIN },
    { x: right, y: MARGIN },
    { x: MARGIN, y: bottom },
    { x: right, y: bottom },
  ];
  const free = corners.map((corner) => ({ ...corner, ...size })).find((box) => isFree(placed, box));
  if (free !== undefined) return { ...placed, anywhere: { edge, box: free } };
  const box = { x: MARGIN, y: placed.height, ...size };
  return { ...placed, height: placed.height + size.height + MARGIN, anywhere: { edge, box } };
}

function isFree({ states, edges, start }: Layout, box: Box): boolean {
  const boxes = [...states.map((state) => state.box), ...edges.map(({ label }) => label)];
  const points = [start.centre, ...start.points, ...edges.flatMap((edge) => edge.points)];
  const asBoxes = points.map((point) => ({ ...point, width: 0, height: 0 }));
  return ![...boxes, ...asBoxes].some((other) => isNear(box, other));
}

/** Whether two boxes overlap or nearly touch. */
function isNear(a: Box, b: Box): boolean {
  const isBeside = a.x + a.width + MARGIN <= b.x || b.x + b.width + MARGIN <= a.x;
  const isAbove = a.y + a.height + MARGIN <= b.y || b.y + b.height + MARGIN <= a.y;
  return !isBeside && !isAbove;
}

function sizeOf(graph: unknown): { readonly width: number; readonly height: number } {
  const { width, height } = graph as Placed;
  return { width: Math.ceil(width), height: Math.ceil(height) };
}

interface Placed {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function sizeOfState(name: string, own: ChartEdge | undefined): { width: number; height: number } {
  const rows = own?.transitions ?? [];
  const widest = Math.max(0, ...rows.map((row) => (labelOf(row).length + 2) * CHAR_WIDTH));
  const width = Math.max(96, name.length * NAME_CHAR_WIDTH, widest) + 2 * PADDING;
  const height = NAME_HEIGHT + (rows.length > 0 ? rows.length * LINE_HEIGHT + 8 : 0);
  return { width: Math.ceil(width), height };
}

function sizeOfLabel(edge: ChartEdge): { width: number; height: number } {
  const widest = Math.max(...edge.transitions.map((transition) => labelOf(transition).length));
  return {
    width: Math.ceil(widest * CHAR_WIDTH + 2 * PADDING - 4),
    height: edge.transitions.length * LINE_HEIGHT + 6,
  };
}

/** Dagre speaks of centres. */
function boxOf(placed: unknown): Box {
  const { x, y, width, height } = placed as Placed;
  return { ...rounded({ x: x - width / 2, y: y - height / 2 }), width, height };
}

/** To a tenth: the last digits of a float are nothing to compare bytes by. */
function rounded({ x, y }: Point): Point {
  return { x: Math.round(x * 10) / 10, y: Math.round(y * 10) / 10 };
}

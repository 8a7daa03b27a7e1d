// A chart as Mermaid's stateDiagram-v2, which GitHub draws in place.

import type { Chart, ChartEdge, ChartTransition } from './chart.ts';

export function mermaidOf(chart: Chart): string {
  const everywhere = chart.edges
    .filter(({ kind }) => kind === 'anywhere')
    .flatMap((edge) => edge.transitions);
  return [
    'stateDiagram-v2',
    `  [*] --> ${chart.initial}`,
    ...chart.edges.filter(({ kind }) => kind !== 'anywhere').map(lineOf),
    ...(everywhere.length === 0
      ? []
      : noteOf(chart.initial, `in every state: ${everywhere.map(labelOf).join(', ')}`)),
    '',
  ].join('\n');
}

function noteOf(state: string, text: string): string[] {
  return [`  note left of ${state}`, `    ${text}`, '  end note'];
}

function lineOf({ source, target, transitions }: ChartEdge): string {
  return `  ${source} --> ${target} : ${transitions.map(labelOf).join('<br>')}`;
}

/** `probe.failed [trips]`, as in the notation of statecharts. */
export function labelOf({ event, guard }: Pick<ChartTransition, 'event' | 'guard'>): string {
  return guard === null ? event : `${event} [${guard}]`;
}

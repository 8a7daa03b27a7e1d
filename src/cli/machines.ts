// The verb `machines`: a machine as JSON (what Stately Studio imports), Mermaid or SVG, from its definition.

import { chartOf } from '../chart/chart.ts';
import { definitionOf } from '../chart/definition.ts';
import { DRAWN, DRAWN_NAMES, type DrawnName, isDrawnName } from '../chart/machines.ts';
import { mermaidOf } from '../chart/mermaid.ts';
import { svgOf } from '../chart/svg.ts';

export const MACHINE_FORMATS = ['list', 'json', 'mermaid', 'svg'] as const;
export type MachineFormat = (typeof MACHINE_FORMATS)[number];

/** Without a name: all of them. Throws on a name that no machine has, and where one file cannot hold several. */
export function machinesText(name: string | undefined, format: MachineFormat): string {
  if (name !== undefined && !isDrawnName(name)) {
    throw new Error(`there is no machine "${name}"; there are ${DRAWN_NAMES.join(', ')}`);
  }
  const names = name === undefined ? DRAWN_NAMES : [name];
  switch (format) {
    case 'list':
      return `${names.map(lineOf).join('\n')}\n`;
    case 'json':
      return name === undefined ? `${allDefinitions()}\n` : `${definitionOf(DRAWN[name])}\n`;
    case 'mermaid':
      return names.map((each) => mermaidOf(chartOf(DRAWN[each]))).join('\n');
    case 'svg':
      if (name === undefined) throw new Error(`say which one, for an SVG: ${DRAWN_NAMES.join(', ')}`);
      return svgOf(chartOf(DRAWN[name]), { hasStyle: true });
  }
}

function lineOf(name: DrawnName): string {
  const { initial, states } = chartOf(DRAWN[name]);
  const rest = states.filter((state) => state.name !== initial).map((state) => state.name);
  return `${name.padEnd(9)} ${[initial, ...rest].join(' · ')}`;
}

function allDefinitions(): string {
  const all = DRAWN_NAMES.map((name) => [name, JSON.parse(definitionOf(DRAWN[name])) as unknown] as const);
  return JSON.stringify(Object.fromEntries(all), null, 2);
}

// What a viewer is greeted with: the machines, their drawings and the state before the first record.

import { type ControlState, MACHINE_NAMES, MACHINES } from '../breaker/index.ts';
import { chartOf } from '../chart/chart.ts';
import { DRAWN, DRAWN_NAMES } from '../chart/machines.ts';
import { svgOf } from '../chart/svg.ts';
import type { Drawing, Greeting, Playback } from './frames.ts';
import { openingEvents } from './protocol.ts';

export function greetingOf(opened: {
  readonly opening: ControlState;
  /** Wall ms; null: the beginning of the log. */
  readonly at: number | null;
  readonly omitted: number;
  readonly playback: Playback;
}): Greeting {
  const { opening, at, omitted, playback } = opened;
  return {
    kind: 'greeting',
    playback,
    omitted,
    actors: MACHINE_NAMES.map((name) => ({ name, machine: drawnNameOf(name) })),
    charts: DRAWN_NAMES.map(drawingOf),
    at,
    events: openingEvents(opening, at ?? 0),
  };
}

function drawnNameOf(name: (typeof MACHINE_NAMES)[number]): (typeof DRAWN_NAMES)[number] {
  const found = DRAWN_NAMES.find((drawn) => DRAWN[drawn] === MACHINES[name]);
  if (found === undefined) throw new Error(`the machine of ${name} has no drawing`);
  return found;
}

function drawingOf(machine: (typeof DRAWN_NAMES)[number]): Drawing {
  const chart = chartOf(DRAWN[machine]);
  return { machine, svg: svgOf(chart, { hasStyle: false }), edges: chart.edges };
}

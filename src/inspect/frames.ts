// What goes to the viewer, one JSON document a line: a greeting, one frame a record, and what the command says
// meanwhile. The offline page and the relay to Stately both live on it.

import type { StatelyInspectionEvent } from '@statelyai/inspect';
import type { Agreement, MachineName, Position, Step } from '../breaker/index.ts';
import type { ChartEdge } from '../chart/chart.ts';
import type { DrawnName } from '../chart/machines.ts';
import { inspect, type Move } from './protocol.ts';

/** One record. */
export interface Frame {
  readonly kind: 'frame';
  readonly position: Position;
  /** Wall ms. */
  readonly at: number;
  readonly by: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly isVoid: boolean;
  readonly agreement: Agreement;
  readonly moves: readonly Move[];
  readonly events: readonly StatelyInspectionEvent[];
}

export interface Greeting {
  readonly kind: 'greeting';
  readonly playback: Playback;
  /** Records before the first frame that are left out because there are too many. */
  readonly omitted: number;
  readonly actors: readonly { readonly name: MachineName; readonly machine: DrawnName }[];
  readonly charts: readonly Drawing[];
  /** Wall ms of the state that it opens with; null for the beginning of the log. */
  readonly at: number | null;
  readonly events: readonly StatelyInspectionEvent[];
}

export interface Drawing {
  readonly machine: DrawnName;
  readonly svg: string;
  readonly edges: readonly ChartEdge[];
}

export interface Playback {
  /** Times as fast as it was; `max`: straight to the end. */
  readonly speed: number | 'max';
  readonly mode: 'play' | 'step' | 'live';
}

export type Message =
  | Greeting
  | Frame
  /** All of the history was sent; begin after `cursor` frames. */
  | { readonly kind: 'loaded'; readonly cursor: number }
  /** Somebody pressed Enter at the command. */
  | { readonly kind: 'next' };

export function frameOf(step: Step): Frame {
  const { position, record, isVoid, agreement } = step;
  const { at, inv, type, data } = record;
  return { kind: 'frame', position, at, by: inv, type, data, isVoid, agreement, ...inspect(step) };
}

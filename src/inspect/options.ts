// The words of the verb `inspect` → what is wanted. Throws with a message that says what is expected.

import { parseLineName, parseOutageNumber, parseTime } from '../cli/point.ts';
import type { Playback } from './frames.ts';
import type { Point } from './selection.ts';

export interface InspectWords {
  readonly at?: string;
  readonly from?: string;
  readonly to?: string;
  readonly outage?: string;
  readonly speed?: string;
  readonly step?: boolean;
  readonly live?: boolean;
}

export interface InspectWish {
  readonly stretch:
    | { readonly kind: 'range'; readonly from: Point | null; readonly to: Point | null }
    | { readonly kind: 'outage'; readonly number: number };
  readonly at: Point | null;
  readonly playback: Playback;
}

const DEFAULT_SPEED = 10;
const MAX_SPEED = 1_000_000;

/** `now`: wall ms. */
export function inspectWish(words: InspectWords, now: number): InspectWish {
  const { at, from, to, outage, speed, step, live } = words;
  if (outage !== undefined && (from !== undefined || to !== undefined)) {
    throw new Error('--outage is a stretch of its own: leave out --from and --to');
  }
  if (live === true && (at !== undefined || to !== undefined || outage !== undefined || step === true)) {
    throw new Error(
      '--live goes on with what is written from now: leave out --at, --to, --outage and --step',
    );
  }
  const point = (text: string | undefined) => (text === undefined ? null : parsePoint(text, now));
  return {
    stretch:
      outage === undefined
        ? { kind: 'range', from: point(from), to: point(to) }
        : { kind: 'outage', number: parseOutageNumber(outage) },
    at: point(at),
    playback: {
      // What is live is shown as it is.
      speed: live === true && speed === undefined ? 'max' : parseSpeed(speed),
      // Who names a moment wants to look at it.
      mode: live === true ? 'live' : step === true || at !== undefined ? 'step' : 'play',
    },
  };
}

/** `control@512` or `512`: a record; else a time, or how long ago. */
export function parsePoint(text: string, now: number): Point {
  if (!/^(\w+@)?\d+$/.test(text.trim())) return { kind: 'time', at: parseTime(text, now) };
  const { stream, position } = parseLineName(text);
  if (stream !== 'control')
    throw new Error(`"${text}" is not of the control stream, whose machines are shown`);
  return { kind: 'position', position };
}

function parseSpeed(text: string | undefined): Playback['speed'] {
  if (text === undefined) return DEFAULT_SPEED;
  if (text === 'max') return 'max';
  const factor = Number(/^(\d+(?:\.\d+)?)x?$/.exec(text)?.[1]);
  if (factor > 0 && factor <= MAX_SPEED) return factor;
  throw new Error(`"${text}" is no speed; write 1x, 10x or max`);
}

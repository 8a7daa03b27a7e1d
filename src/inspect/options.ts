// The words of the verb `inspect` → what is wanted. Throws with a message that says what is expected.

import { parseDuration } from '../cli/duration.ts';
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
        : { kind: 'outage', number: parseOutage(outage) },
    at: point(at),
    playback: {
      // What is live is shown as it is.
      speed: live === true && speed === undefined ? 'max' : parseSpeed(speed),
      // Who names a moment wants to look at it.
      mode: live === true ? 'live' : step === true || at !== undefined ? 'step' : 'play',
    },
  };
}

/** `control@512` or `512`: a record; `2h`: so long ago; else a time. */
export function parsePoint(text: string, now: number): Point {
  const trimmed = text.trim();
  const position = /^(?:control@)?(\d{1,15})$/.exec(trimmed)?.[1];
  if (position !== undefined) return { kind: 'position', position: Number(position) };
  if (/^\d+(\.\d+)?\s*[smhd]$/.test(trimmed)) return { kind: 'time', at: now - parseDuration(trimmed) };
  const at = /^\d{4}-\d\d-\d\d/.test(trimmed)
    ? Date.parse(trimmed.replace(/ (?=[+-]\d\d:?\d\d$)/, ''))
    : Number.NaN;
  if (Number.isNaN(at)) {
    throw new Error(`"${text}" is no point of the log; write control@512, 2026-03-01T04:00 or 2h`);
  }
  return { kind: 'time', at };
}

function parseSpeed(text: string | undefined): Playback['speed'] {
  if (text === undefined) return DEFAULT_SPEED;
  if (text === 'max') return 'max';
  const factor = Number(/^(\d+(?:\.\d+)?)x?$/.exec(text)?.[1]);
  if (factor > 0 && factor <= MAX_SPEED) return factor;
  throw new Error(`"${text}" is no speed; write 1x, 10x or max`);
}

function parseOutage(text: string): number {
  if (/^#?[1-9]\d{0,8}$/.test(text)) return Number(text.replace('#', ''));
  throw new Error(`"${text}" is not the number of an outage`);
}

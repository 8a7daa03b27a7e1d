// Events and contexts in words.

import { duration } from '../../cli/format.ts';
import type { ShownMoment } from '../columns.ts';
import type { Mark } from '../report-data.ts';
import type { ShownEvent } from './model.ts';
import { clock, day } from './times.ts';

const MARK_WORDS: Readonly<Record<Mark, string>> = {
  void: 'changed nothing',
  contended: 'another process came in between',
  adopted: 'taken as it was recorded',
  drift: 'folds differently from when it was written',
  damaged: 'damaged line, skipped',
  newer: 'written by a newer Breakwater',
};

/** Told by the machines or by the type already. */
const UNSAID: ReadonlySet<string> = new Set(['draw', 'epoch', 'process', 'policy', 'server', 'under']);

export function markWords(marks: readonly Mark[]): string {
  return marks.map((mark) => MARK_WORDS[mark]).join(', ');
}

/** What the event says, on one line: `drain · refused · scene:12`. */
export function saidOf({ data }: ShownEvent): string {
  const parts = Object.entries(data).flatMap(([key, value]) => {
    if (UNSAID.has(key) || value === '' || value === null) return [];
    if (typeof value === 'string') return [value];
    if (typeof value === 'boolean') return value ? [key.replace(/^is/, '').toLowerCase()] : [];
    return [`${key} ${valueWords(key, value, null)}`];
  });
  return parts.join(' · ');
}

/** Which machines are in another state: `breaker closed → open`. */
export function moveWords({ moves, before }: ShownEvent): string {
  return Object.entries(moves)
    .filter(([name, { value }]) => value !== undefined && value !== before[name]?.value)
    .map(([name, { value }]) => `${name} ${before[name]?.value ?? '?'} → ${value}`)
    .join(', ');
}

/** A value of a context or an event; `now` is the moment that is shown, null: none. */
export function valueWords(key: string, value: unknown, now: ShownMoment | null): string {
  if (value === null || value === undefined || value === '') return '–';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number') return numberWords(key, value);
  if (typeof value === 'string') return value;
  if (Array.isArray(value))
    return value.length === 0 ? '–' : value.map((item) => valueWords('', item, now)).join(', ');
  if (isWait(value)) return waitWords(value, now);
  if (isMoment(value)) return momentWords(value, now);
  return Object.entries(value)
    .map(([name, inner]) => `${name} ${valueWords(name, inner, now)}`)
    .join(', ');
}

function numberWords(key: string, value: number): string {
  if (/Ms$/.test(key)) return duration(value);
  if (/(At|^at)$/.test(key)) return clock(value);
  return String(Math.round(value * 1_000) / 1_000);
}

interface ShownWait {
  readonly from: ShownMoment;
  readonly waitMs: number;
}

function waitWords({ from, waitMs }: ShownWait, now: ShownMoment | null): string {
  if (now === null) return duration(waitMs);
  const leftMs = waitMs - (now.t - from.t);
  const until = clock(now.at + leftMs);
  return leftMs > 0 ? `${until}, in ${duration(leftMs)}` : `${until}, over`;
}

function momentWords({ at }: ShownMoment, now: ShownMoment | null): string {
  return now !== null && Math.abs(now.at - at) < 43_200_000 ? clock(at) : `${day(at)}, ${clock(at)}`;
}

function isWait(value: object): value is ShownWait {
  return 'from' in value && 'waitMs' in value;
}

function isMoment(value: object): value is ShownMoment {
  return 'at' in value && 't' in value;
}

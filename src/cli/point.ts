// Points of the past as a person names them: a time, a length of time ago, a line of the journal, an outage. Each
// message says what is expected, or what there is.

import type { Cut, Range } from '../history/state-at.ts';
import { parseDuration } from './duration.ts';
import { time } from './format.ts';

/** Wall ms; throws with a message that says what is expected. `now`: wall ms. */
export function parseTime(text: string, now: number): number {
  const trimmed = text.trim();
  if (/^\d+(\.\d+)?\s*[smhd](\s+ago)?$/.test(trimmed))
    return now - parseDuration(trimmed.replace(/\s+ago$/, ''));
  const parts = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)\s*(Z|[+-]\d\d:?\d\d)?)?$/.exec(
    trimmed,
  );
  const [, date, clock = '00:00', zone = ''] = parts ?? [];
  const at = parts === null ? Number.NaN : Date.parse(`${date}T${clock}${zone}`);
  if (Number.isNaN(at)) {
    throw new Error(
      `"${text}" is not a time; write for instance 2026-03-01T04:00, "2026-03-01 04:00:12 +01:00" or 2h`,
    );
  }
  return at;
}

/** `18234` or `control@18234`: a line of the control stream; `queue@512`: one of the queue stream. */
export function parseLineName(text: string): Extract<Cut, { kind: 'to' }> {
  const [, stream = 'control', digits] = /^(?:(control|queue)@)?(\d{1,15})$/.exec(text.trim()) ?? [];
  if (digits === undefined) {
    throw new Error(`"${text}" names no line; write control@18234, queue@512, or 18234 for one of control`);
  }
  return { kind: 'to', stream: stream as 'control' | 'queue', position: Number(digits) };
}

export function parseOutageNumber(text: string): number {
  if (!/^#?[1-9]\d{0,8}$/.test(text.trim()))
    throw new Error(`"${text}" is not the number of an outage; "outages" lists them`);
  return Number(text.trim().replace('#', ''));
}

/** Why there is no such point, and what there is. */
export function nowhereMessage(cut: Cut, range: Range): string {
  const { from, to, outages, first, last, before, after } = range;
  const span =
    from === null || to === null
      ? 'it holds no record that can be read'
      : `it holds ${time(from)} to ${time(to)}`;
  switch (cut.kind) {
    case 'end':
      return `the journal cannot be told: ${span}`;
    case 'at':
      return `the journal says nothing of ${time(cut.at)}: ${span}`;
    case 'to': {
      const name = `${cut.stream}@${cut.position}`;
      if (first === null) return `there is no line ${name}: the ${cut.stream} stream is empty`;
      const near = [before, after].filter((at) => at !== null).map((at) => `${cut.stream}@${at}`);
      return `there is no line ${name}: the nearest are ${near.join(' and ')}; the stream goes from ${first} to ${last}`;
    }
    case 'outage':
      return outages === 0
        ? `there is no outage #${cut.number}: none was recorded`
        : `there is no outage #${cut.number}: there are 1 to ${outages}; "outages" lists them`;
  }
}

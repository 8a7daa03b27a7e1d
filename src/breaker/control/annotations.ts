// Annotations: records of the control stream that only tell readers something. No machine hears them, so they are no part
// of the machines' vocabulary (nor of its era), and moving nothing is what they are for: they are never void. A version that
// does not know one yet takes it for a record of an unknown type, and folds on.

import type { JournalRecord } from '../journal/record.ts';

/** What a person has to say about an outage. */
export interface OutageNoted {
  readonly type: 'outage.noted';
  /** The id of the record that opened the breaker: a number would move if a newer code counted otherwise. */
  readonly opening: string;
  /** One line. */
  readonly text: string;
}

export type Annotation = OutageNoted;

/** In characters. */
export const MAX_NOTE = 500;

/** What is kept of a note as it was typed: one line without control characters; empty when there is nothing left. */
export function noteText(typed: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is what this is for
  const line = typed.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim();
  return [...line].slice(0, MAX_NOTE).join('');
}

/** Null for a record that is none. */
export function annotationOf({ type, data }: JournalRecord): Annotation | null {
  if (type !== 'outage.noted') return null;
  const { opening, text } = data;
  return typeof opening === 'string' && typeof text === 'string' ? { type, opening, text } : null;
}

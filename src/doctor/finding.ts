// What was looked at, how it is, and what to do about it.

export interface Finding {
  readonly level: 'ok' | 'note' | 'problem';
  /** What was looked at. */
  readonly about: string;
  readonly says: string;
  /** What to do; empty: nothing. */
  readonly advice: string;
}

export function ok(about: string, says: string): Finding {
  return { level: 'ok', about, says, advice: '' };
}

export function note(about: string, says: string, advice: string): Finding {
  return { level: 'note', about, says, advice };
}

export function problem(about: string, says: string, advice: string): Finding {
  return { level: 'problem', about, says, advice };
}

// A journal of which some is otherwise: it fails, sleeps, or counts.

import type { Journal } from '../../src/breaker/journal/journal.ts';

/** `journal`, but for what is given. */
export function journalWith(journal: Journal, given: Partial<Journal>): Journal {
  return {
    append: (stream, records) => journal.append(stream, records),
    read: (stream, from) => journal.read(stream, from),
    size: (stream) => journal.size(stream),
    ...given,
  };
}

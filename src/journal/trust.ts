// Whether a checkpoint may be believed: it must be of this era and of this very log (the record that it names
// stands where it says). Anything else is ignored, never repaired.

import type { Checkpoint } from './atomic-file.ts';
import type { Journal } from './journal.ts';
import type { Position, StreamName } from './record.ts';
import { placeOf } from './segments.ts';

/** `isCurrent`: nothing was appended since. */
export type Checked<State> =
  | { readonly kind: 'trusted'; readonly checkpoint: Checkpoint<State>; readonly isCurrent: boolean }
  | { readonly kind: 'ignored' };

export async function checkCheckpoint<State>(
  journal: Journal,
  stream: StreamName,
  era: string,
  checkpoint: Checkpoint<State> | null,
): Promise<Checked<State>> {
  if (checkpoint === null || checkpoint.era !== era) return { kind: 'ignored' };
  const { last, position } = checkpoint;
  const { entries, next } = await journal.read(stream, last.position);
  const first = entries[0];
  const isOfThisLog = first?.kind === 'record' && first.record.id === last.id && first.next <= position;
  if (!isOfThisLog) return { kind: 'ignored' };
  // The end of a segment is not the end of the stream.
  if (next === position && placeOf(position).offset > 0)
    return { kind: 'trusted', checkpoint, isCurrent: true };
  if ((await journal.size(stream)) < position) return { kind: 'ignored' };
  const isBehind =
    entries.some((entry) => entry.position >= position) || (await hasEntries(journal, stream, next));
  return { kind: 'trusted', checkpoint, isCurrent: !isBehind };
}

/** The records by which segments hold together are none. */
async function hasEntries(journal: Journal, stream: StreamName, from: Position): Promise<boolean> {
  for (let at = from; ; ) {
    const { entries, next } = await journal.read(stream, at);
    if (entries.length > 0) return true;
    if (next === at) return false;
    at = next;
  }
}

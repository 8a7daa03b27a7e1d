// Whether a checkpoint may be believed: it must be of this era and of this very log (the record that it names
// stands where it says). Anything else is ignored, never repaired.

import type { Checkpoint } from './atomic-file.ts';
import type { Journal } from './journal.ts';
import type { StreamName } from './record.ts';
import { isCount, isText, shaped } from './shape.ts';

/** `isCurrent`: nothing was appended since. */
export type Checked<State> =
  | { readonly kind: 'trusted'; readonly checkpoint: Checkpoint<State>; readonly isCurrent: boolean }
  | { readonly kind: 'ignored' };

/** The state in it is taken as it is: whoever wrote its era and its checksum made it. */
const isEnvelope = shaped<Omit<Checkpoint<unknown>, 'state'>>({
  era: isText,
  position: isCount,
  last: shaped<Checkpoint<unknown>['last']>({ position: isCount, id: isText }),
});

export async function checkCheckpoint<State>(
  journal: Journal,
  stream: StreamName,
  era: string,
  checkpoint: Checkpoint<State> | null,
): Promise<Checked<State>> {
  if (checkpoint === null || !isEnvelope(checkpoint) || checkpoint.era !== era) return { kind: 'ignored' };
  const { entries, next } = await journal.read(stream, checkpoint.last.position);
  const first = entries[0];
  const isOfThisLog =
    first?.kind === 'record' && first.record.id === checkpoint.last.id && first.next <= checkpoint.position;
  if (!isOfThisLog || (await journal.size(stream)) < checkpoint.position) return { kind: 'ignored' };
  return { kind: 'trusted', checkpoint, isCurrent: next === checkpoint.position };
}

// Whether a checkpoint may be believed: it must be of this era, of this boot (a power loss takes what no sync has made
// durable, and others may have read it before) and of this very log: the record that it names stands where it says.
// Anything else is ignored, never repaired.

import type { Checkpoint } from './atomic-file.ts';
import type { Journal } from './journal.ts';
import type { Chunk } from './lines.ts';
import type { Position, StreamName } from './record.ts';
import { placeOf } from './segments.ts';
import { isCount, isText, shaped } from './shape.ts';
import type { Writer } from './writer.ts';

/** What a checkpoint is of. */
export type Origin = Pick<Checkpoint<unknown>, 'era' | 'boot'>;

/** What this process writes checkpoints of, and goes by. */
export function originOf(era: string, writer: Writer): Origin {
  return { era, boot: writer.now().boot };
}

export type Checked<State> =
  | {
      readonly kind: 'trusted';
      readonly checkpoint: Checkpoint<State>;
      /** Nothing was appended since. */
      readonly isCurrent: boolean;
      /** What follows the checkpoint as far as it was read on the way: whoever folds it goes on at its `next`. */
      readonly tail: Chunk;
    }
  | { readonly kind: 'ignored' };

/** The state in it is taken as it is: whoever wrote its era and its checksum made it. */
const isEnvelope = shaped<Omit<Checkpoint<unknown>, 'state'>>({
  era: isText,
  boot: isText,
  position: isCount,
  last: shaped<Checkpoint<unknown>['last']>({ position: isCount, id: isText }),
});

export async function checkCheckpoint<State>(
  journal: Journal,
  stream: StreamName,
  { era, boot }: Origin,
  checkpoint: Checkpoint<State> | null,
): Promise<Checked<State>> {
  if (checkpoint === null || !isEnvelope(checkpoint)) return { kind: 'ignored' };
  if (checkpoint.era !== era || checkpoint.boot !== boot) return { kind: 'ignored' };
  const { last, position } = checkpoint;
  const { entries, next } = await journal.read(stream, last.position);
  const first = entries[0];
  const isOfThisLog = first?.kind === 'record' && first.record.id === last.id && first.next <= position;
  if (!isOfThisLog) return { kind: 'ignored' };
  // The end of a segment is not the end of the stream.
  if (next === position && placeOf(position).offset > 0)
    return { kind: 'trusted', checkpoint, isCurrent: true, tail: { entries: [], next } };
  if ((await journal.size(stream)) < position) return { kind: 'ignored' };
  const tail = {
    entries: entries.filter((entry) => entry.position >= position),
    next: Math.max(next, position),
  };
  const isCurrent = tail.entries.length === 0 && !(await hasEntries(journal, stream, tail.next));
  return { kind: 'trusted', checkpoint, isCurrent, tail };
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

// Whether a checkpoint may be believed: it must be of this era, of this boot (a power loss takes what no sync has made
// durable, and others may have read it before) and of this very log: the record that it names stands where it says.
// Anything else is ignored, never repaired.

import type { Checkpoint } from './atomic-file.ts';
import type { Journal } from './journal.ts';
import type { StreamName } from './record.ts';
import { isCount, isText, shaped } from './shape.ts';
import type { Writer } from './writer.ts';

/** What a checkpoint is of. */
export type Origin = Pick<Checkpoint<unknown>, 'era' | 'boot'>;

/** What this process writes checkpoints of, and goes by. */
export function originOf(era: string, writer: Writer): Origin {
  return { era, boot: writer.now().boot };
}

/** The state in it is taken as it is: whoever wrote its era and its checksum made it. */
const isEnvelope = shaped<Omit<Checkpoint<unknown>, 'state'>>({
  era: isText,
  boot: isText,
  position: isCount,
  last: shaped<Checkpoint<unknown>['last']>({ position: isCount, id: isText }),
});

/** The checkpoint, or null: then the log is folded from its beginning. */
export async function trusted<State>(
  journal: Journal,
  stream: StreamName,
  { era, boot }: Origin,
  checkpoint: Checkpoint<State> | null,
): Promise<Checkpoint<State> | null> {
  if (checkpoint === null || !isEnvelope(checkpoint)) return null;
  if (checkpoint.era !== era || checkpoint.boot !== boot) return null;
  const { last, position } = checkpoint;
  const [first] = (await journal.read(stream, last.position)).entries;
  const isOfThisLog = first?.kind === 'record' && first.record.id === last.id && first.next <= position;
  return isOfThisLog && (await journal.size(stream)) >= position ? checkpoint : null;
}

// A checkpoint: what the fold of a stream had come to at a position, so that the next invocation need not fold it again.
// It is a cache: deleting it changes nothing but time.
//
// It is believed if it is of this era, of this boot (a power loss takes what no sync has made durable, and others may have
// read it before) and of this very log: the record that it names stands where it says. Anything else is ignored, never
// repaired.

import { LowSync, type SyncAdapter } from 'lowdb';
import type { Journal } from './journal.ts';
import type { Position, StreamName } from './record.ts';
import { isCount, isText, shaped } from './shape.ts';
import type { Writer } from './writer.ts';

export interface Checkpoint<State> {
  /** The era of the fold that made `state`; a fold of another era starts from the log. */
  readonly era: string;
  /** The boot in which it was written: a power loss may have taken records that are in `state`. */
  readonly boot: string;
  /** Everything before this position is in `state`. */
  readonly position: Position;
  /** The last record in it: where it stands and its id, so that another log is not taken for this one. */
  readonly last: { readonly position: Position; readonly id: string };
  readonly state: State;
}

/** Where one is kept. `read` gives null where there is none that can be read, `write` throws when it cannot. */
export type CheckpointStore<State> = SyncAdapter<Checkpoint<State>>;

/** Replaces the checkpoint. Throws when it cannot: the caller may go on without. */
export function writeCheckpoint<State>(store: CheckpointStore<State>, checkpoint: Checkpoint<State>): void {
  const db = new LowSync(store, checkpoint);
  db.data = checkpoint;
  db.write();
}

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

// A checkpoint: what the fold of a stream had come to at a position, so that the next invocation need not fold it again.
// It is a cache. Missing, damaged, of another era or of another log, it is ignored (trust.ts), and deleting it changes
// nothing but time.

import { LowSync, type SyncAdapter } from 'lowdb';
import type { Checkpoint } from './atomic-file.ts';

/** Replaces the checkpoint. Throws when it cannot: the caller may go on without. */
export function writeCheckpoint<State>(
  file: SyncAdapter<Checkpoint<State>>,
  checkpoint: Checkpoint<State>,
): void {
  const db = new LowSync(file, checkpoint);
  db.data = checkpoint;
  db.write();
}

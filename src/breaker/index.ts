// The durable circuit breaker: all of it that other rooms import. It serves any program that exits: its state is what the log
// comes to, and it knows nothing of what the work is.

export { type Annotation, annotationOf, noteText } from './control/annotations.ts';
export { ControlLog } from './control/control-log.ts';
export { type Gate, gate, isDrainerNeeded, isHeld, isLeaseLive, PROBE_LEASE_MS } from './control/decide.ts';
export { type AnyMachineState, evolve, evolveWatched, type Heard, MACHINES } from './control/evolve.ts';
export { DEFAULT_PAUSE_MS, type Failure } from './control/failure.ts';
export {
  type Agreement,
  EMPTY_FOLD,
  type FoldCounts,
  type FoldState,
  foldEntry,
  type Step,
} from './control/replay.ts';
export {
  type ControlState,
  type HoldState,
  INITIAL_STATE,
  type LeaseState,
  MACHINE_NAMES,
  type MachineName,
} from './control/state.ts';
export { transitionOf } from './control/witness.ts';
export { DrainLease, LeaseLost } from './drain-lease.ts';
export { isDrainerWanted, isHolderGone } from './drainer-wanted.ts';
export { type DirFacts, dirFacts, exposuresOf, sweepTemporaries } from './folder.ts';
export { AtomicFile, READ_FLAGS, replaceFile } from './journal/atomic-file.ts';
export { type ChainVerdict, chain, verifyChain } from './journal/chain.ts';
export {
  type Checkpoint,
  type CheckpointStore,
  originOf,
  trusted,
  writeCheckpoint,
} from './journal/checkpoint.ts';
export { failureOf } from './journal/disk.ts';
export { FileJournal } from './journal/file-journal.ts';
export { FileSegments } from './journal/file-segments.ts';
export { type AppendResult, type Journal, JournalError, readAll, type Segments } from './journal/journal.ts';
export { type Entry, joinLines } from './journal/lines.ts';
export { MemoryJournal } from './journal/memory-journal.ts';
export { FUSE, NETWORK_TYPES } from './journal/network.ts';
export {
  encodeLine,
  type JournalRecord,
  type Position,
  RECORD_VERSION,
  type StreamName,
  type Witness,
} from './journal/record.ts';
export {
  type Check,
  isCount,
  isMs,
  isText,
  isWaitMs,
  isWallMs,
  listOf,
  mapOf,
  oneOf,
  optional,
  orNull,
  type Shape,
  shaped,
} from './journal/shape.ts';
export { filledIn, type Upcasts, upcast } from './journal/upcast.ts';
export { makeRecord, type Writer } from './journal/writer.ts';
export { failedProbe, holdPlaced, probeUnderLease } from './probing.ts';
export { processWriter } from './process.ts';

// The journal port: append-only streams, each by its name. What every implementation must do is in
// test/breaker/journal/conformance.ts, and that suite is the contract.
//
// It never rewrites, never waits long for somebody who may be dead, and never says that something was written which was
// not made durable. The order of a stream is the order in which appends landed, the same for every reader.

import type { Chunk } from './lines.ts';
import type { JournalRecord, Position, StreamName } from './record.ts';

/** Why an append did not happen. Nothing of it counts: what may be left of it is damage to a reader. */
export type AppendFailure =
  /** The disk (or quota) is full. */
  | { readonly kind: 'full'; readonly detail: string }
  /** The data dir or file cannot be written: missing, read-only, not ours. */
  | { readonly kind: 'unwritable'; readonly detail: string }
  /** The device failed, also while making it durable. */
  | { readonly kind: 'io'; readonly detail: string };

export type AppendResult = { readonly ok: true } | { readonly ok: false; readonly failure: AppendFailure };

/** For those who cannot go on without having written. */
export class JournalError extends Error {
  constructor(detail: string) {
    super(`the journal cannot be written: ${detail}`);
  }
}

export interface Journal {
  /** Writes the records in one piece, at the end, durably. */
  append(stream: StreamName, records: readonly JournalRecord[]): Promise<AppendResult>;
  /**
   * Entries from `from` on, at most about `READ_BYTES` at a time; `next === from` means there is no more. There may be more
   * though there are no entries.
   * A stream that does not exist is empty. Throws on a device that cannot be read: guessing an empty log
   * there would be a fresh start.
   */
  read(stream: StreamName, from: Position): Promise<Chunk>;
  /** The position at which the stream ends now; 0: nothing was ever written. */
  size(stream: StreamName): Promise<Position>;
}

/** The same streams as chains of segments, for those who keep house: who appends and reads has no need of them. */
export interface Segments {
  /** Oldest first. */
  list(stream: StreamName): Promise<readonly SegmentInfo[]>;
  /**
   * Ends the newest segment, unless it is empty, and begins the next. `occasion` lends its envelope. May be done at
   * any time by anybody: what is appended meanwhile stands before the end or in the next one.
   */
  seal(stream: StreamName, occasion: JournalRecord): Promise<AppendResult>;
  /**
   * Drops the segments before `segment`, which are sealed. From then on a reader finds `image` in their place, whose first
   * record must say that it replaces whatever was folded before.
   */
  dropBefore(stream: StreamName, segment: number, image: readonly JournalRecord[]): Promise<AppendResult>;
  /** The size of the segment that is written to: cheap, to be asked as often as work is. */
  newestBytes(stream: StreamName): Promise<number>;
  /** The size of what stands in for dropped segments. */
  imageBytes(stream: StreamName): Promise<number>;
  /** A segment as it is stored, up to where it was sealed, in pieces of bounded size; none: it is empty, or not there. */
  pieces(stream: StreamName, segment: number): AsyncIterable<Buffer>;
}

export interface SegmentInfo {
  readonly index: number;
  /** The position at which it begins. */
  readonly base: Position;
  readonly bytes: number;
  /** Wall ms; null: it is the newest, or that is not known. */
  readonly sealedAt: number | null;
}

/** How much one read takes in, in bytes; a longer line is read whole. */
export const READ_BYTES = 1024 * 1024;

/** Every entry from `from` on; holds one read's entries at a time. */
export async function* readAll(journal: Journal, stream: StreamName, from: Position = 0) {
  let position = from;
  for (;;) {
    const chunk = await journal.read(stream, position);
    if (chunk.next === position) return position;
    yield* chunk.entries;
    position = chunk.next;
  }
}

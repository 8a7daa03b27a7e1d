// Bytes of a stream → entries. A line counts only between newlines: what stands after the last newline may
// still be on its way (or be the fragment that a crash left), so it is not judged until a newline ends it.

import { decodeLine, type JournalRecord, type Position } from './record.ts';

export type Entry =
  | {
      readonly kind: 'record';
      readonly position: Position;
      readonly next: Position;
      readonly record: JournalRecord;
    }
  | {
      readonly kind: 'damaged';
      readonly position: Position;
      readonly next: Position;
      readonly reason: string;
    }
  | {
      readonly kind: 'newer';
      readonly position: Position;
      readonly next: Position;
      readonly version: number;
    };

export interface Chunk {
  readonly entries: readonly Entry[];
  /** Where the next read goes on: behind the last newline that was seen. */
  readonly next: Position;
}

const NEWLINE = 0x0a;

/** `bytes` begin at position `from`, which must be the start of a line or a newline. */
export function splitEntries(bytes: Buffer, from: Position): Chunk {
  const entries: Entry[] = [];
  let start = 0;
  for (;;) {
    const end = bytes.indexOf(NEWLINE, start);
    if (end < 0) break;
    if (end > start) entries.push(entry(bytes.subarray(start, end), from + start, from + end + 1));
    start = end + 1;
  }
  return { entries, next: from + start };
}

/** A run without a newline that is longer than any line: step over it, or nothing behind it is ever read. */
export function stepOver(position: Position, length: number): Chunk {
  const next = position + length;
  return { entries: [{ kind: 'damaged', position, next, reason: 'no newline' }], next };
}

function entry(line: Buffer, position: Position, next: Position): Entry {
  const decoded = decodeLine(line);
  switch (decoded.kind) {
    case 'record':
      return { kind: 'record', position, next, record: decoded.record };
    case 'newer':
      return { kind: 'newer', position, next, version: decoded.version };
    case 'damaged':
      return { kind: 'damaged', position, next, reason: decoded.reason };
  }
}

/** What one append writes: a newline before each line ends whatever fragment a crash may have left there. */
export function joinLines(lines: readonly string[]): Buffer {
  return Buffer.from(lines.map((line) => `\n${line}\n`).join(''));
}

// The journal in memory: the same contract and the same bytes as the one on disk, for tests and simulation.
// Several "processes" share one by sharing the object.

import { type AppendResult, type Journal, READ_BYTES } from './journal.ts';
import { type Chunk, joinLines, splitEntries, stepOver } from './lines.ts';
import { encodeLine, type JournalRecord, MAX_LINE_BYTES, type Position, type StreamName } from './record.ts';

/** A buffer that grows by doubling; `used` bytes of it count. */
interface Grown {
  buffer: Buffer;
  used: number;
}

export class MemoryJournal implements Journal {
  readonly #streams = new Map<StreamName, Grown>();

  async append(stream: StreamName, records: readonly JournalRecord[]): Promise<AppendResult> {
    this.appendBytes(stream, joinLines(records.map(encodeLine)));
    return { ok: true };
  }

  async read(stream: StreamName, from: Position): Promise<Chunk> {
    const bytes = this.bytes(stream).subarray(from, from + READ_BYTES + MAX_LINE_BYTES);
    const chunk = splitEntries(bytes, from);
    const isEndless = chunk.next === from && bytes.length > MAX_LINE_BYTES;
    return isEndless ? stepOver(from, bytes.length) : chunk;
  }

  async size(stream: StreamName): Promise<number> {
    return this.bytes(stream).length;
  }

  /** The raw bytes, and ways to change them: how tests tear, corrupt and inspect a log. */
  bytes(stream: StreamName): Buffer {
    const grown = this.#streams.get(stream);
    return grown === undefined ? Buffer.alloc(0) : grown.buffer.subarray(0, grown.used);
  }

  appendBytes(stream: StreamName, bytes: Buffer): void {
    const { buffer, used } = this.#streams.get(stream) ?? { buffer: Buffer.alloc(1024), used: 0 };
    const needed = used + bytes.length;
    const roomy =
      needed <= buffer.length ? buffer : Buffer.concat([buffer], Math.max(needed, buffer.length * 2));
    bytes.copy(roomy, used);
    this.#streams.set(stream, { buffer: roomy, used: needed });
  }

  replaceBytes(stream: StreamName, bytes: Buffer): void {
    this.#streams.set(stream, { buffer: Buffer.from(bytes), used: bytes.length });
  }
}

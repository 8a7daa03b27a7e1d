// The journal in memory: the same contract and the same bytes as the one on disk, for tests and simulation.
// Several "processes" share one by sharing the object; nothing comes between the steps of one call.

import { type AppendResult, type Journal, READ_BYTES, type SegmentInfo, type Segments } from './journal.ts';
import { type Chunk, joinLines, splitEntries, stepOver } from './lines.ts';
import { encodeLine, type JournalRecord, type Position, type StreamName } from './record.ts';
import {
  baseOf,
  imageBaseOf,
  openingIn,
  openingLine,
  placeOf,
  readable,
  sealEndIn,
  sealLine,
} from './segments.ts';

/** A buffer that grows by doubling; `used` bytes of it count. */
interface Grown {
  buffer: Buffer;
  used: number;
}

interface Stream {
  /** By number; null: dropped. The last is the newest. */
  readonly segments: (Grown | null)[];
  /** Stands for all before segment `before`. */
  image: { readonly before: number; readonly bytes: Buffer } | null;
}

export class MemoryJournal implements Journal, Segments {
  readonly #streams = new Map<StreamName, Stream>();

  async append(stream: StreamName, records: readonly JournalRecord[]): Promise<AppendResult> {
    this.appendBytes(stream, joinLines(records.map(encodeLine)));
    return { ok: true };
  }

  async read(stream: StreamName, from: Position): Promise<Chunk> {
    const { segments, image } = this.#stream(stream);
    const { kind, index, offset } = placeOf(from);
    if (kind === 'image') {
      const bytes = image?.before === index ? image.bytes : null;
      if (bytes === null) return this.#readOn(stream, from);
      const chunk = chunkOf(bytes, offset, from);
      return chunk.next === from ? { entries: [], next: baseOf(index) } : chunk;
    }
    const segment = segments[index];
    if (segment === undefined) return { entries: [], next: from };
    if (segment === null) return this.#readOn(stream, from);
    const { chunk, isSealed } = readable(chunkOf(contentOf(segment), offset, from));
    const isOver = isSealed || (chunk.next === from && index < segments.length - 1);
    return isOver ? { entries: chunk.entries, next: baseOf(index + 1) } : chunk;
  }

  async size(stream: StreamName): Promise<Position> {
    const { segments } = this.#stream(stream);
    return baseOf(segments.length - 1) + (segments.at(-1)?.used ?? 0);
  }

  async seal(stream: StreamName, occasion: JournalRecord): Promise<AppendResult> {
    const { segments } = this.#stream(stream);
    const index = segments.length - 1;
    if (this.bytes(stream).length === 0) return { ok: true };
    this.appendBytes(stream, sealLine(occasion, index));
    const end = this.bytes(stream).length;
    segments.push(empty());
    this.appendBytes(stream, openingLine(occasion, index + 1, end));
    return { ok: true };
  }

  async dropBefore(
    stream: StreamName,
    segment: number,
    image: readonly JournalRecord[],
  ): Promise<AppendResult> {
    const all = this.#stream(stream);
    if (image.length === 0 || segment > all.segments.length - 1) return { ok: true };
    all.image = { before: segment, bytes: joinLines(image.map(encodeLine)) };
    all.segments.fill(null, 0, segment);
    return { ok: true };
  }

  async list(stream: StreamName): Promise<readonly SegmentInfo[]> {
    const { segments } = this.#stream(stream);
    return segments.flatMap((segment, index) => {
      if (segment === null || segment.used === 0) return [];
      const next = segments[index + 1];
      const sealedAt = (next && openingIn(contentOf(next), index + 1)?.at) ?? null;
      return [{ index, base: baseOf(index), bytes: segment.used, sealedAt }];
    });
  }

  async newestBytes(stream: StreamName): Promise<number> {
    return this.#stream(stream).segments.at(-1)?.used ?? 0;
  }

  async imageBytes(stream: StreamName): Promise<number> {
    return this.#stream(stream).image?.bytes.length ?? 0;
  }

  async *pieces(stream: StreamName, index: number): AsyncGenerator<Buffer> {
    const segment = this.#stream(stream).segments[index];
    if (segment === undefined || segment === null) return;
    const bytes = contentOf(segment);
    yield bytes.subarray(0, sealEndIn(bytes) ?? bytes.length);
  }

  /** The raw bytes of the newest segment, and ways to change them: how tests tear, corrupt and inspect a log. */
  bytes(stream: StreamName): Buffer {
    const newest = this.#stream(stream).segments.at(-1);
    return newest ? contentOf(newest) : Buffer.alloc(0);
  }

  appendBytes(stream: StreamName, bytes: Buffer): void {
    const { segments } = this.#stream(stream);
    const { buffer, used } = segments.at(-1) ?? empty();
    const needed = used + bytes.length;
    const roomy =
      needed <= buffer.length ? buffer : Buffer.concat([buffer], Math.max(needed, buffer.length * 2));
    bytes.copy(roomy, used);
    segments[segments.length - 1] = { buffer: roomy, used: needed };
  }

  replaceBytes(stream: StreamName, bytes: Buffer): void {
    const { segments } = this.#stream(stream);
    segments[segments.length - 1] = { buffer: Buffer.from(bytes), used: bytes.length };
  }

  #stream(name: StreamName): Stream {
    const known = this.#streams.get(name);
    if (known !== undefined) return known;
    const made: Stream = { segments: [empty()], image: null };
    this.#streams.set(name, made);
    return made;
  }

  #readOn(stream: StreamName, from: Position): Chunk {
    const { image } = this.#stream(stream);
    const isAhead = image !== null && imageBaseOf(image.before) > from;
    return { entries: [], next: isAhead ? imageBaseOf(image.before) : from };
  }
}

function empty(): Grown {
  return { buffer: Buffer.alloc(1024), used: 0 };
}

function contentOf({ buffer, used }: Grown): Buffer {
  return buffer.subarray(0, used);
}

function chunkOf(content: Buffer, offset: number, from: Position): Chunk {
  const bytes = content.subarray(offset, offset + READ_BYTES);
  const chunk = splitEntries(bytes, from);
  const isEndless = chunk.next === from && bytes.length === READ_BYTES;
  return isEndless ? stepOver(from, bytes.length) : chunk;
}

// Reading a stream that is a chain of segment files: each up to its seal, then the next. The protocol is in
// segment-writer.ts.
//
// Segments may be missing: old ones of the queue are dropped once an image of what they came to stands in for them
// (segment-images.ts). A reader that comes to one, from the beginning or from a position in it, goes on at the newest
// image, whose records say that they replace whatever was folded before. Where nothing stands in, the gap is damage.
// It never guesses: what is missing and what cannot be read are told apart.

import type { Disk } from './disk.ts';
import { READ_BYTES } from './journal.ts';
import { type Chunk, splitEntries, stepOver } from './lines.ts';
import type { Position, StreamName } from './record.ts';
import { endOfSegment } from './segment-end.ts';
import {
  baseOf,
  imageBaseOf,
  imageName,
  listingOf,
  newestOf,
  placeOf,
  readable,
  segmentName,
} from './segments.ts';

const NEWLINE = 0x0a;
/** A read grows at most to this to find the end of a line, in bytes. A longer run without one is damage. */
const MAX_READ_BYTES = 64 * 1024 * 1024;

interface OpenFile {
  readonly name: string;
  readonly fd: number;
}

export class SegmentReader {
  readonly #disk: Disk;
  readonly #stream: StreamName;
  #open: OpenFile | null = null;
  #isShared = false;
  /** The newest segment that was seen. */
  #newest = 0;
  /** Of segments that are sealed, in bytes: that never changes. */
  readonly #ends = new Map<number, number>();

  constructor(disk: Disk, stream: StreamName) {
    this.#disk = disk;
    this.#stream = stream;
  }

  /** See `Journal.read`. Never reads over the end of a segment: `next` is then where the next one begins. */
  async read(from: Position): Promise<Chunk> {
    const { kind, index, offset } = placeOf(from);
    return kind === 'image' ? this.#readImage(index, offset, from) : this.#readSegment(index, offset, from);
  }

  async size(): Promise<Position> {
    const { segments } = await this.#list();
    for (const index of segments.reverse()) {
      const fd = await this.#file(segmentName(this.#stream, index));
      if (fd === null) continue;
      const size = await this.#disk.size(fd);
      // One that was only just made begins where it says when the one before has ended.
      if (size > 0 || index === 0 || (await this.#isSealed(index - 1))) return baseOf(index) + size;
    }
    return 0;
  }

  /** Nothing may be under way. */
  async close(): Promise<void> {
    const open = this.#open;
    this.#open = null;
    if (open !== null) await this.#disk.close(open.fd);
  }

  async #readSegment(index: number, offset: number, from: Position): Promise<Chunk> {
    // Whatever a crash has left of it, or a late writer has made of it anew.
    if (offset === 0) {
      const image = imageAfter(from, (await this.#list()).images);
      if (image !== null) return { entries: [], next: image };
    }
    const fd = await this.#file(segmentName(this.#stream, index));
    if (fd === null) return this.#readOn(from);
    // Before the bytes: a seal that comes while we read is met in them.
    const end = await this.#endOf(index, fd);
    const { chunk, isSealed } = readable(
      await this.#chunk(fd, offset, end ?? Number.POSITIVE_INFINITY, from),
    );
    const isOver = isSealed || (end !== null && (chunk.next === from || chunk.next >= baseOf(index) + end));
    return isOver ? { entries: chunk.entries, next: baseOf(index + 1) } : chunk;
  }

  async #readImage(index: number, offset: number, from: Position): Promise<Chunk> {
    const fd = await this.#file(imageName(this.#stream, index));
    if (fd === null) return this.#readOn(from);
    const chunk = await this.#chunk(fd, offset, Number.POSITIVE_INFINITY, from);
    return chunk.next === from ? { entries: [], next: baseOf(index) } : chunk;
  }

  /** Where it goes on when the file of a position is missing. */
  async #readOn(from: Position): Promise<Chunk> {
    const { segments, images } = await this.#list();
    // The first of all, made while we looked: it was not there a moment ago, and that is what was asked.
    if (segments.includes(placeOf(from).index) && placeOf(from).kind === 'segment') {
      return { entries: [], next: from };
    }
    const standsIn = imageAfter(from, images);
    if (standsIn !== null) return { entries: [], next: standsIn };
    const later = segments.find((index) => baseOf(index) > from);
    if (later === undefined) return { entries: [], next: from };
    const next = baseOf(later);
    return { entries: [{ kind: 'damaged', position: from, next, reason: 'a segment is missing' }], next };
  }

  async #chunk(fd: number, offset: number, end: number, from: Position): Promise<Chunk> {
    for (let size = READ_BYTES; ; size *= 4) {
      const left = Math.min(end, await this.#disk.size(fd)) - offset;
      if (left <= 0) return { entries: [], next: from };
      const bytes = await this.#disk.read(fd, offset, Math.min(size, left));
      if (bytes.includes(NEWLINE) || bytes.length < size) return splitEntries(bytes, from);
      if (size >= MAX_READ_BYTES) return stepOver(from, bytes.length);
    }
  }

  /** Null: nothing is known to end it. */
  async #endOf(index: number, fd: number): Promise<number | null> {
    const known = this.#ends.get(index);
    if (known !== undefined) return known;
    if (index >= this.#newest) await this.#list();
    if (index >= this.#newest) return null;
    const end = await endOfSegment(this.#disk, this.#stream, index, fd);
    if (end !== null) this.#ends.set(index, end);
    return end;
  }

  async #isSealed(index: number): Promise<boolean> {
    const fd = await this.#file(segmentName(this.#stream, index));
    return fd === null || (await this.#endOf(index, fd)) !== null;
  }

  async #list() {
    const names = await this.#disk.list();
    const listing = listingOf(this.#stream, names);
    this.#isShared = await this.#disk.isShared(names);
    this.#newest = newestOf(listing);
    return { segments: [...listing.segments], images: listing.images };
  }

  /**
   * One file is kept open: a reader stays in it, and finds it as it was though it may be dropped meanwhile. Where other
   * hosts write it is opened anew, or it may show what was in it long ago.
   */
  async #file(name: string): Promise<number | null> {
    if (this.#open?.name === name && !this.#isShared) return this.#open.fd;
    const fd = await this.#disk.open(name, 'read');
    if (fd === null) return null;
    await this.close();
    this.#open = { name, fd };
    return fd;
  }
}

/** Where the newest image begins, if it stands in for what is at `from`; else null. */
function imageAfter(from: Position, images: readonly number[]): Position | null {
  const newest = images.at(-1);
  return newest !== undefined && imageBaseOf(newest) > from ? imageBaseOf(newest) : null;
}

// A stream is a chain of segments: files of their own, numbered from 0. What this file owns is what they are called,
// how a position names a byte in one of them, and the three kinds of records by which the chain holds together. The
// protocol that writes them is in segment-writer.ts.
//
// A position is `segment * SEGMENT_SPAN + offset`. So it is known where a segment begins before the one before it
// is sealed, any position names its file without a look at others, and a person can read it: 300000001234 is byte
// 1234 of segment 3. Positions only grow; they do not count bytes.

import { type Chunk, type Entry, joinLines } from './lines.ts';
import { decodeLine, encodeLine, type JournalRecord, type Position, type StreamName } from './record.ts';

/** Positions that belong to one segment: more than any disk here holds, and room for 90 000 of them. */
const SEGMENT_SPAN = 100_000_000_000;
/** The second half of a segment's positions is that of the image which stands in for it and all before it. */
const IMAGE_OFFSET = SEGMENT_SPAN / 2;

/** Where a position is: a byte of a segment, or one of the image of all that came before segment `index`. */
export interface Place {
  readonly kind: 'segment' | 'image';
  readonly index: number;
  readonly offset: number;
}

export function placeOf(position: Position): Place {
  const index = Math.floor(position / SEGMENT_SPAN);
  const offset = position % SEGMENT_SPAN;
  if (offset < IMAGE_OFFSET) return { kind: 'segment', index, offset };
  return { kind: 'image', index: index + 1, offset: offset - IMAGE_OFFSET };
}

/** Where segment `index` begins. */
export function baseOf(index: number): Position {
  return index * SEGMENT_SPAN;
}

/** Where the image of all before segment `index` begins: behind all of that, and before the segment. */
export function imageBaseOf(index: number): Position {
  return baseOf(index) - IMAGE_OFFSET;
}

/** The first keeps the stream's plain name. */
export function segmentName(stream: StreamName, index: number): string {
  return index === 0 ? `${stream}.ndjson` : `${stream}.${padded(index)}.ndjson`;
}

export function imageName(stream: StreamName, index: number): string {
  return `${stream}.${padded(index)}.image.ndjson`;
}

/** What a folder holds of a stream; both ascending. */
export interface Listing {
  readonly segments: readonly number[];
  readonly images: readonly number[];
}

const NAME = /^([a-z]+)(?:\.(\d{6}))?(\.image)?\.ndjson$/;

/** Whether a file is part of a stream. */
export function isSegmentName(name: string): boolean {
  return NAME.test(name);
}

export function listingOf(stream: StreamName, names: readonly string[]): Listing {
  const segments: number[] = [];
  const images: number[] = [];
  for (const name of names) {
    const [, of, index, image] = NAME.exec(name) ?? [];
    if (of !== stream) continue;
    (image === undefined ? segments : images).push(Number(index ?? 0));
  }
  const ascending = (a: number, b: number) => a - b;
  return { segments: segments.sort(ascending), images: images.sort(ascending) };
}

/** The segment that is written to. */
export function newestOf({ segments }: Listing): number {
  return segments.at(-1) ?? 0;
}

/** Ends its segment: what stands behind the first one in a file is void. */
export const SEALED = 'segment.sealed';
/** At the head of a segment: where the one before was sealed, so that a damaged seal does no harm. */
const OPENED = 'segment.opened';
/** The hash of a sealed segment, in a later one: so none of them is changed unseen. */
export const CHAINED = 'segment.chained';

/** Whether a record is the journal's own affair: no reader is given it. */
function isOurs(type: string): boolean {
  return type === SEALED || type === OPENED || type === CHAINED;
}

/** The envelope that a record of ours takes over from the one on whose occasion it is written. */
export type Occasion = JournalRecord;

export function sealLine(occasion: Occasion, index: number): Buffer {
  return lineOf(occasion, '5ea1', SEALED, { next: index + 1 });
}

/** `end` is where the seal of the segment before ends, in bytes of its file. */
export function openingLine(occasion: Occasion, index: number, end: number): Buffer {
  return lineOf(occasion, '09e4', OPENED, { segment: index, end });
}

/** Its id is made from the occasion's: a journal has no clock and no dice of its own. */
function lineOf({ witness: _, ...envelope }: Occasion, ending: string, type: string, data: object): Buffer {
  const id = `${envelope.id.slice(0, -ending.length)}${ending}`;
  return joinLines([encodeLine({ ...envelope, id, type, data: { ...data } })]);
}

/** What is written down of a sealed segment (chain.ts). */
export interface ChainLink {
  readonly segment: number;
  readonly bytes: number;
  /** Of those bytes, in hexadecimal digits. */
  readonly sha256: string;
}

export function chainedEvent(link: ChainLink): {
  readonly type: string;
  readonly data: JournalRecord['data'];
} {
  return { type: CHAINED, data: { ...link } };
}

/** A chunk of a segment, up to its seal and without the journal's own records. */
export function readable({ entries, next }: Chunk): { readonly chunk: Chunk; readonly isSealed: boolean } {
  const sealAt = entries.findIndex((one) => one.kind === 'record' && one.record.type === SEALED);
  const before = sealAt < 0 ? entries : entries.slice(0, sealAt);
  return { chunk: { entries: before.filter((one) => !isOwn(one)), next }, isSealed: sealAt >= 0 };
}

function isOwn(entry: Entry): boolean {
  return entry.kind === 'record' && isOurs(entry.record.type);
}

/** Where the first seal of a segment ends, in bytes; null: it has none. */
export function sealEndIn(segment: Buffer): number | null {
  for (const { end } of linesOfType(segment, SEALED)) return end;
  return null;
}

/** When a segment was opened, and where the one before it ended; null where its head does not tell. */
export function openingIn(head: Buffer, index: number): { readonly end: number; readonly at: number } | null {
  for (const { record } of linesOfType(head, OPENED)) {
    const { segment, end } = record.data;
    if (segment === index && typeof end === 'number') return { end, at: record.at };
  }
  return null;
}

const NEWLINE = 0x0a;

/** Without decoding all the others: a segment is megabytes. The end of a line is behind its newline. */
export function* linesOfType(bytes: Buffer, type: string) {
  const mark = `"type":"${type}"`;
  for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + 1)) {
    const start = bytes.lastIndexOf(NEWLINE, at) + 1;
    const end = bytes.indexOf(NEWLINE, at);
    if (end < 0) return;
    const line = decodeLine(bytes.subarray(start, end));
    if (line.kind === 'record' && line.record.type === type) yield { record: line.record, end: end + 1 };
    at = end;
  }
}

function padded(index: number): string {
  return String(index).padStart(6, '0');
}

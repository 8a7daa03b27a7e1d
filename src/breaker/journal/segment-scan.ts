// What is looked for in a whole segment, a piece of it at a time: the journal's own records, and what was just written. A
// segment may be of any size, as one of before there were segments is, and is never held as a whole.

import { READ_BYTES } from './journal.ts';
import { CHAINED, type ChainLink, linesOfType, SEALED } from './segments.ts';

export type Pieces = AsyncIterable<Buffer>;

const NEWLINE = 0x0a;
const NOTHING = Buffer.alloc(0);
/** None of the journal's own records is as long, in bytes: of a longer line only its end is looked at, which is none. */
const MAX_OWN_LINE = READ_BYTES;

/** Where the first seal ends, in bytes; null: there is none. */
export async function sealEndOf(pieces: Pieces): Promise<number | null> {
  for await (const { end } of ownLines(pieces, SEALED)) return end;
  return null;
}

export async function chainLinksOf(pieces: Pieces): Promise<ChainLink[]> {
  const links: ChainLink[] = [];
  for await (const { record } of ownLines(pieces, CHAINED)) links.push(record.data as unknown as ChainLink);
  return links;
}

/** Where `wanted` stands for the last time; negative: nowhere. */
export async function lastIndexOf(pieces: Pieces, wanted: Buffer): Promise<number> {
  let found = -1;
  let before: Buffer = NOTHING;
  let base = 0;
  for await (const piece of pieces) {
    const bytes = Buffer.concat([before, piece]);
    const at = bytes.lastIndexOf(wanted);
    if (at >= 0) found = base + at;
    // It may have begun in this piece.
    before = bytes.subarray(1 - wanted.length);
    base += bytes.length - before.length;
  }
  return found;
}

/** Lines of one type, and where each ends, behind its newline. */
async function* ownLines(pieces: Pieces, type: string) {
  /** Of a line that has not ended, and where it begins. */
  let begun: Buffer = NOTHING;
  let base = 0;
  for await (const piece of pieces) {
    const bytes: Buffer = Buffer.concat([begun, piece]);
    const end: number = bytes.lastIndexOf(NEWLINE) + 1;
    for (const line of linesOfType(bytes.subarray(0, end), type)) {
      yield { record: line.record, end: base + line.end };
    }
    begun = bytes.subarray(end);
    if (begun.length > MAX_OWN_LINE) begun = NOTHING;
    base += bytes.length - begun.length;
  }
}

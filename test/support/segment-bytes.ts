// A segment as a whole, for tests that look at its bytes.
import type { Segments } from '../../src/breaker/journal/journal.ts';
import type { StreamName } from '../../src/breaker/journal/record.ts';

/** Null: it is empty, or not there. */
export async function bytesOf(
  segments: Pick<Segments, 'pieces'>,
  stream: StreamName,
  index: number,
): Promise<Buffer | null> {
  const pieces: Buffer[] = [];
  for await (const piece of segments.pieces(stream, index)) pieces.push(piece);
  const [first, ...others] = pieces;
  if (first === undefined) return null;
  // Not a copy, where there is no need: a test may change it.
  return others.length === 0 ? first : Buffer.concat(pieces);
}

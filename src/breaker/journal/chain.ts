// The chain of hashes over sealed segments: the hash of each is a record in a later one, mostly the next, and so among the
// bytes of which the next hash is taken. Nothing in a sealed segment is changed, taken away or put in without the
// chain telling, unless all that comes after it is written anew as well.
//
// It is evidence against accidents and second thoughts, not against somebody who may rewrite the whole folder: the
// newest segment vouches for those before it, and nothing vouches for the newest. It reads whole segments: for those who
// keep house and for `verify`.

import { createHash } from 'node:crypto';
import type { AppendResult, Journal, Segments } from './journal.ts';
import type { StreamName } from './record.ts';
import { chainLinksOf, type Pieces } from './segment-scan.ts';
import { type ChainLink, chainedEvent, segmentName } from './segments.ts';
import { makeRecord, type Writer } from './writer.ts';

export type ChainVerdict =
  /** `unchained`: sealed, but the link was not written yet. The next one who keeps house does. */
  | { readonly kind: 'intact'; readonly chained: number; readonly unchained: readonly number[] }
  | {
      readonly kind: 'broken';
      /** The first that is not as it was, and its file. */
      readonly segment: number;
      readonly file: string;
      /** `changed`: its bytes; `missing`: it is not there; `contradicted`: two records tell of it differently. */
      readonly reason: 'changed' | 'missing' | 'contradicted';
      readonly detail: string;
    };

/** Writes the links of sealed segments that have none; null: there are none such. */
export async function chain(
  journal: Journal,
  segments: Segments,
  stream: StreamName,
  writer: Writer,
): Promise<AppendResult | null> {
  // One that is empty does not say that the one before it is sealed.
  const there = (await segments.list(stream)).filter(({ bytes }) => bytes > 0).map(({ index }) => index);
  if (there.length < 2) return null;
  const linked = new Set<number>();
  const lacking: number[] = [];
  // From the newest back to the first link: all before it have theirs.
  for (const index of there.reverse()) {
    for (const { segment } of await chainLinksOf(segments.pieces(stream, index))) linked.add(segment);
    if (linked.has(index - 1)) break;
    if (there.includes(index - 1)) lacking.push(index - 1);
  }
  if (lacking.length === 0) return null;
  const written: ChainLink[] = [];
  for (const segment of lacking.reverse()) {
    const { bytes, sha256 } = await readThrough(segments.pieces(stream, segment));
    written.push({ segment, bytes, sha256 });
  }
  const records = written.map(chainedEvent).map(({ type, data }) => makeRecord(writer, type, data));
  return journal.append(stream, records);
}

/** Reads all of the stream, a segment at a time. */
export async function verifyChain(segments: Segments, stream: StreamName): Promise<ChainVerdict> {
  const there = (await segments.list(stream)).map(({ index }) => index);
  // Nothing was ever sealed: a log of before there were segments may be of any size.
  if (there.every((index) => index === 0)) return { kind: 'intact', chained: 0, unchained: [] };
  const found = new Map<number, { readonly bytes: number; readonly sha256: string }>();
  const links: ChainLink[] = [];
  for (const index of there) {
    const { links: inIt, ...sum } = await readThrough(segments.pieces(stream, index));
    links.push(...inIt);
    found.set(index, sum);
  }
  const newest = there.at(-1) ?? 0;
  const oldest = (await segments.imageBytes(stream)) > 0 ? (there[0] ?? 0) : 0;
  let chained = 0;
  const unchained: number[] = [];
  for (let segment = oldest; segment < newest; segment++) {
    const broken = (reason: 'changed' | 'missing' | 'contradicted', detail: string) =>
      ({ kind: 'broken', segment, file: segmentName(stream, segment), reason, detail }) as const;
    const is = found.get(segment);
    if (is === undefined) return broken('missing', 'it is not there, though later ones are');
    const of = links.filter((link) => link.segment === segment);
    const [link] = of;
    if (link === undefined) {
      unchained.push(segment);
      continue;
    }
    chained += 1;
    if (of.some((other) => other.sha256 !== link.sha256)) return broken('contradicted', 'two records differ');
    if (link.sha256 !== is.sha256) {
      return broken(
        'changed',
        `${link.bytes} bytes ${link.sha256} were sealed, ${is.bytes} bytes ${is.sha256} are there`,
      );
    }
  }
  return { kind: 'intact', chained, unchained };
}

/** Once from end to end. */
async function readThrough(pieces: Pieces) {
  const hash = createHash('sha256');
  let bytes = 0;
  async function* counted(): AsyncGenerator<Buffer> {
    for await (const piece of pieces) {
      hash.update(piece);
      bytes += piece.length;
      yield piece;
    }
  }
  const links = await chainLinksOf(counted());
  return { bytes, sha256: hash.digest('hex'), links };
}

// The chain of hashes over sealed segments. Of each there is a record in a later one: the hash of its bytes, and a hash
// of that and of the chain so far. So nothing in a sealed segment is changed, taken away or put in without the
// chain telling, unless all that comes after it is written anew as well.
//
// It is evidence against accidents and second thoughts, not against somebody who may rewrite the whole folder: the
// newest segment vouches for those before it, and nothing vouches for the newest. Never on the way of a hook: crypto
// costs too much to load.

import { createHash } from 'node:crypto';
import type { AppendResult, Journal, Segments } from './journal.ts';
import type { StreamName } from './record.ts';
import { type ChainLink, chainedEvent, chainLinksIn, segmentName } from './segments.ts';
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
  const there = (await segments.list(stream)).map(({ index }) => index);
  if (there.length < 2) return null;
  const links = new Map<number, ChainLink>();
  const lacking: number[] = [];
  // From the newest back to the first link: all before it have theirs.
  for (const index of there.reverse()) {
    for (const link of chainLinksIn((await segments.bytesOf(stream, index)) ?? NOTHING)) {
      links.set(link.segment, link);
    }
    if (links.has(index - 1)) break;
    if (there.includes(index - 1)) lacking.push(index - 1);
  }
  if (lacking.length === 0) return null;
  const written: ChainLink[] = [];
  for (const segment of lacking.reverse()) {
    const bytes = (await segments.bytesOf(stream, segment)) ?? NOTHING;
    const before = links.get(segment - 1)?.chain ?? '';
    const link = linkOf(segment, bytes, before);
    links.set(segment, link);
    written.push(link);
  }
  const records = written.map(chainedEvent).map(({ type, data }) => makeRecord(writer, type, data));
  return journal.append(stream, records);
}

/** Reads all of the stream, a segment at a time. */
export async function verifyChain(segments: Segments, stream: StreamName): Promise<ChainVerdict> {
  const there = (await segments.list(stream)).map(({ index }) => index);
  const found = new Map<number, { readonly bytes: number; readonly sha256: string }>();
  const links: ChainLink[] = [];
  for (const index of there) {
    const bytes = (await segments.bytesOf(stream, index)) ?? NOTHING;
    links.push(...chainLinksIn(bytes));
    found.set(index, { bytes: bytes.length, sha256: sha256(bytes) });
  }
  const [oldest = 0, newest = 0] = [there[0], there.at(-1)];
  const told = new Map<number, ChainLink>();
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
    told.set(segment, link);
    if (of.some((other) => other.chain !== link.chain)) return broken('contradicted', 'two records differ');
    if (link.sha256 !== is.sha256) {
      return broken(
        'changed',
        `${link.bytes} bytes ${link.sha256} were sealed, ${is.bytes} bytes ${is.sha256} are there`,
      );
    }
    const before = told.get(segment - 1)?.chain;
    const isLinked =
      link.chain === chainOf(link.before, link.sha256) && (before ?? link.before) === link.before;
    if (!isLinked) return broken('contradicted', 'its link does not follow from the one before');
  }
  return { kind: 'intact', chained: told.size, unchained };
}

const NOTHING = Buffer.alloc(0);

function linkOf(segment: number, bytes: Buffer, before: string): ChainLink {
  const hash = sha256(bytes);
  return { segment, bytes: bytes.length, sha256: hash, before, chain: chainOf(before, hash) };
}

function chainOf(before: string, hash: string): string {
  return sha256(Buffer.from(`${before} ${hash}`));
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

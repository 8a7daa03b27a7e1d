// How segments are called and told apart, and the journal's own records as they are stored: logs of earlier versions are
// full of them, and people read them with other programs.
import { describe, expect, test } from 'vitest';
import { joinLines, splitEntries } from '../../../src/breaker/journal/lines.ts';
import { encodeLine, type JournalRecord } from '../../../src/breaker/journal/record.ts';
import {
  chainedEvent,
  listingOf,
  openingIn,
  openingLine,
  readable,
  sealEndIn,
  sealLine,
} from '../../../src/breaker/journal/segments.ts';
import { recordOf } from './conformance.ts';

const lineOf = (record: JournalRecord) => joinLines([encodeLine(record)]);
const parsed = (line: Buffer): JournalRecord & { readonly crc: number } => JSON.parse(line.toString());

describe('what a folder holds of a stream', () => {
  test('is in the order of its numbers, whatever the order of the names', () => {
    const names = [
      'queue.000010.ndjson',
      'queue.000009.image.ndjson',
      'queue.000002.ndjson',
      'queue.ndjson',
      'queue.000003.image.ndjson',
    ];
    expect(listingOf('queue', names)).toEqual({ segments: [0, 2, 10], images: [3, 9] });
    expect(listingOf('control', names)).toEqual({ segments: [], images: [] });
  });

  test.each([
    'queue.ndjson.bak',
    'queue.000001.ndjson~',
    'queue.000001.image.ndjson.0190a.tmp',
    'old-queue.ndjson',
    'queues.ndjson',
    'queue.1.ndjson',
    'queue.0000001.ndjson',
    'queue.000001.json',
    'breakwater.json',
    'checkpoint',
  ])('does not begin with %s', (name) => {
    expect(listingOf('queue', [name])).toEqual({ segments: [], images: [] });
  });
});

describe("the journal's own records", () => {
  const occasion = recordOf(1);
  const seal = sealLine(occasion, 3);
  const opening = openingLine(occasion, 4, 1_234);

  test('say which segment is the next, and where the one before ended', () => {
    expect(parsed(seal)).toMatchObject({ type: 'segment.sealed', data: { next: 4 }, at: occasion.at });
    expect(parsed(opening)).toMatchObject({ type: 'segment.opened', data: { segment: 4, end: 1_234 } });
    const link = { segment: 3, bytes: 1_234, sha256: 'abc' };
    expect(chainedEvent(link)).toEqual({ type: 'segment.chained', data: link });
  });

  test('have names of their own, in the shape of all others, and no witness', () => {
    const witness = { seen: 0, from: {}, to: {}, era: 'e' };
    const ids = [occasion.id, parsed(sealLine({ ...occasion, witness }, 3)).id, parsed(opening).id];
    for (const id of ids)
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/);
    expect(new Set(ids).size).toBe(3);
    expect(parsed(sealLine({ ...occasion, witness }, 3))).not.toHaveProperty('era');
  });

  test('are given to no reader', () => {
    const { type, data } = chainedEvent({ segment: 3, bytes: 1, sha256: 'abc' });
    const stored = [opening, lineOf(recordOf(1)), lineOf({ ...occasion, type, data }), lineOf(recordOf(2))];
    const whole = splitEntries(Buffer.concat(stored), 0);
    const { chunk, isSealed } = readable(whole);
    expect(chunk).toEqual({ entries: [whole.entries[1], whole.entries[3]], next: whole.next });
    expect(isSealed).toBe(false);
  });

  test('a seal ends what is read, also where it comes first', () => {
    const behind = [seal, lineOf(recordOf(9)), seal];
    const read = (...before: Buffer[]) => {
      const whole = splitEntries(Buffer.concat([...before, ...behind]), 0);
      const { chunk, isSealed } = readable(whole);
      return { count: chunk.entries.length, isSealed };
    };
    expect(read()).toEqual({ count: 0, isSealed: true });
    expect(read(lineOf(recordOf(1)))).toEqual({ count: 1, isSealed: true });
    expect(sealEndIn(Buffer.concat([lineOf(recordOf(1)), ...behind]))).toBe(
      lineOf(recordOf(1)).length + seal.length,
    );
  });

  test('an opening of another segment, or one that does not tell an end, says nothing', () => {
    expect(openingIn(opening, 4)).toEqual({ end: 1_234, at: occasion.at });
    expect(openingIn(opening, 5)).toBeNull();
    expect(openingIn(openingLine(occasion, 4, 'far' as unknown as number), 4)).toBeNull();
    // The next one in the head may.
    expect(openingIn(Buffer.concat([openingLine(occasion, 7, 1), opening]), 4)?.end).toBe(1_234);
  });

  test('one whose newline has not come yet is not there', () => {
    expect(sealEndIn(seal.subarray(0, -1))).toBeNull();
  });
});

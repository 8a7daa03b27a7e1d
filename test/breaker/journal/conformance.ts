// The journal's contract, as one suite that every implementation passes. An implementation comes with a way to
// put raw bytes under it: what a crash, a bit flip or another version would have left.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Journal, READ_BYTES, readAll, type Segments } from '../../../src/breaker/journal/journal.ts';
import { type Entry, joinLines } from '../../../src/breaker/journal/lines.ts';
import { encodeLine, type JournalRecord, MAX_LINE_BYTES } from '../../../src/breaker/journal/record.ts';
import { baseOf, imageBaseOf } from '../../../src/breaker/journal/segments.ts';
import { makeRecord } from '../../../src/breaker/journal/writer.ts';
import { FakeClock, fakeWriter } from '../../support/fake-writer.ts';
import { bytesOf } from '../../support/segment-bytes.ts';

export interface Subject {
  readonly journal: Journal;
  readonly segments: Segments;
  /** Puts bytes behind what is there, as they are. */
  appendBytes(bytes: Buffer): void;
  /** Replaces all that is there. */
  replaceBytes(bytes: Buffer): void;
  bytes(): Buffer;
}

/** What a fold finds in place of what was dropped. */
const imageOf = (n: number) => makeRecord(writer, 'test.image', { n });

const writer = fakeWriter(new FakeClock());
export const recordOf = (n: number, text = ''): JournalRecord => makeRecord(writer, 'test.said', { n, text });

async function entries(journal: Journal, from = 0): Promise<Entry[]> {
  const all: Entry[] = [];
  for await (const entry of readAll(journal, 'control', from)) all.push(entry);
  return all;
}

const recordsIn = (all: readonly Entry[]) =>
  all.flatMap((one) => (one.kind === 'record' ? [one.record] : []));
const kinds = (all: readonly Entry[]) => all.map(({ kind }) => kind);

export function testJournal(name: string, make: () => Subject): void {
  describe(`${name} as a journal`, () => {
    test('a stream that was never written is empty', async () => {
      const { journal, segments } = make();
      expect(await journal.read('control', 0)).toEqual({ entries: [], next: 0 });
      expect(await journal.size('control')).toBe(0);
      expect(await segments.list('control')).toEqual([]);
      expect(await segments.imageBytes('control')).toBe(0);
    });

    test('an append of nothing is done, and nothing was written', async () => {
      const { journal } = make();
      expect(await journal.append('control', [])).toEqual({ ok: true });
      expect(await journal.size('control')).toBe(0);
    });

    test('a position that is beyond all there is has nothing behind it', async () => {
      const { journal } = make();
      await journal.append('control', [recordOf(1)]);
      const end = await journal.size('control');
      for (const beyond of [end, end + 10, baseOf(3), imageBaseOf(3), imageBaseOf(1)]) {
        expect(await journal.read('control', beyond)).toEqual({ entries: [], next: beyond });
      }
    });

    test('a reader that was there before the first append sees it', async () => {
      const { journal } = make();
      await journal.read('control', 0);
      await journal.size('control');
      await journal.append('control', [recordOf(1)]);
      expect(await entries(journal)).toHaveLength(1);
    });

    test('what was appended is read back as it was, in its order', async () => {
      const { journal } = make();
      const written = [recordOf(1), recordOf(2, 'zwei € 🌊 \n "quoted" \u2028'), recordOf(3)];
      expect(await journal.append('control', written.slice(0, 2))).toEqual({ ok: true });
      expect(await journal.append('control', written.slice(2))).toEqual({ ok: true });
      expect(recordsIn(await entries(journal))).toEqual(written);
    });

    test('a witness comes back as it was', async () => {
      const { journal } = make();
      const witness = { seen: 12, from: { breaker: 'closed' }, to: { breaker: 'open' }, era: 'abc' };
      const record = makeRecord(writer, 'test.said', {}, witness);
      await journal.append('control', [record]);
      expect(recordsIn(await entries(journal))).toEqual([record]);
    });

    test('data that looks like an envelope or a checksum stays data', async () => {
      const { journal } = make();
      const data = { v: 9, crc: 1, seen: 'x', nested: { crc: 2 }, text: ',"crc":3}' };
      const record = makeRecord(writer, 'test.said', data);
      await journal.append('control', [record]);
      expect(recordsIn(await entries(journal))).toEqual([record]);
    });

    test('streams do not mix', async () => {
      const { journal } = make();
      await journal.append('control', [recordOf(1)]);
      await journal.append('queue', [recordOf(2)]);
      expect(recordsIn(await entries(journal)).map(({ data }) => data.n)).toEqual([1]);
      expect(recordsIn((await journal.read('queue', 0)).entries).map(({ data }) => data.n)).toEqual([2]);
    });

    test('positions are where a later read goes on', async () => {
      const { journal } = make();
      for (let n = 0; n < 5; n++) await journal.append('control', [recordOf(n)]);
      const all = await entries(journal);
      for (const [index, { position, next }] of all.entries()) {
        expect(await entries(journal, position)).toEqual(all.slice(index));
        expect(await entries(journal, next)).toEqual(all.slice(index + 1));
      }
      expect(all.at(-1)?.next).toBe(await journal.size('control'));
    });

    test('a read from the end is empty, and goes on when there is more', async () => {
      const { journal } = make();
      await journal.append('control', [recordOf(1)]);
      const end = await journal.size('control');
      expect(await journal.read('control', end)).toEqual({ entries: [], next: end });
      await journal.append('control', [recordOf(2)]);
      expect(recordsIn(await entries(journal, end)).map(({ data }) => data.n)).toEqual([2]);
    });

    test('a stream that is larger than one read comes in pieces, whole', async () => {
      const { journal } = make();
      const text = 'x'.repeat(100_000);
      const count = Math.ceil((2.5 * READ_BYTES) / text.length);
      for (let n = 0; n < count; n++) await journal.append('control', [recordOf(n, text)]);
      const first = await journal.read('control', 0);
      expect(first.next).toBeLessThan(await journal.size('control'));
      expect(recordsIn(await entries(journal)).map(({ data }) => data.n)).toEqual([...Array(count).keys()]);
    });

    test('a line of the largest size is written and read; one byte more is refused, and leaves no trace', async () => {
      const { journal, bytes } = make();
      const room = MAX_LINE_BYTES - Buffer.byteLength(encodeLine(recordOf(1)));
      // The checksum has up to ten digits: find the text that just fits.
      let length = room + 10;
      const fits = (text: string) => {
        try {
          return Buffer.byteLength(encodeLine(recordOf(1, text))) <= MAX_LINE_BYTES;
        } catch {
          return false;
        }
      };
      while (!fits('x'.repeat(length))) length -= 1;
      await journal.append('control', [recordOf(1, 'x'.repeat(length - 10))]);
      expect(await entries(journal)).toHaveLength(1);
      const before = bytes().length;
      const tooLarge = recordOf(2, 'x'.repeat(MAX_LINE_BYTES));
      await expect(journal.append('control', [recordOf(3), tooLarge])).rejects.toThrow(
        String(MAX_LINE_BYTES),
      );
      expect(bytes().length).toBe(before);
    });

    test('what is torn off at any byte loses only itself, and the next append is intact', async () => {
      const whole = joinLines([recordOf(1), recordOf(2)].map(encodeLine));
      const firstEnd = joinLines([encodeLine(recordOf(1))]).length;
      for (let cut = 0; cut <= whole.length; cut++) {
        const { journal, appendBytes } = make();
        appendBytes(whole.subarray(0, cut));
        const torn = recordsIn(await entries(journal)).map(({ data }) => data.n);
        expect(torn).toEqual(cut >= whole.length ? [1, 2] : cut >= firstEnd ? [1] : []);
        await journal.append('control', [recordOf(3)]);
        const after = await entries(journal);
        const withOld = recordsIn(after).map(({ data }) => data.n);
        // A line that lacks but its newline is whole once the next append has ended it.
        const isWhole = cut >= whole.length - 1;
        expect(withOld).toEqual(isWhole ? [1, 2, 3] : cut >= firstEnd - 1 ? [1, 3] : [3]);
        expect(after.filter(({ kind }) => kind === 'damaged').length).toBeLessThanOrEqual(1);
      }
    });

    test('a single flipped bit anywhere loses only the line that it touches', async () => {
      const lines = [1, 2, 3].map((n) => joinLines([encodeLine(recordOf(n))]));
      const whole = Buffer.concat(lines);
      const { journal, replaceBytes } = make();
      for (let at = 0; at < whole.length; at++) {
        const touched = at < lines[0]!.length ? 1 : at < lines[0]!.length + lines[1]!.length ? 2 : 3;
        for (let bit = 0; bit < 8; bit++) {
          const flipped = Buffer.from(whole);
          flipped[at]! ^= 1 << bit;
          replaceBytes(flipped);
          const left = recordsIn((await journal.read('control', 0)).entries).map(({ data }) => data.n);
          const others = [1, 2, 3].filter((n) => n !== touched);
          expect(left, `byte ${at}, bit ${bit}`).toEqual(others);
        }
      }
    });

    test('a tail without a newline is not judged until one ends it', async () => {
      const { journal, appendBytes } = make();
      const whole = joinLines([encodeLine(recordOf(1))]);
      appendBytes(whole.subarray(0, -1));
      const pending = await journal.read('control', 0);
      expect(pending.entries).toEqual([]);
      expect((await journal.read('control', pending.next)).next).toBe(pending.next);
      appendBytes(whole.subarray(-1));
      expect(recordsIn(await entries(journal, pending.next)).map(({ data }) => data.n)).toEqual([1]);
    });

    test('garbage is damage, and what stands around it is read', async () => {
      const { journal, appendBytes } = make();
      await journal.append('control', [recordOf(1)]);
      appendBytes(Buffer.from('not json\n{"v":1}\n{"v":1,"crc":1}\n[]\n\xff\xfe\n', 'latin1'));
      appendBytes(Buffer.from('no newline behind this'));
      await journal.append('control', [recordOf(2)]);
      const all = await entries(journal);
      expect(kinds(all)).toEqual(['record', ...Array(6).fill('damaged'), 'record']);
      expect(all.map(({ position, next }) => next > position)).not.toContain(false);
    });

    test('random bytes never break a reader and never become a record', async () => {
      const { journal, replaceBytes } = make();
      const after = joinLines([encodeLine(recordOf(7))]);
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 400, size: 'max' }), async (garbage) => {
          replaceBytes(Buffer.concat([Buffer.from(garbage), after]));
          expect(recordsIn(await entries(journal)).map(({ data }) => data.n)).toEqual([7]);
        }),
        { numRuns: 50 },
      );
    });

    test('a line longer than any of ours is damage, and what stands behind it is read', async () => {
      const { journal, appendBytes } = make();
      appendBytes(Buffer.from(`\n${'x'.repeat(MAX_LINE_BYTES + 1)}\n`));
      await journal.append('control', [recordOf(1)]);
      expect(kinds(await entries(journal))).toEqual(['damaged', 'record']);
    });

    test('a sound line of a newer version is told from damage', async () => {
      const { journal, appendBytes } = make();
      appendBytes(joinLines([encodeLine({ ...recordOf(1), v: 2 })]));
      await journal.append('control', [recordOf(2)]);
      const [newer, record] = await entries(journal);
      expect(newer).toMatchObject({ kind: 'newer', version: 2 });
      expect(record?.kind).toBe('record');
    });

    test('a sound checksum around something else is damage', async () => {
      const { journal, appendBytes } = make();
      const { id: _, ...nameless } = recordOf(1);
      appendBytes(joinLines([encodeLine(nameless as JournalRecord)]));
      appendBytes(joinLines([encodeLine({ ...recordOf(1), data: [] as never })]));
      appendBytes(joinLines([encodeLine({ ...recordOf(1), v: 0 })]));
      expect(kinds(await entries(journal))).toEqual(['damaged', 'damaged', 'damaged']);
    });

    test.each([
      ['a place that is no number', { seen: 'x' }],
      ['no state before', { from: undefined }],
      ['no state after', { to: null }],
      ['a list of states', { to: [] }],
      ['no era', { era: 7 }],
    ])('a witness of %s is damage', async (_, change) => {
      const { journal, appendBytes } = make();
      const witness = { seen: 0, from: {}, to: {}, era: 'e' };
      appendBytes(joinLines([encodeLine({ ...recordOf(1), witness: { ...witness, ...change } as never })]));
      appendBytes(joinLines([encodeLine({ ...recordOf(2), witness })]));
      const [first, second] = await entries(journal);
      expect(first).toMatchObject({ kind: 'damaged', reason: 'not a record' });
      expect(second).toMatchObject({ kind: 'record', record: { witness } });
    });

    describe('in segments', () => {
      const numbers = async (journal: Journal, from = 0) =>
        recordsIn(await entries(journal, from)).map(({ data }) => data.n);

      /** Records 1 to `count`, with a seal behind each that is named. */
      async function sealedAfter(count: number, ...seals: number[]) {
        const subject = make();
        for (let n = 1; n <= count; n++) {
          await subject.journal.append('control', [recordOf(n)]);
          if (seals.includes(n)) {
            expect(await subject.segments.seal('control', recordOf(0))).toEqual({ ok: true });
          }
        }
        return subject;
      }

      test('is read as one stream, of which nobody sees the seals', async () => {
        const { journal, segments } = await sealedAfter(5, 2, 3);
        expect(kinds(await entries(journal))).toEqual(Array(5).fill('record'));
        expect(await numbers(journal)).toEqual([1, 2, 3, 4, 5]);
        expect((await segments.list('control')).map(({ index }) => index)).toEqual([0, 1, 2]);
      });

      test('positions only grow, and a later read goes on from any of them', async () => {
        const { journal } = await sealedAfter(5, 2, 3);
        const all = await entries(journal);
        for (const [index, { position, next }] of all.entries()) {
          expect(next).toBeGreaterThan(position);
          expect(position).toBeGreaterThanOrEqual(all[index - 1]?.next ?? 0);
          expect(await entries(journal, position)).toEqual(all.slice(index));
          expect(await entries(journal, next)).toEqual(all.slice(index + 1));
        }
        expect(all.at(-1)?.next).toBe(await journal.size('control'));
      });

      test('a reader at the end goes on over a seal, and the end grows with it', async () => {
        const { journal, segments } = await sealedAfter(2);
        const end = await journal.size('control');
        await segments.seal('control', recordOf(0));
        const sealed = await journal.size('control');
        expect(sealed).toBeGreaterThan(end);
        expect(await entries(journal, end)).toEqual([]);
        expect(await entries(journal, sealed)).toEqual([]);
        await journal.append('control', [recordOf(3)]);
        expect(await numbers(journal, end)).toEqual([3]);
        expect(await numbers(journal, sealed)).toEqual([3]);
      });

      test('an empty stream is not sealed', async () => {
        const { journal, segments } = make();
        expect(await segments.seal('control', recordOf(0))).toEqual({ ok: true });
        expect(await journal.size('control')).toBe(0);
        expect(await entries(journal)).toEqual([]);
      });

      test('a reader that goes on from where it came to sees each record once, over every seal', async () => {
        const { journal, segments } = make();
        const seen: unknown[] = [];
        let position = 0;
        const follow = async () => {
          for (let at = -1; at !== position; ) {
            at = position;
            const chunk = await journal.read('control', at);
            seen.push(...recordsIn(chunk.entries).map(({ data }) => data.n));
            position = chunk.next;
          }
        };
        for (let n = 1; n <= 9; n++) {
          await journal.append('control', [recordOf(n)]);
          await follow();
          if (n % 3 === 0) await segments.seal('control', recordOf(0));
          if (n % 2 === 0) await follow();
        }
        expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
      });

      test('one that is larger than one read comes in pieces, whole, also when it is known where it ends', async () => {
        const { journal, segments } = make();
        const text = 'x'.repeat(100_000);
        const count = Math.ceil((1.5 * READ_BYTES) / text.length);
        for (let n = 1; n <= count; n++) {
          await journal.append('control', [recordOf(n, text)]);
          if (n === 1) await segments.seal('control', recordOf(0));
        }
        await segments.seal('control', recordOf(0));
        await journal.append('control', [recordOf(count + 1)]);
        const wanted = Array.from({ length: count + 1 }, (_, index) => index + 1);
        for (const _ of ['not known', 'known']) expect(await numbers(journal)).toEqual(wanted);
      });

      test('a segment tells its size and when it was sealed; the newest was not', async () => {
        const { segments } = await sealedAfter(3, 2);
        const [old, newest] = await segments.list('control');
        expect(old).toMatchObject({ index: 0, base: 0, sealedAt: recordOf(0).at });
        expect(newest).toMatchObject({ index: 1, sealedAt: null });
        expect(old!.bytes).toBeGreaterThanOrEqual((await bytesOf(segments, 'control', 0))!.length);
        expect(await bytesOf(segments, 'control', 2)).toBeNull();
        // Up to where it was sealed, and of the newest all there is.
        expect((await bytesOf(segments, 'control', 1))!.length).toBe(newest!.bytes);
        expect((await bytesOf(segments, 'control', 1))!.toString()).toContain('"n":3');
      });

      test('what is dropped is stood in for by an image, for a reader from the beginning', async () => {
        const { journal, segments } = await sealedAfter(5, 2, 3);
        const before = await entries(journal);
        const image = [imageOf(12), imageOf(13)];
        expect(await segments.dropBefore('control', 2, image)).toEqual({ ok: true });
        const after = await entries(journal);
        expect(recordsIn(after)).toEqual([...image, ...recordsIn(before).slice(3)]);
        expect(after.slice(2)).toEqual(before.slice(3));
        expect(after[1]!.position).toBeGreaterThan(before[2]!.position);
        expect(await segments.imageBytes('control')).toBeGreaterThan(0);
        expect((await segments.list('control')).map(({ index }) => index)).toEqual([2]);
        expect(await bytesOf(segments, 'control', 1)).toBeNull();
        // Nobody is led back to the image from behind it.
        expect(await journal.read('control', imageBaseOf(3))).toEqual({ entries: [], next: imageBaseOf(3) });
      });

      test('a reader from a position in what is dropped meets the whole image, one behind it none', async () => {
        const { journal, segments } = await sealedAfter(5, 2, 3);
        const before = await entries(journal);
        await segments.dropBefore('control', 2, [imageOf(12), imageOf(13)]);
        const fresh = await entries(journal);
        for (const { position } of before.slice(0, 3))
          expect(await entries(journal, position)).toEqual(fresh);
        expect(await numbers(journal, before[3]!.position)).toEqual([4, 5]);
        expect(await numbers(journal, fresh[1]!.position)).toEqual([13, 4, 5]);
      });

      test('a newer image replaces an older one', async () => {
        const { journal, segments } = await sealedAfter(5, 2, 3);
        await segments.dropBefore('control', 1, [imageOf(12)]);
        const inOld = (await entries(journal))[0]!.position;
        expect(await numbers(journal)).toEqual([12, 3, 4, 5]);
        // A second time for whom the first may not have ended.
        for (const _ of ['once', 'again']) await segments.dropBefore('control', 2, [imageOf(13)]);
        expect(await numbers(journal)).toEqual([13, 4, 5]);
        expect(await numbers(journal, inOld)).toEqual([13, 4, 5]);
      });

      test('the newest segment is not dropped, nor anything for an image of nothing', async () => {
        const { journal, segments } = await sealedAfter(3, 2);
        expect(await segments.dropBefore('control', 2, [imageOf(12)])).toEqual({ ok: true });
        expect(await segments.dropBefore('control', 1, [])).toEqual({ ok: true });
        expect(await numbers(journal)).toEqual([1, 2, 3]);
      });

      test('a torn line before a seal and behind one loses only itself', async () => {
        const { journal, segments, appendBytes } = await sealedAfter(2);
        appendBytes(Buffer.from('\n{"torn'));
        await segments.seal('control', recordOf(0));
        expect(kinds(await entries(journal))).toEqual(['record', 'record', 'damaged']);
        await journal.append('control', [recordOf(3)]);
        expect(await numbers(journal)).toEqual([1, 2, 3]);
      });

      test('data that looks like a seal is data', async () => {
        const { journal, segments } = make();
        const data = {
          type: 'segment.sealed',
          text: '"type":"segment.sealed"',
          nested: { type: 'segment.opened' },
        };
        const record = makeRecord(writer, 'test.said', data);
        await journal.append('control', [record, recordOf(2)]);
        await segments.seal('control', recordOf(0));
        await journal.append('control', [record]);
        expect(recordsIn(await entries(journal)).map(({ type }) => type)).toEqual(Array(3).fill('test.said'));
        expect((await bytesOf(segments, 'control', 0))!.toString()).toContain('"n":2');
      });

      test('any history of appends, seals and drops reads as it should', async () => {
        const steps = fc.array(fc.constantFrom('append', 'append', 'append', 'seal', 'drop'), {
          maxLength: 30,
        });
        await fc.assert(
          fc.asyncProperty(steps, async (history) => {
            const { journal, segments } = make();
            let said: number[] = [];
            /** What stands in each segment, and what the image says. */
            let image: number[] = [];
            let live: number[][] = [[]];
            let dropped = 0;
            for (const [n, step] of history.entries()) {
              const newest = live.at(-1)!;
              if (step === 'append') {
                await journal.append('control', [recordOf(n)]);
                newest.push(n);
              } else if (step === 'seal') {
                await segments.seal('control', recordOf(0));
                if (newest.length > 0 || live.length + dropped > 1) live.push([]);
              } else if (live.length > 1) {
                dropped += live.length - 1;
                await segments.dropBefore('control', dropped, [imageOf(1_000 + n)]);
                image = [1_000 + n];
                live = [newest];
              }
              said = [...image, ...live.flat()];
              expect(await numbers(journal)).toEqual(said);
            }
          }),
          { numRuns: 60 },
        );
      });
    });

    test('any record comes back as it was', async () => {
      const { journal, replaceBytes } = make();
      const data = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue());
      await fc.assert(
        fc.asyncProperty(data, fc.string({ unit: 'binary' }), async (any, inv) => {
          replaceBytes(Buffer.alloc(0));
          const written = JSON.parse(JSON.stringify({ ...recordOf(1), inv, data: any })) as JournalRecord;
          await journal.append('control', [written]);
          // Through JSON once more: `-0` and `__proto__` keys are JSON's affair, not the journal's.
          const [read] = recordsIn(await entries(journal));
          expect(JSON.stringify(read)).toBe(JSON.stringify(written));
        }),
        { numRuns: 100 },
      );
    });
  });
}

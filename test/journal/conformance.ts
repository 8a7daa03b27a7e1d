// The journal's contract, as one suite that every implementation passes. An implementation comes with a way to
// put raw bytes under it: what a crash, a bit flip or another version would have left.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Journal, READ_BYTES, readAll } from '../../src/journal/journal.ts';
import { type Entry, joinLines } from '../../src/journal/lines.ts';
import { encodeLine, type JournalRecord, MAX_LINE_BYTES } from '../../src/journal/record.ts';
import { makeRecord } from '../../src/journal/writer.ts';
import { FakeClock, fakeWriter } from '../support/fake-writer.ts';

export interface Subject {
  readonly journal: Journal;
  /** Puts bytes behind what is there, as they are. */
  appendBytes(bytes: Buffer): void;
  /** Replaces all that is there. */
  replaceBytes(bytes: Buffer): void;
  bytes(): Buffer;
}

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
      const { journal } = make();
      expect(await journal.read('control', 0)).toEqual({ entries: [], next: 0 });
      expect(await journal.size('control')).toBe(0);
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

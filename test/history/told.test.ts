// Two streams as one story: nothing is lost, no stream is reordered whatever its clocks did, and where the clocks run well
// the story is in the order of time.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Journal } from '../../src/breaker/journal/journal.ts';
import { MemoryJournal } from '../../src/breaker/journal/memory-journal.ts';
import type { StreamName } from '../../src/breaker/journal/record.ts';
import { makeRecord } from '../../src/breaker/journal/writer.ts';
import { type Told, toldInOrder } from '../../src/history/told.ts';
import { PROPERTY_RUNS } from '../support/property-runs.ts';
import { lineByLine } from '../support/reading-world.ts';
import { seeded } from '../support/seeded.ts';
import { entriesOf } from '../support/streams.ts';

interface Line {
  readonly stream: StreamName;
  /** Wall ms since the line before it in the log, of either stream; what a person sets the clock to can be anything. */
  readonly ms: number;
  readonly isDamaged: boolean;
}

const line = (ms: fc.Arbitrary<number>): fc.Arbitrary<Line> =>
  fc.record({
    stream: fc.constantFrom('control' as const, 'queue' as const),
    ms,
    isDamaged: fc.oneof(
      { weight: 9, arbitrary: fc.constant(false) },
      { weight: 1, arbitrary: fc.constant(true) },
    ),
  });

async function journalOf(lines: readonly Line[]): Promise<MemoryJournal> {
  const journal = new MemoryJournal();
  const random = seeded(3);
  let at = 1_000_000;
  for (const { stream, ms, isDamaged } of lines) {
    at += ms;
    const now = { at, mono: 0, boot: 'b' };
    if (isDamaged) journal.appendBytes(stream, Buffer.from('\ntorn\n'));
    else await journal.append(stream, [makeRecord({ inv: 'one', now: () => now, random }, 'test.said', {})]);
  }
  return journal;
}

async function storyOf(journal: Pick<Journal, 'read' | 'size'>): Promise<Told[]> {
  const story: Told[] = [];
  for await (const batch of toldInOrder(journal as Journal)) story.push(...batch);
  return story;
}

test('an empty journal tells nothing', async () => {
  expect(await storyOf(new MemoryJournal())).toEqual([]);
});

test('every line of both streams is told once, in the order of its stream, and time never runs backwards', () =>
  fc.assert(
    fc.asyncProperty(fc.array(line(fc.integer({ min: -5_000, max: 5_000 }))), async (lines) => {
      const journal = await journalOf(lines);
      const story = await storyOf(journal);
      for (const stream of ['control', 'queue'] as const) {
        const told = story.filter((one) => one.stream === stream).map(({ entry }) => entry);
        expect(told).toEqual(await entriesOf(journal, stream));
      }
      const times = story.map(({ at }) => at);
      expect(times).toEqual([...times].sort((a, b) => a - b));
    }),
    PROPERTY_RUNS,
  ));

test('however little is read at a time, the story is the same', () =>
  fc.assert(
    fc.asyncProperty(fc.array(line(fc.integer({ min: -500, max: 5_000 }))), async (lines) => {
      const journal = await journalOf(lines);
      expect(await storyOf(lineByLine(journal))).toEqual(await storyOf(journal));
    }),
    PROPERTY_RUNS,
  ));

test('where clocks only go forward it is the order in which the lines were written', () =>
  fc.assert(
    fc.asyncProperty(fc.array(line(fc.integer({ min: 1, max: 5_000 }))), async (all) => {
      const lines = all.map((one) => ({ ...one, isDamaged: false }));
      const story = await storyOf(await journalOf(lines));
      expect(story.map(({ stream }) => stream)).toEqual(lines.map(({ stream }) => stream));
    }),
    PROPERTY_RUNS,
  ));

test('at one moment the queue is told first: a hook queues before it asks for a drainer', async () => {
  const lines = (['control', 'queue'] as const).map((stream) => ({ stream, ms: 0, isDamaged: false }));
  expect((await storyOf(await journalOf(lines))).map(({ stream }) => stream)).toEqual(['queue', 'control']);
});

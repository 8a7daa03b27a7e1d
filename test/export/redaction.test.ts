// A golden log tells nobody anything: canaries in every field, in every place that a record has, are searched for in what
// comes out. And it still folds to the same story.
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemoryJournal } from '../../src/breaker/journal/memory-journal.ts';
import type { JournalRecord } from '../../src/breaker/journal/record.ts';
import { expectedOf, goldenLog, readGolden, replayed } from '../../src/export/golden.ts';
import { GOLDEN_START_AT } from '../../src/export/pseudonyms.ts';
import { redactedLog } from '../../src/export/redacted-log.ts';
import { SHAPES } from '../../src/export/redaction.ts';
import { moves, playHonestly } from '../support/honest-writers.ts';
import { entriesOf } from '../support/streams.ts';
import { VirtualWorld } from '../support/virtual-world.ts';

const CANARY = 'Canary';
const FORMS: readonly unknown[] = [
  `${CANARY} text`,
  `scene:${CANARY}`,
  `${CANARY}:7`,
  [`${CANARY} one`, `${CANARY} two`],
  { [CANARY]: `${CANARY} in a key` },
  {
    title: [CANARY],
    genre: [CANARY],
    thumb: CANARY,
    id: CANARY,
    under: CANARY,
    space: CANARY,
    libraries: [CANARY],
  },
  [{ field: CANARY, before: CANARY, after: [CANARY] }],
  {
    kinds: { [CANARY]: 1 },
    fields: { [CANARY]: 1 },
    libraries: { [CANARY]: 1 },
    shown: { [CANARY]: CANARY },
  },
];
const TYPES = (['control', 'queue'] as const).flatMap((stream) =>
  [...Object.keys(SHAPES[stream]), `${CANARY.toLowerCase()}.told`].map((type) => ({ stream, type })),
);

test.each(TYPES)('$stream: $type tells nothing that anybody typed', async ({ stream, type }) => {
  const journal = new MemoryJournal();
  const fields = [...Object.keys(SHAPES[stream][type] ?? {}), 'aFieldOfTomorrow'];
  const records = FORMS.map((form, index): JournalRecord => {
    const data = Object.fromEntries(fields.map((field) => [field, form]));
    const envelope = {
      v: 1,
      id: `${CANARY}-${index}`,
      at: 5,
      mono: 7,
      boot: `${CANARY} boot`,
      inv: `${CANARY}-1`,
    };
    const witness = {
      seen: 0,
      from: { [CANARY]: 'a', drain: `${CANARY}#1 x` },
      to: { [CANARY]: 'b' },
      era: CANARY,
    };
    return { ...envelope, type, data, ...(stream === 'control' && { witness }) };
  });
  await journal.append(stream, records);
  journal.appendBytes(stream, Buffer.from(`\n{"${CANARY}":1}\n`));
  const none = { control: [], queue: [] };
  const lines = redactedLog({ ...none, [stream]: await entriesOf(journal, stream) })[stream];
  expect(lines.join('\n')).not.toMatch(/canary/i);
  expect(lines).toHaveLength(records.length + 1);
});

test('no title, name, path, address, token or server of a real run is in it', async () => {
  const world = VirtualWorld.withScenes(3);
  world.plex.machineIdentifier = 'canary-machine';
  world.stash.settings.plexToken = 'canary-token';
  world.stash.edit('1', {
    title: 'Canary title',
    details: 'Canary summary',
    studio: 'Canary studio',
    tags: ['Canary tag'],
    performers: [{ id: '1', name: 'Canary Performer', disambiguation: 'Canary' }],
  });
  world.stash.edit('2', { files: ['/canary/folder/canary.mp4'] });
  await world.queued('scene:1', 'scene:2', 'scene:3');
  await world.drain();
  world.plex.goAway();
  await world.run('hold', { stance: 'open', for: '1m', reason: 'canary reason' });
  await world.queued('scene:1');
  await world.pass(60_000);
  await world.drain();
  await world.run('note', { outage: '1', text: 'canary note' });
  const raw = world.journal.bytes('control').toString() + world.journal.bytes('queue').toString();
  for (const word of [
    'Canary title',
    'Canary Performer',
    'canary.mp4',
    'canary-machine',
    'canary reason',
    'canary note',
  ]) {
    expect(raw, word).toContain(word);
  }
  const golden = await goldenLog(world.journal);
  expect(golden).not.toMatch(/canary|http|\/media/i);
  expect(golden).toContain('"redacted"');
});

test('it begins on a fixed date and boots begin at nothing: only what lies between stays', async () => {
  const world = VirtualWorld.withScenes(1);
  world.time.clock.stepWall(-123_456_789);
  await world.queued('scene:1');
  await world.pass(12_345);
  await world.queued('scene:1');
  const { journal } = readGolden((await goldenLog(world.journal))!);
  const [first, second] = (await entriesOf(journal, 'queue')).map(
    (entry) => (entry as { record: JournalRecord }).record,
  );
  expect(first).toMatchObject({ at: GOLDEN_START_AT, mono: 0, boot: 'boot-1' });
  const [old, next] = (await entriesOf(world.journal, 'queue')).map(
    (entry) => (entry as { record: JournalRecord }).record,
  );
  expect(second!.at - first!.at).toBe(next!.at - old!.at);
});

test('any log of honest writers, with damage in it, folds to the same numbers', () =>
  fc.assert(
    fc.asyncProperty(moves(40), fc.array(fc.nat(), { maxLength: 3 }), async (all, hits) => {
      const { journal } = await playHonestly(all);
      const bytes = Buffer.from(journal.bytes('control'));
      for (const hit of hits) if (bytes.length > 0) bytes[hit % bytes.length] = 0x0b;
      journal.replaceBytes('control', bytes);
      const original = expectedOf(await replayed(journal));
      const text = (await goldenLog(journal))!;
      const { header, journal: golden } = readGolden(text);
      const { counts, state, queue } = expectedOf(await replayed(golden));
      expect({ counts, state, queue }).toEqual({
        counts: original.counts,
        state: original.state,
        queue: original.queue,
      });
      expect(header.expected).toEqual(JSON.parse(JSON.stringify(expectedOf(await replayed(golden)))));
    }),
    { numRuns: process.env.BREAKWATER_LONG === undefined ? 60 : 2_000 },
  ));

test('a record that a newer Breakwater wrote stays one', async () => {
  const journal = new MemoryJournal();
  const body = '{"v":9,"secret":"canary"';
  journal.appendBytes('control', Buffer.from(`\n${body},"crc":${crc32(body)}}\n`));
  const text = (await goldenLog(journal))!;
  expect(text).not.toContain('canary');
  expect(readGolden(text).header.expected.counts).toMatchObject({ newer: 1, damaged: 0 });
});

test('up to an outage: nothing after its end, and a number that is not there is refused', async () => {
  const world = VirtualWorld.withScenes(3);
  for (const id of [1, 2]) {
    const isBack = world.plex.goAway();
    world.after(30_000, isBack);
    await world.queued(`scene:${id}`);
    await world.drain();
  }
  await world.queued('scene:3');
  await world.drain();
  const { header } = readGolden((await goldenLog(world.journal, 1))!);
  expect(header.expected.outages).toMatchObject([
    { number: 1, isOngoing: false, drainedInMs: expect.any(Number) },
  ]);
  expect(header.expected.queue.counts).toMatchObject({ pending: 0, delivered: 1 });
  expect(readGolden((await goldenLog(world.journal, 2))!).header.expected.outages).toHaveLength(2);
  for (const none of [0, 3]) expect(await goldenLog(world.journal, none)).toBe(null);
});

test('a file of another version is refused', () => {
  expect(() => readGolden('{"golden":2}\n')).toThrow(/not a golden log of version 1/);
});

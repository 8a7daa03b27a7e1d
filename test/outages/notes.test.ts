// Notes: what a person says about an outage is in the log, moves nothing, and stays with its outage.
import { expect, test } from 'vitest';
import { MAX_NOTE } from '../../src/breaker/control/annotations.ts';
import { ControlLog } from '../../src/breaker/control/control-log.ts';
import { makeRecord } from '../../src/breaker/journal/writer.ts';
import { evolveHistory, newHistory } from '../../src/outages/outages.ts';
import { FakeClock, fakeWriter } from '../support/fake-writer.ts';
import { drainClaim, probeFailed } from '../support/honest-writers.ts';
import { moment } from '../support/moments.ts';
import { controlJournal, entriesOf, foldAll } from '../support/streams.ts';
import { VirtualWorld } from '../support/virtual-world.ts';

/** A world in which Plex was away twice; the second time it still is. */
async function twoOutages(): Promise<VirtualWorld> {
  const world = VirtualWorld.withScenes(2);
  const isBack = world.plex.goAway();
  world.after(90_000, isBack);
  await world.queued('scene:1');
  await world.drain();
  world.plex.goAway({ status: 502 });
  await world.queued('scene:2');
  await world.drain();
  return world;
}

const outagesOf = async (world: VirtualWorld) => {
  const { document, lines } = await world.run('outages');
  return { ...(document as { outages: { notes: { text: string }[] }[] }), text: lines.join('\n') };
};

test('notes accumulate at their outage, in the lines and in the document', async () => {
  const world = await twoOutages();
  await world.run('note', { outage: '1', text: 'the switch was replaced' });
  await world.pass(1_000);
  await world.run('note', { outage: '1', text: 'and the cable' });
  await world.run('note', { outage: 2, text: 'nginx again' });
  const { outages, text } = await outagesOf(world);
  expect(outages.map(({ notes }) => notes.map((note) => note.text))).toEqual([
    ['the switch was replaced', 'and the cable'],
    ['nginx again'],
  ]);
  expect(outages[0]?.notes[0]).toMatchObject({ by: expect.stringMatching(/^task/), at: expect.any(Number) });
  expect(text).toMatch(/#1[\s\S]*the switch was replaced[\s\S]*and the cable[\s\S]*#2[\s\S]*nginx again/);
});

test('a note moves no machine and is neither void nor drift', async () => {
  const world = await twoOutages();
  const before = await world.control();
  await world.run('note', { outage: '1', text: 'seen' });
  const after = await world.control();
  expect(after.state).toEqual(before.state);
  const { records, ...rest } = after.fold.counts;
  expect({ records: records - 1, ...rest }).toEqual(before.fold.counts);
});

test('a note is no record of an unknown type to those who look back', async () => {
  const world = await twoOutages();
  await world.run('note', { outage: '1', text: 'the switch was replaced' });
  const verified = await world.run('verify');
  expect(verified.document).toMatchObject({ control: { unknown: 0 } });
  const { lines } = await world.run('replay', { step: 'true' });
  const told = lines.find((line) => line.includes('outage.noted'));
  expect(told).toContain('the switch was replaced');
  expect(told).not.toContain('does not know');
});

/** A record that this code would not write. */
async function byAnother(world: VirtualWorld, type: string, data: Record<string, unknown>): Promise<void> {
  await world.journal.append('control', [makeRecord(fakeWriter(world.time.clock, 'other', 99), type, data)]);
}

test('a record of a type that nobody knows is void, as before', async () => {
  const world = await twoOutages();
  const { fold } = await world.control();
  await byAnother(world, 'outage.sung', {});
  expect((await world.control()).fold.counts.voids).toBe(fold.counts.voids + 1);
});

test('a note that lacks its parts is void, and shown nowhere', async () => {
  const world = await twoOutages();
  const { fold } = await world.control();
  await byAnother(world, 'outage.noted', { opening: 7, text: null });
  expect((await world.control()).fold.counts.voids).toBe(fold.counts.voids + 1);
  expect((await outagesOf(world)).outages.flatMap(({ notes }) => notes)).toEqual([]);
});

test.each([
  ['with control characters', 'a\u001b[31mb\r\nc\u2028d', 'a [31mb c d'],
  ['of the longest length', 'x'.repeat(MAX_NOTE), 'x'.repeat(MAX_NOTE)],
  ['one past it', 'x'.repeat(MAX_NOTE + 1), 'x'.repeat(MAX_NOTE)],
  ['whose end is no half character', '🙂'.repeat(MAX_NOTE + 1), '🙂'.repeat(MAX_NOTE)],
])('a note %s is kept as one plain line', async (_, typed, kept) => {
  const world = await twoOutages();
  await world.run('note', { outage: '1', text: typed });
  expect((await outagesOf(world)).outages[0]?.notes).toMatchObject([{ text: kept }]);
});

test.each(['0', '3', '-1', '1.0', 'x', ''])(
  'no outage "%s": a clear error, and nothing is written',
  async (outage) => {
    const world = await twoOutages();
    const { appends } = world;
    await expect(world.run('note', { outage, text: 'words' })).rejects.toThrow(
      /(there is no|is not the number of an) outage.*"outages" lists/,
    );
    await expect(world.run('note', { outage, text: '\u0007 ' })).rejects.toThrow(/needs some words/);
    expect(world.appends).toBe(appends);
  },
);

test('it names the opening record, not the number: it stays when outages are counted otherwise', async () => {
  const clock = new FakeClock();
  const journal = await controlJournal([{ ...drainClaim, forMs: 1e9, moment: moment(0), by: 'test-1' }]);
  const log = await ControlLog.open(journal, fakeWriter(clock));
  const [opened] = await log.appendOrThrow(probeFailed('drain', 1));
  await log.appendOrThrow({ type: 'outage.noted', opening: opened!.record.id, text: 'this one' });
  await log.appendOrThrow({ type: 'outage.noted', opening: 'no such record', text: 'of nothing' });
  const { steps } = foldAll(await entriesOf(journal));
  const { outages, tip } = steps.reduce(evolveHistory, newHistory());
  expect(outages.map(({ notes }) => notes.map(({ text }) => text))).toEqual([['this one']]);
  const before = steps.slice(0, -2).reduce(evolveHistory, newHistory());
  expect(tip).toEqual(before.tip);
});

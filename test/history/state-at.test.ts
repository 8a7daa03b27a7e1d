// Invariant 17: the state at a point is the fold of the records up to it, for every point that can be named.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { joinLines } from '../../src/breaker/journal/lines.ts';
import { MemoryJournal } from '../../src/breaker/journal/memory-journal.ts';
import { encodeLine } from '../../src/breaker/journal/record.ts';
import { makeRecord } from '../../src/breaker/journal/writer.ts';
import type { Past } from '../../src/history/past.ts';
import { type Cut, stateAt } from '../../src/history/state-at.ts';
import type { JobName } from '../../src/queue/events.ts';
import { createQueue, type Queue } from '../../src/queue/queue.ts';
import { queueEventOf } from '../../src/queue/queue-fold.ts';
import { play, strokes } from '../support/control-logs.ts';
import { START_AT } from '../support/fake-writer.ts';
import { seeded } from '../support/seeded.ts';
import { anOutage, newStory } from '../support/stories.ts';
import { controlJournal, entriesOf, foldAll } from '../support/streams.ts';

const RUNS = { numRuns: process.env.BREAKWATER_LONG === undefined ? 60 : 1_000 };

const plain = ({ jobs, known, counts }: Queue) => ({ jobs: [...jobs], known: [...known], counts });

/** The control log of the strokes, with a change of a scene beside some of its records. */
async function twoStreams(log: Parameters<typeof play>[0]): Promise<MemoryJournal> {
  const { passed } = play(log);
  const journal = await controlJournal(passed.map(({ event }) => event));
  const random = seeded(5);
  for (const [index, { event }] of passed.entries()) {
    const writer = { inv: 'hook', now: () => event.moment, random };
    const job: JobName = `scene:${index % 3}`;
    if (index % 2 === 0)
      await journal.append('queue', [makeRecord(writer, 'job.queued', { job, cause: 'x' })]);
    if (index % 5 === 4) {
      const upTo = await journal.size('queue');
      await journal.append('queue', [makeRecord(writer, 'job.delivered', { job, upTo, result: 'written' })]);
    }
    if (index % 7 === 6) journal.appendBytes('queue', Buffer.from('\ntorn'));
  }
  return journal;
}

/** The same by another way: entries up to an index, folded. */
async function foldedTo(journal: MemoryJournal, control: number, queue: number) {
  const { fold } = foldAll((await entriesOf(journal)).slice(0, control));
  const store = createQueue();
  for (const entry of (await entriesOf(journal, 'queue')).slice(0, queue)) {
    const event = entry.kind === 'record' ? queueEventOf(entry.record, entry.position) : null;
    if (event !== null) store.send(event);
  }
  return { fold, queue: plain(store.getSnapshot().context) };
}

async function at(journal: MemoryJournal, cut: Cut): Promise<Past> {
  const travelled = await stateAt(journal, cut);
  if (travelled.kind !== 'arrived') throw new Error(travelled.kind);
  return travelled.past;
}

const sawOf = (past: Past) => ({ fold: past.fold, queue: plain(past.queue) });

/** How many lines of a stream come before the first that says later. */
async function linesUntil(
  journal: MemoryJournal,
  stream: 'control' | 'queue',
  until: number,
): Promise<number> {
  const entries = await entriesOf(journal, stream);
  const first = entries.findIndex((entry) => entry.kind === 'record' && entry.record.at > until);
  return first < 0 ? entries.length : first;
}

test('17: at any time it is the fold of what comes before the first record that says later', () =>
  fc.assert(
    fc.asyncProperty(strokes(25), fc.nat(), async (log, choice) => {
      fc.pre(log.length > 0);
      const journal = await twoStreams(log);
      const { passed } = play(log);
      const moment = passed[choice % passed.length]!.event.moment.at;
      for (const until of [moment, moment + 1, moment - 1]) {
        const travelled = await stateAt(journal, { kind: 'at', at: until });
        const [control, queue] = [
          await linesUntil(journal, 'control', until),
          await linesUntil(journal, 'queue', until),
        ];
        if (travelled.kind !== 'arrived') {
          expect({ control, queue }).toEqual({ control: 0, queue: 0 });
          continue;
        }
        expect(sawOf(travelled.past)).toEqual(await foldedTo(journal, control, queue));
      }
    }),
    RUNS,
  ));

test('17: at any control record it is the fold of the records up to it, and of no later change', () =>
  fc.assert(
    fc.asyncProperty(strokes(25), async (log) => {
      const journal = await twoStreams(log);
      const entries = await entriesOf(journal);
      for (const [index, { position }] of entries.entries()) {
        const past = await at(journal, { kind: 'to', stream: 'control', position });
        const { fold } = foldAll(entries.slice(0, index + 1));
        expect(past.fold).toEqual(fold);
        expect(past.reached.control).toBe(position);
      }
    }),
    RUNS,
  ));

test('at any line of the queue it is the fold of the lines up to it', () =>
  fc.assert(
    fc.asyncProperty(strokes(15), async (log) => {
      const journal = await twoStreams(log);
      for (const [index, { position }] of (await entriesOf(journal, 'queue')).entries()) {
        const past = await at(journal, { kind: 'to', stream: 'queue', position });
        expect(plain(past.queue)).toEqual((await foldedTo(journal, 0, index + 1)).queue);
      }
    }),
    RUNS,
  ));

test('at the end it is what everybody else folds', async () => {
  const { journal, control, queue } = await anOutage(new MemoryJournal());
  const past = await at(journal, { kind: 'end' });
  expect(past.fold).toEqual(control.fold);
  expect(plain(past.queue)).toEqual(plain(queue.queue));
});

test('a clock that was set back reorders nothing: the time that comes twice is its later one', async () => {
  const story = await newStory();
  await story.loses(100);
  story.clock.stepWall(-50_000);
  await story.changes(101, 'scene:1');
  await story.asks(200, null);
  const during = await at(story.journal, { kind: 'at', at: START_AT + 99_000 });
  expect(during.fold.control.breaker.value).toBe('closed');
  const after = await at(story.journal, { kind: 'at', at: START_AT + 100_000 });
  expect(after.fold.control.breaker.value).toBe('open');
  expect(after.queue.counts.pending).toBe(1);
});

describe('an outage', () => {
  test('is walked to the end of its backlog', async () => {
    const { journal } = await anOutage(new MemoryJournal());
    const past = await at(journal, { kind: 'outage', number: 1 });
    expect(past.fold.control).toMatchObject({ breaker: { value: 'closed' }, recovery: { value: 'idle' } });
    expect(past.at).toBe(START_AT + 244_000);
  });

  test('that was not drained ends where the next begins, or the log', async () => {
    const story = await newStory();
    await story.loses(100);
    await story.asks(200, null);
    await story.succeeds(201);
    await story.loses(300);
    expect((await at(story.journal, { kind: 'outage', number: 1 })).at).toBe(START_AT + 300_000);
    await story.asks(400, 'refused');
    expect((await at(story.journal, { kind: 'outage', number: 2 })).at).toBe(START_AT + 400_000);
  });
});

describe('what cannot be reached', () => {
  test('an empty journal says so', async () => {
    expect(await stateAt(new MemoryJournal(), { kind: 'end' })).toEqual({ kind: 'empty' });
  });

  test('before the first record, between two and beyond the last: the range is told', async () => {
    const { journal } = await anOutage(new MemoryJournal());
    const range = { from: START_AT, to: START_AT + 244_000, outages: 1 };
    expect(await stateAt(journal, { kind: 'at', at: START_AT - 1 })).toMatchObject({
      kind: 'nowhere',
      range: { from: START_AT },
    });
    const [first, second] = await entriesOf(journal);
    expect(
      await stateAt(journal, { kind: 'to', stream: 'control', position: first!.position + 1 }),
    ).toMatchObject({
      kind: 'nowhere',
      range: { ...range, before: first!.position, after: second!.position },
    });
    expect(await stateAt(journal, { kind: 'outage', number: 2 })).toMatchObject({ kind: 'nowhere', range });
  });

  test('only damage: there is no time to name', async () => {
    const journal = new MemoryJournal();
    journal.appendBytes('control', Buffer.from('\nnothing\n'));
    expect(await stateAt(journal, { kind: 'at', at: START_AT })).toMatchObject({
      kind: 'nowhere',
      range: { from: null },
    });
    expect((await at(journal, { kind: 'end' })).fold.counts.damaged).toBe(1);
  });
});

test('what is due then is asked on the clocks of then', async () => {
  const story = await newStory();
  await story.loses(100);
  const past = await at(story.journal, { kind: 'at', at: START_AT + 130_000 });
  expect(past.momentAt(START_AT + 130_000)).toEqual({
    at: START_AT + 130_000,
    mono: 131_000,
    boot: 'boot-1',
  });
  expect(past.momentAt(START_AT + 90_000)).toEqual({ at: START_AT + 100_000, mono: 101_000, boot: 'boot-1' });
});

test('a line of a newer version is no record, and is passed', async () => {
  const story = await newStory();
  const newer = {
    ...makeRecord({ inv: 'x', now: () => story.clock.now(), random: seeded(1) }, 'a.b', {}),
    v: 9,
  };
  for (const stream of ['control', 'queue'] as const)
    story.journal.appendBytes(stream, joinLines([encodeLine(newer)]));
  const kinds: string[] = [];
  await stateAt(story.journal, { kind: 'end' }, ({ kind }) => kinds.push(kind));
  expect(kinds).toEqual(['newer', 'control', 'newer']);
});

// The queue stream as processes share it, and its checkpoint: image and tail equal the whole log.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JournalError } from '../../src/breaker/journal/journal.ts';
import { joinLines } from '../../src/breaker/journal/lines.ts';
import { MemoryJournal } from '../../src/breaker/journal/memory-journal.ts';
import { encodeLine } from '../../src/breaker/journal/record.ts';
import { makeRecord } from '../../src/breaker/journal/writer.ts';
import type { JobName, QueueEvent } from '../../src/queue/events.ts';
import { type QueueCheckpoint, QueueLog } from '../../src/queue/queue-log.ts';
import { FakeClock, fakeWriter } from '../support/fake-writer.ts';

const RUNS = { numRuns: process.env.BREAKWATER_LONG === undefined ? 40 : 1_000 };
const queued = (job: JobName): QueueEvent => ({ type: 'job.queued', job, cause: 'Scene.Update.Post' });
const delivered = (job: JobName, upTo: number): QueueEvent => ({
  type: 'job.delivered',
  job,
  upTo,
  result: 'written',
  item: 'item-1',
  own: { genre: ['a'] },
});

function setting() {
  const journal = new MemoryJournal();
  const clock = new FakeClock();
  const open = (checkpoint: QueueCheckpoint | null = null, inv = 'one') =>
    QueueLog.open(journal, fakeWriter(clock, inv), checkpoint);
  return { journal, clock, open };
}

const plain = ({ queue }: QueueLog) => ({
  jobs: [...queue.jobs],
  known: [...queue.known],
  counts: queue.counts,
});

test('what one process queues another delivers', async () => {
  const { open } = setting();
  const [hook, drainer] = [await open(), await open(null, 'two')];
  expect(await hook.append(queued('scene:1'))).toEqual({ ok: true });
  await drainer.refresh();
  expect(drainer.queue.counts.pending).toBe(1);
  await drainer.append(delivered('scene:1', drainer.position));
  await hook.refresh();
  expect(plain(hook)).toEqual(plain(drainer));
  expect(hook.queue.jobs.size).toBe(0);
});

test('an edit that lands while its job is delivered is delivered as well', async () => {
  const { open } = setting();
  const [hook, drainer] = [await open(), await open(null, 'two')];
  await hook.append(queued('scene:1'));
  await drainer.refresh();
  const read = drainer.position;
  await hook.append(queued('scene:1'));
  await drainer.append(delivered('scene:1', read));
  expect(drainer.queue.jobs.get('scene:1')?.state).toBe('pending');
});

test('there is no checkpoint of a log that cannot be read whole: a newer version would take it for the whole', async () => {
  const { journal, clock, open } = setting();
  const log = await open();
  await log.append(queued('scene:1'));
  expect(log.checkpoint()).not.toBe(null);
  const newer = { ...makeRecord(fakeWriter(clock, 'newer'), 'job.queued', { job: 'scene:2' }), v: 2 };
  journal.appendBytes('queue', joinLines([encodeLine(newer)]));
  await log.refresh();
  expect(log.checkpoint()).toBe(null);
});

test('an append that fails says why, and nothing was queued', async () => {
  const { journal, clock } = setting();
  const failure = { kind: 'full', detail: 'no room' } as const;
  const full = {
    append: async () => ({ ok: false, failure }) as const,
    read: journal.read.bind(journal),
    size: journal.size.bind(journal),
  };
  const log = await QueueLog.open(full, fakeWriter(clock));
  expect(await log.append(queued('scene:1'))).toEqual({ ok: false, failure });
  expect(log.queue.jobs.size).toBe(0);
  // For a caller that cannot go on it is an error of the journal.
  const thrown = await log.appendOrThrow(queued('scene:1')).catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(JournalError);
  expect((thrown as Error).message).toContain('no room');
});

test('an event that no reader would hear is refused, and nothing is written', async () => {
  const { journal, open } = setting();
  const log = await open();
  const nameless = { ...queued('scene:1'), job: 'scene:0' as JobName, cause: 'x'.repeat(1_000) };
  const thrown = await log.append(queued('scene:2'), nameless).catch((error: unknown) => error);
  expect((thrown as Error).message).toMatch(/^a job\.queued of this shape would be void: {"job":"scene:0",/);
  // Whatever is wrong with it may be long.
  expect((thrown as Error).message.length).toBeLessThan(600);
  expect(await journal.size('queue')).toBe(0);
});

test('a change is pending since a position when it was queued there or later, and only while it is pending', async () => {
  const { open } = setting();
  const log = await open();
  await log.append(queued('scene:1'));
  const between = log.position;
  expect(log.hasPendingSince(0)).toBe(true);
  expect(log.hasPendingSince(between)).toBe(false);
  await log.append(queued('scene:2'));
  const { newest } = log.queue.jobs.get('scene:2')!;
  expect([newest, newest + 1].map((position) => log.hasPendingSince(position))).toEqual([true, false]);
  const detail = 'no';
  await log.append({
    type: 'job.deadLettered',
    job: 'scene:2',
    upTo: log.position,
    reason: 'rejected',
    detail,
  });
  expect(log.hasPendingSince(between)).toBe(false);
});

test('a refresh counts what was appended by others, once', async () => {
  const { open } = setting();
  const [hook, drainer] = [await open(), await open(null, 'two')];
  await hook.append(queued('scene:1'), queued('scene:2'));
  await drainer.refresh();
  await drainer.refresh();
  expect(drainer.tailLength).toBe(2);
  expect(drainer.position).toBe(hook.position);
});

test('damaged lines and unknown types are stepped over', async () => {
  const { journal, clock, open } = setting();
  const log = await open();
  await log.append(queued('scene:1'));
  journal.appendBytes('queue', Buffer.from('\ngarbage\n'));
  journal.appendBytes('queue', joinLines([encodeLine(makeRecord(fakeWriter(clock), 'job.pondered', {}))]));
  const shapeless = makeRecord(fakeWriter(clock), 'job.queued', { job: 'scene:0', cause: 'x' });
  journal.appendBytes('queue', joinLines([encodeLine(shapeless)]));
  await log.append(queued('scene:2'));
  expect(log.damaged).toBe(1);
  expect([...log.queue.jobs.keys()]).toEqual(['scene:1', 'scene:2']);
  // What is damaged no version will read: unlike a newer line it keeps nobody from a checkpoint.
  expect(log.checkpoint()).not.toBe(null);
});

describe('a checkpoint', () => {
  test('there is none of an empty stream', async () => {
    expect((await setting().open()).checkpoint()).toBe(null);
  });

  test('through JSON, with the tail, equals the whole log at every cut', () => {
    const job = fc.constantFrom<JobName>('scene:1', 'scene:2');
    const word = fc.record({
      job,
      what: fc.constantFrom('queued', 'queued', 'delivered', 'deferred', 'dead', 'attempted'),
      back: fc.nat({ max: 600 }),
    });
    return fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 20, size: 'max' }), async (words) => {
        const { open } = setting();
        const log = await open();
        const cuts: (QueueCheckpoint | null)[] = [null];
        for (const { job, what, back } of words) {
          const upTo = Math.max(0, log.position - back);
          const detail = 'so it is';
          const events: Record<string, QueueEvent> = {
            queued: queued(job),
            delivered: delivered(job, upTo),
            attempted: { type: 'job.attempted', job, item: 'item-2', changes: [], own: {} },
            deferred: { type: 'job.deferred', job, upTo, reason: 'transient', detail, attempt: 1, waitMs: 5 },
            dead: { type: 'job.deadLettered', job, upTo, reason: 'rejected', detail },
          };
          await log.append(events[what]!);
          cuts.push(JSON.parse(JSON.stringify(log.checkpoint())));
        }
        for (const [index, cut] of cuts.entries()) {
          const read = await open(cut);
          expect(plain(read)).toEqual(plain(log));
          expect(read.position).toBe(log.position);
          expect(read.tailLength).toBe(words.length - index);
        }
      }),
      RUNS,
    );
  });

  test('of another era, or of another log, is ignored', async () => {
    const { open } = setting();
    const log = await open();
    await log.append(queued('scene:1'));
    const checkpoint = log.checkpoint()!;
    const era = await open({ ...checkpoint, era: 'queue-0' });
    const other = await open({ ...checkpoint, last: { ...checkpoint.last, id: 'other' } });
    expect([era.tailLength, other.tailLength]).toEqual([1, 1]);
    expect(plain(other)).toEqual(plain(log));
  });

  test('that is held stays as it was while the log goes on', async () => {
    const { open } = setting();
    const log = await open();
    await log.append(queued('scene:1'));
    const held = log.checkpoint()!;
    const text = JSON.stringify(held);
    await log.append(queued('scene:2'), delivered('scene:1', log.position));
    expect(JSON.stringify(held)).toBe(text);
  });
});

// What a wake knows of the queue without folding all of it: it may say that there is something to do where there is
// nothing, never the other way round; whatever checkpoint it began with, and after a compaction.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MemoryJournal } from '../../src/breaker/journal/memory-journal.ts';
import { encodeLine } from '../../src/breaker/journal/record.ts';
import { makeRecord } from '../../src/breaker/journal/writer.ts';
import {
  type Agenda,
  AgendaLog,
  agendaCheckpointOf,
  agendaOf,
  evolveAgenda,
  hasWork,
} from '../../src/queue/agenda.ts';
import { compactQueue } from '../../src/queue/compaction.ts';
import type { JobName, QueueEvent } from '../../src/queue/events.ts';
import { createQueue, dueJobs } from '../../src/queue/queue.ts';
import { QueueLog } from '../../src/queue/queue-log.ts';
import { recordOf } from '../breaker/journal/conformance.ts';
import { FakeClock, fakeWriter } from '../support/fake-writer.ts';
import { PROPERTY_RUNS } from '../support/property-runs.ts';

const SCOPE = { since: null, newSince: null, depth: 'stash', isMissingOnly: false, libraries: [] } as const;

const job = fc.integer({ min: 1, max: 4 }).map((id): JobName => `scene:${id}`);
const second = fc.integer({ min: 1, max: 5_000 }).map((count) => count * 1_000);
/** `upTo`: everything before it was folded by whoever writes. */
type Make = (upTo: number) => QueueEvent;
const event: fc.Arbitrary<Make> = fc.oneof(
  fc.tuple(job, fc.option(second, { nil: undefined })).map(
    ([name, changedAt]): Make =>
      () => ({
        type: 'job.queued',
        job: name,
        cause: 'change',
        ...(changedAt !== undefined && { changedAt }),
      }),
  ),
  job.map(
    (name): Make =>
      (upTo) => ({ type: 'job.delivered', job: name, upTo, result: 'unchanged' }),
  ),
  fc.tuple(job, fc.constantFrom(0, 500, 60_000)).map(
    ([name, waitMs]): Make =>
      (upTo) => ({
        type: 'job.deferred',
        job: name,
        upTo,
        reason: 'missing',
        detail: 'd',
        attempt: 1,
        waitMs,
      }),
  ),
  job.map(
    (name): Make =>
      (upTo) => ({ type: 'job.deadLettered', job: name, upTo, reason: 'rejected', detail: 'd' }),
  ),
  job.map(
    (name): Make =>
      (upTo) => ({ type: 'job.dropped', job: name, upTo, reason: 'r' }),
  ),
  second.map(
    (upTo): Make =>
      () => ({ type: 'stash.looked', upTo }),
  ),
  fc.constantFrom<Make>(
    () => ({ type: 'reconcile.requested', scope: SCOPE, cause: 'task' }),
    () => ({
      type: 'reconcile.advanced',
      cursor: 9,
      checked: 9,
      left: 0,
      gaps: { kinds: {}, fields: {}, libraries: {} },
    }),
    () => ({ type: 'reconcile.finished', result: 'done' }),
    () => ({ type: 'settings.changed', settings: { reconcile: { value: 'never', origin: 'stash' } } }),
    () => ({ type: 'settings.changed', settings: { reconcile: null } }),
  ),
);
type Step =
  | { readonly kind: 'event'; readonly make: Make; readonly lag: number }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'seal' | 'compact' | 'tail checkpoint' | 'exact checkpoint' };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('event' as const), make: event, lag: fc.nat(3) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(1, 700, 90_000) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'seal' as const,
        'compact' as const,
        'tail checkpoint' as const,
        'exact checkpoint' as const,
      ),
    }),
  },
);

/** Everything but what it may be wrong in. */
const certain = ({ looked, reconciliation, begunAt, settings }: Agenda) => ({
  looked: { ...looked, seen: [...looked.seen].sort() },
  reconciliation,
  begunAt,
  settings,
});

const json = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

test('never says that there is nothing to do where there is, from any checkpoint and after any compaction', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 50 }), async (steps) => {
      const clock = new FakeClock();
      const writer = fakeWriter(clock);
      const journal = new MemoryJournal();
      const drainer = await QueueLog.open(journal, writer);
      let checkpoint = (await AgendaLog.open(journal, writer)).checkpoint();
      const places = [0];
      for (const one of steps) {
        if (one.kind === 'pass') clock.advance(one.ms);
        if (one.kind === 'seal') await journal.seal('queue', recordOf(0));
        if (one.kind === 'compact') await compactQueue(journal, journal, writer, { keepMs: 0, maxBytes: 0 });
        if (one.kind === 'tail checkpoint') {
          checkpoint = json((await AgendaLog.open(journal, writer, checkpoint)).checkpoint());
        }
        if (one.kind === 'exact checkpoint') {
          await drainer.refresh();
          checkpoint = json(agendaCheckpointOf(drainer));
        }
        if (one.kind === 'event') {
          await drainer.append(one.make(places.at(-1 - one.lag) ?? 0));
          places.push(drainer.position);
        }
        const { queue } = await QueueLog.open(journal, writer);
        const exact = agendaOf(queue);
        for (const start of [checkpoint, null]) {
          const { agenda } = await AgendaLog.open(journal, writer, start);
          const now = clock.now();
          if (dueJobs(queue, now, 1).length > 0) expect(hasWork(agenda, now)).toBe(true);
          if (exact.due !== null) expect(agenda.due).not.toBeNull();
          expect(certain(agenda)).toEqual(certain(exact));
        }
        // Of all that a drainer has folded it is exact.
        expect(hasWork(exact, clock.now())).toBe(dueJobs(queue, clock.now(), 1).length > 0);
      }
    }),
    { numRuns: Math.ceil(PROPERTY_RUNS.numRuns / 3) },
  );
});

describe('the checkpoint', () => {
  async function begun() {
    const clock = new FakeClock();
    const writer = fakeWriter(clock);
    const journal = new MemoryJournal();
    const drainer = await QueueLog.open(journal, writer);
    return { clock, writer, journal, drainer };
  }

  test('of a drainer says that nothing is pending when it was delivered; a tail alone cannot know', async () => {
    const { clock, writer, journal, drainer } = await begun();
    await drainer.append({ type: 'job.queued', job: 'scene:1', cause: 'change', changedAt: 5_000 });
    await drainer.append({
      type: 'job.delivered',
      job: 'scene:1',
      upTo: drainer.position,
      result: 'written',
    });
    const exact = await AgendaLog.open(journal, writer, json(agendaCheckpointOf(drainer)));
    expect([exact.tailLength, hasWork(exact.agenda, clock.now())]).toEqual([0, false]);
    const tail = await AgendaLog.open(journal, writer);
    expect([tail.tailLength, hasWork(tail.agenda, clock.now())]).toEqual([2, true]);
  });

  test('keeps what was seen, so that nothing is queued twice after a restart', async () => {
    const { writer, journal, drainer } = await begun();
    await drainer.append(
      { type: 'job.queued', job: 'scene:1', cause: 'change', changedAt: 5_000 },
      { type: 'stash.looked', upTo: 9_000, begin: 1_000 },
    );
    const { agenda } = await AgendaLog.open(journal, writer, json(agendaCheckpointOf(drainer)));
    expect(agenda.looked).toEqual({ upTo: 9_000, begin: 1_000, seen: new Map([['scene:1', 5_000]]) });
  });

  test.each([
    ['of another version', { era: 'agenda-0' }],
    ['of another log', { last: { position: 1, id: 'somebody else' } }],
  ])('%s is not trusted: the log itself is folded', async (_, other) => {
    const { writer, journal, drainer } = await begun();
    await drainer.append({ type: 'job.queued', job: 'scene:1', cause: 'change' });
    const image = json(agendaCheckpointOf(drainer))!;
    const wrong = { ...image, ...other, state: { ...image.state, isPending: false } };
    expect((await AgendaLog.open(journal, writer, wrong)).agenda.isPending).toBe(true);
    const trusted = { ...image, state: { ...image.state, isPending: false } };
    expect((await AgendaLog.open(journal, writer, trusted)).agenda.isPending).toBe(false);
  });

  test('is none where a record of a newer version was stepped over', async () => {
    const { writer, journal, drainer } = await begun();
    await drainer.append({ type: 'job.queued', job: 'scene:1', cause: 'change' });
    const newer = { ...makeRecord(writer, 'future.thing', {}), v: 2 };
    journal.appendBytes('queue', Buffer.from(`\n${encodeLine(newer)}\n`));
    const log = await AgendaLog.open(journal, writer);
    await drainer.refresh();
    expect([log.checkpoint(), agendaCheckpointOf(drainer)]).toEqual([null, null]);
  });
});

test('a deferred job is due when its wait is over, and the earliest counts', () => {
  const clock = new FakeClock();
  const moment = clock.now();
  const deferred = (waitMs: number) =>
    ({
      type: 'job.deferred',
      job: 'scene:1',
      upTo: 1,
      reason: 'missing',
      detail: 'd',
      attempt: 1,
      waitMs,
      position: 1,
      moment,
    }) as const;
  const idle = agendaOf(createQueue().getSnapshot().context);
  const agenda = [deferred(60_000), deferred(5_000), deferred(90_000)].reduce(evolveAgenda, idle);
  expect(hasWork(agenda, clock.now())).toBe(false);
  clock.advance(4_999);
  expect(hasWork(agenda, clock.now())).toBe(false);
  clock.advance(1);
  expect(hasWork(agenda, clock.now())).toBe(true);
});

test('the earliest is the one that ends first, not the one that waits the least', () => {
  const clock = new FakeClock();
  const deferred = (waitMs: number) =>
    ({
      type: 'job.deferred',
      job: 'scene:1',
      upTo: 1,
      reason: 'missing',
      detail: 'd',
      attempt: 1,
      waitMs,
      position: 1,
      moment: clock.now(),
    }) as const;
  let agenda = evolveAgenda(agendaOf(createQueue().getSnapshot().context), deferred(60_000));
  clock.advance(50_000);
  agenda = evolveAgenda(agenda, deferred(30_000));
  clock.advance(10_000);
  expect(hasWork(agenda, clock.now())).toBe(true);
});

test('a job that waits is due also where all that was written of it has been compacted', async () => {
  const clock = new FakeClock();
  const writer = fakeWriter(clock);
  const journal = new MemoryJournal();
  const log = await QueueLog.open(journal, writer);
  await log.append({ type: 'job.queued', job: 'scene:1', cause: 'change' });
  const upTo = log.position;
  await log.append({
    type: 'job.deferred',
    job: 'scene:1',
    upTo,
    reason: 'missing',
    detail: 'd',
    attempt: 1,
    waitMs: 5_000,
  });
  await journal.seal('queue', recordOf(0));
  expect(await compactQueue(journal, journal, writer, { keepMs: 0, maxBytes: 0 })).toBe(true);
  const { agenda } = await AgendaLog.open(journal, writer);
  expect(hasWork(agenda, clock.now())).toBe(false);
  clock.advance(5_000);
  expect(hasWork(agenda, clock.now())).toBe(true);
});

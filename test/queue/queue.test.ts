// The queue's fold as tables and as properties: each job in one place, nothing lost, the newest change wins.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JobName, QueueEvent } from '../../src/queue/events.ts';
import {
  createQueue,
  dueJobs,
  EMPTY_COUNTS,
  type PlacedQueueEvent,
  type Queue,
} from '../../src/queue/queue.ts';
import { START_AT } from '../support/fake-writer.ts';
import { moment } from '../support/moments.ts';

const RUNS = { numRuns: process.env.BREAKWATER_LONG === undefined ? 300 : 10_000 };
const JOB: JobName = 'scene:12';

const queued = (job: JobName = JOB, cause = 'Scene.Update.Post'): QueueEvent => ({
  type: 'job.queued',
  job,
  cause,
});
const delivered = (
  upTo: number,
  change: Partial<Extract<QueueEvent, { type: 'job.delivered' }>> = {},
): QueueEvent => ({
  type: 'job.delivered',
  job: JOB,
  upTo,
  result: 'written',
  ...change,
});
const deferred = (upTo: number, attempt = 1): QueueEvent => ({
  type: 'job.deferred',
  job: JOB,
  upTo,
  reason: 'missing',
  detail: 'not in Plex yet',
  attempt,
  waitMs: 60_000,
});
const dead = (upTo: number): QueueEvent => ({
  type: 'job.deadLettered',
  job: JOB,
  upTo,
  reason: 'ambiguous',
  detail: 'two items',
});
const attempted = (item: string, own = {}): QueueEvent => ({
  type: 'job.attempted',
  job: JOB,
  item,
  changes: [],
  own,
});

/** Folds the events at positions 100, 200, 300, … one second apart. */
function fold(...events: readonly QueueEvent[]): Queue {
  const store = createQueue();
  events.forEach((event, index) => {
    store.send({ ...event, position: (index + 1) * 100, moment: moment(index * 1_000) } as PlacedQueueEvent);
  });
  return store.getSnapshot().context;
}

const jobIn = (queue: Queue) => queue.jobs.get(JOB);

describe('a queued job', () => {
  test('is pending', () => {
    const queue = fold(queued());
    expect(jobIn(queue)).toEqual({
      job: JOB,
      state: 'pending',
      since: 100,
      newest: 100,
      queuedAt: START_AT,
      causes: ['Scene.Update.Post'],
      attempts: 0,
      deferredFor: null,
    });
    expect(queue.counts).toEqual({ ...EMPTY_COUNTS, pending: 1 });
  });

  test('that is queued again is still one, since its first time', () => {
    const queue = fold(queued(), queued(JOB, 'tag:5'), queued());
    expect(jobIn(queue)).toMatchObject({
      since: 100,
      newest: 300,
      queuedAt: START_AT,
      causes: ['Scene.Update.Post', 'tag:5'],
    });
    expect(queue.counts.pending).toBe(1);
  });

  test('remembers four distinct causes and no fifth', () => {
    const queue = fold(...['a', 'b', 'c', 'd', 'e', 'a'].map((cause) => queued(JOB, cause)));
    expect(jobIn(queue)?.causes).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('an outcome', () => {
  test.each([
    ['delivered', delivered(101), undefined],
    [
      'deferred',
      deferred(101, 2),
      { state: 'deferred', attempts: 2, reason: 'missing', detail: 'not in Plex yet' },
    ],
    ['dead', dead(101), { state: 'dead', reason: 'ambiguous', detail: 'two items', at: START_AT + 1_000 }],
  ])('that covers all of it settles it: %s', (_, outcome, after) => {
    const job = jobIn(fold(queued(), outcome));
    if (after === undefined) expect(job).toBe(undefined);
    else expect(job).toMatchObject(after);
  });

  test.each([
    ['delivered', delivered],
    ['deferred', deferred],
    ['dead', dead],
  ])('of what was %s before a newer change keeps it pending', (_, outcome) => {
    const queue = fold(queued(), queued(JOB, 'tag:5'), outcome(101));
    expect(jobIn(queue)).toMatchObject({ state: 'pending', since: 200, newest: 200 });
    expect(queue.counts.pending).toBe(1);
  });

  test.each([
    ['delivered', delivered],
    ['deferred', deferred],
    ['dead', dead],
  ])('that covers up to the very position of the change does not cover it: %s', (_, outcome) => {
    expect(jobIn(fold(queued(), outcome(100)))).toMatchObject({ state: 'pending', since: 100 });
  });

  test.each([
    ['delivered', delivered],
    ['deferred', deferred],
    ['dead', dead],
  ])('of an old reading changes no job: %s', (_, outcome) => {
    const events = [queued(), delivered(101), queued(JOB, 'again')];
    expect(jobIn(fold(...events, outcome(101)))).toEqual(jobIn(fold(...events)));
  });

  test('that covers up to the very position of the newest change does not cover that', () => {
    expect(jobIn(fold(queued(), queued(), delivered(200)))).toMatchObject({ state: 'pending', since: 200 });
  });

  test('that covers nothing of a job leaves it where it is', () => {
    for (const upTo of [50, 100]) {
      expect(jobIn(fold(queued(), queued(), delivered(upTo)))).toMatchObject({ since: 100, newest: 200 });
    }
    for (const settled of [dead(101), deferred(101, 2)]) {
      const events = [queued(), settled];
      expect(jobIn(fold(...events, delivered(100)))).toEqual(jobIn(fold(...events)));
    }
  });

  test.each([
    ['dead', dead(201)],
    ['deferred', deferred(201, 2)],
  ])('that is older than the one that settled it changes nothing: %s', (_, settled) => {
    const events = [queued(), queued(), settled];
    expect(jobIn(fold(...events, delivered(101)))).toEqual(jobIn(fold(...events)));
  });

  test('of a job that nobody queued makes none', () => {
    for (const outcome of [deferred(1e9), dead(1e9), delivered(1e9)]) expect(fold(outcome).jobs.size).toBe(0);
  });

  test('counts deliveries and when the last one was', () => {
    const queue = fold(queued(), delivered(101), queued(), delivered(301));
    expect(queue.counts).toEqual({ ...EMPTY_COUNTS, delivered: 2, deliveredAt: START_AT + 3_000 });
  });
});

describe('a newer change', () => {
  test('revives a dead job, which begins anew', () => {
    const queue = fold(queued(), deferred(101, 3), dead(101), queued(JOB, 'task:retry'));
    expect(jobIn(queue)).toMatchObject({ state: 'pending', attempts: 0, newest: 400 });
    expect(jobIn(queue)).not.toHaveProperty('reason');
    expect(queue.counts).toEqual({ ...EMPTY_COUNTS, pending: 1 });
  });

  test('makes a deferred job due at once, with all its attempts anew', () => {
    const queue = fold(queued(), deferred(101, 3), queued());
    expect(jobIn(queue)).toMatchObject({ state: 'pending', attempts: 0, deferredFor: null });
    expect(dueJobs(queue, moment(2_000), 99)).toHaveLength(1);
  });
});

describe('what is known of a delivered scene', () => {
  test('is its item and our tags, from the attempt on', () => {
    const own = { genre: ['a'] };
    expect(fold(queued(), attempted('item-1', own)).known.get(JOB)).toEqual({ item: 'item-1', own });
    expect(fold(queued(), attempted('item-1', own), delivered(101)).known.get(JOB)).toEqual({
      item: 'item-1',
      own,
    });
  });

  test('keeps our tags when a later delivery names none, and replaces them when it does', () => {
    const events = [queued(), delivered(101, { item: 'item-1', own: { genre: ['a'] } })];
    expect(fold(...events, delivered(101, { item: 'item-2' })).known.get(JOB)).toEqual({
      item: 'item-2',
      own: { genre: ['a'] },
      upTo: 101,
    });
    expect(fold(...events, delivered(101, { item: 'item-2', own: {} })).known.get(JOB)?.own).toEqual({});
  });

  test('is forgotten when the scene is gone', () => {
    const queue = fold(queued(), attempted('item-1'), delivered(101, { result: 'gone' }));
    expect(queue.known.size).toBe(0);
  });
});

describe('what is due', () => {
  const queue = () => fold(queued('scene:3'), queued(), queued('scene:1'), deferred(250));

  test('are pending jobs, the longest waiting first', () => {
    expect(dueJobs(queue(), moment(3_000), 99).map(({ job }) => job)).toEqual(['scene:3', 'scene:1']);
  });

  test('is a deferred job when its wait is over, and not before, after those that never failed', () => {
    expect(dueJobs(queue(), moment(3_000 + 59_999), 99)).toHaveLength(2);
    expect(dueJobs(queue(), moment(3_000 + 60_000), 99).map(({ job }) => job)).toEqual([
      'scene:3',
      'scene:1',
      JOB,
    ]);
  });

  test('is a deferred job at once for somebody impatient', () => {
    expect(dueJobs(queue(), moment(3_000), 99, true).map(({ job }) => job)).toEqual([
      'scene:3',
      'scene:1',
      JOB,
    ]);
  });

  test('is never a dead one', () => {
    expect(dueJobs(fold(queued(), dead(101)), moment(1e12), 99, true)).toEqual([]);
  });
});

test('what is left after a partial outcome waits since its newest change', () => {
  expect(jobIn(fold(queued(), queued(), queued(), delivered(150)))).toMatchObject({
    since: 300,
    newest: 300,
  });
});

describe('over random logs', () => {
  const name = fc.constantFrom<JobName>('scene:1', 'scene:2', 'tag:1');
  /** Outcomes cover up to some position that was read before. */
  const word = fc.record({
    job: name,
    what: fc.oneof(
      { weight: 4, arbitrary: fc.constant('queued' as const) },
      { weight: 6, arbitrary: fc.constantFrom('delivered', 'gone', 'deferred', 'dead', 'attempted') },
    ),
    back: fc.nat({ max: 6 }),
    attempt: fc.integer({ min: 1, max: 9 }),
    cause: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
  });
  type Word = typeof word extends fc.Arbitrary<infer W> ? W : never;

  function placed(words: readonly Word[]): PlacedQueueEvent[] {
    return words.map(({ job, what, back, attempt, cause }, index) => {
      const upTo = Math.max(0, index - back) * 100 + 1;
      const events: Record<string, QueueEvent> = {
        queued: queued(job, cause),
        attempted: { ...attempted(`item-${attempt}`, { genre: [cause] }), job } as QueueEvent,
        delivered: { ...delivered(upTo, { item: `item-${attempt}` }), job } as QueueEvent,
        gone: { ...delivered(upTo, { result: 'gone' }), job } as QueueEvent,
        deferred: { ...deferred(upTo, attempt), job } as QueueEvent,
        dead: { ...dead(upTo), job } as QueueEvent,
      };
      return { ...events[what]!, position: index * 100, moment: moment(index * 1_000) } as PlacedQueueEvent;
    });
  }
  const logs = fc.array(word, { maxLength: 60, size: 'max' }).map(placed);

  function forEachState(check: (queue: Queue, past: readonly PlacedQueueEvent[]) => void): void {
    fc.assert(
      fc.property(logs, (events) => {
        const store = createQueue();
        events.forEach((event, index) => {
          store.send(event);
          check(store.getSnapshot().context, events.slice(0, index + 1));
        });
      }),
      RUNS,
    );
  }

  test('the counts are those of the maps, and each job is in exactly one place', () => {
    forEachState((queue) => {
      const tally = { pending: 0, deferred: 0, dead: 0 };
      for (const [name, job] of queue.jobs) {
        expect(job.job).toBe(name);
        expect(job.since).toBeLessThanOrEqual(job.newest);
        tally[job.state] += 1;
      }
      expect(queue.counts).toMatchObject(tally);
      expect(queue.jobs.size).toBe(tally.pending + tally.deferred + tally.dead);
    });
  });

  test('7: a change that was accepted is in the queue until an outcome that covers it delivered it', () => {
    forEachState((queue, past) => {
      for (const accepted of past) {
        if (accepted.type !== 'job.queued' || queue.jobs.has(accepted.job)) continue;
        const isDelivered = past.some(
          (later) =>
            later.type === 'job.delivered' &&
            later.job === accepted.job &&
            later.position > accepted.position &&
            later.upTo > accepted.position,
        );
        expect(isDelivered).toBe(true);
      }
    });
  });

  test('a change that no outcome covers keeps its job pending', () => {
    forEachState((queue, past) => {
      for (const change of past) {
        if (change.type !== 'job.queued') continue;
        const isCovered = past.some(
          (later) =>
            'upTo' in later && 'job' in later && later.job === change.job && later.upTo > change.position,
        );
        if (!isCovered) expect(queue.jobs.get(change.job)?.state).toBe('pending');
      }
    });
  });

  test('only a delivery takes a job out, and only a newer change or an outcome moves it', () => {
    fc.assert(
      fc.property(logs, (events) => {
        const store = createQueue();
        for (const event of events) {
          if (!('job' in event)) continue;
          const before = new Map(store.getSnapshot().context.jobs);
          store.send(event);
          const { jobs } = store.getSnapshot().context;
          for (const name of new Set([...before.keys(), ...jobs.keys()])) {
            if (name !== event.job || event.type === 'job.attempted')
              expect(jobs.get(name)).toBe(before.get(name));
          }
          if (before.has(event.job) && !jobs.has(event.job)) expect(event.type).toBe('job.delivered');
        }
      }),
      RUNS,
    );
  });
});

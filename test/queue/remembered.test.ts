// What the queue remembers beside its jobs: what a scene was delivered as, what of it is spared, the settings, and when it
// all began; and the few questions that are asked of it.
import { describe, expect, test } from 'vitest';
import type { JobName, QueueEvent } from '../../src/queue/events.ts';
import { createQueue, DELIVERY_ORDER, dueJobs, jobsSeen, type Queue } from '../../src/queue/queue.ts';
import { START_AT } from '../support/fake-writer.ts';
import { moment } from '../support/moments.ts';

const JOB: JobName = 'scene:12';
type Event<Type extends QueueEvent['type']> = Extract<QueueEvent, { type: Type }>;

const queued = (job: JobName = JOB): QueueEvent => ({ type: 'job.queued', job, cause: 'Scene.Update.Post' });
const attempted = (change: Partial<Event<'job.attempted'>> = {}): QueueEvent => ({
  type: 'job.attempted',
  job: JOB,
  item: '7',
  changes: [],
  own: {},
  ...change,
});
const wrote = (field: string, change: Partial<Event<'job.attempted'>> = {}) =>
  attempted({ changes: [{ field, before: 'a', after: 'b' }], ...change });
const delivered = (change: Partial<Event<'job.delivered'>> = {}): QueueEvent => ({
  type: 'job.delivered',
  job: JOB,
  upTo: 1e6,
  result: 'written',
  item: '7',
  ...change,
});
const deferred = (job: JobName, change: Partial<Event<'job.deferred'>> = {}): QueueEvent => ({
  type: 'job.deferred',
  job,
  upTo: 1e6,
  reason: 'missing',
  detail: 'not in Plex yet',
  attempt: 1,
  waitMs: 60_000,
  ...change,
});

/** Folds the events at positions 100, 200, 300, … one second apart. */
function fold(...events: readonly QueueEvent[]): Queue {
  const store = createQueue();
  events.forEach((event, index) => {
    store.send({ ...event, position: (index + 1) * 100, moment: moment(index * 1_000) } as never);
  });
  return store.getSnapshot().context;
}
/** But for how much was queued when it was fetched: see "whoever fetched a scene before". */
function knownAfter(...events: readonly QueueEvent[]) {
  const known = fold(...events).known.get(JOB);
  if (known === undefined) return undefined;
  const { upTo: _, ...rest } = known;
  return rest;
}

describe('what is spared', () => {
  const spare = (spares: NonNullable<Event<'job.attempted'>['spares']>) => attempted({ by: 'lock', spares });

  test('is nothing, and not even said, until somebody says so', () => {
    expect(knownAfter(attempted())).toEqual({ item: '7', own: {} });
    expect(knownAfter(attempted({ spares: {} }))).toEqual({ item: '7', own: {} });
  });

  test('adds up over attempts, the later word on a field winning', () => {
    expect(
      knownAfter(spare({ title: 'd1', genre: null }), spare({ title: null, studio: 'd2' }))?.spared,
    ).toEqual({ title: null, genre: null, studio: 'd2' });
  });

  test('is so no longer when somebody says that', () => {
    expect(knownAfter(spare({ title: 'd1', genre: null }), spare({ title: false }))?.spared).toEqual({
      genre: null,
    });
  });

  test('is so no longer when a delivery changes it, and only that field', () => {
    expect(knownAfter(spare({ title: 'd1', genre: null }), wrote('title'))?.spared).toEqual({ genre: null });
    expect(knownAfter(spare({ title: 'd1' }), wrote('title'))?.spared).toEqual({});
  });

  test('stays so when a person changes it: that is what sparing is for', () => {
    for (const by of ['undo', 'lock', 'unlock'] as const) {
      expect(knownAfter(spare({ title: 'd1' }), wrote('title', { by }))?.spared).toEqual({ title: 'd1' });
    }
  });

  test('is of the scene, and of no other', () => {
    const { known } = fold(spare({ title: null }), { ...attempted(), job: 'scene:13' } as QueueEvent);
    expect(known.get('scene:13')).toEqual({ item: '7', own: {} });
  });
});

describe('the day that we wrote', () => {
  const day = (after: string | null, by?: 'undo') =>
    attempted({ changes: [{ field: 'originallyAvailableAt', before: null, after }], ...(by && { by }) });

  test('is nothing, and not even said, until one is written', () => {
    expect(knownAfter(wrote('title'))).toEqual({ item: '7', own: {} });
  });

  test('is the last one, whatever is written and delivered of other fields since', () => {
    const known = knownAfter(day('2024-05-06'), day('2025-01-01'), wrote('title'), delivered());
    expect(known?.ownDate).toBe('2025-01-01');
  });

  test('is none of ours once it was emptied, or a person undid it', () => {
    expect(knownAfter(day('2024-05-06'), day(null))?.ownDate).toBeNull();
    expect(knownAfter(day('2024-05-06'), day('2019-01-01', 'undo'))?.ownDate).toBeNull();
  });
});

describe('what was written and not yet seen', () => {
  test('is named by its digest until an attempt ended as it should, however many others did not', () => {
    const written = attempted({ digest: 'new' });
    expect(knownAfter(written)).toMatchObject({ unseen: 'new' });
    expect(knownAfter(written, deferred(JOB, { reason: 'incomplete' }))).toMatchObject({ unseen: 'new' });
    expect(knownAfter(written, attempted({ digest: 'newer' }))).toMatchObject({ unseen: 'newer' });
    expect(knownAfter(written, delivered())).toStrictEqual({ item: '7', own: {} });
  });

  test('is not a matter of what a person turned back, nor of records from before digests were written', () => {
    expect(knownAfter(attempted({ digest: 'new', by: 'undo' }))).toStrictEqual({ item: '7', own: {} });
    expect(knownAfter(attempted())).toStrictEqual({ item: '7', own: {} });
    expect(knownAfter(attempted({ digest: 'new' }), attempted({ by: 'undo' }))).toMatchObject({
      unseen: 'new',
    });
  });

  test('stays where a delivery says nothing of an item', () => {
    const { item: _, ...withheld } = delivered({ result: 'withheld' }) as Event<'job.delivered'>;
    expect(knownAfter(attempted({ digest: 'new' }), withheld)).toMatchObject({ unseen: 'new' });
  });
});

describe('whoever fetched a scene before another did, or a person turned it back', () => {
  const mine = { own: { genre: ['newer'] }, item: '8' };
  const late = { own: { genre: ['older'] }, item: '7', digest: 'older' };

  test.each<[string, readonly QueueEvent[]]>([
    ['delivered', [delivered({ ...mine, upTo: 250 })]],
    ['attempted', [attempted({ ...mine, upTo: 250 })]],
    ['was undone', [attempted({ ...mine, by: 'undo' }), { type: 'job.restored', job: JOB, ...mine }]],
    ['is being undone', [attempted({ ...mine, by: 'undo' })]],
  ])('has nothing to say of what is known once that %s', (_, newer) => {
    expect(knownAfter(...newer, delivered({ ...late, upTo: 50 }))).toMatchObject(mine);
    expect(knownAfter(...newer, attempted({ ...late, upTo: 50 }))).toMatchObject(mine);
    expect(knownAfter(...newer, delivered({ ...late, upTo: 250 }))).toMatchObject(late);
  });

  test('is heard where it cannot be told: of records from before it was written down', () => {
    expect(knownAfter(delivered({ ...mine, upTo: 250 }), attempted(late))).toMatchObject({ item: '7' });
  });
});

describe('what is known of a scene', () => {
  const cover = { sha1: 'c', validator: 'v', shown: { thumb: '/t' } };

  test('is what its delivery said, each part until a later one says another', () => {
    const first = delivered({ own: { genre: ['a'] }, cover, digest: 'd1' });
    expect(knownAfter(first)).toEqual({ item: '7', own: { genre: ['a'] }, cover, digest: 'd1' });
    expect(knownAfter(first, delivered({ item: '8' }))).toEqual({
      item: '8',
      own: { genre: ['a'] },
      cover,
      digest: 'd1',
    });
    const other = { ...cover, sha1: 'other' };
    expect(knownAfter(first, delivered({ own: {}, cover: other, digest: 'd2' }))).toEqual({
      item: '7',
      own: {},
      cover: other,
      digest: 'd2',
    });
  });

  test('has no part that no delivery named', () => {
    expect(knownAfter(delivered())).toEqual({ item: '7', own: {} });
  });

  test('stays when a delivery names no item', () => {
    const { item: _, ...nameless } = delivered() as Event<'job.delivered'>;
    expect(knownAfter(delivered({ digest: 'd' }), { ...nameless, result: 'withheld' })).toMatchObject({
      item: '7',
      digest: 'd',
    });
    expect(knownAfter(nameless)).toBe(undefined);
  });

  test('keeps its spared fields and digest over a restoration, which names item and tags', () => {
    const restored: QueueEvent = { type: 'job.restored', job: JOB, item: '9', own: { genre: ['b'] } };
    const before = [delivered({ digest: 'd' }), attempted({ spares: { title: null } })];
    expect(knownAfter(...before, restored)).toEqual({
      item: '9',
      own: { genre: ['b'] },
      digest: 'd',
      spared: { title: null },
    });
  });

  test('and a restoration settles no job', () => {
    const queue = fold(queued(), { type: 'job.restored', job: JOB, item: '9', own: {} });
    expect(queue.jobs.get(JOB)?.state).toBe('pending');
  });
});

describe('a job that a person dropped', () => {
  const dropped = (upTo: number): QueueEvent => ({ type: 'job.dropped', job: JOB, upTo, reason: 'r' });

  test('is gone, and is no delivery', () => {
    const { jobs, counts } = fold(queued(), dropped(101));
    expect(jobs.size).toBe(0);
    expect(counts).toMatchObject({ pending: 0, delivered: 0 });
  });

  test('is pending again by a newer change', () => {
    expect(fold(queued(), queued(), dropped(101)).jobs.get(JOB)).toMatchObject({
      state: 'pending',
      since: 200,
    });
  });
});

describe('settings', () => {
  const noted = (value: unknown) => ({ value, origin: 'stash' });
  const changed = (settings: Event<'settings.changed'>['settings']): QueueEvent => ({
    type: 'settings.changed',
    settings,
  });

  test('are those that are not at their defaults: each as last said, until it is at its default again', () => {
    const queue = fold(
      changed({ a: noted(1), b: noted(2) }),
      changed({ b: noted(3), c: noted(4) }),
      changed({ a: null, d: null }),
    );
    expect(queue.settings).toEqual({ b: noted(3), c: noted(4) });
  });
});

test('a reconciliation is part of it, and moves no job', () => {
  const scope = { since: null, newSince: null, depth: 'plex', isMissingOnly: false, libraries: [] } as const;
  const queue = fold(queued(), { type: 'reconcile.requested', scope, cause: 'task' });
  expect(queue.reconciliation).toMatchObject({ state: 'running', scope, startedAt: START_AT + 1_000 });
  expect(queue.jobs.size).toBe(1);
});

test('it has begun with its first job, and not anew with a later one', () => {
  expect(fold().begunAt).toBe(0);
  expect(fold(attempted(), queued(), queued('scene:13')).begunAt).toBe(START_AT + 1_000);
});

test('a deferral keeps where Plex had looked, and another without that forgets it', () => {
  const job = (...events: QueueEvent[]) => fold(queued(), ...events).jobs.get(JOB);
  expect(job(deferred(JOB, { scan: 's1' }))).toMatchObject({ scan: 's1', deferredFor: 'missing' });
  expect(job(deferred(JOB, { scan: 's1' }), deferred(JOB, { reason: 'transient' }))).not.toHaveProperty(
    'scan',
  );
});

describe('jobs whose item may be there now', () => {
  const waiting = () =>
    fold(
      ...(['scene:1', 'scene:2', 'scene:3', 'scene:4', 'scene:5'] as const).map((job) => queued(job)),
      deferred('scene:1', { scan: 'old' }),
      deferred('scene:2', { scan: 'old' }),
      deferred('scene:3', { scan: 'new' }),
      deferred('scene:4'),
    );
  const names = (queue: Queue, limit: number) => jobsSeen(queue, 'new', limit).map(({ job }) => job);

  test('are those that wait since an older look at the libraries, whatever their wait', () => {
    expect(names(waiting(), 9)).toEqual(['scene:1', 'scene:2']);
  });

  test('are never more than asked for', () => {
    expect(names(waiting(), 1)).toEqual(['scene:1']);
    expect(names(waiting(), 0)).toEqual([]);
  });
});

describe('jobs that are due', () => {
  const job = (id: number): JobName => `scene:${id}`;
  const ids = [1, 2, 3, 4, 5, 6];
  /** The first three wait, and their waits are over at once. */
  const half = () =>
    fold(...ids.map((id) => queued(job(id))), ...[1, 2, 3].map((id) => deferred(job(id), { waitMs: 0 })));
  const due = (queue: Queue, limit: number) => dueJobs(queue, moment(1e6), limit).map((one) => one.job);

  test('are never more than asked for, and those that never failed come first', () => {
    expect(due(half(), 0)).toEqual([]);
    expect(due(half(), 2)).toEqual(['scene:4', 'scene:5']);
    expect(due(half(), 4)).toEqual(['scene:4', 'scene:5', 'scene:6', 'scene:1']);
    expect(due(half(), 6)).toEqual([4, 5, 6, 1, 2, 3].map(job));
    expect(due(half(), 99)).toEqual([4, 5, 6, 1, 2, 3].map(job));
  });

  test('of those that failed, the longest queued come first', () => {
    const all = fold(
      ...ids.map((id) => queued(job(id))),
      ...ids.map((id) => deferred(job(id), { waitMs: 0 })),
    );
    expect(due(all, 2)).toEqual(['scene:1', 'scene:2']);
  });
});

test('in the order of delivery the one that waits longest is first', () => {
  const jobs = [...fold(queued('scene:2'), queued('scene:1')).jobs.values()].reverse();
  expect(jobs.sort(DELIVERY_ORDER).map(({ job }) => job)).toEqual(['scene:2', 'scene:1']);
});

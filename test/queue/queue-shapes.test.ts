// What a queue record must look like to be heard, part by part: a part that no check watches could be a job that is
// never due, or a name that nobody can read.
import { describe, expect, test } from 'vitest';
import { MAX_WAIT_MS } from '../../src/breaker/journal/shape.ts';
import { LIBRARY_JOB, type QueueEvent } from '../../src/queue/events.ts';
import { isQueueEvent } from '../../src/queue/queue-shapes.ts';
import { withEach, withoutEach } from '../support/spoilt.ts';

const outcome = { job: 'scene:1', upTo: 900 };
const cover = { sha1: 'c', validator: 'v', shown: { thumb: '/t' } };
const moment = { at: 1, mono: 2, boot: 'b' };
const scope = { since: 5, newSince: 6, depth: 'plex', isMissingOnly: false, libraries: ['Scenes'] };
const gaps = {
  kinds: { changed: 1 },
  fields: { title: 1 },
  libraries: { Scenes: 1 },
  skipped: { waiting: 1 },
};
const run = { scope, cause: 'task', startedAt: 1, checked: 2, gaps };
const queued = { since: 1, newest: 2, queuedAt: 3, causes: ['c'], attempts: 1, deferredFor: 'missing' };
const whole = {
  counts: { pending: 1, deferred: 1, dead: 1, delivered: 4, deliveredAt: 5 },
  reconciliation: {
    state: 'running',
    wholeAt: 1,
    last: { ...run, endedAt: 9, result: 'done' },
    ...run,
    cursor: 3,
    left: 4,
  },
  settings: { 'plex.url': { value: 'x', origin: 'stash' } },
  begunAt: 1,
  looked: { upTo: 3, begin: 2 },
};
const job = (id: number, more: object) => [`scene:${id}`, { ...queued, job: `scene:${id}`, ...more }];

type Row = readonly [data: object, optional?: readonly string[], anything?: readonly string[]];
/** Each with all that it may have, the parts that it may do without, and those that may be anything. */
const SOUND: Readonly<Record<QueueEvent['type'], Row>> = {
  'job.queued': [{ job: 'scene:1', cause: 'change', changedAt: 5 }, ['changedAt']],
  'job.attempted': [
    {
      job: 'scene:1',
      item: '7',
      changes: [{ field: 'genre', before: ['a'], after: 'b', isCut: true }],
      own: { genre: ['a'] },
      by: 'undo',
      spares: { title: 'digest' },
    },
    ['changes.0.isCut', 'own.genre', 'by', 'spares', 'spares.title'],
  ],
  'job.restored': [
    { job: 'scene:1', item: '7', own: { genre: ['a'] }, notes: ['n'] },
    ['own.genre', 'notes'],
  ],
  'job.delivered': [
    {
      ...outcome,
      result: 'written',
      item: '7',
      own: { genre: ['a'] },
      cover,
      digest: 'd',
      files: 'f',
      notes: ['n'],
    },
    ['item', 'own', 'own.genre', 'cover', 'cover.shown.thumb', 'digest', 'files', 'notes'],
  ],
  'job.deferred': [
    { ...outcome, reason: 'missing', detail: 'd', attempt: 1, waitMs: 60_000, scan: 's' },
    ['scan'],
  ],
  'job.deadLettered': [{ ...outcome, reason: 'rejected', detail: 'd' }],
  'job.dropped': [{ ...outcome, reason: 'r' }],
  'reconcile.requested': [{ scope, cause: 'task' }],
  'reconcile.advanced': [
    { cursor: 100, checked: 100, left: 3, gaps },
    [
      'gaps.kinds.changed',
      'gaps.fields.title',
      'gaps.libraries.Scenes',
      'gaps.skipped',
      'gaps.skipped.waiting',
    ],
  ],
  'reconcile.finished': [{ result: 'done' }],
  'stash.looked': [{ upTo: 9, begin: 5 }, ['begin']],
  'settings.changed': [
    { settings: { 'plex.url': { value: 'x', origin: 'stash' } } },
    ['settings.plex.url', 'settings.plex.url.value'],
    ['settings.plex.url.value'],
  ],
  'queue.compacted': [
    {
      whole,
      jobs: [
        job(1, {
          state: 'deferred',
          reason: 'missing',
          detail: 'd',
          due: { from: moment, waitMs: 9 },
          scan: 's',
        }),
        job(2, { state: 'dead', reason: 'rejected', detail: 'd', at: 9 }),
        job(3, { state: 'pending' }),
      ],
      known: [
        [
          'scene:4',
          {
            item: '7',
            own: { genre: ['a'] },
            ownDate: '2024-05-06',
            cover,
            digest: 'd',
            files: 'f',
            spared: { title: 'd' },
          },
        ],
      ],
      seen: [['scene:5', 9]],
    },
    [
      'whole',
      'whole.looked',
      'whole.reconciliation.last.gaps.kinds.changed',
      'whole.reconciliation.last.gaps.fields.title',
      'whole.reconciliation.last.gaps.libraries.Scenes',
      'whole.reconciliation.last.gaps.skipped',
      'whole.reconciliation.last.gaps.skipped.waiting',
      'whole.reconciliation.gaps.kinds.changed',
      'whole.reconciliation.gaps.fields.title',
      'whole.reconciliation.gaps.libraries.Scenes',
      'whole.reconciliation.gaps.skipped',
      'whole.reconciliation.gaps.skipped.waiting',
      'whole.settings.plex.url',
      'whole.settings.plex.url.value',
      'jobs',
      'jobs.0.1.scan',
      'known',
      'known.0.1.own.genre',
      'known.0.1.ownDate',
      'known.0.1.cover',
      'known.0.1.cover.shown.thumb',
      'known.0.1.digest',
      'known.0.1.files',
      'seen',
      'known.0.1.spared',
      'known.0.1.spared.title',
    ],
    ['whole.settings.plex.url.value'],
  ],
};
const TYPES = Object.keys(SOUND) as QueueEvent['type'][];
const soundOf = (type: QueueEvent['type']) => SOUND[type][0] as Readonly<Record<string, unknown>>;
const isHeard = (type: string, data: object) => isQueueEvent(type, { ...data });

describe.each(TYPES)('%s', (type) => {
  const [data, optional = [], anything = []] = SOUND[type];

  test('is heard as it should be', () => {
    expect(isHeard(type, data)).toBe(true);
  });

  test('is heard without exactly those parts that it may lack', () => {
    const lacking = withoutEach(data).filter(({ document }) => isHeard(type, document));
    expect(lacking.map(({ part }) => part).sort()).toEqual([...optional].sort());
  });

  test('is not heard with any part of another kind', () => {
    const heard = withEach(data, Symbol('none')).filter(({ document }) => isHeard(type, document));
    expect(heard.map(({ part }) => part)).toEqual(anything);
  });
});

test('a type that nobody knows is not heard', () => {
  expect(isHeard('job.pondered', {})).toBe(false);
  expect(isHeard('constructor', {})).toBe(false);
});

describe('a job is named', () => {
  test.each(['scene:1', 'tag:20', 'performer:3', 'studio:4', 'group:9999999999999999', LIBRARY_JOB])(
    '%s',
    (name) => {
      expect(isHeard('job.queued', { job: name, cause: 'c' })).toBe(true);
    },
  );

  test.each([
    'scene:0',
    'scene:01',
    'scene:-1',
    'scene:1 ',
    ' scene:1',
    'scene:1x',
    'scene:',
    'scene:99999999999999999',
    'library:other',
    'library:shared:1',
    'my-library:shared',
    'gallery:1',
    '',
    1,
  ])('never %j', (name) => {
    expect(isHeard('job.queued', { job: name, cause: 'c' })).toBe(false);
  });
});

describe('words are of closed lists', () => {
  test.each<[QueueEvent['type'], string, readonly unknown[], readonly unknown[]]>([
    ['job.attempted', 'by', ['undo', 'unlock', 'lock', undefined], ['', 'redo']],
    ['job.delivered', 'result', ['written', 'unchanged', 'withheld', 'gone', 'expanded'], ['', 'lost']],
    ['reconcile.finished', 'result', ['done', 'cancelled'], ['', 'failed']],
  ])('%s, %s', (type, part, known, unknown) => {
    const heard = [...known, ...unknown].filter((word) => isHeard(type, { ...soundOf(type), [part]: word }));
    expect(heard).toEqual(known);
  });

  test('the depth and reach of a reconciliation', () => {
    const isScope = (change: object) =>
      isHeard('reconcile.requested', { cause: 'c', scope: { ...scope, ...change } });
    const depths = ['stash', 'plex', '', 'all'].filter((depth) => isScope({ depth }));
    expect(depths).toEqual(['stash', 'plex']);
    const flags = [true, false, 1, null].filter((isMissingOnly) => isScope({ isMissingOnly }));
    expect(flags).toEqual([true, false]);
  });
});

describe('values', () => {
  const attempted = (change: object) => isHeard('job.attempted', { ...soundOf('job.attempted'), ...change });

  test.each([null, 'x', ['x', 'y'], []])('%j may have been in a field, or be there now', (value) => {
    expect(attempted({ changes: [{ field: 'genre', before: value, after: 'x' }] })).toBe(true);
    expect(attempted({ changes: [{ field: 'genre', before: 'x', after: value }] })).toBe(true);
  });

  test.each([7, false, {}, [7], [['x']]])('%j may not', (value) => {
    expect(attempted({ changes: [{ field: 'genre', before: value, after: 'x' }] })).toBe(false);
    expect(attempted({ changes: [{ field: 'genre', before: 'x', after: value }] })).toBe(false);
  });

  test('a change is cut or says nothing of it', () => {
    expect(attempted({ changes: [{ field: 'f', before: 'x', after: 'y', isCut: false }] })).toBe(false);
  });

  test.each([null, false, 'digest'])('what is spared is so until %j', (until) => {
    expect(attempted({ spares: { title: until } })).toBe(true);
  });

  test.each([true, 7, []])('and not until %j', (until) => {
    expect(attempted({ spares: { title: until } })).toBe(false);
  });

  test('a setting is noted with its origin, or is the default again', () => {
    const changed = (noted: unknown) => isHeard('settings.changed', { settings: { 'plex.url': noted } });
    expect(changed(null)).toBe(true);
    expect(changed({ value: null, origin: 'file' })).toBe(true);
    expect(changed({ value: 'x' })).toBe(false);
    expect(changed('x')).toBe(false);
  });

  test('a wait is one that is believed', () => {
    const deferred = (waitMs: unknown) => isHeard('job.deferred', { ...soundOf('job.deferred'), waitMs });
    expect([0, MAX_WAIT_MS, MAX_WAIT_MS + 1, -1, Number.NaN].map(deferred)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});

describe('an image', () => {
  const compacted = (parts: object) => isHeard('queue.compacted', parts);
  const reconciliation = (told: unknown) => compacted({ whole: { ...whole, reconciliation: told } });

  test('tells of a reconciliation that is idle, or of one that runs with all that it needs', () => {
    expect(reconciliation({ state: 'idle', last: null, wholeAt: 0 })).toBe(true);
    expect(reconciliation({ ...whole.reconciliation, last: null, left: null })).toBe(true);
    expect(reconciliation({ state: 'running', last: null, wholeAt: 0 })).toBe(false);
    expect(reconciliation({ state: 'paused', last: null, wholeAt: 0 })).toBe(false);
    expect(reconciliation({ state: 'idle', last: {}, wholeAt: 0 })).toBe(false);
    expect(reconciliation(null)).toBe(false);
  });

  test('tells of one that ended how it did', () => {
    const ended = (result: string) =>
      reconciliation({ state: 'idle', wholeAt: 0, last: { ...run, endedAt: 1, result } });
    expect(['done', 'cancelled', 'lost'].map(ended)).toEqual([true, true, false]);
  });

  test('holds no job of a state that nobody knows', () => {
    for (const state of ['waiting', 'constructor', '', null, ['pending']]) {
      expect(compacted({ jobs: [job(1, { state })] }), String(state)).toBe(false);
    }
    expect(compacted({ jobs: [['scene:1', null]] })).toBe(false);
  });

  test('holds a job that was never deferred, and parts that are spared for good', () => {
    expect(compacted({ jobs: [job(1, { state: 'pending', deferredFor: null })] })).toBe(true);
    expect(compacted({ known: [['scene:4', { item: '7', own: {}, spared: { title: null } }]] })).toBe(true);
  });

  test('is of pairs, each of a name and what it names', () => {
    const sound = job(1, { state: 'pending' });
    expect(compacted({ jobs: [[...sound, 'more']] })).toBe(false);
    expect(compacted({ jobs: [sound.slice(0, 1)] })).toBe(false);
    expect(compacted({ jobs: [['scene:0', sound[1]]] })).toBe(false);
    expect(compacted({ jobs: [{ 0: sound[0], 1: sound[1], length: 2 }] })).toBe(false);
  });
});

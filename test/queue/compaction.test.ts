// Dropping old segments of the queue: what they came to stays, to the last position, for every reader and after any crash.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FileJournal } from '../../src/breaker/journal/file-journal.ts';
import { FileSegments } from '../../src/breaker/journal/file-segments.ts';
import type { Journal, Segments } from '../../src/breaker/journal/journal.ts';
import { MemoryJournal } from '../../src/breaker/journal/memory-journal.ts';
import { makeRecord } from '../../src/breaker/journal/writer.ts';
import { compactedEvents, restored } from '../../src/queue/compacted.ts';
import { compactQueue, type QueueRetention } from '../../src/queue/compaction.ts';
import type { JobName, QueueEvent } from '../../src/queue/events.ts';
import { createQueue, type Queue } from '../../src/queue/queue.ts';
import { QueueLog } from '../../src/queue/queue-log.ts';
import { recordOf } from '../breaker/journal/conformance.ts';
import { FakeClock, fakeWriter } from '../support/fake-writer.ts';
import { interleave } from '../support/interleave.ts';
import { Killed, MemoryDisk } from '../support/memory-disk.ts';
import { PROPERTY_RUNS } from '../support/property-runs.ts';

const clock = new FakeClock();
const writer = fakeWriter(clock);
const DROP_ALL: QueueRetention = { keepMs: 0, maxBytes: 0 };
const DAY_MS = 86_400_000;

/** As plain data: maps and all. */
const plain = ({ jobs, known, ...rest }: Queue) => ({ jobs: [...jobs], known: [...known], ...rest });
const folded = async (journal: Journal) => plain((await QueueLog.open(journal, writer)).queue);

const names = fc.integer({ min: 1, max: 5 }).map((id): JobName => `scene:${id}`);
type Step =
  | { readonly kind: 'event'; readonly event: (upTo: number) => QueueEvent }
  | { readonly kind: 'seal' }
  | { readonly kind: 'drop' };
const event = (make: (job: JobName, upTo: number) => QueueEvent): fc.Arbitrary<Step> =>
  names.map((job) => ({ kind: 'event', event: (upTo) => make(job, upTo) }));
const steps: fc.Arbitrary<Step> = fc.oneof(
  event((job) => ({ type: 'job.queued', job, cause: 'Scene.Update.Post' })),
  event((job, upTo) => ({ type: 'job.delivered', job, upTo, result: 'written', item: '7', digest: 'd' })),
  event((job, upTo) => ({
    type: 'job.deferred',
    job,
    upTo,
    reason: 'missing',
    detail: 'not there',
    attempt: 1,
    waitMs: 500,
  })),
  event((job, upTo) => ({ type: 'job.deadLettered', job, upTo, reason: 'rejected', detail: 'no' })),
  event((job) => ({ type: 'job.attempted', job, item: '7', changes: [], own: { genre: ['x'] } })),
  fc.constant<Step>({
    kind: 'event',
    event: () => ({
      type: 'reconcile.requested',
      cause: 'task',
      scope: { since: null, newSince: null, depth: 'plex', isMissingOnly: false, libraries: [] },
    }),
  }),
  fc.constant<Step>({ kind: 'seal' }),
  fc.constant<Step>({ kind: 'drop' }),
);

test('whatever was sealed and dropped on the way, the queue is what it would be without', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { maxLength: 60 }), fc.boolean(), async (history, isChecked) => {
      const journal = new MemoryJournal();
      const live = await QueueLog.open(journal, writer);
      const control = createQueue();
      let drops = 0;
      for (const step of history) {
        if (step.kind === 'seal') await journal.seal('queue', recordOf(0));
        if (step.kind === 'drop' && (await compactQueue(journal, journal, writer, DROP_ALL))) drops += 1;
        if (step.kind !== 'event') continue;
        const position = await journal.size('queue');
        const happened = step.event(live.position);
        await live.append(happened);
        // The fold of the same events without a journal between.
        control.send({ ...happened, position: position + 1, moment: clock.now() } as never);
      }
      await live.refresh();
      expect(plain(live.queue)).toEqual(plain(control.getSnapshot().context));
      expect(await folded(journal)).toEqual(plain(live.queue));
      if (!isChecked || drops === 0) return;
      // A checkpoint is still nothing but a saving of time.
      const checkpoint = JSON.parse(JSON.stringify(live.checkpoint()));
      expect(plain((await QueueLog.open(journal, writer, checkpoint)).queue)).toEqual(plain(live.queue));
    }),
    PROPERTY_RUNS,
  );
});

test('a checkpoint of before the drop is not trusted, and nothing is lost by that', async () => {
  const { journal, segments } = onDisk();
  await filled(journal, segments, 6, 2);
  const early = await QueueLog.open(journal, writer);
  const checkpoint = early.checkpoint();
  await journal.append('queue', [queuedRecord(7)]);
  await segments.seal('queue', recordOf(0));
  await journal.append('queue', [queuedRecord(8)]);
  expect(await compactQueue(journal, segments, writer, DROP_ALL)).toBe(true);
  const reopened = await QueueLog.open(journal, writer, checkpoint);
  expect(plain(reopened.queue)).toEqual(await folded(journal));
  expect(reopened.queue.counts.pending).toBe(8);
});

test('a reader that lags behind what is dropped forgets what it had', async () => {
  const { disk, journal, segments } = onDisk();
  await filled(journal, segments, 4, 2);
  const lagging = await QueueLog.open(onDisk(disk).journal, writer);
  const busy = await QueueLog.open(journal, writer);
  // In a segment that is dropped before the one that lags has come to it.
  await segments.seal('queue', recordOf(0));
  const delivered = { type: 'job.delivered', upTo: busy.position, result: 'written' } as const;
  await busy.appendOrThrow({ ...delivered, job: 'scene:1' }, { ...delivered, job: 'scene:2' });
  for (let n = 0; n < 2; n++) {
    await segments.seal('queue', recordOf(0));
    await busy.appendOrThrow({ type: 'job.queued', job: 'scene:9', cause: 'Scene.Update.Post' });
  }
  expect(await compactQueue(journal, segments, writer, DROP_ALL)).toBe(true);
  await lagging.refresh();
  expect([...lagging.queue.jobs.keys()].sort()).toEqual(['scene:3', 'scene:4', 'scene:9']);
  expect(plain(lagging.queue)).toEqual(await folded(journal));
});

const queuedRecord = (id: number) =>
  makeRecord(writer, 'job.queued', { job: `scene:${id}`, cause: 'Scene.Update.Post' });

function onDisk(disk = new MemoryDisk()) {
  const journal = new FileJournal('/data', disk.process());
  return { disk, journal, segments: new FileSegments('/data', disk.process()) };
}

/** The same port with nothing else to it, so that a part can be replaced. */
const portOf = (segments: Segments): Segments => ({
  list: (stream) => segments.list(stream),
  newestBytes: (stream) => segments.newestBytes(stream),
  imageBytes: (stream) => segments.imageBytes(stream),
  pieces: (stream, index) => segments.pieces(stream, index),
  seal: (stream, occasion) => segments.seal(stream, occasion),
  dropBefore: (stream, index, image) => segments.dropBefore(stream, index, image),
});

/** One job each, with a seal behind every `per`-th. */
async function filled(journal: FileJournal, segments: FileSegments, count: number, per: number) {
  for (let n = 1; n <= count; n++) {
    await journal.append('queue', [queuedRecord(n)]);
    if (n % per === 0 && n < count) await segments.seal('queue', makeRecord(writer, 'occasion', {}));
  }
}

describe('retention', () => {
  const kept = async (segments: FileSegments) => (await segments.list('queue')).map(({ index }) => index);

  test('keeps a segment for its time after the seal, and not a moment longer', async () => {
    const { journal, segments } = onDisk();
    await filled(journal, segments, 6, 2);
    const retention = { keepMs: 90 * DAY_MS, maxBytes: 1e9 };
    clock.advance(90 * DAY_MS - 1);
    expect(await compactQueue(journal, segments, writer, retention)).toBe(false);
    expect(await kept(segments)).toEqual([0, 1, 2]);
    clock.advance(1);
    expect(await compactQueue(journal, segments, writer, retention)).toBe(true);
    expect(await kept(segments)).toEqual([2]);
    expect((await QueueLog.open(journal, writer)).queue.counts.pending).toBe(6);
  });

  test('over the size the oldest go before their time, and the newest never', async () => {
    const { journal, segments } = onDisk();
    await filled(journal, segments, 8, 2);
    const sizes = (await segments.list('queue')).map(({ bytes }) => bytes);
    const total = sizes.reduce((sum, bytes) => sum + bytes, 0);
    const retention = { keepMs: 90 * DAY_MS, maxBytes: total };
    expect(await compactQueue(journal, segments, writer, retention)).toBe(false);
    expect(await compactQueue(journal, segments, writer, { ...retention, maxBytes: total - 1 })).toBe(true);
    expect(await kept(segments)).toEqual([1, 2, 3]);
  });

  test('an image is not written anew for less than it takes itself', async () => {
    const { journal, segments } = onDisk();
    await filled(journal, segments, 40, 20);
    expect(await compactQueue(journal, segments, writer, DROP_ALL)).toBe(true);
    await segments.seal('queue', recordOf(0));
    await journal.append('queue', [queuedRecord(41)]);
    expect(await compactQueue(journal, segments, writer, DROP_ALL)).toBe(true);
    await segments.seal('queue', recordOf(0));
    await journal.append('queue', [queuedRecord(42)]);
    const before = await kept(segments);
    expect(await compactQueue(journal, segments, writer, DROP_ALL)).toBe(false);
    expect(await kept(segments)).toEqual(before);
  });
});

describe('nothing is dropped', () => {
  test('of a stream that nobody wrote, or that was never sealed', async () => {
    const { journal, segments } = onDisk();
    expect(await compactQueue(journal, segments, writer, DROP_ALL)).toBe(false);
    await journal.append('queue', [queuedRecord(1)]);
    expect(await compactQueue(journal, segments, writer, DROP_ALL)).toBe(false);
  });

  test('when the folder refuses it', async () => {
    const { journal, segments } = onDisk();
    await filled(journal, segments, 4, 2);
    const failure = { kind: 'full', detail: 'no room' } as const;
    const full: Segments = { ...portOf(segments), dropBefore: async () => ({ ok: false, failure }) };
    expect(await compactQueue(journal, full, writer, DROP_ALL)).toBe(false);
  });

  test('when somebody else dropped it first, whatever is left of it to be read', async () => {
    const { disk, journal, segments } = onDisk();
    await filled(journal, segments, 6, 2);
    const seen = await segments.list('queue');
    // All that is listed, and not a byte of it any more: another sweep came between, and then the folder went.
    const gone = new FileJournal('/data', new MemoryDisk().process());
    const late: Segments = {
      ...portOf(segments),
      list: async () => seen,
      dropBefore: () => Promise.reject(new Error('an image of less than there was')),
    };
    expect(await compactQueue(gone, late, writer, DROP_ALL)).toBe(false);
    // Or a reader is led past the end of what it wanted to fold.
    expect(await compactQueue(journal, segments, writer, DROP_ALL)).toBe(true);
    const early = seen.slice(0, 2);
    const behind: Segments = { ...late, list: async () => early, imageBytes: async () => 0 };
    expect(await compactQueue(onDisk(disk).journal, behind, writer, DROP_ALL)).toBe(false);
  });
});

test('damage and records of unknown types in what is dropped are stepped over', async () => {
  const journal = new MemoryJournal();
  await journal.append('queue', [queuedRecord(1), makeRecord(writer, 'job.pondered', {})]);
  journal.appendBytes('queue', Buffer.from('\ngarbage\n'));
  await journal.append('queue', [queuedRecord(2)]);
  await journal.seal('queue', recordOf(0));
  expect(await compactQueue(journal, journal, writer, DROP_ALL)).toBe(true);
  expect((await folded(journal)).jobs.map(([name]) => name)).toEqual(['scene:1', 'scene:2']);
});

test('a segment that does not say when it was sealed is not old, and goes for room alone', async () => {
  const { journal, segments } = onDisk();
  await filled(journal, segments, 4, 2);
  const undated: Segments = {
    ...portOf(segments),
    list: async (stream) => (await segments.list(stream)).map((one) => ({ ...one, sealedAt: null })),
  };
  const retention = { keepMs: 0, maxBytes: 1e9 };
  expect(await compactQueue(journal, undated, writer, retention)).toBe(false);
  expect(await compactQueue(journal, undated, writer, DROP_ALL)).toBe(true);
});

test('an image of the very size of what it stands in for is worth writing, and a larger one is not', async () => {
  const { journal, segments } = onDisk();
  await filled(journal, segments, 4, 2);
  const { bytes } = (await segments.list('queue'))[0]!;
  const sized = (size: number): Segments => ({ ...portOf(segments), imageBytes: async () => size });
  expect(await compactQueue(journal, sized(bytes + 1), writer, DROP_ALL)).toBe(false);
  expect(await compactQueue(journal, sized(bytes), writer, DROP_ALL)).toBe(true);
});

test('an image of nothing is one record', () => {
  expect([...compactedEvents(createQueue().getSnapshot().context)]).toHaveLength(1);
});

test('an image is cut into parts far below the longest line, and comes back as it was', () => {
  const store = createQueue();
  for (let id = 1; id <= 3_000; id++) {
    const placed = { position: id * 10, moment: clock.now() };
    store.send({ type: 'job.queued', job: `scene:${id}`, cause: 'x'.repeat(60), ...placed });
    store.send({ type: 'job.attempted', job: `scene:${id}`, item: '1', changes: [], own: {}, ...placed });
  }
  const queue = store.getSnapshot().context;
  const events = [...compactedEvents(queue)];
  expect(events.length).toBeGreaterThan(10);
  for (const one of events) expect(JSON.stringify(one).length).toBeLessThan(64 * 1024);
  const through = events.map((one) => JSON.parse(JSON.stringify(one)) as typeof one);
  expect(plain(through.reduce(restored, createQueue().getSnapshot().context))).toEqual(plain(queue));
});

test.each([
  ['a death', () => {}],
  ['a power loss', (disk: MemoryDisk) => disk.losePower(() => 0)],
  ['a power loss that tears', (disk: MemoryDisk) => disk.losePower(() => 0.5)],
  ['a power loss that comes late for names', (disk: MemoryDisk) => disk.losePower(() => 0, 'all')],
  ['a power loss that keeps removals', (disk: MemoryDisk) => disk.losePower(() => 0, 'removals')],
] as const)(
  'after %s at any call of it the queue is the same, and the next one completes it',
  async (_, crash) => {
    for (let k = 0; ; k++) {
      const { disk, journal, segments } = onDisk();
      await filled(journal, segments, 6, 2);
      const before = await folded(journal);
      let calls = 0;
      let isDead = false;
      const dying = disk.process(() => {
        if (calls++ >= k) {
          isDead = true;
          throw new Killed();
        }
      });
      await compactQueue(
        new FileJournal('/data', dying),
        new FileSegments('/data', dying),
        writer,
        DROP_ALL,
      ).catch((error: unknown) => expect(error).toBeInstanceOf(Killed));
      crash(disk);
      const after = onDisk(disk);
      expect(await folded(after.journal), `call ${k}`).toEqual(before);
      // A reader that was in the midst of it has lost nothing either.
      expect(plain((await QueueLog.open(journal, writer)).queue), `call ${k}`).toEqual(before);
      await after.journal.append('queue', [queuedRecord(7)]);
      await after.segments.seal('queue', recordOf(0));
      await after.journal.append('queue', [queuedRecord(8)]);
      await compactQueue(after.journal, after.segments, writer, DROP_ALL);
      const { counts } = (await QueueLog.open(after.journal, writer)).queue;
      expect(counts.pending, `call ${k}`).toBe(8);
      if (!isDead) break;
      expect(k).toBeLessThan(500);
    }
  },
);

test('writers, sealers, droppers and readers at once, one call at a time: no job is lost, and all read the same', async () => {
  let droppedIn = 0;
  await fc.assert(
    fc.asyncProperty(fc.nat(), async (seed) => {
      const disk = new MemoryDisk();
      const logs: QueueLog[] = [];
      const turned = (turn: () => Promise<void>) => {
        const fs = disk.process(turn);
        return { journal: new FileJournal('/data', fs), segments: new FileSegments('/data', fs) };
      };
      const write = (from: number) => async (turn: () => Promise<void>) => {
        const { journal } = turned(turn);
        for (let n = from; n < from + 4; n++) {
          expect(await journal.append('queue', [queuedRecord(n)])).toEqual({ ok: true });
        }
      };
      const keepHouse = async (turn: () => Promise<void>) => {
        const { journal, segments } = turned(turn);
        for (let n = 0; n < 3; n++) {
          await segments.seal('queue', recordOf(0));
          await compactQueue(journal, segments, writer, DROP_ALL);
        }
      };
      const read = async (turn: () => Promise<void>) => {
        const log = await QueueLog.open(turned(turn).journal, writer);
        logs.push(log);
        for (let n = 0; n < 4; n++) await log.refresh();
      };
      let isOver = false;
      await interleave(
        seed,
        [write(1), write(11), write(21), keepHouse, keepHouse, read, read].map(
          (role) => async (turn) => role(() => (isOver ? Promise.resolve() : turn())),
        ),
      );
      isOver = true;
      const { journal } = onDisk(disk);
      const final = await QueueLog.open(journal, writer);
      expect(final.queue.counts.pending).toBe(12);
      expect(final.damaged).toBe(0);
      for (const log of logs) {
        await log.refresh();
        expect(plain(log.queue)).toEqual(plain(final.queue));
      }
      droppedIn += [...disk.folder.names.keys()].some((name) => name.includes('image')) ? 1 : 0;
    }),
    { numRuns: Math.ceil(PROPERTY_RUNS.numRuns / 5) },
  );
  expect(droppedIn).toBeGreaterThan(5);
});

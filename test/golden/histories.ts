// The recorded histories: what each guards, how it came about, and what must be true of it whatever else changes. The logs
// in this folder were recorded by record.test.ts from real runs of the drainer, the hooks and the tasks of their day.

import { expect } from 'vitest';
import { DRAIN_LEASE_MS } from '../../src/breaker/drain-lease.ts';
import type { MemoryJournal } from '../../src/breaker/journal/memory-journal.ts';
import type { JournalRecord } from '../../src/breaker/journal/record.ts';
import type { Replayed } from '../../src/export/golden.ts';
import { figuresOf, historyFigures } from '../../src/outages/summary.ts';
import { createQueue } from '../../src/queue/queue.ts';
import { queueEventOf } from '../../src/queue/queue-fold.ts';
import { VirtualWorld } from '../support/virtual-world.ts';

export interface History {
  readonly name: string;
  /** One sentence. */
  readonly guards: string;
  readonly record: () => Promise<VirtualWorld>;
  readonly check: (log: Replayed) => void;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const EVERYTHING = {
  since: null,
  newSince: null,
  depth: 'plex',
  isMissingOnly: false,
  libraries: [],
} as const;

export const HISTORIES: readonly History[] = [
  {
    name: 'one-outage',
    guards: 'An outage is one however many probes and canaries fail in it, and its end and length are known.',
    record: async () => {
      const world = VirtualWorld.withScenes(3);
      const isBack = world.plex.goAway();
      // It answers probes again before it can do anything else.
      world.after(6 * MINUTE_MS, () => {
        isBack();
        const isWell = world.plex.rule({
          methods: ['findByFile', 'items', 'edit'],
          does: { code: 'ECONNRESET' },
        });
        world.after(3 * MINUTE_MS, isWell);
      });
      for (let number = 1; number <= 3; number++) await world.hook(`scene:${number}`);
      await world.settled();
      await world.pass(10 * MINUTE_MS);
      await world.drain();
      return world;
    },
    check: ({ history, counts, queue, steps }) => {
      const canary = steps.filter(
        ({ before, after }) => before.breaker.value === 'halfOpen' && after.breaker.value === 'open',
      );
      expect(canary).toHaveLength(1);
      expect(history.outages).toHaveLength(1);
      const [outage] = history.outages;
      expect(outage!.probes).toBeGreaterThan(4);
      const { lastedMs, isOngoing } = figuresOf(outage!);
      expect(isOngoing).toBe(false);
      expect(lastedMs).toBe(outage!.firstGood!.t - outage!.firstFailed.t);
      expect(lastedMs).toBeGreaterThan(9 * MINUTE_MS);
      expect(historyFigures(history).mttrMs).toBe(lastedMs);
      expect(counts.drift).toBe(0);
      expect(queue.counts).toMatchObject({ pending: 0, delivered: 3 });
    },
  },
  {
    name: 'end-seen-by-another-process',
    guards: 'The end of an outage is recorded though the process that saw its beginning was killed.',
    record: async () => {
      const world = VirtualWorld.withScenes(2);
      const isBack = world.plex.goAway();
      await world.hook('scene:1');
      await world.pass(30_000);
      world.killDrainers();
      isBack();
      await world.pass(2 * DRAIN_LEASE_MS);
      await world.hook('scene:2');
      await world.settled();
      return world;
    },
    check: ({ history, queue, steps }) => {
      expect(history.outages).toHaveLength(1);
      expect(history.outages[0]).toMatchObject({ firstGood: expect.anything(), closed: expect.anything() });
      const [opener] = steps.filter(({ after }) => after.breaker.value === 'open');
      const [closer] = steps.filter(
        ({ before, after }) => before.breaker.value === 'halfOpen' && after.breaker.value === 'closed',
      );
      expect(closer!.record.inv).not.toBe(opener!.record.inv);
      expect(queue.counts).toMatchObject({ pending: 0, delivered: 2 });
    },
  },
  {
    name: 'clock-stepped-in-an-outage',
    guards:
      'A wall clock that is set neither shortens nor stretches an outage, nor the mean time to recovery.',
    record: async () => {
      const world = VirtualWorld.withScenes(1);
      const isBack = world.plex.goAway();
      world.after(30_000, () => world.time.clock.stepWall(-HOUR_MS));
      world.after(90_000, () => world.time.clock.stepWall(26 * HOUR_MS));
      world.after(4 * MINUTE_MS, isBack);
      await world.hook('scene:1');
      await world.settled();
      return world;
    },
    check: ({ history }) => {
      expect(history.outages).toHaveLength(1);
      const { lastedMs } = figuresOf(history.outages[0]!);
      expect(lastedMs).toBeGreaterThan(4 * MINUTE_MS);
      expect(lastedMs).toBeLessThan(10 * MINUTE_MS);
      expect(historyFigures(history).mttrMs).toBe(lastedMs);
    },
  },
  {
    name: 'flapping',
    guards: 'Three outages within half an hour are three, and the last takes more proof to end.',
    record: async () => {
      const world = VirtualWorld.withScenes(12);
      for (let number = 1; number <= 3; number++) {
        const isBack = world.plex.goAway({ status: 502 });
        world.after(30_000, isBack);
        for (let job = 0; job < 4; job++) await world.hook(`scene:${number * 4 - job}`);
        await world.settled();
        await world.pass(MINUTE_MS);
      }
      return world;
    },
    check: ({ history, steps, queue }) => {
      expect(history.outages).toHaveLength(3);
      const proofs = steps.filter(
        ({ event, before }) => event?.type === 'attempt.succeeded' && before.breaker.value === 'halfOpen',
      );
      expect(proofs).toHaveLength(1 + 1 + 3);
      expect(queue.counts).toMatchObject({ pending: 0, delivered: 12 });
    },
  },
  {
    name: 'older-edit-late',
    guards:
      'An older edit that lands after a newer one is found out by its writer, and the newer one is written again.',
    record: async () => {
      const world = VirtualWorld.withScenes(1);
      world.stash.edit('1', { title: 'old' });
      await world.queued('scene:1');
      let isFirst = true;
      world.plex.rule({
        methods: ['edit'],
        does: async () => {
          if (isFirst) {
            isFirst = false;
            await world.time.sleep(DRAIN_LEASE_MS + 80_000);
          }
          return null;
        },
      });
      world.after(DRAIN_LEASE_MS + 30_000, async () => {
        world.stash.edit('1', { title: 'new' });
        await world.hook('scene:1');
      });
      await world.drain();
      await world.settled();
      await world.drain();
      expect(world.plex.title('1')).toBe('new');
      return world;
    },
    check: (log) => {
      const titles = recordsOf(log, 'job.attempted').flatMap(({ data }) =>
        (data.changes as { field: string; before: string; after: string }[]).filter(
          ({ field }) => field === 'title',
        ),
      );
      const [old, newer, again] = titles;
      expect(newer!.after).not.toBe(old!.after);
      expect(again).toMatchObject({ before: old!.after, after: newer!.after });
      expect(titles.at(-1)!.after).toBe(newer!.after);
      expect(recordsOf(log, 'job.queued').map(({ data }) => data.cause)).toContain('lease-lost');
      expect(log.queue.jobs.size).toBe(0);
    },
  },
  {
    name: 'edited-while-delivered',
    guards:
      'An edit that comes while an older one is on its way is not settled by its outcome: it is delivered after it.',
    record: async () => {
      const world = VirtualWorld.withScenes(1);
      world.stash.edit('1', { title: 'old' });
      await world.queued('scene:1');
      world.plex.rule({
        methods: ['edit'],
        does: async () => {
          if (world.plex.edits('1').length > 1) return null;
          world.stash.edit('1', { title: 'new' });
          await world.queued('scene:1');
          return null;
        },
      });
      await world.drain();
      expect(world.plex.titlesSent('1')).toEqual(['old', 'new']);
      return world;
    },
    check: (log) => {
      const queued = log.queueEntries.filter(
        (entry) => entry.kind === 'record' && entry.record.type === 'job.queued',
      );
      const [first, second] = recordsOf(log, 'job.delivered').map(({ data }) => data.upTo as number);
      expect(queued).toHaveLength(2);
      expect(first).toBeLessThanOrEqual(queued[1]!.position);
      expect(second).toBeGreaterThan(queued[1]!.position);
      expect(log.queue.counts).toMatchObject({ pending: 0, delivered: 2 });
      // Between the two it was pending.
      const store = createQueue();
      for (const entry of log.queueEntries) {
        const event = entry.kind === 'record' ? queueEventOf(entry.record, entry.position) : null;
        if (event !== null) store.send(event);
        if (event?.type === 'job.delivered') break;
      }
      expect(store.getSnapshot().context.counts).toMatchObject({ pending: 1, delivered: 1 });
    },
  },
  {
    name: 'killed-between-write-and-outcome',
    guards:
      'A drainer that is killed after it wrote and before it said so loses no job: the next one finds it pending.',
    record: async () => {
      const world = VirtualWorld.withScenes(2);
      let hasEdited = false;
      world.plex.rule({
        methods: ['edit', 'items'],
        does: ({ method }) => {
          if (hasEdited && method === 'items') world.killDrainers();
          hasEdited ||= method === 'edit';
          return null;
        },
      });
      await world.hook('scene:1');
      await world.pass(MINUTE_MS);
      world.plex.heal();
      await world.pass(DRAIN_LEASE_MS);
      await world.hook('scene:2');
      await world.settled();
      return world;
    },
    check: (log) => {
      const ofScene = log.queueEntries.flatMap((entry) =>
        entry.kind === 'record' && entry.record.data.job === 'scene:1' ? [entry.record] : [],
      );
      expect(ofScene.map(({ type }) => type).slice(0, 3)).toEqual([
        'job.queued',
        'job.attempted',
        'job.delivered',
      ]);
      expect(ofScene[2]!.inv).not.toBe(ofScene[1]!.inv);
      expect(log.queue.counts).toMatchObject({ pending: 0, deferred: 0, dead: 0, delivered: 2 });
    },
  },
  {
    name: 'damaged-while-open',
    guards: 'Damaged and torn lines cost themselves and nothing else: a breaker that is open stays open.',
    record: async () => {
      const world = VirtualWorld.withScenes(2);
      world.stash.settings.vigilMinutes = 0;
      const isBack = world.plex.goAway();
      await world.queued('scene:1');
      await world.drain();
      damage(world.journal, 'control', 1);
      world.journal.appendBytes('control', Buffer.from('\n{"v":1,"id":"torn'));
      world.journal.appendBytes('queue', Buffer.from('\nnot JSON\n'));
      await world.queued('scene:2');
      await world.drain();
      isBack();
      await world.pass(2 * MINUTE_MS);
      await world.drain();
      return world;
    },
    check: ({ counts, steps, history, queue }) => {
      expect(counts).toMatchObject({ damaged: 2, drift: 0 });
      const open = steps.findIndex(({ after }) => after.breaker.value === 'open');
      const closed = steps.findIndex(({ after }, index) => index > open && after.breaker.value !== 'open');
      expect(steps[closed]?.event?.type).toBe('probe.succeeded');
      expect(history.outages).toHaveLength(1);
      expect(queue.counts).toMatchObject({ pending: 0, delivered: 2 });
    },
  },
  {
    name: 'missing-and-ambiguous',
    guards:
      'A scene that Plex does not have, or has twice, never opens the breaker, and keeps no other waiting.',
    record: async () => {
      const world = VirtualWorld.withScenes(10);
      for (const id of ['1', '2', '3', '4', '5', '6']) world.plex.items.delete(id);
      world.stash.edit('7', { files: ['/media/clip 8.mp4', '/media/clip 9.mp4'] });
      for (let number = 1; number <= 10; number++) await world.queued(`scene:${number}`);
      await world.drain();
      return world;
    },
    check: ({ history, queue, steps }) => {
      expect(history.outages).toEqual([]);
      expect(steps.some(({ event }) => event?.type === 'attempt.failed')).toBe(false);
      const states = [...queue.jobs.values()].map(({ job, state, ...rest }) => [
        job,
        state,
        'reason' in rest && rest.reason,
      ]);
      expect(states).toEqual([
        ...[1, 2, 3, 4, 5, 6].map((id) => [`scene:${id}`, 'deferred', 'missing']),
        ['scene:7', 'dead', 'ambiguous'],
      ]);
      expect(queue.counts.delivered).toBe(3);
    },
  },
  {
    name: 'maintenance-and-refused-token',
    guards: 'A 503 while Plex starts and a 401 bury no job: one is an outage of its kind, the other a hold.',
    record: async () => {
      const world = VirtualWorld.withScenes(20);
      const maintenance = { status: 503, body: '{"title":"Maintenance","status":503}' };
      let isWell = world.plex.goAway(maintenance);
      world.after(40_000, () => {
        isWell();
        isWell = world.plex.goAway({ status: 401 });
      });
      world.after(4 * MINUTE_MS, () => isWell());
      for (let number = 1; number <= 20; number++) await world.hook(`scene:${number}`);
      await world.settled();
      await world.pass(10 * MINUTE_MS);
      await world.drain();
      return world;
    },
    check: (log) => {
      expect(log.history.outages).toMatchObject([{ class: 'maintenance' }]);
      expect(log.steps.map(({ event }) => event?.type === 'hold.placed' && event.hold)).toContain('config');
      expect(recordsOf(log, 'job.deadLettered')).toEqual([]);
      expect(log.queue.counts).toMatchObject({ pending: 0, dead: 0, delivered: 20 });
    },
  },
  {
    name: 'drained-by-the-vigil',
    guards: 'What waited is delivered when Plex is back though nobody clicks and no further hook comes.',
    record: async () => {
      const world = VirtualWorld.withScenes(4);
      world.after(5 * MINUTE_MS, world.plex.goAway());
      for (let number = 1; number <= 4; number++) await world.hook(`scene:${number}`);
      await world.settled();
      return world;
    },
    check: ({ steps, queue, history, queueEntries }) => {
      const lastHookAt = Math.max(
        ...queueEntries.map((entry) =>
          entry.kind === 'record' && entry.record.type === 'job.queued' ? entry.record.at : 0,
        ),
      );
      expect(history.outages[0]!.firstGood!.at - lastHookAt).toBeGreaterThan(4 * MINUTE_MS);
      expect(
        new Set(steps.map(({ record }) => record.inv).filter((inv) => inv.startsWith('drain'))).size,
      ).toBe(1);
      expect(history.outages[0]!.drained).not.toBe(null);
      expect(queue.counts).toMatchObject({ pending: 0, delivered: 4 });
    },
  },
  {
    name: 'empty-scene-withheld',
    guards: 'A scene that has no values in Stash wipes nothing in Plex.',
    record: async () => {
      const world = VirtualWorld.withScenes(2);
      world.stash.edit('1', { title: '', details: '', tags: [], performers: [] });
      world.plex.add('1', { title: 'kept', summary: 'this too' });
      await world.queued('scene:1', 'scene:2');
      await world.drain();
      expect(world.plex.items.get('1')!.fields).toEqual({ title: 'kept', summary: 'this too' });
      return world;
    },
    check: (log) => {
      const attempted = recordsOf(log, 'job.attempted').map(({ data }) => data.job);
      expect(attempted).not.toContain('scene:1');
      expect(recordsOf(log, 'job.delivered').map(({ data }) => [data.job, data.result])).toContainEqual([
        'scene:1',
        'withheld',
      ]);
      expect(log.queue.counts).toMatchObject({ pending: 0, delivered: 2 });
    },
  },
  {
    name: 'reconciled-and-queued',
    guards:
      'A gap that a reconciliation finds is queued and delivered, though the scene had been delivered before.',
    record: async () => {
      const world = VirtualWorld.withScenes(3);
      await world.queued('scene:1', 'scene:2');
      await world.drain();
      world.plex.items.get('1')!.fields.title = 'wiped by a scan';
      await world.request(EVERYTHING);
      await world.drain();
      expect(world.plex.title('1')).toBe('title 1');
      return world;
    },
    check: (log) => {
      const [advanced] = recordsOf(log, 'reconcile.advanced');
      expect(advanced!.data.gaps).toMatchObject({ kinds: { wiped: 1 } });
      const ofScene = log.queueEntries.flatMap((entry) =>
        entry.kind === 'record' && entry.record.data.job === 'scene:1' ? [entry.record.type] : [],
      );
      expect(ofScene.filter((type) => type === 'job.queued')).toHaveLength(2);
      expect(ofScene.at(-1)).toBe('job.delivered');
      expect(log.queue).toMatchObject({ counts: { pending: 0 }, reconciliation: { state: 'idle' } });
    },
  },
  {
    name: 'racing-drainers',
    guards:
      'Of several drainers that start at once one wins the lease by the order of the log, and each job is delivered once.',
    record: async () => {
      const world = VirtualWorld.withScenes(6);
      for (let number = 1; number <= 6; number++) await world.queued(`scene:${number}`);
      const race = () => world.drain({ hasLooked: true });
      await Promise.all([race(), race(), race(), world.run('drain')]);
      return world;
    },
    check: (log) => {
      expect(log.counts.contended).toBeGreaterThan(0);
      expect(log.counts).toMatchObject({ drift: 0, damaged: 0 });
      const claims = log.steps.filter(({ record }) => record.type === 'lease.claimed');
      expect(claims.filter(({ isVoid }) => isVoid).length).toBeGreaterThan(0);
      const jobs = recordsOf(log, 'job.delivered').map(({ data }) => data.job);
      expect(new Set(jobs).size).toBe(jobs.length);
      expect(log.queue.counts).toMatchObject({ pending: 0, delivered: 6 });
    },
  },
  {
    name: 'held-by-a-person',
    guards: 'A hold keeps everything from Plex, is no outage, and ends by its time.',
    record: async () => {
      const world = VirtualWorld.withScenes(1);
      await world.run('hold', { stance: 'open', for: '10m', reason: 'moving house' });
      await world.hook('scene:1');
      await world.pass(11 * MINUTE_MS);
      await world.drain();
      return world;
    },
    check: (log) => {
      expect(log.history.outages).toEqual([]);
      const [placed] = log.steps.filter(({ event }) => event?.type === 'hold.placed');
      const [delivered] = recordsOf(log, 'job.delivered');
      expect(delivered!.at - placed!.record.at).toBeGreaterThan(10 * MINUTE_MS);
    },
  },
];

function recordsOf({ queueEntries }: Replayed, type: string): JournalRecord[] {
  return queueEntries.flatMap((entry) =>
    entry.kind === 'record' && entry.record.type === type ? [entry.record] : [],
  );
}

/** Turns a bit of the line with this index, counted from 0. */
function damage(journal: MemoryJournal, stream: 'control' | 'queue', index: number): void {
  const bytes = Buffer.from(journal.bytes(stream));
  let at = 0;
  for (let line = 0; line <= index; line++) at = bytes.indexOf('{', line === 0 ? 0 : bytes.indexOf('\n', at));
  bytes[at + 20] = (bytes[at + 20] ?? 0) ^ 1;
  journal.replaceBytes(stream, bytes);
}

// Big libraries: a reconciliation of 20,000 scenes that is killed again and again, and what 100,000 take in memory.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { MemoryJournal } from '../../src/breaker/journal/memory-journal.ts';
import { itemOf, type PlexItem } from '../../src/plex/plex-item.ts';
import type { QueueEvent } from '../../src/queue/events.ts';
import type { Queue } from '../../src/queue/queue.ts';
import { queueEventOf } from '../../src/queue/queue-fold.ts';
import { QueueLog } from '../../src/queue/queue-log.ts';
import type { ReconcileScope } from '../../src/queue/reconciliation.ts';
import { type PageOptions, reconcilePage } from '../../src/reconcile/page.ts';
import type { StashScene } from '../../src/stash/stash-scene.ts';
import { digestOf } from '../../src/sync/digest.ts';
import { DEFAULT_SYNC } from '../../src/sync/fields.ts';
import { SectionIndex } from '../../src/sync/section-index.ts';
import { wantedOf } from '../../src/sync/wanted.ts';
import { FakeClock, fakeWriter } from '../support/fake-writer.ts';
import { seeded } from '../support/seeded.ts';
import { sceneWith } from '../support/stash-scenes.ts';
import { Killed, VirtualWorld } from '../support/virtual-world.ts';

const PAGE = 100;
const ALL: ReconcileScope = {
  since: null,
  newSince: null,
  depth: 'plex',
  isMissingOnly: false,
  libraries: [],
};
const COVER = { sha1: 'a'.repeat(40), validator: '"x"', shown: { thumb: '/thumb/1', art: '/art/1' } };

function deliveredEvent(scene: StashScene): QueueEvent {
  const digest = digestOf(wantedOf(scene, DEFAULT_SYNC), DEFAULT_SYNC);
  const job = `scene:${scene.id}` as const;
  return {
    type: 'job.delivered',
    job,
    upTo: 1,
    result: 'written',
    item: scene.id,
    own: {},
    cover: COVER,
    digest,
  };
}

describe('a reconciliation of 20,000 scenes', () => {
  const SCENES = 20_000;
  const PAGES = SCENES / PAGE + 1;

  async function deliveredWorld(): Promise<VirtualWorld> {
    const world = VirtualWorld.withScenes(SCENES);
    const events = [...world.stash.scenes.values()].map(deliveredEvent);
    for (const [id, item] of world.plex.items) {
      item.fields = { title: `title ${id}` };
      item.images = { ...COVER.shown };
    }
    const queue = await QueueLog.open(world.journal, fakeWriter(world.time.clock, 'drain-0', 7));
    for (let from = 0; from < SCENES; from += 1_000) await queue.append(...events.slice(from, from + 1_000));
    // Leaves a checkpoint.
    await world.drain({ mayWait: false });
    return world;
  }

  const seeds = Array.from({ length: process.env.BREAKWATER_LONG === '1' ? 60 : 2 }, (_, index) => index + 1);

  test.each(seeds)(
    'killed at any point loses nothing, and repeats nothing but the page in hand: seed %d',
    async (seed) => {
      const world = await deliveredWorld();
      world.maxAppends = 50_000;
      const dice = seeded(seed);
      const changed = new Set(Array.from({ length: 40 }, () => String(1 + Math.floor(dice() * SCENES))));
      for (const id of changed) world.stash.edit(id, { title: `changed ${id}` });
      await world.request(ALL);
      world.stash.calls.length = 0;
      world.plex.calls.length = 0;

      let deaths = 0;
      for (let isOver = false; !isOver; ) {
        const diesAtStep = deaths < 25 ? 1 + Math.floor(dice() * 160) : Number.POSITIVE_INFINITY;
        try {
          await world.drain({ mayWait: false, diesAtStep });
          isOver = (await world.queue()).reconciliation.state === 'idle';
        } catch (error) {
          if (!(error instanceof Killed)) throw error;
          deaths += 1;
          // A dead drainer's lease has to end first.
          await world.pass(10 * 60_000);
        }
      }
      expect(deaths).toBeGreaterThan(10);

      const { entries } = await allEntries(world);
      const events = entries.flatMap((entry) => {
        const event = entry.kind === 'record' ? queueEventOf(entry.record, entry.position) : null;
        return event === null ? [] : [event];
      });
      const advances = events.filter((event) => event.type === 'reconcile.advanced');
      expect(advances).toHaveLength(PAGES);
      expect(advances.reduce((sum, { checked }) => sum + checked, 0)).toBe(SCENES);
      const pagesAsked = world.stash.calls.filter(({ method }) => method === 'scenesAfter').length;
      expect(pagesAsked).toBeLessThanOrEqual(PAGES + deaths);
      const pagesOfItems = world.plex.calls.filter(
        ({ keys, method }) => method === 'items' && keys.length === PAGE,
      );
      expect(pagesOfItems.length).toBeLessThanOrEqual(PAGES + deaths);

      const found = events.filter((event) => event.type === 'job.queued').map(({ job }) => job);
      expect(found.sort()).toEqual([...changed].map((id) => `scene:${id}`).sort());
      for (const id of changed) expect(world.plex.titlesSent(id)).toEqual([`changed ${id}`]);
      expect(world.plex.edits()).toHaveLength(changed.size);
      // It tells how far it is.
      expect(advances.map(({ left }) => left)).toEqual(
        [...advances].map(({ left }) => left).sort((a, b) => b - a),
      );
    },
  );
});

async function allEntries(world: VirtualWorld) {
  const entries = [];
  for (let position = 0; ; ) {
    const chunk = await world.journal.read('queue', position);
    if (chunk.next === position) return { entries };
    entries.push(...chunk.entries);
    position = chunk.next;
  }
}

describe('100,000 scenes', () => {
  const SCENES = 100_000;
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  const heapBytes = () => {
    gc();
    return process.memoryUsage().heapUsed;
  };

  /** Neither Stash nor Plex holds them: each is made when it is asked for, as an answer from the wire is. */
  const fileOf = (id: number, root: string) =>
    `${root}/scenes/Studio ${id % 500}/a scene of some length ${id}.mp4`;
  const sceneOf = (id: number) =>
    sceneWith({ id: `${id}`, title: `title ${id}`, details: 'x'.repeat(500), files: [fileOf(id, '/data')] });
  const plexItem = (id: number): PlexItem =>
    itemOf({
      ratingKey: `${id}`,
      librarySectionID: 1,
      title: `title ${id}`,
      summary: 'x'.repeat(500),
      thumb: COVER.shown.thumb,
      art: COVER.shown.art,
      Media: [{ Part: [{ file: fileOf(id, '/media'), size: 1_000 }] }],
    })!;
  const library = { key: '1', type: 'movie', title: 'Scenes', locations: ['/media'], scannedAt: '1' };
  const options: PageOptions = {
    sync: DEFAULT_SYNC,
    pathRules: [{ from: '/data', to: '/media' }],
    libraries: async () => ({ ok: true, value: [library] }),
    index: async () => {
      throw new Error('everything is known');
    },
    plex: { items: async (keys) => ({ ok: true, value: keys.map((key) => plexItem(Number(key))) }) },
    stash: {
      scenesWithFile: async () => ({ ok: true, value: [] }),
      scenesAfter: async (id, limit) => {
        const ids = Array.from({ length: Math.min(limit, SCENES - id) }, (_, index) => id + 1 + index);
        const lastId = ids.at(-1) ?? id;
        const page = { scenes: ids.map(sceneOf), lastId, isLast: ids.length < limit, left: SCENES - id };
        return { ok: true, value: page };
      },
    },
  };

  test('are compared a page at a time: memory does not grow with them', async () => {
    const before = heapBytes();
    const queue = await knownQueue();
    const known = heapBytes() - before;
    const sizes: number[] = [];
    let checked = 0;
    for (let cursor = 0, pages = 0; ; pages++) {
      const page = await reconcilePage(ALL, cursor, queue, options);
      if (page.kind !== 'page') throw new Error(page.kind);
      expect(page.gaps).toEqual([]);
      checked += page.checked;
      cursor = page.lastId;
      if (pages % 250 === 10) sizes.push(heapBytes());
      if (page.isLast) break;
    }
    expect(checked).toBe(SCENES);
    // From the first pages on, over 75,000 scenes.
    const grown = sizes.at(-1)! - sizes[0]!;
    expect(grown / 75_000).toBeLessThan(10);
    // What is remembered of each: its item, its digest, its cover; some 410 bytes.
    expect(known / SCENES).toBeLessThan(1_500);
  });

  async function knownQueue(): Promise<Queue> {
    const journal = new MemoryJournal();
    const queue = await QueueLog.open(journal, fakeWriter(new FakeClock(), 'drain-1', 1));
    for (let from = 1; from <= SCENES; from += 1_000) {
      await queue.append(
        ...Array.from({ length: 1_000 }, (_, index) => deliveredEvent(sceneOf(from + index))),
      );
    }
    return queue.queue;
  }

  test('that were never delivered take an index of their files, and no more', async () => {
    const before = heapBytes();
    const built = await SectionIndex.build(
      {
        itemsOfSection: async (_key, start, size) => {
          const length = Math.max(0, Math.min(size, SCENES - start));
          return { ok: true, value: Array.from({ length }, (_, index) => plexItem(start + 1 + index)) };
        },
      },
      [library],
    );
    const bytes = heapBytes() - before;
    if (!built.ok) throw new Error('no index');
    expect(built.value.find('a scene of some length 77777.mp4')).toMatchObject([{ ratingKey: '77777' }]);
    // Some 470 bytes.
    expect(bytes / SCENES).toBeLessThan(1_000);
  });
});

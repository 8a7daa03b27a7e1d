// Reconciliation in the virtual world: what it finds, that it goes on where a dead process stopped, that it is nobody's
// hindrance, and that a dry run touches nothing.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { QueueEvent } from '../../src/queue/events.ts';
import { queueEventOf } from '../../src/queue/queue-fold.ts';
import { probedWell } from '../support/probed-well.ts';
import { PROPERTY_RUNS } from '../support/property-runs.ts';
import { Killed, VirtualWorld } from '../support/virtual-world.ts';

const HOUR_MS = 3_600_000;

/** Scenes 1 to `count`, delivered. */
async function delivered(count: number): Promise<VirtualWorld> {
  const world = VirtualWorld.withScenes(count);
  const all = Array.from({ length: count }, (_, index) => `scene:${index + 1}` as const);
  await world.queued(...all);
  await world.drain();
  world.plex.calls.length = 0;
  return world;
}

async function lastOf(world: VirtualWorld) {
  const { reconciliation } = await world.queue();
  if (reconciliation.state === 'running') throw new Error('the reconciliation is not over');
  return reconciliation.last;
}

async function eventsOf(world: VirtualWorld): Promise<QueueEvent[]> {
  const { entries } = await world.journal.read('queue', 0);
  return entries.flatMap((entry) => {
    const event = entry.kind === 'record' ? queueEventOf(entry.record, entry.position) : null;
    return event === null ? [] : [event];
  });
}

describe('finds and delivers', () => {
  test('nothing where all is well, for one request a page', async () => {
    const world = await delivered(120);
    const result = await world.run('reconcile', { scope: 'all' });
    expect(result).toMatchObject({ isOk: true });
    expect(result.lines[0]).toMatch(/120 scenes compared .* All is as it should be\./);
    expect(world.plex.calls.map(({ method }) => method)).toEqual(['sections', 'items', 'items']);
  });

  test('what changed in Stash without a hook', async () => {
    const world = await delivered(3);
    world.stash.amend('2', { title: 'renamed by a merge' });
    await world.run('reconcile', { scope: 'all' });
    expect(world.plex.title('2')).toBe('renamed by a merge');
    expect((await lastOf(world))?.gaps).toEqual({
      kinds: { changed: 1 },
      fields: { title: 1 },
      libraries: { Scenes: 1 },
      skipped: {},
    });
  });

  test('what Plex has lost', async () => {
    const world = await delivered(3);
    world.plex.items.get('3')!.fields = {};
    await world.run('reconcile', { scope: 'all' });
    expect(world.plex.title('3')).toBe('title 3');
    expect((await lastOf(world))?.gaps.kinds).toEqual({ wiped: 1 });
  });

  test('another poster in the place of ours', async () => {
    const world = await delivered(2);
    const item = world.plex.items.get('1')!;
    item.images.thumb = '/library/metadata/1/thumb/somebody';
    item.uploads.thumb.push('upload://posters/another');
    await world.run('reconcile', { scope: 'all' });
    expect((await lastOf(world))?.gaps).toMatchObject({ kinds: { wiped: 1 }, fields: { thumb: 1 } });
    expect(world.plex.count('uploadImage')).toBe(0);
    expect(item.images.thumb).not.toContain('somebody');
  });

  test('scenes that were never delivered, in a few requests for all of them', async () => {
    const world = VirtualWorld.withScenes(450);
    for (let id = 1; id <= 450; id++)
      Object.assign(world.plex.items.get(`${id}`)!.fields, { title: `title ${id}` });
    const result = await world.run('reconcile', { scope: 'all', dryRun: true });
    // Everything is there but the covers.
    expect(result.document).toMatchObject({
      checked: 450,
      counts: { kinds: { empty: 450 }, fields: { thumb: 450, art: 450 } },
    });
    expect(world.plex.calls.map(({ method }) => method)).toEqual([
      'sections',
      'itemsOfSection',
      'itemsOfSection',
      ...Array.from({ length: 5 }, () => 'items'),
    ]);
  });

  test('what Plex did not have and has now, though it was given up', async () => {
    const world = VirtualWorld.withScenes(2);
    world.plex.items.delete('2');
    await world.queued('scene:1', 'scene:2');
    await world.drain({ mayWait: false });
    expect((await world.queue()).counts).toMatchObject({ deferred: 1 });
    world.plex.add('2');
    await world.run('reconcile', { scope: 'all' });
    expect(world.plex.title('2')).toBe('title 2');
    expect((await world.queue()).counts).toMatchObject({ deferred: 0 });
  });

  test('what Plex does not have, once', async () => {
    const world = await delivered(1);
    world.stash.amend('2', { title: 'not scanned yet' });
    await world.run('reconcile', { scope: 'all' });
    expect((await lastOf(world))?.gaps.kinds).toEqual({ missing: 1 });
    await world.run('reconcile', { scope: 'all' });
    expect((await lastOf(world))?.gaps.kinds).toEqual({});
    expect((await world.queue()).counts).toMatchObject({ deferred: 1 });
  });

  test('only what was never delivered, where that is asked for', async () => {
    const world = await delivered(2);
    const updatedAt = world.stash.now - HOUR_MS / 2;
    world.stash.edit('1', { title: 'changed', updatedAt });
    world.stash.edit('3', { title: 'new', updatedAt });
    world.plex.add('3');
    const { lines } = await world.run('reconcile', { missing: 'true', library: 'Scenes', since: '1h' });
    expect(lines[0]).toMatch(/of scenes never delivered, changed since .*, in Scenes, .*: 1 scene compared/);
    expect((await lastOf(world))?.checked).toBe(1);
    expect([world.plex.title('1'), world.plex.title('3')]).toEqual(['title 1', 'new']);
  });

  test('only in the library that was named; one that is not there is an error that names those that are', async () => {
    const world = await delivered(2);
    world.stash.amend('1', { title: 'changed' });
    expect(await world.run('reconcile', { library: 'scenes' })).toMatchObject({ isOk: true });
    expect(world.plex.title('1')).toBe('changed');
    const wrong = await world.run('reconcile', { library: 'Films', dryRun: true });
    expect(wrong).toMatchObject({ isOk: false, lines: [expect.stringContaining('it has: Scenes')] });
    const cancelled = await world.run('reconcile', { library: 'Films' });
    expect(cancelled).toMatchObject({ isOk: false });
    expect(cancelled.lines[0]).toMatch(/0 scenes compared; then it was cancelled, after \S+\.$/);
    expect(world.logs.at(-1)).toContain('it has: Scenes');
    expect((await world.control()).state.config.value).toBe('free');
  });

  test('scenes that are gone from Stash, and forgets them', async () => {
    const world = await delivered(3);
    world.stash.scenes.delete('1');
    world.stash.scenes.delete('3');
    await world.run('reconcile', { scope: 'all' });
    expect((await lastOf(world))?.gaps.kinds).toEqual({ deleted: 2 });
    expect([...(await world.queue()).known.keys()]).toEqual(['scene:2']);
    expect(world.plex.title('1')).toBe('title 1');
  });

  test('nothing twice: what waits already is left to the queue', async () => {
    const world = await delivered(2);
    world.stash.edit('1', { title: 'new' });
    await world.queued('scene:1');
    const before = (await eventsOf(world)).length;
    await world.run('reconcile', { scope: 'all' });
    const queuedAgain = (await eventsOf(world)).slice(before).filter(({ type }) => type === 'job.queued');
    expect(queuedAgain).toEqual([]);
    expect(world.plex.title('1')).toBe('new');
  });

  test('after a tag is destroyed: by what was delivered, without a question to Plex but for what differs', async () => {
    const world = await delivered(3);
    world.stash.amend('2', { tags: ['left'] });
    await world.hook('library:shared');
    await world.settled();
    expect(world.plex.items.get('2')!.tags.genre).toEqual(['left']);
    expect((await lastOf(world))?.gaps.kinds).toEqual({ changed: 1 });
    expect(world.plex.calls.every(({ keys }) => keys.length === 0 || keys.includes('2'))).toBe(true);
  });
});

describe('a dry run', () => {
  test('shows field by field what would change, and writes nothing anywhere', async () => {
    const world = await delivered(2);
    world.stash.edit('2', { title: 'new', tags: ['a\u001b[31m'] });
    const events = (await eventsOf(world)).length;
    const result = await world.run('reconcile', { scope: 'all', dryRun: true });
    expect(result.isOk).toBe(true);
    expect(result.lines).toEqual([
      'scene 2 (item 2 in Scenes): changed',
      '    title: title 2 → new',
      '    tags: (nothing) → a[31m',
      '2 scenes compared, nothing written. Gaps: 1 changed. By field: title 1, tags 1. By library: Scenes 1.',
    ]);
    expect(await eventsOf(world)).toHaveLength(events);
    expect(world.plex.count('edit')).toBe(0);
    expect(world.plex.title('2')).toBe('title 2');
  });

  test('asks nothing of a Plex that is away', async () => {
    const world = await delivered(1);
    const heal = world.plex.goAway();
    world.stash.edit('1', { title: 'x' });
    await world.queued('scene:1');
    await world.drain({ mayWait: false });
    world.plex.calls.length = 0;
    const result = await world.run('reconcile', { scope: 'all', dryRun: true });
    expect(result).toMatchObject({ isOk: false, lines: ['Nothing was compared: Plex is away.'] });
    expect(world.plex.calls).toEqual([]);
    heal();
  });
});

describe('happens by itself', () => {
  test('once after each outage, for what Stash has seen change', async () => {
    const world = await delivered(3);
    const heal = world.plex.goAway();
    world.stash.edit('1', { title: 'hooked' });
    await world.hook('scene:1');
    await world.pass(1_000);
    world.stash.edit('2', { title: 'its hook was lost' });
    heal();
    await world.settled();
    expect(world.plex.title('2')).toBe('its hook was lost');
    expect(await lastOf(world)).toMatchObject({ cause: 'outage', gaps: { kinds: { changed: 1 } } });
    expect((await eventsOf(world)).filter(({ type }) => type === 'reconcile.requested')).toHaveLength(1);
  });

  test('not on its own when the schedule says never', async () => {
    const world = await delivered(2);
    world.stash.settings.reconcile = 'never';
    await world.pass(30 * 24 * HOUR_MS);
    world.stash.edit('1', { title: 'x' });
    await world.hook('scene:1');
    await world.settled();
    expect((await eventsOf(world)).filter(({ type }) => type.startsWith('reconcile'))).toEqual([]);
  });
});

test('is done, and closes the breaker, where an outage left no job that could', async () => {
  const world = await delivered(250);
  const log = await world.scribe();
  await log.append({ type: 'lease.claimed', lease: 'drain', forMs: HOUR_MS, draw: 0 });
  const under = { lease: 'drain', epoch: log.state.drain.context.epoch } as const;
  const failed = { type: 'attempt.failed', ...under, class: 'outage', symptom: 'refused', draw: 0 } as const;
  await log.append({ ...failed, opensAfter: 1 });
  await probedWell(world, log);
  await log.append({ type: 'lease.released', ...under, reason: 'gone' });
  expect(log.state.breaker.value).toBe('halfOpen');
  world.stash.amend('240', { title: 'without a hook' });
  const breakerAt: string[] = [];
  world.plex.onCall = async ({ method }) => {
    if (method !== 'edit') return;
    await log.refresh();
    breakerAt.push(log.state.breaker.value);
  };

  await world.run('reconcile', { scope: 'all' });
  expect(world.plex.title('240')).toBe('without a hook');
  // Before there was a job: by the pages that were compared.
  expect(breakerAt).toEqual(['closed']);
  await log.refresh();
  expect(log.state).toMatchObject({ breaker: { value: 'closed' }, recovery: { value: 'idle' } });
});

test('a change that comes meanwhile goes before the next page', async () => {
  const world = await delivered(250);
  for (const id of ['1', '240']) world.stash.amend(id, { title: 'found' });
  const order: string[] = [];
  world.plex.onCall = async ({ method, keys }) => {
    if (method === 'edit') order.push(keys[0]!);
    if (method === 'items' && keys.length > 50 && !order.includes('hooked')) {
      order.push('hooked');
      world.stash.edit('120', { title: 'by hook' });
      await world.queued('scene:120');
    }
  };
  await world.run('reconcile', { scope: 'all' });
  expect(order.filter((key) => key !== 'hooked')).toEqual(['120', '1', '240']);
});

test('whenever it dies, the next goes on: nothing is lost, and no more than the page in hand is done again', async () => {
  const COUNT = 330;
  const PAGES = Math.ceil((COUNT + 1) / 100);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 120 }), { maxLength: 6 }), async (deaths) => {
      const world = await delivered(COUNT);
      const changed = ['1', '99', '100', '101', '205', '330'];
      for (const id of changed) world.stash.amend(id, { title: `found ${id}` });
      const run = (diesAtStep: number) =>
        world.drain({ mayWait: false, diesAtStep }).catch((error: Error) => {
          if (!(error instanceof Killed)) throw error;
        });
      await world.request({
        since: null,
        newSince: null,
        depth: 'plex',
        isMissingOnly: false,
        libraries: [],
      });
      for (const diesAtStep of deaths) {
        await run(diesAtStep);
        // A dead drainer's lease has to end first.
        await world.pass(10 * 60_000);
      }
      await run(Number.POSITIVE_INFINITY);
      for (const id of changed) expect(world.plex.title(id)).toBe(`found ${id}`);
      const events = await eventsOf(world);
      const advances = events.filter(({ type }) => type === 'reconcile.advanced');
      expect(advances).toHaveLength(PAGES);
      const found = events.filter(
        (event) => event.type === 'job.queued' && event.cause.startsWith('reconcile'),
      );
      expect(found).toHaveLength(changed.length);
      expect((await lastOf(world))?.checked).toBe(COUNT);
    }),
    { ...PROPERTY_RUNS, numRuns: process.env.BREAKWATER_LONG === undefined ? 15 : 500 },
  );
});

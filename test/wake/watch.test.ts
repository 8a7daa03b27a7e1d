// Watching, over a world in memory: no hook is ever fired here.

import { expect, test } from 'vitest';
import { watch } from '../../src/wake/watch.ts';
import { VirtualWorld } from '../support/virtual-world.ts';

const EVERY_MS = 30_000;

/** Watches while `meanwhile` happens, then is told to end. */
async function watching(world: VirtualWorld, meanwhile: () => Promise<void>) {
  const ending = new AbortController();
  const watched = world.acting((own) => watch(own, { everyMs: EVERY_MS, signal: ending.signal }));
  await meanwhile();
  ending.abort();
  return watched;
}

test('what changes in Stash reaches Plex within a look, and the newest wins', async () => {
  const world = VirtualWorld.withScenes(3);
  world.stash.settings.reconcile = 'never';
  await watching(world, async () => {
    await world.pass(EVERY_MS);
    world.stash.edit('2', { title: 'first' });
    world.stash.edit('2', { title: 'second' });
    await world.pass(3 * EVERY_MS);
    expect(world.plex.title('2')).toBe('second');
    expect(world.plex.titlesSent('2')).toEqual(['second']);
  });
});

test('while nothing changes nothing is written and Plex is not asked', async () => {
  const world = VirtualWorld.withScenes(3);
  world.stash.settings.reconcile = 'never';
  world.stash.edit('1', { title: 'once' });
  await watching(world, async () => {
    await world.pass(4 * EVERY_MS);
    expect(world.plex.title('1')).toBe('once');
    const before = [
      await world.journal.size('queue'),
      await world.journal.size('control'),
      world.plex.calls.length,
    ];
    await world.pass(3_600_000);
    expect([
      await world.journal.size('queue'),
      await world.journal.size('control'),
      world.plex.calls.length,
    ]).toEqual(before);
  });
});

test('what changed while Stash did not answer is found at the first look that is answered', async () => {
  const world = VirtualWorld.withScenes(2);
  world.stash.settings.reconcile = 'never';
  await watching(world, async () => {
    await world.pass(EVERY_MS);
    world.stash.trouble = (method) =>
      method === 'changedSince' ? { kind: 'unreachable', detail: 'Stash does not answer' } : null;
    world.stash.edit('1', { title: 'unseen' });
    // Longer than what a look asks for again.
    await world.pass(30 * 60_000);
    expect(world.plex.title('1')).toBeUndefined();
    world.stash.trouble = () => null;
    await world.pass(2 * EVERY_MS);
    expect(world.plex.title('1')).toBe('unseen');
  });
});

test('an outage and a Stash that is away are lived through', async () => {
  const world = VirtualWorld.withScenes(2);
  const result = await watching(world, async () => {
    const heal = world.plex.goAway();
    world.stash.edit('1', { title: 'during' });
    await world.pass(20 * 60_000);
    heal();
    world.stash.trouble = () => ({ kind: 'unreachable', detail: 'Stash does not answer' }) as never;
    await world.pass(5 * 60_000);
    world.stash.trouble = () => null;
    world.stash.edit('2', { title: 'after' });
    await world.pass(20 * 60_000);
  });
  expect([world.plex.title('1'), world.plex.title('2')]).toEqual(['during', 'after']);
  expect(await world.openings()).toBe(1);
  expect(result.isOk).toBe(true);
  expect(world.logs.filter((line) => line.includes('Stash does not answer')).length).toBeLessThan(20);
});

// Watching beside its own drainer, over a world in memory: what takes minutes in life.

import { expect, test } from 'vitest';
import { watch } from '../../src/wake/watch.ts';
import { VirtualWorld } from '../support/virtual-world.ts';

const EVERY_MS = 10_000;

/** Watches while `meanwhile` happens, from the first look on, then is told to end. */
async function watching(world: VirtualWorld, meanwhile: () => Promise<void>) {
  world.stash.settings.reconcile = 'never';
  const ending = new AbortController();
  const watched = world.acting((own) => watch(own, { everyMs: EVERY_MS, signal: ending.signal }));
  await world.pass(EVERY_MS);
  await meanwhile();
  ending.abort();
  await watched;
}

function changesTold(world: VirtualWorld): number {
  return world.logs.filter((line) => line.endsWith('1 changed in Stash')).length;
}

test('the looks go on while a drainer keeps vigil', async () => {
  const world = VirtualWorld.withScenes(2);
  await watching(world, async () => {
    world.plex.goAway();
    world.stash.edit('1', { title: 'at first' });
    await world.pass(60_000);
    expect((await world.control()).state.drain.value).toBe('held');
    world.stash.edit('2', { title: 'meanwhile' });
    await world.pass(3_000);
    expect(changesTold(world)).toBe(2);
  });
});

test('told to end in the middle of a vigil it frees the lease at once', async () => {
  const world = VirtualWorld.withScenes(1);
  await watching(world, async () => {
    world.plex.goAway();
    world.stash.edit('1', { title: 'at first' });
    await world.pass(60_000);
    expect((await world.control()).state.drain.value).toBe('held');
  });
  expect((await world.control()).state.drain.value).toBe('free');
});

test('a change is noticed within two seconds while Stash is used, and within --every when it was not', async () => {
  const world = VirtualWorld.withScenes(2);
  await watching(world, async () => {
    world.stash.edit('1', { title: 'one' });
    await world.pass(2_000);
    expect(changesTold(world)).toBe(1);
    await world.pass(3_600_000);
    world.stash.edit('2', { title: 'two' });
    await world.pass(EVERY_MS + 1_500);
    expect(changesTold(world)).toBe(2);
  });
});

test('looks are seldom when nobody uses Stash', async () => {
  const world = VirtualWorld.withScenes(1);
  const looks = () => world.stash.calls.filter(({ method }) => method === 'changedSince').length;
  await watching(world, async () => {
    await world.pass(600_000);
    const before = looks();
    await world.pass(600_000);
    expect(looks() - before).toBeLessThanOrEqual(600_000 / (EVERY_MS - 1_000));
    expect(looks() - before).toBeGreaterThan(50);
  });
});

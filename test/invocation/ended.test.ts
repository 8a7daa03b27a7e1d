// A drainer that is told to end: what is cut off with it says nothing about Plex, and it begins nothing new.

import { expect, test, vi } from 'vitest';
import { drain } from '../../src/invocation/drainer.ts';
import { HOUSE_RULES } from '../../src/invocation/housekeeping.ts';
import { scopeOfDoubt } from '../../src/reconcile/schedule.ts';
import { type PlexMethod, VirtualWorld } from '../support/virtual-world.ts';

/** Drains until it asks this of Plex, which is when it is told to end and its request is cut off. */
function endedAt(world: VirtualWorld, method: PlexMethod) {
  const ending = new AbortController();
  world.plex.rule({
    methods: [method],
    does: () => {
      ending.abort();
      return { code: 'ECONNRESET' };
    },
  });
  return world.acting((own) =>
    drain({ ...own, ending: ending.signal }, { isImpatient: false, mayWait: true }),
  );
}

async function isUnblamed(world: VirtualWorld): Promise<void> {
  expect((await world.steps()).map(({ record }) => record.type)).not.toContain('attempt.failed');
  const { breaker, drain: lease } = (await world.control()).state;
  expect([breaker.value, lease.value]).toEqual(['closed', 'free']);
}

test('in the middle of a delivery: the job waits for the next one', async () => {
  const world = VirtualWorld.withScenes(2);
  await world.queued('scene:1', 'scene:2');
  expect((await endedAt(world, 'edit')).stop).toEqual({ kind: 'ended' });
  await isUnblamed(world);
  world.plex.heal();
  await world.drain();
  expect([world.plex.title('1'), world.plex.title('2')]).toEqual(['title 1', 'title 2']);
});

test('in the middle of a reconciliation: the next one goes on with it', async () => {
  const world = VirtualWorld.withScenes(2);
  await world.queued('scene:1');
  await world.drain();
  await world.request({ ...scopeOfDoubt(0), depth: 'plex' });
  expect((await endedAt(world, 'itemsOfSection')).stop).toEqual({ kind: 'ended' });
  await isUnblamed(world);
  expect((await world.queue()).reconciliation.state).toBe('running');
  world.plex.heal();
  await world.drain();
  expect((await world.queue()).reconciliation).toMatchObject({ state: 'idle', last: { result: 'done' } });
});

test('before it began: it does not even keep house', async () => {
  const world = VirtualWorld.withScenes(1);
  world.houseRules = { ...HOUSE_RULES, sealBytes: { control: 1, queue: 1 } };
  const seal = vi.spyOn(world.journal, 'seal');
  await world.queued('scene:1');
  const ending = AbortSignal.abort();
  const { stop } = await world.acting((own) =>
    drain({ ...own, ending }, { isImpatient: false, mayWait: true }),
  );
  expect(stop).toEqual({ kind: 'ended' });
  expect(seal).not.toHaveBeenCalled();
  await world.drain();
  expect(seal).toHaveBeenCalled();
});

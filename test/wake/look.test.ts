// One look over a world in memory where its clocks, its size or its answers are not the usual ones: all that changed is
// queued, once, and none is passed over.

import { describe, expect, test } from 'vitest';
import type { World } from '../../src/invocation/world.ts';
import type { QueueEvent } from '../../src/queue/events.ts';
import type { Changed } from '../../src/stash/changed.ts';
import { ANY_CHANGE, look } from '../../src/wake/look.ts';
import { VirtualWorld } from '../support/virtual-world.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** Looked at a minute ago, and nothing changed since. */
async function looked(scenes = 2): Promise<VirtualWorld> {
  const world = VirtualWorld.withScenes(scenes);
  await looking(world);
  await world.pass(MINUTE_MS);
  return world;
}

function looking(world: VirtualWorld, otherwise: (own: World) => Partial<World> = () => ({})) {
  return world.acting((own) => look({ ...own, ...otherwise(own) }, ANY_CHANGE));
}

/** A Stash whose answers are other ones. */
function answering(change: (answer: Changed) => Changed, shiftMs = 0) {
  return ({ stash }: World): Partial<World> => ({
    stash: {
      ...stash,
      changedSince: async (since) => {
        const answer = await stash.changedSince(since - shiftMs);
        return answer.ok ? { ok: true, value: change(answer.value) } : answer;
      },
    },
  });
}

async function events<T extends QueueEvent['type']>(world: VirtualWorld, type: T) {
  const { entries } = await world.journal.read('queue', 0);
  return entries.flatMap((entry) =>
    entry.kind === 'record' && entry.record.type === type ? [entry.record.data] : [],
  );
}

test('more than one append holds is queued whole, in the order of the changes', async () => {
  const world = await looked(1_201);
  for (const id of world.stash.scenes.keys()) world.stash.edit(id, {});
  expect(await looking(world)).toMatchObject({ kind: 'looked', queued: 1_201 });
  const ids = (await events(world, 'job.queued')).map(({ job }) => Number(String(job).split(':')[1]));
  expect(ids).toEqual(Array.from({ length: 1_201 }, (_, index) => index + 1));
});

describe('clocks', () => {
  test('one that was set back to before the beginning hides no change', async () => {
    const world = await looked();
    world.time.clock.stepWall(-5 * MINUTE_MS);
    world.stash.edit('1', {});
    const changedAt = world.stash.now;
    await looking(world);
    expect(await events(world, 'job.queued')).toEqual([{ job: 'scene:1', cause: 'change', changedAt }]);
  });

  test('one that is set back while a second is waited for leaves nothing out', async () => {
    const world = await looked();
    world.stash.edit('1', {});
    await looking(world, ({ sleep }) => ({
      sleep: async (ms) => {
        await sleep(ms);
        world.time.clock.stepWall(-1_000);
      },
    }));
    expect((await events(world, 'job.queued')).map(({ job }) => job)).toEqual(['scene:1']);
  });

  test.each([-HOUR_MS, HOUR_MS])(
    'where that of Stash is another by %i ms, a second is waited for, and no more',
    async (shiftMs) => {
      const world = VirtualWorld.withScenes(1);
      const shifted = answering(
        ({ now, rows }) => ({
          now: now + shiftMs,
          rows: rows.map((row) => ({ ...row, changedAt: row.changedAt + shiftMs })),
        }),
        shiftMs,
      );
      await looking(world, shifted);
      await world.pass(MINUTE_MS);
      world.stash.edit('1', {});
      const from = world.time.nowMs;
      const changedAt = world.stash.now + shiftMs;
      await looking(world, shifted);
      expect(world.time.nowMs - from).toBeLessThan(1_100);
      expect(await events(world, 'job.queued')).toEqual([{ job: 'scene:1', cause: 'change', changedAt }]);
    },
  );

  test('where Stash does not say its time, ours is taken, in whole seconds', async () => {
    const world = await looked();
    const silent = answering(({ rows }) => ({ now: Number.NaN, rows }));
    world.stash.edit('1', {});
    const changedAt = world.stash.now;
    await looking(world, silent);
    expect(await events(world, 'job.queued')).toEqual([{ job: 'scene:1', cause: 'change', changedAt }]);
    expect((await world.queue()).looked.upTo).toBe(changedAt + 1_000);
  });
});

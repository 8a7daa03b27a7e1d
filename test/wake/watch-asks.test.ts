// Watching with the small question of what changed last, and with looks that somebody asks for at once; and what it does when
// the disk, Stash or a delivery fails. Over a world in memory.

import { expect, test } from 'vitest';
import type { World } from '../../src/invocation/world.ts';
import { ANY_CHANGE } from '../../src/wake/look.ts';
import { Watch } from '../../src/wake/watch.ts';
import { VirtualWorld } from '../support/virtual-world.ts';

const MINUTE_MS = 60_000;
const EVERY_MS = MINUTE_MS;

interface Watching {
  readonly watch: Watch;
  readonly ending: AbortController;
}

/** Watches from its first look on while `meanwhile` happens, then is told to end. */
async function watching(
  world: VirtualWorld,
  meanwhile: (running: Watching) => Promise<void>,
  otherwise: (own: World) => Partial<World> = () => ({}),
): Promise<void> {
  world.stash.settings.reconcile = 'never';
  const ending = new AbortController();
  await world.acting(async (own) => {
    const watch = new Watch({ ...own, ...otherwise(own) }, { everyMs: EVERY_MS, signal: ending.signal });
    const watched = watch.run();
    await world.pass(2_000);
    await meanwhile({ watch, ending });
    ending.abort();
    await watched;
  });
}

/** A Stash that can say what changed last. */
function withNewest(world: VirtualWorld) {
  return ({ stash, sleep }: World): Partial<World> => ({
    stash: {
      ...stash,
      newest: async () => {
        await sleep(2);
        const [scene] = [...world.stash.scenes.values()].sort((a, b) => b.updatedAt - a.updatedAt);
        const { id, updatedAt: changedAt } = scene!;
        return {
          ok: true,
          value: { now: world.stash.now, rows: [{ kind: 'scene', id, changedAt, isNew: false }] },
        };
      },
    },
  });
}

const looks = ({ stash }: VirtualWorld) =>
  stash.calls.filter(({ method }) => method === 'changedSince').length;
const told = ({ logs }: VirtualWorld, text: string) => logs.filter((line) => line.includes(text)).length;

test('what is committed late, with a time from before the newest change, is found within seconds', async () => {
  const world = VirtualWorld.withScenes(2);
  await watching(
    world,
    async () => {
      await world.pass(10_000);
      world.stash.edit('1', { title: 'the newest' });
      const { now } = world.stash;
      await world.pass(5_000);
      world.stash.edit('2', { title: 'committed late', updatedAt: now - 3_000 });
      await world.pass(15_000);
      expect([world.plex.title('1'), world.plex.title('2')]).toEqual(['the newest', 'committed late']);
    },
    withNewest(world),
  );
});

test('while what changed last is the same, whole looks are seldom', async () => {
  const world = VirtualWorld.withScenes(2);
  await watching(
    world,
    async () => {
      world.stash.edit('1', {});
      await world.pass(5_000);
      const before = looks(world);
      await world.pass(MINUTE_MS);
      expect(looks(world) - before).toBeLessThanOrEqual(7);
    },
    withNewest(world),
  );
});

test('a look that was not answered is made again at the next turn, not when a whole one is due', async () => {
  const world = VirtualWorld.withScenes(2);
  await watching(
    world,
    async () => {
      world.stash.edit('1', { title: 'at first' });
      // Its second is over at the next turn, so that the answer then is remembered.
      await world.pass(5_500);
      world.stash.edit('2', { title: 'unseen' });
      let isDown = true;
      world.stash.trouble = (method) =>
        isDown && method === 'changedSince' ? { kind: 'unreachable', detail: 'Stash does not answer' } : null;
      await world.pass(2_000);
      isDown = false;
      expect(told(world, 'Stash does not answer')).toBe(1);
      await world.pass(4_000);
      expect(world.plex.title('2')).toBe('unseen');
    },
    withNewest(world),
  );
});

test('a Stash that refuses the small question is looked through whole each time', async () => {
  const world = VirtualWorld.withScenes(1);
  const refusing = ({ stash }: World): Partial<World> => ({
    stash: {
      ...stash,
      newest: async () => ({ ok: false, failure: { kind: 'refused', detail: 'no such field' } }),
    },
  });
  await watching(
    world,
    async () => {
      const before = looks(world);
      await world.pass(10_000);
      expect(looks(world) - before).toBeGreaterThanOrEqual(9);
    },
    refusing,
  );
});

test('a look that is asked for is made at once, as it was asked for, however long the pause', async () => {
  const world = VirtualWorld.withScenes(1);
  await watching(world, async ({ watch }) => {
    await world.pass(60 * MINUTE_MS + 7_300);
    const from = world.time.nowMs;
    const looked = await watch.look({ ...ANY_CHANGE, scope: 'gone' });
    expect(looked).toMatchObject({ kind: 'looked', queued: 0 });
    expect(world.time.nowMs - from).toBeLessThan(100);
    expect(world.stash.calls.filter(({ method }) => method === 'sceneIds')).toHaveLength(1);
  });
});

test('who asked for a look that is not made any more is told so', async () => {
  const world = VirtualWorld.withScenes(1);
  let answer = 'nothing';
  await watching(world, async ({ watch, ending }) => {
    const first = watch.look(ANY_CHANGE);
    watch.look(ANY_CHANGE).catch((error: Error) => {
      answer = error.message;
    });
    ending.abort();
    await first.catch(() => {});
  });
  expect(answer).toBe('it was told to end');
});

test('a full disk ends nothing: it is said once, and what changed meanwhile is delivered', async () => {
  const world = VirtualWorld.withScenes(1);
  await watching(world, async () => {
    const { journal } = world;
    const append = journal.append.bind(journal);
    journal.append = async () => ({
      ok: false,
      failure: { kind: 'full', detail: 'no room left on the disk' },
    });
    world.stash.edit('1', { title: 'on a full disk' });
    await world.pass(MINUTE_MS);
    expect(told(world, 'no room left on the disk')).toBe(1);
    journal.append = append;
    await world.pass(EVERY_MS + MINUTE_MS);
    expect(world.plex.title('1')).toBe('on a full disk');
  });
});

test('a delivery that fails is not tried again at each look', async () => {
  const world = VirtualWorld.withScenes(1);
  const broken = (): Partial<World> => ({
    connectPlex: () => {
      throw new Error('a bug');
    },
  });
  await watching(
    world,
    async () => {
      world.stash.edit('1', {});
      await world.pass(2 * MINUTE_MS);
      expect(told(world, 'The delivery failed: a bug')).toBeGreaterThan(1);
      expect(told(world, 'The delivery failed: a bug')).toBeLessThanOrEqual(5);
    },
    broken,
  );
});

// What a person does by hand, at the shell and from Stash: hold, release, queue, dead letters, sync.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LiveWorld, until } from '../support/live-world.ts';

let world: LiveWorld;
beforeEach(async () => {
  world = await LiveWorld.start({ scenes: 4 });
});
afterEach(() => world.close());

const counts = async () => (await world.queue()).counts;
const titleIs = (scene: number, title: string) =>
  until(`scene ${scene} is "${title}"`, () => world.title(scene) === title);

/** Two items with one file: the scene is given up as ambiguous. */
async function giveUpScene1(): Promise<string> {
  const twin = world.plex.library.addItem({ file: '/media/scenes/clip 1.mp4', title: 'twin' });
  await world.stash.updateScene(1, { title: 'given up' });
  await until('it is given up', async () => (await counts()).dead === 1);
  return twin.ratingKey;
}

test('a hold keeps everything from Plex until it is released, and says why', async () => {
  expect((await world.cli('hold', 'open', '--for', '2h', '--reason', 'moving house')).code).toBe(0);
  await world.stash.updateScene(1, { title: 'held back' });
  expect((await world.cli('status')).stdout).toMatch(/Held \(operator\) for (2h|1h 59m) more: moving house/);
  const drained = await world.cli('drain');
  expect(drained.code).toBe(1);
  expect(drained.stdout).toMatch(/Held \(operator\): moving house/);
  expect(world.plex.requests.filter(({ method }) => method === 'PUT')).toEqual([]);
  expect((await world.cli('release')).stdout).toMatch(/Released/);
  expect((await world.cli('drain')).code).toBe(0);
  expect(world.title(1)).toBe('held back');
});

describe('dead letters', () => {
  test('are listed with their reason, retried once the cause is gone, and delivered at once', async () => {
    const twin = await giveUpScene1();
    expect((await world.cli('dead')).stdout).toMatch(/scene 1: given up \(ambiguous\): several Plex items/);
    expect((await world.cli('dead', '--reason', 'missing')).stdout).toMatch(/No dead letters/);
    world.plex.library.removeItem(twin);
    const retried = await world.stash.runTask('breakwater', 'Retry dead letters');
    expect(retried.error).toBeNull();
    await titleIs(1, 'given up');
    await until('it is noted', async () => (await counts()).pending === 0);
    expect(await counts()).toMatchObject({ dead: 0 });
  });

  test('are dropped by age and by job, and a newer change brings the scene back', async () => {
    const twin = await giveUpScene1();
    expect((await world.stash.runTask('breakwater', 'Purge old dead letters')).output).toEqual({
      dropped: [],
      isDry: false,
    });
    expect((await world.cli('drop', '--job', '2', '--json')).stdout).toContain('"dropped": []');
    expect((await world.cli('drop', '--job', '1')).stdout).toMatch(/1 dead letter dropped/);
    expect(await counts()).toMatchObject({ dead: 0 });
    world.plex.library.removeItem(twin);
    await world.stash.updateScene(1, { title: 'back' });
    await titleIs(1, 'back');
  });

  test('of an outage that never was: a clear error', async () => {
    const run = await world.cli('retry', '--outage', '3');
    expect(run.code).toBe(2);
    expect(run.stderr).toMatch(/there is no outage #3/);
  });
});

test('clear forgets what waits and keeps what was given up', async () => {
  await giveUpScene1();
  await world.killDrainer();
  await world.cli('hold', 'open');
  await world.stash.updateScene(2, { title: 'never' });
  await world.stash.idle();
  expect((await world.cli('queue')).stdout).toMatch(/scene 2: pending \(change\)/);
  expect((await world.stash.runTask('breakwater', 'Clear queue')).error).toBeNull();
  expect(await counts()).toMatchObject({ pending: 0, dead: 1 });
});

describe('sync', () => {
  test('all: every scene is compared, and only what differs is written', async () => {
    await world.stash.updateScene(3, { title: 'only this' });
    await titleIs(3, 'only this');
    await until('it is noted', async () => (await counts()).delivered === 1);
    await world.stash.idle();
    await world.killDrainer();
    world.plex.library.byRatingKey('1003')!.fields.title = 'wiped by a person';
    const synced = await world.stash.runTask('breakwater', 'Sync all');
    expect(synced.error).toBeNull();
    expect(synced.output).toMatchObject({
      reconciliation: { state: 'idle', last: { checked: 1, gaps: { kinds: { wiped: 1 } } } },
      drain: { written: 1, withheld: 0, gone: 0, expanded: 0 },
    });
    expect(world.title(3)).toBe('only this');
  });

  test('recent takes those that changed, one scene takes that one, and nonsense is refused', async () => {
    await world.cli('hold', 'open');
    for (const scene of world.stash.db.scenes()) scene.updatedAt = Date.parse('2020-01-01T00:00:00Z');
    await world.stash.updateScene(2, { title: 'recent' });
    await world.stash.idle();
    await world.cli('clear');
    const recent = await world.cli('sync', '--since', '1h', '--json');
    expect(JSON.parse(recent.stdout)).toMatchObject({ reconciliation: { state: 'running', checked: 0 } });
    expect(JSON.parse((await world.cli('sync', '--scene', '1,4', '--json')).stdout)).toMatchObject({
      queued: 2,
    });
    expect([...(await world.queue()).jobs.keys()].sort()).toEqual(['scene:1', 'scene:4']);
    await world.cli('release');
    const released = await world.cli('drain', '--json');
    expect(JSON.parse(released.stdout)).toMatchObject({ stop: { kind: 'idle' } });
    expect((await world.queue()).reconciliation).toMatchObject({ state: 'idle', last: { checked: 1 } });
    expect(world.title(2)).toBe('recent');
    expect((await world.cli('sync', '--scene', '../1')).stderr).toMatch(/is not the number of a scene/);
    expect((await world.cli('sync')).stderr).toMatch(/say which scenes/);
  });
});

test('undo writes back over the wire what was overwritten, and unlock gives the field back', async () => {
  const { plex, stash } = world;
  const item = plex.library.byRatingKey('1001')!;
  item.fields.title = 'theirs';
  await stash.updateScene(1, { title: 'ours' });
  await titleIs(1, 'ours');
  await until('it is noted', async () => (await counts()).delivered === 1);
  await world.killDrainer();
  expect((await world.cli('undo', '--scene', '1', '--dry-run')).stdout).toMatch(/would put back title/);
  expect(world.title(1)).toBe('ours');
  const undone = await world.cli('undo', '--scene', '1');
  expect(undone.stdout).toMatch(/scene 1: put back title/);
  expect([undone.code, world.title(1)]).toEqual([0, 'theirs']);
  expect((await world.cli('sync', '--scene', '1')).code).toBe(0);
  expect(world.title(1)).toBe('theirs');
  expect(item.locked).toContain('title');
  expect((await world.cli('unlock', '--scene', '1', '--fields', 'title')).code).toBe(0);
  expect(item.locked).not.toContain('title');
  expect((await world.cli('undo')).stderr).toMatch(/say what to undo/);
});

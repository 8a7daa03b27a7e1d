// What Stash no longer says of a scene that was delivered: what is ours goes, and nothing of anybody else.

import { describe, expect, test } from 'vitest';
import { VirtualWorld } from '../support/virtual-world.ts';

const WRITES = new Set(['edit', 'uploadImage', 'selectImage']);

/** Scene 1 with two tags of ours beside one of a person. */
async function tagged(settings: Record<string, string> = {}): Promise<VirtualWorld> {
  const world = VirtualWorld.withScenes(1);
  Object.assign(world.stash.settings, settings);
  world.plex.items.get('1')!.tags.genre.push('Theirs');
  world.stash.edit('1', { title: 'ours', details: 'ours too', date: '2024-05-06', tags: ['A', 'B'] });
  await deliver(world);
  return world;
}

async function deliver(world: VirtualWorld): Promise<void> {
  world.plex.calls.length = 0;
  await world.hook('scene:1');
  await world.settled();
}

const itemOf = (world: VirtualWorld) => world.plex.items.get('1')!;
const writesIn = (world: VirtualWorld) => world.plex.calls.filter(({ method }) => WRITES.has(method));

describe('a scene that lost its last value', () => {
  const bare = { title: '', details: '', date: '', tags: [] };

  test.each(['on', 'mirror'])('takes our tags back and nothing else, where fields are %s', async (mode) => {
    const world = await tagged({ fields: `summary: ${mode}, tags: ${mode}, date: ${mode}` });
    itemOf(world).tags.genre = ['A', 'B', 'Theirs'];
    world.stash.edit('1', bare);
    await deliver(world);
    expect(itemOf(world).tags.genre).toEqual(['Theirs']);
    expect(itemOf(world).fields).toMatchObject({
      title: 'ours',
      summary: 'ours too',
      originallyAvailableAt: '2024-05-06',
    });
    expect(writesIn(world).map(({ method }) => method)).toEqual(['edit']);
    await deliver(world);
    expect(world.plex.calls.filter(({ method }) => method === 'items' || WRITES.has(method))).toEqual([]);
  });

  test('is found by a reconciliation, once, and then named as one that is left alone', async () => {
    const world = await tagged();
    world.stash.edit('1', bare);
    const dry = await world.run('reconcile', { scope: 'all', dryRun: 'true' });
    expect(dry.lines.join('\n')).toMatch(/scene 1 .*: changed\n +tags: A, B, Theirs → Theirs\n/);
    await world.run('reconcile', { scope: 'all' });
    expect(itemOf(world).tags.genre).toEqual(['Theirs']);
    const next = await world.run('reconcile', { scope: 'all' });
    expect(next.lines[0]).toMatch(
      /0 scenes compared .* Not compared: 1 without values in Stash \(Plex is left as it is\)\./,
    );
    const named = await world.run('reconcile', { scope: 'all', dryRun: 'true' });
    expect(named.lines[0]).toMatch(/^not compared, without values in Stash .*: 1$/);
    expect(named.document).toMatchObject({ checked: 0, skipped: [{ scene: '1', reason: 'no-values' }] });
  });

  test('is named in what a drain says', async () => {
    const world = VirtualWorld.withScenes(2);
    world.stash.edit('1', bare);
    await world.queued('scene:1', 'scene:2');
    const { lines } = await world.run('drain', {});
    expect(lines).toContain(
      '1 scene written, 0 already right, 1 without values left alone, 0 deferred, 0 given up.',
    );
  });
});

describe('a scene whose day became a year', () => {
  test('takes back the day that we wrote, and says the year, in one edit', async () => {
    const world = await tagged();
    world.stash.edit('1', { date: '2023' });
    await deliver(world);
    expect(itemOf(world).fields).toMatchObject({ originallyAvailableAt: '', year: '2023' });
    expect(writesIn(world)).toHaveLength(1);
    await deliver(world);
    expect(writesIn(world)).toEqual([]);
  });

  test('leaves a day that others wrote: before us, over ours, or by an undo', async () => {
    const before = VirtualWorld.withScenes(1);
    itemOf(before).fields.originallyAvailableAt = '2024-05-06';
    before.stash.edit('1', { date: '2024-05-06' });
    await deliver(before);
    const over = await tagged();
    itemOf(over).fields.originallyAvailableAt = '2022-01-01';
    const undone = await tagged();
    await undone.run('undo', { scene: '1' });
    itemOf(undone).fields.originallyAvailableAt = '2024-05-06';
    for (const [world, day] of [
      [before, '2024-05-06'],
      [over, '2022-01-01'],
      [undone, '2024-05-06'],
    ] as const) {
      world.stash.edit('1', { date: '2023' });
      await deliver(world);
      expect(itemOf(world).fields.originallyAvailableAt).toBe(day);
    }
  });

  test('leaves the day where the date is gone altogether: that clears nothing unless asked to', async () => {
    const world = await tagged();
    world.stash.edit('1', { date: '' });
    await deliver(world);
    expect(itemOf(world).fields.originallyAvailableAt).toBe('2024-05-06');
  });
});

// A new file that Plex has not seen: Plex is asked to look at its folder where that is wanted, and the scene waits until
// its item is there; no longer than it must.

import { expect, test, vi } from 'vitest';
import { FolderScan } from '../../src/sync/folder-scan.ts';
import { startPlexAndClient, unwrap } from '../support/plex-fixture.ts';
import { type Trouble, VirtualWorld } from '../support/virtual-world.ts';

const MINUTE_MS = 60_000;

/** New scenes by id, with their files below a folder that the two know by other names. */
function withNewFiles(files: Readonly<Record<string, string>>): VirtualWorld {
  const world = new VirtualWorld();
  Object.assign(world.stash.settings, { scanNewFiles: 'true', pathMap: '/data => /media' });
  for (const [id, file] of Object.entries(files)) {
    world.stash.edit(id, { title: `title ${id}`, files: [`/data/${file}`] });
    world.plex.unscanned.set(id, `/media/${file}`);
  }
  return world;
}

const scans = (world: VirtualWorld) =>
  world.plex.calls.filter(({ method }) => method === 'scan').flatMap(({ keys }) => keys);
const jobOf = async (world: VirtualWorld, id: string) => (await world.queue()).jobs.get(`scene:${id}`);

test('Plex looks at each folder once, under its own name for it, and the scenes arrive seconds later', async () => {
  const world = withNewFiles({ 1: 'A/1.mp4', 2: 'A/2.mp4', 3: 'B & C/3.mp4' });
  const from = world.time.nowMs;
  for (const id of ['1', '2', '3']) await world.hook(`scene:${id}`);
  await world.settled();
  expect(scans(world)).toEqual(['/media/A', '/media/B & C']);
  for (const id of ['1', '2', '3']) expect(world.plex.title(id)).toBe(`title ${id}`);
  expect(world.plex.edits().at(-1)!.atMs - from).toBeLessThan(10_000);
});

test('a file that is put into the folder later is looked for as well, by the same drainer', async () => {
  const world = withNewFiles({ 1: 'A/1.mp4', 2: 'A/2.mp4' });
  const second = world.plex.unscanned.get('2')!;
  const scene = world.stash.scenes.get('2')!;
  world.plex.unscanned.delete('2');
  world.stash.scenes.delete('2');
  await world.hook('scene:1');
  world.after(3_000, async () => {
    world.plex.unscanned.set('2', second);
    world.stash.scenes.set('2', scene);
    await world.hook('scene:2');
  });
  await world.settled();
  expect(scans(world)).toEqual(['/media/A', '/media/A']);
  expect([world.plex.title('1'), world.plex.title('2')]).toEqual(['title 1', 'title 2']);
  expect(world.started).toHaveLength(1);
});

test('a hundred files that are put into one folder one after the other cost a few looks at it', async () => {
  const files = Object.fromEntries(
    Array.from({ length: 100 }, (_, index) => [index + 1, `A/${index + 1}.mp4`]),
  );
  const world = withNewFiles(files);
  const later = new Map(world.plex.unscanned);
  const scenes = new Map(world.stash.scenes);
  world.plex.unscanned.clear();
  world.stash.scenes.clear();
  for (const [id, file] of later) {
    world.after(Number(id) * 500, async () => {
      world.plex.unscanned.set(id, file);
      world.stash.scenes.set(id, scenes.get(id)!);
      await world.hook(`scene:${id}`);
    });
  }
  await world.pass(60_000);
  await world.settled();
  expect(scans(world).length).toBeLessThan(10);
  for (const id of later.keys()) expect(world.plex.title(id)).toBe(`title ${id}`);
});

test('a file that does not come is asked for ever more rarely, and its folder is not looked at again', async () => {
  const world = withNewFiles({ 1: 'A/1.mp4' });
  world.plex.unscanned.clear();
  await world.hook('scene:1');
  await world.settled();
  const job = await jobOf(world, '1');
  expect(job).toMatchObject({ state: 'deferred', reason: 'missing' });
  expect(scans(world)).toEqual(['/media/A']);
  expect(await world.openings()).toBe(0);
});

test('nothing is scanned where nobody asked for it', async () => {
  const world = withNewFiles({ 1: 'A/1.mp4' });
  world.stash.settings.scanNewFiles = '';
  await world.queued('scene:1');
  await world.drain({ mayWait: false });
  expect([scans(world), (await jobOf(world, '1'))?.deferredFor]).toEqual([[], 'missing']);
});

test.each<[string, Trouble]>([
  ['answers 500', { status: 500 }],
  ['is gone for a moment', { code: 'ECONNREFUSED' }],
])('a Plex that %s to the scan has the scene wait as it would without one', async (_, does) => {
  const world = withNewFiles({ 1: 'A/1.mp4' });
  world.plex.rule({ methods: ['scan'], does });
  await world.queued('scene:1');
  await world.drain({ mayWait: false });
  expect(await jobOf(world, '1')).toMatchObject({ state: 'deferred', reason: 'missing' });
  expect(await world.openings()).toBe(0);
});

test('what waits for its item for hours is tried at once when Plex has looked by itself', async () => {
  const world = withNewFiles({ 1: 'A/1.mp4' });
  world.stash.settings.scanNewFiles = '';
  await world.queued('scene:1');
  for (let attempt = 0; attempt < 8; attempt++) {
    await world.drain({ mayWait: false });
    await world.pass(128 * MINUTE_MS);
  }
  const before = await jobOf(world, '1');
  world.plex.calls.length = 0;
  await world.drain({ mayWait: false });
  await world.drain({ mayWait: false });
  expect(await jobOf(world, '1')).toMatchObject({ state: 'deferred', reason: 'missing' });

  world.plex.scan('/media/A');
  await world.drain({ mayWait: false });
  expect(world.plex.title('1')).toBe('title 1');
  expect(before?.attempts).toBeGreaterThan(5);
});

test('over the wire: the folder in the address as it is on the disk, in the library that holds it', async () => {
  const { plex, client } = await startPlexAndClient();
  const folder = '/media/scenes/A & B+c #1 100% é';
  plex.library.placeFile({ file: `${folder}/new.mp4` });
  const scan = new FolderScan(client, [{ from: '/data', to: '/media' }]);
  const sections = unwrap(await client.sections());
  const wish = (file: string) => ({ files: [file], queuedAt: 1, now: 2 });
  expect(await scan.ask(wish('/data/scenes/A & B+c #1 100% é/new.mp4'), sections)).toBe(true);
  expect(await scan.ask(wish('/data/scenes/A & B+c #1 100% é/other.mp4'), sections)).toBe(true);
  expect(await scan.ask(wish('/elsewhere/x.mp4'), sections)).toBe(false);
  const asked = plex.requests.filter(({ path }) => path.endsWith('/refresh'));
  expect(asked.map(({ path, query }) => [path, query.path])).toEqual([
    ['/library/sections/3/refresh', folder],
  ]);
  await vi.waitFor(() => expect(plex.library.findByFile(`${folder}/new.mp4`)).toBeDefined());
});

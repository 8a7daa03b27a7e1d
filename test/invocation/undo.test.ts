// Undo, unlock and lock over a world in memory: what Breakwater overwrote goes back, what others changed since does not,
// and an undo is an edit that can be undone.

import { describe, expect, test } from 'vitest';
import { DRAIN_LEASE_MS } from '../../src/breaker/drain-lease.ts';
import { queueEventOf } from '../../src/queue/queue-fold.ts';
import { fileOf, VirtualWorld } from '../support/virtual-world.ts';

const MINUTE_MS = 60_000;

/** Scene 1 was delivered over what a person had in Plex. */
async function overwritten(): Promise<VirtualWorld> {
  const world = VirtualWorld.withScenes(2);
  Object.assign(world.plex.items.get('1')!.fields, { title: 'theirs', studio: 'their studio' });
  Object.assign(world.plex.items.get('1')!.tags, { genre: ['Their tag'] });
  world.plex.items.get('1')!.uploads.thumb = ['upload://posters/theirs'];
  world.plex.items.get('1')!.images.thumb = '/library/metadata/1/thumb/0';
  world.stash.edit('1', { title: 'ours', studio: '', details: 'text', tags: ['A', 'B'] });
  await deliver(world);
  return world;
}

async function deliver(world: VirtualWorld): Promise<void> {
  await world.hook('scene:1');
  await world.settled();
}

function held(world: VirtualWorld) {
  const { fields, tags, images, uploads, locked } = world.plex.items.get('1')!;
  return { ...fields, genre: tags.genre, thumb: uploads.thumb.at(-1), isThumb: images.thumb !== '', locked };
}

async function attempts(world: VirtualWorld) {
  const { entries } = await world.journal.read('queue', 0);
  return entries.flatMap((entry) => {
    const event = entry.kind === 'record' ? queueEventOf(entry.record, entry.position) : null;
    return event?.type === 'job.attempted' || event?.type === 'job.restored' ? [event] : [];
  });
}

describe('undo', () => {
  test('puts back what was there: fields, tags, the poster; what was empty is empty again', async () => {
    const world = await overwritten();
    expect(held(world)).toMatchObject({ title: 'ours', summary: 'text', genre: ['A', 'B', 'Their tag'] });
    const result = await world.run('undo', { scene: '1' });
    expect(result).toMatchObject({ isOk: true });
    expect(held(world)).toMatchObject({
      title: 'theirs',
      studio: 'their studio',
      summary: '',
      genre: ['Their tag'],
      thumb: 'upload://posters/theirs',
    });
    expect((await world.queue()).known.get('scene:1')?.own).toEqual({});
    expect((await attempts(world)).at(-2)).toMatchObject({ type: 'job.attempted', by: 'undo' });
    expect(result.lines.join('\n')).toMatch(/scene 1: put back title, summary, tags, poster/);
  });

  test('stays undone, whatever delivers the scene, until Stash says something new of a field', async () => {
    const world = await overwritten();
    await world.run('undo', { scene: '1' });
    await deliver(world);
    await world.run('reconcile', { scope: 'all' });
    expect(held(world)).toMatchObject({ title: 'theirs', genre: ['Their tag'], summary: '' });
    world.stash.edit('1', { title: 'ours, anew' });
    await deliver(world);
    expect(held(world)).toMatchObject({ title: 'ours, anew', genre: ['Their tag'], summary: '' });
  });

  test('can be undone, and that too', async () => {
    const world = await overwritten();
    await world.run('undo', { scene: '1' });
    await world.run('undo', { scene: '1' });
    expect(held(world)).toMatchObject({ title: 'ours', summary: 'text', genre: ['A', 'B', 'Their tag'] });
    expect((await world.queue()).known.get('scene:1')).toMatchObject({
      own: { genre: ['A', 'B'] },
      spared: {},
    });
    await world.run('undo', { scene: '1' });
    expect(held(world)).toMatchObject({ title: 'theirs', genre: ['Their tag'] });
  });

  test('of an undo has the tags kept in step again, though others have tags beside ours', async () => {
    const world = await overwritten();
    await world.run('undo', { scene: '1' });
    await world.run('undo', { scene: '1' });
    expect((await world.queue()).known.get('scene:1')?.spared).not.toHaveProperty('genre');
    world.plex.items.get('1')!.tags.genre = ['Their tag'];
    await world.run('reconcile', { scope: 'all' });
    expect(held(world).genre).toEqual(['A', 'B', 'Their tag']);
  });

  test('undoes the edit of a drainer that was at work when it was asked for', async () => {
    const world = await overwritten();
    world.stash.edit('1', { title: 'newer' });
    await world.hook('scene:1');
    const [result] = await Promise.all([world.run('undo', { scene: '1' }), world.settled()]);
    expect(result.lines.join('\n')).not.toMatch(/left alone/);
    expect(held(world)).toMatchObject({ title: 'ours', summary: 'text' });
  });

  // The scene's item was replaced in Plex (a library made anew): what was in the old one was never in the new.
  test('of a scene that was delivered to two items one after the other is about the newer item alone', async () => {
    const world = await overwritten();
    world.plex.items.delete('1');
    world.plex.add('9', { title: 'the new item' });
    world.plex.items.get('9')!.files = [fileOf('1')];
    await deliver(world);
    expect(world.plex.title('9')).toBe('ours');
    await world.pass(1_000);
    const result = await world.run('undo', { scene: '1', since: '1h' });
    expect(result).toMatchObject({ isOk: true, document: { undone: [{ item: '9' }] } });
    expect(world.plex.items.get('9')!.fields).toMatchObject({ title: 'the new item', summary: '' });
    expect(world.plex.items.get('9')!.fields.studio ?? '').toBe('');
  });

  test.each(['while its scenes are read', 'between two of its writes'])(
    'writes nothing more when another process took the lease %s',
    async (when) => {
      const world = await overwritten();
      const before = world.plex.calls.length;
      const other = await world.scribe('other');
      const isWrite = (method: string) => method === 'edit' || method === 'selectImage';
      let writes = 0;
      let isTaken = false;
      const take = async () => {
        isTaken = true;
        await world.time.sleep(DRAIN_LEASE_MS + MINUTE_MS);
        await other.refresh();
        await other.appendOrThrow({ type: 'lease.claimed', lease: 'drain', forMs: DRAIN_LEASE_MS, draw: 0 });
      };
      world.plex.onCall = async ({ inv, method }) => {
        if (!inv.startsWith('task')) return;
        if (isWrite(method)) writes += 1;
        const isDue = when.startsWith('while') ? method === 'items' : isWrite(method);
        if (isDue && !isTaken) await take();
      };
      const result = await world.run('undo', { scene: '1' });
      expect(isTaken).toBe(true);
      expect(result).toMatchObject({ isOk: false, document: { symptom: 'lease-lost' } });
      expect(writes).toBe(when.startsWith('while') ? 0 : 1);
      expect(world.plex.calls.length).toBeGreaterThan(before);
    },
  );

  test('leaves alone and names what others changed since', async () => {
    const world = await overwritten();
    world.plex.items.get('1')!.fields.title = 'a person, since';
    world.plex.items.get('1')!.tags.genre.push('And this');
    const result = await world.run('undo', { scene: '1' });
    expect(held(world)).toMatchObject({ title: 'a person, since', summary: '' });
    expect(held(world).genre).toContain('And this');
    const said = result.lines.join('\n');
    expect(said).toMatch(/scene 1: left alone: title, as it was changed in Plex since/);
    expect(said).toMatch(/scene 1: left alone: tags/);
  });

  test('since a time: over several edits of several scenes, to what was before the first', async () => {
    const world = await overwritten();
    await world.pass(3_600_000);
    for (const title of ['second', 'third']) {
      world.stash.edit('1', { title });
      world.stash.edit('2', { title });
      await world.hook('scene:2');
      await deliver(world);
    }
    const result = await world.run('undo', { since: '30m' });
    expect(held(world)).toMatchObject({ title: 'ours', summary: 'text' });
    expect(world.plex.title('2')).not.toBe('third');
    expect(result.document).toMatchObject({ total: 2, stopped: null });
    const before = (await attempts(world)).length;
    expect(await world.run('undo', { since: '30m' })).toMatchObject({ isOk: true });
    expect(await attempts(world)).toHaveLength(before);
  });

  test('a dry run shows it and writes nothing anywhere', async () => {
    const world = await overwritten();
    const before = { held: held(world), size: await world.journal.size('queue') };
    const control = await world.journal.size('control');
    const result = await world.run('undo', { scene: '1', dryRun: 'true' });
    expect(result.lines.join('\n')).toMatch(/scene 1: would put back title/);
    expect({ held: held(world), size: await world.journal.size('queue') }).toEqual(before);
    expect(await world.journal.size('control')).toBe(control);
  });

  test('while Plex is away, or of nothing, or of nonsense, is refused in words', async () => {
    const world = await overwritten();
    expect((await world.run('undo', { scene: '2' })).lines.join()).toMatch(/nothing to undo/);
    await expect(world.run('undo', {})).rejects.toThrow(/say what to undo/);
    await expect(world.run('undo', { scene: 'x' })).rejects.toThrow(/not the number of a scene/);
    const heal = world.plex.goAway();
    const away = await world.run('undo', { scene: '1' });
    expect(away).toMatchObject({ isOk: false });
    expect(away.lines.join()).toMatch(/Run it again|Plex is away/);
    heal();
  });

  test('a scene that Stash no longer has is put back for good', async () => {
    const world = await overwritten();
    world.stash.scenes.delete('1');
    await world.run('undo', { scene: '1' });
    expect(held(world)).toMatchObject({ title: 'theirs' });
    expect((await world.queue()).known.get('scene:1')?.spared).toMatchObject({ title: null, genre: null });
  });
});

describe('unlock', () => {
  test('gives a field back: unlocked, and left alone by every delivery, until it is taken again', async () => {
    const world = await overwritten();
    expect(held(world).locked).toContain('title');
    expect(await world.run('unlock', { scene: '1', fields: 'title, tags' })).toMatchObject({ isOk: true });
    expect([...held(world).locked]).not.toContain('title');
    expect([...held(world).locked]).toContain('summary');
    const told = (await world.run('why', { scene: '1' })).lines.join('\n');
    expect(told).toMatch(/a person gave back, in Plex item 1: title, tags$/m);
    expect(told).toMatch(/poster: .* → the cover in Stash then/);
    world.plex.items.get('1')!.fields.title = 'by a refresh of Plex';
    world.stash.edit('1', { title: 'new in Stash', details: 'new text' });
    await deliver(world);
    expect(held(world)).toMatchObject({ title: 'by a refresh of Plex', summary: 'new text' });
    await world.run('lock', { scene: '1', fields: 'title' });
    await world.settled();
    expect(held(world)).toMatchObject({ title: 'new in Stash' });
    expect(held(world).locked).toContain('title');
    expect((await world.run('why', { scene: '1' })).lines.join('\n')).toMatch(
      /queued: a person took fields of it again/,
    );
  });

  test('lasts longer than an undo: what Stash says then is not delivered either', async () => {
    const world = await overwritten();
    await world.run('unlock', { scene: '1', fields: 'title' });
    await world.run('undo', { scene: '1' });
    world.stash.edit('1', { title: 'new in Stash', details: 'new text' });
    await deliver(world);
    expect(held(world)).toMatchObject({ title: 'theirs', summary: 'new text' });
  });

  test('gives back the year of a date that said no day', async () => {
    const world = await overwritten();
    world.stash.edit('1', { date: '2020' });
    await deliver(world);
    expect(held(world).locked).toContain('year');
    await world.run('unlock', { scene: '1', fields: 'date' });
    expect(held(world).locked).not.toContain('year');
  });

  test('of a scene that was never delivered, or a field that is none, says so', async () => {
    const world = await overwritten();
    expect((await world.run('unlock', { scene: '2' })).lines.join()).toMatch(/scene 2 was never delivered/);
    await expect(world.run('unlock', { scene: '1', fields: 'titel' })).rejects.toThrow(
      /"titel" is not a field/,
    );
    await expect(world.run('unlock', {})).rejects.toThrow(/say which scenes/);
    expect(await world.run('unlock', { scope: 'all', fields: 'rating' })).toMatchObject({ isOk: true });
  });
});

// What an independent client of Plex sees after a sync, asking in XML as the clients of others do; and what a sync costs
// Plex in requests, counted by the simulated Plex. Real processes over real sockets.

import { createHash } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { ask, xmlElements } from '../simulators/plex-raw-client.ts';
import { LiveWorld, until } from '../support/live-world.ts';

let world: LiveWorld;
afterEach(() => world.close());

/** From when nobody is at work until the command line is done, without what the command itself finds waiting. */
async function requestsDuring(...words: string[]) {
  await until('the drainer has left', async () => (await world.control()).drain.value === 'free');
  world.plex.reset();
  expect((await world.cli(...words)).code).toBe(0);
  return world.plex.requests.map(({ method, path }) => `${method} ${path}`);
}

const isWrite = (request: string) => !request.startsWith('GET');

describe('an independent client sees each field as it was set, and locked', () => {
  test('for a scene that has every one of them', async () => {
    world = await LiveWorld.start({
      scenes: 2,
      stashVersion: 'v0.30.1',
      settings: {
        fields: 'tagline: on, labels: on',
        taglineFrom: 'code',
        collectionsFrom: 'studio, groups',
        labelsFrom: 'organized',
        roleFrom: 'disambiguation',
        performerImagesFrom: 'http://stash.lan:9999',
      },
    });
    const { stash, plex } = world;
    const made = await stash.graphql(`mutation{
      s:studioCreate(input:{name:"Acme & Söhne"}){id} g:groupCreate(input:{name:"A \\"series\\""}){id}
      a:performerCreate(input:{name:"Ann O’Nym",disambiguation:"the elder"}){id} b:performerCreate(input:{name:"Bo"}){id}
      t:tagCreate(input:{name:"out, doors"}){id} u:tagCreate(input:{name:"日本"}){id}}`);
    await stash.updateScene(2, {
      title: 'A & B <c> "d"',
      details: 'First.\n\nSecond — 日本.',
      code: 'AB-12',
      date: '2021-05-04',
      rating100: 85,
      organized: true,
      studio_id: made.s.id,
      groups: [{ group_id: made.g.id }],
      performer_ids: [made.a.id, made.b.id],
      tag_ids: [made.t.id, made.u.id],
    });
    await until('all is delivered', async () => (await world.queue()).counts.delivered > 0);

    const { text } = await ask(plex, '/library/metadata/1002');
    const tags = (element: string) => xmlElements(text, element).map(({ tag }) => tag);
    const [video] = [/<Video [^>]*>/.exec(text)?.[0].replace('>', '/>') ?? ''].flatMap((head) =>
      xmlElements(head, 'Video'),
    );
    expect(video).toMatchObject({
      title: 'A & B <c> "d"',
      studio: 'Acme & Söhne',
      summary: 'First.\n\nSecond — 日本.',
      tagline: 'AB-12',
      originallyAvailableAt: '2021-05-04',
      year: '2021',
      userRating: '8.5',
    });
    expect(xmlElements(text, 'Role')).toMatchObject([
      { tag: 'Ann O’Nym', role: 'the elder', thumb: `http://stash.lan:9999/performer/${made.a.id}/image` },
      { tag: 'Bo', role: '', thumb: `http://stash.lan:9999/performer/${made.b.id}/image` },
    ]);
    expect(tags('Genre')).toEqual(['out, doors', '日本']);
    expect(tags('Collection')).toEqual(['Acme & Söhne', 'A "series"']);
    expect(tags('Label')).toEqual(['Organized']);
    const locked = xmlElements(text, 'Field').map(({ name, locked: is }) => `${name} ${is}`);
    const fields =
      'actor art collection genre label originallyAvailableAt studio summary tagline thumb title userRating';
    expect(locked.sort()).toEqual(fields.split(' ').map((name) => `${name} 1`));

    const cover = stash.db.findScene('2')!.cover!.bytes;
    const sha1 = createHash('sha1').update(cover).digest('hex');
    for (const [kind, shown] of [
      ['posters', video?.thumb],
      ['arts', video?.art],
    ] as const) {
      const photos = xmlElements((await ask(plex, `/library/metadata/1002/${kind}`)).text, 'Photo');
      expect(photos.filter(({ selected }) => selected === '1')).toMatchObject([
        { ratingKey: expect.stringMatching(`/${sha1}$`) },
      ]);
      expect((await ask(plex, shown ?? '')).body.equals(cover)).toBe(true);
    }

    // And a refresh by Plex undoes none of it.
    const { revision } = plex.library;
    await ask(plex, '/library/metadata/1002/refresh', { method: 'PUT' });
    await until('Plex has refreshed it', () => plex.library.revision > revision);
    expect((await ask(plex, '/library/metadata/1002')).text).toContain('A &amp; B &lt;c&gt;');
  });
});

describe('what a sync costs Plex', () => {
  test('an unchanged scene: one request and no write; a changed one: three', async () => {
    world = await LiveWorld.start({ scenes: 2 });
    await world.stash.updateScene(2, { title: 'one', details: 'x' });
    await until('all is delivered', async () => (await world.queue()).counts.delivered > 0);
    expect(await requestsDuring('sync', '--scene', '2')).toEqual(['GET /library/metadata/1002']);
    await world.cli('hold', 'open', '--for', '1h');
    await world.stash.updateScene(2, { title: 'two', details: 'y' });
    // Or its wake delivers it once nothing is held any more.
    await world.stash.idle();
    await world.cli('release');
    expect(await requestsDuring('drain')).toEqual([
      'GET /library/metadata/1002',
      'PUT /library/metadata/1002',
      'GET /library/metadata/1002',
    ]);
    expect(world.title(2)).toBe('two');
  });

  test('a thousand unchanged scenes: some dozen requests, whether they are queued or compared', async () => {
    const SCENES = 1_000;
    world = await LiveWorld.start({
      scenes: SCENES,
      settings: { fields: 'poster: off, background: off', reconcile: 'never' },
    });
    for (let id = 1; id <= SCENES; id++) world.stash.db.findScene(String(id))!.title = `title ${id}`;
    await world.cli('sync', '--all');
    expect(world.title(SCENES)).toBe(`title ${SCENES}`);

    const compared = await requestsDuring('sync', '--all');
    expect(compared.filter(isWrite)).toEqual([]);
    expect(compared.length).toBeLessThanOrEqual(40);
    const ids = Array.from({ length: SCENES }, (_, index) => index + 1).join(',');
    const queued = await requestsDuring('sync', '--scene', ids);
    expect(queued.filter(isWrite)).toEqual([]);
    expect(queued.length).toBeLessThanOrEqual(40);
    expect((await world.queue()).counts).toMatchObject({ pending: 0, deferred: 0, dead: 0 });
  });
});

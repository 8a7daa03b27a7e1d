// Edits, locks, tags, collections, images, scans and refreshes: what is written is what is read back.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultQuirks } from './plex/entries.ts';
import { maxImageBytes } from './plex/images.ts';
import { type PlexSimulator, startPlexSimulator } from './plex/server.ts';
import { ask, askJson, eventually, itemOf, type Told, xmlElements } from './plex-raw-client.ts';

let plex: PlexSimulator;
beforeEach(async () => {
  plex = await startPlexSimulator({ items: 3 });
});
afterEach(() => plex.close());

const put = (path: string): Promise<Told> => ask(plex, path, { method: 'PUT' });
const edit = (query: string, key = '1001'): Promise<Told> => put(`/library/metadata/${key}?${query}`);
const names = (tags: { tag: string }[] | undefined): string[] => (tags ?? []).map((tag) => tag.tag);
const genres = async (key = '1001'): Promise<string[]> => names((await itemOf(plex, key)).Genre);

function seed(...genreNames: string[]): void {
  const item = plex.library.byRatingKey('1001')!;
  item.tags.genre = genreNames.map((name) => ({ name, role: '', thumb: '' }));
  plex.library.noteChange(item);
}

describe('scalar edits', () => {
  it.each([
    ['title', 'A & B', 'A & B'],
    ['titleSort', 'b, a', 'b, a'],
    ['originalTitle', '日本', '日本'],
    ['summary', 'one\ntwo', 'one\ntwo'],
    ['studio', 'S', 'S'],
    ['tagline', '100% + more', '100% + more'],
    ['contentRating', 'R', 'R'],
    ['originallyAvailableAt', '2024-05-06', '2024-05-06'],
    ['editionTitle', 'cut', 'cut'],
    ['userRating', '7.5', 7.5],
    ['year', '1999', 1999],
  ])('writes and clears %s', async (name, value, expected) => {
    const done = await edit(`${name}.value=${encodeURIComponent(value)}&${name}.locked=1`);
    expect([done.status, done.headers['content-type'], done.headers['content-length']]).toEqual([
      200,
      'text/html',
      '0',
    ]);
    const item = await itemOf(plex, '1001');
    expect(item[name]).toBe(expected);
    expect(item.Field).toEqual([{ locked: true, name }]);

    await edit(`${name}.value=&${name}.locked=0`);
    const cleared = await itemOf(plex, '1001');
    expect(cleared).not.toHaveProperty('Field');
    if (name === 'title') expect(cleared.title).toBe('clip 1');
    else if (name === 'summary') expect(cleared.summary).toBe('');
    else expect(cleared).not.toHaveProperty(name);
  });

  it('derives the year from the release date unless it was edited', async () => {
    await edit('originallyAvailableAt.value=2024-05-06');
    expect((await itemOf(plex, '1001')).year).toBe(2024);
    await edit('year.value=2001');
    expect((await itemOf(plex, '1001')).year).toBe(2001);
  });

  it.each([
    'originallyAvailableAt.value=May',
    'originallyAvailableAt.value=2024-02-31',
    'year.value=x',
    'userRating.value=x',
  ])('refuses %s with 400 and changes nothing', async (query) => {
    expect((await edit(`title.value=new&${query}`)).status).toBe(400);
    expect((await itemOf(plex, '1001')).title).toBe('clip 1');
  });

  it('locks nothing by itself, unless that quirk is on', async () => {
    await edit('title.value=x');
    expect(await itemOf(plex, '1001')).not.toHaveProperty('Field');
    plex.library.quirks.isEditLocking = true;
    await edit('title.value=y&genre[0].tag.tag=a');
    expect((await itemOf(plex, '1001')).Field.map((field: { name: string }) => field.name)).toEqual([
      'genre',
      'title',
    ]);
  });

  it('shows locks in XML', async () => {
    await edit('title.locked=1&thumb.locked=1');
    const { text } = await ask(plex, '/library/metadata/1001');
    expect(xmlElements(text, 'Field')).toEqual([
      { locked: '1', name: 'thumb' },
      { locked: '1', name: 'title' },
    ]);
  });
});

describe('which items an edit reaches', () => {
  it.each([
    ['section form', '/library/sections/3/all?type=1&id=1001,1003&title.value=T', ['T', 'clip 2', 'T'], 200],
    [
      'section form, encoded ids',
      '/library/sections/3/all?type=1&id=1001%2C1003&title.value=T',
      ['T', 'clip 2', 'T'],
      200,
    ],
    ['metadata form', '/library/metadata/1001,1003?title.value=T', ['T', 'clip 2', 'T'], 200],
    [
      'section form, unknown id',
      '/library/sections/3/all?type=1&id=9&title.value=T',
      ['clip 1', 'clip 2', 'clip 3'],
      404,
    ],
    ['metadata form, unknown id', '/library/metadata/9?title.value=T', ['clip 1', 'clip 2', 'clip 3'], 404],
    [
      'other section',
      '/library/sections/4/all?type=1&id=1001&title.value=T',
      ['clip 1', 'clip 2', 'clip 3'],
      404,
    ],
    [
      'other type',
      '/library/sections/3/all?type=18&id=1001&title.value=T',
      ['clip 1', 'clip 2', 'clip 3'],
      404,
    ],
    [
      'unknown section',
      '/library/sections/9/all?type=1&id=1001&title.value=T',
      ['clip 1', 'clip 2', 'clip 3'],
      404,
    ],
  ])('%s', async (_name, path, titles, status) => {
    expect((await put(path)).status).toBe(status);
    const { Metadata } = await askJson(plex, '/library/sections/3/all?type=1&sort=id');
    expect(Metadata.map((item: { title: string }) => item.title)).toEqual(titles);
    expect(plex.requests[0]).not.toHaveProperty('dangerous');
  });

  it.each(['', '&id='])('edits the whole section without an id, and calls it dangerous: "%s"', async (id) => {
    expect((await put(`/library/sections/3/all?type=1&title.value=T${id}`)).status).toBe(200);
    expect(plex.library.items.map((item) => item.fields.title)).toEqual(['T', 'T', 'T']);
    expect(plex.requests[0]).toMatchObject({ dangerous: true, method: 'PUT', status: 200 });
  });

  it('does not edit what is in the trash', async () => {
    plex.library.byRatingKey('1002')!.isTrashed = true;
    expect((await put('/library/sections/3/all?type=1&id=1002&title.value=T')).status).toBe(404);
    expect((await edit('title.value=T', '1002')).status).toBe(404);
  });

  it('deletes, and calls it dangerous', async () => {
    expect((await ask(plex, '/library/metadata/1002', { method: 'DELETE' })).status).toBe(200);
    expect((await ask(plex, '/library/metadata/1002')).status).toBe(404);
    expect(plex.requests[0]?.dangerous).toBe(true);
  });
});

describe('tag edits', () => {
  it.each([
    ['raw brackets', 'genre[0].tag.tag=b&genre[1].tag.tag=c', ['a', 'b', 'c']],
    ['encoded brackets', 'genre%5B0%5D.tag.tag=b&genre%5B1%5D.tag.tag=c', ['a', 'b', 'c']],
    ['already there', 'genre[0].tag.tag=a&genre[1].tag.tag=b&genre[2].tag.tag=b', ['a', 'b']],
    [
      'keys sorted as text',
      [0, 1, 10, 2].map((n) => `genre[${n}].tag.tag=g${n}`).join('&'),
      ['a', 'g0', 'g1', 'g2', 'g10'],
    ],
    ['remove one', 'genre[].tag.tag-=a', []],
    ['remove and add', 'genre[].tag.tag-=a&genre[0].tag.tag=b', ['b']],
    ['remove the absent', 'genre[].tag.tag-=zzz', ['a']],
    ['lock only', 'genre.locked=1', ['a']],
    ['clear', 'genre[].tag=', []],
    ['comma in a new name', 'genre[0].tag.tag=x%2Cy', ['a', 'x,y']],
  ])('append mode: %s', async (_name, query, expected) => {
    seed('a');
    expect((await edit(query)).status).toBe(200);
    expect(await genres()).toEqual(expected);
    expect('Genre' in (await itemOf(plex, '1001'))).toBe(expected.length > 0);
  });

  it('replace mode keeps only what the edit names', async () => {
    await plex.close();
    plex = await startPlexSimulator({ items: 1, tagMode: 'replace' });
    seed('a', 'b');
    await edit('title.value=x');
    expect(await genres()).toEqual(['a', 'b']);
    await edit('genre[0].tag.tag=b&genre[1].tag.tag=c');
    expect(await genres()).toEqual(['b', 'c']);
    await edit('genre[].tag.tag-=b');
    expect(await genres()).toEqual(['c']);
  });

  it('decodes removed names once more after splitting at commas', async () => {
    seed('a,b', 'c d', 'e/f', '50%', 'keep');
    const twice = ['a,b', 'c d', 'e/f', '50%'].map(encodeURIComponent).join(',');
    await edit(`genre[].tag.tag-=${encodeURIComponent(twice)}`);
    expect(await genres()).toEqual(['keep']);
  });

  it('takes names which were encoded only once', async () => {
    seed('c d', '50%', 'keep');
    await edit(`genre%5B%5D.tag.tag-=${encodeURIComponent('c d,50%')}`);
    expect(await genres()).toEqual(['keep']);
  });

  it('keeps role and picture of an actor', async () => {
    await edit(
      'actor[0].tag.tag=Ann&actor[0].tagging.text=Lead&actor[0].tag.thumb=http%3A%2F%2Fh%2Fa.jpg&actor[1].tag.tag=Bo&actor.locked=1',
    );
    const { Role, Field } = await itemOf(plex, '1001');
    expect(Role[0]).toMatchObject({
      tag: 'Ann',
      role: 'Lead',
      thumb: 'http://h/a.jpg',
      filter: `actor=${Role[0].id}`,
    });
    expect(Role[1]).toMatchObject({ tag: 'Bo', role: '' });
    expect(Field).toEqual([{ locked: true, name: 'actor' }]);
    expect((await askJson(plex, `/library/sections/3/all?type=1&actor=${Role[1].id}`)).size).toBe(1);
  });

  it.each([
    ['country', 'Country'],
    ['director', 'Director'],
    ['writer', 'Writer'],
    ['producer', 'Producer'],
    ['label', 'Label'],
    ['collection', 'Collection'],
  ])('writes %s tags', async (kind, element) => {
    await edit(`${kind}[0].tag.tag=one&${kind}[1].tag.tag=two&${kind}.locked=1`);
    expect(names((await itemOf(plex, '1001'))[element])).toEqual(['one', 'two']);
  });

  it.each([
    ['isRemovalOneNameOnly', 'genre[].tag.tag-=a,b', ['b']],
    ['isTagCaseMerged', 'genre[0].tag.tag=A&genre[1].tag.tag=c', ['a', 'b', 'c']],
    ['isLabelCapitalised', 'genre[0].tag.tag=c', ['a', 'b', 'c']],
  ] as const)('quirk %s', async (quirk, query, expected) => {
    plex.library.quirks[quirk] = true;
    seed('a', 'b');
    await edit('genre[0].tag.tag=a');
    await edit(query);
    expect(await genres()).toEqual(expected);
    await edit('label[0].tag.tag=low');
    expect(names((await itemOf(plex, '1001')).Label)).toEqual([
      quirk === 'isLabelCapitalised' ? 'Low' : 'low',
    ]);
  });

  it('clears nothing with an empty tag when that quirk is off', async () => {
    plex.library.quirks.isEmptyTagClearing = false;
    seed('a');
    await edit('genre[].tag=');
    expect(await genres()).toEqual(['a']);
  });

  it('starts with the quirks of an ordinary server', () => {
    expect(plex.library.quirks).toEqual(defaultQuirks);
  });
});

describe('collections made by tags', () => {
  const collections = async (): Promise<{ ratingKey: string; title: string }[]> =>
    (await askJson(plex, '/library/sections/3/all?type=18')).Metadata ?? [];

  it('appear with the first member and go with the last', async () => {
    expect(await collections()).toEqual([]);
    await put('/library/sections/3/all?type=1&id=1001,1002&collection[0].tag.tag=Box');
    const [box] = await collections();
    expect(box).toMatchObject({ title: 'Box', childCount: 2 });
    await put('/library/metadata/1001,1002?collection[].tag.tag-=Box');
    expect(await collections()).toEqual([]);
    expect((await ask(plex, `/library/collections/${box?.ratingKey}`)).status).toBe(404);
  });

  it('are renamed by either form of an edit, and by one only under 1.43', async () => {
    await edit('collection[0].tag.tag=Box');
    const key = (await collections())[0]?.ratingKey;
    expect((await put(`/library/sections/3/all?type=18&id=${key}&title.value=Two`)).status).toBe(200);
    expect(names((await itemOf(plex, '1001')).Collection)).toEqual(['Two']);
    plex.library.quirks.isCollectionSectionEdit404 = true;
    expect((await put(`/library/sections/3/all?type=18&id=${key}&title.value=Three`)).status).toBe(404);
    expect((await edit('title.value=Three', key)).status).toBe(200);
    expect((await collections()).map((each) => each.title)).toEqual(['Three']);
    expect((await put('/library/sections/3/all?type=1&id=1001&title.value=ok')).status).toBe(200);
  });

  it('take their tag with them when deleted', async () => {
    await edit('collection[0].tag.tag=Box');
    await ask(plex, `/library/metadata/${(await collections())[0]?.ratingKey}`, { method: 'DELETE' });
    expect(await itemOf(plex, '1001')).not.toHaveProperty('Collection');
  });
});

describe('images', () => {
  const png = Buffer.concat([Buffer.from('\x89PNG', 'latin1'), Buffer.alloc(100, 7)]);
  const upload = (word: string, body: Buffer, query = ''): Promise<Told> =>
    ask(plex, `/library/metadata/1001/${word}${query}`, { method: 'POST', body });

  it.each([
    ['posters', 'thumb', 'poster', 'upload://posters/'],
    ['arts', 'art', 'art', 'upload://art/'],
  ])('takes, lists, selects and serves %s', async (list, attribute, select, prefix) => {
    expect((await askJson(plex, `/library/metadata/1001/${list}`)).size).toBe(0);
    const done = await upload(list, png);
    expect([done.status, done.text, done.headers['content-type']]).toEqual([200, '', 'text/html']);
    const path = (await itemOf(plex, '1001'))[attribute];
    expect(path).toMatch(new RegExp(`^/library/metadata/1001/${attribute}/\\d+$`));
    const served = await ask(plex, path);
    expect([served.headers['content-type'], served.body.equals(png)]).toEqual(['image/png', true]);

    await upload(list, Buffer.from('second'));
    const ratingKey = `${prefix}${createHash('sha1').update(png).digest('hex')}`;
    const { Metadata, identifier } = await askJson(plex, `/library/metadata/1001/${list}`);
    expect(identifier).toBe('com.plexapp.plugins.library');
    expect(Metadata.map((photo: { selected: boolean }) => photo.selected)).toEqual([false, true]);
    expect(Metadata[0].ratingKey).toBe(ratingKey);
    expect((await ask(plex, Metadata[0].key)).body.equals(png)).toBe(true);

    const before = (await itemOf(plex, '1001'))[attribute];
    expect((await put(`/library/metadata/1001/${select}?url=${encodeURIComponent(ratingKey)}`)).status).toBe(
      200,
    );
    const after = (await itemOf(plex, '1001'))[attribute];
    expect(after).not.toBe(before);
    expect((await ask(plex, after)).body.equals(png)).toBe(true);
    const photos = xmlElements((await ask(plex, `/library/metadata/1001/${list}`)).text, 'Photo');
    expect(photos.map((photo) => photo.selected)).toEqual(['1', '0']);
  });

  it('keeps the same bytes once, but moves the stamp', async () => {
    await upload('posters', png);
    const { thumb } = await itemOf(plex, '1001');
    await upload('posters', png);
    expect((await itemOf(plex, '1001')).thumb).not.toBe(thumb);
    expect((await askJson(plex, '/library/metadata/1001/posters')).size).toBe(1);
  });

  it('takes an image at the limit and answers 500 to one byte more', async () => {
    expect((await upload('posters', Buffer.alloc(maxImageBytes, 1))).status).toBe(200);
    expect((await upload('posters', Buffer.alloc(maxImageBytes + 1, 1))).status).toBe(500);
  });

  it('answers 404 to an unknown choice or item and 400 to no bytes', async () => {
    expect((await put('/library/metadata/1001/poster?url=upload%3A%2F%2Fposters%2Fab')).status).toBe(404);
    expect((await ask(plex, '/library/metadata/9/posters', { method: 'POST', body: png })).status).toBe(404);
    expect((await upload('posters', Buffer.alloc(0))).status).toBe(400);
  });

  it('fetches an image itself when given a URL', async () => {
    const source = createServer((request, response) => {
      response.writeHead(request.url === '/a+b.png' ? 200 : 404).end(png);
    });
    await new Promise<void>((resolve) => source.listen(0, '127.0.0.1', resolve));
    const base = `http://127.0.0.1:${(source.address() as AddressInfo).port}`;
    const from = (path: string): string => `?url=${encodeURIComponent(base + path)}`;
    expect((await upload('posters', Buffer.alloc(0), from('/a+b.png'))).status).toBe(200);
    expect((await ask(plex, (await itemOf(plex, '1001')).thumb)).body.equals(png)).toBe(true);
    expect((await upload('posters', Buffer.alloc(0), from('/absent'))).status).toBe(500);
    expect((await upload('posters', Buffer.alloc(0), '?url=nonsense')).status).toBe(500);
    await new Promise((resolve) => source.close(resolve));
  });
});

describe('scans and refreshes', () => {
  it.each([
    ['GET', '?path=%2Fmedia%2Fscenes%2Fnew', ['new']],
    ['POST', '?path=%2Fmedia%2Fscenes%2Fa+b', ['odd']],
    ['GET', '', ['new', 'odd']],
  ])('%s /refresh%s takes in the files below it, after answering', async (method, query, titles) => {
    plex.library.placeFile({ file: '/media/scenes/new/new.mp4' });
    plex.library.placeFile({ file: '/media/scenes/a b/odd.mp4' });
    plex.library.placeFile({ file: '/media/movies/film.mp4' });
    const told = await ask(plex, `/library/sections/3/refresh${query}`, { method });
    expect([told.status, told.text]).toEqual([200, '']);
    await eventually(() =>
      expect(plex.library.items.slice(3).map((item) => item.fields.title)).toEqual(titles),
    );
    expect(plex.library.items.every((item) => item.sectionKey === '3')).toBe(true);
  });

  it('has no PUT form of a section scan', async () => {
    expect((await put('/library/sections/3/refresh')).status).toBe(404);
  });

  it('refreshes unlocked fields only', async () => {
    await edit('title.value=Mine&title.locked=1', '1001');
    await edit('title.value=Loose', '1002');
    expect((await put('/library/metadata/1001,1002/refresh')).status).toBe(200);
    await eventually(async () => expect((await itemOf(plex, '1002')).title).toBe('clip 2'));
    expect((await itemOf(plex, '1001')).title).toBe('Mine');
  });

  it.each([
    ['/library/metadata/1001/analyze', 200],
    ['/library/metadata/9/analyze', 404],
    ['/library/metadata/9/refresh', 404],
  ])('PUT %s answers %d', async (path, status) => {
    expect((await put(path)).status).toBe(status);
  });
});

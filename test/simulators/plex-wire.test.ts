// Transport, auth, identity, sections, listings, paging and fetches: what an independent client sees on the socket.
import { Agent } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type PlexSimulator, startPlexSimulator } from './plex/server.ts';
import { ask, askJson, itemOf, xmlElements } from './plex-raw-client.ts';

let plex: PlexSimulator;
beforeAll(async () => {
  plex = await startPlexSimulator({ items: 250, now: () => 1_790_000_000_000 });
  plex.library.addItem({ file: '/media/scenes/Ünïcode/日本 "x" & <y>.mkv', title: 'Odd' });
  plex.library.addItem({
    file: '/media/scenes/tagged.mp4',
    title: 'Tagged one',
    fields: { studio: 'S', originallyAvailableAt: '2024-05-06', summary: 'a\nb', userRating: '7.5' },
    tags: {
      genre: ['g1', 'g2', 'g3'],
      actor: ['a1', 'a2', 'a3', 'a4'],
      collection: ['Box', 'Set'],
      label: ['L'],
    },
  });
});
afterAll(() => plex.close());
afterEach(() => plex.reset());

const taggedKey = (): string => plex.library.findByFile('/media/scenes/tagged.mp4')?.ratingKey ?? '';

describe('transport', () => {
  it.each([
    ['no Accept of its own', '*/*', 'text/xml;charset=utf-8', '<?xml'],
    ['JSON asked for', 'application/json', 'application/json', '{"MediaContainer"'],
    ['JSON among others', 'text/html, application/json;q=0.9', 'application/json', '{"MediaContainer"'],
  ])('answers %s in the right notation', async (_name, accept, contentType, start) => {
    const told = await ask(plex, '/library/sections', { accept });
    expect(told.headers['content-type']).toBe(contentType);
    expect(told.text.startsWith(start)).toBe(true);
  });

  it.each(['/', '/identity', '/library', '/library/sections', '/library/metadata/1001', '/nowhere'])(
    'carries the Plex headers on %s',
    async (path) => {
      const agent = new Agent({ keepAlive: true });
      const { headers } = await ask(plex, path, { agent });
      agent.destroy();
      expect(headers).toMatchObject({
        'x-plex-protocol': '1.0',
        'cache-control': 'no-cache',
        connection: 'Keep-Alive',
        'keep-alive': 'timeout=20',
      });
    },
  );

  it('keeps one socket for many requests, and closes it when asked to', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const opened = vi.spyOn(agent, 'createConnection' as never);
    for (let turn = 0; turn < 3; turn++) await ask(plex, '/identity', { agent });
    expect(opened).toHaveBeenCalledTimes(1);
    agent.destroy();
    expect((await ask(plex, '/identity')).headers.connection).toBe('close');
  });

  it('compresses when gzip is accepted and says both lengths', async () => {
    const plain = await ask(plex, '/library/sections');
    const zipped = await ask(plex, '/library/sections', { headers: { 'Accept-Encoding': 'gzip, deflate' } });
    expect(zipped.headers['content-encoding']).toBe('gzip');
    expect(zipped.headers['x-plex-content-original-length']).toBe(String(plain.body.length));
    expect(zipped.headers['x-plex-content-compressed-length']).toBe(String(zipped.body.length));
    expect(gunzipSync(zipped.body).toString()).toBe(plain.text);
    const refused = await ask(plex, '/library/sections', { headers: { 'Accept-Encoding': 'gzip;q=0' } });
    expect(refused.headers['content-encoding']).toBeUndefined();
  });

  it('takes a 200 kB URL', async () => {
    const told = await ask(plex, `/library/metadata/1002?summary.value=${'x'.repeat(200_000)}`, {
      method: 'PUT',
    });
    expect(told.status).toBe(200);
    expect((await itemOf(plex, '1002')).summary).toHaveLength(200_000);
  });

  it('answers a HEAD without a body', async () => {
    const told = await ask(plex, '/library/sections', { method: 'HEAD' });
    expect([told.status, told.body.length]).toEqual([200, 0]);
  });

  it('listens on a fixed port when given one, and on a free one otherwise', async () => {
    const other = await startPlexSimulator();
    const { port } = other;
    await other.close();
    const again = await startPlexSimulator({ port });
    expect(again.port).toBe(port);
    await again.close();
  });
});

describe('auth', () => {
  it.each([
    ['header', '/library', 'good header', 200],
    ['query', '/library?X-Plex-Token=sim-plex-token', 'none', 200],
    ['no token', '/library', 'none', 401],
    ['wrong header', '/library', 'wrong', 401],
    ['wrong query', '/library?X-Plex-Token=wrong', 'none', 401],
    ['identity without token', '/identity', 'none', 200],
    ['identity with a wrong token', '/identity', 'wrong', 200],
    ['unknown path without token', '/nowhere', 'none', 401],
  ])('%s', async (_name, path, token, status) => {
    const told = await ask(plex, path, token === 'good header' ? {} : { token });
    expect(told.status).toBe(status);
    if (status !== 401) return;
    expect(told.headers['content-type']).toBe('text/html');
    expect(told.text).toBe(
      '<html><head><title>Unauthorized</title></head><body><h1>401 Unauthorized</h1></body></html>',
    );
  });

  it('sends a browser at / on to the web client', async () => {
    const told = await ask(plex, '/', { token: 'none' });
    expect(told.status).toBe(401);
    expect(told.text).toContain('web/index.html');
    expect(told.text).toContain('<h1>401 Unauthorized</h1>');
  });

  it('lets anybody in when the network is listed', async () => {
    plex.library.quirks.isTokenOptional = true;
    expect((await ask(plex, '/library/sections', { token: 'none' })).status).toBe(200);
    plex.library.quirks.isTokenOptional = false;
  });

  it('never records a token, however it is sent', async () => {
    await ask(plex, '/library?X-Plex-Token=sim-plex-token&a=1', { token: 'none' });
    await ask(plex, '/library?x-plex-token=other-secret');
    await ask(plex, '/identity', { token: 'none' });
    const log = JSON.stringify(plex.requests);
    expect(log).not.toContain('sim-plex-token');
    expect(log).not.toContain('other-secret');
    expect(plex.requests.map((request) => request.tokenSeen)).toEqual([true, true, false]);
    expect(plex.requests[0]).toMatchObject({
      method: 'GET',
      path: '/library',
      query: { a: '1' },
      status: 200,
    });
  });
});

describe('identity, root and library', () => {
  it('says who it is', async () => {
    const identity = await askJson(plex, '/identity', { token: 'none' });
    expect(Object.keys(identity)).toEqual(['size', 'apiVersion', 'claimed', 'machineIdentifier', 'version']);
    expect(identity).toMatchObject({ size: 0, claimed: true, version: '1.43.1.10611-1e34174b1' });
    expect(identity.machineIdentifier).toMatch(/^[0-9a-f]{40}$/);
    expect(xmlElements((await ask(plex, '/identity')).text, 'MediaContainer')[0]).toMatchObject({
      claimed: '1',
    });
    const root = await askJson(plex, '/');
    expect(root.machineIdentifier).toBe(identity.machineIdentifier);
    expect(root.size).toBe(root.Directory.length);
    expect(root).toMatchObject({
      friendlyName: 'den',
      myPlexSigninState: 'ok',
      transcoderActiveVideoSessions: 0,
    });
    expect((await askJson(plex, '/library')).Directory[0].key).toBe('sections');
  });

  it('lists two sections with their locations', async () => {
    const { Directory } = await askJson(plex, '/library/sections');
    expect(Directory).toHaveLength(2);
    expect(Directory[0]).toMatchObject({
      key: '3',
      type: 'movie',
      title: 'Scenes',
      agent: 'tv.plex.agents.none',
      refreshing: false,
      Location: [{ path: '/media/scenes' }],
    });
    expect(Directory[1]).toMatchObject({ key: '4', title: 'Movies', Location: [{ path: '/media/movies' }] });
    expect((await askJson(plex, '/library/sections/3')).Directory[0].key).toBe('all');
  });

  it.each([
    ['/nowhere', 404],
    ['/library/sections/99', 404],
    ['/library/sections/99/all?type=1', 404],
    ['/library/sections/None/all?type=1', 500],
    ['/library/metadata/9', 404],
    ['/library/metadata/', 404],
    ['/library/collections/9/children', 404],
    ['/library/metadata/1001/thumb/1', 404],
  ])('answers %s with an HTML page', async (path, status) => {
    const told = await ask(plex, path, { accept: 'application/json' });
    expect([told.status, told.headers['content-type']]).toEqual([status, 'text/html']);
    expect(told.text).toContain(`<h1>${status} `);
  });
});

describe('listings', () => {
  it.each([
    [
      'header',
      '/library/sections/3/all?type=1',
      { 'X-Plex-Container-Start': '50', 'X-Plex-Container-Size': '2' },
    ],
    ['query', '/library/sections/3/all?type=1&X-Plex-Container-Start=50&X-Plex-Container-Size=2', {}],
  ])('pages by %s', async (_name, path, headers) => {
    const told = await ask(plex, path, { headers, accept: 'application/json' });
    const root = JSON.parse(told.text).MediaContainer;
    expect(root).toMatchObject({
      size: 2,
      totalSize: 252,
      offset: 50,
      librarySectionID: 3,
      viewGroup: 'movie',
    });
    expect(root.Metadata.map((item: { ratingKey: string }) => item.ratingKey)).toEqual(['1051', '1052']);
    expect(told.headers['x-plex-container-start']).toBe('50');
    expect(told.headers['x-plex-container-total-size']).toBe('252');
  });

  it.each([
    ['size 0', 'X-Plex-Container-Start=0&X-Plex-Container-Size=0', 0],
    ['past the end', 'X-Plex-Container-Start=1000&X-Plex-Container-Size=100', 0],
    ['last page', 'X-Plex-Container-Start=250&X-Plex-Container-Size=100', 2],
    ['nonsense', 'X-Plex-Container-Start=-1&X-Plex-Container-Size=x', 252],
  ])('answers 200 for %s', async (_name, query, size) => {
    const root = await askJson(plex, `/library/sections/3/all?type=1&${query}`);
    expect(root).toMatchObject({ size, totalSize: 252 });
    expect(root.Metadata?.length ?? 0).toBe(size);
    expect('Metadata' in root).toBe(size > 0);
  });

  it('walks a section page by page and sees every item once', async () => {
    const keys = new Set<string>();
    for (let start = 0; start < 260; start += 100) {
      const query = `X-Plex-Container-Start=${start}&X-Plex-Container-Size=100`;
      const { Metadata } = await askJson(plex, `/library/sections/3/all?type=1&${query}`);
      for (const item of Metadata) keys.add(item.ratingKey);
    }
    expect(keys.size).toBe(252);
  });

  it.each([
    [
      'contains',
      'title=CLIP%2012',
      ['1012', '1120', '1121', '1122', '1123', '1124', '1125', '1126', '1127', '1128', '1129'],
    ],
    ['exact, raw', 'title==clip%2012', ['1012']],
    ['exact, encoded', 'title%3D=Clip+12', ['1012']],
    ['begins', 'title%3C=tag', ['tagged']],
    ['begins, raw', 'title<=tag', ['tagged']],
    ['ends', 'title>=lip%20250', ['1250']],
    ['not', 'title!=clip', ['1251', 'tagged']],
    [
      'not exact with another',
      'title!==clip%2012&title=clip%2012',
      ['1120', '1121', '1122', '1123', '1124', '1125', '1126', '1127', '1128', '1129'],
    ],
    ['nothing', 'title=absent', []],
    ['base name', 'file=clip%2051.mp4', ['1051']],
    ['base name with a plus', 'file=clip+51.mp4', ['1051']],
    ['suffix of several', 'file=lip%2025', ['1025', '1250']],
    ['full path', 'file=%2Fmedia%2Fscenes%2Fclip%2051.mp4', ['1051']],
    ['odd name', `file=${encodeURIComponent('日本 "x" & <y>.mkv')}`, ['1251']],
    ['unknown file', 'file=absent.mp4', []],
    ['genre by name', 'genre=g3', ['tagged']],
    ['unknown filter', 'colour=red&title==clip%201', ['1001']],
    ['year', 'year=2024', ['tagged']],
  ])('filters: %s', async (_name, query, expected) => {
    const { Metadata = [] } = await askJson(plex, `/library/sections/3/all?type=1&${query}`);
    const keys = Metadata.map((item: { ratingKey: string }) => item.ratingKey);
    expect(keys).toEqual(expected.map((key) => (key === 'tagged' ? taggedKey() : key)));
  });

  it('answers 500 to file= without type=', async () => {
    expect((await ask(plex, '/library/sections/3/all?file=clip%201.mp4')).status).toBe(500);
    expect((await ask(plex, '/library/all?file=clip%201.mp4')).status).toBe(500);
    expect((await askJson(plex, '/library/all?type=1&file=clip%201.mp4')).size).toBe(1);
  });

  it('matches no path when that quirk is off', async () => {
    plex.library.quirks.isFilePathMatched = false;
    expect(
      (await askJson(plex, '/library/sections/3/all?type=1&file=/media/scenes/clip%2051.mp4')).size,
    ).toBe(0);
    plex.library.quirks.isFilePathMatched = true;
  });

  it('is empty for another type and for the empty section', async () => {
    expect((await askJson(plex, '/library/sections/3/all?type=2')).size).toBe(0);
    expect((await askJson(plex, '/library/sections/4/all?type=1')).totalSize).toBe(0);
  });

  it('sorts when asked', async () => {
    const path = '/library/sections/3/all?type=1&sort=titleSort:desc&X-Plex-Container-Size=1';
    expect((await askJson(plex, path)).Metadata[0].title).toBe('Tagged one');
  });

  it('shows less than a fetch does', async () => {
    const listed = (await askJson(plex, '/library/sections/3/all?type=1&title=tagged')).Metadata[0];
    expect(listed.Genre).toEqual([{ tag: 'g1' }, { tag: 'g2' }]);
    expect(listed.Role).toHaveLength(3);
    for (const absent of ['Field', 'Collection', 'Label', 'librarySectionID'])
      expect(listed).not.toHaveProperty(absent);
    const full = await itemOf(plex, taggedKey());
    expect(full.Genre[2]).toEqual({ id: expect.any(Number), filter: `genre=${full.Genre[2].id}`, tag: 'g3' });
    expect(full.Role).toHaveLength(4);
    expect(full).toMatchObject({
      librarySectionID: 3,
      librarySectionKey: '/library/sections/3',
      year: 2024,
      userRating: 7.5,
      originallyAvailableAt: '2024-05-06',
    });
    for (const absent of ['Field', 'tagline', 'thumb', 'art', 'Writer'])
      expect(full).not.toHaveProperty(absent);
  });
});

describe('fetches', () => {
  it('gives the same tree in XML', async () => {
    const { text } = await ask(plex, `/library/metadata/${taggedKey()}?checkFiles=1&includeGuids=1`);
    const [video] = xmlElements(text, 'Video');
    expect(video).toMatchObject({
      ratingKey: taggedKey(),
      title: 'Tagged one',
      summary: 'a\nb',
      librarySectionID: '3',
    });
    expect(text).toContain('summary="a&#10;b"');
    expect(xmlElements(text, 'Part')[0]).toMatchObject({
      file: '/media/scenes/tagged.mp4',
      container: 'mp4',
    });
    expect(xmlElements(text, 'Genre').map((genre) => genre.tag)).toEqual(['g1', 'g2', 'g3']);
  });

  it('escapes what XML needs escaped and drops control characters', async () => {
    await ask(
      plex,
      `/library/metadata/1003?title.value=${encodeURIComponent('<&"\'>\u0001\u000b\t\r\nü😀')}`,
      {
        method: 'PUT',
      },
    );
    const { text } = await ask(plex, '/library/metadata/1003');
    expect(xmlElements(text, 'Video')[0]?.title).toBe('<&"\'>\t\r\nü😀');
    expect(text).toContain('&lt;&amp;&quot;&#39;&gt;&#9;&#13;&#10;ü😀');
  });

  it('fetches many at once and leaves out the unknown', async () => {
    const { Metadata, size } = await askJson(plex, '/library/metadata/1001,99,1004%2C1001');
    expect([size, ...Metadata.map((item: { ratingKey: string }) => item.ratingKey)]).toEqual([
      2,
      '1001',
      '1004',
    ]);
    expect((await ask(plex, '/library/metadata/98,99')).status).toBe(404);
  });

  it('leaves out what a caller excludes', async () => {
    const path = `/library/metadata/${taggedKey()}?excludeElements=Media,Role&excludeFields=summary`;
    const [item] = (await askJson(plex, path)).Metadata;
    for (const absent of ['Media', 'Role', 'summary']) expect(item).not.toHaveProperty(absent);
    expect(item).toHaveProperty('Genre');
  });

  it('lists an item in the trash but does not fetch it', async () => {
    plex.library.addItem({ file: '/media/movies/gone.mp4', ratingKey: '7001', isTrashed: true });
    expect((await askJson(plex, '/library/sections/4/all?type=1')).Metadata[0].ratingKey).toBe('7001');
    expect((await ask(plex, '/library/metadata/7001')).status).toBe(404);
    plex.library.quirks.isTrashListed = false;
    expect((await askJson(plex, '/library/sections/4/all?type=1')).size).toBe(0);
    plex.library.quirks.isTrashListed = true;
    expect((await ask(plex, '/library/sections/4/emptyTrash', { method: 'PUT' })).status).toBe(200);
    expect((await askJson(plex, '/library/sections/4/all?type=1')).size).toBe(0);
  });
});

describe('collections and search', () => {
  it.each(['/library/sections/3/all?type=18', '/library/sections/3/collections'])(
    'lists them at %s',
    async (path) => {
      const told = await ask(plex, path);
      const found = xmlElements(told.text, 'Directory');
      expect(found.map((each) => each.title)).toEqual(['Box', 'Set']);
      expect(found[0]).toMatchObject({ type: 'collection', childCount: '1', smart: '0' });
      expect(found[0]?.key).toBe(`/library/collections/${found[0]?.ratingKey}/children`);
    },
  );

  it('fetches one and its children', async () => {
    const [box] = (await askJson(plex, '/library/sections/3/all?type=18&title==box')).Metadata;
    const [fetched] = (await askJson(plex, `/library/collections/${box.ratingKey}`)).Metadata;
    expect(fetched).toMatchObject({ title: 'Box', type: 'collection', librarySectionID: 3 });
    expect((await askJson(plex, `/library/metadata/${box.ratingKey}`)).Metadata[0].title).toBe('Box');
    expect((await askJson(plex, box.key)).Metadata[0].title).toBe('Tagged one');
  });

  it('searches fuzzily in hubs', async () => {
    const { Hub } = await askJson(plex, '/hubs/search?query=tagged+nonsense&limit=5');
    expect(Hub[0]).toMatchObject({ type: 'movie', size: 1, more: false });
    expect(Hub[0].Metadata[0].title).toBe('Tagged one');
    expect((await askJson(plex, '/hubs/search?query=clip&sectionId=3')).Hub[0]).toMatchObject({
      size: 3,
      more: true,
    });
  });
});

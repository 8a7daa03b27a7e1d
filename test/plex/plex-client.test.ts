// What PlexClient puts on the wire and what it makes of good answers. Failures are in failures.test.ts.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { identityOf, itemOf, sectionOf } from '../../src/plex/plex-item.ts';
import { blackhole, httpServer } from '../support/bare-servers.ts';
import { connect, failureOf, startPlex, startPlexAndClient, TOKEN, unwrap } from '../support/plex-fixture.ts';
import { PROPERTY_RUNS } from '../support/property-runs.ts';

const ITEM = itemOf({ ratingKey: '1001', librarySectionID: 3 })!;

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** A Plex that answers everything alike and keeps what it was sent, byte for byte. */
async function startRecorder() {
  const seen: Seen[] = [];
  const server = await httpServer((request, response) => {
    seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers });
    response.end('{"MediaContainer":{"machineIdentifier":"abc","version":"1"}}');
  });
  return { seen, server, url: `http://127.0.0.1:${server.port}` };
}

describe('a request', () => {
  test('carries the token in a header and nowhere else, where it is needed, and asks for JSON', async () => {
    const { seen, url } = await startRecorder();
    const client = connect(url);
    await client.probe('');
    await client.sections();
    await client.findByFile('3', 'a.mp4');
    await client.items(['1', '2']);
    await client.edit(ITEM, new URLSearchParams({ 'title.value': 'x' }));

    expect(seen.map(({ method, url: sent }) => `${method} ${sent}`)).toEqual([
      'GET /identity',
      'GET /library/sections',
      'GET /library/sections',
      'GET /library/sections/3/all?type=1&file=a.mp4',
      'GET /library/metadata/1,2',
      'PUT /library/metadata/1001?title.value=x',
    ]);
    // Whoever is asked for a name may be a stranger.
    expect(
      seen.filter(({ headers }) => headers['x-plex-token'] === undefined).map(({ url: sent }) => sent),
    ).toEqual(['/identity']);
    for (const { url: sent, headers } of seen) {
      expect(sent).not.toContain(TOKEN);
      expect(sent.toLowerCase()).not.toContain('token');
      expect(headers).toMatchObject({
        accept: 'application/json',
        ...(sent === '/identity' ? {} : { 'x-plex-token': TOKEN }),
        'x-plex-client-identifier': 'breakwater-test',
        'x-plex-product': 'Breakwater',
      });
    }
  });

  test('spells a blank %20, because a plus sign is not known to be read as one', async () => {
    const { seen, url } = await startRecorder();
    const client = connect(url);
    await client.findByFile('3', 'two words+plus & 100%#?.mp4');
    await client.edit(ITEM, new URLSearchParams({ 'title.value': 'a b+c', 'summary.value': 'l1\nl2' }));

    expect(seen[0]!.url).toBe(
      '/library/sections/3/all?type=1&file=two%20words%2Bplus%20%26%20100%25%23%3F.mp4',
    );
    expect(seen[1]!.url).toBe('/library/metadata/1001?title.value=a%20b%2Bc&summary.value=l1%0Al2');
  });

  test('keeps a key from Plex in its place, whatever it holds', async () => {
    const { seen, url } = await startRecorder();
    const client = connect(url);
    await client.items(['1/../../identity?x=1', '2']);
    await client.findByFile('3/../4', 'a');
    await client.edit(itemOf({ ratingKey: '1/posters?url=' })!, new URLSearchParams());

    expect(seen.map(({ url: sent }) => sent)).toEqual([
      '/library/metadata/1%2F..%2F..%2Fidentity%3Fx%3D1,2',
      '/library/sections/3%2F..%2F4/all?type=1&file=a',
      '/library/metadata/1%2Fposters%3Furl%3D?',
    ]);
  });

  test.each(['/plex', '/plex/', '/a/b/'])('goes below the path of the address: %s', async (path) => {
    const { seen, url } = await startRecorder();
    const client = connect(`${url}${path}`);
    await client.probe('');
    expect(seen.map(({ url: sent }) => sent)).toEqual([
      `${path.replace(/\/$/, '')}/identity`,
      `${path.replace(/\/$/, '')}/library/sections`,
    ]);
  });

  test('uses the socket of the one before', async () => {
    const { seen, server, url } = await startRecorder();
    const client = connect(url);
    for (let n = 0; n < 20; n++) await client.sections();
    expect(seen).toHaveLength(20);
    expect(client.sent).toBe(20);
    expect(server.connections).toHaveLength(1);
  });

  test('holds a summary of 10 000 characters of nine bytes each', async () => {
    const { plex, client } = await startPlexAndClient({ items: 1 });
    const summary = '湖'.repeat(10_000);
    expect(await client.edit(ITEM, new URLSearchParams({ 'summary.value': summary }))).toEqual({
      ok: true,
      value: null,
    });
    expect(plex.library.byRatingKey('1001')!.fields.summary).toBe(summary);
  });
});

describe('an edit', () => {
  test('takes the item form first', async () => {
    const { plex, client } = await startPlexAndClient({ items: 2 });
    await client.edit(ITEM, new URLSearchParams({ 'title.value': 'new', 'title.locked': '1' }));

    expect(plex.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'PUT /library/metadata/1001',
    ]);
    expect(plex.library.byRatingKey('1001')!.fields.title).toBe('new');
    expect(plex.library.byRatingKey('1001')!.locked).toEqual(new Set(['title']));
  });

  test('falls back to the section form on 404, for this one item', async () => {
    const { plex, client } = await startPlexAndClient({ items: 2 });
    plex.addFault({ kind: 'notFound', path: '/library/metadata/', method: 'PUT' });
    const result = await client.edit(ITEM, new URLSearchParams({ 'title.value': 'new one' }));

    expect(result.ok).toBe(true);
    expect(plex.requests.at(-1)).toMatchObject({
      method: 'PUT',
      path: '/library/sections/3/all',
      query: { type: '1', id: '1001', 'title.value': 'new one' },
    });
    expect(plex.library.byRatingKey('1001')!.fields.title).toBe('new one');
    expect(plex.library.byRatingKey('1002')!.fields.title).toBe('clip 2');
    expect(plex.requests.filter(({ dangerous }) => dangerous)).toEqual([]);
  });

  test('of an item that is in no known library has no section form, for that would need its key', async () => {
    const { plex, client } = await startPlexAndClient({ items: 2 });
    const result = await client.edit(
      itemOf({ ratingKey: '9999' })!,
      new URLSearchParams({ 'title.value': 'x' }),
    );

    expect(failureOf(result)).toEqual({ class: 'missing', symptom: 'gone' });
    expect(plex.requests).toHaveLength(1);
  });

  test('of an item that is gone is missing in both forms, and touches nothing else', async () => {
    const { plex, client } = await startPlexAndClient({ items: 2 });
    const gone = itemOf({ ratingKey: '9999', librarySectionID: 3 })!;
    const result = await client.edit(gone, new URLSearchParams({ 'title.value': 'x' }));

    expect(failureOf(result)).toEqual({ class: 'missing', symptom: 'gone' });
    expect(plex.requests.map(({ query }) => query.id)).toEqual([undefined, '9999']);
    expect(plex.library.items.map(({ fields }) => fields.title)).toEqual(['clip 1', 'clip 2']);
  });

  test.each([
    { kind: 'unauthorized' },
    { kind: 'error500' },
    { kind: 'status', code: 400 },
    { kind: 'maintenance' },
    { kind: 'reset' },
  ] as const)('that fails otherwise ($kind) is not tried in the other form', async (fault) => {
    const { plex, client } = await startPlexAndClient({ items: 1 });
    plex.addFault(fault);
    const result = await client.edit(ITEM, new URLSearchParams({ 'title.value': 'x' }));
    expect(result.ok).toBe(false);
    expect(plex.requests).toHaveLength(1);
  });
});

describe('a probe', () => {
  test('asks for the identity, then for something that needs the token', async () => {
    const { plex, client } = await startPlexAndClient();
    const identity = unwrap(await client.probe(''));

    expect(plex.requests.map(({ path }) => path)).toEqual(['/identity', '/library/sections']);
    expect(identity.machineIdentifier).toMatch(/^[0-9a-f]{40}$/);
    expect(unwrap(await client.probe(identity.machineIdentifier))).toEqual(identity);
  });

  test('with a refused token gets as far as the identity', async () => {
    const { plex, client } = await startPlexAndClient({}, { token: 'not-the-token' });
    expect(failureOf(await client.probe(''))).toEqual({ class: 'config', symptom: 'unauthorized' });
    expect(plex.requests.map(({ path, status }) => `${path} ${status}`)).toEqual([
      '/identity 200',
      '/library/sections 401',
    ]);
  });

  test('stops at the identity while Plex starts', async () => {
    const { plex, client } = await startPlexAndClient();
    plex.addFault({ kind: 'maintenance', status: 'startup' });
    expect(failureOf(await client.probe(''))).toEqual({ class: 'maintenance', symptom: 'maintenance' });
    expect(plex.requests).toHaveLength(1);
  });

  test('is not content with a healthy identity when the library does not answer', async () => {
    const { plex, client } = await startPlexAndClient();
    plex.addFault({ kind: 'error500', path: '/library/sections' });
    expect(failureOf(await client.probe(''))).toEqual({ class: 'outage', symptom: 'error-500' });
  });

  test('of another server than the known one is a matter of settings', async () => {
    const plex = await startPlex({ machineIdentifier: 'a'.repeat(40) });
    const client = connect(plex.url);
    expect(failureOf(await client.probe('b'.repeat(40)))).toEqual({
      class: 'config',
      symptom: 'other-server',
    });
    expect((await client.probe('a'.repeat(40))).ok).toBe(true);
  });
});

describe('a deadline', () => {
  /** Long enough to connect in, on a busy machine. */
  const TIMEOUT_MS = 800;

  async function timed(work: () => Promise<unknown>): Promise<number> {
    const startedAt = performance.now();
    await work();
    return performance.now() - startedAt;
  }

  test('is kept against a server that takes the request and never answers', async () => {
    const { plex, client } = await startPlexAndClient({}, { timeoutMs: TIMEOUT_MS });
    plex.addFault({ kind: 'hang' });
    const tookMs = await timed(async () => expect((await client.sections()).ok).toBe(false));
    // undici's own timer has the same length and ticks every half second, so it may come first, by that much.
    expect(tookMs).toBeGreaterThan(TIMEOUT_MS - 500);
    expect(tookMs).toBeLessThan(TIMEOUT_MS * 1.5);
  });

  test('is kept while connecting to a host that drops everything', async () => {
    const { port } = await blackhole();
    const client = connect(`http://127.0.0.1:${port}`, { timeoutMs: TIMEOUT_MS });
    const tookMs = await timed(async () => expect((await client.sections()).ok).toBe(false));
    expect(tookMs).toBeGreaterThan(TIMEOUT_MS * 0.9);
    expect(tookMs).toBeLessThan(TIMEOUT_MS * 1.5);
  });

  test('is kept against an answer that drips', async () => {
    const { plex, client } = await startPlexAndClient({}, { timeoutMs: TIMEOUT_MS });
    plex.addFault({ kind: 'slowDrip', bytesPerSecond: 20 });
    const tookMs = await timed(async () => expect((await client.sections()).ok).toBe(false));
    expect(tookMs).toBeLessThan(TIMEOUT_MS * 1.5);
  });

  test('that has passed leaves a client that works', async () => {
    const { plex, client } = await startPlexAndClient({ items: 1 }, { timeoutMs: TIMEOUT_MS });
    plex.addFault({ kind: 'hang', count: 1 });
    expect(failureOf(await client.items(['1001'])).symptom).toBe('timeout');
    expect((await client.items(['1001'])).ok).toBe(true);
  });
});

describe('items', () => {
  test('come in one request, those that are gone left out', async () => {
    const { plex, client } = await startPlexAndClient({ items: 5 });
    const items = unwrap(await client.items(['1001', '4711', '1004', '1002']));

    expect(items.map(({ ratingKey }) => ratingKey).sort()).toEqual(['1001', '1002', '1004']);
    expect(items.every(({ sectionKey }) => sectionKey === '3')).toBe(true);
    expect(plex.requests).toHaveLength(1);
  });

  test('are whole: every tag, every file and every lock, which a listing does not show', async () => {
    const { plex, client } = await startPlexAndClient();
    const genre = Array.from({ length: 12 }, (_, n) => `genre ${n}`);
    const actor = Array.from({ length: 8 }, (_, n) => `actor ${n}`);
    const made = plex.library.addItem({
      file: '/media/scenes/a.mp4',
      moreFiles: ['/media/scenes/b.mp4'],
      title: 'T',
      fields: { studio: 'S', summary: 'two\nlines', originallyAvailableAt: '2024-05-06' },
      tags: { genre, actor },
    });
    made.locked.add('title').add('genre');

    const [item] = unwrap(await client.items([made.ratingKey]));
    expect(item).toEqual({
      ratingKey: made.ratingKey,
      sectionKey: '3',
      files: ['/media/scenes/a.mp4', '/media/scenes/b.mp4'],
      fileSizes: { '/media/scenes/a.mp4': 1000, '/media/scenes/b.mp4': 1000 },
      fields: {
        title: 'T',
        studio: 'S',
        summary: 'two\nlines',
        tagline: '',
        originallyAvailableAt: '2024-05-06',
        year: '2024',
        userRating: '',
      },
      tags: { genre, actor, collection: [], label: [] },
      actorDetails: Object.fromEntries(actor.map((name) => [name, { role: '', thumb: '' }])),
      images: { thumb: '', art: '' },
      locked: new Set(['title', 'genre']),
    });
    const [listed] = unwrap(await client.findByFile('3', 'a.mp4'));
    expect(listed).toMatchObject({ ratingKey: made.ratingKey, sectionKey: '3', files: item!.files });
    expect(listed!.tags.genre.length).toBeLessThan(genre.length);
  });

  test('are found by base name only in the library that was asked', async () => {
    const { plex, client } = await startPlexAndClient();
    plex.library.addItem({ file: '/media/scenes/x/clip.mp4', ratingKey: '1' });
    plex.library.addItem({ file: '/media/movies/clip.mp4', ratingKey: '2' });
    expect(unwrap(await client.findByFile('3', 'clip.mp4')).map(({ ratingKey }) => ratingKey)).toEqual(['1']);
    expect(unwrap(await client.findByFile('4', 'clip.mp4')).map(({ ratingKey }) => ratingKey)).toEqual(['2']);
    expect(unwrap(await client.findByFile('4', 'none.mp4'))).toEqual([]);
  });
});

test('the libraries are named with key, type, title, folders and the time of their scan', async () => {
  const { client } = await startPlexAndClient();
  expect(unwrap(await client.sections())).toEqual([
    { key: '3', type: 'movie', title: 'Scenes', locations: ['/media/scenes'], scannedAt: expect.any(String) },
    { key: '4', type: 'movie', title: 'Movies', locations: ['/media/movies'], scannedAt: expect.any(String) },
  ]);
});

describe('what Plex sends is data of unknown shape', () => {
  const anyPart = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom([null], [[]], [{}], [{ Part: null }], [{ Part: [{ file: 7 }] }], [{ tag: {} }]),
  );

  test('an item of any shape is an item or null, never a crash', () => {
    fc.assert(
      fc.property(
        fc.record(
          {
            ratingKey: fc.oneof(fc.jsonValue(), fc.string()),
            librarySectionID: fc.jsonValue(),
            Media: anyPart,
            Genre: anyPart,
            Role: anyPart,
            Field: anyPart,
            title: fc.jsonValue(),
            summary: fc.jsonValue(),
          },
          { requiredKeys: [] },
        ),
        (json) => {
          const item = itemOf(json);
          if (item === null) return;
          expect(item.ratingKey).not.toBe('');
          for (const text of [...Object.values(item.fields), ...item.files, ...item.tags.genre]) {
            expect(typeof text).toBe('string');
          }
        },
      ),
      PROPERTY_RUNS,
    );
  });

  test('nor is any other JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        itemOf(json);
        const object = { ...(json as object) };
        const { locations, ...texts } = sectionOf(object);
        expect([...locations, ...Object.values(texts)].every((text) => typeof text === 'string')).toBe(true);
        expect(Object.values(identityOf(object)).every((text) => typeof text === 'string')).toBe(true);
      }),
      PROPERTY_RUNS,
    );
  });

  test('numbers and 0/1 are read as the texts and flags they stand for', () => {
    const item = itemOf({
      ratingKey: 7,
      Field: [
        { locked: 1, name: 'title' },
        { locked: '0', name: 'x' },
      ],
    })!;
    expect(item.ratingKey).toBe('7');
    expect(item.locked).toEqual(new Set(['title']));
  });
});

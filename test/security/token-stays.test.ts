// The token goes to the one address that a person typed in, in a header, and nowhere else: not after a redirect, not into
// a path, not to a stranger who is only asked for a name, and not back into our journal when a server says it aloud.

import type { IncomingMessage } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { PlexItem } from '../../src/plex/plex-item.ts';
import type { StashConnection } from '../../src/stash/connection.ts';
import { StashClient } from '../../src/stash/stash-client.ts';
import { httpServer } from '../support/bare-servers.ts';
import { connect, failureOf, startPlex, TOKEN, unwrap } from '../support/plex-fixture.ts';

const SECRET = 'canary-S3ssion-51e0';
const ITEM = { ratingKey: '1001', sectionKey: '3' } as PlexItem;

/** Whoever asks is sent on, with every header by which one can be. */
async function redirecting(status: number, target: (port: number) => string) {
  const reached: IncomingMessage[] = [];
  const other = await httpServer((request, response) => {
    reached.push(request);
    response.end('{"MediaContainer":{},"data":{}}');
  });
  const asked: IncomingMessage[] = [];
  const first = await httpServer((request, response) => {
    asked.push(request);
    const location = target(other.port);
    const headers = { location, refresh: `0; url=${location}`, 'content-location': location };
    response.writeHead(status, { ...headers, 'alt-svc': `http/1.1="127.0.0.1:${other.port}"` }).end();
  });
  return { reached, asked, url: `http://127.0.0.1:${first.port}` };
}

const STATUSES = [300, 301, 302, 303, 307, 308];
const TARGETS: Readonly<Record<string, (port: number) => string>> = {
  'another port': (port) => `http://127.0.0.1:${port}/library/sections`,
  'another host': (port) => `http://localhost:${port}/`,
  'a host without a scheme': (port) => `//127.0.0.1:${port}/graphql`,
};

describe.each(Object.entries(TARGETS))('a redirect to %s', (_where, target) => {
  test.each(STATUSES)('with %i is not followed by the Plex client', async (status) => {
    const { reached, asked, url } = await redirecting(status, target);
    const client = connect(url);
    expect(failureOf(await client.sections())).toEqual({ class: 'config', symptom: 'redirect' });
    expect(failureOf(await client.edit(ITEM, new URLSearchParams({ 'title.value': 'x' }))).class).toBe(
      'config',
    );
    expect(failureOf(await client.uploadImage('1001', 'thumb', Buffer.from('x'))).class).toBe('config');
    expect((await client.probe('')).ok).toBe(false);
    expect(asked).toHaveLength(4);
    expect(reached).toHaveLength(0);
  });

  test.each(STATUSES)('with %i is not followed by the Stash client', async (status) => {
    const { reached, url } = await redirecting(status, target);
    const connection: StashConnection = { origin: url, credential: { kind: 'apiKey', value: SECRET } };
    const stash = new StashClient(connection);
    onTestFinished(() => stash.close());
    expect((await stash.settings('breakwater')).ok).toBe(false);
    expect((await stash.changedSince(0)).ok).toBe(false);
    expect((await stash.sceneIds()).ok).toBe(false);
    // That one is how Stash itself sends a browser to its login.
    expect((await stash.cover('1', '')).ok).toBe(status !== 302);
    expect(reached).toHaveLength(0);
  });
});

test('a stranger at the address of Plex, asked who it is, is not shown the token', async () => {
  const plex = await startPlex({ machineIdentifier: 'a'.repeat(40) });
  const seen: unknown[] = [];
  const stranger = await httpServer((request, response) => {
    seen.push(request.headers['x-plex-token']);
    response.end(JSON.stringify({ MediaContainer: { machineIdentifier: 'b'.repeat(40) } }));
  });
  expect((await connect(plex.url).probe('a'.repeat(40))).ok).toBe(true);
  const client = connect(`http://127.0.0.1:${stranger.port}`);
  expect(failureOf(await client.probe('a'.repeat(40))).symptom).toBe('other-server');
  expect(seen).toEqual([undefined]);
});

describe('a key that Plex made up stays one segment of a path', () => {
  test.each([
    '..',
    '.',
    '\ud800',
    '../../identity',
    '1/../2',
    'a/b',
    '1?x=1',
    '1#x',
    '1\r\nX-Evil: 1',
    '1%2e',
    '‮1',
    '',
  ])('%j', async (key) => {
    const seen: { readonly url: string; readonly headers: IncomingMessage['headers'] }[] = [];
    const { port } = await httpServer((request, response) => {
      seen.push({ url: request.url ?? '', headers: request.headers });
      response.end('{"MediaContainer":{}}');
    });
    const client = connect(`http://127.0.0.1:${port}/proxy`);
    const item = { ratingKey: key, sectionKey: key } as PlexItem;
    await client.items([key]);
    await client.findByFile(key, key);
    await client.itemsOfSection(key, 0, 1);
    await client.edit(item, new URLSearchParams([['title.value', key]]));
    await client.images(key, 'thumb');
    await client.selectImage(key, 'art', key);
    await client.scan(key, key);
    const encoded = encodeURIComponent(key.toWellFormed());
    const word = /^\.+$/.test(key) ? encoded.replaceAll('.', '%2E') : encoded;
    expect(seen.map(({ url }) => url.split('?')[0])).toEqual([
      `/proxy/library/metadata/${word}`,
      `/proxy/library/sections/${word}/all`,
      `/proxy/library/sections/${word}/all`,
      `/proxy/library/metadata/${word}`,
      `/proxy/library/metadata/${word}/posters`,
      `/proxy/library/metadata/${word}/art`,
      `/proxy/library/sections/${word}/refresh`,
    ]);
    for (const { headers } of seen) expect(headers['x-evil']).toBeUndefined();
  });
});

test.each(['.', '..', '', 'x'.repeat(1_000)])('a key that is no segment at all (%j) is none', async (key) => {
  const { port } = await httpServer((_request, response) =>
    response.end(
      JSON.stringify({
        MediaContainer: {
          Directory: [{ key, type: 'movie' }],
          Metadata: [{ ratingKey: key }, { ratingKey: '1', librarySectionID: key }],
        },
      }),
    ),
  );
  const client = connect(`http://127.0.0.1:${port}`);
  expect(unwrap(await client.sections())).toEqual([]);
  const items = unwrap(await client.items(['1']));
  expect(items.map(({ ratingKey, sectionKey }) => [ratingKey, sectionKey])).toEqual([['1', '']]);
});

describe('a server that says our secret aloud', () => {
  test('Plex, in addresses and titles: what is read of it does not hold it', async () => {
    const { port } = await httpServer((_request, response) =>
      response.end(
        JSON.stringify({
          MediaContainer: {
            Metadata: [
              {
                ratingKey: '1',
                title: TOKEN,
                thumb: `/photo?X-Plex-Token=${TOKEN}`,
                Genre: [{ tag: TOKEN }],
              },
            ],
          },
        }),
      ),
    );
    const [item] = unwrap(await connect(`http://127.0.0.1:${port}`).items(['1']));
    expect(JSON.stringify(item)).not.toContain(TOKEN);
    expect(item?.images.thumb).toBe('/photo?X-Plex-Token=***');
  });

  test('Plex, in a failure: the message is ours alone', async () => {
    const { port } = await httpServer((request, response) =>
      response.writeHead(500, String(request.headers['x-plex-token'])).end(`<h1>${TOKEN}</h1>`),
    );
    expect(JSON.stringify(await connect(`http://127.0.0.1:${port}`).sections())).not.toContain(TOKEN);
  });

  test.each(['cookie', 'apiKey'] as const)('Stash, in an error: the %s is taken out', async (kind) => {
    const { port } = await httpServer((request, response) =>
      response.end(JSON.stringify({ errors: [{ message: `headers: ${JSON.stringify(request.headers)}` }] })),
    );
    const credential =
      kind === 'cookie'
        ? ({ kind, name: 'session', value: SECRET } as const)
        : ({ kind, value: SECRET } as const);
    const stash = new StashClient({ origin: `http://127.0.0.1:${port}`, credential });
    onTestFinished(() => stash.close());
    const result = await stash.settings('breakwater');
    expect(JSON.stringify(result)).toContain('***');
    expect(JSON.stringify(result)).not.toContain(SECRET);
  });

  test('Stash, in an error that is not text: it does not become text', async () => {
    const { port } = await httpServer((_request, response) =>
      response.end(JSON.stringify({ errors: [{ message: { toString: 1 } }] })),
    );
    const stash = new StashClient({ origin: `http://127.0.0.1:${port}`, credential: { kind: 'none' } });
    onTestFinished(() => stash.close());
    expect(await stash.apiKey()).toMatchObject({ ok: false, failure: { kind: 'refused' } });
  });
});

// The viewer's server gives the page to loopback and the stream to the token, and nothing to anybody else.

import { request } from 'node:http';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Feed } from '../../src/inspect/feed.ts';
import { type InspectServer, MAX_STREAMS, startInspectServer } from '../../src/inspect/server.ts';

const PAGE = '<!doctype html><style>a{}</style><script>run()</script>';
const TOKEN = 'canary-viewer-token';
const allowed = { authorization: `Bearer ${TOKEN}` };

let feed: Feed;
let server: InspectServer;
beforeEach(async () => {
  feed = new Feed();
  feed.add({ kind: 'loaded', cursor: 1 });
  server = await startInspectServer(PAGE, feed, TOKEN);
});
afterEach(() => server.close());

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** The answer's beginning: a stream has no end. */
function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: server.port, path, method, headers, agent: false };
    const asked = request(options, (response) => {
      const { statusCode = 0 } = response;
      const done = (body: string) => {
        resolve({ status: statusCode, headers: response.headers, body });
        asked.destroy();
      };
      let body = '';
      response.on('data', (chunk) => {
        body += String(chunk);
        if (path === '/stream' && statusCode === 200) done(body);
      });
      response.on('end', () => done(body));
    });
    asked.on('error', reject);
    asked.end();
  });
}

test('the page: whole, with a policy that lets nothing in but its own script and style', async () => {
  const { status, headers, body } = await ask('/');
  expect([status, body]).toEqual([200, PAGE]);
  const policy = String(headers['content-security-policy']);
  expect(policy).toMatch(
    /^default-src 'none'; script-src 'sha256-[\w+/]+='; style-src 'sha256-[\w+/]+='; connect-src 'self'/,
  );
  expect(policy).not.toMatch(/unsafe|\*|https?:/);
  expect(headers).toMatchObject({
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-frame-options': 'DENY',
  });
  expect(JSON.stringify([headers, body])).not.toContain(TOKEN);
});

test('its address has the token in the fragment, where no request carries it', () => {
  expect(server.url).toBe(`http://127.0.0.1:${server.port}/#${TOKEN}`);
});

test('the stream, with the token: what is there and what comes', async () => {
  expect(await ask('/stream', allowed)).toMatchObject({
    status: 200,
    body: '{"kind":"loaded","cursor":1}\n',
  });
  expect(await ask('/stream', { ...allowed, origin: `http://127.0.0.1:${server.port}` })).toMatchObject({
    status: 200,
  });
});

test.each([
  ['without a token', {}],
  ['with a wrong one', { authorization: 'Bearer canary-viewer-tokem' }],
  ['with a part of it', { authorization: 'Bearer canary' }],
  ['with it under another scheme', { authorization: TOKEN }],
  ['with it in a cookie', { cookie: `token=${TOKEN}` }],
])('the stream %s is refused', async (_, headers) => {
  expect(await ask('/stream', headers as Record<string, string>)).toMatchObject({
    status: 401,
    body: 'the token is wrong\n',
  });
});

test('a token in the query opens nothing', async () => {
  expect((await ask(`/stream?token=${TOKEN}`, allowed)).status).toBe(404);
});

describe.each(['/', '/stream'])('%s', (path) => {
  test.each(['evil.example', 'localhost', '127.0.0.1', '127.0.0.1:1', '[::1]:80', 'evil.example:80'])(
    'asked for under the name %s is refused (a name that was made to point here)',
    async (host) => {
      expect(await ask(path, { ...allowed, host })).toMatchObject({
        status: 403,
        body: 'this name is not ours\n',
      });
    },
  );

  test.each(['https://evil.example', 'null', 'http://localhost', 'https://stately.ai'])(
    'asked for by the origin %s is refused',
    async (origin) => {
      expect(await ask(path, { ...allowed, origin })).toMatchObject({
        status: 403,
        body: 'another origin\n',
      });
    },
  );

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('takes no %s', async (method) => {
    const { status, headers } = await ask(path, allowed, method);
    expect(status).toBe(405);
    expect(headers['access-control-allow-origin']).toBeUndefined();
  });
});

test.each(['cross-site', 'same-site', 'none'])(
  'a request for the stream that says it is %s is refused',
  async (site) => {
    expect((await ask('/stream', { ...allowed, 'sec-fetch-site': site })).status).toBe(403);
    expect((await ask('/stream', { ...allowed, 'sec-fetch-site': 'same-origin' })).status).toBe(200);
  },
);

test.each([
  '/..',
  '/../package.json',
  '/%2e%2e/etc/passwd',
  '/breakwater-inspect.html',
  '//',
  '/stream/',
  '/favicon.ico',
])('no file is served: %s', async (path) => {
  expect(await ask(path, allowed)).toMatchObject({ status: 404, body: 'there is nothing here\n' });
});

test('it listens on loopback only', async () => {
  const others = Object.values(networkInterfaces())
    .flat()
    .filter((one) => one !== undefined && !one.internal && one.family === 'IPv4')
    .map((one) => one!.address);
  for (const host of [...others, '127.0.0.2']) {
    const outcome = await new Promise<string>((resolve) => {
      const socket = connect({ host, port: server.port, timeout: 2_000 });
      socket.once('connect', () => resolve('connected'));
      socket.once('error', () => resolve('refused'));
      socket.once('timeout', () => resolve('refused'));
      socket.once('connect', () => socket.destroy());
    });
    expect([host, outcome]).toEqual([host, 'refused']);
  }
});

test(`${MAX_STREAMS} viewers at one time, and one more is told so`, async () => {
  const open = await Promise.all(
    Array.from({ length: MAX_STREAMS }, () => {
      return new Promise<() => void>((resolve) => {
        const options = {
          host: '127.0.0.1',
          port: server.port,
          path: '/stream',
          headers: allowed,
          agent: false,
        };
        const asked = request(options, (response) => {
          response.resume();
          resolve(() => asked.destroy());
        });
        asked.on('error', () => {});
        asked.end();
      });
    }),
  );
  expect((await ask('/stream', allowed)).status).toBe(503);
  for (const close of open) close();
});

test('a viewer that does not read holds nobody up, and gets everything when it does', async () => {
  const lines = 2_000;
  for (let at = 0; at < lines; at++) feed.add({ kind: 'loaded', cursor: at });
  const received = await new Promise<string>((resolve, reject) => {
    const options = { host: '127.0.0.1', port: server.port, path: '/stream', headers: allowed, agent: false };
    const asked = request(options, (response) => {
      response.pause();
      for (let at = 0; at < lines; at++) feed.add({ kind: 'next' });
      let text = '';
      response.on('data', (chunk) => {
        text += String(chunk);
        if (text.split('\n').length - 1 === 1 + 2 * lines) {
          resolve(text);
          asked.destroy();
        }
      });
      response.resume();
    });
    asked.on('error', reject);
    asked.end();
  });
  expect(received.split('\n').filter((line) => line === '{"kind":"next"}')).toHaveLength(lines);
});

// StashClient against the simulated Stash, in the versions that differ. A failure here has one of three kinds and
// never holds a cookie or a key.

import fc from 'fast-check';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { headersOf, type StashConnection } from '../../src/stash/connection.ts';
import { StashClient, type StashResult } from '../../src/stash/stash-client.ts';
import { sceneOf } from '../../src/stash/stash-scene.ts';
import {
  type StashSimulator,
  type StashSimulatorOptions,
  startStashSimulator,
} from '../simulators/stash/server.ts';
import { httpServer } from '../support/bare-servers.ts';
import { PROPERTY_RUNS } from '../support/property-runs.ts';
import { sceneWith } from '../support/stash-scenes.ts';

const VERSIONS = ['v0.22.1', 'v0.25.1', 'v0.30.1'] as const;
const KEY = 'an-api-key-that-must-not-be-seen';
const PLUGIN = 'breakwater';

afterEach(() => {
  vi.useRealTimers();
});

async function startStash(options: StashSimulatorOptions = {}): Promise<StashSimulator> {
  const stash = await startStashSimulator(options);
  onTestFinished(() => stash.close());
  return stash;
}

function connect(
  stash: StashSimulator,
  credential: StashConnection['credential'] = { kind: 'none' },
): StashClient {
  const client = new StashClient({ origin: stash.url, credential });
  onTestFinished(() => client.close());
  return client;
}

function unwrap<T>(result: StashResult<T>): T {
  if (!result.ok) throw new Error(`Stash failed: ${result.failure.detail}`);
  return result.value;
}

function kindOf(result: StashResult<unknown>): string {
  if (result.ok) throw new Error('Stash did not fail');
  expect(JSON.stringify(result.failure)).not.toContain(KEY);
  return result.failure.kind;
}

describe('settings', () => {
  test.each(['v0.25.1', 'v0.30.1'])('are read as Stash %s keeps them', async (version) => {
    const stash = await startStash({ version });
    const given = { plexUrl: 'http://127.0.0.1:32400', vigilMinutes: 0, allowSelfSigned: true, pathMap: '' };
    stash.configurePlugin(PLUGIN, given);
    stash.configurePlugin('another', { plexUrl: 'http://elsewhere' });
    expect(unwrap(await connect(stash).settings(PLUGIN))).toEqual(given);
  });

  test('of a plugin that was never configured are none', async () => {
    const stash = await startStash();
    expect(unwrap(await connect(stash).settings(PLUGIN))).toEqual({});
  });

  // Stash replaces them all by what it is sent: what is not sent along is gone, the token of Plex first of all.
  test('that are set leave those alone that are not named', async () => {
    const stash = await startStash({ version: 'v0.30.1' });
    stash.configurePlugin(PLUGIN, { plexUrl: 'http://127.0.0.1:32400', plexToken: 'a-token', maxTags: 3 });
    unwrap(await connect(stash).configure(PLUGIN, { maxTags: 40, scanNewFiles: true }));
    expect(unwrap(await connect(stash).settings(PLUGIN))).toEqual({
      plexUrl: 'http://127.0.0.1:32400',
      plexToken: 'a-token',
      maxTags: 40,
      scanNewFiles: true,
    });
  });

  test('that cannot be read are not written either', async () => {
    const bodies: string[] = [];
    const { port } = await httpServer((request, response) => {
      request.on('data', (chunk) => bodies.push(String(chunk)));
      request.on('end', () => response.end('{"errors":[{"message":"database is locked"}],"data":null}'));
    });
    const client = new StashClient({ origin: `http://127.0.0.1:${port}`, credential: { kind: 'none' } });
    onTestFinished(() => client.close());
    expect(kindOf(await client.configure(PLUGIN, { maxTags: 40 }))).toBe('refused');
    expect(bodies.join()).not.toContain('configurePlugin');
  });

  test('of a Stash that has no plugin settings yet are refused: it cannot load the plugin either', async () => {
    const stash = await startStash({ version: 'v0.22.1' });
    const result = await connect(stash).settings(PLUGIN);
    expect(result).toMatchObject({
      ok: false,
      failure: { kind: 'refused', detail: expect.stringContaining('plugins') },
    });
  });
});

describe.each(VERSIONS)('scenes, in Stash %s', (version) => {
  test('come by id in one request, those that are gone left out', async () => {
    const stash = await startStash({ version, scenes: 4 });
    const client = connect(stash);
    const scenes = unwrap(await client.scenes(['3', '99', '1']));
    expect([...scenes.keys()]).toEqual(['3', '1']);
    expect(scenes.get('3')).toMatchObject({ id: '3', files: ['/media/scenes/clip 3.mp4'] });
    // Once it is known what this Stash calls groups.
    stash.requests.length = 0;
    await client.scenes(['2', '4']);
    expect(stash.requests).toHaveLength(1);
  });

  test('are whole', async () => {
    const stash = await startStash({ version });
    const { db } = stash;
    const scene = db.addScene({
      title: 'A "title"',
      details: 'One.\n\nTwo.',
      date: '2021-05-04',
      files: ['/a/1.mp4', '/a/2.mp4'],
      studioId: db.addStudio('Studio').id,
      performerIds: [db.addPerformer('Ann').id, db.addPerformer('Bo').id],
      tagIds: [db.addTag('one').id, db.addTag('two').id],
    });
    const found = unwrap(await connect(stash).scenes([String(scene.id)])).get(String(scene.id));
    expect(found).toEqual({
      id: String(scene.id),
      title: 'A "title"',
      details: 'One.\n\nTwo.',
      code: '',
      director: '',
      date: '2021-05-04',
      rating100: null,
      isOrganized: false,
      urls: [],
      studio: 'Studio',
      performers: ['Ann', 'Bo'].map((name) => ({ id: expect.any(String), name, disambiguation: '' })),
      tags: ['one', 'two'],
      groups: [],
      files: ['/a/1.mp4', '/a/2.mp4'],
      fileSizes: { '/a/1.mp4': 30_000, '/a/2.mp4': 30_000 },
      updatedAt: expect.any(Number),
    });
  });

  test('without anything are empty, not absent', async () => {
    const stash = await startStash({ version });
    stash.db.addScene();
    expect(unwrap(await connect(stash).scenes(['1'])).get('1')).toEqual({
      ...sceneWith({ files: [] }),
      updatedAt: expect.any(Number),
    });
  });

  test('that have a file of a name are found by it, in whatever folder and among whatever others', async () => {
    const stash = await startStash({ version });
    const name = 'a "b" (c) [1] $5 + ü?.mp4';
    const [one, two] = [[`/a/${name}`], ['/b/other.mp4', `/b/${name}`]].map((files) =>
      stash.db.addScene({ files }),
    );
    for (const files of [[`/a/x${name}`], [`/a/${name}.bak`], []]) stash.db.addScene({ files });
    const found = unwrap(await connect(stash).scenesWithFile([name, 'nowhere.mp4']));
    expect(found.map(({ id }) => id)).toEqual([one, two].map((scene) => String(scene!.id)));
    expect(found[1]).toMatchObject({
      files: ['/b/other.mp4', `/b/${name}`],
      fileSizes: { [`/b/${name}`]: 30_000 },
    });
    expect(unwrap(await connect(stash).scenesWithFile([]))).toEqual([]);
  });

  test('that use a tag, performer, studio or group are found by it', async () => {
    const stash = await startStash({ version });
    const { db } = stash;
    const ids = {
      tag: db.addTag('t').id,
      performer: db.addPerformer('p').id,
      studio: db.addStudio('s').id,
      group: db.addGroup('g').id,
    };
    const uses = {
      tagIds: [ids.tag],
      performerIds: [ids.performer],
      studioId: ids.studio,
      groups: [{ groupId: ids.group, sceneIndex: null }],
    };
    const [first, , third] = [db.addScene(uses), db.addScene(), db.addScene(uses)];
    const client = connect(stash);
    for (const [kind, id] of Object.entries(ids)) {
      const found = unwrap(await client.scenesWith(kind as keyof typeof ids, String(id)));
      expect(found, kind).toEqual([String(first.id), String(third.id)]);
      expect(unwrap(await client.scenesWith(kind as keyof typeof ids, '4711')), kind).toEqual([]);
    }
  });
});

describe('scenes that use a tag', () => {
  test('more scenes than fit on a page of Stash come all at once', async () => {
    const stash = await startStash({ scenes: 251 });
    const tag = stash.db.addTag('busy').id;
    for (const scene of stash.db.scenes()) scene.tagIds = [tag];
    expect(unwrap(await connect(stash).scenesWith('tag', String(tag)))).toHaveLength(251);
  });
});

// A batch that holds only jobs of tags, performers, studios or groups asks for no scenes: `query{}` is no GraphQL, and
// Stash refused it, so that such a batch was never expanded.
test('no scenes are asked for with no request, and none are found', async () => {
  const stash = await startStash();
  expect(unwrap(await connect(stash).scenes([]))).toEqual(new Map());
  expect(stash.requests).toEqual([]);
});

describe('being let in', () => {
  const closed = { username: 'admin', password: 'secret', apiKey: KEY } as const;

  test.each(VERSIONS)('with the API key, in Stash %s', async (version) => {
    const stash = await startStash({ version, scenes: 1, ...closed });
    const client = connect(stash, { kind: 'apiKey', value: KEY });
    expect(unwrap(await client.scenes(['1'])).size).toBe(1);
    expect(unwrap(await client.apiKey())).toBe(KEY);
  });

  test('with the session cookie, which leads to the key that outlives it', async () => {
    const stash = await startStash({ scenes: 1, ...closed });
    const form = new URLSearchParams({ username: 'admin', password: 'secret' });
    const login = await fetch(`${stash.url}/login`, { method: 'POST', body: form });
    const value = /session=([^;]+)/.exec(login.headers.get('set-cookie') ?? '')![1]!;
    const client = connect(stash, { kind: 'cookie', name: 'session', value });

    expect(unwrap(await client.scenes(['1'])).size).toBe(1);
    expect(unwrap(await client.apiKey())).toBe(KEY);
    expect(stash.requests.every(({ authed, operation }) => authed || operation === 'POST /login')).toBe(true);
  });

  test('with nothing, where nothing is wanted', async () => {
    const stash = await startStash({ scenes: 1 });
    expect(unwrap(await connect(stash).scenes(['1'])).size).toBe(1);
    expect(unwrap(await connect(stash).apiKey())).toBe('');
  });

  test('fails without a credential, and with a cookie that is none', async () => {
    const stash = await startStash(closed);
    expect(kindOf(await connect(stash).apiKey())).toBe('unauthorized');
    const stale = { kind: 'cookie', name: 'session', value: 'gone' } as const;
    expect(kindOf(await connect(stash, stale).apiKey())).toBe('unauthorized');
  });

  test('fails for a picture as well, which is not "no cover yet" where Stash asks for a login', async () => {
    const stash = await startStash({ scenes: 1, ...closed });
    const stale = { kind: 'cookie', name: 'session', value: 'gone' } as const;
    expect(kindOf(await connect(stash, stale).cover('1', ''))).toBe('unauthorized');
    expect(unwrap(await connect(stash, { kind: 'apiKey', value: KEY }).cover('1', '')).kind).toBe('picture');
  });

  test('fails with a wrong key', async () => {
    const stash = await startStash({ version: 'v0.30.1', ...closed });
    expect(kindOf(await connect(stash, { kind: 'apiKey', value: 'wrong' }).apiKey())).toBe('unauthorized');
  });

  test('fails with a wrong key up to v0.25 as well, and says why', async () => {
    const stash = await startStash({ version: 'v0.25.1', ...closed });
    expect(kindOf(await connect(stash, { kind: 'apiKey', value: 'wrong' }).apiKey())).toBe('unauthorized');
  });

  test('headers: the cookie by its name, the key as Stash spells it', () => {
    const origin = 'http://127.0.0.1:9999';
    expect(headersOf({ origin, credential: { kind: 'none' } })).toEqual({});
    expect(headersOf({ origin, credential: { kind: 'apiKey', value: 'k' } })).toEqual({ ApiKey: 'k' });
    expect(headersOf({ origin, credential: { kind: 'cookie', name: 'session', value: 'v' } })).toEqual({
      cookie: 'session=v',
    });
  });
});

describe('a failure', () => {
  test.each([
    ['reset', 'unreachable'],
    ['garbage', 'unreachable'],
    ['truncated', 'unreachable'],
    ['error500', 'unreachable'],
    ['unauthorized', 'unauthorized'],
  ] as const)('%s is %s', async (kind, expected) => {
    const stash = await startStash({ scenes: 1, apiKey: KEY });
    stash.addFault({ kind });
    expect(kindOf(await connect(stash, { kind: 'apiKey', value: KEY }).scenes(['1']))).toBe(expected);
  });

  test('nothing listens: unreachable, with the code', async () => {
    const stash = await startStash();
    stash.addFault({ kind: 'down' });
    // The listener closes in the background: the port is closed once a stranger finds it so.
    await vi.waitFor(() => expect(fetch(stash.url)).rejects.toThrow(), { timeout: 20_000, interval: 5 });
    const result = await connect(stash).scenes(['1']);
    expect(result).toMatchObject({
      ok: false,
      failure: { kind: 'unreachable', detail: 'Stash does not answer (ECONNREFUSED)' },
    });
  });

  test('no answer within 30 s is unreachable', async () => {
    const stash = await startStash();
    stash.addFault({ kind: 'hang' });
    const client = connect(stash);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const pending = client.scenes(['1']);
    while (stash.requests.length === 0) await new Promise((done) => setImmediate(done));
    vi.advanceTimersByTime(29_999);
    const early = await Promise.race([pending, new Promise((done) => setImmediate(done, 'waits'))]);
    expect(early).toBe('waits');
    vi.advanceTimersByTime(1);
    expect(await pending).toMatchObject({ ok: false, failure: { kind: 'unreachable' } });
  });

  test('GraphQL says no: refused, with what it said, shortened', async () => {
    const message = `not like that: ${'x'.repeat(1_000)}`;
    const { port } = await httpServer((_request, response) =>
      response.writeHead(422).end(JSON.stringify({ errors: [{ message }], data: null })),
    );
    const client = new StashClient({ origin: `http://127.0.0.1:${port}`, credential: { kind: 'none' } });
    onTestFinished(() => client.close());
    const result = await client.apiKey();
    expect(kindOf(result)).toBe('refused');
    const { detail } = (result as Extract<typeof result, { ok: false }>).failure;
    expect(detail).toMatch(/^Stash refused a query: not like that/);
    expect(detail.length).toBeLessThan(300);
  });

  test('an id is never more than an id, whatever it holds', async () => {
    const stash = await startStash({ scenes: 1 });
    const hostile = '"){id} s9:findScene(id:"1';
    const result = await connect(stash).scenes([hostile, '1']);
    expect(kindOf(result)).toBe('refused');
    const { detail } = (result as Extract<typeof result, { ok: false }>).failure;
    expect(detail).toContain(`parsing ${JSON.stringify(hostile)}: invalid syntax`);
  });

  test('passes: the next request is answered', async () => {
    const stash = await startStash({ scenes: 1 });
    stash.addFault({ kind: 'garbage', count: 1 });
    const client = connect(stash);
    expect(kindOf(await client.scenes(['1']))).toBe('unreachable');
    expect(unwrap(await client.scenes(['1'])).size).toBe(1);
  });
});

describe('a connection that breaks under a question', () => {
  test('is made anew: asking twice changes nothing', async () => {
    const stash = await startStash({ scenes: 1 });
    const client = connect(stash);
    await client.scenes(['1']);
    stash.addFault({ kind: 'reset', count: 1 });
    expect(unwrap(await client.scenes(['1'])).size).toBe(1);
    expect(client.sent).toBe(4);
  });
});

test('a scene of any shape is read without a crash, as texts', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom('id', 'title', 'studio', 'tags', 'files', 'date'), fc.jsonValue()),
      (json) => {
        const scene = sceneOf(json);
        for (const text of [scene.id, scene.title, scene.studio, ...scene.tags, ...scene.files]) {
          expect(typeof text).toBe('string');
        }
      },
    ),
    PROPERTY_RUNS,
  );
});

// GraphQL gives what it could and null for the rest: a scene that is null there is not gone, and its job is not settled.
describe('an answer with errors beside its data is a refusal, in every question', () => {
  const partial = {
    data: {
      s0: null,
      configuration: { plugins: {}, general: { apiKey: null } },
      findScenes: { count: 0, scenes: [] },
      __type: { inputFields: [{ name: 'groups' }] },
    },
    errors: [{ message: 'context canceled', path: ['s0'] }],
  };

  test.each<[string, (client: StashClient) => Promise<StashResult<unknown>>]>([
    ['settings', (client) => client.settings(PLUGIN)],
    ['configure', (client) => client.configure(PLUGIN, {})],
    ['scenes', (client) => client.scenes(['1'])],
    ['scenesWith', (client) => client.scenesWith('tag', '1')],
    ['scenesWithFile', (client) => client.scenesWithFile(['a.mp4'])],
    ['scenesAfter', (client) => client.scenesAfter(0, 10)],
    ['changedSince', (client) => client.changedSince(0)],
    ['sceneIds', (client) => client.sceneIds()],
    ['apiKey', (client) => client.apiKey()],
  ])('%s', async (_, ask) => {
    const { port } = await httpServer((_request, response) => response.end(JSON.stringify(partial)));
    const client = new StashClient({ origin: `http://127.0.0.1:${port}`, credential: { kind: 'none' } });
    onTestFinished(() => client.close());
    expect(kindOf(await ask(client))).toBe('refused');
  });

  test('scenes, where only the question for them has errors', async () => {
    const { port } = await httpServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += String(chunk);
      });
      request.on('end', () => {
        const { errors, ...clean } = partial;
        response.end(JSON.stringify(body.includes('findScene(') ? { ...clean, errors } : clean));
      });
    });
    const client = new StashClient({ origin: `http://127.0.0.1:${port}`, credential: { kind: 'none' } });
    onTestFinished(() => client.close());
    expect(kindOf(await client.scenes(['1', '2']))).toBe('refused');
  });
});

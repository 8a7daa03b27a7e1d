// The HTTP face: who may ask, what a version's schema has, pictures, settings, faults, and the control port.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { startStashControl } from './stash/control.ts';
import { FaultList } from './stash/faults.ts';
import { rfc3339 } from './stash/time.ts';
import { ask, atEnd, startStash, until } from './stash-fixture.ts';

const CAPTURES = new URL('../fixtures/captures/graphql/', import.meta.url);
const VERSION = '{ version { version } }';

function captured(name: string) {
  return JSON.parse(readFileSync(new URL(name, CAPTURES), 'utf8'));
}

/** Every field's name and the kind of its value, so that two answers can be compared in shape. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shape(value[0])];
  if (value === null || typeof value !== 'object') return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shape(inner)]));
}

function selection(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? '{ id }' : selection(value[0]);
  if (value === null || typeof value !== 'object') return '';
  const fields = Object.entries(value).map(([key, inner]) => `${key} ${selection(inner)}`);
  return `{ ${fields.join(' ')} }`;
}

describe('who may ask', () => {
  const closed = { scenes: 1, username: 'user', password: 'secret', apiKey: 'key' };

  test('anyone, when nothing is set', async () => {
    const sim = await startStash();
    expect((await ask(sim, VERSION)).status).toBe(200);
  });

  test('else who has the key, a cookie from the login, or the key in the address', async () => {
    const sim = await startStash({}, closed);
    const refused = await ask(sim, VERSION);
    expect([refused.status, await refused.text()]).toEqual([401, '']);
    const picture = await fetch(`${sim.url}/scene/1/screenshot?t=1`, { redirect: 'manual' });
    expect([picture.status, picture.headers.get('location')]).toEqual([
      302,
      '/login?returnURL=%2Fscene%2F1%2Fscreenshot%3Ft%3D1',
    ]);
    expect((await fetch(`${sim.url}/login`)).headers.get('content-type')).toBe('text/html');
    expect((await ask(sim, VERSION, { headers: { authorization: 'Bearer key' } })).status).toBe(401);
    expect((await ask(sim, VERSION, { headers: { ApiKey: 'key' } })).status).toBe(200);
    expect((await fetch(`${sim.url}/scene/1/screenshot?apikey=key`)).status).toBe(200);

    const login = (password: string) =>
      fetch(`${sim.url}/login`, {
        method: 'POST',
        body: new URLSearchParams({ username: 'user', password }),
      });
    expect((await login('wrong')).status).toBe(401);
    const cookie = (await login('secret')).headers.get('set-cookie')!.split(';')[0]!;
    expect((await ask(sim, VERSION, { headers: { cookie } })).status).toBe(200);
    const tampered = `${cookie.slice(0, -4)}AAAA`;
    expect((await ask(sim, VERSION, { headers: { cookie: tampered } })).status).toBe(401);

    expect(sim.requests.map((line) => line.authed)).toContain(false);
    expect(JSON.stringify(sim.requests)).not.toMatch(/key|secret|session=/);
  });

  test.each([
    ['v0.25.1', 500],
    ['v0.30.1', 401],
  ])('a wrong key is answered in %s with %d', async (version, status) => {
    const sim = await startStash({}, { ...closed, version });
    expect((await ask(sim, VERSION, { headers: { ApiKey: 'no' } })).status).toBe(status);
  });

  test('a cookie is good for its age only', async () => {
    const plugin = { p: { hooks: ['Scene.Update.Post'] } };
    const sim = await startStash(plugin, { ...closed, maxSessionAgeS: -1 });
    await sim.updateScene(1, { title: 'x' });
    const { Value } = JSON.parse(sim.runs[0]!.stdin).server_connection.SessionCookie;
    expect((await ask(sim, VERSION, { headers: { cookie: `session=${Value}` } })).status).toBe(401);
  });

  test('the key stands in the stream address and nowhere else', async () => {
    const sim = await startStash({}, closed);
    const { findScene } = await sim.graphql('{ findScene(id: 1) { paths { screenshot preview stream } } }');
    expect(findScene.paths.stream).toContain('apikey=key');
    expect(findScene.paths.screenshot + findScene.paths.preview).not.toContain('key');
    const { configuration } = await sim.graphql('{ configuration { general { apiKey } } }');
    expect(configuration.general.apiKey).toBe('key');
  });
});

describe('the answers of a real v0.25.1', () => {
  test.each([
    'findScene.v0.25.1.json',
    'version.json',
    'systemStatus.json',
    'configuration.json',
    'plugins.json',
  ])('have the shape of %s', async (name) => {
    const plugin = `version: 0.0.1\ndescription: d\nurl: u\nsettings: { batchSize: { type: NUMBER } }\ntasks: [{ name: T }]\n`;
    const sim = await startStash({ 'bw-capture': { yml: plugin, hooks: ['Scene.Create.Post'] } });
    sim.configurePlugin('bw-capture', { batchSize: 25, dryRun: true, plexUrl: 'u' });
    const { db } = sim;
    const parent = db.addStudio('Parent');
    db.addStudio({ name: 'Studio', parentIds: [parent.id] });
    db.addPerformer('P');
    db.addTag('T');
    db.addGroup('G');
    db.addScene({
      files: ['/m/a.mp4'],
      date: '2021-05-04',
      rating100: 85,
      urls: ['u'],
      studioId: 2,
      performerIds: [1],
      tagIds: [1],
      groups: [{ groupId: 1, sceneIndex: 2 }],
      stashIds: [{ endpoint: 'e', stashId: 's' }],
      markers: [{ id: 1, title: 'm', seconds: 1, primaryTagId: 1, tagIds: [] }],
      oHistory: [db.now()],
      playHistory: [db.now()],
    });
    const { data } = captured(name);
    const [[field, value]] = Object.entries(data) as [[string, Record<string, unknown>]];
    // The settings are a map: it has no fields to select.
    const wanted = { ...value, ...(field === 'configuration' ? { plugins: '' } : {}) };
    const query = `{ ${field}${name.startsWith('findScene') ? '(id: 1)' : ''} ${selection(field === 'plugins' ? value : wanted)} }`;
    const answer = await sim.graphql(query);
    expect(shape(answer)).toEqual(shape(data));
  });

  test('a scene that is not there is null, and one without a file has no hash in its addresses', async () => {
    const sim = await startStash();
    expect(await sim.graphql('{ findScene(id: 9) { id } }')).toEqual(captured('findScene-missing.json').data);
    sim.db.addScene({ title: 'no file scene' });
    const { findScene } = await sim.graphql('{ findScene(id: 1) { paths { vtt } files { id } } }');
    expect(findScene).toEqual({ paths: { vtt: `${sim.url}/scene/_thumbs.vtt` }, files: [] });
  });

  test('an unknown field fails the whole query with 422', async () => {
    const sim = await startStash();
    const response = await ask(sim, '{ findScenes { scenes { nope } } }');
    // biome-ignore lint/suspicious/noExplicitAny: compared with a captured answer
    const body = (await response.json()) as any;
    const real = captured('error-unknown-field.json');
    expect([response.status, body.data]).toEqual([422, null]);
    expect(Object.keys(body)).toEqual(Object.keys(real));
    expect(body.errors[0].extensions).toEqual(real.errors[0].extensions);
    expect(body.errors[0].message).toMatch(/^Cannot query field "nope" on type "Scene"\./);
    expect((await ask(sim, '{ not graphql')).status).toBe(422);
    expect((await fetch(`${sim.url}/graphql`, { method: 'POST', body: 'no json' })).status).toBe(400);
  });
});

describe('a version has', () => {
  const fieldsOf =
    '{ s: __type(name: "Scene") { fields { name } } m: __type(name: "Mutation") { fields { name } } }';
  const CASES = [
    [
      'v0.22.1',
      { urls: true, groups: false, play_history: false, runPluginOperation: false, configurePlugin: false },
    ],
    [
      'v0.24.3',
      { urls: true, groups: false, play_history: false, runPluginOperation: false, configurePlugin: true },
    ],
    [
      'v0.25.1',
      { urls: true, groups: false, play_history: true, runPluginOperation: true, configurePlugin: true },
    ],
    [
      'v0.30.1',
      { urls: true, groups: true, play_history: true, runPluginOperation: true, configurePlugin: true },
    ],
  ] as const;

  test.each(CASES)('%s the fields of its time', async (version, wanted) => {
    const sim = await startStash({}, { version });
    const { s, m } = await sim.graphql(fieldsOf);
    const names = [...s.fields, ...m.fields].map((field: { name: string }) => field.name);
    const has = Object.fromEntries(Object.keys(wanted).map((name) => [name, names.includes(name)]));
    expect(has).toEqual(wanted);
    expect((await sim.graphql(VERSION)).version.version).toBe(version);
  });

  test('hooks of groups under both names from v0.27', async () => {
    const hooks = ['Group.Update.Post', 'Movie.Update.Post'];
    const sim = await startStash({ p: { hooks } }, { version: 'v0.30.1' });
    sim.db.addGroup('G');
    sim.db.addScene({ groups: [{ groupId: 1, sceneIndex: null }] });
    await sim.graphql('mutation { groupUpdate(input: {id: 1, name: "H"}) { id } }');
    expect(sim.runs.map((run) => run.trigger)).toEqual(hooks);
    const { findScene } = await sim.graphql(
      '{ findScene(id: 1) { groups { group { name } } movies { movie { name } } } }',
    );
    expect(findScene).toEqual({ groups: [{ group: { name: 'H' } }], movies: [{ movie: { name: 'H' } }] });
  });
});

describe('findScenes', () => {
  test('pages, counts, sorts and finds by id', async () => {
    const sim = await startStash({}, { scenes: 30 });
    const find = async (args: string) =>
      (await sim.graphql(`{ findScenes(${args}) { count scenes { id } } }`)).findScenes;
    const ids = (result: { scenes: { id: string }[] }) => result.scenes.map((scene) => Number(scene.id));
    expect(ids(await find('filter: {}'))).toHaveLength(25);
    expect(ids(await find('filter: {page: 2, per_page: 20}'))).toEqual([
      21, 22, 23, 24, 25, 26, 27, 28, 29, 30,
    ]);
    expect(await find('filter: {per_page: 0}')).toEqual({ count: 30, scenes: [] });
    expect(ids(await find('filter: {per_page: -1, sort: "id", direction: DESC}'))[0]).toBe(30);
    expect(ids(await find('ids: [3, 1]'))).toEqual([3, 1]);
    expect(ids(await find('scene_ids: [2]'))).toEqual([2]);
    expect(ids(await find('scene_filter: {path: {value: "clip 7.", modifier: INCLUDES}}'))).toEqual([7]);
  });

  test('filters by tags, performers and studios with their children', async () => {
    const sim = await startStash({}, { scenes: 3 });
    const { db } = sim;
    db.addTag('t1');
    db.addTag({ name: 't2', parentIds: [1] });
    db.addPerformer('p');
    db.addStudio('s');
    db.addStudio({ name: 'child', parentIds: [1] });
    Object.assign(db.scene(1), { tagIds: [1], performerIds: [1], studioId: 1 });
    Object.assign(db.scene(2), { tagIds: [1, 2], studioId: 2 });
    const find = async (filter: string) => {
      const { findScenes } = await sim.graphql(`{ findScenes(scene_filter: {${filter}}) { scenes { id } } }`);
      return findScenes.scenes.map((scene: { id: string }) => Number(scene.id));
    };
    expect(await find('tags: {value: [1], modifier: INCLUDES}')).toEqual([1, 2]);
    expect(await find('tags: {value: [1, 2], modifier: INCLUDES_ALL}')).toEqual([2]);
    expect(await find('tags: {value: [1], modifier: EXCLUDES}')).toEqual([3]);
    expect(await find('tags: {modifier: IS_NULL}')).toEqual([3]);
    expect(await find('performers: {value: [1], modifier: INCLUDES}')).toEqual([1]);
    expect(await find('studios: {value: [1], modifier: INCLUDES}')).toEqual([1]);
    expect(await find('studios: {value: [1], modifier: INCLUDES, depth: -1}')).toEqual([1, 2]);
    expect(
      await find('performers: {value: [1], modifier: INCLUDES}, OR: {id: {value: 3, modifier: EQUALS}}'),
    ).toEqual([1, 3]);
  });

  test('compares updated_at as text: strict, by the second, nothing for nonsense', async () => {
    const sim = await startStash({}, { scenes: 3 });
    const at = Date.UTC(2026, 0, 2, 3, 4, 5);
    for (const scene of sim.db.scenes()) scene.updatedAt = at + scene.id * 1000;
    const find = async (value: string, modifier: string) => {
      const query = `query($value: String!) { findScenes(scene_filter: {updated_at: {value: $value, modifier: ${modifier}}}) { count } }`;
      return (await sim.graphql(query, { value })).findScenes.count;
    };
    expect(await find(rfc3339(at + 2000), 'GREATER_THAN')).toBe(1);
    expect(await find(rfc3339(at + 2000), 'LESS_THAN')).toBe(1);
    expect(await find(rfc3339(at), 'GREATER_THAN')).toBe(3);
    expect(await find('yesterday', 'LESS_THAN')).toBe(0);
  });
});

test('times are in the zone of the server, which is why a newer scene may not be found', async () => {
  const zone = process.env.TZ;
  atEnd(() => {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  });
  process.env.TZ = 'America/New_York';
  const sim = await startStash({}, { scenes: 1 });
  sim.db.scene(1).updatedAt = Date.UTC(2026, 0, 3, 0, 17, 17);
  const { findScenes } = await sim.graphql(`{
    findScenes(scene_filter: {updated_at: {value: "2026-01-03T00:00:00Z", modifier: GREATER_THAN}}) { count } }`);
  const { findScene } = await sim.graphql('{ findScene(id: 1) { updated_at } }');
  expect([findScene.updated_at, findScenes.count]).toEqual(['2026-01-02T19:17:17-05:00', 0]);
});

describe('pictures', () => {
  test('are a PNG of the scene where there is a cover, else the SVG placeholder', async () => {
    const sim = await startStash({}, { scenes: 2 });
    sim.db.scene(2).cover = null;
    sim.db.addPerformer('P');
    const get = async (path: string) => {
      const response = await fetch(`${sim.url}${path}`);
      return [
        response.status,
        response.headers.get('content-type'),
        Buffer.from(await response.arrayBuffer()),
      ] as const;
    };
    const [status, type, bytes] = await get('/scene/1/screenshot?t=1');
    expect([status, type, bytes.subarray(1, 4).toString()]).toEqual([200, 'image/png', 'PNG']);
    expect((await get('/scene/2/screenshot')).slice(0, 2)).toEqual([200, 'image/svg+xml']);
    expect((await get('/performer/1/image')).slice(0, 2)).toEqual([200, 'image/svg+xml']);
    expect((await get('/scene/9/screenshot'))[0]).toBe(404);
    await sim.updateScene(2, { cover_image: `data:image/png;base64,${bytes.toString('base64')}` });
    expect((await get('/scene/2/screenshot'))[2].equals(bytes)).toBe(true);
  });
});

describe('plugin settings', () => {
  const read = (include = '') => `{ configuration { plugins${include} } }`;

  test('are replaced whole; what is not set is absent', async () => {
    const sim = await startStash();
    expect((await sim.graphql(read())).configuration.plugins).toEqual({});
    await sim.graphql('mutation { configurePlugin(plugin_id: "a", input: {one: 1, two: "2"}) }');
    await sim.graphql('mutation { configurePlugin(plugin_id: "a", input: {two: null}) }');
    sim.configurePlugin('b', { three: true });
    expect((await sim.graphql(read('(include: ["a"])'))).configuration.plugins).toEqual({ a: { two: null } });
    expect((await sim.graphql(read())).configuration.plugins).toEqual({
      a: { two: null },
      b: { three: true },
    });
  });

  test.each([
    ['v0.25.1', { plexToken: 1, plexUrL: 2, verifyTlS: 3, libraryId: 4, plexUrl: 5 }],
    ['v0.30.1', { plex_token: 1, plexURL: 2, verifyTLS: 3, libraryID: 4, plexUrl: 5 }],
  ])('have in %s the keys %j', async (version, kept) => {
    const sim = await startStash({}, { version });
    sim.configurePlugin('a', { plex_token: 1, plexURL: 2, verifyTLS: 3, libraryID: 4, plexUrl: 5 });
    expect((await sim.graphql(read())).configuration.plugins).toEqual({ a: kept });
  });
});

describe('faults', () => {
  test('each does what it says, for as many requests as it says', async () => {
    const sim = await startStash();
    const outcome = async () => {
      const response = await ask(sim, VERSION);
      return [response.status, (await response.text()).slice(0, 6)];
    };
    const failure = () => outcome().catch((error: Error) => error.constructor.name);
    sim.addFault({ kind: 'unauthorized', count: 1 });
    expect(await outcome()).toEqual([401, '']);
    sim.addFault({ kind: 'error500', count: 1 });
    expect(await outcome()).toEqual([500, 'intern']);
    sim.addFault({ kind: 'garbage', count: 1 });
    expect(await outcome()).toEqual([200, '<html>']);
    sim.addFault({ kind: 'reset', count: 1 });
    expect(await failure()).toBe('TypeError');
    sim.addFault({ kind: 'truncated', count: 1 });
    expect(await failure()).toBe('TypeError');
    sim.addFault({ kind: 'slow', ms: 30, count: 1 });
    const startedMs = performance.now();
    expect(await outcome()).toEqual([200, '{"data']);
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(29);
    expect(await outcome()).toEqual([200, '{"data']);
  });

  test('down refuses connections until it is over, on the same port', async () => {
    const sim = await startStash();
    sim.addFault({ kind: 'down' });
    const code = await ask(sim, VERSION).catch((error) => error.cause.code);
    expect(code).toBe('ECONNREFUSED');
    sim.clearFaults();
    expect((await sim.graphql(VERSION)).version.version).toBe('v0.25.1');
    expect((await ask(sim, VERSION)).status).toBe(200);
  });

  test('a fault with a duration ends by itself', async () => {
    const faults = new FaultList(() => {});
    faults.add({ kind: 'error500', durationMs: 20 });
    faults.add({ kind: 'slow', ms: 5, count: 1 });
    expect(faults.take()).toEqual({ kind: 'error500', delayMs: 5 });
    expect(faults.take()).toEqual({ kind: 'error500', delayMs: 0 });
    await until('it is over', () => faults.take().kind === 'none');
  });

  test('hang holds whoever asks but the admin', async () => {
    const sim = await startStash();
    sim.addFault({ kind: 'hang' });
    const client = new AbortController();
    const update = ask(sim, VERSION, { signal: client.signal }).catch((error: Error) => error.name);
    expect((await sim.graphql(VERSION)).version.version).toBe('v0.25.1');
    client.abort();
    expect(await update).toBe('AbortError');
    await until('the line is there', () => sim.requests.some((line) => line.status === 0));
  });
});

test('the control port adds, scans, configures, breaks and shows, without the cookie', async () => {
  const sim = await startStash({ p: { hooks: ['Scene.Create.Post'], script: "log('i', 'ran')" } });
  const control = await startStashControl(sim);
  atEnd(() => control.close());
  const call = async (method: string, path: string, body?: unknown) => {
    const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
    const response = await fetch(`${control.url}${path}`, init);
    // biome-ignore lint/suspicious/noExplicitAny: every path answers its own shape
    return [response.status, (await response.json()) as any] as const;
  };
  expect(await call('POST', '/scenes', { title: 'T', files: ['/m/a.mp4'] })).toEqual([201, { id: 1 }]);
  expect(await call('POST', '/scan', { files: ['/m/b.mp4'] })).toMatchObject([200, { status: 'FINISHED' }]);
  const [, runs] = await call('GET', '/runs');
  expect(runs).toMatchObject([{ kind: 'hook', sceneId: 2, trigger: 'Scene.Create.Post' }]);
  const { Value } = JSON.parse(sim.runs[0]!.stdin).server_connection.SessionCookie;
  expect(JSON.stringify(runs)).not.toContain(Value);
  expect((await call('GET', '/log'))[1][0]).toMatchObject({ level: 'info', plugin: 'p', text: 'ran' });
  expect((await call('GET', '/requests'))[1]).toMatchObject([
    { operation: 'metadataScan', authed: true, status: 200 },
  ]);
  await call('PUT', '/settings/p', { plexUrl: 'u' });
  const { configuration } = await sim.graphql('{ configuration { plugins } }');
  expect(configuration.plugins).toEqual({ p: { plexUrl: 'u' } });
  expect(await call('POST', '/faults', { kind: 'unauthorized' })).toEqual([201, { id: 'fault-1' }]);
  expect((await ask(sim, VERSION)).status).toBe(401);
  await call('DELETE', '/faults');
  expect((await ask(sim, VERSION)).status).toBe(200);
  await call('POST', '/clock', { stepMs: 400 * 86_400_000 });
  await call('PUT', '/plugins/p', { enabled: false });
  await call('POST', '/restart');
  const answer = await ask(sim, '{ plugins { enabled } }');
  expect(await answer.json()).toEqual({ data: { plugins: [{ enabled: false }] } });
  expect(Date.parse(answer.headers.get('date')!)).toBeGreaterThan(Date.now() + 399 * 86_400_000);
  const [status, { error }] = await call('POST', '/faults', { kind: 'nonsense' });
  expect([status, error]).toEqual([400, expect.stringContaining('kind must be one of down, ')]);
  expect((await call('GET', '/nowhere'))[0]).toBe(404);
});

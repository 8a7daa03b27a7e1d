// What Stash has given a new time, asked of the simulated Stash over the wire: its zone, its clock, its versions, and more
// changes than one page holds. And what an answer is read as, row by row.

import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CHANGED_PAGE, changedLists, changedQuery, changedRows } from '../../src/stash/changed.ts';
import { StashClient, type StashResult } from '../../src/stash/stash-client.ts';
import {
  type StashSimulator,
  type StashSimulatorOptions,
  startStashSimulator,
} from '../simulators/stash/server.ts';
import { httpServer } from '../support/bare-servers.ts';
import { PROPERTY_RUNS } from '../support/property-runs.ts';

const AT = Date.UTC(2026, 0, 5, 12);
const HOUR_MS = 3_600_000;
const KINDS = ['tag', 'performer', 'studio', 'group'] as const;

async function started(
  options: StashSimulatorOptions = {},
): Promise<{ stash: StashSimulator; client: StashClient }> {
  const stash = await startStashSimulator({ version: 'v0.30.1', ...options });
  onTestFinished(() => stash.close());
  return { stash, client: connect(stash.url) };
}

function connect(origin: string): StashClient {
  const client = new StashClient({ origin, credential: { kind: 'none' } });
  onTestFinished(() => client.close());
  return client;
}

function unwrap<T>(result: StashResult<T>): T {
  if (!result.ok) throw new Error(result.failure.detail);
  return result.value;
}

const found = async (client: StashClient, since: number) =>
  unwrap(await client.changedSince(since)).rows.map(({ kind, id }) => `${kind}:${id}`);

/** One row of each kind, all of a long time ago. */
function fill({ db }: StashSimulator): void {
  for (const kind of KINDS) db.addEntity(kind, 'one');
  for (const row of [...db.scenes(), ...KINDS.flatMap((kind) => db.entities(kind))]) {
    Object.assign(row, { createdAt: AT - 48 * HOUR_MS, updatedAt: AT - 24 * HOUR_MS });
  }
}

describe.each(['v0.24.3', 'v0.25.1', 'v0.26.2', 'v0.30.1'])('Stash %s', (version) => {
  test('says of every kind what changed, and nothing else', async () => {
    const { stash, client } = await started({ scenes: 3, version });
    fill(stash);
    expect(await found(client, AT)).toEqual([]);
    stash.db.scene(2).updatedAt = AT;
    for (const kind of KINDS) for (const row of stash.db.entities(kind)) row.updatedAt = AT + 1_000;
    expect((await found(client, AT)).sort()).toEqual([
      'group:1',
      'performer:1',
      'scene:2',
      'studio:1',
      'tag:1',
    ]);
    expect((await found(client, AT + 1_000)).sort()).toEqual(['group:1', 'performer:1', 'studio:1', 'tag:1']);
    expect(await found(client, AT + 2_000)).toEqual([]);
  });

  test('is asked in one document, once it is known what it calls groups', async () => {
    const { stash, client } = await started({ scenes: 3, version });
    await client.changedSince(AT);
    stash.requests.length = 0;
    await client.changedSince(AT);
    expect(stash.requests).toHaveLength(1);
  });
});

describe.each(['UTC', 'Asia/Kolkata', 'America/New_York', 'Pacific/Kiritimati', 'Etc/GMT+12'])(
  'in the zone %s',
  (zone) => {
    test('a time is a time, to the second', async () => {
      const { stash, client } = await started({ scenes: 3, zone });
      fill(stash);
      stash.db.scene(1).updatedAt = AT - 1_000;
      stash.db.scene(2).updatedAt = AT;
      expect(unwrap(await client.changedSince(AT)).rows).toEqual([
        { kind: 'scene', id: '2', changedAt: AT, isNew: false },
      ]);
      expect(await found(client, AT - 1_000)).toEqual(['scene:2', 'scene:1']);
    });
  },
);

test('what changed in the hour that comes twice in autumn is not passed over', async () => {
  const { stash, client } = await started({ scenes: 2, zone: 'America/New_York' });
  fill(stash);
  const twice = Date.UTC(2026, 10, 1, 6);
  stash.db.scene(1).updatedAt = twice - 1_000;
  stash.db.scene(2).updatedAt = twice + 1_000;
  expect((await found(client, twice - 2_000)).sort()).toEqual(['scene:1', 'scene:2']);
  expect(await found(client, twice)).toEqual(['scene:2']);
});

test('its clock is what it says with its answer, however far it is from ours', async () => {
  const { stash, client } = await started({ scenes: 1 });
  stash.stepClock(-40 * 24 * HOUR_MS);
  const before = Date.now() - 40 * 24 * HOUR_MS;
  const { now } = unwrap(await client.changedSince(AT));
  expect(now % 1_000).toBe(0);
  expect(Math.abs(now - before)).toBeLessThan(HOUR_MS);
});

test('what was made and never changed is new', async () => {
  const { stash, client } = await started({ scenes: 0 });
  const row = stash.db.addTag('new');
  Object.assign(row, { createdAt: AT, updatedAt: AT });
  expect(unwrap(await client.changedSince(AT)).rows).toEqual([
    { kind: 'tag', id: `${row.id}`, changedAt: AT, isNew: true },
  ]);
});

test('a bulk edit of more than two pages is found whole, and no more is asked than it takes', async () => {
  const { stash, client } = await started({ scenes: 2 * CHANGED_PAGE + 5 });
  for (const scene of stash.db.scenes()) scene.updatedAt = AT;
  const rows = await found(client, AT);
  expect(new Set(rows).size).toBe(2 * CHANGED_PAGE + 5);
  expect(stash.requests).toHaveLength(3);
});

test('a library of which nothing changed costs one page, however large it is', async () => {
  const { stash, client } = await started({ scenes: 2 * CHANGED_PAGE });
  // Within the margin for zones Stash gives them all, and they are looked at closely here.
  for (const scene of stash.db.scenes()) scene.updatedAt = AT - 20 * HOUR_MS;
  expect(await found(client, AT)).toEqual([]);
  expect(stash.requests).toHaveLength(1);
});

test('all ids of scenes, and none where Stash does not list them', async () => {
  const { client } = await started({ scenes: 4 });
  expect([...unwrap(await client.sceneIds())].sort()).toEqual(['1', '2', '3', '4']);
  const { port } = await httpServer((_request, response) => response.end('{"data":{"findScenes":null}}'));
  expect(await connect(`http://127.0.0.1:${port}`).sceneIds()).toMatchObject({ ok: false });
});

test('an answer with an error beside its data is no answer: what is missing in it did not change', async () => {
  const { port } = await httpServer((_request, response) =>
    response.end(
      '{"data":{"findScenes":{"scenes":[]},"findTags":null},"errors":[{"message":"database is locked"}]}',
    ),
  );
  const result = await connect(`http://127.0.0.1:${port}`).changedSince(AT);
  expect(result).toMatchObject({ ok: false, failure: { kind: 'refused' } });
});

const answering = async (lists: (page: number) => object, sendsDate = true) => {
  let page = 0;
  const { port } = await httpServer((_request, response) => {
    response.sendDate = sendsDate;
    page += 1;
    response.end(JSON.stringify({ data: lists(page) }));
  });
  return connect(`http://127.0.0.1:${port}`);
};
const NOTHING = {
  findScenes: { scenes: [] },
  findTags: { tags: [] },
  findPerformers: { performers: [] },
  findStudios: { studios: [] },
  findGroups: { groups: [] },
};

test('a Stash that has no groups at all answers the second time as well', async () => {
  const { findGroups: _, ...others } = NOTHING;
  const { port } = await httpServer(async (request, response) => {
    let query = '';
    for await (const chunk of request) query += String(chunk);
    const isRefused = /findGroups|findMovies/.test(query);
    response.end(
      isRefused ? '{"errors":[{"message":"Cannot query field"}]}' : JSON.stringify({ data: others }),
    );
  });
  const client = connect(`http://127.0.0.1:${port}`);
  expect(await client.changedSince(AT)).toMatchObject({ ok: true });
  expect(await client.changedSince(AT)).toMatchObject({ ok: true });
});

describe('a page', () => {
  const [list] = changedLists('groups');
  const page = (changedAt: (index: number) => number) =>
    Array.from({ length: CHANGED_PAGE }, (_, index) => ({
      id: `${index + 1}`,
      created_at: '2020-01-01T00:00:00Z',
      updated_at: new Date(changedAt(index)).toISOString(),
    }));
  const hasMore = (scenes: readonly object[]) => changedRows(list!, { findScenes: { scenes } }, AT)!.hasMore;

  test('of rows that are a little too old is not the last: text in one zone is not quite in the order of time', () => {
    expect(hasMore(page(() => AT - HOUR_MS))).toBe(true);
    expect(hasMore(page(() => AT - 4 * HOUR_MS))).toBe(false);
  });

  test('with a row that makes no sense is a whole one', () => {
    const rows = page(() => AT);
    expect(hasMore([{ id: null }, ...rows.slice(1)])).toBe(true);
    expect(hasMore(rows.slice(1))).toBe(false);
  });
});

test('what a later page holds is not left out where that is not answered', async () => {
  let asked = 0;
  const scenes = Array.from({ length: CHANGED_PAGE }, (_, index) => ({
    id: `${index + 1}`,
    created_at: '2020-01-01T00:00:00Z',
    updated_at: new Date(AT).toISOString(),
  }));
  const { port } = await httpServer((_request, response) => {
    asked += 1;
    if (asked > 1) response.writeHead(500);
    response.end(asked > 1 ? '' : JSON.stringify({ data: { findScenes: { scenes } } }));
  });
  expect(await connect(`http://127.0.0.1:${port}`).changedSince(AT)).toMatchObject({ ok: false });
  expect(asked).toBe(2);
});

test('a Stash that does not answer is not asked which version it is', async () => {
  let asked = 0;
  const { port } = await httpServer((_request, response) => {
    asked += 1;
    response.writeHead(502);
    response.end();
  });
  expect(await connect(`http://127.0.0.1:${port}`).changedSince(AT)).toMatchObject({ ok: false });
  expect(asked).toBe(1);
});

test('where nobody says the time, it is not a number: who asks has a clock', async () => {
  const client = await answering(() => NOTHING, false);
  expect(unwrap(await client.changedSince(AT)).now).toBeNaN();
});

test.each([
  ['nothing', {}],
  ['all but one list', { ...NOTHING, findTags: null }],
  ['a list of another name', { ...NOTHING, findScenes: { images: [] } }],
])('an answer that holds %s is no answer: what it does not list may have changed', async (_what, lists) => {
  const client = await answering(() => lists);
  expect(await client.changedSince(AT)).toMatchObject({ ok: false, failure: { kind: 'refused' } });
});

test('a Stash whose pages do not end is not asked without end', async () => {
  const row = { id: '1', created_at: '', updated_at: new Date(AT).toISOString() };
  const client = await answering(() => ({
    ...NOTHING,
    findScenes: { scenes: Array.from({ length: CHANGED_PAGE }, () => row) },
  }));
  expect(await client.changedSince(AT)).toMatchObject({ ok: false, failure: { kind: 'refused' } });
}, 60_000);

test('any answer is read without a throw, and only rows that make sense come of it', () => {
  const [list] = changedLists('groups');
  const anything = fc.jsonValue({ maxDepth: 2 });
  const row = fc.oneof(
    anything,
    fc.record(
      {
        id: fc.oneof(anything, fc.nat(), fc.nat().map(String)),
        updated_at: fc.oneof(
          anything,
          fc.constantFrom('2026-01-05T12:00:00Z', '2026-01-05T14:00:00+02:00', 'x'),
        ),
        created_at: anything,
      },
      { requiredKeys: [] },
    ),
  );
  const data = fc.oneof(
    fc.record({ findScenes: fc.oneof(anything, fc.record({ scenes: fc.oneof(anything, fc.array(row)) })) }),
    fc.dictionary(fc.string(), anything),
  );
  fc.assert(
    fc.property(data, (json) => {
      for (const { kind, id, changedAt } of changedRows(list!, json as never, AT)?.rows ?? []) {
        expect([kind, changedAt >= AT]).toEqual(['scene', true]);
        expect(id).toMatch(/^[1-9]\d*$/);
      }
    }),
    PROPERTY_RUNS,
  );
});

test('a question names each list once, and nothing that a version may lack but groups', () => {
  const query = changedQuery(changedLists('movies'), AT, 2);
  for (const field of ['findScenes', 'findTags', 'findPerformers', 'findStudios', 'findMovies']) {
    expect(query.split(`${field}(`)).toHaveLength(2);
  }
  expect(changedQuery(changedLists(null), AT, 1)).not.toMatch(/Groups|Movies/);
});

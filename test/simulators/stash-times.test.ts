// Times: the server's zone, its clock, and what moves updated_at (measured on v0.30.1 where it says so).
import { describe, expect, test } from 'vitest';
import type { StashSimulator } from './stash/server.ts';
import { Clock } from './stash/time.ts';
import { ask, startStash } from './stash-fixture.ts';

const NEW = 'v0.30.1';
const HASH_BUILD = 'cf3489efd';
const KINDS = ['tag', 'performer', 'studio', 'group'] as const;

/** Makes every row old, acts, and gives those that are not old any more. */
async function moved(sim: StashSimulator, act: () => Promise<unknown>): Promise<string[]> {
  const rows = () => [
    ...sim.db.scenes().map((row) => ({ name: `scene ${row.id}`, row })),
    ...KINDS.flatMap((kind) => sim.db.entities(kind).map((row) => ({ name: `${kind} ${row.id}`, row }))),
  ];
  for (const { row } of rows()) row.updatedAt = 0;
  await act();
  return rows()
    .filter(({ row }) => row.updatedAt !== 0)
    .map(({ name }) => name);
}

async function library(version = NEW): Promise<StashSimulator> {
  const sim = await startStash({}, { scenes: 3, version });
  for (const kind of KINDS) for (const name of ['a', 'b', 'clip']) sim.db.addEntity(kind, name);
  for (const scene of sim.db.scenes()) {
    Object.assign(scene, {
      tagIds: [1, 2],
      performerIds: [1, 2],
      studioId: 1,
      groups: [{ groupId: 1, sceneIndex: null }],
    });
  }
  return sim;
}

describe('updated_at', () => {
  test.each([
    ['tagUpdate(input: {id: 1, name: "z"}) { id }', ['tag 1']],
    ['performerUpdate(input: {id: 1, name: "z"}) { id }', ['performer 1']],
    ['studioUpdate(input: {id: 1, name: "z"}) { id }', ['studio 1']],
    ['groupUpdate(input: {id: 1, name: "z"}) { id }', ['group 1']],
    ['sceneUpdate(input: {id: 1}) { id }', ['scene 1']],
    ['bulkSceneUpdate(input: {ids: [1, 2], title: "z"}) { id }', ['scene 1', 'scene 2']],
    ['sceneMerge(input: {source: [1], destination: 2}) { id }', ['scene 2']],
    ['tagsMerge(input: {source: [2], destination: 1}) { id }', []],
    ['tagDestroy(input: {id: 1})', []],
    ['performerDestroy(input: {id: 1})', []],
    ['studioDestroy(input: {id: 1})', []],
    ['groupDestroy(input: {id: 1})', []],
    ['sceneDestroy(input: {id: 1})', []],
  ])('after %s has moved for %j', async (mutation, wanted) => {
    const sim = await library();
    expect(await moved(sim, () => sim.graphql(`mutation { ${mutation} }`))).toEqual(wanted);
  });

  test('moves by an auto tag, which fires no hook', async () => {
    const sim = await library();
    sim.db.scene(1).files[0]!.path = '/m/not one.mp4';
    const input = '{performers: ["3"], tags: ["*"], studios: ["3"]}';
    const act = () => sim.graphql(`mutation { metadataAutoTag(input: ${input}) }`).then(() => sim.idle());
    expect(await moved(sim, act)).toEqual(['scene 2', 'scene 3']);
    expect(sim.db.scene(2)).toMatchObject({ performerIds: [1, 2, 3], tagIds: [1, 2, 3], studioId: 1 });
    expect(sim.runs).toEqual([]);
  });

  test('does not move by a rename that a scan finds', async () => {
    const sim = await library();
    sim.db.renameOnDisk('/media/scenes/clip 1.mp4', '/media/scenes/renamed.mp4');
    expect(await moved(sim, () => sim.scan())).toEqual([]);
  });

  test('moves for the performer that stays when performers are merged, without any hook', async () => {
    const sim = await startStash(
      { all: { hooks: ['Performer.Update.Post', 'Performer.Destroy.Post', 'Scene.Update.Post'], js: '1' } },
      { scenes: 1, version: HASH_BUILD },
    );
    for (const name of ['a', 'b']) sim.db.addPerformer(name);
    sim.db.scene(1).performerIds = [2];
    const merge = 'mutation { performerMerge(input: {source: [2], destination: 1}) { id } }';
    expect(await moved(sim, () => sim.graphql(merge))).toEqual(['performer 1']);
    expect(sim.db.scene(1).performerIds).toEqual([1]);
    expect(sim.runs).toEqual([]);
    const old = await startStash({}, { version: NEW });
    await expect(old.graphql(merge)).rejects.toThrow('Cannot query field "performerMerge"');
  });

  test.each([
    ['findTags', 'tags', 'tag_filter', NEW],
    ['findPerformers', 'performers', 'performer_filter', NEW],
    ['findStudios', 'studios', 'studio_filter', NEW],
    ['findGroups', 'groups', 'group_filter', NEW],
    ['findMovies', 'movies', 'movie_filter', 'v0.26.2'],
  ])('%s can be asked for what is newer', async (field, plural, filterName, version) => {
    const sim = await library(version);
    const at = Date.UTC(2026, 0, 2);
    for (const kind of KINDS) for (const row of sim.db.entities(kind)) row.updatedAt = at + row.id * 1000;
    const query = `{ ${field}(${filterName}: {updated_at: {value: "${sim.db.timeText(at + 1000)}", modifier: GREATER_THAN}},
      filter: {sort: "updated_at", direction: DESC}) { count ${plural} { id created_at updated_at } } }`;
    const { [field]: found } = await sim.graphql(query);
    expect(found.count).toBe(2);
    expect(found[plural].map((row: { id: string }) => row.id)).toEqual(['3', '2']);
    expect(found[plural][0].updated_at).toBe(sim.db.timeText(at + 3000));
  });
});

describe('the zone', () => {
  const at = Date.UTC(2026, 0, 3, 0, 17, 17);

  test.each([
    ['of the option', { zone: 'America/New_York' }, '2026-01-02T19:17:17-05:00', 0],
    ['of TZ', { env: { TZ: 'Asia/Kolkata' } }, '2026-01-03T05:47:17+05:30', 1],
    ['of nobody else than UTC', { zone: 'UTC' }, '2026-01-03T00:17:17Z', 1],
  ])('%s is in every text, and texts are compared', async (_, options, text, count) => {
    const sim = await startStash({}, { scenes: 1, ...options });
    sim.db.scene(1).updatedAt = at;
    const { findScene, findScenes } = await sim.graphql(`{ findScene(id: 1) { updated_at }
      findScenes(scene_filter: {updated_at: {value: "2026-01-03T00:00:00Z", modifier: GREATER_THAN}}) { count } }`);
    expect([findScene.updated_at, findScenes.count]).toEqual([text, count]);
  });

  test('has its summer time', () => {
    const clock = new Clock('America/New_York');
    expect(clock.text(Date.UTC(2026, 6, 1))).toBe('2026-06-30T20:00:00-04:00');
    // The hour that comes twice.
    expect(clock.text(Date.UTC(2026, 10, 1, 5, 59, 59))).toBe('2026-11-01T01:59:59-04:00');
    expect(clock.text(Date.UTC(2026, 10, 1, 6))).toBe('2026-11-01T01:00:00-05:00');
    expect(clock.exactText(Date.UTC(2026, 6, 1) + 250)).toBe('2026-06-30T20:00:00.25-04:00');
    expect(clock.exactText(Date.UTC(2026, 6, 1))).toBe('2026-06-30T20:00:00-04:00');
  });

  test('that does not exist is refused at the start', async () => {
    await expect(startStash({}, { zone: 'Nowhere/At_All' })).rejects.toThrow('Nowhere/At_All');
  });

  test('is in the times of a job, with a fraction', async () => {
    const sim = await startStash({}, { zone: 'Asia/Kolkata' });
    await sim.scan();
    const { findJob } = await sim.graphql('{ findJob(input: {id: 1}) { addTime startTime endTime } }');
    for (const text of Object.values(findJob)) {
      expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?\+05:30$/);
    }
  });
});

describe('the clock', () => {
  const DAY_MS = 86_400_000;
  const isNear = (text: string | null, wantedMs: number) =>
    expect(Math.abs(Date.parse(text!) - wantedMs)).toBeLessThan(DAY_MS / 2);

  test.each([400, -400])(
    'stepped by %d days is that of rows, jobs and the Date of an answer',
    async (days) => {
      const sim = await startStash({}, { scenes: 1 });
      const wantedMs = Date.now() + days * DAY_MS;
      isNear((await ask(sim, '{ version { version } }')).headers.get('date'), Date.now());
      sim.stepClock(days * DAY_MS);
      await sim.updateScene(1, { title: 'x' });
      await sim.scan();
      const { findScene, findJob } = await sim.graphql(
        '{ findScene(id: 1) { updated_at } findJob(input: {id: 1}) { addTime } }',
      );
      const { headers } = await ask(sim, '{ version { version } }');
      for (const text of [findScene.updated_at, findJob.addTime, headers.get('date')]) isNear(text, wantedMs);
    },
  );
});

test.each([
  ['{ findScene(id: "abc") { id } }'],
  ['{ findTag(id: "abc") { id } }'],
  ['{ findJob(input: {id: "abc"}) { id } }'],
  ['mutation { sceneUpdate(input: {id: "abc"}) { id } }'],
])('an id that is no number is an error: %s', async (query) => {
  const sim = await startStash();
  await expect(sim.graphql(query)).rejects.toThrow('strconv.Atoi: parsing "abc": invalid syntax');
});

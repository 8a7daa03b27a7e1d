// From a change in Stash to Plex, through what can stand between: real hooks, real drainers, real sockets.

import { afterEach, describe, expect, test } from 'vitest';
import { evolveHistory, newHistory, type OutageHistory } from '../../src/outages/outages.ts';
import type { StashSimulator } from '../simulators/stash/server.ts';
import { LiveWorld, TOKEN, until, type WorldOptions } from '../support/live-world.ts';

let world: LiveWorld;
afterEach(() => world.close());

async function start(options: Partial<WorldOptions> = {}): Promise<LiveWorld> {
  world = await LiveWorld.start({ scenes: 5, ...options });
  return world;
}

const counts = async () => (await world.queue()).counts;
const allDelivered = async () => {
  const { pending, deferred } = await counts();
  return pending === 0 && deferred === 0;
};
const titleIs = (scene: number, title: string) =>
  until(`scene ${scene} is "${title}"`, () => world.title(scene) === title).catch((error: unknown) => {
    throw new Error(`${error}\n${world.account()}`);
  });
const breakerIs = (value: string) =>
  until(`the breaker is ${value}`, async () => (await world.control()).breaker.value === value);

describe('a change reaches Plex', () => {
  test('with its title, studio, summary, date, performers, tags, collection and cover, locked', async () => {
    const { stash, plex } = await start();
    const made = await stash.graphql(
      'mutation{s:studioCreate(input:{name:"Acme, Inc"}){id} p:performerCreate(input:{name:"Ann O’Nym"}){id} t:tagCreate(input:{name:"out, doors"}){id}}',
    );
    const details = 'First.\n\nSecond — 日本.';
    await stash.updateScene(2, {
      title: 'A & B <c>',
      details,
      date: '2021-05-04',
      studio_id: made.s.id,
      performer_ids: [made.p.id],
      tag_ids: [made.t.id],
    });
    await titleIs(2, 'A & B <c>');
    const item = plex.library.byRatingKey('1002');
    expect(item?.fields).toMatchObject({
      summary: details,
      studio: 'Acme, Inc',
      originallyAvailableAt: '2021-05-04',
    });
    expect(item?.tags.genre?.map(({ name }) => name)).toEqual(['out, doors']);
    expect(item?.tags.actor?.map(({ name }) => name)).toEqual(['Ann O’Nym']);
    expect(item?.tags.collection?.map(({ name }) => name)).toEqual(['Acme, Inc']);
    const { cover } = stash.db.findScene('2')!;
    expect(item?.images.thumb.uploads.map(({ body }) => body)).toEqual([cover!.bytes]);
    expect(item?.images.art.selected).not.toBe('none');
    const locked = 'actor art collection genre originallyAvailableAt studio summary thumb title';
    expect([...(item?.locked ?? [])].sort()).toEqual(locked.split(' '));
  });

  test.each(['v0.25.1', 'v0.26.2', 'v0.30.1'])(
    'from Stash %s with a key, and the drainer outlives the cookie',
    async (stashVersion) => {
      await start({ stashVersion, apiKey: 'a-stash-key' });
      await world.stash.updateScene(1, { title: 'versioned' });
      await titleIs(1, 'versioned');
    },
  );

  test('a renamed tag reaches all its scenes', async () => {
    const { stash, plex } = await start();
    const { t } = await stash.graphql('mutation{t:tagCreate(input:{name:"old"}){id}}');
    for (const scene of [1, 2, 3]) await stash.updateScene(scene, { title: `s${scene}`, tag_ids: [t.id] });
    const genres = () =>
      ['1001', '1002', '1003'].map((key) =>
        plex.library
          .byRatingKey(key)
          ?.tags.genre?.map(({ name }) => name)
          .join(),
      );
    await until('all have the tag', () => genres().every((names) => names === 'old'));
    await stash.graphql('mutation($id:ID!){tagUpdate(input:{id:$id,name:"new"}){id}}', { id: t.id });
    await until('all have the new name only', () => genres().every((names) => names === 'new'));
  });

  test('a scene without values leaves its item as it is; one that is destroyed is forgotten', async () => {
    const { stash, plex } = await start();
    await stash.updateScene(1, { organized: true });
    await stash.updateScene(2, { title: 'short-lived' });
    await until('both are settled', async () => (await counts()).delivered === 2);
    const writes = () => plex.requests.filter(({ method }) => method === 'PUT').map(({ path: at }) => at);
    const before = writes();
    await stash.graphql('mutation{sceneDestroy(input:{id:"2"})}');
    await until('it is forgotten', async () => {
      const { known } = await world.queue();
      return !known.has('scene:2');
    });
    expect(writes()).toEqual(before);
    expect([world.title(1), world.title(2)]).toEqual(['clip 1', 'short-lived']);
  });
});

describe('Plex is away', () => {
  test('two edits of one scene: only the newest is written, and nobody had to ask', async () => {
    const { stash, plex } = await start();
    await plex.down();
    await stash.updateScene(1, { title: 'older' });
    await breakerIs('open');
    await stash.updateScene(1, { title: 'newest' });
    expect(await counts()).toMatchObject({ pending: 1 });
    await plex.up();
    await titleIs(1, 'newest');
    await breakerIs('closed');
    const titles = plex.requests
      .filter(({ method }) => method === 'PUT')
      .map(({ query }) => query['title.value']);
    expect(titles).toEqual(['newest']);
    const { outages } = (await world.steps()).reduce<OutageHistory>(evolveHistory, newHistory());
    expect(outages).toHaveLength(1);
  });

  test('without a vigil the drainer leaves, and the next change finds Plex back', async () => {
    const { stash, plex } = await start({ settings: { vigilMinutes: 0 } });
    await stash.updateScene(2, { title: 'before' });
    await titleIs(2, 'before');
    await plex.down();
    await stash.updateScene(1, { title: 'during' });
    await until('the drainer has left', async () => {
      const { breaker, drain } = await world.control();
      return breaker.value === 'open' && drain.value === 'free';
    });
    await plex.up();
    await until('the wait is over, and a change comes', async () => {
      if (world.title(1) === 'during') return true;
      await stash.updateScene(3, { title: 'after' });
      return false;
    });
    await titleIs(3, 'after');
    await until('all is delivered', allDelivered);
  });

  test('maintenance is an outage of its own kind', async () => {
    const { stash, plex } = await start();
    plex.addFault({ kind: 'maintenance' });
    await stash.updateScene(1, { title: 'migrated' });
    await breakerIs('open');
    expect((await world.control()).recovery.context.kind).toBe('maintenance');
    plex.clearFaults();
    await titleIs(1, 'migrated');
  });

  test('Drain now asks at once and does not wait for the due time', async () => {
    const { stash, plex } = await start({ settings: { recoveryTimeout: 3600, vigilMinutes: 0 } });
    await plex.down();
    await stash.updateScene(1, { title: 'patient' });
    await breakerIs('open');
    await until('the drainer has left', async () => (await world.control()).drain.value === 'free');
    const refused = await stash.runTask('breakwater', 'Drain now');
    expect(refused.error).toMatch(/Plex is away; nothing is lost/);
    await plex.up();
    const drained = await stash.runTask('breakwater', 'Drain now');
    expect(drained.error).toBeNull();
    expect(world.title(1)).toBe('patient');
    expect((drained.output as { written: number }).written).toBe(1);
  });
});

describe('what is no outage never opens the breaker', () => {
  const neverOpened = async () =>
    (await world.steps()).every(({ after }) => after.breaker.value === 'closed');

  test('401: nothing is buried, the message names the token, the right one delivers all', async () => {
    const { stash } = await start({ settings: { plexToken: 'wrong-token' } });
    for (const scene of [1, 2, 3]) await stash.updateScene(scene, { title: `kept ${scene}` });
    await until('it is held', async () => (await world.control()).config.value === 'held');
    const status = await world.cli('status');
    expect(status.stdout).toMatch(/Held \(config\).*plexToken/);
    expect(await counts()).toMatchObject({ pending: 3, dead: 0 });
    expect(await neverOpened()).toBe(true);
    await world.killDrainer();
    stash.configurePlugin('breakwater', { plexUrl: world.plex.url, plexToken: TOKEN });
    const drained = await stash.runTask('breakwater', 'Drain now');
    expect(drained.error).toBeNull();
    for (const scene of [1, 2, 3]) expect(world.title(scene)).toBe(`kept ${scene}`);
    expect(world.remains()).not.toContain(TOKEN);
    expect(world.remains()).not.toContain('wrong-token');
  });

  test('missing items wait and are delivered once they are there; ambiguous ones are given up, with their candidates', async () => {
    const { stash, plex } = await start();
    plex.library.removeItem('1001');
    plex.library.addItem({ file: '/media/scenes/clip 2.mp4', title: 'a second one' });
    for (const scene of [1, 2, 3]) await stash.updateScene(scene, { title: `t${scene}` });
    await until('all are settled', async () => {
      const { pending, deferred, dead } = await counts();
      return pending === 0 && deferred === 1 && dead === 1;
    });
    const { jobs } = await world.queue();
    expect(jobs.get('scene:1')).toMatchObject({ state: 'deferred', reason: 'missing' });
    expect(jobs.get('scene:2')).toMatchObject({
      state: 'dead',
      reason: 'ambiguous',
      detail: expect.stringMatching(/1002 .*1006/),
    });
    expect(world.title(3)).toBe('t3');
    expect(await neverOpened()).toBe(true);
    const added = plex.library.addItem({ file: '/media/scenes/clip 1.mp4' });
    await stash.idle();
    await world.killDrainer();
    expect((await stash.runTask('breakwater', 'Drain now')).error).toBeNull();
    expect(plex.library.byRatingKey(added.ratingKey)?.fields.title).toBe('t1');
  });

  test('429 pauses for as long as Plex asks', async () => {
    const { stash, plex } = await start();
    plex.addFault({ kind: 'tooMany', retryAfterSeconds: 1, path: '/library/metadata', count: 1 });
    await stash.updateScene(1, { title: 'calm' });
    await titleIs(1, 'calm');
    const paused = (await world.steps()).filter(({ after }) => after.throttle.value === 'held');
    expect(paused.length).toBeGreaterThan(0);
    expect(await neverOpened()).toBe(true);
  });

  test('one scene that Plex cannot bear is given up after three 500s; the others go on', async () => {
    const { stash, plex } = await start();
    plex.addFault({ kind: 'error500', method: 'PUT', keys: ['1001'] });
    await stash.updateScene(1, { title: 'unbearable' });
    await stash.updateScene(2, { title: 'fine' });
    await titleIs(2, 'fine');
    for (let i = 0; i < 3; i++) await world.cli('drain');
    await until('it is given up', async () => {
      const { dead } = await counts();
      if (dead === 0) await world.cli('drain');
      return dead === 1;
    });
    expect((await world.queue()).jobs.get('scene:1')).toMatchObject({ state: 'dead', reason: 'rejected' });
    expect(await neverOpened()).toBe(true);
  });

  test('settings that are missing are waited for, and said', async () => {
    const { stash } = await start({ settings: { plexToken: '' } });
    await stash.updateScene(1, { title: 'set up later' });
    await until('it is held', async () => (await world.control()).config.value === 'held');
    expect((await world.cli('status')).stdout).toMatch(/plexToken is not set/);
    expect((await stash.runTask('breakwater', 'Check Plex')).error).toMatch(/plexToken is not set/);
    stash.configurePlugin('breakwater', { plexUrl: world.plex.url, plexToken: TOKEN });
    await until('it is delivered', () => world.title(1) === 'set up later', 40_000);
  });

  test('another server at the address: nothing is written to it until a person says so', async () => {
    const { stash, plex } = await start();
    await stash.updateScene(1, { title: 'first' });
    await titleIs(1, 'first');
    plex.addFault({ kind: 'otherServer', machineIdentifier: 'f'.repeat(40) });
    await plex.down();
    await stash.updateScene(1, { title: 'second' });
    await breakerIs('open');
    await plex.up();
    await until('it is held', async () => (await world.control()).config.value === 'held');
    expect(world.title(1)).toBe('first');
    expect((await stash.runTask('breakwater', 'Check Plex')).error).toBeNull();
    await titleIs(1, 'second');
  });
});

describe('tasks and the command line', () => {
  const TASKS = ['Drain now', 'Check Plex', 'Status', 'Outages'];

  test.each(TASKS)('%s: one JSON document, progress to its end, nothing else on stdout', async (name) => {
    const { stash } = await start();
    await stash.updateScene(1, { title: 'x' });
    await titleIs(1, 'x');
    const job = await stash.runTask('breakwater', name);
    expect(job.error).toBeNull();
    expect(job.output).toBeTypeOf('object');
    const run = lastTask(stash);
    expect(run?.stdout.trim().split('\n')).toHaveLength(1);
    expect(stash.log.filter(({ level }) => level === 'progress').at(-1)?.text).toMatch(/^1/);
    expect(stash.log.filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('progress goes forward while a backlog is drained', async () => {
    const { stash, plex } = await start({ settings: { vigilMinutes: 0, recoveryTimeout: 3600 } });
    await plex.down();
    for (const scene of [1, 2, 3, 4, 5]) await stash.updateScene(scene, { title: `t${scene}` });
    await until('the drainer has left', async () => {
      const { breaker, drain } = await world.control();
      return breaker.value === 'open' && drain.value === 'free';
    });
    await plex.up();
    await stash.idle();
    const from = stash.log.length;
    await stash.runTask('breakwater', 'Drain now');
    const fractions = stash.log
      .slice(from)
      .filter(({ level }) => level === 'progress')
      .map(({ text }) => Number(text));
    expect(fractions.length).toBeGreaterThanOrEqual(5);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
  });

  test('status and outages at the shell: for people, for programs, with honest exit codes', async () => {
    const { stash, plex } = await start();
    await stash.updateScene(1, { title: 'up' });
    await until('it is delivered and noted', async () => (await counts()).delivered === 1);
    await plex.down();
    await stash.updateScene(1, { title: 'down' });
    await breakerIs('open');
    await plex.up();
    await titleIs(1, 'down');
    await until('it is drained', allDelivered);
    const status = await world.cli('status', '--json');
    expect(status.code).toBe(0);
    expect(JSON.parse(status.stdout)).toMatchObject({
      breaker: 'closed',
      queue: { pending: 0 },
      delivered: { count: 2 },
    });
    const outages = await world.cli('outages', '--json');
    expect(JSON.parse(outages.stdout)).toMatchObject({
      figures: { count: 1 },
      outages: [{ symptom: 'refused', waiting: 1 }],
    });
    expect((await world.cli('outages')).stdout).toMatch(
      /#1 {2}refused\n {4}from .*\n {4}until .*\n {4}lasted .*\n {4}\d probes?, 1 change waiting, drained in/,
    );
    expect((await world.cli('frobnicate')).code).not.toBe(0);
    expect((await world.cli('status')).stderr).toBe('');
  });

  test('an operation answers like a task, and a mode that is not known says which are', async () => {
    const { stash } = await start();
    expect(await stash.runOperation('breakwater', { mode: 'status' })).toMatchObject({ breaker: 'closed' });
    await expect(stash.runOperation('breakwater', { mode: 'nonsense' })).rejects.toThrow(
      /one of drain, wake, check, status, outages/,
    );
  });
});

test('a drainer that was killed is missed by the next hook, not by the end of its lease', async () => {
  const { stash, plex } = await start();
  plex.addFault({ kind: 'hang', method: 'PUT', count: 1 });
  await stash.updateScene(1, { title: 'hangs' });
  await until('a write hangs', () => plex.requests.some(({ method }) => method === 'PUT'));
  expect(await world.killDrainer()).not.toBeNull();
  await stash.updateScene(2, { title: 'next' });
  await titleIs(2, 'next');
  await titleIs(1, 'hangs');
});

test('who drains before anything has changed is told what is delivered from now on', async () => {
  const { stash } = await start();
  await stash.runTask('breakwater', 'Drain now');
  const told = () => stash.log.filter(({ text }) => text.includes('The task "Sync all"'));
  expect(told()).toHaveLength(1);
  await stash.runTask('breakwater', 'Drain now');
  expect(told()).toHaveLength(1);
});

function lastTask({ runs }: StashSimulator) {
  return runs.filter(({ kind }) => kind === 'task').at(-1);
}

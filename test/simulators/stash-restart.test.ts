// Stash's process ends and comes back: what dies with it, what lives on, and what it still knows.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ask, ended, startStash, tempDir, texts, until } from './stash-fixture.ts';

const ON_UPDATE = ['Scene.Update.Post'];
const NEW = 'v0.30.1';
const ENDLESS = `log.Info('in'); for (;;) gql.Do('{ version { version } }');`;

test('every job is gone and ids begin again, but the process of the running task lives on', async () => {
  const gate = join(tempDir(), 'gate');
  const script = `log('i', 'in');
    while (!fs.existsSync(process.env.GATE)) await new Promise((resolve) => setTimeout(resolve, 5));
    fs.writeFileSync(process.env.GATE + '.done', '');`;
  const sim = await startStash({ p: { script, yml: 'tasks: [{ name: T }]\n' } }, { env: { GATE: gate } });
  const task = 'mutation { runPluginTask(plugin_id: "p", task_name: "T") }';
  const lost = sim.runTask('p', 'T').catch((error: Error) => error.message);
  await until('it runs', () => texts(sim, 'info').includes('in'));
  await sim.graphql(task);
  let whileDown = '';
  await sim.restart(async () => {
    whileDown = await ask(sim, '{ version { version } }').catch((error) => error.cause.code);
  });
  expect(whileDown).toBe('ECONNREFUSED');
  expect(await sim.graphql('{ jobQueue { id } findJob(input: {id: 1}) { id } }')).toEqual({
    jobQueue: null,
    findJob: null,
  });
  expect(await lost).toBe('job 1 is not known any more');
  expect(sim.runs).toMatchObject([{ endedAt: null, signal: null }]);
  expect((await sim.graphql('mutation { metadataScan(input: {}) }')).metadataScan).toBe('1');
  await sim.idle();
  writeFileSync(gate, '');
  await until('the orphan has done its work', () => existsSync(`${gate}.done`));
  expect(await ended(sim, 1)).toMatchObject([{ signal: null }]);
  expect((await sim.graphql('{ jobQueue { id } }')).jobQueue).toBeNull();
});

test('hooks in flight die, processes and scripts, and what scripts asked for too', async () => {
  const plugins = {
    script: { hooks: ['Tag.Create.Post'], js: ENDLESS },
    process: { hooks: ON_UPDATE, script: "log('i', 'in'); await forever();" },
    nested: {
      hooks: ['Studio.Create.Post'],
      js: `gql.Do('mutation { sceneUpdate(input: {id: 1, title: "n"}) { id } }')`,
    },
  };
  const sim = await startStash(plugins, { scenes: 1, version: NEW });
  const answers = ['tagCreate(input: {name: "t"})', 'sceneUpdate(input: {id: 1, title: "x"})'].concat(
    'studioCreate(input: {name: "s"})',
  );
  const cut = answers.map((one) => ask(sim, `mutation { ${one} { id } }`).catch(() => 'cut'));
  await until('all are in', () => texts(sim, 'info').length === 3);
  await sim.restart();
  expect(await Promise.all(cut)).toEqual(['cut', 'cut', 'cut']);
  const runs = await ended(sim, 4);
  expect(runs.map((run) => `${run.pluginId} ${run.error}`).sort()).toEqual([
    'nested interrupted',
    'process signal: killed',
    'process signal: killed',
    'script interrupted',
  ]);
});

test('library, settings, what is disabled and sessions outlive it; a script as a task does not', async () => {
  const plugins = {
    one: { js: ENDLESS, yml: 'tasks: [{ name: T }]\n' },
    cookie: { js: '({ Output: input.ServerConnection.SessionCookie.Value })' },
  };
  const sim = await startStash(plugins, { scenes: 2, version: NEW, username: 'u', password: 'p' });
  sim.configurePlugin('one', { a: 1 });
  const value = await sim.runOperation('cookie');
  await sim.graphql('mutation { runPluginTask(plugin_id: "one", task_name: "T") }');
  await until('it is in', () => texts(sim, 'info').includes('in'));
  sim.setPluginEnabled('one', false);
  await sim.restart();
  expect(sim.runs.at(-1)).toMatchObject({ pluginId: 'one', error: 'interrupted' });
  const headers = { cookie: `session=${value}` };
  const query = '{ findScenes { count } configuration { plugins } plugins { id enabled } }';
  const answer = await ask(sim, query, { headers });
  expect(await answer.json()).toEqual({
    data: {
      findScenes: { count: 2 },
      configuration: { plugins: { one: { a: 1 } } },
      plugins: [
        { id: 'cookie', enabled: true },
        { id: 'one', enabled: false },
      ],
    },
  });
});

test('hooks can be lost on purpose, some or all, and no more', async () => {
  const hooks = [...ON_UPDATE, 'Tag.Create.Post'];
  const sim = await startStash(
    { a: { hooks, js: '1' }, b: { hooks, js: '1' } },
    { scenes: 2, version: NEW, suppressHooks: (trigger) => trigger.startsWith('Tag.') },
  );
  const ran = async () => {
    sim.runs.length = 0;
    await sim
      .graphql('mutation { tagCreate(input: {name: "t"}) { id } tagDestroy(input: {id: 1}) }')
      .catch(() => {});
    await sim.graphql('mutation { bulkSceneUpdate(input: {ids: [1, 2], title: "x"}) { id } }');
    return sim.runs.map((run) => run.sceneId ?? run.trigger);
  };
  expect(await ran()).toEqual([1, 1, 2, 2]);
  sim.suppressHooks((_, id) => id === 1);
  expect(await ran()).toEqual(['Tag.Create.Post', 'Tag.Create.Post', 2, 2]);
  sim.suppressHooks(null);
  expect((await ran()).filter((one) => one === 1)).toHaveLength(2);
});

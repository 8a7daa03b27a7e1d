// How hooks run: after the commit, one after another, the mutation waiting; and the ways they get lost.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ask, atEnd, ended, startStash, tempDir, texts, until } from './stash-fixture.ts';

const UPDATE = 'mutation($input: SceneUpdateInput!) { sceneUpdate(input: $input) { id title } }';
const ON_UPDATE = ['Scene.Update.Post'];

describe('a hook', () => {
  test('sees the new data, and the mutation answers only when it has ended', async () => {
    const sim = await startStash(
      {
        reader: {
          hooks: ON_UPDATE,
          script: `const { body } = await post(input, '{ findScene(id: 1) { title } }');
            answer({ output: body.data.findScene.title });`,
        },
      },
      { scenes: 1 },
    );
    const tookMs = await sim.updateScene(1, { title: 'new' });
    expect(sim.runs).toHaveLength(1);
    expect(sim.runs[0]).toMatchObject({ output: 'new', error: null, exitCode: 0, signal: null, sceneId: 1 });
    expect(tookMs).toBeGreaterThanOrEqual(sim.runs[0]!.durationMs);
    expect(sim.requests.map(({ operation }) => operation)).toEqual(['sceneUpdate', 'findScene']);
  });

  test('runs for every plugin in the order of the folders, entries in the order of the yml', async () => {
    const twice = `hooks:
  - { name: one, triggeredBy: [Scene.Update.Post, Scene.Merge.Post], defaultArgs: { n: 1 } }
  - { name: two, triggeredBy: [Scene.Update.Post], defaultArgs: { n: 2 }, execArgs: [x, "{pluginDir}"] }
`;
    const script = 'answer({ output: [input.args.n ?? null, ...process.argv.slice(2)] })';
    const sim = await startStash(
      { b: { script, yml: twice }, a: { script, hooks: ON_UPDATE }, c: { script } },
      { scenes: 1 },
    );
    await sim.updateScene(1, { title: 'x' });
    const pluginDir = JSON.parse(sim.runs[1]!.stdin).server_connection.PluginDir;
    expect(sim.runs.map((run) => [run.pluginId, run.output])).toEqual([
      ['a', [null]],
      ['b', ['1']],
      ['b', ['2', 'x', pluginDir]],
    ]);
    await sim.graphql('mutation { setPluginsEnabled(enabledMap: {a: false, b: false}) }');
    await sim.updateScene(1, { title: 'y' });
    expect(sim.runs).toHaveLength(3);
  });

  test('cannot fail the mutation: a non-zero exit is only logged', async () => {
    const sim = await startStash({ bad: { hooks: ON_UPDATE, script: 'process.exit(3)' } }, { scenes: 1 });
    await sim.updateScene(1, { title: 'kept' });
    expect(sim.db.scene(1).title).toBe('kept');
    expect(sim.runs[0]).toMatchObject({ exitCode: 3, error: 'exit status 3', output: '' });
    expect(texts(sim, 'error')).toEqual(['Scene.Update.Post [Plugin bad]: returned error: exit status 3']);
  });

  test('that cannot start takes the later plugins with it', async () => {
    const sim = await startStash(
      {
        early: { hooks: ON_UPDATE, script: "answer({ output: 'early' })" },
        missing: { hooks: ON_UPDATE, exec: '[no-such-program-anywhere]' },
        zlast: { hooks: ON_UPDATE, script: "answer({ output: 'late' })" },
      },
      { scenes: 1 },
    );
    await sim.updateScene(1, { title: 'x' });
    expect(sim.runs.map((run) => run.pluginId)).toEqual(['early']);
    expect(texts(sim, 'error').join()).toMatch(/error executing post hooks: error running plugin: .*ENOENT/);
  });

  test('is killed at once when the client leaves, and the rest of the bulk has none', async () => {
    const sim = await startStash(
      { slow: { hooks: ON_UPDATE, script: "log('i', 'here'); await forever();" } },
      { scenes: 3 },
    );
    const client = new AbortController();
    const gone = ask(sim, 'mutation { bulkSceneUpdate(input: {ids: [1, 2, 3], title: "b"}) { id } }', {
      signal: client.signal,
    }).catch((error: Error) => error.name);
    await until('the hook runs', () => texts(sim, 'info').includes('here'));
    client.abort();
    expect(await gone).toBe('AbortError');
    await ended(sim, 1);
    await until('Stash gave up', () => texts(sim, 'error').length > 0);
    expect(sim.runs).toHaveLength(1);
    expect(sim.runs[0]).toMatchObject({ signal: 'SIGKILL', exitCode: null });
    expect(sim.db.scenes().map((scene) => scene.title)).toEqual(['b', 'b', 'b']);
    expect(sim.requests.at(-1)).toMatchObject({ status: 0 });
  });

  test('of two clients runs twice at once', async () => {
    const sim = await startStash(
      { both: { hooks: ON_UPDATE, script: "log('i', 'in'); await forever();" } },
      { scenes: 1 },
    );
    const client = new AbortController();
    const asks = [1, 2].map((n) =>
      ask(sim, UPDATE, { variables: { input: { id: 1, title: `${n}` } }, signal: client.signal }).catch(
        () => {},
      ),
    );
    await until('both are in', () => texts(sim, 'info').length === 2);
    client.abort();
    await Promise.all(asks);
    await ended(sim, 2);
  });

  test('that kept stdout open through a child keeps the mutation waiting', async () => {
    const gate = join(tempDir(), 'gate');
    const child = `const fs = require('node:fs'); setInterval(() => { if (fs.existsSync(${JSON.stringify(gate)})) process.exit() }, 5)`;
    const sim = await startStash(
      {
        parent: {
          hooks: ON_UPDATE,
          script: `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(child)}],
            { stdio: ['ignore', 'inherit', 'ignore'], detached: true }).unref();
            answer({ output: String(process.pid) }); process.exit(0);`,
        },
      },
      { scenes: 1 },
    );
    let isAnswered = false;
    const update = sim.updateScene(1, { title: 'x' }).then(() => {
      isAnswered = true;
    });
    await until(
      'the parent is gone',
      () => sim.runs.length === 1 && !existsSync(`/proc/${sim.runs[0]!.pid}`),
    );
    expect(isAnswered).toBe(false);
    writeFileSync(gate, '');
    await update;
    expect(sim.runs[0]).toMatchObject({ exitCode: 0, output: String(sim.runs[0]!.pid) });
  });
});

describe('the chain of cookies', () => {
  const recursive = {
    again: {
      hooks: ON_UPDATE,
      script: `const { body } = await post(input, 'mutation { sceneUpdate(input: {id: 1, title: "again"}) { id } }');
        answer({ output: body.data.sceneUpdate.id });`,
    },
  };

  test('stops a hook that calls itself after ten runs', async () => {
    const sim = await startStash(recursive, { scenes: 1 });
    await sim.updateScene(1, { title: 'x' });
    expect(sim.runs).toHaveLength(10);
    expect(texts(sim, 'debug')).toContain("plugin ID 'again' already triggered, not re-triggering");
  });

  test('stopped it after one before v0.25', async () => {
    const sim = await startStash(recursive, { scenes: 1, version: 'v0.22.1' });
    await sim.updateScene(1, { title: 'x' });
    expect(sim.runs).toHaveLength(1);
  });

  test('is not there for a plugin that writes with the ApiKey', async () => {
    const script = `if (fs.readFileSync(process.env.COUNT, 'utf8').length >= 15) return answer({ output: 'enough' });
      fs.appendFileSync(process.env.COUNT, '.');
      const { Host, Port } = input.server_connection;
      await fetch('http://' + Host + ':' + Port + '/graphql', { method: 'POST', headers: { ApiKey: 'key' },
        body: JSON.stringify({ query: 'mutation { sceneUpdate(input: {id: 1, title: "k"}) { id } }' }) });`;
    const count = join(tempDir(), 'count');
    writeFileSync(count, '');
    const sim = await startStash(
      { keyed: { hooks: ON_UPDATE, script } },
      { scenes: 1, apiKey: 'key', env: { COUNT: count } },
    );
    await sim.updateScene(1, { title: 'x' });
    expect(sim.runs).toHaveLength(16);
  });

  test('lasts longer than the plugin that got it', async () => {
    const sim = await startStash(
      { one: { hooks: ON_UPDATE, script: 'answer({ output: 1 })' } },
      { scenes: 1, username: 'u', password: 'p' },
    );
    await sim.updateScene(1, { title: 'x' });
    const { Value } = JSON.parse(sim.runs[0]!.stdin).server_connection.SessionCookie;
    const response = await ask(sim, '{ version { version } }', { headers: { cookie: `session=${Value}` } });
    expect(response.status).toBe(200);
  });
});

describe('what fires nothing', () => {
  test('a merge of scenes, though it moves updated_at of the one that stays', async () => {
    const sim = await startStash({ all: { hooks: [...ON_UPDATE, 'Scene.Destroy.Post'] } }, { scenes: 2 });
    sim.db.scene(1).updatedAt = 0;
    await sim.graphql('mutation { sceneMerge(input: {source: [2], destination: 1}) { files { path } } }');
    expect(sim.runs).toEqual([]);
    expect(sim.db.scenes().map((scene) => scene.files.length)).toEqual([2]);
    expect(sim.db.scene(1).updatedAt).toBeGreaterThan(0);
  });

  test('a scene whose tag was renamed, merged or destroyed: neither hook nor updated_at', async () => {
    const sim = await startStash({ all: { hooks: ON_UPDATE } }, { scenes: 1 });
    const tags = ['a', 'b', 'c'].map((name) => sim.db.addTag(name).id);
    Object.assign(sim.db.scene(1), { tagIds: tags, updatedAt: 0 });
    await sim.graphql(`mutation { tagUpdate(input: {id: 1, name: "z"}) { id }
      tagsMerge(input: {source: [2], destination: 1}) { id } tagDestroy(input: {id: 3}) }`);
    expect(sim.runs).toEqual([]);
    expect(sim.db.scene(1)).toMatchObject({ tagIds: [1], updatedAt: 0 });
  });
});

describe('scans', () => {
  test('fire for a renamed and a changed file without moving updated_at', async () => {
    const sim = await startStash({ all: { hooks: [...ON_UPDATE, 'Scene.Create.Post'] } }, { scenes: 2 });
    for (const scene of sim.db.scenes()) scene.updatedAt = 0;
    sim.db.renameOnDisk('/media/scenes/clip 1.mp4', '/media/scenes/renamed.mp4');
    sim.db.putOnDisk('/media/scenes/clip 2.mp4', 'other content');
    await sim.scan();
    expect(sim.runs.map((run) => [run.trigger, run.sceneId]).sort()).toEqual([
      ['Scene.Update.Post', 1],
      ['Scene.Update.Post', 2],
    ]);
    expect(sim.db.scenes().map((scene) => scene.updatedAt)).toEqual([0, 0]);
    expect(sim.db.scene(1).files[0]!.path).toBe('/media/scenes/renamed.mp4');
  });

  test('run as many hooks at once as there are parallel tasks, before the covers exist', async () => {
    const gate = join(tempDir(), 'gate');
    const script = `const { body } = await post(input, '{ findScene(id: ' + input.args.hookContext.id + ') { paths { screenshot } } }');
      const { headers } = await fetch(body.data.findScene.paths.screenshot);
      log('i', headers.get('content-type'));
      while (!fs.existsSync(process.env.GATE)) await new Promise((resolve) => setTimeout(resolve, 5));`;
    const sim = await startStash(
      { all: { hooks: ['Scene.Create.Post'], script } },
      { parallelTasks: 2, env: { GATE: gate } },
    );
    const scan = sim.scan(['/m/1.mp4', '/m/2.mp4', '/m/3.mp4']);
    await until('two are in', () => texts(sim, 'info').length === 2);
    expect(sim.runs).toHaveLength(2);
    writeFileSync(gate, '');
    await scan;
    expect(texts(sim, 'info')).toEqual(Array(3).fill('image/svg+xml'));
    expect(sim.db.scenes().map((scene) => scene.cover?.type)).toEqual(Array(3).fill('image/png'));
  });
});

test('closing ends every process the simulator started', async () => {
  const sim = await startStash(
    { slow: { hooks: ON_UPDATE, script: "log('i', 'here'); await forever();" } },
    { scenes: 1 },
  );
  const update = sim.updateScene(1, { title: 'x' }).catch((error: Error) => error.message);
  await until('the hook runs', () => texts(sim, 'info').includes('here'));
  await sim.close();
  atEnd(async () => {
    await update;
  });
  await ended(sim, 1);
  expect(sim.runs[0]!.signal).toBe('SIGKILL');
});

// Plugins with `interface: js`: what a script is given, what it can do, and how it ends.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type StashSimulator, startStashSimulator } from './stash/server.ts';
import { ALL_HOOKS, ask, atEnd, ended, startStash, tempDir, texts, until } from './stash-fixture.ts';

const { captures, seen } = JSON.parse(
  readFileSync(new URL('../fixtures/captures/js-hooks.json', import.meta.url), 'utf8'),
);
const ON_UPDATE = ['Scene.Update.Post'];
const NEW = 'v0.30.1';
const LOGIN = { username: 'u', password: 'p' };

/** What the script's last value was for one update of scene 1. */
async function outputOf(js: string, version = NEW): Promise<unknown> {
  const sim = await startStash({ one: { hooks: ON_UPDATE, js } }, { scenes: 1, version });
  await sim.updateScene(1, { title: 'x' });
  expect(sim.runs).toMatchObject([{ engine: 'script', kind: 'hook', pid: null, sceneId: 1, error: null }]);
  return sim.runs[0]!.output;
}

describe('the input is what a real v0.30.1 gave', () => {
  const scene = (fields: string) => `mutation { sceneUpdate(input: {${fields}}) { id } }`;
  const CASES: Record<string, (sim: StashSimulator) => Promise<unknown>> = {
    sceneUpdate: (sim) => sim.graphql(scene('id: 3, details: "cap", rating100: 70')),
    bulkSceneUpdate: (sim) =>
      sim.graphql('mutation { bulkSceneUpdate(input: {ids: [3, 4, 5], details: "capb"}) { id } }'),
    scenesUpdate: (sim) =>
      sim.graphql('mutation { scenesUpdate(input: [{id: 3, details: "x"}, {id: 4, details: "y"}]) { id } }'),
    tagUpdate: (sim) => sim.graphql('mutation { tagUpdate(input: {id: 7, name: "capA21796067823"}) { id } }'),
    tagsMerge: (sim) => sim.graphql('mutation { tagsMerge(input: {source: [7], destination: 8}) { id } }'),
    tagDestroy: (sim) => sim.graphql('mutation { tagDestroy(input: {id: 8}) }'),
    performerUpdate: (sim) =>
      sim.graphql('mutation { performerUpdate(input: {id: 5, disambiguation: "q"}) { id } }'),
    performerDestroy: (sim) => sim.graphql('mutation { performerDestroy(input: {id: 5}) }'),
    scanCreate: (sim) => sim.scan(['/data/new.mp4']),
    scanRename(sim) {
      sim.db.addScene({ files: ['/data/before.mp4'] });
      sim.db.renameOnDisk('/data/before.mp4', '/data/after.mp4');
      return sim.scan();
    },
    sceneDestroy(sim) {
      const { files } = sim.db.addScene({ files: ['/data/cap renamed 1796067823.mp4'] });
      files[0]!.oshash = '612a143054ae2dd2';
      return sim.graphql('mutation { sceneDestroy(input: {id: 16}) }');
    },
    task: (sim) => sim.runTask('cap', 'Echo'),
  };

  test.each(Object.entries(CASES))('for %s', async (name, act) => {
    const yml = 'tasks: [{ name: Echo, defaultArgs: { mode: echo } }]\n';
    const js = '({ Output: JSON.stringify(input) })';
    const hooks = [...ALL_HOOKS, 'Tag.Merge.Post'];
    const sim = await startStash({ cap: { js, hooks, yml } }, { scenes: 15, version: NEW });
    for (let n = 1; n <= 8; n += 1) sim.db.addTag(`t${n}`);
    for (let n = 1; n <= 5; n += 1) sim.db.addPerformer(`p${n}`);
    await act(sim);
    const wanted = Object.keys(captures).filter((key) => key.startsWith(`${name}-`));
    expect(sim.runs).toHaveLength(wanted.length);
    const place = { Port: sim.port, Dir: sim.dir, PluginDir: expect.stringMatching(/\/cap$/) };
    for (const [index, key] of wanted.entries()) {
      const real = captures[key].input;
      const given = JSON.parse(sim.runs[index]!.output as string);
      real.ServerConnection.SessionCookie.Value = given.ServerConnection.SessionCookie.Value;
      for (const { hookContext } of [real.Args, given.Args]) hookContext?.inputFields.sort();
      expect(given.ServerConnection).toEqual({ ...real.ServerConnection, ...place });
      // As text: the order of the names counts too.
      expect(JSON.stringify(given.Args)).toBe(JSON.stringify(real.Args));
      expect(Object.keys(given.ServerConnection.SessionCookie)).toEqual(
        Object.keys(real.ServerConnection.SessionCookie),
      );
    }
  });

  test('and before v0.26 it had the names of Go', async () => {
    const js = `var hook = input.Args.hookContext;
      ({ Output: [hook.ID, hook.Type, hook.Input.TagIds, hook.Input.StudioID, hook.InputFields.length, typeof hook.id,
        typeof Promise, typeof Symbol, input.ServerConnection.SessionCookie.Name] });`;
    const wanted = [1, 'Scene.Update.Post', [], null, 2, 'undefined', 'undefined', 'undefined', 'session'];
    expect(await outputOf(js, 'v0.25.1')).toEqual(wanted);
  });
});

describe('a script', () => {
  test('has the globals of goja and no other', async () => {
    const js = `({ Output: {
      typeofPromise: typeof Promise, typeofFetch: typeof fetch, typeofConsole: typeof console,
      typeofSetTimeout: typeof setTimeout, typeofRequire: typeof require, arrow: (() => 1)(),
      dateNow: typeof Date.now(), keys: Object.keys(input),
    } })`;
    expect(await outputOf(js)).toEqual(seen);
    const absent =
      'setInterval setImmediate queueMicrotask process module global Buffer URL structuredClone WebAssembly SharedArrayBuffer Atomics Intl BigInt WeakRef';
    const types = `({ Output: '${absent}'.split(' ').map((name) => typeof globalThis[name]) })`;
    expect(await outputOf(types)).toEqual(absent.split(' ').map(() => 'undefined'));
  });

  test('sees only values of its own realm', async () => {
    const js = `const data = gql.Do('{ version { version } }');
      const outer = [gql.Do, log.Info, util.Sleep, console.log].map((f) => f.constructor('return typeof process')());
      ({ Output: [input instanceof Object, input.Args.hookContext.inputFields instanceof Array, data instanceof Object, ...outer] })`;
    expect(await outputOf(js)).toEqual([true, true, true, ...Array(4).fill('undefined')]);
  });

  test('begins each time in a scope as new, whatever the last one did to it', async () => {
    const js = `const before = [typeof globalThis.left, [].mine, JSON.stringify === globalThis.kept, input.mine ?? 'none', Object.isFrozen(Map.prototype)].map(String);
      globalThis.left = 1; Array.prototype.mine = 1; globalThis.kept = JSON.stringify; input.mine = 1;
      JSON.parse = () => { throw new Error('broken') };
      Object.freeze(Map.prototype);
      ({ Output: before })`;
    const sim = await startStash({ one: { hooks: ON_UPDATE, js } }, { scenes: 1, version: NEW });
    for (const title of ['a', 'b', 'c', 'd']) await sim.updateScene(1, { title });
    const fresh = ['undefined', 'undefined', 'false', 'none', 'false'];
    expect(sim.runs.map((run) => run.output)).toEqual([fresh, fresh, fresh, fresh]);
  });

  test('is strict, and its declarations are gone at the next run', async () => {
    const js = `let n = 0; const m = 1; var v; function f() { return this === undefined }
      let refused = false; try { undeclared = 1 } catch (error) { refused = error instanceof ReferenceError }
      ({ Output: [f(), refused] })`;
    const sim = await startStash({ one: { hooks: ON_UPDATE, js } }, { scenes: 1, version: NEW });
    for (const title of ['a', 'b', 'c']) await sim.updateScene(1, { title });
    expect(sim.runs.map((run) => run.output)).toEqual(Array(3).fill([true, true]));
  });

  test('gives its last value: Output, Error, or nothing', async () => {
    const results = {
      a: '({ Output: { deep: [1, null] } })',
      b: "({ Output: 1, Error: 'no good' })",
      c: 'undefined',
      d: "'text'",
      e: "throw new TypeError('bad')",
      f: "Promise.resolve().then(() => { out.Output = 'late' }); const out = { Output: 'early' }; out",
    };
    const plugins = Object.entries(results).map(([id, js]) => [id, { hooks: ON_UPDATE, js }] as const);
    const sim = await startStash(Object.fromEntries(plugins), { scenes: 1, version: NEW });
    await sim.updateScene(1, { title: 'x' });
    expect(sim.runs.map((run) => [run.pluginId, run.output, run.error])).toEqual([
      ['a', { deep: [1, null] }, null],
      ['b', 1, 'no good'],
      ['c', null, null],
      ['d', null, null],
      ['e', null, 'TypeError: bad'],
      ['f', 'late', null],
    ]);
    expect(texts(sim, 'error')).toEqual([
      'Scene.Update.Post [Plugin b]: returned error: no good',
      'Scene.Update.Post [Plugin e]: returned error: TypeError: bad',
    ]);
  });

  test.each([
    ['does not compile', { js: 'const = 1' }, /SyntaxError/],
    ['is not there', { exec: '[none.js]\ninterface: js' }, /failed to read file/],
    ['has no name', { exec: '[]\ninterface: js' }, /no script specified in exec/],
  ])('that %s takes the later plugins with it', async (_, plugin, reason) => {
    const later = { hooks: ON_UPDATE, js: '1' };
    const broken = { hooks: ON_UPDATE, ...plugin };
    const sim = await startStash({ a: later, b: broken, c: later }, { scenes: 1, version: NEW });
    await sim.updateScene(1, { title: 'kept' });
    expect(sim.db.scene(1).title).toBe('kept');
    expect(sim.runs.map((run) => run.pluginId)).toEqual(['a']);
    expect(texts(sim, 'error').join()).toMatch(reason);
  });

  test('is read anew at each run', async () => {
    const root = tempDir();
    mkdirSync(join(root, 'p'));
    writeFileSync(join(root, 'p', 'p.yml'), `name: P\ninterface: js\nexec: [sub/a.js]\n`);
    mkdirSync(join(root, 'p', 'sub'));
    const sim = await startStashSimulator({ plugins: root, version: NEW });
    atEnd(() => sim.close());
    for (const n of [1, 2]) {
      writeFileSync(join(root, 'p', 'sub', 'a.js'), `({ Output: ${n} })`);
      expect(await sim.runOperation('p')).toBe(n);
    }
  });

  test('writes to the log, and sleeps without holding up anybody else', async () => {
    const js = `log.Trace('t'); log.Debug(1); log.Info({ a: 1 }); log.Warn([1, 2]); log.Error('e');
      console.log('c'); console.error('d');
      while (gql.Do('{ findScene(id: 2) { title } }').findScene.title !== 'go') util.Sleep(1);`;
    const sim = await startStash({ one: { hooks: ['Tag.Create.Post'], js } }, { scenes: 2, version: NEW });
    const tag = sim.graphql('mutation { tagCreate(input: {name: "t"}) { id } }');
    await until('it waits', () => sim.log.length === 7);
    await sim.updateScene(2, { title: 'go' });
    await tag;
    expect(sim.log.slice(0, 7).map((line) => [line.plugin, line.level, line.text])).toEqual([
      ['one', 'trace', 't'],
      ['one', 'debug', '1'],
      ['one', 'info', '{"a":1}'],
      ['one', 'warning', '1,2'],
      ['one', 'error', 'e'],
      ['one', 'info', 'c'],
      ['one', 'error', 'd'],
    ]);
  });
});

describe('gql.Do', () => {
  test('gives data, takes variables, and throws what can be caught on errors and on refusals', async () => {
    const js = `const caught = (query) => { try { return gql.Do(query) } catch (error) { return error instanceof Error && error.message } };
      ({ Output: [
        gql.Do('query($id: ID!) { findScene(id: $id) { title } }', { id: input.Args.hookContext.id }).findScene.title,
        caught('{ findScene(id: "abc") { id } }'), caught('{ nope }'), caught('{'),
      ] })`;
    const [title, errors, refused, broken] = (await outputOf(js)) as string[];
    expect(title).toBe('x');
    expect(errors).toMatch(/^graphql error: \[\{"message":"strconv.Atoi: parsing \\"abc\\": invalid syntax"/);
    expect(refused).toMatch(/^graphQL query failed: 422 - .*GRAPHQL_VALIDATION_FAILED.*Query: \{ nope \}/);
    expect(broken).toMatch(/^graphQL query failed: 422 - /);
  });

  test('may fire the same hook again, to the limit of the cookie, each in the other', async () => {
    const js = `gql.Do('mutation { sceneUpdate(input: {id: 1, title: "again"}) { id } }');`;
    const sim = await startStash({ again: { hooks: ON_UPDATE, js } }, { scenes: 1, version: NEW });
    await sim.updateScene(1, { title: 'x' });
    expect(sim.runs).toHaveLength(10);
    expect(sim.runs.map((run) => run.error)).toEqual(Array(10).fill(null));
    expect(sim.runs[0]).toMatchObject({ asked: ['sceneUpdate'] });
  });

  test('runs in as many scripts at once as a scan has tasks', async () => {
    const js = `gql.Do('mutation($name: String!) { tagCreate(input: {name: $name}) { id } }', { name: 't' + input.Args.hookContext.id });
      while (gql.Do('{ findTags { count } }').findTags.count < 4) util.Sleep(1);`;
    const hooks = ['Scene.Create.Post'];
    const sim = await startStash({ all: { hooks, js } }, { parallelTasks: 4, version: NEW });
    await sim.scan(['/m/1.mp4', '/m/2.mp4', '/m/3.mp4', '/m/4.mp4']);
    expect(sim.runs.map((run) => run.error)).toEqual(Array(4).fill(null));
  });

  test('waits for an operation that is a process', async () => {
    const js = `({ Output: gql.Do('mutation { runPluginOperation(plugin_id: "raw", args: {a: 1}) }').runPluginOperation })`;
    const sim = await startStash(
      { js: { hooks: ON_UPDATE, js }, raw: { script: 'answer({ output: input.args })' } },
      { scenes: 1, version: NEW },
    );
    await sim.updateScene(1, { title: 'x' });
    expect(sim.runs.map((run) => [run.engine, run.kind, run.output])).toEqual([
      ['script', 'hook', { a: 1 }],
      ['process', 'operation', { a: 1 }],
    ]);
  });

  test('starts a task whose cookie has no user, so a closed server refuses it', async () => {
    const task = `mutation($args: Map) { runPluginTask(plugin_id: "raw", task_name: "T", description: "wake", args_map: $args) }`;
    const js = `gql.Do(${JSON.stringify(task)}, { args: { cookie: input.ServerConnection.SessionCookie.Value } });`;
    const script = `const query = '{ version { version } }';
      const own = (await post(input, query)).status;
      input.server_connection.SessionCookie.Value = input.args.cookie;
      answer({ output: [own, (await post(input, query)).status] });`;
    const plugins = { js: { hooks: ON_UPDATE, js }, raw: { script, yml: 'tasks: [{ name: T }]\n' } };
    const outputs = [];
    for (const login of [{}, LOGIN]) {
      const sim = await startStash(plugins, { scenes: 1, version: NEW, ...login });
      await sim.updateScene(1, { title: 'x' });
      await sim.idle();
      outputs.push(sim.runs[1]?.output);
    }
    expect(outputs).toEqual([
      [200, 200],
      [401, 200],
    ]);
  });

  test('has no address of its own: what it is told begins with a slash', async () => {
    const js = `({ Output: gql.Do('{ findScene(id: 1) { paths { screenshot } } }').findScene.paths.screenshot })`;
    expect(await outputOf(js)).toMatch(/^\/scene\/1\/screenshot\?t=\d+$/);
  });
});

describe('the end of a script', () => {
  const ENDLESS = `log.Info('in'); for (;;) { try { gql.Do('{ version { version } }') } catch (error) { log.Error('caught') } }`;

  test('comes at once when the client leaves, and the rest of the bulk has none', async () => {
    const sim = await startStash({ one: { hooks: ON_UPDATE, js: ENDLESS } }, { scenes: 3, version: NEW });
    const client = new AbortController();
    const gone = ask(sim, 'mutation { bulkSceneUpdate(input: {ids: [1, 2, 3], title: "b"}) { id } }', {
      signal: client.signal,
    }).catch((error: Error) => error.name);
    await until('it is in', () => texts(sim, 'info').includes('in'));
    client.abort();
    expect(await gone).toBe('AbortError');
    expect(await ended(sim, 1)).toMatchObject([{ error: 'interrupted', output: null }]);
    await until('Stash gave up', () => texts(sim, 'error').length > 0);
    expect(texts(sim, 'error')[0]).toBe('error executing post hooks: operation cancelled');
    expect(texts(sim, 'error')).not.toContain('caught');
    expect(sim.runs).toHaveLength(1);
  });

  test('comes when its job is stopped; progress and description are shown before', async () => {
    const yml = 'tasks: [{ name: T }]\n';
    const js = `log.Progress(0.5); log.Progress(7); ${ENDLESS}`;
    const sim = await startStash({ one: { js, yml } }, { version: NEW });
    const { runPluginTask: id } = await sim.graphql(
      'mutation { runPluginTask(plugin_id: "one", task_name: "T", description: "my work") }',
    );
    await until('it is in', () => texts(sim, 'info').includes('in'));
    const find = `{ findJob(input: {id: ${id}}) { status progress description } }`;
    const description = 'Running plugin task: my work';
    expect((await sim.graphql(find)).findJob).toEqual({ status: 'RUNNING', progress: 1, description });
    await sim.graphql(`mutation { stopJob(job_id: ${id}) }`);
    await sim.idle();
    expect((await sim.graphql(find)).findJob.status).toBe('CANCELLED');
    expect(sim.runs).toMatchObject([{ kind: 'task', trigger: 'T', error: 'interrupted' }]);
  });

  test('never comes for one that is no task and tells its progress', async () => {
    const js = `log.Info('in'); log.Progress(0.5); log.Info('out');`;
    const sim = await startStash({ one: { hooks: ON_UPDATE, js } }, { scenes: 1, version: NEW });
    const update = sim.updateScene(1, { title: 'x' }).catch(() => 'cut');
    await until('it is in', () => texts(sim, 'info').includes('in'));
    await sim.close();
    expect(await update).toBe('cut');
    expect(texts(sim, 'info')).not.toContain('out');
  });
});

test('two ymls in one folder are two plugins, each disabled by itself', async () => {
  const root = tempDir();
  mkdirSync(join(root, 'both'));
  const hooks = 'hooks: [{ name: h, triggeredBy: [Scene.Update.Post] }]\n';
  writeFileSync(join(root, 'both', 'one.yml'), `name: One\nexec: [sh, -c, "echo raw"]\n${hooks}`);
  writeFileSync(join(root, 'both', 'one-hooks.yml'), `name: Hooks\ninterface: js\nexec: [h.js]\n${hooks}`);
  writeFileSync(join(root, 'both', 'h.js'), `({ Output: 'js' })`);
  const sim = await startStashSimulator({ plugins: root, scenes: 1, version: NEW });
  atEnd(() => sim.close());
  const ran = async () => {
    sim.runs.length = 0;
    await sim.updateScene(1, { title: 'x' });
    return sim.runs.map((run) => run.pluginId);
  };
  expect(await ran()).toEqual(['one-hooks', 'one']);
  sim.setPluginEnabled('one', false);
  expect(await ran()).toEqual(['one-hooks']);
  sim.setPluginEnabled('one', true);
  await sim.graphql('mutation { setPluginsEnabled(enabledMap: {one: true}) }');
  sim.setPluginEnabled('one-hooks', false);
  expect(await ran()).toEqual(['one']);
  const { plugins } = await sim.graphql('{ plugins { id enabled } }');
  expect(plugins).toEqual([
    { id: 'one-hooks', enabled: false },
    { id: 'one', enabled: true },
  ]);
});

test('hundreds of scripts in a row leave nothing behind that slows the next', async () => {
  const js = `({ Output: gql.Do('{ jobQueue { id } }').jobQueue })`;
  const sim = await startStash({ one: { hooks: ON_UPDATE, js } }, { scenes: 300, version: NEW });
  const ids = sim.db.scenes().map((scene) => scene.id);
  await sim.graphql('mutation($ids: [ID!]) { bulkSceneUpdate(input: {ids: $ids, title: "b"}) { id } }', {
    ids,
  });
  expect(sim.runs.map((run) => run.sceneId)).toEqual(ids);
  expect(sim.runs.every((run) => run.error === null)).toBe(true);
});

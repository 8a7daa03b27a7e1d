// What the simulator gives a plugin on stdin, compared byte for byte with what a real Stash gave one. Only
// the cookie's value, the places and the order of inputFields, which Stash does not fix, are levelled.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type StashSimulator, startStashSimulator } from './stash/server.ts';
import { ALL_HOOKS, atEnd, ended, startStash, writePlugins } from './stash-fixture.ts';

const CAPTURES = new URL('../fixtures/captures/raw/', import.meta.url);

const HOOKED = {
  'bw-capture': { hooks: [...ALL_HOOKS, 'Tag.Merge.Post'], script: "answer({ output: 'ok' })" },
};
const TASKS = `tasks:
  - name: Echo
    defaultArgs: { mode: echo, flag: "true" }
  - name: Progress
    defaultArgs: { mode: progress }
`;

function levelled(document: string): string {
  const cut = document
    .replace(/("SessionCookie":\{"Name":"session","Value":")[^"]+/, '$1-')
    .replace(/"Port":\d+/, '"Port":0')
    .replace(/"Dir":"[^"]*","PluginDir":"[^"]*"/, '"Dir":"-","PluginDir":"-"');
  return cut.replace(/"inputFields":(\[[^\]]*\])/, (_, fields: string) => {
    return `"inputFields":${JSON.stringify((JSON.parse(fields) as string[]).sort())}`;
  });
}

function captured(name: string): string {
  return levelled(readFileSync(new URL(`${name}.stdin`, CAPTURES), 'utf8'));
}

function seen(sim: StashSimulator): string[] {
  return sim.runs.map((run) => levelled(run.stdin));
}

async function libraryLikeTheCaptured(version = 'v0.25.1'): Promise<StashSimulator> {
  const sim = await startStash(HOOKED, { scenes: 5, version });
  sim.db.addStudio('Acme Studio');
  sim.db.addPerformer('Alice Example');
  sim.db.addPerformer('Bob Example');
  sim.db.addTag('outdoor');
  sim.db.addTag('4k');
  return sim;
}

function fileIs(sim: StashSimulator, id: number, path: string, oshash: string): void {
  Object.assign(sim.db.scene(id).files[0]!, { path, oshash });
}

describe('a hook reads what a real Stash sent', () => {
  test('for a sceneUpdate with nearly every field', async () => {
    const sim = await libraryLikeTheCaptured();
    const { args } = JSON.parse(readFileSync(new URL('sceneUpdate-full-1.stdin', CAPTURES), 'utf8'));
    const { inputFields, input } = args.hookContext as {
      inputFields: string[];
      input: Record<string, unknown>;
    };
    await sim.updateScene(1, Object.fromEntries(inputFields.map((field) => [field, input[field]])));
    expect(seen(sim)).toEqual([captured('sceneUpdate-full-1')]);
    expect(sim.runs[0]).toMatchObject({
      kind: 'hook',
      trigger: 'Scene.Update.Post',
      sceneId: 1,
      exitCode: 0,
    });
  });

  test('for a null written into the query, which counts as sent', async () => {
    const sim = await libraryLikeTheCaptured();
    await sim.graphql('mutation { sceneUpdate(input: {id: 2, title: "Two", rating100: null}) { id } }');
    expect(seen(sim)).toEqual([captured('sceneUpdate-inline-null-1')]);
  });

  test('for a cover, echoed whole', async () => {
    const sim = await libraryLikeTheCaptured();
    const { args } = JSON.parse(readFileSync(new URL('sceneUpdate-cover-1.stdin', CAPTURES), 'utf8'));
    await sim.updateScene(5, { cover_image: args.hookContext.input.cover_image });
    expect(seen(sim)).toEqual([captured('sceneUpdate-cover-1')]);
  });

  test('for a bulk update, one process a scene, one after another', async () => {
    const sim = await libraryLikeTheCaptured();
    await sim.graphql(`mutation { bulkSceneUpdate(input: {
      ids: [1, 2, 3, 4, 5], tag_ids: {ids: [2], mode: ADD}, organized: true }) { id } }`);
    expect(seen(sim)).toEqual([1, 2, 3, 4, 5].map((n) => captured(`bulkSceneUpdate-${n}`)));
    for (const [index, run] of sim.runs.slice(1).entries()) {
      expect(run.startedAt).toBeGreaterThanOrEqual(sim.runs[index]!.endedAt!);
    }
  });

  test('for scenesUpdate, the whole array each time', async () => {
    const sim = await libraryLikeTheCaptured();
    await sim.graphql(`mutation { scenesUpdate(input: [
      {id: 3, title: "Three"}, {id: 4, title: "Four", tag_ids: [1, 2]}]) { id } }`);
    expect(seen(sim)).toEqual([captured('scenesUpdate-1'), captured('scenesUpdate-2')]);
  });

  test('for new studios, performers and tags in one document', async () => {
    const sim = await startStash(HOOKED);
    await sim.graphql(`mutation {
      studioCreate(input: {name: "Acme Studio"}) { id }
      a: performerCreate(input: {name: "Alice Example"}) { id }
      b: performerCreate(input: {name: "Bob Example"}) { id }
      c: tagCreate(input: {name: "outdoor"}) { id }
      d: tagCreate(input: {name: "4k"}) { id }
    }`);
    expect(seen(sim)).toEqual([1, 2, 3, 4, 5].map((n) => captured(`create-entities-${n}`)));
  });

  test('for renamed tags, performers and studios, and merged tags', async () => {
    const sim = await libraryLikeTheCaptured();
    sim.db.addTag('third');
    await sim.graphql(`mutation {
      tagUpdate(input: {id: 1, name: "outdoors"}) { id }
      performerUpdate(input: {id: 1, name: "Alice E."}) { id }
      studioUpdate(input: {id: 1, name: "Acme Pictures"}) { id }
      tagsMerge(input: {source: [3], destination: 1}) { id }
    }`);
    expect(seen(sim)).toEqual(
      ['tag-update-1', 'performer-update-1', 'studio-update-1', 'tagsMerge-1'].map(captured),
    );
  });

  test('for destroyed scenes, with what they were', async () => {
    const sim = await libraryLikeTheCaptured();
    fileIs(sim, 3, '/media/stash/Clip 3.mp4', '0c0d89d0d7bad7db');
    fileIs(sim, 2, '/media/stash/Clip 2.mp4', 'db0ac6b0cadb2633');
    fileIs(sim, 4, '/media/stash/Clip 4.mp4', '23887b6bb203433f');
    await sim.graphql(`mutation {
      sceneDestroy(input: {id: 3, delete_file: false, delete_generated: true})
      scenesDestroy(input: {ids: [2, 4], delete_file: false, delete_generated: false})
    }`);
    expect(seen(sim)).toEqual(['sceneDestroy-1', 'scenesDestroy-1', 'scenesDestroy-2'].map(captured));
  });

  test('for sceneCreate, where the input is null', async () => {
    const sim = await startStash(HOOKED, { scenes: 5 });
    await sim.graphql('mutation { sceneCreate(input: {title: "no file scene"}) { id } }');
    expect(seen(sim)).toEqual([captured('sceneCreate-1')]);
  });

  test('for a scan of new files, a copied one, and a clean', async () => {
    const sim = await startStash(HOOKED, { scenes: 6 });
    const [first, second] = ['/media/stash/Clip 2.mp4', '/media/stash/b.mp4'];
    await sim.scan([first, second]);
    expect(sim.runs.map((run) => [run.trigger, run.sceneId])).toEqual([
      ['Scene.Create.Post', 7],
      ['Scene.Create.Post', 8],
    ]);
    sim.db.addScene({ files: ['/media/stash/nine.mp4'] });
    sim.db.putOnDisk('/media/stash/nine copy.mp4', '/media/stash/nine.mp4');
    await sim.scan();
    fileIs(sim, 7, '/media/stash/Renamed 2.mp4', 'db0ac6b0cadb2633');
    await sim.graphql('mutation { metadataClean(input: {dryRun: false}) }');
    await sim.idle();
    expect(seen(sim)[0]).toBe(captured('scan-scene-create-1').replace('"id":1', '"id":7'));
    expect(seen(sim).slice(2)).toEqual([captured('scan-duplicate-file-1'), captured('clean-deleted-1')]);
  });

  test('of v0.22.1, whose inputs are ordered otherwise', async () => {
    const sim = await startStash(
      { 'bw-capture': { ...HOOKED['bw-capture'], yml: TASKS } },
      { version: 'v0.22.1' },
    );
    await sim.scan(['/media/stash/Clip 1.mp4']);
    await sim.updateScene(1, { title: 'v22', rating100: 60 });
    await sim.runTask('bw-capture', 'Echo');
    expect(seen(sim)).toEqual(
      ['v0.22.1-scan-create-1', 'v0.22.1-sceneUpdate-1', 'v0.22.1-task-1'].map(captured),
    );
  });
});

describe('a task and an operation read what a real Stash sent', () => {
  const plugins = { 'bw-capture': { script: "answer({ output: 'ok' })", yml: TASKS } };

  test('with default, given and absent arguments, sorted by name', async () => {
    const sim = await startStash(plugins);
    await sim.runTask('bw-capture', 'Echo', {
      s: 'str',
      mode: 'override',
      i: 3,
      f: 1.5,
      b: true,
      n: null,
      o: { x: 1 },
      a: [1, 'two', false],
    });
    await sim.graphql(`mutation { runPluginTask(plugin_id: "bw-capture", task_name: "Echo", args: [
      {key: "s", value: {str: "x"}}, {key: "i", value: {i: 4}},
      {key: "l", value: {a: [{str: "q"}, {b: true}]}}, {key: "o", value: {o: [{key: "k", value: {f: 2.5}}]}}]) }`);
    await sim.runTask('bw-capture', 'Echo');
    await sim.graphql('mutation { runPluginTask(plugin_id: "bw-capture", args_map: {mode: "x"}) }');
    await sim.idle();
    expect(seen(sim)).toEqual(
      ['task-echo-args_map-1', 'task-echo-args-1', 'task-echo-default-1', 'task-no-name-1'].map(captured),
    );
    expect(sim.runs.map((run) => run.trigger)).toEqual(['Echo', 'Echo', 'Echo', 'bw-capture']);
  });

  test('as an operation', async () => {
    const sim = await startStash(plugins);
    await sim.runOperation('bw-capture', { mode: 'slow' });
    await sim.runOperation('bw-capture', { n: 5, mode: 'op', list: [1, 2] });
    expect(seen(sim)).toEqual([captured('op-1'), captured('op-2')]);
  });
});

test('the document names the folders, the port and the bind address as they are', async () => {
  const plugins = writePlugins(HOOKED);
  const sim = await startStashSimulator({ plugins, scenes: 1, host: '0.0.0.0' });
  atEnd(() => sim.close());
  await sim.updateScene(1, { title: '<a & b>' });
  const [run] = await ended(sim, 1);
  const { server_connection: connection, args } = JSON.parse(run!.stdin);
  expect(connection).toMatchObject({ Scheme: 'http', Host: '0.0.0.0', Port: sim.port, Dir: sim.dir });
  expect(connection.PluginDir).toBe(`${plugins}/bw-capture`);
  expect(args.hookContext.input.title).toBe('<a & b>');
  expect(run!.stdin).toContain('\\u003ca \\u0026 b\\u003e');
});

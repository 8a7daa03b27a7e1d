// What is printed with --json is what its schema says: real documents of every verb, in every state that changes their
// shape, against the JSON Schemas as they are printed.
import { afterAll, describe, expect, test } from 'vitest';
import { TASK_MODES, type TaskArgs, type TaskMode } from '../../src/invocation/task.ts';
import {
  DOCUMENTS,
  type DocumentName,
  jsonSchemaOf,
  labelled,
  schemaName,
} from '../../src/schemas/documents.ts';
import { dataDirOf } from '../support/data-dirs.ts';
import { type JsonSchema, problemsOf } from '../support/json-schema.ts';
import { BUNDLE, spawnAndRead } from '../support/live-world.ts';
import { VirtualWorld } from '../support/virtual-world.ts';

const seen = new Set<string>();

function expectDescribed(verb: string, document: unknown): void {
  seen.add(verb);
  // As a reader gets it.
  const printed = JSON.parse(JSON.stringify(labelled(verb, document)));
  expect(problemsOf(jsonSchemaOf(verb as DocumentName) as JsonSchema, printed)).toEqual([]);
}

async function ran(world: VirtualWorld, mode: TaskMode, args: TaskArgs = {}): Promise<void> {
  expectDescribed(mode, (await world.run(mode, args)).document);
}

const READING: readonly [TaskMode, TaskArgs][] = [
  ['status', {}],
  ['outages', {}],
  ['queue', {}],
  ['dead', {}],
  ['export', { what: 'outages' }],
  ['export', { what: 'events' }],
  ['export', { what: 'queue', format: 'csv' }],
  ['export', { format: 'prometheus' }],
  ['export', { golden: true }],
  ['backtest', { recoveryTimeout: '10s' }],
  ['replay', {}],
  ['replay', { step: true }],
  ['replay', { verify: true }],
  ['verify', {}],
  ['why', {}],
  ['why', { scene: '1' }],
  ['settings', {}],
];

async function readAll(world: VirtualWorld): Promise<void> {
  for (const [mode, args] of READING) await ran(world, mode, args);
}

test('of an empty data dir', async () => {
  const world = new VirtualWorld();
  await readAll(world);
  await ran(world, 'release');
});

test('of a Plex that is there: every act', async () => {
  const world = VirtualWorld.withScenes(6);
  world.plex.items.delete('5');
  world.stash.edit('6', { files: ['/media/clip 1.mp4', '/media/clip 2.mp4'] });
  await ran(world, 'check');
  await ran(world, 'sync', { scene: '1,2,5,6' });
  await readAll(world);
  await ran(world, 'reconcile', { scope: 'all', dryRun: true });
  await ran(world, 'reconcile', { scope: 'all' });
  await ran(world, 'sync', { scope: 'all' });
  await ran(world, 'status');
  await ran(world, 'undo', { scene: '1', dryRun: true });
  await ran(world, 'undo', { scene: '1' });
  await ran(world, 'undo', { scene: '99' });
  await ran(world, 'unlock', { scene: '1', fields: 'title' });
  await ran(world, 'lock', { scene: '1', fields: 'title' });
  await ran(world, 'unlock', { scene: '99' });
  world.stash.otherSettings = { max_tags: 12, poll_interval: 1 };
  await ran(world, 'settings', { takeOver: true, dryRun: true });
  await ran(world, 'settings', { takeOver: true });
  await ran(world, 'retry');
  await ran(world, 'drop');
  await ran(world, 'clear');
  await ran(world, 'hold', { stance: 'open', for: '1h', reason: 'why' });
  await ran(world, 'drain');
  await ran(world, 'sync', { scene: '1' });
  await readAll(world);
  await ran(world, 'release');
});

test('of a Plex that is away, and back', async () => {
  const world = VirtualWorld.withScenes(3);
  await world.request({ since: null, newSince: null, depth: 'plex', isMissingOnly: false, libraries: [] });
  const isBack = world.plex.goAway();
  await world.queued('scene:1', 'scene:2');
  await ran(world, 'drain');
  await ran(world, 'check');
  await ran(world, 'reconcile', { scope: 'all', dryRun: true });
  await ran(world, 'note', { outage: '1', text: 'a note' });
  await ran(world, 'replay', { outage: '1', step: true });
  await ran(world, 'why', { outage: '1' });
  await ran(world, 'undo', { scene: '1' });
  await readAll(world);
  isBack();
  await world.pass(120_000);
  await ran(world, 'drain');
  await readAll(world);
});

test('of settings that are refused, and of a Stash that does not answer', async () => {
  const world = VirtualWorld.withScenes(1);
  world.plex.goAway({ status: 401 });
  await world.queued('scene:1');
  await ran(world, 'drain');
  await ran(world, 'check');
  await readAll(world);
  world.stash.settings.plexToken = '';
  await ran(world, 'drain');
  await ran(world, 'check');
  world.stash.trouble = () => ({ kind: 'unreachable', detail: 'Stash does not answer' }) as never;
  await ran(world, 'drain');
  await ran(world, 'check');
});

test('of a drain while another is at work', async () => {
  const world = VirtualWorld.withScenes(1);
  await world.queued('scene:1');
  await Promise.all([world.drain(), world.pass(5).then(() => ran(world, 'sync', { scene: '1' }))]);
});

afterAll(() => {
  expect([...seen].sort()).toEqual(Object.keys(DOCUMENTS).sort());
});

test('every verb has a schema, and every schema a verb; a wake is no verb', () => {
  const verbs = TASK_MODES.filter((mode) => mode !== 'wake');
  expect(Object.keys(DOCUMENTS).sort()).toEqual(verbs.sort());
});

test('a field that is not described is found out, and so is one that is missing or wrong', async () => {
  const world = VirtualWorld.withScenes(1);
  const { document } = await world.run('status');
  const schema = jsonSchemaOf('status') as JsonSchema;
  const { breaker: _, ...less } = document as { breaker: string };
  const problems = (other: object) => problemsOf(schema, { schema: schemaName('status'), ...other });
  expect(problems(document as object)).toEqual([]);
  expect(problems({ ...(document as object), more: 1 })).toEqual(['$.more is not described']);
  expect(problems(less)).toEqual(['$.breaker is missing']);
  expect(problems({ ...less, breaker: 'ajar' })).toHaveLength(1);
  expect(problemsOf(schema, { ...(document as object), schema: 'breakwater/status/2' })).toHaveLength(1);
});

describe('on the command line', () => {
  const cli = (...words: string[]) => spawnAndRead(process.execPath, [BUNDLE, ...words], process.env);

  test('a document names its schema first, and schema prints it', async () => {
    const data = await dataDirOf('flapping');
    for (const verb of ['status', 'outages', 'queue'] as const) {
      const printed = await cli(verb, '--json', '--data', data);
      expect(printed.stdout).toMatch(new RegExp(`^{\\n {2}"schema": "breakwater/${verb}/1",`));
      const schema = JSON.parse((await cli('schema', verb)).stdout);
      expect(schema).toEqual(JSON.parse(JSON.stringify(jsonSchemaOf(verb))));
      expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema');
      expect(problemsOf(schema, JSON.parse(printed.stdout))).toEqual([]);
    }
  });

  test.each(['doctor', 'report'])('what %s prints is described', async (verb) => {
    const data = await dataDirOf('flapping');
    const printed = await cli(verb, '--json', '--data', data, '--stash', 'http://127.0.0.1:9');
    seen.add(verb);
    const schema = jsonSchemaOf(verb as DocumentName) as JsonSchema;
    expect(problemsOf(schema, JSON.parse(printed.stdout))).toEqual([]);
  });

  test('schema lists them all, and refuses what has none', async () => {
    const { stdout } = await cli('schema');
    expect(stdout.trim().split('\n')).toEqual((Object.keys(DOCUMENTS) as DocumentName[]).map(schemaName));
    expect(await cli('schema', 'nonsense')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/"nonsense" has no schema/),
    });
  });
});

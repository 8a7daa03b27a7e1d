// Standard input as Stash sends it: the documents that a real one sent, and everything else that may come.

import * as fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HOOK_TRIGGERS, type Input, parseInput } from '../../src/invocation/input.ts';
import { PROPERTY_RUNS } from '../support/property-runs.ts';

const CAPTURES = fileURLToPath(new URL('../fixtures/captures/raw/', import.meta.url));

/** What each captured document asks for: a job, `task`, or `ignored`. */
const CAPTURED: readonly (readonly [name: string, asks: string])[] = [
  ['auth-hook-1', 'scene:1'],
  ['auth-hook-2', 'task'],
  ['auth-hook-3', 'scene:1'],
  ['auth-hook-4', 'task'],
  ['auth-hook-5', 'scene:11'],
  ['auth-hook-6', 'task'],
  ['bulkSceneUpdate-1', 'scene:1'],
  ['bulkSceneUpdate-2', 'scene:2'],
  ['bulkSceneUpdate-3', 'scene:3'],
  ['bulkSceneUpdate-4', 'scene:4'],
  ['bulkSceneUpdate-5', 'scene:5'],
  ['clean-deleted-1', 'scene:7'],
  ['create-entities-1', 'ignored'],
  ['create-entities-2', 'ignored'],
  ['create-entities-3', 'ignored'],
  ['create-entities-4', 'ignored'],
  ['create-entities-5', 'ignored'],
  ['hook-starts-task-1', 'scene:1'],
  ['hook-starts-task-2', 'task'],
  ['identify-1', 'scene:8'],
  ['marker-create-1', 'ignored'],
  ['marker-update-1', 'ignored'],
  ['op-1', 'task'],
  ['op-2', 'task'],
  ['op-3', 'scene:1'],
  ['performer-update-1', 'performer:1'],
  ['rescan-create-1', 'scene:7'],
  ['rescan-create-2', 'scene:8'],
  ['rescan-create-3', 'scene:9'],
  ['rescan-create-4', 'scene:10'],
  ['scan-duplicate-file-1', 'scene:9'],
  ['scan-file-changed-1', 'scene:8'],
  ['scan-file-renamed-1', 'scene:7'],
  ['scan-scene-create-1', 'scene:1'],
  ['scan-scene-create-2', 'scene:2'],
  ['scan-scene-create-3', 'scene:3'],
  ['scan-scene-create-4', 'scene:4'],
  ['scan-scene-create-5', 'scene:5'],
  ['sceneCreate-1', 'scene:6'],
  ['sceneDestroy-1', 'scene:3'],
  ['sceneUpdate-cover-1', 'scene:5'],
  ['sceneUpdate-full-1', 'scene:1'],
  ['sceneUpdate-inline-null-1', 'scene:2'],
  ['scenesDestroy-1', 'scene:2'],
  ['scenesDestroy-2', 'scene:4'],
  ['scenesUpdate-1', 'scene:3'],
  ['scenesUpdate-2', 'scene:4'],
  ['studio-update-1', 'studio:1'],
  ['tag-update-1', 'tag:1'],
  ['tagsMerge-1', 'tag:1'],
  ['task-echo-args-1', 'task'],
  ['task-echo-args_map-1', 'task'],
  ['task-echo-default-1', 'task'],
  ['task-no-name-1', 'task'],
  ['task-progress-1', 'task'],
  ['task-slow-1', 'task'],
  ['task-slow-2', 'task'],
  ['v0.22.1-scan-create-1', 'scene:1'],
  ['v0.22.1-scan-create-2', 'scene:2'],
  ['v0.22.1-scan-create-3', 'scene:3'],
  ['v0.22.1-scan-create-4', 'scene:4'],
  ['v0.22.1-scan-create-5', 'scene:5'],
  ['v0.22.1-sceneUpdate-1', 'scene:1'],
  ['v0.22.1-task-1', 'task'],
];

function captured(name: string): string {
  return fs.readFileSync(`${CAPTURES}${name}.stdin`, 'utf8');
}

function asks(input: Input): string {
  return input.kind === 'hook' ? input.job : input.kind;
}

/** A document as Stash sends it, with other parts. */
function documentWith(parts: { args?: unknown; connection?: Record<string, unknown> }): string {
  const { connection = {}, args = {} } = parts;
  return JSON.stringify({
    server_connection: {
      Scheme: 'http',
      Host: '0.0.0.0',
      Port: 9999,
      SessionCookie: { Name: 'session', Value: 'abc=' },
      Dir: '/stash',
      PluginDir: '/stash/plugins/x',
      ...connection,
    },
    args,
  });
}

const hook = (context: unknown) => parseInput(documentWith({ args: { hookContext: context } }));

function originOf(connection: Record<string, unknown>): unknown {
  const input = parseInput(documentWith({ connection }));
  return input.kind === 'task' ? input.from.connection.origin : input.kind;
}

function problemOf(input: Input): string {
  if (input.kind !== 'invalid') throw new Error(`it is ${input.kind}`);
  return input.problem;
}

describe('what a real Stash sent', () => {
  test('is all in the table', () => {
    const files = fs.readdirSync(CAPTURES).map((file) => file.replace(/\.stdin$/, ''));
    expect(CAPTURED.map(([name]) => name)).toEqual(files.sort());
  });

  test.each(CAPTURED)('%s: %s', (name, expected) => {
    const text = captured(name);
    const input = parseInput(text);
    expect(asks(input)).toBe(expected);

    const { args, server_connection: server } = JSON.parse(text);
    if (input.kind === 'ignored') expect(input.trigger).toBe(args.hookContext.type);
    if (input.kind === 'hook') expect(input.trigger).toBe(args.hookContext.type);
    if (input.kind === 'task') expect(input.args).toEqual(args);
    if (input.kind === 'hook' || input.kind === 'task') {
      expect(input.from).toEqual({
        connection: {
          origin: `http://127.0.0.1:${server.Port}`,
          credential: { kind: 'cookie', name: 'session', value: server.SessionCookie.Value },
        },
        dir: '/stash/config',
      });
    }
  });
});

describe('hooks', () => {
  test.each(HOOK_TRIGGERS)('%s makes a job', (type) => {
    const kind = type.split('.')[0]!.toLowerCase().replace('movie', 'group');
    // Which scenes had what is gone, nobody can say: that is about all of them.
    const isShared = kind !== 'scene' && type.endsWith('.Destroy.Post');
    const job = isShared ? 'library:shared' : `${kind}:12`;
    expect(hook({ type, id: 12 })).toMatchObject({ kind: 'hook', trigger: type, job });
  });

  test.each([
    'Scene.Merge.Post',
    'Image.Update.Post',
    'Gallery.Create.Post',
    'Image.Destroy.Post',
    'Later.New.Post',
  ])('%s makes none, and is no error', (type) => {
    expect(hook({ type, id: 1 })).toEqual({ kind: 'ignored', trigger: type });
    expect(hook({ type })).toEqual({ kind: 'ignored', trigger: type });
  });

  test("of a clean: the id is the context's, for the input's is empty", () => {
    const input = { id: '', path: '/a.mp4' };
    expect(asks(hook({ type: 'Scene.Destroy.Post', id: 7, input }))).toBe('scene:7');
  });

  test('with a list of inputs (scenesUpdate), or none (scan)', () => {
    expect(asks(hook({ type: 'Scene.Update.Post', id: 3, input: [{ id: '3' }, { id: '4' }] }))).toBe(
      'scene:3',
    );
    expect(asks(hook({ type: 'Scene.Create.Post', id: 3, input: null }))).toBe('scene:3');
  });

  test.each([undefined, null, 0, -1, 1.5, '', '01', '-1', 'abc', '1 ', '1;2', {}, [], true, 2 ** 60])(
    'with the id %j are invalid, and the hook is named',
    (id) => {
      expect(problemOf(hook({ type: 'Scene.Update.Post', id }))).toBe(
        'the Scene.Update.Post hook names no id',
      );
    },
  );

  test.each([1, '1', 9_007_199_254_740_991, '9007199254740991'])('with the id %j are good', (id) => {
    expect(asks(hook({ type: 'Scene.Update.Post', id }))).toBe(`scene:${id}`);
  });

  test.each([undefined, '', 5, null, {}])('without a type (%j) are invalid', (type) => {
    expect(problemOf(hook({ type, id: 1 }))).toBe('the hook has no type');
  });

  test('with a cover image of 10 MB are read', () => {
    const cover = `data:image/jpeg;base64,${'QUJD'.repeat(2_500_000)}`;
    const context = {
      type: 'Scene.Update.Post',
      id: 5,
      input: { cover_image: cover },
      inputFields: ['id', 'cover_image'],
    };
    const text = documentWith({ args: { hookContext: context } });
    expect(text.length).toBeGreaterThan(10_000_000);
    expect(asks(parseInput(text))).toBe('scene:5');
  });

  test.each(['constructor', 'toString', 'hasOwnProperty', '__proto__'])('of type %s are ignored', (type) => {
    expect(hook({ type, id: 1 })).toEqual({ kind: 'ignored', trigger: type });
  });
});

describe('a document that is not what Stash sends', () => {
  test.each(['', ' \n\t '])('nothing: %j', (text) => {
    expect(problemOf(parseInput(text))).toMatch(/nothing came on stdin/);
  });

  test.each(['{', 'hello', '{"a":1}{"b":2}', '\u0000', 'NaN', '{"args":{}'])('no JSON: %j', (text) => {
    expect(problemOf(parseInput(text))).toMatch(
      /not a whole JSON document \(\d+ characters\): was it cut short\?/,
    );
  });

  test.each(['null', 'true', '1', '"text"', '[]', '[{}]'])('no object: %j', (text) => {
    expect(problemOf(parseInput(text))).toMatch(/not the object that Stash sends/);
  });

  test.each([
    undefined,
    null,
    [],
    'x',
    {},
    { Port: 0 },
    { Port: 65_536 },
    { Port: 'x' },
    { Port: 1.5 },
    { Port: null },
  ])('no server: %j', (server) => {
    const text = JSON.stringify({ server_connection: server, args: {} });
    expect(problemOf(parseInput(text))).toMatch(/lacks server_connection/);
  });

  test.each(['sceneUpdate-full-1', 'task-echo-args_map-1'])('cut anywhere, at any byte of %s', (name) => {
    const bytes = fs.readFileSync(`${CAPTURES}${name}.stdin`);
    expect(parseInput(bytes.toString('utf8')).kind).not.toBe('invalid');
    const secret = JSON.parse(bytes.toString('utf8')).server_connection.SessionCookie.Value as string;
    for (let length = 0; length < bytes.length; length++) {
      const problem = problemOf(parseInput(bytes.subarray(0, length).toString('utf8')));
      expect(problem).toMatch(length === 0 ? /nothing came/ : /cut short/);
      expect(problem).not.toContain(secret.slice(0, 8));
    }
  });
});

describe('where Stash is', () => {
  test.each([
    ['0.0.0.0', 'http://127.0.0.1:9999'],
    ['327.0.0.1', 'http://127.0.0.1:9999'],
    ['', 'http://127.0.0.1:9999'],
    [undefined, 'http://127.0.0.1:9999'],
    ['::', 'http://[::1]:9999'],
    ['[::]', 'http://[::1]:9999'],
    ['::1', 'http://[::1]:9999'],
    ['192.168.1.5', 'http://192.168.1.5:9999'],
    ['stash.lan', 'http://stash.lan:9999'],
    ['evil/@host', 'http://127.0.0.1:9999'],
    ['a b', 'http://127.0.0.1:9999'],
  ])('bound to %j it is reached at %j', (Host, expected) => {
    expect(originOf({ Host })).toBe(expected);
  });

  test('by https where Stash says so, and by http for anything else', () => {
    expect(originOf({ Scheme: 'https' })).toBe('https://127.0.0.1:9999');
    expect(originOf({ Scheme: 'javascript' })).toBe('http://127.0.0.1:9999');
    expect(originOf({ Scheme: null })).toBe('http://127.0.0.1:9999');
  });

  test.each([
    ['.', '.'],
    ['', '.'],
    [undefined, '.'],
    [7, '.'],
    ['/config', '/config'],
  ])('its folder %j is %j', (Dir, expected) => {
    expect(parseInput(documentWith({ connection: { Dir } }))).toMatchObject({ from: { dir: expected } });
  });

  test.each([
    null,
    undefined,
    'x',
    {},
    { Name: 'session' },
    { Name: 'session', Value: '' },
    { Name: 'session', Value: 'a;b' },
    { Name: 'session', Value: 'a\r\nApiKey: x' },
    { Name: 'a b', Value: 'x' },
    { Name: 7, Value: 'x' },
  ])('a cookie that cannot be sent as one (%j) is none', (SessionCookie) => {
    expect(parseInput(documentWith({ connection: { SessionCookie } }))).toMatchObject({
      from: { connection: { credential: { kind: 'none' } } },
    });
  });
});

describe('hostile shapes', () => {
  const anything = fc.jsonValue({ maxDepth: 4 });
  const half = fc.record(
    {
      server_connection: fc.oneof(
        anything,
        fc.record(
          {
            Scheme: anything,
            Host: fc.oneof(anything, fc.ipV6(), fc.domain()),
            Port: fc.oneof(anything, fc.nat(70_000)),
            SessionCookie: anything,
            Dir: anything,
          },
          { requiredKeys: [] },
        ),
      ),
      args: fc.oneof(
        anything,
        fc.record({
          hookContext: fc.oneof(
            anything,
            fc.record({
              type: fc.oneof(anything, fc.constantFrom(...HOOK_TRIGGERS)),
              id: fc.oneof(anything, fc.nat()),
            }),
          ),
        }),
      ),
    },
    { requiredKeys: [] },
  );

  test('no JSON ever makes it throw; a job is always one kind and one number, and its server an address', () => {
    fc.assert(
      fc.property(fc.oneof(anything, half), (json) => {
        const input = parseInput(JSON.stringify(json));
        switch (input.kind) {
          case 'invalid':
            expect(input.problem.length).toBeGreaterThan(10);
            break;
          case 'ignored':
            expect(input.trigger).not.toBe('');
            break;
          case 'hook':
            expect(input.job).toMatch(/^(library:shared|(scene|tag|performer|studio|group):[1-9]\d{0,15})$/);
            expect(new URL(input.from.connection.origin).protocol).toMatch(/^https?:$/);
            break;
          case 'task':
            expect(input.from.dir).not.toBe('');
            expect(input.from.connection.origin).toMatch(/^https?:\/\/[^/]+:\d{1,5}$/);
        }
      }),
      PROPERTY_RUNS,
    );
  });

  test('nor does any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(['invalid', 'task', 'hook', 'ignored']).toContain(parseInput(text).kind);
      }),
      PROPERTY_RUNS,
    );
  });

  test('a prototype in the document is a key like any other', () => {
    const text = `{"__proto__":{"args":{"hookContext":{}}},${documentWith({}).slice(1)}`;
    expect(parseInput(text).kind).toBe('task');
    expect(({} as Record<string, unknown>).args).toBeUndefined();
  });
});

// Standard input as Stash sends it: the documents that a real one sent, and everything else that may come. What begins
// with a hook's document is a wake: an older yml still has hooks call us until Stash reloads its plugins.

import * as fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Input, parseInput } from '../../src/door/input.ts';
import { PROPERTY_RUNS } from '../support/property-runs.ts';

const CAPTURES = fileURLToPath(new URL('../fixtures/captures/raw/', import.meta.url));

const BESIDE = { mode: 'wake', scope: 'changes', beside: true };

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

function originOf(connection: Record<string, unknown>): unknown {
  const input = parseInput(documentWith({ connection }));
  return input.kind === 'task' ? input.from.connection.origin : input.kind;
}

function problemOf(input: Input): string {
  if (input.kind !== 'invalid') throw new Error(`it is ${input.kind}`);
  return input.problem;
}

describe('what a real Stash sent', () => {
  const files = fs.readdirSync(CAPTURES);

  test.each(files)('%s: a hook is a wake beside the queue, all else is what its arguments say', (file) => {
    const text = fs.readFileSync(`${CAPTURES}${file}`, 'utf8');
    const { args, server_connection: server } = JSON.parse(text);
    expect(parseInput(text)).toEqual({
      kind: 'task',
      args: args.hookContext === undefined ? args : BESIDE,
      from: {
        connection: {
          origin: `http://127.0.0.1:${server.Port}`,
          credential: { kind: 'cookie', name: 'session', value: server.SessionCookie.Value },
        },
        dir: '/stash/config',
      },
    });
  });

  test('both kinds are among it', () => {
    const kinds = files.map((file) => {
      const { args } = JSON.parse(fs.readFileSync(`${CAPTURES}${file}`, 'utf8'));
      return args.hookContext === undefined;
    });
    expect(new Set(kinds).size).toBe(2);
  });
});

test.each([
  ['no context', {}, {}],
  ['a context that is no object', { hookContext: 'Scene.Update.Post' }, { hookContext: 'Scene.Update.Post' }],
  ['a list for a context', { hookContext: [{}] }, { hookContext: [{}] }],
  ['an empty context', { hookContext: {} }, BESIDE],
  ['a context beside a mode', { mode: 'clear', hookContext: { type: 'Scene.Update.Post', id: 1 } }, BESIDE],
])('%s', (_, args, expected) => {
  expect(parseInput(documentWith({ args }))).toMatchObject({ kind: 'task', args: expected });
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
    { Port: true },
    { Port: [9999] },
    { Port: '' },
    { Port: { valueOf: 1 } },
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

describe('what a hook handed on to be let in with', () => {
  const cookie = { Name: 'session', Value: 'of-nobody' };
  const letIn = (session: unknown) => {
    const input = parseInput(
      documentWith({ args: { mode: 'wake', session }, connection: { SessionCookie: cookie } }),
    );
    if (input.kind !== 'task') throw new Error(input.problem);
    // What is in the arguments may be told: a secret is not.
    expect(input.args).toEqual({ mode: 'wake' });
    return input.from.connection.credential;
  };

  test('is used in place of the cookie that Stash gives to nobody', () => {
    expect(letIn({ apiKey: 'k3y' })).toEqual({ kind: 'apiKey', value: 'k3y' });
    expect(letIn({ Name: 'session', Value: 'of-a-person' })).toMatchObject({ value: 'of-a-person' });
  });

  test.each([
    null,
    undefined,
    'k3y',
    [],
    { apiKey: '' },
    { apiKey: 7 },
    { apiKey: 'a\r\nCookie: x' },
    { apiKey: 'a b' },
    { Name: 'session', Value: 'a;b' },
  ])('%j cannot be sent: the cookie is', (session) => {
    expect(letIn(session)).toEqual({ kind: 'cookie', name: 'session', value: 'of-nobody' });
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
              type: fc.oneof(anything, fc.constantFrom('Scene.Update.Post', 'Tag.Merge.Post')),
              id: fc.oneof(anything, fc.nat()),
            }),
          ),
        }),
      ),
    },
    { requiredKeys: [] },
  );

  test('no JSON ever makes it throw; the server of a task is an address, and its folder has a name', () => {
    fc.assert(
      fc.property(fc.oneof(anything, half), (json) => {
        const input = parseInput(JSON.stringify(json));
        if (input.kind === 'invalid') {
          expect(input.problem.length).toBeGreaterThan(10);
          return;
        }
        expect(input.from.dir).not.toBe('');
        expect(input.from.connection.origin).toMatch(/^https?:\/\/[^/]+:\d{1,5}$/);
      }),
      PROPERTY_RUNS,
    );
  });

  test('nor does any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(['invalid', 'task']).toContain(parseInput(text).kind);
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

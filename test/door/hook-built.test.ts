// The hook as it is shipped: a script of ES5, because Stash up to v0.25 runs it in otto, small, because Stash compiles it
// at each call, and with nothing around it but what both engines give.

import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import * as vm from 'node:vm';
import { transform } from 'esbuild';
import { expect, test } from 'vitest';
import { DESCRIPTIONS } from '../../src/door/scopes.ts';
import { JobQueue } from '../support/job-queue.ts';
import { PLUGIN_DIR } from '../support/live-world.ts';

const code = readFileSync(path.join(PLUGIN_DIR, 'breakwater-hook.js'), 'utf8');
const HOOK = { Args: { hookContext: { id: 3, type: 'Scene.Update.Post', input: { id: '3' } } } };

/** In a context of its own; what it says last is what Stash takes. */
function run(script: string, globals: object): unknown {
  return vm.runInNewContext(script, globals);
}

test('is small', () => {
  expect(code.split('\n').length).toBeLessThan(100);
  expect(Buffer.byteLength(code)).toBeLessThan(4_096);
});

test('is ES5: there is nothing to be made older in it, and nothing that could not be', async () => {
  const asIs = await transform(code, { target: 'esnext' });
  expect((await transform(code, { target: 'es5' })).code).toBe(asIs.code);
  // This does tell one from the other.
  const newer = 'x = (a) => a';
  expect((await transform(newer, { target: 'es5' })).code).not.toBe((await transform(newer)).code);
});

test('is no module, and needs nothing of a language newer than ES5', () => {
  expect(code).not.toMatch(/\b(import|export|require|module)\b/);
  const queue = new JobQueue();
  const before = `
    [Promise, Symbol, Map, Set, Proxy, Reflect, WeakMap].forEach(function (one) { globalThis[one.name] = undefined; });
    ['assign', 'entries', 'values', 'hasOwn', 'fromEntries', 'is'].forEach(function (name) { delete Object[name]; });
    ['includes', 'find', 'findIndex', 'fill', 'flat', 'flatMap', 'at', 'entries', 'values'].forEach(function (name) {
      delete Array.prototype[name];
    });
    ['includes', 'startsWith', 'endsWith', 'repeat', 'padStart', 'at', 'replaceAll', 'matchAll', 'trimEnd'].forEach(
      function (name) { delete String.prototype[name]; });
    ['isNaN', 'isFinite', 'isInteger', 'isSafeInteger'].forEach(function (name) { delete Number[name]; });
    ['trunc', 'sign', 'hypot'].forEach(function (name) { delete Math[name]; });`;
  const globals = { input: HOOK, gql: queue, log: { Debug: () => {} } };
  queue.add('Running plugin task: something else');
  queue.add(`Running plugin task: ${DESCRIPTIONS.changes}`);
  expect(run(`${before}\n${code}`, globals)).toEqual({ Output: 'beside' });
  expect(queue.ready('changes')).toHaveLength(1);
});

test('uses no global but input, gql and log', () => {
  const used = new Set<string>();
  const globals: Record<string, unknown> = {
    input: HOOK,
    gql: new JobQueue(),
    log: { Debug: () => {} },
  };
  const language = ['Date', 'Math', 'String'];
  const scope = new Proxy(globals, {
    has: (_, name) => name in globals || name in globalThis,
    get: (_, name) => {
      if (typeof name !== 'string') return undefined;
      used.add(name);
      return globals[name] ?? (globalThis as unknown as Record<string, unknown>)[name];
    },
  });
  new Function('scope', `with (scope) { ${code} }`)(scope);
  expect([...used].filter((name) => !language.includes(name)).sort()).toEqual(['gql', 'input', 'log']);
});

test('answers what Stash shows of a plugin that ran, also when it could not', () => {
  const said: string[] = [];
  const gql = {
    Do: () => {
      throw new Error('GraphQL: not allowed');
    },
  };
  const answer = run(code, { input: HOOK, gql, log: { Debug: (text: string) => said.push(text) } });
  expect(answer).toEqual({ Output: 'failed' });
  expect(said).toEqual([
    'Breakwater could not ask for a wake; the next one finds this change: Error: GraphQL: not allowed',
  ]);
});

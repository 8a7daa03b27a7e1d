// What a launcher without Node hands over: done by the companion, told as it goes, answered once.

import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import * as path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Wishes } from '../../src/companion/wishes.ts';
import { MAX_INPUT_BYTES } from '../../src/door/input.ts';
import type { Log } from '../../src/invocation/stash-log.ts';
import { CompanionProcess, FakeLauncher } from '../support/companion.ts';
import { LiveWorld, until } from '../support/live-world.ts';

let world: LiveWorld;
let companion: CompanionProcess;
let launcher: FakeLauncher;

beforeEach(async () => {
  world = await LiveWorld.start({ scenes: 3, settings: { reconcile: 'never' } });
  companion = new CompanionProcess(world);
  launcher = new FakeLauncher(world.data);
  await launcher.ready();
});

afterEach(async () => {
  await companion.end('SIGKILL');
  await world.close();
});

test('a task is done: its lines and progress as they come, then one document, and all of it for its owner alone', async () => {
  Object.assign(world.stash.db.scenes()[0]!, { title: 'by a task', updatedAt: Date.now() });
  const wish = launcher.wish({ mode: 'sync', scope: 'all' });
  await until('it is answered', () => existsSync(wish.out));
  for (const file of [wish.out, wish.log, wish.taken]) expect(statSync(file).mode & 0o777).toBe(0o600);
  const { answer, log } = await launcher.answerOf(wish);
  expect(answer).toMatchObject({ output: { drain: { stop: { kind: expect.stringMatching(/idle|busy/) } } } });
  expect(log.at(-1)).toBe('\u0001p\u00021.0000');
  for (const line of log) expect(line.slice(0, 3)).toBeOneOf(['d', 'i', 'w', 'p'].map(prefixed));
  await until('it is delivered', () => world.title(1) === 'by a task');
});

test('the log is told while the task is at work', async () => {
  await companion.end('SIGKILL');
  let finish = () => {};
  const atWork = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const perform = async (_: unknown, log: Log) => {
    log.line('info', 'half of it is done');
    await atWork;
    return { output: 'all' };
  };
  const wishes = new Wishes(path.join(world.data, 'companion'), perform, Date.now);
  const wish = launcher.wish({ mode: 'sync', scope: 'all' });
  wishes.takeUp();
  await until('something is told', () => readFileSync(wish.log, 'utf8').includes('half of it is done'));
  expect(existsSync(wish.out)).toBe(false);
  finish();
  await wishes.finished();
  expect(readFileSync(wish.out, 'utf8')).toContain('"output":"all"');
});

test('several wishes are done at once, and none waits for a look', async () => {
  const wishes = ['status', 'queue', 'outages', 'dead'].map((mode) => launcher.wish({ mode }));
  for (const wish of wishes) expect((await launcher.answerOf(wish)).answer).toHaveProperty('output');
});

test('a wake is a look at once', async () => {
  expect((await launcher.answerOf(launcher.wish({ mode: 'wake', scope: 'changes' }))).answer).toEqual({
    output: { queued: expect.any(Number), drainer: 'none' },
  });
  const gone = world.stash.db.scenes()[2]!;
  Object.assign(gone, { title: 'soon gone', updatedAt: Date.now() });
  await until('it is delivered', () => world.title(3) === 'soon gone');
  await world.stash.graphql(`mutation{sceneDestroy(input:{id:"${gone.id}"})}`);
  await launcher.answerOf(launcher.wish({ mode: 'wake', scope: 'gone' }));
  await until('it is known to be gone', async () => !(await world.queue()).known.has('scene:3'));
});

test('a wake beside a busy queue is answered at once', async () => {
  const wish = launcher.wish({ mode: 'wake', scope: 'changes', beside: true });
  expect((await launcher.answerOf(wish)).answer).toEqual({ output: { queued: 0, drainer: 'none' } });
});

test.each<[string, string | Buffer, RegExp]>([
  [
    'an unknown mode',
    JSON.stringify({ server_connection: { Port: 1 }, args: { mode: 'format-c' } }),
    /mode "format-c" is not known/,
  ],
  ['no JSON', 'x'.repeat(100), /not a whole JSON document/],
  ['bytes', Buffer.from(Array.from({ length: 999 }, (_, index) => index % 256)), /not a whole JSON document/],
  ['nothing', '', /nothing came/],
  [
    'a prototype',
    '{"__proto__":{"mode":"drain"},"server_connection":{"Port":1},"args":{"mode":"__proto__"}}',
    /is not known/,
  ],
  ['too much', Buffer.alloc(MAX_INPUT_BYTES + 1, ' '), /is over 1048576 bytes/],
])('%s as a wish is answered with an error, and the companion goes on', async (_what, content, problem) => {
  const { answer, log } = await launcher.answerOf(launcher.put(content));
  expect(answer).toEqual({ error: expect.stringMatching(problem) });
  expect(log).toEqual([`\u0001e\u0002${answer.error}`]);
  expect((await launcher.answerOf(launcher.wish({ mode: 'status' }))).answer).toHaveProperty('output');
});

test('no link is followed, and no folder or pipe waited for', async () => {
  const secret = path.join(world.root, 'secret');
  writeFileSync(secret, 'do not touch');
  const linked = launcher.files('wish-1-1');
  symlinkSync(secret, linked.log);
  symlinkSync(secret, linked.json);
  await until('it is answered', () => existsSync(linked.out));
  expect(JSON.parse(readFileSync(linked.out, 'utf8'))).toEqual({ error: 'the wish cannot be read (ELOOP)' });
  const folder = launcher.files('wish-1-2');
  mkdirSync(folder.json);
  await until('it is answered', () => existsSync(folder.out));
  expect(readFileSync(secret, 'utf8')).toBe('do not touch');
  expect((await launcher.answerOf(launcher.wish({ mode: 'status' }))).answer).toHaveProperty('output');
});

test('whom it no longer serves gets no answer, and what a killed launcher left is removed', async () => {
  await companion.end('SIGTERM');
  const old = launcher.wish({ mode: 'undo', since: '1h' });
  const left = launcher.files('wish-7-7');
  for (const file of [left.out, left.log]) writeFileSync(file, '');
  const anHourAgo = Date.now() / 1_000 - 3_700;
  for (const file of [old.json, old.log, left.out, left.log]) utimesSync(file, anHourAgo, anHourAgo);
  companion = new CompanionProcess(world);
  await until('all is swept', () => readdirSync(launcher.folder).join() === 'alive');
});

test('who waits for a companion that was killed is told by the next one', async () => {
  world.plex.addFault({ kind: 'hang' } as never);
  const wish = launcher.wish({ mode: 'check' });
  await until('it is taken', () => existsSync(wish.taken));
  await companion.end('SIGKILL');
  companion = new CompanionProcess(world);
  expect((await launcher.answerOf(wish)).answer).toEqual({
    error: expect.stringContaining('ended in the middle'),
  });
});

test('who waits for a companion that is told to end is told so', async () => {
  world.plex.addFault({ kind: 'hang' } as never);
  const wish = launcher.wish({ mode: 'check' });
  await until('it is taken', () => existsSync(wish.taken));
  await companion.end('SIGTERM');
  expect((await launcher.answerOf(wish)).answer).toHaveProperty('error');
});

/** What a line of Stash's log protocol begins with. */
function prefixed(level: string): string {
  return `\u0001${level}\u0002`;
}

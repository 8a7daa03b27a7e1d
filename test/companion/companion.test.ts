// The companion as a process beside a Stash that starts nothing.

import { existsSync, readFileSync, statSync } from 'node:fs';
import * as path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { CompanionProcess } from '../support/companion.ts';
import { LiveWorld, until } from '../support/live-world.ts';

let world: LiveWorld | null = null;
const companions: CompanionProcess[] = [];

afterEach(async () => {
  await Promise.all(companions.splice(0).map((one) => one.end('SIGKILL')));
  await world?.close();
  world = null;
});

/** What Docker gives a container that it ends, before it kills it. */
const DOCKER_MS = 10_000;

async function start(scenes = 2) {
  world = await LiveWorld.start({ scenes, settings: { reconcile: 'never' } });
  return { world, stash: world.stash, plex: world.plex };
}

function companion(...words: readonly string[]): CompanionProcess {
  const started = new CompanionProcess(world!, ...words);
  companions.push(started);
  return started;
}

/** As a person does in Stash; no hook tells of it. */
function edit(number: number, title: string): void {
  Object.assign(world!.stash.db.scenes()[number - 1]!, { title, updatedAt: Date.now() });
}

async function hasLooked(): Promise<void> {
  await until('it has looked once', async () => (await world!.queue()).looked.upTo > 0);
}

test('a change reaches Plex without a hook, and the health check sees the companion', async () => {
  await start();
  expect((await world!.cli('health')).code).toBe(1);
  const running = companion();
  await hasLooked();
  edit(1, 'seen by watching');
  await until('it is delivered', () => world?.title(1) === 'seen by watching');
  expect(world!.stash.runs).toEqual([]);
  const health = await world!.cli('health');
  expect([health.code, health.stdout]).toEqual([0, expect.stringContaining(`pid ${running.pid}`)]);
  const alive = path.join(world!.data, 'companion/alive');
  expect(JSON.parse(readFileSync(alive, 'utf8'))).toMatchObject({ pid: running.pid, node: process.version });
  expect([statSync(alive).mode & 0o777, statSync(path.dirname(alive)).mode & 0o777]).toEqual([0o600, 0o700]);
});

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s ends it soon in the middle of a vigil, and frees the lease',
  async (signal) => {
    await start();
    const running = companion();
    await hasLooked();
    await world!.plex.down();
    edit(1, 'while Plex is away');
    await until('a drainer keeps vigil', async () => {
      const { drain, breaker } = await world!.control();
      return drain.value === 'held' && breaker.value === 'open';
    });
    const from = performance.now();
    expect(await running.end(signal)).toBe(0);
    expect(performance.now() - from).toBeLessThan(DOCKER_MS);
    expect((await world!.control()).drain.value).toBe('free');
    expect(existsSync(path.join(world!.data, 'companion/alive'))).toBe(false);
  },
);

test('killed, it leaves nothing undone: the next one delivers', async () => {
  await start();
  const first = companion();
  await hasLooked();
  await world!.plex.down();
  edit(1, 'before the kill');
  await until('a drainer holds the lease', async () => (await world!.control()).drain.value === 'held');
  await first.end('SIGKILL');
  edit(2, 'while nobody looked');
  world!.plex.up();
  companion();
  await until(
    'both are delivered',
    () => world?.title(1) === 'before the kill' && world.title(2) === 'while nobody looked',
  );
});

test('a second one says that there is another, waits, and goes on when that has ended', async () => {
  await start();
  const first = companion();
  await hasLooked();
  const second = companion();
  await until('it says so', () =>
    second.log.includes(`Another companion looks after this folder (pid ${first.pid},`),
  );
  expect(await first.end('SIGTERM')).toBe(0);
  edit(1, 'by the second');
  await until('it is delivered', () => world?.title(1) === 'by the second');
  expect(await second.end('SIGTERM')).toBe(0);
});

test('a Stash that does not answer is told of once, and its changes are found when it answers', async () => {
  await start();
  const running = companion('--every', '1s');
  await hasLooked();
  world!.stash.addFault({ kind: 'error500' });
  await until('it is told', () => running.log.includes('Stash answered HTTP 500'));
  const asked = world!.stash.requests.length;
  await until('it has asked thrice more', () => world!.stash.requests.length >= asked + 3);
  edit(1, 'after all');
  world!.stash.clearFaults();
  await until('it is delivered', () => world?.title(1) === 'after all');
  expect(running.log.match(/Stash answered HTTP 500/g)).toHaveLength(1);
  expect(running.log).toContain('It works again.');
});

test('a request that hangs does not keep it from ending', async () => {
  await start();
  const running = companion();
  await hasLooked();
  const asked = world!.stash.requests.length;
  world!.stash.addFault({ kind: 'hang' });
  await until('it waits for an answer', () => world!.stash.requests.length > asked);
  expect(await running.end('SIGTERM')).toBe(0);
});

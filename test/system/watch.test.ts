// `watch` as a process beside a Stash that starts nothing.

import { afterEach, expect, test } from 'vitest';
import { LiveWorld, until } from '../support/live-world.ts';
import { RunningCommand } from '../support/running-command.ts';

let world: LiveWorld | null = null;
afterEach(() => world?.close());

test('delivers what no hook told, and ends well when it is told to', async () => {
  world = await LiveWorld.start({ scenes: 2 });
  const { stash, data } = world;
  const running = new RunningCommand('watch', '--every', '1s', '--data', data, '--stash', stash.url);
  const [scene] = stash.db.scenes();
  Object.assign(scene!, { title: 'seen by watching', updatedAt: Date.now() });
  await until('it is delivered', () => world?.title(1) === 'seen by watching');
  expect(stash.runs).toEqual([]);
  expect(await running.end('SIGTERM')).toBe(0);
  expect(running.stderr).toMatch(/changed in Stash/);
  await until('the lease is free', async () => (await world!.control()).drain.value === 'free');
});

// Which dead letters are meant: by what they were given up for, and by the outage they were given up in.

import { expect, test } from 'vitest';
import { QueueLog } from '../../src/queue/queue-log.ts';
import { fakeWriter } from '../support/fake-writer.ts';
import { VirtualWorld } from '../support/virtual-world.ts';

async function giveUp(world: VirtualWorld, scene: string, reason: 'missing' | 'rejected'): Promise<void> {
  const log = await QueueLog.open(world.journal, fakeWriter(world.time.clock, 'task-x', 99));
  const job = `scene:${scene}` as const;
  await log.append({ type: 'job.queued', job, cause: 'test' });
  await log.append({ type: 'job.deadLettered', job, upTo: log.position, reason, detail: 'for the test' });
}

test('of the last outage, of an outage by its number, or for a reason', async () => {
  const world = VirtualWorld.withScenes(4);
  const dead = async (filter: Record<string, unknown>) =>
    (await world.run('dead', filter)).lines.map((line) => /^scene (\d)/.exec(line)?.[1] ?? line);
  await expect(dead({ outage: 'last' })).rejects.toThrow('there is no last outage: none was recorded');
  await giveUp(world, '1', 'missing');
  for (const scene of ['2', '3']) {
    await world.pass(60_000);
    const heal = world.plex.goAway();
    await world.hook('scene:4');
    await world.pass(30_000);
    await giveUp(world, scene, scene === '2' ? 'rejected' : 'missing');
    heal();
    await world.settled();
  }
  expect(await dead({})).toEqual(['1', '2', '3']);
  expect(await dead({ outage: 'last' })).toEqual(['3']);
  expect(await dead({ outage: '1' })).toEqual(['2']);
  expect(await dead({ reason: 'missing' })).toEqual(['1', '3']);
  await expect(dead({ reason: 'mising' })).rejects.toThrow(
    'nothing is given up for "mising", but for ambiguous, missing, rejected, no-file',
  );
  await expect(dead({ outage: '7' })).rejects.toThrow(/there is no outage #7/);
  const size = await world.journal.size('queue');
  expect((await world.run('drop', { outage: '1', dryRun: true })).lines).toEqual([
    expect.stringMatching(/^scene 2: given up \(rejected\)/),
    '1 dead letter would be dropped; nothing was written.',
  ]);
  expect(await world.journal.size('queue')).toBe(size);
  expect((await world.run('retry', { outage: 'last' })).lines[0]).toBe('1 dead letter queued again.');
  expect(await dead({})).toEqual(['1', '2']);
});

test('what clear would forget is shown first, and is forgotten then', async () => {
  const world = VirtualWorld.withScenes(3);
  await giveUp(world, '3', 'missing');
  await world.queued('scene:2', 'scene:1');
  const size = await world.journal.size('queue');
  const dry = await world.run('clear', { dryRun: 'true' });
  expect(dry.lines).toEqual([
    expect.stringMatching(/^scene 2: pending/),
    expect.stringMatching(/^scene 1: pending/),
    '2 changes would be dropped; nothing was written.',
  ]);
  expect(dry.document).toEqual({ dropped: 2, jobs: ['scene:2', 'scene:1'], isDry: true });
  expect(await world.journal.size('queue')).toBe(size);
  expect((await world.run('clear')).document).toEqual({ ...(dry.document as object), isDry: false });
  expect((await world.queue()).counts).toMatchObject({ pending: 0, dead: 1 });
});

// What a person is told who wants something of Plex while it is away and a drainer keeps vigil: that it is safe, and when
// it goes on; not that somebody is at work.

import { expect, test } from 'vitest';
import { VirtualWorld } from '../support/virtual-world.ts';

/** Scene 1 is delivered, scene 2 is not; Plex is away since half a minute, and a drainer waits for it. */
async function keepingVigil(): Promise<{ readonly world: VirtualWorld; readonly heal: () => void }> {
  const world = VirtualWorld.withScenes(3);
  await world.hook('scene:1');
  await world.settled();
  const heal = world.plex.goAway();
  await world.hook('scene:2');
  await world.pass(30_000);
  return { world, heal };
}

const VIGIL =
  /^Plex is away; nothing is lost\. A drainer \(.+\) (asks it in \d+s|is about to ask it), and delivers/;

test('a sync is noted, says that Plex is away, and is delivered when it is back', async () => {
  const { world, heal } = await keepingVigil();
  world.stash.edit('3', { title: 'by hand' });
  const result = await world.run('sync', { scene: '3' });
  expect(result).toMatchObject({ isOk: true, document: { drain: { stop: { kind: 'busy', gate: {} } } } });
  expect(result.lines.filter((line) => VIGIL.test(line))).toHaveLength(1);
  heal();
  await world.settled();
  expect(world.plex.title('3')).toBe('by hand');
});

test('so it is with a reconciliation and a retry', async () => {
  const { world, heal } = await keepingVigil();
  for (const [verb, args] of [
    ['reconcile', { scope: 'all' }],
    ['retry', {}],
  ] as const) {
    const { lines } = await world.run(verb, args);
    expect(
      lines.filter((line) => VIGIL.test(line)),
      verb,
    ).toHaveLength(1);
  }
  heal();
  await world.settled();
  expect((await world.queue()).reconciliation).toMatchObject({ state: 'idle', last: { result: 'done' } });
});

test.each(['undo', 'unlock', 'lock'])('%s says at once that Plex is away, and does nothing', async (verb) => {
  const { world } = await keepingVigil();
  const before = world.time.clock.now().mono;
  const result = await world.run(verb as 'undo', { scene: '1' });
  expect(result).toMatchObject({ isOk: false, document: { symptom: 'away' } });
  expect(result.lines).toEqual([
    'Nothing was done: Plex is away. Try again when "status" says that it is back.',
  ]);
  expect(world.time.clock.now().mono - before).toBeLessThan(5_000);
});

test('the last outage is one like any other, wherever an outage is named', async () => {
  const { world, heal } = await keepingVigil();
  heal();
  await world.settled();
  const byNumber = await world.run('why', { outage: '1' });
  expect((await world.run('why', { outage: 'last' })).lines).toEqual(byNumber.lines);
  expect(await world.run('note', { outage: 'last', text: 'the NAS slept' })).toMatchObject({
    document: { outage: 1, text: 'the NAS slept' },
  });
  expect(await world.run('replay', { outage: 'last' })).toMatchObject({ isOk: true });
  expect(await world.run('backtest', { outage: 'last', maxWait: '1m' })).toMatchObject({ isOk: true });
});

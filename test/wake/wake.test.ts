// Wakes over a world in memory: what one queues, whom it starts, how long it stays, and what it leaves behind.

import { describe, expect, test } from 'vitest';
import { encodeLine } from '../../src/breaker/journal/record.ts';
import { makeRecord } from '../../src/breaker/journal/writer.ts';
import { useProcessTable } from '../../src/breaker/process.ts';
import { runMode } from '../../src/invocation/task.ts';
import type { JobName } from '../../src/queue/events.ts';
import { FILES_CHANGED } from '../../src/reconcile/schedule.ts';
import { ASKED_MS } from '../../src/wake/see-to-drainer.ts';
import { STAY_MS } from '../../src/wake/wake.ts';
import { fakeWriter } from '../support/fake-writer.ts';
import { Killed, VirtualWorld } from '../support/virtual-world.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Two scenes that are delivered, and nobody at work. */
async function delivered(count = 2): Promise<VirtualWorld> {
  const world = VirtualWorld.withScenes(count);
  for (let id = 1; id <= count; id++) await world.hook(`scene:${id}`);
  await world.settled();
  world.started.length = 0;
  world.stash.calls.length = 0;
  return world;
}

const jobsQueued = async (world: VirtualWorld) =>
  (await world.journal.read('queue', 0)).entries.flatMap((entry) =>
    entry.kind === 'record' && entry.record.type === 'job.queued' ? [entry.record.data] : [],
  );
const methods = (world: VirtualWorld) => world.stash.calls.map(({ method }) => method);

describe('a wake', () => {
  test('queues what changed, starts a drainer, and stays two seconds in all', async () => {
    const world = await delivered();
    world.stash.edit('2', { title: 'new' });
    const from = world.time.nowMs;
    expect(await world.wake()).toEqual({
      isOk: true,
      lines: [],
      document: { queued: 1, drainer: 'started' },
    });
    expect(world.time.nowMs - from).toBeGreaterThanOrEqual(STAY_MS);
    expect(world.time.nowMs - from).toBeLessThan(STAY_MS + 100);
    expect(world.started).toHaveLength(1);
    await world.settled();
    expect(world.plex.title('2')).toBe('new');
  });

  test('that finds a drainer at work leaves the change to it', async () => {
    const world = await delivered(3);
    world.plex.latencyMs = () => 900;
    for (const id of ['1', '2', '3']) world.stash.edit(id, { title: `new ${id}` });
    await world.wake();
    world.stash.edit('1', { title: 'newest' });
    expect(await world.wake()).toMatchObject({ document: { queued: 1, drainer: 'none' } });
    await world.settled();
    expect([world.started.length, world.plex.title('1')]).toEqual([1, 'newest']);
  });

  test('one of many at once starts the drainer, and each change is queued once', async () => {
    const world = await delivered(4);
    await world.pass(MINUTE_MS);
    const before = (await jobsQueued(world)).length;
    for (const id of ['1', '2', '3', '4']) world.stash.edit(id, { title: `new ${id}` });
    await Promise.all(Array.from({ length: 8 }, () => world.wake()));
    expect(world.started).toHaveLength(1);
    await world.settled();
    expect((await world.queue()).counts.delivered).toBe(4 + 4);
    const seen = new Set(
      (await jobsQueued(world)).slice(before).map(({ job, changedAt }) => `${job} ${changedAt}`),
    );
    expect(seen.size).toBe(4);
  });

  test('sees to another drainer where the session of the one at work has ended', async () => {
    const world = await delivered();
    world.stash.trouble = (method) =>
      method === 'scenes' && world.started.length === 1
        ? { kind: 'unauthorized', detail: 'the session has ended' }
        : null;
    world.stash.edit('1', { title: 'new' });
    await world.wake();
    await world.settled();
    expect([world.started.length, world.plex.title('1')]).toEqual([2, 'new']);
  });

  test('asks Stash once where nothing changed, and once more where it waited for the second to be over', async () => {
    const world = await delivered();
    await world.pass(MINUTE_MS);
    await world.wake();
    expect(methods(world)).toEqual(['changedSince']);
    world.stash.edit('1', {});
    world.plex.goAway();
    world.stash.calls.length = 0;
    await world.wake();
    expect(methods(world).slice(0, 2)).toEqual(['changedSince', 'changedSince']);
  });

  test('a thousand of them over nothing write nothing, start nobody and ask Plex nothing', async () => {
    const world = await delivered();
    world.stash.settings.reconcile = 'never';
    world.plex.calls.length = 0;
    // The setting is in the journal when a drainer has seen it.
    await world.drain();
    world.started.length = 0;
    const left = () => [
      world.journal.bytes('queue').toString(),
      world.journal.bytes('control').toString(),
      world.kept(),
    ];
    const before = left();
    world.plex.calls.length = 0;
    for (let count = 0; count < 1_000; count++) {
      expect((await world.wake()).document).toEqual({ queued: 0, drainer: 'none' });
    }
    expect(left()).toEqual(before);
    expect([world.started, world.plex.calls]).toEqual([[], []]);
  });

  test('delivers what changes while it stays, also where nobody was left to do it', async () => {
    const world = await delivered();
    world.isStashInit = true;
    await world.pass(1_000 - (world.time.clock.now().at % 1_000));
    world.stash.edit('1', { title: 'before' });
    world.after(1_300, () => world.stash.edit('2', { title: 'meanwhile' }));
    expect(await world.wake()).toMatchObject({ document: { queued: 2, drainer: 'here' } });
    expect([world.plex.title('1'), world.plex.title('2'), world.started]).toEqual([
      'before',
      'meanwhile',
      [],
    ]);
  });

  test('starts a drainer for a reconciliation that is due: once a day where nobody has said otherwise', async () => {
    const world = await delivered();
    await world.pass(23 * HOUR_MS);
    expect(await world.wake()).toMatchObject({ document: { queued: 0, drainer: 'none' } });
    await world.pass(HOUR_MS);
    expect(await world.wake()).toMatchObject({ document: { queued: 0, drainer: 'started' } });
    await world.settled();
    expect((await world.queue()).reconciliation).toMatchObject({ last: { cause: 'schedule' } });
  });

  test('starts a drainer for a reconciliation that somebody began and left', async () => {
    const world = await delivered();
    await world.request(FILES_CHANGED);
    expect(await world.wake()).toMatchObject({ document: { queued: 0, drainer: 'started' } });
    await world.settled();
  });

  test('of a deferred job starts a drainer when its wait is over', async () => {
    const world = VirtualWorld.withScenes(1);
    world.plex.items.clear();
    await world.hook('scene:1');
    await world.settled();
    world.started.length = 0;
    const { due } = (await world.queue()).jobs.get('scene:1') as { due: { waitMs: number } } & object;
    expect(await world.wake()).toMatchObject({ document: { drainer: 'none' } });
    await world.pass(due.waitMs);
    expect(await world.wake()).toMatchObject({ document: { drainer: 'started' } });
  });
});

describe('a drainer that dies at its start', () => {
  test('is replaced after seconds, not before and not after an hour', async () => {
    const world = await delivered();
    world.nextDrainer = { diesAtStep: 1 };
    await world.hook('scene:1');
    expect(world.started).toHaveLength(1);
    await world.hook('scene:2');
    expect(world.started).toHaveLength(1);
    await world.pass(ASKED_MS);
    expect(ASKED_MS).toBeLessThanOrEqual(30_000);
    await world.wake();
    expect(world.started).toHaveLength(2);
    await world.settled();
    expect((await world.queue()).counts.pending).toBe(0);
  });

  test('with the lease in its hand is replaced by the next wake, not when the lease is over', async () => {
    const world = await delivered();
    let isDead = false;
    const putBack = useProcessTable({ self: () => ({ pid: 7, space: 'here' }), isGone: () => isDead });
    try {
      const heal = world.plex.goAway();
      await world.hook('scene:1');
      expect((await world.control()).state.drain.value).toBe('held');
      world.killDrainers();
      isDead = true;
      heal();
      await world.pass(20_000);
      expect(await world.wake()).toMatchObject({ document: { drainer: 'started' } });
      await world.settled();
    } finally {
      putBack();
    }
    expect([world.started.length, (await world.queue()).counts.pending]).toEqual([2, 0]);
  });

  test('a wake that dies at any step loses no change', async () => {
    for (let diesAtStep = 1; diesAtStep <= 16; diesAtStep++) {
      const world = await delivered();
      world.stash.edit('1', { title: 'late' });
      await world.wake({ diesAtStep }).catch((error: Error) => {
        if (!(error instanceof Killed)) throw error;
      });
      await world.pass(MINUTE_MS);
      await world.wake();
      await world.settled();
      expect(world.plex.title('1'), `died at step ${diesAtStep}`).toBe('late');
    }
  });
});

describe('beside a busy queue', () => {
  test('only a process is started: its look finds the change', async () => {
    const world = await delivered();
    world.stash.edit('1', { title: 'during a scan' });
    const from = world.time.nowMs;
    expect(await world.wake({ isBeside: true })).toMatchObject({
      document: { queued: 0, drainer: 'started' },
    });
    expect([world.time.nowMs - from, methods(world)]).toEqual([0, []]);
    await world.settled();
    expect(world.plex.title('1')).toBe('during a scan');
  });

  test('the first change of all is found by that process, and not when the queue is free', async () => {
    const world = VirtualWorld.withScenes(1);
    world.stash.edit('1', { title: 'during a scan' });
    await world.pass(6_000);
    const { lines } = await world.wake({ isBeside: true });
    expect(lines).toEqual([expect.stringContaining('Sync all')]);
    await world.settled();
    expect(world.plex.title('1')).toBe('during a scan');
  });

  test('where no process can be started it is said, and not that one was', async () => {
    const world = await delivered();
    const startDetached = () => Promise.reject(new Error('spawn EAGAIN'));
    const woken = world.acting((own) =>
      runMode('wake', { ...own, drainers: { ...own.drainers, startDetached } }, { beside: true }),
    );
    await expect(woken).rejects.toThrow('spawn EAGAIN');
  });

  test('where Stash is process 1 it looks itself, and waits for nothing', async () => {
    const world = await delivered();
    world.isStashInit = true;
    world.stash.edit('1', { title: 'during a scan' });
    const from = world.time.nowMs;
    expect(await world.wake({ isBeside: true })).toMatchObject({
      document: { queued: 1, drainer: 'started' },
    });
    expect(world.time.nowMs - from).toBeLessThan(100);
    await world.settled();
    expect(world.plex.title('1')).toBe('during a scan');
  });
});

describe('a Stash that is process 1', () => {
  test('has the wake deliver, and no process is left behind', async () => {
    const world = await delivered();
    world.isStashInit = true;
    world.stash.edit('1', { title: 'new' });
    await world.pass(1_000);
    expect(await world.wake()).toMatchObject({ document: { queued: 1, drainer: 'here' } });
    expect([world.plex.title('1'), world.started]).toEqual(['new', []]);
    // One look at first and one in each second: what it has just looked at, the delivery does not look at again.
    expect(methods(world).filter((method) => method === 'changedSince')).toHaveLength(3);
  });

  test('has one process wait for a Plex that is away, which stays for what comes after', async () => {
    const world = await delivered();
    world.isStashInit = true;
    const isBack = world.plex.goAway();
    await world.hook('scene:1');
    expect(world.started).toHaveLength(1);
    world.after(2 * MINUTE_MS, isBack);
    const later: unknown[] = [];
    world.after(8 * MINUTE_MS, async () => later.push(await world.hook('scene:2')));
    await world.pass(9 * MINUTE_MS);
    await world.settled();
    // It is still there, and the wake leaves the delivery to it.
    expect(later).toMatchObject([{ document: { queued: 1, drainer: 'none' } }]);
    expect(world.started).toHaveLength(1);
    expect((await world.queue()).counts).toMatchObject({ pending: 0, delivered: 4 });
  });
});

test('a drainer that waits keeps what a wake reads up to date, however long it waits', async () => {
  const world = await delivered(3);
  world.plex.goAway();
  for (const id of ['1', '2', '3']) {
    await world.hook(`scene:${id}` as JobName);
    await world.pass(MINUTE_MS);
  }
  const { agenda } = JSON.parse(world.kept()) as { agenda: string };
  expect(JSON.parse(agenda)).toMatchObject({ position: await world.journal.size('queue') });
  world.killDrainers();
});

describe('scopes', () => {
  test('gone: scenes that Stash has no more are forgotten, the others are left', async () => {
    const world = await delivered(3);
    world.stash.scenes.delete('2');
    expect(await world.wake({ scope: 'gone' })).toMatchObject({ document: { queued: 1 } });
    await world.settled();
    expect([...(await world.queue()).known.keys()]).toEqual(['scene:1', 'scene:3']);
  });

  test('gone: what waits for an item that Plex never had is forgotten as well', async () => {
    const world = VirtualWorld.withScenes(2);
    world.plex.items.delete('1');
    await world.hook('scene:1');
    await world.settled();
    expect((await world.queue()).jobs.get('scene:1')).toMatchObject({ state: 'deferred' });
    world.stash.scenes.delete('1');
    expect(await world.wake({ scope: 'gone' })).toMatchObject({ document: { queued: 1 } });
    await world.settled();
    expect([...(await world.queue()).jobs.keys()]).toEqual([]);
  });

  test('gone: a Stash that does not list its scenes has nothing forgotten', async () => {
    const world = await delivered(3);
    world.stash.trouble = (method) =>
      method === 'sceneIds' ? { kind: 'refused', detail: 'Stash did not list its scenes' } : null;
    expect(await world.wake({ scope: 'gone' })).toMatchObject({
      isOk: false,
      lines: ['Stash did not list its scenes'],
    });
    expect((await world.queue()).known.size).toBe(3);
  });

  test('files: a scene whose file was renamed without its time moving is delivered again', async () => {
    const world = await delivered(2);
    world.stash.amend('1', { files: ['/media/renamed.mp4'] });
    world.plex.items.get('1')!.files = ['/media/renamed.mp4'];
    world.plex.calls.length = 0;
    await world.wake();
    expect(world.plex.calls).toEqual([]);
    await world.wake({ scope: 'files' });
    await world.settled();
    const { cause, changedAt } = (await jobsQueued(world)).at(-1) as { cause: string; changedAt?: number };
    expect([cause.startsWith('reconcile'), changedAt]).toEqual([true, undefined]);
    expect((await world.queue()).reconciliation).toMatchObject({ last: { checked: 2, result: 'done' } });
  });

  test('files: what waits for its item is tried with its new name, and what was never delivered is left', async () => {
    const world = VirtualWorld.withScenes(2);
    world.plex.items.get('1')!.files = ['/media/renamed.mp4'];
    await world.hook('scene:1');
    await world.settled();
    expect((await world.queue()).jobs.get('scene:1')).toMatchObject({ state: 'deferred' });
    world.stash.amend('1', { files: ['/media/renamed.mp4'] });
    await world.wake({ scope: 'files' });
    await world.settled();
    expect([world.plex.title('1'), world.plex.title('2')]).toEqual(['title 1', undefined]);
    expect((await jobsQueued(world)).map(({ job }) => job)).not.toContain('scene:2');
  });

  test('shared: what lost its tag is found though no time moved', async () => {
    const world = await delivered(2);
    world.stash.amend('2', { title: 'without the tag' });
    await world.wake({ scope: 'shared' });
    await world.settled();
    expect(world.plex.title('2')).toBe('without the tag');
  });

  test.each([undefined, '', 'everything', 'constructor', 7, null])('%j is none: changes', async (scope) => {
    const world = await delivered();
    world.stash.edit('1', {});
    const result = await world.acting((own) => runMode('wake', own, { scope, at: 'soon' }));
    expect(result).toMatchObject({ isOk: true, document: { queued: 1 } });
    expect(methods(world).filter((method) => method === 'sceneIds')).toEqual([]);
    await world.settled();
  });
});

describe('the first of all', () => {
  test('after a hook delivers the change of that hook, and nothing that was there before', async () => {
    const world = VirtualWorld.withScenes(3);
    await world.hook('scene:2');
    await world.settled();
    const jobs = (await jobsQueued(world)).map(({ job }) => job as JobName);
    expect(jobs).toEqual(['scene:2']);
  });

  test('without a hook says from when on changes count, once', async () => {
    const world = VirtualWorld.withScenes(1);
    const first = await world.acting((own) => runMode('wake', own, {}));
    expect(first.lines.join()).toMatch(/from now on/);
    const second = await world.acting((own) => runMode('wake', own, {}));
    expect(second.lines).toEqual([]);
  });
});

describe('whatever the journal is like', () => {
  test('a Stash that does not answer is told of, and what waits is seen to all the same', async () => {
    const world = await delivered();
    await world.queued('scene:1');
    world.stash.trouble = (method) =>
      method === 'changedSince' ? { kind: 'unreachable', detail: 'Stash does not answer' } : null;
    expect(await world.wake()).toMatchObject({ isOk: false, lines: ['Stash does not answer'] });
    expect(world.started).toHaveLength(1);
    await world.settled();
  });

  test('torn and noisy lines cost nothing but themselves', async () => {
    const world = await delivered();
    for (const stream of ['queue', 'control'] as const) {
      world.journal.appendBytes(stream, Buffer.from('\n{"v":1,"id":"torn'));
      world.journal.appendBytes(stream, Buffer.from('\nnoise\n'));
    }
    world.stash.edit('1', { title: 'new' });
    expect(await world.wake()).toMatchObject({ document: { queued: 1, drainer: 'started' } });
    await world.settled();
    expect(world.plex.title('1')).toBe('new');
  });

  test('of a newer version: the change is queued, nothing else is written, and it says so', async () => {
    const world = await delivered();
    const newer = { ...makeRecord(fakeWriter(world.time.clock, 'newer', 7), 'future.thing', {}), v: 2 };
    world.journal.appendBytes('control', Buffer.from(`\n${encodeLine(newer)}\n`));
    const before = world.journal.bytes('control').toString();
    world.stash.edit('1', {});
    const { isOk, lines, document } = await world.wake();
    expect([isOk, document]).toEqual([false, { queued: 1, drainer: 'newer' }]);
    expect(lines.join()).toMatch(/newer Breakwater: update this plugin/);
    expect(world.journal.bytes('control').toString()).toBe(before);
    expect(world.started).toEqual([]);
  });

  test('one that cannot be written is an error, not a silence', async () => {
    const world = await delivered();
    world.journal.append = async () => ({
      ok: false,
      failure: { kind: 'full', detail: 'no room left on the disk' },
    });
    world.stash.edit('1', {});
    await expect(world.wake()).rejects.toThrow(/no room left/);
  });
});

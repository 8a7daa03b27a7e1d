// Hook, wake and a drainer that is about to leave, in every order of their steps: the real runHook, the real wake with its
// look and its question for a drainer, and the real drainer with its release and last look, over one journal in memory. In
// every order what was saved is in the journal and in Plex at the end, and nothing more has to happen for it.

import { expect, test } from 'vitest';
import { MemoryJournal } from '../../src/breaker/journal/memory-journal.ts';
import type { StreamName } from '../../src/breaker/journal/record.ts';
import { useProcessTable } from '../../src/breaker/process.ts';
import { inEveryOrder, type Run } from './interleavings-orders.ts';
import { SmallWorld } from './interleavings-world.ts';

/** A journal in which two scenes were looked for and delivered, and its drainer has left. */
async function prepared() {
  const world = new SmallWorld();
  for (const id of ['1', '2']) world.edit(id, 'before');
  world.save('one', '1', 'old');
  await alone(world.run);
  const bytes = new Map<StreamName, Buffer>();
  for (const stream of ['control', 'queue'] as const) bytes.set(stream, await bytesOf(world.journal, stream));
  return { bytes, scenes: world.scenes, checkpoints: await world.folded() };
}

async function bytesOf(journal: MemoryJournal, stream: StreamName): Promise<Buffer> {
  const copy = new MemoryJournal();
  let bytes = Buffer.alloc(0);
  copy.appendBytes = (_, some) => {
    bytes = Buffer.concat([bytes, some]);
  };
  for (let at = 0; ; ) {
    const { entries, next } = await journal.read(stream, at);
    if (next === at) return bytes;
    const records = entries.map((entry) => (entry.kind === 'record' ? entry.record : null));
    await copy.append(
      stream,
      records.filter((record) => record !== null),
    );
    at = next;
  }
}

/** One process after the other. */
async function alone(run: Run): Promise<void> {
  for (;;) {
    const [first] = run.waiting;
    if (run.errors.length > 0) throw run.errors[0];
    if (first === undefined) return;
    await run.take(first[0]);
  }
}

/** A drainer that found nothing to do, and is about to look at the queue for the last time but one. */
async function leaving(world: SmallWorld): Promise<void> {
  world.drainer('leaving');
  const next = () => world.run.waiting.get('leaving')?.step.what;
  while (next() !== 'appends lease.claimed') await world.run.take('leaving');
  for (const _ of ['appends lease.claimed', 'reads control']) await world.run.take('leaving');
  expect(next()).toBe('reads queue');
}

/** A wake that queued scene 2, and has stayed for as long as it stays. */
async function stayed(world: SmallWorld): Promise<void> {
  world.edit('2', 'new too', world.second - 6_000);
  world.wake('wake');
  while (!world.run.waiting.get('wake')?.step.what.startsWith('sleeps')) await world.run.take('wake');
  await world.run.take('wake');
}

/** It works on something else all along, and holds the lease. */
function isAtWork(world: SmallWorld): void {
  world.run.waiting.delete('leaving');
}

interface Save {
  readonly scene: string;
  readonly title: string;
}

interface Scene {
  readonly saves: readonly Save[];
  /** Whether all is saved in the second that Stash's clock shows. */
  readonly isSecondOpen: boolean;
  readonly drainer: 'leaves' | 'is at work';
  /** The only wake is one that found something else, and is about to look again. */
  readonly isHookLost?: true;
  /** For how long a wake waits behind a scan already, in ms; null: there is no scan. */
  readonly waitedMs: number | null;
}

const ONE = [{ scene: '1', title: 'new' }];
const TWO = [...ONE, { scene: '2', title: 'new too' }];
const TWICE = [...ONE, { scene: '1', title: 'newer' }];
const PLAIN = { isSecondOpen: false, drainer: 'is at work', waitedMs: null } as const;
/** Thousands of orders. */
const LONG: readonly (readonly [name: string, Scene])[] = [
  ['three saves', { ...PLAIN, saves: [...TWO, { scene: '1', title: 'newer' }] }],
];
const SCENES: readonly (readonly [name: string, Scene])[] = [
  ['one save while a drainer leaves', { ...PLAIN, saves: ONE, drainer: 'leaves' }],
  [
    'one save in an open second while a drainer leaves',
    { ...PLAIN, saves: ONE, drainer: 'leaves', isSecondOpen: true },
  ],
  [
    'a wake looks again while a drainer leaves',
    { ...PLAIN, saves: ONE, drainer: 'leaves', isHookLost: true },
  ],
  ['two saves', { ...PLAIN, saves: TWO }],
  ['two saves of one scene in an open second', { ...PLAIN, saves: TWICE, isSecondOpen: true }],
  ['a save behind a scan', { ...PLAIN, saves: ONE, waitedMs: 6_000 }],
  ...(process.env.BREAKWATER_LONG === undefined ? [] : LONG),
];
/** More than there are: a walk without an end is one. */
const MAX_RUNS = 20_000;

test.each(SCENES)(
  '%s: nothing is lost in any order',
  async (name, scene) => {
    const giveBack = useProcessTable({ self: () => ({ pid: 1, space: 'here' }), isGone: () => false });
    try {
      const before = await prepared();
      const orders = await inEveryOrder(() => beginning(scene, before), MAX_RUNS);
      expect(orders.runs).toBeGreaterThan(30);
      process.stdout.write(
        `  ${name}: ${orders.runs} orders that differ, of up to ${orders.longest} steps\n`,
      );
    } finally {
      giveBack();
    }
  },
  600_000,
);

type Before = Awaited<ReturnType<typeof prepared>>;

async function beginning(scene: Scene, { scenes, bytes, checkpoints }: Before) {
  const world = new SmallWorld(10_400);
  for (const [id, held] of scenes) world.scenes.set(id, held);
  world.restore(bytes);
  world.checkpoints = checkpoints;
  await leaving(world);
  if (scene.drainer === 'is at work') isAtWork(world);
  // With the orders of a stay there would be tens of thousands; those have a scene of their own.
  else world.isStayLongest = scene.isHookLost === undefined;
  if (scene.waitedMs !== null) world.busy(scene.waitedMs);
  if (scene.isHookLost) await stayed(world);
  scene.saves.forEach(({ scene: id, title }, index) => {
    const at = scene.isSecondOpen ? undefined : world.second - 5_000 + index * 1_000;
    if (scene.isHookLost) world.edit(id, title, at);
    else world.save(`save ${index + 1}`, id, title, at);
  });
  const atEnd = async () => {
    while (await world.endStays()) await alone(world.run);
    await lookAt(world, scene);
  };
  return { run: world.run, atEnd };
}

/** At the end, with nothing left that could still happen. */
async function lookAt(world: SmallWorld, { saves, drainer, waitedMs }: Scene): Promise<void> {
  expect(world.jobs).toEqual([]);
  const isSeenTo = waitedMs === null ? ['added', 'ready'] : ['added', 'ready', 'beside'];
  expect(world.outcomes.filter((outcome) => !isSeenTo.includes(outcome))).toEqual([]);
  // Hooks that run at the same time may each find none, and add one.
  expect(world.mostReady).toBeLessThanOrEqual(saves.length + (waitedMs === null ? 0 : 1));
  const { jobs } = await world.queue();
  for (const { scene } of saves) {
    if (drainer === 'is at work') expect(jobs.get(`scene:${scene}`)?.state).toBe('pending');
    else expect(world.plex.get(scene)).toBe(world.scenes.get(scene)?.title);
  }
  if (drainer === 'leaves') expect([...jobs]).toEqual([]);
}

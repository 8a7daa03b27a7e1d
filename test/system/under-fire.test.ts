// 500 edits, each its own hook process, while Plex goes away and comes back three times and drainers are killed at
// random. Afterwards: nothing lost, nothing older, one outage for each absence, and Plex was left alone while away.

import { afterEach, expect, test } from 'vitest';
import type { Step } from '../../src/breaker/control/replay.ts';
import { evolveHistory, newHistory, type OutageHistory } from '../../src/outages/outages.ts';
import { LiveWorld, TOKEN, until } from '../support/live-world.ts';
import { seeded } from '../support/seeded.ts';

const EDITS = Number(process.env.BREAKWATER_EDITS ?? 500);
const SCENES = 200;
const CLIENTS = 4;
const SEED = Number(process.env.BREAKWATER_SEED ?? Date.now() % 1_000_000);
const RECOVERY_MS = 1_000;

/** How Plex goes away, each time. */
const ABSENCES: readonly ((world: LiveWorld) => Promise<void>)[] = [
  (world) => world.plex.down(),
  async (world) => {
    world.plex.addFault({ kind: 'maintenance' });
  },
  (world) => world.plex.down(),
];

let world: LiveWorld;
afterEach(() => world?.close());

test(
  `no edit is lost or overtaken under outages and SIGKILL (BREAKWATER_SEED=${SEED})`,
  async () => {
    const draw = seeded(SEED);
    world = await LiveWorld.start({ scenes: SCENES });
    const newest = new Map<number, number>();
    const inFlight = new Set<number>();
    let done = 0;

    /** A scene that nobody else is editing: of two edits at once none would be the newest. */
    const pick = (): number => {
      const scene = 1 + Math.floor(draw() * SCENES);
      return inFlight.has(scene) ? pick() : scene;
    };
    const edit = async () => {
      const revision = done++;
      const scene = pick();
      inFlight.add(scene);
      newest.set(scene, revision);
      await world.stash.updateScene(scene, { title: `rev ${revision}` });
      inFlight.delete(scene);
    };
    const client = async (total: number) => {
      while (done < total) await edit();
    };
    const editUntil = (total: number) => Promise.all(Array.from({ length: CLIENTS }, () => client(total)));
    /** Somebody goes on editing: a drainer that was killed leaves its work to the next invocation. */
    const editMeanwhile = (what: string, holds: () => Promise<boolean>) =>
      until(
        what,
        async () => {
          if (await holds()) return true;
          await edit();
          return false;
        },
        60_000,
      );
    const breakerIs = async (value: string) => (await world.control()).breaker.value === value;

    let isKilling = true;
    let kills = 0;
    const killer = (async () => {
      while (isKilling) {
        await new Promise((resolve) => setTimeout(resolve, 200 + draw() * 1500));
        if (isKilling && (await world.killDrainer()) !== null) kills += 1;
      }
    })();

    for (const [index, leave] of ABSENCES.entries()) {
      const share = (parts: number) => Math.floor((EDITS * (2 * index + parts)) / (2 * ABSENCES.length + 1));
      await editUntil(share(1));
      await leave(world);
      await editMeanwhile('the outage is noticed', () => breakerIs('open'));
      await editUntil(share(2));
      world.plex.clearFaults();
      await world.plex.up();
      await editMeanwhile('the breaker closes', () => breakerIs('closed'));
    }
    await editUntil(EDITS);
    // Edits are quick: they go on until the killing has met its share.
    await editMeanwhile('enough were killed', async () => kills > 3);
    isKilling = false;
    await killer;
    await world.stash.idle();
    // The drainer may have been killed last: the next wake makes up for it.
    await world.stash.runTask('breakwater', 'Look for changes');
    const isThere = ([scene, revision]: [number, number]) => world.title(scene) === `rev ${revision}`;
    await until('all are in Plex', () => [...newest].every(isThere), 120_000);
    await until('nothing is pending', async () => (await world.queue()).counts.pending === 0);

    expect(kills).toBeGreaterThan(3);
    for (const [scene, revision] of newest)
      expect(world.title(scene), `scene ${scene}`).toBe(`rev ${revision}`);
    expect(overtaken(world)).toEqual([]);
    expect((await world.queue()).counts).toMatchObject({ pending: 0, dead: 0 });

    const steps = await world.steps();
    const { outages } = steps.reduce<OutageHistory>(evolveHistory, newHistory());
    expect(outages.map((outage) => outage.closed !== null)).toEqual([true, true, true]);
    expect(outages.map((outage) => outage.class)).toEqual(['outage', 'maintenance', 'outage']);
    expect(steps.filter((step) => step.agreement === 'drift')).toEqual([]);
    expect(probeGaps(steps).filter((ms) => ms < RECOVERY_MS * 0.8)).toEqual([]);
    expect(await attemptsWhileOpen(steps, world)).toEqual([]);
    expect(world.remains()).not.toContain(TOKEN);
    const hooks = world.stash.runs.filter((run) => run.kind === 'hook');
    expect(hooks.length).toBeGreaterThanOrEqual(EDITS);
    expect(hooks.filter(({ error }) => error !== null)).toEqual([]);
  },
  300_000 + EDITS * 500,
);

/** Writes that put an older revision over a newer one, by what Plex itself was asked. */
function overtaken({ plex }: LiveWorld): string[] {
  const latest = new Map<string, number>();
  const wrong: string[] = [];
  for (const { method, path, query, status } of plex.requests) {
    const title = String(query['title.value'] ?? '');
    if (method !== 'PUT' || status !== 200 || !title.startsWith('rev ')) continue;
    const revision = Number(title.slice(4));
    if (revision < (latest.get(path) ?? -1)) wrong.push(`${path}: ${title} after rev ${latest.get(path)}`);
    latest.set(path, revision);
  }
  return wrong;
}

/** ms between two probes that were granted with a failure between them, over all processes. */
function probeGaps(steps: readonly Step[]): number[] {
  const gaps: number[] = [];
  let before: number | null = null;
  for (const { record, after, isVoid } of steps) {
    if (record.type === 'lease.claimed' && record.data.lease === 'probe' && !isVoid) {
      if (before !== null) gaps.push(record.mono - before);
      before = record.mono;
    }
    if (after.breaker.value !== 'open') before = null;
  }
  return gaps;
}

/** Jobs whose edit was begun while the breaker was open. */
async function attemptsWhileOpen(steps: readonly Step[], world: LiveWorld): Promise<string[]> {
  const spans: { from: number; to: number }[] = [];
  for (const { record, before, after } of steps) {
    const [was, is] = [before.breaker.value, after.breaker.value];
    if (was !== 'open' && is === 'open') spans.push({ from: record.mono, to: Number.POSITIVE_INFINITY });
    const last = spans.at(-1);
    if (was === 'open' && is !== 'open' && last !== undefined)
      spans[spans.length - 1] = { ...last, to: record.mono };
  }
  const records = await world.queueRecords();
  return records
    .filter(
      ({ type, mono }) => type === 'job.attempted' && spans.some(({ from, to }) => mono > from && mono < to),
    )
    .map(({ data }) => String(data.job));
}

// What no hook told is found by the next wake, and whatever is killed is made up for: with real processes, a real hook script
// and a Stash that forgets its queue.

import { afterEach, expect, test } from 'vitest';
import { LiveWorld, TOKEN, until } from '../support/live-world.ts';
import { seeded } from '../support/seeded.ts';

const EDITS = Number(process.env.BREAKWATER_EDITS ?? 1_000);
const SCENES = 200;
const CLIENTS = 4;
const SEED = Number(process.env.BREAKWATER_SEED ?? Date.now() % 1_000_000);
/** Stuck, not slow, in ms. */
const PATIENCE_MS = 240_000;

let world: LiveWorld;
afterEach(() => world?.close());

/** Edits scenes from several clients at once; gives the newest title of each scene. */
async function editMany(draw: () => number): Promise<ReadonlyMap<number, string>> {
  const newest = new Map<number, string>();
  const inFlight = new Set<number>();
  let done = 0;
  const client = async () => {
    while (done < EDITS) {
      const title = `edit ${done++}`;
      let scene: number;
      // Of two edits of one scene at once neither would be the newest.
      do scene = 1 + Math.floor(draw() * SCENES);
      while (inFlight.has(scene));
      inFlight.add(scene);
      // A Stash that restarts cuts the line: then the client asks again.
      while (!(await world.stash.updateScene(scene, { title }).then(Boolean, () => false)));
      newest.set(scene, title);
      inFlight.delete(scene);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return newest;
}

function missing(newest: ReadonlyMap<number, string>): number[] {
  return [...newest].filter(([scene, title]) => world.title(scene) !== title).map(([scene]) => scene);
}

test(
  `of ${EDITS} edits half the hooks are lost, and after the next wake all are in Plex (BREAKWATER_SEED=${SEED})`,
  async () => {
    const draw = seeded(SEED);
    world = await LiveWorld.start({ scenes: SCENES });
    let lost = 0;
    world.stash.suppressHooks(() => {
      const isLost = draw() < 0.5;
      if (isLost) lost += 1;
      return isLost;
    });
    const newest = await editMany(draw);
    await world.stash.idle();
    expect(lost).toBeGreaterThan(EDITS / 4);
    const wake = await world.stash.runTask('breakwater', 'Look for changes');
    expect(wake.error).toBeNull();
    const ended = (await world.queue()).jobs;
    // All that was changed is in the journal by now; the rest is for a drainer.
    const known = new Set([...ended.keys(), ...(await world.queue()).known.keys()]);
    for (const scene of newest.keys()) expect(known.has(`scene:${scene}`), `scene ${scene}`).toBe(true);
    await until('all are in Plex', () => missing(newest).length === 0, PATIENCE_MS);
  },
  2 * PATIENCE_MS,
);

test(
  `of ${EDITS} edits none is lost while wakes, drainers and Stash itself are killed (BREAKWATER_SEED=${SEED})`,
  async () => {
    const draw = seeded(SEED + 1);
    world = await LiveWorld.start({ scenes: SCENES });
    let isKilling = true;
    const kills = { process: 0, drainer: 0, stash: 0 };
    const killer = (async () => {
      while (isKilling) {
        await new Promise((resolve) => setTimeout(resolve, 50 + draw() * 600));
        if (!isKilling) return;
        const chance = draw();
        if (chance < 0.1) {
          await world.stash.restart();
          kills.stash += 1;
        } else if (chance < 0.5) {
          if ((await world.killDrainer()) !== null) kills.drainer += 1;
        } else {
          const running = world.stash.runs.filter(({ endedAt, pid }) => endedAt === null && pid !== null);
          for (const { pid } of running) if (pid !== null && killed(pid)) kills.process += 1;
        }
      }
    })();
    const newest = await editMany(draw);
    // Edits are quick: the killing goes on until it has met each kind.
    await until('each kind was killed', () => Object.values(kills).every((count) => count > 0), PATIENCE_MS);
    isKilling = false;
    await killer;
    await world.stash.idle();
    const wake = await world.stash.runTask('breakwater', 'Look for changes');
    expect(wake.error).toBeNull();
    await until('all are in Plex', () => missing(newest).length === 0, PATIENCE_MS);
    await until('nothing is left', async () => (await world.queue()).counts.pending === 0, PATIENCE_MS);
    expect((await world.queue()).counts).toMatchObject({ dead: 0 });
    expect((await world.steps()).filter(({ agreement }) => agreement === 'drift')).toEqual([]);
    expect(world.remains()).not.toContain(TOKEN);
  },
  3 * PATIENCE_MS,
);

function killed(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

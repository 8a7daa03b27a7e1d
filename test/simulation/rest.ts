// The end of a run: everything is put right, then all must come to rest and be as it should.

import { isOver } from '../../machines/time.ts';
import type { Acts } from './acts.ts';
import { isCalm } from './plan.ts';
import { SCAN_MS } from './plex.ts';
import { differenceAt } from './promises.ts';
import type { Stage } from './stage.ts';
import { SECRETS } from './stash.ts';

const HOUR_MS = 3_600_000;
/** The longest job of Stash, and what waits behind it. */
const BUSY_MS = 5 * HOUR_MS;
/** Of the journal, for each change in Stash and each process: twice what was ever seen. */
const RECORDS_EACH = 6;

export async function comeToRest(stage: Stage, acts: Acts): Promise<void> {
  if (stage.isBroken) return;
  if (isCalm(stage.plan)) {
    await stage.settle(BUSY_MS);
    lookAtJournaled(stage);
  }
  const { scansNewFiles, vigilMinutes } = stage.plan;
  // Who leaves early may not have asked again for a file that came right after a scan.
  if (isCalm(stage.plan) && scansNewFiles && vigilMinutes >= 0.5) await lookForNewFiles(stage);
  if (stage.isBroken) return;
  const { kernel, looks, watch, promises } = stage;
  putRight(stage);
  await stage.settle(BUSY_MS);
  acts.task('release');
  await stage.settle(HOUR_MS);
  await stage.pass(2 * HOUR_MS);
  looks.at(3, stage.isQuiet, () => `still at work: ${[...kernel.processes].map(({ inv }) => inv)}`);

  // One further wake must find all that people changed, and get everything going again.
  await wakeOnce(stage);
  const left = stage.found.missing(kernel.nowMs);
  looks.at(26, left.length === 0, () => `changed in Stash and not in the journal: ${left.join()}`);
  // A clock that was set may have made something seem to begin only now: that costs a wait, and no more.
  if (stage.hasClockMoved && watch.queue.counts.pending > 0) {
    await stage.pass(HOUR_MS);
    await wakeOnce(stage);
  }
  const { pending } = watch.queue.counts;
  looks.at(3, pending === 0, () => `${pending} jobs are pending though all is well`);
  const due = [...watch.queue.jobs.values()].filter(
    (job) => job.state === 'deferred' && isOver(job.due, stage.clock.now()),
  );
  looks.at(3, due.length === 0, () => `due and not tried again: ${JSON.stringify(due)}`);
  // What waits for its time, and what was given up.
  for (const task of ['retry', 'drain', 'drain', 'drain'] as const) {
    acts.task(task);
    await stage.settle(HOUR_MS);
    await stage.pass(120_000);
  }
  const { begin } = stage.found;
  lookAtScenes(stage, (scene) => promises.isPromised(scene, begin));
  if (stage.plan.reconcilesAtEnd) {
    acts.task('reconcile');
    await stage.settle(HOUR_MS);
    lookAtScenes(stage, (scene) => promises.isTouched(scene));
  }
  stage.undone.lookAtLocks();
  if (!stage.isBroken) await lookAtWhatIsLeft(stage);
}

/** Nobody but our scans has Plex take in a file. */
async function lookForNewFiles(stage: Stage): Promise<void> {
  const { looks, stash, plex, promises } = stage;
  await stage.pass(SCAN_MS);
  const { begin } = stage.found;
  for (const scene of stash.ids.filter((id) => promises.isPromised(id, begin))) {
    const isHere = plex.item(scene) !== undefined || stash.scene(scene)?.title === '';
    looks.at(24, isHere, () => `nobody asked Plex to look for the file of ${scene}`);
  }
}

function putRight({ kernel, plex, stash, disk, machines, newest }: Stage): void {
  kernel.note('all is put right');
  plex.faults.clear();
  stash.fault = null;
  disk.faults.clear();
  for (const machine of machines) {
    machine.canSpawn = true;
    machine.queue.isEnabled = true;
    machine.queue.failsHook = () => false;
    machine.version = newest;
  }
  kernel.doomed.length = 0;
  for (const process of kernel.processes) process.stepsToLive = Number.POSITIVE_INFINITY;
  for (const scene of stash.ids) plex.add(scene);
}

/** As a hook would, though nothing has changed. */
async function wakeOnce(stage: Stage): Promise<void> {
  stage.machine.queue.hook('Scene.Update.Post', {});
  await stage.pass(100);
  await stage.settle(HOUR_MS);
}

/** Where nothing goes wrong and every hook runs, nothing that changed waits for something else to happen. */
function lookAtJournaled({ found, kernel, looks, plan, machines }: Stage): void {
  const isEachTold = plan.acts.every(
    (act) => act.does !== 'edit' || (!act.isHookLost && (act.told ?? act.scenes.length) >= act.scenes.length),
  );
  if (!isEachTold) return;
  const left = found.missing(kernel.nowMs);
  looks.at(26, left.length === 0, () => `every hook ran, and not in the journal: ${left.join()}`);
  const owed = machines.flatMap(({ queue }) => queue.owed);
  looks.at(26, owed.length === 0, () => `no wake began after a hook for ${owed.join()}`);
}

function lookAtScenes(
  { watch, looks, stash, plex, promises, undone, doClocksAgree }: Stage,
  isExpected: (scene: string) => boolean,
): void {
  const { jobs } = watch.queue;
  looks.at(7, jobs.size === 0, () => `still queued: ${JSON.stringify([...jobs.values()])}`);
  for (const scene of stash.ids.filter(isExpected)) {
    const isSpared = (part: string) => undone.isSpared(scene, part);
    const difference = differenceAt(scene, stash, plex, isSpared, !doClocksAgree);
    if (difference !== null) promises.lost += 1;
    looks.at(7, difference === null, () => difference ?? '');
  }
}

async function lookAtWhatIsLeft(stage: Stage): Promise<void> {
  const { looks, checks, watch, faults, kernel } = stage;
  checks.lookForLost(stage.present(), stage.plan.keepMs === null);
  const files = () => stage.disk.disk.files();
  const sizes = () =>
    files()
      .map(([path, { size }]) => `${path} ${size}`)
      .join();
  const before = sizes();
  await stage.pass(24 * HOUR_MS);
  looks.at(19, sizes() === before, () => 'an idle day wrote something');
  const { changes, found } = stage.found;
  const foundBound = 2 * changes + 10;
  looks.at(19, found <= foundBound, () => `${found} found of ${changes} changes`);
  // Each change is delivered in a few records, and each process says little else.
  const bound = RECORDS_EACH * (changes + stage.processes.size) + 100;
  looks.at(19, watch.ids.size <= bound, () => `${watch.ids.size} records, and not ${bound}`);
  const tears = kernel.kills + (faults['disk short'] ?? 0) + 40 * (faults['power loss'] ?? 0);
  looks.at(10, watch.damaged <= tears, () => `${watch.damaged} damaged lines after ${tears} tears`);
  await lookAtReplay(stage);
  lookAtOutages(stage);
  const left = [...stage.said, ...files().map(([path, { bytes }]) => path + bytes.toString('latin1'))];
  for (const secret of SECRETS) {
    const told = left.find((text) => text.includes(secret));
    looks.at(20, told === undefined, () => `${secret} in ${told?.slice(0, 200)}`);
  }
}

async function lookAtReplay({ watch, looks, dice }: Stage): Promise<void> {
  const again = await watch.replayed();
  looks.at(8, isSame(again, watch.fold), () => 'another fold of the same log');
  const queue = await watch.replayedQueue();
  const inOrder = (map: ReadonlyMap<string, unknown>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
  const told = (a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>) => () =>
    JSON.stringify([inOrder(a), inOrder(b)]);
  for (const part of ['jobs', 'known'] as const) {
    const [folded, seen] = [queue[part], watch.queue[part]];
    looks.at(8, isSame(inOrder(folded), inOrder(seen)), told(folded, seen));
  }
  const positions = [...watch.folds.keys()];
  if (positions.length === 0) return;
  const at = dice.pick(positions);
  const then = await watch.replayed(at);
  looks.at(17, isSame(then, watch.folds.get(at)), () => `another state at ${at}`);
}

function lookAtOutages({ watch, looks }: Stage): void {
  const { outages, coverage, firstSeen, lastSeen } = watch.history;
  const { openings } = watch;
  looks.at(15, outages.length === openings, () => `${outages.length} outages of ${openings} openings`);
  outages.forEach((outage, index) => {
    const next = outages[index + 1];
    const isApart = next === undefined || (outage.closed !== null && outage.closed.t <= next.opened.t);
    looks.at(15, isApart, () => JSON.stringify([outage, next]));
  });
  const windowMs = firstSeen === null || lastSeen === null ? 0 : lastSeen.instant.t - firstSeen.t;
  const sumMs = coverage.upMs + coverage.downMs + coverage.unobservedMs;
  looks.at(16, Math.abs(sumMs - windowMs) < 0.01, () => `${sumMs} of ${windowMs} ms`);
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

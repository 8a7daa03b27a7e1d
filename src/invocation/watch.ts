// Watching: the drainer kept alive by choice, for a Stash that cannot start one (a container without Node). It asks Stash
// itself what has changed, since no hook tells, and drains what that comes to. What Stash has not seen change (a tag that was
// renamed, a scene that is gone) is found by the scheduled reconciliation, which it begins as any drainer does.

import { ControlLog } from '../control/control-log.ts';
import type { QueueEvent } from '../queue/events.ts';
import { dueJobs, type Queue } from '../queue/queue.ts';
import { hasChangedInStash } from '../reconcile/gaps.ts';
import { PAGE_SCENES } from '../reconcile/page.ts';
import { isReconcileDue, scopeAfterOutage } from '../reconcile/schedule.ts';
import type { Settings } from '../settings/settings.ts';
import type { StashScene } from '../stash/stash-scene.ts';
import { isEmpty, wantedOf } from '../sync/wanted.ts';
import { drain } from './drainer.ts';
import { isDrainerWanted } from './drainer-wanted.ts';
import { openQueue } from './operator.ts';
import { settingsNow } from './settings-now.ts';
import type { TaskResult } from './task-result.ts';
import type { World } from './world.ts';

export interface WatchOptions {
  /** Between two looks at Stash. */
  readonly everyMs: number;
  readonly signal: AbortSignal;
}

/** The clocks of Stash and of this machine may differ by this much, in ms. What is seen twice is queued once. */
const OVERLAP_MS = 10 * 60_000;
/** An end that was asked for is noticed after this at most, in ms. */
const NAP_MS = 500;

/** Until it is told to end. A Stash that does not answer is asked again at the next look. */
export async function watch(world: World, { everyMs, signal }: WatchOptions): Promise<TaskResult> {
  const { log, writer } = world;
  let since = scopeAfterOutage((await openQueue(world)).queue, writer.now().at).since ?? 0;
  let queued = 0;
  let said = '';
  while (!signal.aborted) {
    const lookedAt = writer.now().at;
    const looked = await look(world, since);
    if (looked.kind === 'looked') {
      since = lookedAt - OVERLAP_MS;
      queued += looked.queued;
      if (looked.queued > 0) log.line('info', `${looked.queued} changed in Stash`);
    } else if (looked.detail !== said) log.line('warning', looked.detail);
    said = looked.kind === 'looked' ? '' : looked.detail;
    if (looked.kind === 'looked' && (await isWorthwhile(world, looked.settings))) {
      await drain(world, { isImpatient: false, mayWait: true });
    }
    const until = writer.now().mono + everyMs;
    while (!signal.aborted && writer.now().mono < until) await world.sleep(Math.min(NAP_MS, everyMs));
  }
  return { isOk: true, lines: ['Watched to the end.'], document: { queued } };
}

type Looked =
  | { readonly kind: 'looked'; readonly queued: number; readonly settings: Settings }
  | { readonly kind: 'blind'; readonly detail: string };

/** Queues what Stash says otherwise than it was delivered, of the scenes that it has seen change. */
async function look(world: World, since: number): Promise<Looked> {
  const given = await settingsNow(world);
  if (!given.ok) return { kind: 'blind', detail: given.failure.detail };
  if (!given.value.ok) return { kind: 'blind', detail: 'the address or token of Plex is not set' };
  const { settings } = given.value;
  const log = await openQueue(world);
  let queued = 0;
  for (let cursor = 0; ; ) {
    const page = await world.stash.scenesAfter(cursor, PAGE_SCENES, since);
    if (!page.ok) return { kind: 'blind', detail: page.failure.detail };
    const changed = page.value.scenes.filter((scene) => isNews(scene, log.queue, settings));
    const events = changed.map(
      ({ id }): QueueEvent => ({ type: 'job.queued', job: `scene:${id}`, cause: 'watch' }),
    );
    if (events.length > 0) await log.appendOrThrow(...events);
    queued += events.length;
    if (page.value.isLast || page.value.lastId <= cursor) break;
    cursor = page.value.lastId;
  }
  return { kind: 'looked', queued, settings };
}

function isNews(scene: StashScene, { jobs, known }: Queue, { sync }: Settings): boolean {
  const job = `scene:${scene.id}` as const;
  if (scene.files.length === 0 || jobs.get(job)?.state === 'pending') return false;
  const before = known.get(job);
  if (before !== undefined) return hasChangedInStash(scene, before, sync);
  // What is deferred or given up is known to be so; a change of it is found by reconciliation.
  return !jobs.has(job) && !isEmpty(wantedOf(scene, sync));
}

/** A look that finds nothing to do writes nothing. */
async function isWorthwhile(world: World, { reconcile }: Settings): Promise<boolean> {
  const { journal, controlCheckpoint } = world.dir;
  const now = world.writer.now();
  const control = await ControlLog.open(journal, world.writer, controlCheckpoint.read());
  if (!isDrainerWanted(control.state, world.writer)) return false;
  const { queue } = await openQueue(world);
  const isReconciling =
    queue.reconciliation.state === 'running' || isReconcileDue(reconcile.every, queue, now.at);
  return dueJobs(queue, now, 1).length > 0 || isReconciling;
}

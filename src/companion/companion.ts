// The companion: watching, the plugin's tasks that a launcher without Node hands over, and the sign that it lives. It looks
// after a folder alone: a second one waits until the first has gone.

import * as fs from 'node:fs';
import { sweepTemporaries } from '../breaker/index.ts';
import { told } from '../door/answer.ts';
import { rest } from '../invocation/rest.ts';
import type { Answer, Log } from '../invocation/stash-log.ts';
import { wakeOptions } from '../invocation/task.ts';
import { failed, type TaskResult } from '../invocation/task-result.ts';
import type { World } from '../invocation/world.ts';
import { STAY_MS } from '../wake/wake.ts';
import { Watch } from '../wake/watch.ts';
import { makeCompanionFolder } from './folder.ts';
import { type Companion, Presence } from './presence.ts';
import { type Perform, Wishes } from './wishes.ts';

export interface CompanionOptions {
  readonly data: string;
  readonly self: Companion;
  readonly everyMs: number;
  readonly signal: AbortSignal;
  /** Does what is no wake, in a world of its own that ends with `signal`. */
  readonly perform: (...wish: [...Parameters<Perform>, AbortSignal]) => Promise<Answer>;
}

/** A wish is seen after this at most, also where the file system tells of no changes, in ms. */
const WISH_POLL_MS = 250;
const ALIVE_EVERY_MS = 1_000;
const SWEEP_EVERY_MS = 600_000;
/** How long tasks may take to end when they are told to, in ms. */
const ENDING_MS = 1_500;

/** Until it is told to end. */
export async function accompany(world: World, options: CompanionOptions): Promise<TaskResult> {
  const folder = makeCompanionFolder(options.data);
  const presence = new Presence(folder, options.self);
  let result: TaskResult = { isOk: true, lines: ['Watched to the end.'], document: { queued: 0 } };
  while (await presence.begin({ ...world, ending: options.signal })) {
    // Ends as well when another has taken over: this one stood still for a while.
    const turn = new AbortController();
    const signal = AbortSignal.any([options.signal, turn.signal]);
    const beats = setInterval(() => {
      if (!presence.goOn()) turn.abort();
    }, ALIVE_EVERY_MS);
    try {
      result = await turnOf(world, folder, { ...options, signal });
    } finally {
      clearInterval(beats);
      presence.end();
    }
    if (options.signal.aborted) break;
  }
  return result;
}

async function turnOf(world: World, folder: string, options: CompanionOptions): Promise<TaskResult> {
  const { signal, everyMs, data, perform } = options;
  const now = () => world.writer.now().at;
  const living = { ...world, ending: signal };
  const watch = new Watch(world, { everyMs, signal });
  const wishes = new Wishes(
    folder,
    (args, log) => (args.mode === 'wake' ? lookFor(watch, living, args, log) : perform(args, log, signal)),
    now,
  );
  wishes.answerForDead();
  const sweep = () => {
    wishes.sweep();
    sweepTemporaries(data, now());
  };
  sweep();
  const stop = onWishes(folder, () => wishes.takeUp());
  const sweeps = setInterval(sweep, SWEEP_EVERY_MS);
  signal.addEventListener('abort', stop);
  try {
    const result = await watch.run();
    const ended = new AbortController();
    await Promise.race([wishes.finished(), world.sleep(ENDING_MS, ended.signal)]);
    ended.abort();
    wishes.giveUp('The companion was told to end in the middle of this: run it again');
    return result;
  } finally {
    stop();
    clearInterval(sweeps);
  }
}

/** A wake: the look of `watch`, at once. Stays as long as one in Stash does, so that a bulk edit is a few wakes. */
async function lookFor(
  watch: Watch,
  world: World,
  args: Readonly<Record<string, unknown>>,
  log: Log,
): Promise<Answer> {
  const { scope, hookAt, isBeside } = wakeOptions(args);
  const looking = watch.look({ scope, hookAt, openSecond: 'wait' });
  if (isBeside) {
    // The save of a scene waits for this answer.
    looking.catch(() => {});
    return told(log, { isOk: true, lines: [], document: { queued: 0, drainer: 'none' } });
  }
  const [looked] = await Promise.all([looking, rest(world, STAY_MS)]);
  if (looked.kind === 'blind') return told(log, failed(looked.failure.detail, 'stash'));
  const { queued, notes } = looked;
  return told(log, { isOk: true, lines: notes, document: { queued, drainer: 'none' } });
}

/** Calls `take` whenever there may be a wish, until the returned function is called. */
function onWishes(folder: string, take: () => void): () => void {
  const polls = setInterval(take, WISH_POLL_MS);
  let changes: fs.FSWatcher | null = null;
  try {
    changes = fs.watch(folder, (_event, name) => {
      if (name === null || name.endsWith('.json')) take();
    });
    changes.on('error', () => {});
  } catch {
    // Not every file system tells of changes.
  }
  return () => {
    clearInterval(polls);
    changes?.close();
  };
}

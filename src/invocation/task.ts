// What a person asks for. The same operations for a Stash task, a Stash operation and the command line; each
// returns a document for programs and lines for people.

import { parseDuration } from '../cli/duration.ts';
import { count, duration } from '../cli/format.ts';
import { outageLines, outageReport } from '../cli/outages.ts';
import { statusLines, statusOf } from '../cli/status.ts';
import { ControlLog } from '../control/control-log.ts';
import { createOutageHistory } from '../outages/outages.ts';
import { QueueLog } from '../queue/queue-log.ts';
import { readSettings } from '../settings/settings.ts';
import type { StashClient } from '../stash/stash-client.ts';
import type { PlexPort } from '../sync/deliver.ts';
import { type DrainSummary, drain } from './drainer.ts';
import { isHolderGone } from './drainer-wanted.ts';
import { PLUGIN_ID } from './handover.ts';
import {
  clearQueue,
  type DeadFilter,
  dropDead,
  listDead,
  listQueue,
  placeHold,
  queueScenes,
  releaseHold,
  retryDead,
} from './operator.ts';
import { probeUnderLease } from './probing.ts';
import { saveControlCheckpoint } from './save-checkpoints.ts';
import type { World } from './world.ts';

export interface TaskResult {
  /** Whether it went as wished; an honest exit code. */
  readonly isOk: boolean;
  readonly lines: readonly string[];
  readonly document: unknown;
  /** Plex was away when a drain ended. */
  readonly isAway?: boolean;
}

/** A world that can also be asked for every scene. */
export type TaskWorld = World & { readonly stash: Pick<StashClient, 'sceneIds'> };

/** As they come from Stash (text for those in the yml, any JSON for others) or from the command line. */
export type TaskArgs = Readonly<Record<string, unknown>>;

/** Every mode, by the name that a task of the yml, an operation or a verb gives. */
const TASKS = {
  drain: (world, args) => drainNow(world, args.by === 'hook'),
  check: checkPlex,
  status,
  outages,
  queue: listQueue,
  dead: (world, args) => listDead(world, deadFilter(args)),
  retry: async (world, args) => thenDrain(world, await retryDead(world, deadFilter(args))),
  drop: (world, args) => dropDead(world, deadFilter(args)),
  clear: clearQueue,
  sync,
  hold: (world, args) =>
    placeHold(
      world,
      stanceOf(args.stance),
      parseDuration(text(args.for) || '1h'),
      text(args.reason) || 'by hand',
    ),
  release: releaseHold,
} satisfies Record<string, (world: TaskWorld, args: TaskArgs) => Promise<TaskResult>>;

export type TaskMode = keyof typeof TASKS;

export const TASK_MODES = Object.keys(TASKS) as readonly TaskMode[];

export function isTaskMode(value: unknown): value is TaskMode {
  return typeof value === 'string' && Object.hasOwn(TASKS, value);
}

/** Throws on arguments that make no sense, with a message for the person who gave them. */
export function runMode(mode: TaskMode, world: TaskWorld, args: TaskArgs): Promise<TaskResult> {
  return TASKS[mode](world, args);
}

/** Queues scenes and delivers them: `scene` (ids with commas), `since` (a length of time), or all. */
async function sync(world: TaskWorld, args: TaskArgs): Promise<TaskResult> {
  const ids = text(args.scene)
    .split(',')
    .map((id) => id.trim())
    .filter((id) => id !== '');
  const wrong = ids.find((id) => !/^[1-9]\d{0,15}$/.test(id));
  if (wrong !== undefined) throw new Error(`"${wrong}" is not the number of a scene`);
  if (ids.length > 0) return thenDrain(world, await queueScenes(world, ids, 'sync'));
  const since = text(args.since);
  if (since === '' && text(args.scope) !== 'all') throw new Error('say which scenes: scene, since, or all');
  const found = await world.stash.sceneIds(
    since === '' ? undefined : world.writer.now().at - parseDuration(since),
  );
  if (!found.ok) return failure(found.failure.detail, 'stash');
  return thenDrain(world, await queueScenes(world, found.value, since === '' ? 'sync all' : `sync ${since}`));
}

/** What was queued is delivered at once, by us or by the drainer that is at work. */
async function thenDrain(world: World, queued: TaskResult): Promise<TaskResult> {
  const summary = await drain(world, { isImpatient: false, mayWait: false });
  const { kind } = summary.stop;
  const document = { ...(queued.document as object), drain: summary };
  return {
    isOk: kind === 'idle' || kind === 'busy',
    lines: [...queued.lines, ...drainLines(summary)],
    document,
  };
}

function deadFilter(args: TaskArgs): DeadFilter {
  const [reason, job, olderThan, outage] = [args.reason, args.job, args.olderThan, args.outage].map(text);
  return {
    ...(reason ? { reason } : {}),
    ...(job ? { job: job.includes(':') ? job : `scene:${job}` } : {}),
    ...(olderThan ? { olderThanMs: parseDuration(olderThan) } : {}),
    ...(outage ? { outage: Number(outage) } : {}),
  };
}

function stanceOf(value: unknown): 'open' | 'closed' {
  if (value === 'open' || value === 'closed') return value;
  throw new Error('a hold is "open" (nothing is sent) or "closed" (the breaker is not asked)');
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

async function drainNow(world: World, isForHook: boolean): Promise<TaskResult> {
  const summary = await drain(world, { isImpatient: !isForHook, mayWait: false });
  if (summary.stop.kind === 'busy' && !isForHook) {
    const probed = await checkPlex(world);
    const line = `A drainer is at work already (${summary.stop.owner}); it delivers what waits.`;
    return { ...probed, lines: [line, ...probed.lines], document: summary };
  }
  const { kind } = summary.stop;
  const lines = drainLines(summary);
  return { isOk: kind === 'idle' || isForHook, lines, document: summary, isAway: kind === 'away' };
}

/** Asks Plex now. A good answer ends what stood in the way: an outage, a refusal, another server than before. */
async function checkPlex(world: World): Promise<TaskResult> {
  const given = await world.stash.settings(PLUGIN_ID);
  if (!given.ok) return failure(given.failure.detail, 'stash');
  const read = readSettings(given.value, world.env);
  const problems = read.problems.map(({ setting, problem }) => `setting ${setting} ${problem}`);
  if (!read.ok) return { isOk: false, lines: problems, document: { plex: 'settings', problems } };
  const { journal, controlCheckpoint } = world.dir;
  const control = await ControlLog.open(journal, world.writer, controlCheckpoint.read());
  const under = world.fingerprint(read.settings);
  const { server: before } = control.state.breaker.context;
  const plex = world.connectPlex(read.settings, before.under === under && before.id !== '');
  try {
    const answered = await plex.probe('');
    if (!answered.ok) return failure(answered.failure.detail, answered.failure.symptom, problems);
    const { version, machineIdentifier } = answered.value;
    const lines = [`Plex ${version} answers and accepts the token.`, ...problems];
    const { server } = control.state.breaker.context;
    if (machineIdentifier !== server.id || under !== server.under) {
      const accepted = { id: machineIdentifier, under };
      await control.appendOrThrow({ type: 'policy.set', policy: read.settings.policy, server: accepted });
      const isOther = server.id !== '' && machineIdentifier !== server.id;
      if (isOther) lines.push('It is not the server that was there before; from now on it is the right one.');
    }
    for (const hold of ['config', 'throttle'] as const) {
      if (control.state[hold].value !== 'held') continue;
      await control.appendOrThrow({
        type: 'hold.released',
        hold,
        reason: 'a person checked: Plex accepts us',
      });
      lines.push('What stood in the way is gone; changes are delivered again.');
    }
    const ended = control.state.breaker.value === 'open' ? await endOutage(world, control, plex) : null;
    saveControlCheckpoint(world, control);
    if (ended?.kind === 'away') return failure(ended.line, ended.symptom, problems);
    if (ended !== null) lines.push(ended.line);
    return { isOk: true, lines, document: { plex: 'ok', version, machineIdentifier, problems } };
  } finally {
    await plex.close();
  }
}

type Ended =
  | { readonly kind: 'over'; readonly line: string }
  | { readonly kind: 'away'; readonly line: string; readonly symptom: string };

async function endOutage(world: World, control: ControlLog, plex: PlexPort): Promise<Ended> {
  const { writer, dir } = world;
  const { pending } = (await QueueLog.open(dir.journal, writer, dir.queueCheckpoint.read())).queue.counts;
  const probed = await probeUnderLease({ control, writer, plex, pending, isForced: true });
  switch (probed.kind) {
    case 'back':
      return { kind: 'over', line: 'The outage is over; the next drainer delivers what waits.' };
    case 'away':
      return {
        kind: 'away',
        line: `Plex answered, but was gone again at once: ${probed.failure.detail}`,
        symptom: probed.failure.symptom,
      };
    case 'not-ours':
      return {
        kind: 'over',
        line: 'Another process is asking Plex at this moment, and will see that it is back.',
      };
  }
}

async function status(world: World): Promise<TaskResult> {
  const { journal, controlCheckpoint, queueCheckpoint } = world.dir;
  const control = await ControlLog.open(journal, world.writer, controlCheckpoint.read());
  const queue = await QueueLog.open(journal, world.writer, queueCheckpoint.read());
  const document = statusOf(
    control.state,
    queue.queue,
    control.fold.counts,
    queue.damaged,
    world.writer.now(),
    isHolderGone(control.state),
  );
  return { isOk: true, lines: statusLines(document), document };
}

async function outages(world: World): Promise<TaskResult> {
  const history = createOutageHistory();
  // From the beginning: a checkpoint holds the state, not the story.
  await ControlLog.open(world.dir.journal, world.writer, null, (step) => history.trigger.step({ step }));
  const document = outageReport(history.getSnapshot().context);
  return { isOk: true, lines: outageLines(document), document };
}

export function drainLines({
  stop,
  written,
  unchanged,
  other,
  deferred,
  deadLettered,
  left,
}: DrainSummary): string[] {
  const done = `${count(written, 'scene')} written, ${unchanged} already right, ${other} with nothing to do, ${deferred} deferred, ${deadLettered} given up.`;
  const remaining = `Left: ${left.pending} pending, ${left.deferred} deferred, ${left.dead} given up.`;
  return [...stopLines(stop), done, remaining];
}

function stopLines(stop: DrainSummary['stop']): string[] {
  switch (stop.kind) {
    case 'idle':
      return [];
    case 'away':
      return [`Plex is away; nothing is lost. It is asked again in ${duration(stop.remainingMs)}.`];
    case 'held':
      return [`Held (${stop.hold}): ${stop.reason}`];
    case 'stash':
      return [stop.failure.detail];
    case 'settings':
      return stop.problems.map((problem) => `setting ${problem}`);
    case 'busy':
      return [`Another drainer is at work (${stop.owner}).`];
    case 'lease-lost':
      return ['Another process took over.'];
  }
}

function failure(detail: string, symptom: string, problems: readonly string[] = []): TaskResult {
  return { isOk: false, lines: [detail, ...problems], document: { plex: symptom, detail, problems } };
}

// What a person asks for. The same operations for a Stash task, a Stash operation and the command line; each
// returns a document for programs and lines for people.

import { ControlLog, isHolderGone } from '../breaker/index.ts';
import { parseDuration } from '../cli/duration.ts';
import { count, duration } from '../cli/format.ts';
import { outageLines, outageReport } from '../cli/outages.ts';
import { parseOutageNumber } from '../cli/point.ts';
import { reconciliationLines } from '../cli/reconciliation.ts';
import { statusLines, statusOf } from '../cli/status.ts';
import { isScope } from '../door/scopes.ts';
import { DEAD_REASONS } from '../queue/events.ts';
import { QueueLog } from '../queue/queue-log.ts';
import type { ReconcileScope } from '../queue/reconciliation.ts';
import { type WakeOptions, wake } from '../wake/wake.ts';
import { backtestLog } from './backtest.ts';
import { checkPlex } from './check-plex.ts';
import { doctor } from './doctor.ts';
import { type Busy, type DrainSummary, drain } from './drainer.ts';
import { exportLog } from './export.ts';
import { replay, verify, why } from './history.ts';
import { noteOutage } from './notes.ts';
import {
  clearQueue,
  type DeadFilter,
  dropDead,
  listDead,
  listQueue,
  openQueue,
  placeHold,
  queueScenes,
  releaseHold,
  retryDead,
} from './operator.ts';
import { openHistory, outageNamed } from './outage-history.ts';
import { dryRun, requestReconciliation } from './reconcile.ts';
import { showSettings, takeOverSettings } from './settings-task.ts';
import type { TaskResult } from './task-result.ts';
import { undo as undoEdits } from './undo.ts';
import { type FieldScope, fieldsNamed, setLocks } from './unlock.ts';
import type { World } from './world.ts';
import { writeReport } from './write-report.ts';

/** As they come from Stash (text for those in the yml, any JSON for others) or from the command line. */
export type TaskArgs = Readonly<Record<string, unknown>>;

/** Every mode, by the name that a task of the yml, an operation or a verb gives. */
const TASKS = {
  drain: drainNow,
  wake: (world, args) => wake(world, wakeOptions(args)),
  check: checkPlex,
  status,
  outages,
  queue: listQueue,
  dead: (world, args) => listDead(world, deadFilter(args)),
  retry: async (world, args) => thenDrain(world, await retryDead(world, deadFilter(args))),
  drop: (world, args) => dropDead(world, deadFilter(args), isTrue(args.dryRun)),
  clear: (world, args) => clearQueue(world, isTrue(args.dryRun)),
  sync,
  reconcile,
  hold: (world, args) =>
    placeHold(
      world,
      stanceOf(args.stance),
      parseDuration(text(args.for) || '1h'),
      text(args.reason) || 'by hand',
    ),
  release: releaseHold,
  undo,
  unlock: (world, args) => setLocks(world, fieldScope(args), 'unlock'),
  lock: (world, args) => setLocks(world, fieldScope(args), 'lock'),
  settings: (world, args) =>
    isTrue(args.takeOver) ? takeOverSettings(world, isTrue(args.dryRun)) : showSettings(world),
  note: (world, args) => noteOutage(world, text(args.outage), text(args.text)),
  replay: (world, args) =>
    isTrue(args.verify)
      ? verify(world, false)
      : replay(world, {
          at: text(args.at),
          to: text(args.to),
          outage: text(args.outage),
          isStepped: isTrue(args.step),
          isJsonl: isTrue(args.jsonl),
        }),
  verify: (world) => verify(world, true),
  doctor,
  why: (world, args) => why(world, text(args.scene), text(args.outage)),
  backtest: (world, args) =>
    backtestLog(world, {
      failureThreshold: text(args.failureThreshold),
      successThreshold: text(args.successThreshold),
      recoveryTimeout: text(args.recoveryTimeout),
      maxWait: text(args.maxWait),
      outage: text(args.outage),
    }),
  export: (world, args) =>
    exportLog(world, {
      format: text(args.format),
      what: text(args.what),
      isGolden: isTrue(args.golden),
      outage: text(args.outage),
    }),
  report: (world, args) => writeReport(world, text(args.now)),
} satisfies Record<string, (world: World, args: TaskArgs) => Promise<TaskResult>>;

export type TaskMode = keyof typeof TASKS;

export const TASK_MODES = Object.keys(TASKS) as readonly TaskMode[];

export function isTaskMode(value: unknown): value is TaskMode {
  return typeof value === 'string' && Object.hasOwn(TASKS, value);
}

/** Throws on arguments that make no sense, with a message for the person who gave them. */
export async function runMode(mode: TaskMode, world: World, args: TaskArgs): Promise<TaskResult> {
  const outage = await outageNamed(text(args.outage), world.dir.journal, world.writer);
  return TASKS[mode](world, outage === '' ? args : { ...args, outage });
}

/** What the hook has asked for. */
export function wakeOptions(args: TaskArgs): WakeOptions {
  return {
    scope: isScope(args.scope) ? args.scope : 'changes',
    hookAt: wallTime(args.at),
    isBeside: isTrue(args.beside),
  };
}

/** Delivers scenes: `scene` (ids with commas, whether or not they differ), or what `reconcile` takes. */
async function sync(world: World, args: TaskArgs): Promise<TaskResult> {
  const ids = scenesNamed(args);
  if (ids.length > 0) return thenDrain(world, await queueScenes(world, ids, 'sync'));
  // Everything that is not as it should be, found with a few requests and delivered: what a sync of many scenes is.
  return reconcile(world, args);
}

/** Numbers of scenes with commas between. */
function scenesNamed(args: TaskArgs): string[] {
  const ids = text(args.scene)
    .split(',')
    .map((id) => id.trim())
    .filter((id) => id !== '');
  const wrong = ids.find((id) => !/^[1-9]\d{0,15}$/.test(id));
  if (wrong !== undefined) throw new Error(`"${wrong}" is not the number of a scene`);
  return ids;
}

/** Writes back what was overwritten: `scene` (the newest edit of each), `since` (all of that time), or both. */
function undo(world: World, args: TaskArgs): Promise<TaskResult> {
  const scenes = scenesNamed(args);
  const since = text(args.since);
  if (scenes.length === 0 && since === '') throw new Error('say what to undo: --scene 12, or --since 2h');
  const from = since === '' ? null : world.writer.now().at - parseDuration(since);
  return undoEdits(world, { scenes, since: from }, isTrue(args.dryRun));
}

function fieldScope(args: TaskArgs): FieldScope {
  const scenes = scenesNamed(args);
  if (scenes.length === 0 && text(args.scope) !== 'all')
    throw new Error('say which scenes: --scene 12, or --all');
  return { scenes, fields: fieldsNamed(text(args.fields)) };
}

/** Compares scenes with Plex and delivers what differs: `scope: all`, `since`, `library`, `missing`; `dryRun` only shows it. */
async function reconcile(world: World, args: TaskArgs): Promise<TaskResult> {
  const scope = scopeOf(args, world.writer.now().at);
  if (isTrue(args.dryRun)) return dryRun(world, scope);
  await requestReconciliation(world, scope);
  const summary = await drain(world, { isImpatient: false, mayWait: false });
  const { reconciliation } = (await openQueue(world)).queue;
  const isIdle = summary.stop.kind === 'idle' && reconciliation.state === 'idle';
  const isDone = isIdle && reconciliation.last?.result === 'done';
  const isBusy = summary.stop.kind === 'busy';
  const rest = isIdle || isBusy ? [] : ['It is not finished; whatever Stash starts next goes on with it.'];
  return {
    isOk: isDone || isBusy,
    lines: [...reconciliationLines(reconciliation), ...rest, ...drainLines(summary)],
    document: { reconciliation, drain: summary },
  };
}

function scopeOf(args: TaskArgs, now: number): ReconcileScope {
  const [since, library] = [text(args.since), text(args.library)];
  const isMissingOnly = isTrue(args.missing);
  if (since === '' && library === '' && !isMissingOnly && text(args.scope) !== 'all') {
    throw new Error('say which scenes, for instance --all or --since 24h');
  }
  return {
    since: since === '' ? null : now - parseDuration(since),
    newSince: null,
    depth: 'plex',
    isMissingOnly,
    libraries: library
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
  };
}

function isTrue(value: unknown): boolean {
  return value === true || value === 'true';
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
  if (reason && !DEAD_REASONS.some((one) => one === reason))
    throw new Error(`nothing is given up for "${reason}", but for ${DEAD_REASONS.join(', ')}`);
  return {
    ...(reason ? { reason } : {}),
    ...(job ? { job: job.includes(':') ? job : `scene:${job}` } : {}),
    ...(olderThan ? { olderThanMs: parseDuration(olderThan) } : {}),
    ...(outage ? { outage: parseOutageNumber(outage) } : {}),
  };
}

function stanceOf(value: unknown): 'open' | 'closed' {
  if (value === 'open' || value === 'closed') return value;
  throw new Error('a hold is "open" (nothing is sent) or "closed" (the breaker is not asked)');
}

/** Null: not given, or absurd. */
function wallTime(value: unknown): number | null {
  const at = Number(value ?? Number.NaN);
  return at > 0 && at < 8.6e15 ? at : null;
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

async function drainNow(world: World): Promise<TaskResult> {
  const summary = await drain(world, { isImpatient: true, mayWait: false });
  if (summary.stop.kind === 'busy') {
    const probed = await checkPlex(world);
    return { ...probed, lines: [busyLine(summary.stop), ...probed.lines], document: summary };
  }
  return { isOk: summary.stop.kind === 'idle', lines: drainLines(summary), document: summary };
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
  const exposed = world.dir.exposures();
  const lines = [...statusLines(document), ...exposed.map((line) => `Journal: ${line}.`)];
  return { isOk: true, lines, document: { ...document, exposed } };
}

async function outages(world: World): Promise<TaskResult> {
  const document = outageReport((await openHistory(world.dir.journal, world.writer)).history);
  return { isOk: true, lines: outageLines(document), document };
}

export function drainLines({
  stop,
  written,
  unchanged,
  withheld,
  gone,
  expanded,
  deferred,
  deadLettered,
  left,
}: DrainSummary): string[] {
  const rare = [
    [withheld, 'without values left alone'],
    [gone, 'no longer in Stash'],
    [expanded, 'passed on to their scenes'],
  ] as const;
  const done = [
    `${count(written, 'scene')} written`,
    `${unchanged} already right`,
    ...rare.filter(([some]) => some > 0).map(([some, what]) => `${some} ${what}`),
    `${deferred} deferred`,
    `${deadLettered} given up`,
  ].join(', ');
  const remaining = `Left: ${left.pending} pending, ${left.deferred} deferred, ${left.dead} given up.`;
  return [...stopLines(stop), `${done}.`, remaining];
}

function busyLine({ owner, gate }: Busy): string {
  switch (gate.kind) {
    case 'go':
      return `Another drainer is at work (${owner}); what waits is its to deliver.`;
    case 'probe':
      return `Plex is away; nothing is lost. A drainer (${owner}) is about to ask it, and delivers what waits when it is back.`;
    case 'wait':
      return `Plex is away; nothing is lost. A drainer (${owner}) asks it in ${duration(gate.remainingMs)}, and delivers what waits when it is back.`;
    case 'held':
      return `Held (${gate.hold}) for ${duration(gate.remainingMs)} more: ${gate.reason}. A drainer (${owner}) waits for that, and delivers what waits then.`;
  }
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
      return [...stop.problems];
    case 'busy':
      return [busyLine(stop)];
    case 'lease-lost':
      return ['Another process took over.'];
    case 'ended':
      return ['It was told to end; what is left is done later.'];
  }
}

// What a person asks for: drain, check, status, outages. The same operations for a Stash task, a Stash operation
// and the command line; each returns a document for programs and lines for people.

import type { ControlEvent } from '../../machines/events.ts';
import { count, duration } from '../cli/format.ts';
import { outageLines, outageReport } from '../cli/outages.ts';
import { statusLines, statusOf } from '../cli/status.ts';
import { ControlLog } from '../control/control-log.ts';
import { JournalError } from '../journal/journal.ts';
import { createOutageHistory } from '../outages/outages.ts';
import { QueueLog } from '../queue/queue-log.ts';
import { readSettings } from '../settings/settings.ts';
import type { PlexPort } from '../sync/deliver.ts';
import { type DrainSummary, drain } from './drainer.ts';
import { isHolderGone } from './drainer-wanted.ts';
import { PLUGIN_ID } from './handover.ts';
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

export const TASK_MODES = ['drain', 'check', 'status', 'outages'] as const;
export type TaskMode = (typeof TASK_MODES)[number];

export function isTaskMode(value: unknown): value is TaskMode {
  return TASK_MODES.some((mode) => mode === value);
}

/** `isForHook`: a hook had it run, so nobody is impatient. */
export function runMode(mode: TaskMode, world: World, isForHook = false): Promise<TaskResult> {
  switch (mode) {
    case 'drain':
      return drainNow(world, isForHook);
    case 'check':
      return checkPlex(world);
    case 'status':
      return status(world);
    case 'outages':
      return outages(world);
  }
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
      await record(control, { type: 'policy.set', policy: read.settings.policy, server: accepted });
      const isOther = server.id !== '' && machineIdentifier !== server.id;
      if (isOther) lines.push('It is not the server that was there before; from now on it is the right one.');
    }
    for (const hold of ['config', 'throttle'] as const) {
      if (control.state[hold].value !== 'held') continue;
      await record(control, { type: 'hold.released', hold, reason: 'a person checked: Plex accepts us' });
      lines.push('What stood in the way is gone; changes are delivered again.');
    }
    if (control.state.breaker.value === 'open') lines.push(await endOutage(world, control, plex));
    saveControlCheckpoint(world, control);
    return { isOk: true, lines, document: { plex: 'ok', version, machineIdentifier, problems } };
  } finally {
    await plex.close();
  }
}

async function endOutage(world: World, control: ControlLog, plex: PlexPort): Promise<string> {
  const { writer, dir } = world;
  const { pending } = (await QueueLog.open(dir.journal, writer, dir.queueCheckpoint.read())).queue.counts;
  const probed = await probeUnderLease({ control, writer, plex, pending, isForced: true });
  switch (probed.kind) {
    case 'back':
      return 'The outage is over; the next drainer delivers what waits.';
    case 'away':
      return `But it was gone again at once: ${probed.failure.detail}`;
    case 'not-ours':
      return 'Another process is asking Plex at this moment, and will see that it is back.';
  }
}

async function record(control: ControlLog, event: ControlEvent): Promise<void> {
  const recorded = await control.append(event);
  if (!recorded.ok) throw new JournalError(recorded.failure.detail);
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

// The look: what Stash has changed since the cursor becomes jobs, and the cursor moves. Every wake, drainer, task and watch
// begins with it, so that nothing depends on a hook that came through.
//
// A crash between two appends leaves the cursor behind, and what is found again is void (queue/looked.ts).

import type { Scope } from '../door/scopes.ts';
import type { World } from '../invocation/world.ts';
import { type Agenda, AgendaLog } from '../queue/agenda.ts';
import type { QueueEvent } from '../queue/events.ts';
import { lookFrom, NEVER } from '../queue/looked.ts';
import { QueueLog } from '../queue/queue-log.ts';
import type { Changed } from '../stash/changed.ts';
import type { StashFailure, StashResult } from '../stash/stash-client.ts';
import { firstLook, hasOpenSecond, isBeforeBegin, type LookAbout, lookEvents, wasIn } from './news.ts';

export interface LookOptions {
  readonly scope: Scope;
  /** When the hook that asked for this ran, by Stash's clock, wall ms; null: no hook did. */
  readonly hookAt: number | null;
  readonly openSecond: OpenSecond;
}

/**
 * What becomes of a change in a second that is not over:
 * - `wait`: it is waited for, at most a second
 * - `leave`: the next look has it
 * - `queue`: it is queued at once, and found once more by the next look
 */
export type OpenSecond = 'wait' | 'leave' | 'queue';

export type LookResult =
  | {
      readonly kind: 'looked';
      readonly agenda: AgendaLog;
      /** Jobs that were queued. */
      readonly queued: number;
      /** What a person should know. */
      readonly notes: readonly string[];
    }
  | { readonly kind: 'blind'; readonly agenda: AgendaLog; readonly failure: StashFailure };

/** What a drainer, a task and `watch` begin with. */
export const ANY_CHANGE: LookOptions = { scope: 'changes', hookAt: null, openSecond: 'wait' };

/** A first hook comes after its change, and after those of the same transaction: by this much at most, in ms. */
const FIRST_MARGIN_MS = 60_000;
const RECORDS_PER_APPEND = 500;

/** Throws when the journal cannot be written. */
export async function look(world: World, { scope, hookAt, openSecond }: LookOptions): Promise<LookResult> {
  // Written before Stash is asked: whoever dies from here on leaves where to begin.
  const { agenda, isFirst } = await noteHook(world, hookAt);
  const asked = await askStash(world, agenda.agenda, openSecond);
  if (!asked.ok) return { kind: 'blind', agenda, failure: asked.failure };
  const { changed, isDueNow } = asked.value;
  const gone = scope === 'gone' ? await goneScenes(world) : ({ ok: true, value: [] } as const);
  if (!gone.ok) return { kind: 'blind', agenda, failure: gone.failure };
  const { events, notes } = lookEvents(agenda.agenda, changed, {
    scope,
    isFirst,
    gone: gone.value,
    isDueNow,
  });
  for (let from = 0; from < events.length; from += RECORDS_PER_APPEND) {
    await agenda.appendOrThrow(...events.slice(from, from + RECORDS_PER_APPEND));
  }
  const queued = events.filter(({ type }) => type === 'job.queued').length;
  return { kind: 'looked', agenda, queued, notes };
}

/** Writes down where the first look begins, which others may do. Throws when the journal cannot be written. */
export async function noteHook(
  { dir, writer }: World,
  hookAt: number | null,
): Promise<{ readonly agenda: AgendaLog; readonly isFirst: boolean }> {
  const agenda = await AgendaLog.open(dir.journal, writer, dir.agendaCheckpoint.read());
  const isFirst = agenda.agenda.looked.upTo === NEVER;
  if (hookAt === null) return { agenda, isFirst };
  const begin = hookAt - FIRST_MARGIN_MS;
  if (isFirst) await agenda.appendOrThrow(...firstLook(agenda.agenda, begin));
  else if (isBeforeBegin(agenda.agenda, hookAt)) {
    await agenda.appendOrThrow({ type: 'stash.looked', upTo: begin, begin });
  }
  return { agenda, isFirst };
}

type Asked = { readonly changed: Changed; readonly isDueNow: LookAbout['isDueNow'] };

async function askStash(
  world: World,
  { looked }: Agenda,
  openSecond: OpenSecond,
): Promise<StashResult<Asked>> {
  // Where it was never looked at, only its time is wanted.
  const from = (now: number) => (looked.upTo === NEVER ? world.writer.now().at : lookFrom(looked, now));
  const ask = async (now: number) => withClock(await world.stash.changedSince(from(now)), world);
  let answer = await ask(Number.POSITIVE_INFINITY);
  // Its clock was set back: what changed since has times from before the cursor.
  if (answer.ok && answer.value.now < looked.upTo) answer = await ask(answer.value.now);
  if (!answer.ok) return answer;
  if (openSecond !== 'wait' || !hasOpenSecond(answer.value) || looked.upTo === NEVER) {
    return { ok: true, value: { changed: answer.value, isDueNow: () => openSecond === 'queue' } };
  }
  await world.sleep(msToNextSecond(answer.value.now, world.writer.now().at));
  const later = await ask(answer.value.now);
  // Where the second is not over yet after all, as when a clock was set back, what it held is queued all the same.
  return later.ok ? { ok: true, value: { changed: later.value, isDueNow: wasIn(answer.value) } } : later;
}

/** Stash says its time; where a proxy takes that away, ours is the best there is. */
function withClock(answer: StashResult<Changed>, { writer }: World): StashResult<Changed> {
  if (!answer.ok || !Number.isNaN(answer.value.now)) return answer;
  const now = Math.floor(writer.now().at / 1_000) * 1_000;
  return { ok: true, value: { ...answer.value, now } };
}

/** Stash is usually on this machine; where its clock is another, a whole second is waited. */
function msToNextSecond(stashNow: number, ours: number): number {
  const passed = ours - stashNow;
  return passed >= 0 && passed < 1_000 ? 1_001 - passed : 1_001;
}

/** Jobs of scenes that are remembered and that Stash has no more. */
async function goneScenes({ dir, writer, stash }: World): Promise<StashResult<readonly QueueEvent[]>> {
  const { queue } = await QueueLog.open(dir.journal, writer, dir.queueCheckpoint.read());
  const ids = await stash.sceneIds();
  if (!ids.ok) return ids;
  const names = new Set([...queue.known.keys(), ...queue.jobs.keys()]);
  const gone = [...names].filter(
    (job) => job.startsWith('scene:') && !ids.value.has(job.slice('scene:'.length)),
  );
  return { ok: true, value: gone.map((job) => ({ type: 'job.queued', job, cause: 'gone' })) };
}

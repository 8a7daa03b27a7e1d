// What a look makes of Stash's answer: events for the journal. Pure.
//
// Stash's times are whole seconds, so what changed in the second that its clock shows may change once more with the same
// time. Such a change is best queued when its second is over: then its time names this change and no other. Where it has to
// be queued before, it is without its time, and is found once more.

import type { Scope } from '../door/scopes.ts';
import type { Agenda } from '../queue/agenda.ts';
import { type JobName, LIBRARY_JOB, type QueueEvent } from '../queue/events.ts';
import { isSeen, isSetBack, type Looked, NEVER } from '../queue/looked.ts';
import type { ReconcileScope } from '../queue/reconciliation.ts';
import { FILES_CHANGED, scopeAfterOutage, scopeOfDoubt } from '../reconcile/schedule.ts';
import type { Changed, ChangedRow } from '../stash/changed.ts';

export interface LookAbout {
  readonly scope: Scope;
  /** It is the first look of all, or of this version. */
  readonly isFirst: boolean;
  /** Jobs of scenes that Stash has no more. */
  readonly gone: readonly QueueEvent[];
  /** Whether a change whose second is not over is queued all the same: without its time, so that it is found once more. */
  readonly isDueNow: (job: JobName) => boolean;
}

const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;
export const FIRST_NOTE =
  'Breakwater delivers what changes in Stash from now on. The task "Sync all" delivers what was there before.';
const SET_BACK_NOTE = "Stash's clock was set back: all scenes are compared with what was delivered.";

export function lookEvents(
  agenda: Agenda,
  changed: Changed,
  { scope, isFirst, gone, isDueNow }: LookAbout,
): { readonly events: readonly QueueEvent[]; readonly notes: readonly string[] } {
  const { now } = changed;
  const beyond = [...gone, ...beyondTimes(scope)];
  if (agenda.looked.upTo === NEVER)
    return { events: [...firstLook(agenda, now), ...beyond], notes: [FIRST_NOTE] };
  const isBack = isSetBack(agenda.looked, now);
  const doubt = isBack ? [requested(scopeOfDoubt(now - DAY_MS), 'clock')] : [];
  const found = [...newsIn(agenda.looked, changed, isDueNow), ...beyond, ...doubt];
  // An idle plugin writes nothing: where there is no news the cursor stays.
  const moved = found.length > 0 ? [{ type: 'stash.looked', upTo: now } as const] : [];
  const notes = [...(isFirst ? [FIRST_NOTE] : []), ...(isBack ? [SET_BACK_NOTE] : [])];
  return { events: [...found, ...moved], notes };
}

/** A wake that waited so long for its turn that others have looked before it: the change of its hook is news all the same. */
export function isBeforeBegin({ looked }: Agenda, hookAt: number): boolean {
  return looked.upTo !== NEVER && hookAt < looked.begin;
}

/** Where looking begins. A journal from before there were looks is compared once with what Stash says now. */
export function firstLook(agenda: Agenda, begin: number): QueueEvent[] {
  const looked = { type: 'stash.looked', upTo: begin, begin } as const;
  if (agenda.begunAt === 0) return [looked];
  const since = scopeAfterOutage(agenda, begin).since ?? begin;
  return [requested(scopeOfDoubt(since), 'upgrade'), looked];
}

/** Whether something changed in the second that Stash's clock shows. What lies further ahead is of another clock. */
export function hasOpenSecond({ now, rows }: Changed): boolean {
  return rows.some((row) => isOpen(row, now));
}

/** What an answer held is due in the next one, also where it has changed once more or a clock was set back meanwhile. */
export function wasIn({ rows }: Changed): LookAbout['isDueNow'] {
  const held = new Set(rows.map(jobOf));
  return (job) => held.has(job);
}

function newsIn(looked: Looked, { now, rows }: Changed, isDueNow: LookAbout['isDueNow']): QueueEvent[] {
  const news = rows
    .map((row) => ({ ...row, job: jobOf(row) }))
    .filter((row) => isNews(row) && !isSeen(looked, row.job, row.changedAt))
    .sort((a, b) => a.changedAt - b.changedAt || Number(a.id) - Number(b.id));
  return news.flatMap(({ job, changedAt }): QueueEvent[] => {
    const queued = { type: 'job.queued', job, cause: 'change' } as const;
    if (!isOpen({ changedAt }, now)) return [{ ...queued, changedAt }];
    return isDueNow(job) ? [queued] : [];
  });
}

function jobOf({ kind, id }: ChangedRow): JobName {
  return `${kind}:${id}`;
}

/** Of a tag that was just made, no scene can have been delivered with another name. */
function isNews({ kind, isNew }: ChangedRow): boolean {
  return kind === 'scene' || !isNew;
}

function isOpen({ changedAt }: Pick<ChangedRow, 'changedAt'>, now: number): boolean {
  return changedAt >= now && changedAt <= now + SECOND_MS;
}

/** What moves no time that a look could find it by. */
function beyondTimes(scope: Scope): QueueEvent[] {
  switch (scope) {
    case 'changes':
    case 'gone':
      return [];
    case 'files':
      return [requested(FILES_CHANGED, 'files')];
    case 'shared':
      return [{ type: 'job.queued', job: LIBRARY_JOB, cause: 'change' }];
  }
}

function requested(scope: ReconcileScope, cause: string): QueueEvent {
  return { type: 'reconcile.requested', scope, cause };
}

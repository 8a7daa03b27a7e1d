// The queue: the fold of the queue stream, as a read model in an @xstate/store. Each job is in exactly one
// place: pending, deferred or dead; a delivered one is gone from here and remembered in `known`.
//
// The maps are changed in place and the context object is replaced: copying a map of 100 000 jobs for each
// event would make the fold quadratic. Only this file and compacted.ts change them.

import { createStore } from '@xstate/store';
import { isOver, type Moment, type Wait } from '../../machines/time.ts';
import type { Position } from '../breaker/index.ts';
import { restored } from './compacted.ts';
import type {
  DeadReason,
  DeferReason,
  JobName,
  NotedSetting,
  OwnTags,
  QueueEvent,
  ShownCover,
  Spared,
} from './events.ts';
import { evolveLooked, isSeen, type Looked, neverLooked } from './looked.ts';
import {
  evolveReconciliation,
  NO_RECONCILIATION,
  type ReconcileEvent,
  type Reconciliation,
} from './reconciliation.ts';

interface Queued {
  readonly job: JobName;
  /** Where it was first queued since it was last settled, and where last. */
  readonly since: Position;
  readonly newest: Position;
  /** When it was first queued since it was last settled, wall ms. */
  readonly queuedAt: number;
  /** The distinct causes, at most `MAX_CAUSES`. */
  readonly causes: readonly string[];
  /** Attempts in a row that deferred it for the same reason. */
  readonly attempts: number;
  readonly deferredFor: DeferReason | null;
}

export type Job = Queued &
  (
    | { readonly state: 'pending' }
    | {
        readonly state: 'deferred';
        readonly reason: DeferReason;
        readonly detail: string;
        readonly due: Wait;
        /** When Plex had last looked at its libraries, of one that waits for its item. */
        readonly scan?: string;
      }
    | { readonly state: 'dead'; readonly reason: DeadReason; readonly detail: string; readonly at: number }
  );

/** What is remembered of a scene that was delivered. */
export interface Known {
  /** Its Plex item: a hint, verified before it is trusted. */
  readonly item: string;
  readonly own: OwnTags;
  /** The day that the item shows because we wrote it; null: what we wrote was undone. */
  readonly ownDate?: string | null;
  readonly cover?: ShownCover;
  /** Of what was wanted when it was last delivered. */
  readonly digest?: string;
  /** Digest of the files that it had then. */
  readonly files?: string;
  /** Of what was wanted when it was last written to, until an attempt after that ended as it should. */
  readonly unseen?: string;
  /** Whoever fetched the scene before has nothing to say of it any more. */
  readonly upTo?: Position;
  readonly spared?: Spared;
}

export interface Queue {
  readonly jobs: ReadonlyMap<JobName, Job>;
  readonly known: ReadonlyMap<JobName, Known>;
  readonly counts: QueueCounts;
  readonly reconciliation: Reconciliation;
  readonly looked: Looked;
  /** The settings that are not at their defaults, as last seen. */
  readonly settings: Readonly<Record<string, NotedSetting>>;
  /** When Breakwater first looked or queued, wall ms; 0: not yet. */
  readonly begunAt: number;
}

export interface QueueCounts {
  readonly pending: number;
  readonly deferred: number;
  readonly dead: number;
  /** Deliveries since the beginning, and when the last one was, wall ms (0: never). */
  readonly delivered: number;
  readonly deliveredAt: number;
}

/** A queue event with the place and moment of its record. */
export type PlacedQueueEvent = QueueEvent & { readonly position: Position; readonly moment: Moment };

const MAX_CAUSES = 4;

export const EMPTY_COUNTS: QueueCounts = { pending: 0, deferred: 0, dead: 0, delivered: 0, deliveredAt: 0 };

type Of<Type extends QueueEvent['type']> = Extract<PlacedQueueEvent, { type: Type }>;

/** A store that folds queue events; `initial` is taken over, not copied. */
export function createQueue(initial?: Queue) {
  const context: Queue = initial ?? {
    jobs: new Map(),
    known: new Map(),
    counts: EMPTY_COUNTS,
    reconciliation: NO_RECONCILIATION,
    looked: neverLooked(),
    settings: {},
    begunAt: 0,
  };
  return createStore({
    context,
    on: {
      'job.queued': (queue: Queue, event: Of<'job.queued'>) => {
        // Two who looked at the same time found the same.
        if (isSeen(queue.looked, event.job, event.changedAt)) return queue;
        evolveLooked(queue.looked, event);
        const { begunAt, ...rest } = place(queue, event.job, queued(queue.jobs.get(event.job), event));
        return { ...rest, begunAt: begunAt || event.moment.at };
      },

      'job.attempted': (queue: Queue, event: Of<'job.attempted'>) => {
        if (isOvertaken(queue, event)) return queue;
        const before = queue.known.get(event.job);
        const spared = sparedAfter(before?.spared, event);
        const ownDate = ownDateAfter(before?.ownDate, event);
        const { item, own, by, digest: unseen } = event;
        const upTo = by === undefined ? event.upTo : event.position;
        remember(queue, event.job, {
          item,
          own,
          ...(upTo !== undefined && { upTo }),
          ...(ownDate !== undefined && { ownDate }),
          ...(by === undefined && unseen !== undefined && { unseen }),
          ...(spared && { spared }),
        });
        return { ...queue };
      },

      'job.restored': (queue: Queue, event: Of<'job.restored'>) => {
        remember(queue, event.job, { item: event.item, own: event.own, upTo: event.position });
        return { ...queue };
      },

      'job.delivered': (queue: Queue, event: Of<'job.delivered'>) => {
        if (event.result === 'gone') (queue.known as Map<JobName, Known>).delete(event.job);
        if (event.item !== undefined && !isOvertaken(queue, event)) {
          const { item, own, cover, digest, files, upTo } = event;
          forgetUnseen(queue, event.job);
          remember(queue, event.job, {
            item,
            upTo,
            ...(own && { own }),
            ...(cover && { cover }),
            ...(digest && { digest }),
            ...(files && { files }),
          });
        }
        const { delivered } = queue.counts;
        const counts = { ...queue.counts, delivered: delivered + 1, deliveredAt: event.moment.at };
        return settle({ ...queue, counts }, event, () => null);
      },

      'job.deferred': (queue: Queue, event: Of<'job.deferred'>) =>
        settle(queue, event, (job) => {
          const { reason, detail, attempt, waitMs, scan } = event;
          const due = { from: event.moment, waitMs };
          return {
            ...base(job),
            attempts: attempt,
            deferredFor: reason,
            state: 'deferred',
            reason,
            detail,
            due,
            ...(scan !== undefined && { scan }),
          };
        }),

      'job.dropped': (queue: Queue, event: Of<'job.dropped'>) => settle(queue, event, () => null),

      'job.deadLettered': (queue: Queue, event: Of<'job.deadLettered'>) =>
        settle(queue, event, (job) => {
          const { reason, detail } = event;
          return { ...base(job), state: 'dead', reason, detail, at: event.moment.at };
        }),

      'settings.changed': (queue: Queue, event: Of<'settings.changed'>) => ({
        ...queue,
        settings: settingsAfter(queue.settings, event.settings),
      }),

      'stash.looked': (queue: Queue, event: Of<'stash.looked'>) => ({
        ...queue,
        looked: evolveLooked(queue.looked, event),
        begunAt: queue.begunAt || event.moment.at,
      }),

      'reconcile.requested': reconcile,
      'reconcile.advanced': reconcile,
      'reconcile.finished': reconcile,

      'queue.compacted': (queue: Queue, event: Of<'queue.compacted'>) => restored(queue, event),
    },
  });
}

export type QueueStore = ReturnType<typeof createQueue>;

/** The longest waiting first. */
export const DELIVERY_ORDER = (a: Job, b: Job): number => a.since - b.since;

/**
 * At most `limit` jobs that may be attempted at `now`, about in the order in which they were first queued; those
 * that have failed before come last, or one that always fails would be the canary of every recovery.
 * `isImpatient`: deferred ones before their time as well.
 */
export function dueJobs(queue: Queue, now: Moment, limit: number, isImpatient = false): Job[] {
  const fresh: Job[] = [];
  const tried: Job[] = [];
  for (const job of queue.jobs.values()) {
    if (fresh.length >= limit) break;
    if (job.state === 'pending') fresh.push(job);
    const isDue = job.state === 'deferred' && (isImpatient || isOver(job.due, now));
    if (isDue && tried.length < limit) tried.push(job);
  }
  return [...fresh, ...tried].slice(0, limit);
}

/** At most `limit` jobs that wait for their items, though Plex has looked at its libraries since. */
export function jobsSeen(queue: Queue, scan: string, limit: number): Job[] {
  const seen: Job[] = [];
  for (const job of queue.jobs.values()) {
    if (seen.length >= limit) break;
    if (job.state === 'deferred' && job.scan !== undefined && job.scan !== scan) seen.push(job);
  }
  return seen;
}

function queued(job: Job | undefined, event: Of<'job.queued'>): Job {
  const { job: name, position, cause, moment } = event;
  if (job === undefined) {
    const times = { since: position, newest: position, queuedAt: moment.at };
    return { job: name, ...times, causes: [cause], attempts: 0, deferredFor: null, state: 'pending' };
  }
  const isNew = !job.causes.includes(cause) && job.causes.length < MAX_CAUSES;
  const causes = isNew ? [...job.causes, cause] : job.causes;
  // A newer change revives: what was missing, refused or ambiguous may not be so any more.
  const fresh = { newest: position, causes, attempts: 0, deferredFor: null };
  return { ...base(job), ...fresh, state: 'pending' };
}

/** Null: at its default again. */
export function settingsAfter(
  before: Queue['settings'],
  news: Of<'settings.changed'>['settings'],
): Queue['settings'] {
  return Object.fromEntries(Object.entries({ ...before, ...news }).filter(isNoted));
}

function isNoted(entry: [string, NotedSetting | null]): entry is [string, NotedSetting] {
  return entry[1] !== null;
}

function reconcile(queue: Queue, event: PlacedQueueEvent & ReconcileEvent): Queue {
  return { ...queue, reconciliation: evolveReconciliation(queue.reconciliation, event, event.moment) };
}

/** An outcome for what was queued before `upTo`. Anything newer keeps the job pending. */
function settle(
  queue: Queue,
  event: PlacedQueueEvent & { readonly job: JobName; readonly upTo: Position },
  outcome: (job: Job) => Job | null,
): Queue {
  const job = queue.jobs.get(event.job);
  if (job === undefined || job.since >= event.upTo) return queue;
  if (job.newest < event.upTo) return place(queue, event.job, outcome(job));
  // An outcome that was overtaken by another has nothing more to say.
  if (job.state !== 'pending') return queue;
  return place(queue, event.job, {
    ...base(job),
    since: job.newest,
    attempts: 0,
    deferredFor: null,
    state: 'pending',
  });
}

function place(queue: Queue, name: JobName, after: Job | null): Queue {
  const jobs = queue.jobs as Map<JobName, Job>;
  const before = jobs.get(name);
  if (after === null) jobs.delete(name);
  else jobs.set(name, after);
  const counts: Record<string, number> = { ...queue.counts };
  if (before !== undefined) counts[before.state] = (counts[before.state] ?? 0) - 1;
  if (after !== null) counts[after.state] = (counts[after.state] ?? 0) + 1;
  return { ...queue, counts: counts as unknown as QueueCounts };
}

function remember(queue: Queue, job: JobName, news: Partial<Known> & Pick<Known, 'item'>): void {
  const known = queue.known as Map<JobName, Known>;
  known.set(job, { own: {}, ...known.get(job), ...news });
}

/** Of a drainer that overslept: another has fetched the scene since, or a person has turned back what was delivered. */
function isOvertaken(
  { known }: Queue,
  { job, upTo }: { readonly job: JobName; readonly upTo?: Position },
): boolean {
  const before = known.get(job)?.upTo;
  return before !== undefined && upTo !== undefined && upTo < before;
}

function forgetUnseen({ known }: Queue, job: JobName): void {
  const before = known.get(job);
  if (before?.unseen === undefined) return;
  const { unseen: _, ...seen } = before;
  (known as Map<JobName, Known>).set(job, seen);
}

/** Undefined: nothing was spared and nothing is. */
function sparedAfter(
  before: Spared | undefined,
  { by, changes, spares = {} }: Of<'job.attempted'>,
): Spared | undefined {
  if (before === undefined && Object.keys(spares).length === 0) return undefined;
  const taken = new Set(by === undefined ? changes.map(({ field }) => field) : []);
  const kept = Object.entries({ ...before, ...spares }).filter(
    (entry): entry is [string, string | null] => entry[1] !== false && !taken.has(entry[0]),
  );
  return Object.fromEntries(kept);
}

/** Undefined: none was ever written. */
function ownDateAfter(before: Known['ownDate'], { by, changes }: Of<'job.attempted'>): Known['ownDate'] {
  const change = changes.find(({ field }) => field === 'originallyAvailableAt');
  if (change === undefined) return before;
  return by === undefined && typeof change.after === 'string' ? change.after : null;
}

function base(job: Job): Queued {
  const { job: name, since, newest, queuedAt, causes, attempts, deferredFor } = job;
  return { job: name, since, newest, queuedAt, causes, attempts, deferredFor };
}

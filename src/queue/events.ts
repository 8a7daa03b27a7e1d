// The queue events: what is to be delivered and what became of it. A job is a name (`scene:12`, `tag:5`),
// never a snapshot of data: what is true is fetched when it is delivered, so the newest edit always wins.

import type { Position } from '../breaker/index.ts';
import type { FieldChange } from './changes.ts';
import type { QueueCompacted } from './compacted.ts';
import type { ReconcileEvent } from './reconciliation.ts';

/** What a job is about. Only scenes are delivered; the others become one job for each scene they touch. */
export type JobKind = 'scene' | SharedKind | 'library';

/** What scenes share. */
export type SharedKind = 'tag' | 'performer' | 'studio' | 'group';

/**
 * Something that scenes shared is gone, and nobody can say any more which they were: all that were delivered are
 * compared with what was delivered.
 */
export const LIBRARY_JOB = 'library:shared';

/** `kind:id` in Stash. */
export type JobName = `${JobKind}:${string}`;

/**
 * Why a job waits:
 * - `missing`: its item is not in Plex yet
 * - `transient`: this attempt failed, and that says nothing about the job
 * - `error-500`: Plex failed at this very job; after some of these it is the job
 * - `incomplete`: Plex does not show yet what was written
 * - `scanning`: the same, and Plex was asked to look at its folder
 * - `cover`: all is delivered but the cover, which Stash does not have yet
 */
export type DeferReason = 'missing' | 'scanning' | 'transient' | 'error-500' | 'incomplete' | 'cover';

/** Why a job was given up. */
export const DEAD_REASONS = ['ambiguous', 'missing', 'rejected', 'no-file'] as const;
export type DeadReason = (typeof DEAD_REASONS)[number];

/**
 * - `written`: Plex was changed
 * - `unchanged`: Plex already had it
 * - `withheld`: the scene has no values, and a wipe was not asked for
 * - `gone`: the scene is no longer in Stash
 * - `expanded`: the job became jobs of scenes
 */
export type DeliveryResult = 'written' | 'unchanged' | 'withheld' | 'gone' | 'expanded';

interface JobQueued {
  readonly type: 'job.queued';
  readonly job: JobName;
  /** What asked for it: `change`, `tag:5`, `task:retry`. */
  readonly cause: string;
  /** Stash's own time of the change that a look found, wall ms: the same change is queued once. */
  readonly changedAt?: number;
}
/** Outcomes cover what was queued before `upTo`; what was queued later keeps the job pending. */
interface Outcome {
  readonly job: JobName;
  readonly upTo: Position;
}
/** Written down before Plex is: what is about to change, so that a crash between the two hides nothing. */
interface JobAttempted {
  readonly type: 'job.attempted';
  readonly job: JobName;
  /** As of an outcome: its scene was fetched when this much was queued. None of a person's act, nor of old records. */
  readonly upTo?: Position;
  /** The Plex item. */
  readonly item: string;
  readonly changes: readonly FieldChange[];
  /** Tags and performers that may be in Plex because of us from now on. */
  readonly own: OwnTags;
  /** Of what is wanted. */
  readonly digest?: string;
  /** A person's act, and no delivery. */
  readonly by?: 'undo' | 'unlock' | 'lock';
  /** What is to be left alone from now on; `false`: no longer. A field that a delivery changes no longer is. */
  readonly spares?: Readonly<Record<string, string | null | false>>;
}
/** What a person asked for is done, as far as it could be: the end of an attempt that has a `by`. */
interface JobRestored {
  readonly type: 'job.restored';
  readonly job: JobName;
  readonly item: string;
  /** Tags and performers that are in Plex because we put them there. */
  readonly own: OwnTags;
  /** What did not come out as wanted. */
  readonly notes?: readonly string[];
}
interface JobDelivered extends Outcome {
  readonly type: 'job.delivered';
  readonly result: DeliveryResult;
  /** The Plex item; what was changed in it is in the attempt before. */
  readonly item?: string;
  /** Tags and performers that are in Plex because we put them there. */
  readonly own?: OwnTags;
  readonly cover?: ShownCover;
  /** Of what was wanted. */
  readonly digest?: string;
  /** Digest of the scene's files. */
  readonly files?: string;
  /** What did not come out as wanted. */
  readonly notes?: readonly string[];
}
interface JobDeferred extends Outcome {
  readonly type: 'job.deferred';
  readonly reason: DeferReason;
  readonly detail: string;
  readonly attempt: number;
  readonly waitMs: number;
  /** Of one that waits for its item: when Plex had last looked at its libraries, as it says it. */
  readonly scan?: string;
}
interface JobDeadLettered extends Outcome {
  readonly type: 'job.deadLettered';
  readonly reason: DeadReason;
  readonly detail: string;
}

/** A person gave it up; a newer change queues it anew. */
interface JobDropped extends Outcome {
  readonly type: 'job.dropped';
  readonly reason: string;
}

export type JobEvent =
  | JobQueued
  | JobAttempted
  | JobRestored
  | JobDelivered
  | JobDeferred
  | JobDeadLettered
  | JobDropped;

/** The settings that the work after this goes by, as a drainer found them; those that are not named are as before. */
interface SettingsChanged {
  readonly type: 'settings.changed';
  /** Null: the default again. */
  readonly settings: Readonly<Record<string, NotedSetting | null>>;
}

/** A setting that is not at its default. A secret is only said to be there. */
export interface NotedSetting {
  readonly value: unknown;
  /** Where it was given: `stash`, `file`, `environment`. */
  readonly origin: string;
}

/** All that Stash had changed before `upTo` is queued by now. The wake's cursor; by Stash's clock, wall ms. */
export interface StashLooked {
  readonly type: 'stash.looked';
  readonly upTo: number;
  /** Of the first look: changes before this are no news. */
  readonly begin?: number;
}

export type QueueEvent = JobEvent | ReconcileEvent | SettingsChanged | StashLooked | QueueCompacted;

/** The cover that was delivered. */
export interface ShownCover {
  readonly sha1: string;
  /** What Stash can be asked by whether it is still the same; empty: nothing. */
  readonly validator: string;
  /** Where Plex shows it (`thumb`, `art`): the address moves when somebody chooses another. */
  readonly shown: Readonly<Record<string, string>>;
}

/**
 * Parts of an item that are left alone, by their names in an edit: until Stash says something else than what this is
 * the digest of, or (null) until a person says otherwise.
 */
export type Spared = Readonly<Record<string, string | null>>;

/** Names of tags by Plex kind (`genre`, `actor`). */
export type OwnTags = Readonly<Record<string, readonly string[]>>;

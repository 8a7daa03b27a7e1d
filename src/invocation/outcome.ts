// What becomes of a job after an attempt: the delivery's result → the event that says so. Pure: what was drawn comes in,
// and nothing is written here.

import { meaningOf } from '../../machines/failure-classes.ts';
import type { Position } from '../breaker/index.ts';
import type { Failure } from '../plex/failures.ts';
import type { DeferReason, QueueEvent } from '../queue/events.ts';
import type { Job } from '../queue/queue.ts';
import { retryDelayMs, SCHEDULES } from '../queue/retry.ts';
import type { StashScene } from '../stash/stash-scene.ts';
import type { Delivery } from '../sync/deliver.ts';
import { digestOfFiles } from '../sync/digest.ts';
import { ruleBetween } from '../sync/path-map.ts';

/** A try at a job, and what was queued when its scene was fetched: an outcome covers no more than that. */
export interface Attempt {
  readonly job: Job;
  readonly upTo: Position;
  /** It is tried before its time, because a person or a sign wants it: that uses none of its attempts. */
  readonly isExtra: boolean;
}

export type Settled =
  | { readonly kind: 'settled'; readonly event: QueueEvent; readonly isAnswered: boolean }
  /** It says something about Plex itself: the job stays pending. */
  | { readonly kind: 'plex'; readonly failure: Failure; readonly attempt: Attempt };

/** What was done and seen about a scene that Plex has no item for. */
export interface ItemWait {
  /** Plex was asked to look at its folder. */
  readonly isScanning: boolean;
  /** When Plex last looked at its libraries, as it says it. */
  readonly scan: string;
}

export const NO_WAIT: ItemWait = { isScanning: false, scan: '' };

export function settledAs(
  attempt: Attempt,
  scene: StashScene,
  result: Exclude<Delivery, { kind: 'stash' }>,
  draw: number,
  wait: ItemWait,
  showPath: (path: string) => string,
): Settled {
  switch (result.kind) {
    case 'withheld':
      return settled(false, delivered(attempt, 'withheld'));
    case 'unchanged':
    case 'written':
      return settled(true, doneOutcome(attempt, scene, result, draw));
    case 'no-file':
      return settled(
        false,
        dead(attempt, 'no-file', 'the scene has no file, so no Plex item can be its own'),
      );
    case 'missing': {
      const reason = wait.isScanning && !isLastAttempt(attempt, 'scanning') ? 'scanning' : 'missing';
      const event = deferredOrDead(attempt, reason, missingDetail(scene, result, showPath), draw);
      return settled(true, event.type === 'job.deferred' ? { ...event, scan: wait.scan } : event);
    }
    case 'ambiguous': {
      const items = result.candidates
        .map((item) => `${item.ratingKey} (${item.files.map(showPath).join(', ')})`)
        .sort();
      return settled(
        true,
        dead(attempt, 'ambiguous', `several Plex items have this file: ${items.join('; ')}`),
      );
    }
    case 'failed':
      return failedOutcome(attempt, result.failure, draw);
  }
}

type Done = Extract<Delivery, { kind: 'unchanged' | 'written' }>;

function doneOutcome(attempt: Attempt, scene: StashScene, result: Done, draw: number): QueueEvent {
  const { item, own, cover, digest, waitsFor, refused } = result;
  const unmet = result.kind === 'written' ? result.unmet : [];
  const doubt = doubtOf(result);
  if (doubt !== null && !isLastAttempt(attempt, 'incomplete')) {
    return deferredOrDead(attempt, 'incomplete', doubt, draw);
  }
  if (waitsFor !== null && !isLastAttempt(attempt, 'cover')) {
    return deferredOrDead(attempt, 'cover', waitsFor, draw);
  }
  const notes = [...unmet, ...(waitsFor === null ? [] : [waitsFor]), ...refused];
  return {
    ...delivered(attempt, result.kind),
    item,
    own,
    digest,
    files: digestOfFiles(scene),
    ...(cover === null ? {} : { cover }),
    ...(notes.length === 0 ? {} : { notes }),
  };
}

/** Why Plex may come to show something else yet; null: it will not. */
function doubtOf(result: Done): string | null {
  if (result.kind === 'unchanged') {
    return result.isCertain ? null : 'Plex shows what is wanted, but may still do what was written before';
  }
  if (result.unmet.length === 0) return null;
  return `Plex does not show yet what was written: ${result.unmet.join(', ')}`;
}

function isLastAttempt(attempt: Attempt, reason: DeferReason): boolean {
  return attemptNumber(attempt, reason) >= SCHEDULES[reason].maxAttempts;
}

function failedOutcome(attempt: Attempt, failure: Failure, draw: number): Settled {
  const { job } = meaningOf(failure.class);
  switch (job) {
    case 'pending':
      return { kind: 'plex', failure, attempt };
    case 'missing':
      return settled(true, deferredOrDead(attempt, job, failure.detail, draw));
    case 'rejected':
      return settled(true, dead(attempt, job, failure.detail));
  }
}

/** A failure of this attempt that is not the breaker's business any more: try the job again later. */
export function transientOutcome(attempt: Attempt, failure: Failure, draw: number): QueueEvent {
  const reason = failure.symptom === 'error-500' ? 'error-500' : 'transient';
  return deferredOrDead(attempt, reason, failure.detail, draw);
}

export function delivered(
  { job, upTo }: Attempt,
  result: Extract<QueueEvent, { type: 'job.delivered' }>['result'],
) {
  return { type: 'job.delivered', job: job.job, upTo, result } as const;
}

function dead(
  { job, upTo }: Attempt,
  reason: Extract<QueueEvent, { type: 'job.deadLettered' }>['reason'],
  detail: string,
) {
  return {
    type: 'job.deadLettered',
    job: job.job,
    upTo,
    reason,
    detail: detail.slice(0, MAX_DETAIL),
  } as const;
}

export function deferredOrDead(
  attempt: Attempt,
  reason: DeferReason,
  detail: string,
  draw: number,
): QueueEvent {
  const { job, upTo } = attempt;
  const number = attemptNumber(attempt, reason);
  const isOver = number >= SCHEDULES[reason].maxAttempts;
  if (isOver && reason === 'missing') return dead(attempt, 'missing', detail);
  if (isOver && reason === 'error-500') return dead(attempt, 'rejected', `${detail}, ${number} times`);
  const waitMs = retryDelayMs(reason, number, draw);
  return {
    type: 'job.deferred',
    job: job.job,
    upTo,
    reason,
    detail: detail.slice(0, MAX_DETAIL),
    attempt: number,
    waitMs,
  };
}

/** Counts from 1, for each reason anew. */
function attemptNumber({ job, isExtra }: Attempt, reason: DeferReason): number {
  const before = job.deferredFor === reason ? job.attempts : 0;
  return Math.max(1, isExtra ? before : before + 1);
}

/** What is kept of a message, in characters. */
const MAX_DETAIL = 1_000;
/** Of files that are told, at most. */
const MAX_TOLD = 3;

function missingDetail(
  scene: StashScene,
  { near, rivals }: Extract<Delivery, { kind: 'missing' }>,
  showPath: (path: string) => string,
): string {
  const [path = ''] = scene.files;
  const [nearest] = near;
  const file = showPath(path);
  if (nearest === undefined) return `Plex has no item for ${file} yet`;
  // A rule says the names of folders: not to somebody who wants to see none.
  const rule = file === path ? ruleBetween(path, nearest) : null;
  const hint = rule === null ? 'check pathMap' : `if they are the same, pathMap wants "${rule}"`;
  const told = (files: readonly string[]) => files.slice(0, MAX_TOLD).map(showPath);
  return rivals.length > 0
    ? `Plex has ${showPath(nearest)}, which may be ${told([path, ...rivals]).join(' or ')}: ${hint}`
    : `Plex has no item for ${file}, but files of that name at ${told(near).join(', ')}: ${hint}`;
}

export function settled(isAnswered: boolean, event: QueueEvent): Settled {
  return { kind: 'settled', event, isAnswered };
}

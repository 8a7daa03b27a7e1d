// When a job that did not succeed is tried again, and when it is given up. Waits grow with each attempt and
// are jittered by a number that the caller drew; the result goes into the journal.

import type { DeferReason } from './events.ts';

interface Schedule {
  readonly baseMs: number;
  readonly maxMs: number;
  /** Attempts after which it is given up; infinite: never. */
  readonly maxAttempts: number;
}

export const SCHEDULES: Readonly<Record<DeferReason, Schedule>> = {
  // Plex scans when it likes: about a day of asking, then a newer change asks again.
  missing: { baseMs: 60_000, maxMs: 6 * 3_600_000, maxAttempts: 12 },
  // Plex takes in one file in seconds. After that it is missing like any other.
  scanning: { baseMs: 5_000, maxMs: 60_000, maxAttempts: 6 },
  // Says nothing about the job, so it is never given up for it.
  transient: { baseMs: 5_000, maxMs: 1_800_000, maxAttempts: Number.POSITIVE_INFINITY },
  // Plex answers 500 to a request that it cannot bear.
  'error-500': { baseMs: 5_000, maxMs: 60_000, maxAttempts: 3 },
  // Plex applies some edits late; a second look usually finds them done.
  incomplete: { baseMs: 10_000, maxMs: 60_000, maxAttempts: 3 },
  // Stash makes covers when it is asked to; after some hours the next change of the scene looks again.
  cover: { baseMs: 60_000, maxMs: 2 * 3_600_000, maxAttempts: 8 },
};

/** `attempt` counts from 1: the one that just failed. `draw` in [0, 1): the wait is between half and whole. */
export function retryDelayMs(reason: DeferReason, attempt: number, draw: number): number {
  const { baseMs, maxMs } = SCHEDULES[reason];
  const nominalMs = Math.min(maxMs, baseMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(nominalMs * (0.5 + 0.5 * draw));
}

// A failed attempt or probe, as whoever met it tells it.

import type { FailureClass } from '../../../machines/failure-classes.ts';

export interface Failure {
  readonly class: FailureClass;
  /** A stable name for the symptom. */
  readonly symptom: string;
  /** For a person, without secrets. */
  readonly detail: string;
  readonly retryAfterMs?: number;
  readonly opensAfter?: number;
}

/** A pause without a usable `Retry-After`, in ms. One of no length, or in the past, is not usable. */
export const DEFAULT_PAUSE_MS = 30_000;

// What each way to fail means: the one table. Every other list of classes is derived from it, and a class without a row does
// not compile (test/project/closed-lists.test.ts). If a row is wrong, an outage burns jobs, or one bad job stops all work.

import type { HoldName } from './events.ts';

/**
 * Why an attempt did not succeed:
 * - `outage`: the server could not be reached or could not serve
 * - `maintenance`: the server is up and says it is not ready yet; an outage of its own kind, with shorter waits
 * - `transient`: this attempt failed and another may not; counts, but does not open on its own unless repeated
 * - `throttled`: the server asks us to slow down
 * - `config`: nothing will work until a person changes something (credentials, address)
 * - `missing`: the server is fine and the thing is not there yet
 * - `rejected`: the server is fine and refuses this one thing for good
 */
export const FAILURE_CLASSES = [
  'outage',
  'maintenance',
  'transient',
  'throttled',
  'config',
  'missing',
  'rejected',
] as const;
export type FailureClass = (typeof FAILURE_CLASSES)[number];

/** It says something about the server's health. */
interface Counted {
  /** It says nothing about the job: that stays pending, or is tried again later where work goes on. */
  readonly job: 'pending';
  /**
   * What the breaker makes of a failed attempt:
   * - `outage`: the server is away; where the breaker is half-open, one is enough to open it
   * - `maintenance`: the same, with the shorter waits
   * - `repeated`: nothing, unless it is repeated
   */
  readonly breaker: 'outage' | 'maintenance' | 'repeated';
  /** As what a probe that asks whether an outage is over is recorded. */
  readonly probe: FailureClass;
  readonly hold: 'none';
}

/** The breaker never hears of it. A job that stays pending needs the hold, or it would be tried again at once. */
interface Uncounted {
  /** It stays pending, waits for its thing, or is given up. */
  readonly job: 'pending' | 'missing' | 'rejected';
  readonly breaker: 'nothing';
  /** As what a probe is recorded; `config`: it is none, and the hold is placed. */
  readonly probe: FailureClass;
  /** What is placed when it is met by a job that stays pending, or by no job. */
  readonly hold: Exclude<HoldName, 'operator'>;
}

const MEANINGS = {
  outage: { job: 'pending', breaker: 'outage', probe: 'outage', hold: 'none' },
  maintenance: { job: 'pending', breaker: 'maintenance', probe: 'maintenance', hold: 'none' },
  transient: { job: 'pending', breaker: 'repeated', probe: 'transient', hold: 'none' },
  // A server that is too busy to answer a probe is away all the same.
  throttled: { job: 'pending', breaker: 'nothing', probe: 'outage', hold: 'throttle' },
  config: { job: 'pending', breaker: 'nothing', probe: 'config', hold: 'config' },
  missing: { job: 'missing', breaker: 'nothing', probe: 'outage', hold: 'config' },
  rejected: { job: 'rejected', breaker: 'nothing', probe: 'outage', hold: 'config' },
} as const satisfies Readonly<Record<FailureClass, Counted | Uncounted>>;

export function meaningOf(failure: FailureClass): (typeof MEANINGS)[keyof typeof MEANINGS] {
  return MEANINGS[failure];
}

/** The classes that are given to the breaker. */
export type CountedClass = {
  [Class in FailureClass]: (typeof MEANINGS)[Class]['breaker'] extends 'nothing' ? never : Class;
}[FailureClass];

export function isCounted(failure: FailureClass): failure is CountedClass {
  return meaningOf(failure).breaker !== 'nothing';
}

export const COUNTED_CLASSES: readonly CountedClass[] = FAILURE_CLASSES.filter(isCounted);

/** Whether one of them says that the server is away. */
export function isAway(failure: CountedClass): boolean {
  return meaningOf(failure).breaker !== 'repeated';
}

// How far Stash was looked through for changes, and which changes were found of late: what keeps a change from being
// queued twice, and none from being missed. Times are Stash's own, wall ms. Pure.

import type { JobName, QueueEvent } from './events.ts';

export interface Looked {
  /** All that Stash changed before this is queued; `NEVER`: it was not looked at yet. */
  readonly upTo: number;
  /** What changed before this was there before Breakwater, and is no news. */
  readonly begin: number;
  /** When the newest change was that was found of each, of those within the overlap. */
  readonly seen: ReadonlyMap<JobName, number>;
}

export const NEVER = 0;

/**
 * A look asks for this much again, in ms: a transaction that was open meanwhile is committed with a time from before,
 * and a clock may be set back a little.
 */
export const OVERLAP_MS = 600_000;

export function neverLooked(): Looked {
  return { upTo: NEVER, begin: NEVER, seen: new Map() };
}

/** Where the next look begins. `now`: Stash's clock, which may have been set back since. */
export function lookFrom({ upTo, begin }: Looked, now: number): number {
  const from = Math.min(upTo, now) - OVERLAP_MS;
  return now < begin ? from : Math.max(begin, from);
}

/** Whether Stash's clock was set back by more than the overlap heals: then times say nothing of what was missed. */
export function isSetBack({ upTo }: Looked, now: number): boolean {
  return now < upTo - OVERLAP_MS;
}

/** Whether this very change was found before: then a record of it is void. */
export function isSeen({ seen }: Looked, job: JobName, changedAt: number | undefined): boolean {
  return changedAt !== undefined && seen.get(job) === changedAt;
}

/** Changes the map in place: it can hold as many as a bulk edit has scenes. */
export function evolveLooked(looked: Looked, event: QueueEvent): Looked {
  const seen = looked.seen as Map<JobName, number>;
  if (event.type === 'job.queued' && event.changedAt !== undefined) seen.set(event.job, event.changedAt);
  if (event.type !== 'stash.looked') return looked;
  // By where the look before came to: another that began as early may find the same as this one.
  const forgotten = Math.min(looked.upTo, event.upTo) - OVERLAP_MS;
  for (const [job, changedAt] of seen) if (changedAt < forgotten) seen.delete(job);
  const { upTo, begin } = event;
  // A clock that was set back to before the beginning gives changes times from before it.
  if (begin === undefined) return { upTo, begin: Math.min(looked.begin, upTo), seen };
  if (looked.upTo === NEVER) return { upTo, begin, seen };
  // Of two who looked first at the same time, the one that was told of an earlier change is right.
  return { upTo: Math.min(upTo, looked.upTo), begin: Math.min(begin, looked.begin), seen };
}

/** As JSON holds it. */
export type LookedImage = Omit<Looked, 'seen'> & { readonly seen: readonly (readonly [JobName, number])[] };

export function lookedImage(looked: Looked): LookedImage {
  return { ...looked, seen: [...looked.seen] };
}

export function lookedFrom(image: LookedImage): Looked {
  return { ...image, seen: new Map(image.seen) };
}

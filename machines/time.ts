// Time as data. A moment is what a process reads from its clocks; a wait is a length that began at a
// moment. Nothing here reads a clock: being over is a question asked with `now`.
// If this is wrong, probes come too early (the server is hammered) or never (nothing recovers).

/** One reading of both clocks. `at` is wall time, ms since 1970; `mono` is ms on the clock of this boot. */
export interface Moment {
  readonly at: number;
  readonly mono: number;
  /** Names the boot that `mono` belongs to; moments of two boots compare by wall time only. */
  readonly boot: string;
}

/** A wait of `waitMs` that began at `from`. */
export interface Wait {
  readonly from: Moment;
  readonly waitMs: number;
}

/** Two machines on one journal may disagree on wall time by this much before we call it a step, in ms. */
export const WALL_SKEW_MS = 5_000;

/**
 * What is left of a wait, in ms, always within [0, waitMs].
 *
 * Within one boot the monotonic clock decides, so a stepped wall clock changes nothing. Across boots only
 * wall time is left: a clock that was set back would keep the wait from ever ending, so a wait that seems
 * to begin in the future is over (one early probe, at most one for each reboot).
 */
export function remainingMs(wait: Wait, now: Moment): number {
  const isSameBoot = now.boot === wait.from.boot;
  const elapsedMs = isSameBoot ? now.mono - wait.from.mono : now.at - wait.from.at;
  if (!isSameBoot && elapsedMs < -WALL_SKEW_MS) return 0;
  return Math.min(wait.waitMs, Math.max(0, wait.waitMs - elapsedMs));
}

export function isOver(wait: Wait, now: Moment): boolean {
  return remainingMs(wait, now) === 0;
}

/**
 * Whether `later` came less than `ms` after `earlier`. Across boots a clock that was set back makes it seem to
 * have come before: that is not "shortly after".
 */
export function isShortlyAfter(earlier: Moment, later: Moment, ms: number): boolean {
  if (earlier.boot === later.boot) return later.mono - earlier.mono < ms;
  return later.at >= earlier.at && later.at - earlier.at < ms;
}

/** ms from `earlier` to `later`, never negative: by the monotonic clock within a boot, else by wall time. */
export function elapsedMs(earlier: Moment, later: Moment): number {
  const ms = earlier.boot === later.boot ? later.mono - earlier.mono : later.at - earlier.at;
  return Math.max(0, ms);
}

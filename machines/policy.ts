// The numbers that the machines go by. They are data in the log (`policy.set`), so that a replay of last
// month uses last month's settings; the defaults hold until the first such record.

/** Thresholds are counts, waits are in ms. */
export interface Policy {
  /** Counted failures in a row that open the breaker when no failed probe confirms it sooner. */
  readonly failureThreshold: number;
  /** Canary successes that close it again. */
  readonly successThreshold: number;
  /** The same while the server is flapping. */
  readonly successThresholdFlapping: number;
  /** First wait between opening and the next probe; doubles with each failed probe. */
  readonly recoveryTimeoutMs: number;
  readonly recoveryTimeoutMaxMs: number;
  /** The same while the server says that it is in maintenance: it is alive. Never longer than the other. */
  readonly maintenanceTimeoutMs: number;
  readonly maintenanceTimeoutMaxMs: number;
  /** How many jobs a batch may hold before the ramp counts as done. */
  readonly rampFull: number;
  /** How long a drainer stays to see the end of an outage; 0: it leaves, and the next invocation asks. */
  readonly vigilMs: number;
}

export const DEFAULT_POLICY: Policy = {
  failureThreshold: 5,
  successThreshold: 1,
  successThresholdFlapping: 3,
  recoveryTimeoutMs: 60_000,
  recoveryTimeoutMaxMs: 300_000,
  maintenanceTimeoutMs: 5_000,
  maintenanceTimeoutMaxMs: 60_000,
  rampFull: 32,
  vigilMs: 600_000,
};

/** Failures closer together than this are one burst and count once, in ms. */
export const BURST_MS = 1_000;

/** A wait is shortened by up to this share of itself, by the number that was drawn for it. */
export const JITTER_SHARE = 0.2;

/** A `Retry-After` longer than this is not believed, in ms. */
export const RETRY_AFTER_MAX_MS = 3_600_000;

/** The flapping penalty grows by one with each opening and halves in this time, in ms. */
export const FLAP_HALF_LIFE_MS = 30 * 60_000;

/** From this penalty on the server counts as flapping: about the third opening within half an hour. */
export const FLAP_PENALTY = 2.5;

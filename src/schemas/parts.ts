// Parts that several documents have. Lengths end in `Ms`; moments (`at`, `…At`) are ms since 1970.

import * as v from 'valibot';

export const nullable = <S extends v.GenericSchema>(schema: S) => v.nullable(schema);
export const count = v.pipe(v.number(), v.integer(), v.minValue(0));
export const counts = (...names: readonly string[]) =>
  v.object(Object.fromEntries(names.map((name) => [name, count])));
export const names = v.array(v.string());
/** Counts under names that are not known beforehand. */
export const tally = v.record(v.string(), count);

/** A point of the log: `at` to show, `t` (on a line that never runs backwards) to measure. */
export const instant = v.object({ at: v.number(), t: v.number() });
export const moment = v.object({ at: v.number(), mono: v.number(), boot: v.string() });
const wait = v.object({ from: moment, waitMs: v.number() });

export const queueCounts = counts('pending', 'deferred', 'dead', 'delivered', 'deliveredAt');

const queued = {
  job: v.string(),
  since: count,
  newest: count,
  queuedAt: v.number(),
  causes: names,
  attempts: count,
  deferredFor: nullable(v.string()),
};
export const job = v.variant('state', [
  v.object({ ...queued, state: v.literal('pending') }),
  v.object({
    ...queued,
    state: v.literal('deferred'),
    reason: v.string(),
    detail: v.string(),
    due: wait,
    scan: v.optional(v.string()),
  }),
  v.object({ ...queued, state: v.literal('dead'), reason: v.string(), detail: v.string(), at: v.number() }),
]);

export const gate = v.object({
  kind: v.picklist(['go', 'probe', 'wait', 'held']),
  limit: v.optional(count),
  remainingMs: v.optional(v.number()),
  hold: v.optional(v.string()),
  reason: v.optional(v.string()),
});

export const stop = v.object({
  kind: v.picklist(['idle', 'away', 'held', 'stash', 'settings', 'lease-lost', 'ended', 'busy']),
  remainingMs: v.optional(v.number()),
  hold: v.optional(v.string()),
  reason: v.optional(v.string()),
  owner: v.optional(v.string()),
  gate: v.optional(gate),
  problems: v.optional(names),
  failure: v.optional(v.object({ kind: v.string(), detail: v.string() })),
});

/** What a drainer did. */
export const drained = v.object({
  stop,
  written: count,
  unchanged: count,
  withheld: count,
  gone: count,
  expanded: count,
  deferred: count,
  deadLettered: count,
  left: queueCounts,
});

/** Why something that needs Plex or Stash did not come about. */
export const refusal = v.object({
  symptom: v.string(),
  detail: v.optional(v.string()),
  problems: v.optional(names),
});

const gaps = v.object({ kinds: tally, fields: tally, libraries: tally, skipped: v.optional(tally) });
const scope = v.object({
  since: nullable(v.number()),
  newSince: nullable(v.number()),
  depth: v.picklist(['stash', 'files', 'plex']),
  isMissingOnly: v.boolean(),
  libraries: names,
});
const progress = { scope, cause: v.string(), startedAt: v.number(), checked: count, gaps };
const last = v.object({ ...progress, endedAt: v.number(), result: v.picklist(['done', 'cancelled']) });
const begun = { last: nullable(last), wholeAt: v.number() };
export const reconciliation = v.variant('state', [
  v.object({ ...begun, state: v.literal('idle') }),
  v.object({ ...begun, ...progress, state: v.literal('running'), cursor: count, left: nullable(count) }),
]);

const value = nullable(v.union([v.string(), names]));
export const change = v.object({
  field: v.string(),
  before: value,
  after: value,
  isCut: v.optional(v.literal(true)),
});
const gap = v.object({
  scene: v.string(),
  kind: v.string(),
  item: nullable(v.string()),
  library: nullable(v.string()),
  changes: v.array(change),
  detail: v.string(),
});
const skipped = v.object({ scene: v.string(), reason: v.picklist(['no-values', 'no-file', 'waiting']) });
export const reconciled = v.union([
  v.object({ reconciliation, drain: drained }),
  v.object({ checked: count, counts: gaps, gaps: v.array(gap), skipped: v.array(skipped) }),
  refusal,
]);

/** A figure of a backtest, and which share of it is a guess. */
export const figure = v.object({
  value: nullable(v.number()),
  estimated: v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
});

/** A state of a machine, whose context is its own affair. */
const machine = v.object({ value: v.string(), context: v.record(v.string(), v.any()) });

export const controlState = v.object({
  breaker: machine,
  recovery: machine,
  drain: machine,
  probe: machine,
  operator: machine,
  config: machine,
  throttle: machine,
});

/** How the lines of the journal read. */
export const journalCounts = counts(
  'records',
  'voids',
  'contended',
  'adopted',
  'drift',
  'damaged',
  'newer',
  'damagedQueueLines',
);

// What each queue event must look like to be heard. A record that does not is stepped over: one that was let through could
// be a job that is never due, or a name that nobody can read.

import type { Moment, Wait } from '../../machines/time.ts';
import {
  type Check,
  isCount,
  isMs,
  isText,
  isWaitMs,
  isWallMs,
  listOf,
  mapOf,
  oneOf,
  optional,
  orNull,
  type Shape,
  shaped,
} from '../breaker/index.ts';
import type { FieldChange } from './changes.ts';
import type { Whole, WholeLooked } from './compacted.ts';
import type { NotedSetting, QueueEvent, ShownCover } from './events.ts';
import type { Job, Known, QueueCounts } from './queue.ts';
import { DEPTHS, type GapCounts, type ReconcileScope } from './reconciliation.ts';

type DataOf<Type extends QueueEvent['type']> = Omit<Extract<QueueEvent, { type: Type }>, 'type'>;

const JOB = /^(?:(?:scene|tag|performer|studio|group):[1-9]\d{0,15}|library:shared)$/;
const isJob: Check = (value) => typeof value === 'string' && JOB.test(value);
const isNames = listOf(isText);
const isValue: Check = (value) => value === null || isText(value) || isNames(value);
const isOwn = mapOf(isNames);
const isChange = shaped<FieldChange>({
  field: isText,
  before: isValue,
  after: isValue,
  isCut: optional(oneOf(true)),
});
const isCover = shaped<ShownCover>({ sha1: isText, validator: isText, shown: mapOf(isText) });
const isScope = shaped<ReconcileScope>({
  since: orNull(isWallMs),
  newSince: orNull(isWallMs),
  depth: oneOf(...DEPTHS),
  isMissingOnly: oneOf(true, false),
  libraries: isNames,
});
const isGaps = shaped<GapCounts>({
  kinds: mapOf(isCount),
  fields: mapOf(isCount),
  libraries: mapOf(isCount),
  skipped: optional(mapOf(isCount)),
});

const isWait = shaped<Wait>({
  from: shaped<Moment>({ at: isWallMs, mono: isMs, boot: isText }),
  waitMs: isWaitMs,
});
const isQueued = shaped<Omit<Extract<Job, { state: 'pending' }>, 'state'>>({
  job: isJob,
  since: isCount,
  newest: isCount,
  queuedAt: isWallMs,
  causes: isNames,
  attempts: isCount,
  deferredFor: orNull(isText),
});
const isReasoned = { reason: isText, detail: isText };
const IN_STATE: Readonly<Record<Job['state'], Check>> = {
  pending: () => true,
  deferred: shaped({ ...isReasoned, due: isWait, scan: optional(isText) }),
  dead: shaped({ ...isReasoned, at: isWallMs }),
};
const isJobState: Check = (value) => {
  const state = (value as { readonly state?: unknown } | null)?.state;
  const isKnownState = typeof state === 'string' && Object.hasOwn(IN_STATE, state);
  return isKnownState && isQueued(value) && IN_STATE[state as Job['state']](value);
};
const isKnown = shaped<Known>({
  item: isText,
  own: isOwn,
  ownDate: optional(orNull(isText)),
  cover: optional(isCover),
  digest: optional(isText),
  files: optional(isText),
  unseen: optional(isText),
  upTo: optional(isCount),
  spared: optional(mapOf(orNull(isText))),
});
const entriesOf = (check: Check) =>
  listOf((value) => Array.isArray(value) && value.length === 2 && isJob(value[0]) && check(value[1]));
const isNoted = shaped<NotedSetting>({ value: () => true, origin: isText });
const isRun = { scope: isScope, cause: isText, startedAt: isWallMs, checked: isCount, gaps: isGaps };
const isRunning = shaped({
  ...isRun,
  cursor: isCount,
  left: orNull(isCount),
  again: optional(shaped({ scope: isScope, cause: isText })),
});
const isReconciliation: Check = (value) => {
  const { state } = (value ?? {}) as { readonly state?: unknown };
  const last = orNull(shaped({ ...isRun, endedAt: isWallMs, result: oneOf('done', 'cancelled') }));
  if (!shaped({ last, wholeAt: isWallMs })(value)) return false;
  return state === 'idle' || (state === 'running' && isRunning(value));
};
const isWhole = shaped<Whole>({
  counts: shaped<QueueCounts>({
    pending: isCount,
    deferred: isCount,
    dead: isCount,
    delivered: isCount,
    deliveredAt: isWallMs,
  }),
  reconciliation: isReconciliation,
  settings: mapOf(isNoted),
  begunAt: isWallMs,
  looked: optional(shaped<WholeLooked>({ upTo: isWallMs, begin: isWallMs })),
});

const QUEUE_SHAPES: { readonly [Type in QueueEvent['type']]: Shape<DataOf<Type>> } = {
  'job.queued': { job: isJob, cause: isText, changedAt: optional(isWallMs) },
  'job.attempted': {
    job: isJob,
    upTo: optional(isCount),
    item: isText,
    changes: listOf(isChange),
    own: isOwn,
    digest: optional(isText),
    by: optional(oneOf('undo', 'unlock', 'lock')),
    spares: optional(mapOf((value) => value === null || value === false || isText(value))),
  },
  'job.restored': { job: isJob, item: isText, own: isOwn, notes: optional(isNames) },
  'job.delivered': {
    job: isJob,
    upTo: isCount,
    result: oneOf('written', 'unchanged', 'withheld', 'gone', 'expanded'),
    item: optional(isText),
    own: optional(isOwn),
    cover: optional(isCover),
    digest: optional(isText),
    files: optional(isText),
    notes: optional(isNames),
  },
  'job.deferred': {
    job: isJob,
    upTo: isCount,
    reason: isText,
    detail: isText,
    attempt: isCount,
    waitMs: isWaitMs,
    scan: optional(isText),
  },
  'job.deadLettered': { job: isJob, upTo: isCount, reason: isText, detail: isText },
  'job.dropped': { job: isJob, upTo: isCount, reason: isText },
  'reconcile.requested': { scope: isScope, cause: isText },
  'reconcile.advanced': { cursor: isCount, checked: isCount, left: isCount, gaps: isGaps },
  'reconcile.finished': { result: oneOf('done', 'cancelled') },
  'queue.compacted': {
    whole: optional(isWhole),
    jobs: optional(entriesOf(isJobState)),
    known: optional(entriesOf(isKnown)),
    seen: optional(entriesOf(isWallMs)),
  },
  'stash.looked': { upTo: isWallMs, begin: optional(isWallMs) },
  'settings.changed': {
    settings: mapOf(orNull(isNoted)),
  },
};

const CHECKS: ReadonlyMap<string, Check> = new Map(
  Object.entries(QUEUE_SHAPES).map(([type, shape]) => [type, shaped(shape as Shape<object>)]),
);

/** False for a type that this code does not know as well. */
export function isQueueEvent(type: string, data: Readonly<Record<string, unknown>>): boolean {
  return CHECKS.get(type)?.(data) === true;
}

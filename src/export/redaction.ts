// What of a record may leave the house. Everything that is not named here is dropped, so that a field which is new is
// forgotten by this table and not betrayed by it. Numbers, closed lists and what was drawn stay; names become pseudonyms;
// words that anybody could have typed are gone.

import { type ControlEventType, HOLD_NAMES, LEASE_NAMES } from '../../machines/events.ts';
import { COUNTED_CLASSES } from '../../machines/failure-classes.ts';
import { DEFAULT_POLICY } from '../../machines/policy.ts';
import type { Annotation, Position } from '../breaker/index.ts';
import { SYMPTOMS } from '../plex/failures.ts';
import { DEAD_REASONS, type QueueEvent } from '../queue/events.ts';
import { DEPTHS, GAP_KINDS, SKIP_REASONS } from '../queue/reconciliation.ts';
import { FIELD_OF } from '../sync/fields.ts';
import type { Pseudonyms } from './pseudonyms.ts';

export interface Redactor {
  readonly names: Pseudonyms;
  /** Where a position of the old log is in the new one. */
  readonly position: (position: Position) => Position;
}

/** Undefined: the value is dropped. */
type Rule = (value: unknown, to: Redactor) => unknown;
type Shape = Readonly<Record<string, Rule>>;

/** The words that stand for text which was there. */
const REDACTED = 'redacted';

export function redactedData(
  shape: Shape,
  data: Readonly<Record<string, unknown>>,
  to: Redactor,
): Readonly<Record<string, unknown>> {
  const kept = Object.entries(shape).flatMap(([field, rule]) => {
    const value = data[field] === undefined ? undefined : rule(data[field], to);
    return value === undefined ? [] : [[field, value] as const];
  });
  return Object.fromEntries(kept);
}

const number: Rule = (value) => (typeof value === 'number' ? value : undefined);
const flag: Rule = (value) => (typeof value === 'boolean' ? value : undefined);
const text: Rule = (value) => (typeof value === 'string' ? (value === '' ? '' : REDACTED) : undefined);
const wall: Rule = (value, { names }) => (typeof value === 'number' ? names.wall(value) : undefined);
const position: Rule = (value, to) => (typeof value === 'number' ? to.position(value) : undefined);
const record: Rule = (value, { names }) => (typeof value === 'string' ? names.id(value) : undefined);
const counted =
  (kind: string): Rule =>
  (value, { names }) =>
    typeof value === 'number' ? names.number(kind, value) : undefined;
const named =
  (kind: string): Rule =>
  (value, { names }) =>
    typeof value === 'string' ? names.name(kind, value) : undefined;
const oneOf = (...known: readonly string[]): Rule => {
  const list = new Set(known);
  return (value) => (typeof value === 'string' && list.has(value) ? value : 'other');
};
const orNull =
  (rule: Rule): Rule =>
  (value, to) =>
    value === null ? null : rule(value, to);
const orFalse =
  (rule: Rule): Rule =>
  (value, to) =>
    value === false ? false : rule(value, to);
const list =
  (rule: Rule): Rule =>
  (value, to) =>
    Array.isArray(value) ? value.map((one) => rule(one, to)).filter((one) => one !== undefined) : undefined;
const either =
  (...rules: readonly Rule[]): Rule =>
  (value, to) =>
    rules.map((rule) => rule(value, to)).find((one) => one !== undefined);
const shape =
  (of: Shape): Rule =>
  (value, to) =>
    isObject(value) ? redactedData(of, value, to) : undefined;
const keyed =
  (key: Rule, rule: Rule): Rule =>
  (value, to) => {
    if (!isObject(value)) return undefined;
    const entries = Object.entries(value).map(([name, one]) => [key(name, to), rule(one, to)] as const);
    return Object.fromEntries(entries.filter(([, one]) => one !== undefined));
  };

const JOB_KINDS: ReadonlySet<string> = new Set(['scene', 'tag', 'performer', 'studio', 'group', 'library']);
const job: Rule = (value, { names }) => {
  const [kind = '', id] = typeof value === 'string' ? value.split(':', 2) : [];
  return JOB_KINDS.has(kind) && id !== undefined ? `${kind}:${names.number(kind, id)}` : undefined;
};
const HOOK = /^(Scene|Tag|Performer|Studio|Group|Movie)\.(Create|Update|Destroy|Merge)\.Post$/;
const hook: Rule = (value) => (typeof value === 'string' && HOOK.test(value) ? value : undefined);
/** What asked for a job or a reconciliation; hooks of before, and jobs, by themselves. */
const CAUSES = [
  'change',
  'gone',
  'files',
  'clock',
  'upgrade',
  'sync',
  'retry',
  'lease-lost',
  'schedule',
  'outage',
  'task',
];
const cause = either(hook, job, oneOf(...CAUSES));

const symptom = oneOf(...SYMPTOMS, 'unset');
const stops = ['idle', 'away', 'held', 'stash', 'settings', 'lease-lost', 'ended', 'answered'];
const counts = oneOf(...COUNTED_CLASSES);
const lease = oneOf(...LEASE_NAMES);
const hold = oneOf(...HOLD_NAMES);
const process = shape({ pid: counted('pid'), space: named('space') });
const leased = { lease, epoch: number };
const part = oneOf(...Object.keys(FIELD_OF));
const value = orNull(either(named('value'), list(named('value'))));
const own = keyed(part, list(named('value')));
const outcome = { job, upTo: position };
const tally = (key: Rule) => keyed(key, number);
const scope = shape({
  since: orNull(wall),
  newSince: orNull(wall),
  depth: oneOf(...DEPTHS),
  isMissingOnly: flag,
  libraries: list(named('library')),
});

/** A new type does not compile until it is listed here with what of it may be told. */
const CONTROL: Readonly<Record<ControlEventType | Annotation['type'], Shape>> = {
  'policy.set': {
    policy: shape(Object.fromEntries(Object.keys(DEFAULT_POLICY).map((name) => [name, number]))),
    server: shape({ id: named('server'), under: named('settings') }),
  },
  'lease.requested': { lease, forMs: number },
  'lease.claimed': { lease, forMs: number, draw: number, isForced: flag, process },
  'lease.renewed': { ...leased, forMs: number },
  'lease.released': { ...leased, reason: oneOf(...stops, ...SYMPTOMS), answeredAt: wall },
  'lease.lost': leased,
  'probe.succeeded': { ...leased, tookMs: number, pending: number },
  'probe.failed': { ...leased, class: counts, symptom, draw: number, retryAfterMs: number },
  'attempt.succeeded': { ...leased, count: number },
  'attempt.failed': {
    ...leased,
    class: counts,
    symptom,
    draw: number,
    subject: job,
    opensAfter: number,
    retryAfterMs: number,
  },
  'backlog.drained': leased,
  'hold.placed': {
    hold,
    stance: oneOf('open', 'closed'),
    reason: text,
    forMs: number,
    under: named('settings'),
  },
  'hold.released': { hold, reason: text },
  'outage.noted': { opening: record, text },
};

const QUEUE: Readonly<Record<QueueEvent['type'], Shape>> = {
  'job.queued': { job, cause, changedAt: wall },
  'job.attempted': {
    ...outcome,
    item: named('item'),
    changes: list(shape({ field: part, before: value, after: value, isCut: flag })),
    own,
    digest: named('digest'),
    by: oneOf('undo', 'unlock', 'lock'),
    spares: keyed(part, orNull(orFalse(named('digest')))),
  },
  'job.restored': { job, item: named('item'), own, notes: list(text) },
  'job.delivered': {
    ...outcome,
    result: oneOf('written', 'unchanged', 'withheld', 'gone', 'expanded'),
    item: named('item'),
    own,
    cover: shape({
      sha1: named('digest'),
      validator: named('validator'),
      shown: keyed(part, named('picture')),
    }),
    digest: named('digest'),
    files: named('files'),
    notes: list(text),
  },
  'job.deferred': {
    ...outcome,
    reason: oneOf('missing', 'scanning', 'transient', 'error-500', 'incomplete', 'cover'),
    detail: text,
    attempt: number,
    waitMs: number,
    scan: named('scan'),
  },
  'job.deadLettered': {
    ...outcome,
    reason: oneOf(...DEAD_REASONS),
    detail: text,
  },
  'job.dropped': { ...outcome, reason: text },
  'reconcile.requested': { scope, cause },
  'reconcile.advanced': {
    // Ids of scenes, compared by size: their order among the pages stays, and no more.
    cursor: counted('cursor'),
    checked: number,
    left: number,
    gaps: shape({
      kinds: tally(oneOf(...GAP_KINDS)),
      fields: tally(part),
      libraries: tally(named('library')),
      skipped: tally(oneOf(...SKIP_REASONS)),
    }),
  },
  'reconcile.finished': { result: oneOf('done', 'cancelled') },
  // What stands in for segments that are gone tells of every scene: of that only where it was.
  'queue.compacted': {},
  // Which setting was changed, and never to what.
  'stash.looked': { upTo: wall, begin: wall },
  'settings.changed': {
    settings: keyed(
      named('setting'),
      orNull(shape({ value: text, origin: oneOf('stash', 'file', 'environment') })),
    ),
  },
};

/** What may be told of records of these types; of any other only that there was one. */
export const SHAPES: Readonly<Record<'control' | 'queue', Readonly<Record<string, Shape>>>> = {
  control: CONTROL,
  queue: QUEUE,
};

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

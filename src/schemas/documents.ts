// What each verb prints with --json: one schema each, from which the JSON Schema is made that `breakwater schema VERB` prints.
// A version goes up when a field is dropped or comes to mean something else; a field more is no new version, so a reader
// passes over what it does not know.

import { toJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';
import { COUNTED_CLASSES } from '../../machines/failure-classes.ts';
import {
  change,
  controlState,
  count,
  counts,
  drained,
  figure,
  gate,
  instant,
  job,
  journalCounts,
  names,
  nullable,
  queueCounts,
  reconciled,
  reconciliation,
  refusal,
} from './parts.ts';

interface DocumentSchema {
  readonly version: number;
  readonly schema: v.GenericSchema;
}

const outage = v.object({
  number: count,
  position: count,
  opening: v.string(),
  class: v.picklist(COUNTED_CLASSES),
  symptom: v.string(),
  symptoms: names,
  lastGood: nullable(instant),
  firstFailed: instant,
  lastFailed: instant,
  firstGood: nullable(instant),
  opened: instant,
  closed: nullable(instant),
  drained: nullable(instant),
  probes: count,
  waiting: count,
  notes: v.array(v.object({ at: v.number(), by: v.string(), text: v.string() })),
  figures: v.object({
    number: count,
    cause: v.string(),
    isOngoing: v.boolean(),
    shortestMs: v.number(),
    longestMs: nullable(v.number()),
    lastedMs: nullable(v.number()),
    detectedAfterMs: v.number(),
    drainedInMs: nullable(v.number()),
  }),
});

const outages = v.object({
  figures: v.object({
    count,
    ongoing: count,
    mttrMs: nullable(v.number()),
    mtbfMs: nullable(v.number()),
    availability: nullable(v.number()),
    coverage: v.object({ upMs: v.number(), downMs: v.number(), unobservedMs: v.number() }),
    windowMs: v.number(),
  }),
  outages: v.array(outage),
});

const status = v.object({
  breaker: v.picklist(['closed', 'open', 'half-open']),
  recovery: v.picklist(['idle', 'waiting', 'probing', 'proving', 'ramping']),
  gate,
  drainer: v.object({ isAlive: v.boolean(), owner: v.string() }),
  holds: v.array(v.object({ hold: v.string(), reason: v.string(), remainingMs: v.number() })),
  queue: counts('pending', 'deferred', 'dead'),
  delivered: v.object({ count, at: nullable(v.number()) }),
  oldestPendingAt: nullable(v.number()),
  waiting: v.array(
    v.object({ job: v.string(), reason: v.string(), dueInMs: v.number(), detail: v.string() }),
  ),
  dead: v.array(v.object({ job: v.string(), reason: v.string(), detail: v.string() })),
  reconciliation,
  journal: journalCounts,
  exposed: names,
});

const side = nullable(
  v.object({
    outages: count,
    detectedAfterMs: figure,
    probes: figure,
    foundBackAfterMs: figure,
    drainedInMs: figure,
  }),
);
const compared = {
  was: side,
  would: side,
  detectedLaterMs: figure,
  foundBackLaterMs: figure,
  drainedLaterMs: figure,
};
const policy = v.record(v.string(), v.number());
const backtest = v.object({
  overrides: policy,
  policy,
  outages: v.array(v.object({ number: nullable(count), cause: v.string(), ...compared })),
  total: v.object(compared),
});

const exported = v.union([
  v.object({ format: v.picklist(['csv', 'prometheus', 'golden']), what: v.string(), text: v.string() }),
  // A table has a name and version of its own: breakwater/export-outages/1.
  v.object({ rows: v.array(v.record(v.string(), v.any())) }),
]);

const undone = v.union([
  v.object({
    undone: v.array(
      v.object({
        scene: v.string(),
        item: v.string(),
        changes: v.array(change),
        left: v.array(v.object({ field: v.string(), reason: v.string() })),
        unmet: names,
      }),
    ),
    total: count,
    isDry: v.boolean(),
    stopped: nullable(v.string()),
  }),
  refusal,
]);

const locked = v.union([v.object({ scenes: count, fields: names, stopped: nullable(v.string()) }), refusal]);

const settings = v.union([
  v.object({
    settings: v.array(v.object({ name: v.string(), value: v.any(), origin: v.string() })),
    problems: v.array(v.object({ setting: v.string(), problem: v.string() })),
  }),
  v.object({
    takenOver: names,
    left: v.array(v.object({ setting: v.string(), reason: v.string() })),
    isDry: v.boolean(),
  }),
  refusal,
]);

const past = v.object({
  at: v.number(),
  reached: v.record(v.string(), v.any()),
  control: controlState,
  gate,
  queue: v.object({ counts: queueCounts, jobs: v.array(job), reconciliation }),
  journal: journalCounts,
});

const lines = {
  stream: v.picklist(['control', 'queue']),
  records: count,
  unknown: count,
  damaged: count,
  newer: count,
  damages: v.array(
    v.object({
      stream: v.string(),
      position: count,
      kind: v.picklist(['torn', 'altered']),
      reason: v.string(),
    }),
  ),
  unfinishedBytes: count,
  from: nullable(v.number()),
  to: nullable(v.number()),
  latest: nullable(v.number()),
};
const move = nullable(v.object({ from: v.string(), to: v.string() }));
const divergence = v.object({
  position: count,
  at: v.number(),
  type: v.string(),
  inv: v.string(),
  era: v.string(),
  machines: v.array(v.object({ machine: v.string(), expected: move, found: move })),
});
const verified = v.object({
  isSound: v.boolean(),
  control: v.object({
    ...lines,
    agreed: count,
    contended: count,
    adopted: count,
    drift: count,
    voids: count,
    eras: v.record(v.string(), count),
    firstDivergence: nullable(divergence),
  }),
  queue: v.optional(v.object(lines)),
  /** Of the control stream, then of the queue. */
  chains: v.array(
    v.variant('kind', [
      v.object({ kind: v.literal('intact'), chained: count, unchained: v.array(count) }),
      v.object({
        kind: v.literal('broken'),
        segment: count,
        file: v.string(),
        reason: v.picklist(['changed', 'missing', 'contradicted']),
        detail: v.string(),
      }),
    ]),
  ),
});

const why = v.object({
  state: names,
  links: v.array(
    v.object({
      stream: v.picklist(['control', 'queue']),
      position: count,
      at: v.number(),
      type: v.string(),
      text: v.string(),
    }),
  ),
  elided: v.object({ count, after: count }),
  next: names,
});

const finding = v.object({
  level: v.picklist(['ok', 'note', 'problem']),
  about: v.string(),
  says: v.string(),
  advice: v.string(),
});

/** By verb. */
export const DOCUMENTS = {
  status: first(status),
  outages: first(outages),
  check: first(
    v.union([
      v.object({
        plex: v.literal('ok'),
        version: v.string(),
        machineIdentifier: v.string(),
        problems: names,
      }),
      refusal,
    ]),
  ),
  drain: first(drained),
  sync: first(v.union([v.object({ queued: count, drain: drained }), reconciled])),
  reconcile: first(reconciled),
  queue: first(v.object({ counts: queueCounts, jobs: v.array(job) })),
  dead: first(v.object({ dead: v.array(job) })),
  retry: first(v.object({ retried: names, drain: drained })),
  drop: first(v.object({ dropped: names, isDry: v.boolean() })),
  clear: first(v.object({ dropped: count, jobs: names, isDry: v.boolean() })),
  hold: first(v.object({ stance: v.picklist(['open', 'closed']), forMs: v.number(), reason: v.string() })),
  release: first(v.object({ released: v.boolean() })),
  undo: first(undone),
  unlock: first(locked),
  lock: first(locked),
  settings: first(settings),
  replay: first(
    v.union([
      v.object({
        opening: v.optional(past),
        steps: v.optional(v.array(v.record(v.string(), v.any()))),
        stepsBefore: v.optional(count),
        state: nullable(past),
      }),
      verified,
    ]),
  ),
  verify: first(verified),
  why: first(why),
  doctor: first(v.object({ isOk: v.boolean(), findings: v.array(finding) })),
  report: first(
    v.object({ path: v.string(), bytes: count, events: count, outages: count, now: nullable(v.number()) }),
  ),
  note: first(v.object({ outage: count, text: v.string() })),
  backtest: first(backtest),
  export: first(exported),
} satisfies Record<string, DocumentSchema>;

export type DocumentName = keyof typeof DOCUMENTS;

export function isDocumentName(verb: string): verb is DocumentName {
  return Object.hasOwn(DOCUMENTS, verb);
}

/** `breakwater/status/1` */
export function schemaName(verb: DocumentName): string {
  return `breakwater/${verb}/${DOCUMENTS[verb].version}`;
}

/** The document with the name of its schema first; one that has a name of its own, or none yet, as it is. */
export function labelled(verb: string, document: unknown): unknown {
  return isDocumentName(verb) ? { schema: schemaName(verb), ...(document as object) } : document;
}

/** The JSON Schema (draft 2020-12) of what a verb prints. */
export function jsonSchemaOf(verb: DocumentName): object {
  const { $schema, properties, required, ...schema } = toJsonSchema(DOCUMENTS[verb].schema, {
    target: 'draft-2020-12',
  });
  const $id = schemaName(verb);
  return {
    $schema,
    $id,
    title: `What "breakwater ${verb} --json" prints`,
    ...schema,
    properties: { schema: verb === 'export' ? { type: 'string' } : { const: $id }, ...properties },
    required: ['schema', ...(required ?? [])],
  };
}

function first(schema: v.GenericSchema): DocumentSchema {
  return { version: 1, schema };
}

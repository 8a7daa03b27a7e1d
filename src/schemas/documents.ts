// What each verb prints with --json: one schema each, from which the JSON Schema is made that `breakwater schema VERB` prints.
// A version goes up when a field is dropped or comes to mean something else; a field more is no new version, so a reader
// passes over what it does not know.

import { toJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';
import {
  count,
  counts,
  drained,
  figure,
  instant,
  job,
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
  class: v.picklist(['outage', 'maintenance', 'transient']),
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

const gate = v.object({
  kind: v.picklist(['go', 'probe', 'wait', 'held']),
  limit: v.optional(count),
  remainingMs: v.optional(v.number()),
  hold: v.optional(v.string()),
  reason: v.optional(v.string()),
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
  journal: counts(
    'records',
    'voids',
    'contended',
    'adopted',
    'drift',
    'damaged',
    'newer',
    'damagedQueueLines',
  ),
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
  drop: first(v.object({ dropped: names })),
  clear: first(v.object({ dropped: count })),
  hold: first(v.object({ stance: v.picklist(['open', 'closed']), forMs: v.number(), reason: v.string() })),
  release: first(v.object({ released: v.boolean() })),
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

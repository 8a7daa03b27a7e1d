// The three tables that can be exported: outages, events, queue. Times are UTC in ISO 8601, lengths are in ms.

import { EMPTY_FOLD, foldEntry, type Journal, readAll } from '../breaker/index.ts';
import type { Instant, OutageHistory } from '../outages/outages.ts';
import { figuresOf } from '../outages/summary.ts';
import { DELIVERY_ORDER, type Queue } from '../queue/queue.ts';
import { STREAMS } from '../queue/streams.ts';
import type { Cell, Table } from './table.ts';

export const TABLES = ['outages', 'events', 'queue'] as const;
export type TableName = (typeof TABLES)[number];

export function outageTable({ outages }: OutageHistory): Table {
  return {
    columns: [
      'number',
      'class',
      'cause',
      'last_good',
      'first_failed',
      'opened',
      'last_failed',
      'first_good',
      'closed',
      'drained',
      'lasted_ms',
      'shortest_ms',
      'longest_ms',
      'detected_after_ms',
      'drained_in_ms',
      'probes',
      'waiting',
      'notes',
    ],
    rows: outages.map((outage) => {
      const { cause, lastedMs, shortestMs, longestMs, detectedAfterMs, drainedInMs } = figuresOf(outage);
      const { number, lastGood, firstFailed, opened, lastFailed, firstGood, closed, drained } = outage;
      return [
        number,
        outage.class,
        cause,
        ...[lastGood, firstFailed, opened, lastFailed, firstGood, closed, drained].map(isoOf),
        ...[lastedMs, shortestMs, longestMs, detectedAfterMs, drainedInMs].map(rounded),
        outage.probes,
        outage.waiting,
        outage.notes.map(({ text }) => text).join(' | '),
      ];
    }),
  };
}

export function queueTable({ jobs }: Queue): Table {
  return {
    columns: ['job', 'state', 'reason', 'detail', 'queued', 'due', 'attempts', 'causes'],
    rows: [...jobs.values()]
      .sort(DELIVERY_ORDER)
      .map((job) => [
        job.job,
        job.state,
        'reason' in job ? job.reason : null,
        'detail' in job ? job.detail : null,
        iso(job.queuedAt),
        job.state === 'deferred' ? iso(job.due.from.at + job.due.waitMs) : null,
        job.attempts,
        job.causes.join(' '),
      ]),
  };
}

/** Every record of both streams. `verdict`: what the fold says of a control record. */
export async function eventTable(journal: Journal): Promise<Table> {
  const rows: Cell[][] = [];
  let fold = EMPTY_FOLD;
  for (const stream of STREAMS) {
    for await (const entry of readAll(journal, stream)) {
      const folded = stream === 'control' ? foldEntry(fold, entry) : null;
      fold = folded?.fold ?? fold;
      if (entry.kind !== 'record') {
        rows.push([stream, entry.position, null, null, null, entry.kind, null]);
        continue;
      }
      const { at, inv, type, data } = entry.record;
      const step = folded?.step ?? null;
      const verdict = step === null ? null : step.isVoid ? 'void' : step.agreement;
      rows.push([stream, entry.position, iso(at), inv, type, verdict, data]);
    }
  }
  return { columns: ['stream', 'position', 'at', 'by', 'type', 'verdict', 'data'], rows };
}

function isoOf(instant: Instant | null): string | null {
  return instant === null ? null : iso(instant.at);
}

/** A wall clock may be set to anything; not all of it is a date. */
function iso(at: number): string | null {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}

function rounded(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms);
}

// A log laid out for a backtest: what was recorded in both streams on one time line, what was seen of Plex, and how fast
// things went.

import type { CountedClass } from '../../machines/failure-classes.ts';
import { elapsedMs, type Moment } from '../../machines/time.ts';
import { EMPTY_FOLD, foldEntry, type Journal, readAll, type Step } from '../breaker/index.ts';
import { evolveHistory, newHistory, type OutageHistory } from '../outages/outages.ts';
import type { PlacedQueueEvent } from '../queue/queue.ts';
import { queueEventOf } from '../queue/queue-fold.ts';
import { PlexModel, type Seen } from './plex-model.ts';

/** `t` is on the time line of the outage history, in ms. */
export type Recorded =
  | { readonly kind: 'control'; readonly t: number; readonly moment: Moment; readonly step: Step }
  | { readonly kind: 'queue'; readonly t: number; readonly moment: Moment; readonly event: PlacedQueueEvent };

export interface RecordedLog {
  readonly items: readonly Recorded[];
  readonly history: OutageHistory;
  readonly plex: PlexModel;
  /** How long a probe and a job took, in ms: the median probe, and the pace of the backlogs that were drained. */
  readonly pace: { readonly probeMs: number; readonly jobMs: number };
  /** What was drawn, in order, each with the index of its item. */
  readonly draws: readonly { readonly index: number; readonly draw: number }[];
}

/** Where a log has none to measure. */
const DEFAULT_PACE = { probeMs: 50, jobMs: 100 };

export async function readRecorded(journal: Journal): Promise<RecordedLog> {
  let fold = EMPTY_FOLD;
  let history = newHistory();
  const items: Recorded[] = [];
  const seen: Seen[] = [];
  const jobs = await queueEvents(journal);
  let nextJob = 0;
  const addJobsBefore = (moment: Moment | null) => {
    for (let job = jobs[nextJob]; job !== undefined; job = jobs[++nextJob]) {
      if (moment !== null && !isBefore(job.moment, moment)) return;
      items.push({ kind: 'queue', t: timeOf(history, job.moment), moment: job.moment, event: job });
    }
  };
  for await (const entry of readAll(journal, 'control')) {
    const folded = foldEntry(fold, entry);
    fold = folded.fold;
    const { step } = folded;
    if (step === null || step.event === null) continue;
    addJobsBefore(step.event.moment);
    const before = history.lastSeen;
    history = evolveHistory(history, step);
    items.push({ kind: 'control', t: history.tip?.instant.t ?? 0, moment: step.event.moment, step });
    if (history.lastSeen !== null && history.lastSeen !== before) seen.push(seenOf(history.lastSeen, step));
  }
  addJobsBefore(null);
  return {
    items,
    history,
    plex: new PlexModel(seen),
    pace: { probeMs: probeMsOf(items), jobMs: jobMsOf(items, history) },
    draws: items.flatMap((item, index) => {
      const draw = item.kind === 'control' ? item.step.record.data.draw : undefined;
      return typeof draw === 'number' ? [{ index, draw }] : [];
    }),
  };
}

async function queueEvents(journal: Journal): Promise<PlacedQueueEvent[]> {
  const events: PlacedQueueEvent[] = [];
  for await (const entry of readAll(journal, 'queue')) {
    const event = entry.kind === 'record' ? queueEventOf(entry.record, entry.position) : null;
    if (event !== null) events.push(event);
  }
  return events;
}

function isBefore(a: Moment, b: Moment): boolean {
  return a.boot === b.boot ? a.mono < b.mono : a.at < b.at;
}

/** Behind the newest record of the other stream. */
function timeOf({ tip }: OutageHistory, moment: Moment): number {
  if (tip === null) return moment.at;
  return tip.instant.t + elapsedMs({ at: tip.instant.at, mono: tip.mono, boot: tip.boot }, moment);
}

function seenOf({ instant, isGood }: NonNullable<OutageHistory['lastSeen']>, { record }: Step): Seen {
  const { class: failure, symptom } = record.data as { class?: CountedClass; symptom?: string };
  return { t: instant.t, isGood, class: failure ?? 'outage', symptom: symptom ?? 'unknown' };
}

function probeMsOf(items: readonly Recorded[]): number {
  const lengths: number[] = [];
  let claimedAt: number | null = null;
  for (const item of items) {
    if (item.kind !== 'control' || item.step.isVoid) continue;
    const { event } = item.step;
    if (event?.type === 'lease.claimed' && event.lease === 'probe') claimedAt = item.t;
    const isResult = event?.type === 'probe.failed' || event?.type === 'probe.succeeded';
    if (!isResult || event.lease !== 'probe' || claimedAt === null) continue;
    lengths.push(item.t - claimedAt);
    claimedAt = null;
  }
  lengths.sort((a, b) => a - b);
  return Math.max(1, lengths[lengths.length >> 1] ?? DEFAULT_PACE.probeMs);
}

function jobMsOf(items: readonly Recorded[], { outages }: OutageHistory): number {
  let [ms, jobs] = [0, 0];
  let index = 0;
  for (const { firstGood, drained } of outages) {
    if (firstGood === null || drained === null) continue;
    const before = jobs;
    for (let item = items[index]; item !== undefined && item.t <= drained.t; item = items[++index]) {
      if (item.kind === 'queue' && item.t >= firstGood.t && item.event.type !== 'job.queued')
        jobs += isOutcome(item.event);
    }
    if (jobs > before) ms += drained.t - firstGood.t;
  }
  return jobs === 0 ? DEFAULT_PACE.jobMs : Math.max(1, ms / jobs);
}

function isOutcome({ type }: PlacedQueueEvent): number {
  return type === 'job.delivered' || type === 'job.deferred' || type === 'job.deadLettered' ? 1 : 0;
}

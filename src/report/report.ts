// reportOf: the two streams → what a report says. It reads through the journal's port and folds with the one fold
// (control/replay), the queue's store and the outage history; it computes no figure of its own, so it cannot
// tell another story than `status` and `outages`.
// It knows no clock: "now" is the newest record, unless the caller says otherwise.

import type { Moment } from '../../machines/time.ts';
import {
  EMPTY_FOLD,
  type Entry,
  type FoldState,
  foldEntry,
  type Journal,
  readAll,
  type Step,
} from '../breaker/index.ts';
import { statusOf } from '../cli/status.ts';
import { evolveHistory, newHistory, type Outage, type OutageHistory } from '../outages/outages.ts';
import { figuresOf, historyFigures } from '../outages/summary.ts';
import { createQueue } from '../queue/queue.ts';
import { queueEventOf } from '../queue/queue-fold.ts';
import { Backlog } from './backlog.ts';
import type { DrainCurve, ReportData, ReportOutage } from './report-data.ts';
import { ShownLog } from './shown-log.ts';
import { SpanFold, spanColumns } from './spans.ts';

/** Outages that have a card; older ones are in the figures. */
export const MAX_OUTAGES = 100;
const CURVE_PIECES = 40;
const CURVE_MARGIN = 0.15;
/** A drain that took no time at all is drawn over this, in ms. */
const MIN_DRAIN_MS = 1_000;
const NO_MOMENT: Moment = { at: 0, mono: 0, boot: '' };

/** `now`: wall ms, not before the newest record; null: the newest record. */
export async function reportOf(journal: Journal, now: number | null): Promise<ReportData> {
  const fold = new ReportFold();
  for await (const entry of readAll(journal, 'queue')) fold.queue(entry);
  for await (const entry of readAll(journal, 'control')) fold.control(entry);
  return fold.data(now);
}

/** Takes the entries of both streams, each in its order; the queue's first. */
class ReportFold {
  #fold: FoldState = EMPTY_FOLD;
  #history: OutageHistory = newHistory();
  #newest: Moment = NO_MOMENT;
  #begunAt: number | null = null;
  #damagedQueueLines = 0;
  readonly #queue = createQueue();
  readonly #backlog = new Backlog();
  readonly #spans = new SpanFold();
  readonly #log = new ShownLog();

  queue(entry: Entry): void {
    if (entry.kind !== 'record') {
      this.#damagedQueueLines += 1;
      return;
    }
    const event = queueEventOf(entry.record, entry.position);
    this.#note(entry.record);
    if (event === null) return;
    this.#queue.send(event);
    this.#backlog.add(entry.record.at, this.#queue.getSnapshot().context.counts);
  }

  control(entry: Entry): void {
    const { fold, step } = foldEntry(this.#fold, entry);
    this.#fold = fold;
    if (step !== null) this.#step(step);
    else if (entry.kind !== 'record') {
      const { kind: mark, position } = entry;
      const detail = entry.kind === 'damaged' ? entry.reason : `version ${entry.version}`;
      const { at, t } = this.#history.tip?.instant ?? NO_INSTANT;
      this.#log.add({ kind: 'unread', mark, detail, position, at, t });
    }
  }

  data(asked: number | null): ReportData {
    const now = momentOf(this.#newest, asked);
    const { queue, history } = { queue: this.#queue.getSnapshot().context, history: this.#history };
    const { control, counts } = this.#fold;
    const log = this.#log.columns(this.#backlog, control);
    const ongoing = control.breaker.value === 'closed' ? undefined : history.outages.at(-1);
    return {
      now: now.at,
      begunAt: this.#begunAt,
      // Whether the process of a lease is still there is nothing that a log can tell.
      status: statusOf(control, queue, counts, this.#damagedQueueLines, now, false),
      awaySince: ongoing?.firstFailed.at ?? null,
      figures: historyFigures(history),
      records: counts,
      outages: history.outages.slice(-MAX_OUTAGES).map((outage) => this.#outage(outage, now.at)),
      olderOutages: Math.max(0, history.outages.length - MAX_OUTAGES),
      spans: spanColumns(this.#spans.spans(now.at)),
      log,
    };
  }

  #step(step: Step): void {
    this.#note(step.record);
    const before = this.#history;
    this.#history = evolveHistory(before, step);
    this.#spans.add(before, this.#history, step);
    this.#log.add({ kind: 'step', step, t: this.#history.tip?.instant.t ?? step.record.at });
  }

  #note(record: Moment): void {
    this.#begunAt = Math.min(this.#begunAt ?? record.at, record.at);
    const { at, mono, boot } = record;
    if (at >= this.#newest.at) this.#newest = { at, mono, boot };
  }

  #outage(outage: Outage, now: number): ReportOutage {
    const { number, lastGood, firstFailed, lastFailed, firstGood, closed, drained, probes, waiting } = outage;
    const opensAt = this.#log.indexOf(outage.position);
    return {
      number,
      class: outage.class,
      lastGood: lastGood?.at ?? null,
      firstFailed: firstFailed.at,
      lastFailed: lastFailed.at,
      firstGood: firstGood?.at ?? null,
      closed: closed?.at ?? null,
      drained: drained?.at ?? null,
      probes,
      waiting,
      figures: figuresOf(outage),
      notes: outage.notes.map(({ at, text }) => ({ at, text })),
      opensAt,
      closesAt: opensAt === null || closed === null ? null : this.#log.closingFrom(opensAt),
      curve: this.#curve(outage, now),
    };
  }

  #curve({ firstFailed, firstGood, drained }: Outage, now: number): DrainCurve {
    const awayTo = Math.max(firstGood?.at ?? now, firstFailed.at);
    const away = this.#backlog.curve(firstFailed.at, awayTo, CURVE_PIECES);
    if (firstGood === null) return { away, back: null };
    // A little further than it was dry, or nobody would see that it was.
    const driedAt = drained === null ? now : drained.at + (drained.at - firstGood.at) * CURVE_MARGIN;
    const backTo = Math.max(Math.round(driedAt), firstGood.at + MIN_DRAIN_MS);
    return { away, back: this.#backlog.curve(firstGood.at, backTo, CURVE_PIECES) };
  }
}

const NO_INSTANT = { at: 0, t: 0 };

function momentOf(newest: Moment, asked: number | null): Moment {
  if (asked === null) return newest;
  if (asked < newest.at) {
    throw new Error(
      `now cannot be before the newest record (${new Date(newest.at).toISOString()}): a report tells of the whole log`,
    );
  }
  return { at: asked, mono: newest.mono + asked - newest.at, boot: newest.boot };
}

/** What people wrote down about an outage, where the history knows of it. */

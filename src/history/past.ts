// What was true at a point of the story: the fold of everything up to there, by the same folds that live by it. One
// past is carried along a replay; nobody but `tell` changes it.

import type { Moment } from '../../machines/time.ts';
import {
  EMPTY_FOLD,
  type FoldState,
  foldEntry,
  type JournalRecord,
  type Position,
  type Step,
} from '../breaker/index.ts';
import { createQueue, type Job, type PlacedQueueEvent, type Queue } from '../queue/queue.ts';
import { queueEventOf } from '../queue/queue-fold.ts';
import type { StreamName } from '../queue/streams.ts';
import type { Told } from './told.ts';

/** Where a job is; `none`: nothing waits for it. */
export type JobPlace = Job['state'] | 'none';

/** What one line did. `at` as in `Told`. */
export type Happening = {
  readonly stream: StreamName;
  readonly position: Position;
  readonly at: number;
} & (
  | { readonly kind: 'control'; readonly step: Step }
  | {
      readonly kind: 'queue';
      readonly record: JournalRecord;
      /** Null for a type that this code does not know. */
      readonly event: PlacedQueueEvent | null;
      /** Of a job's event: where the job was and is. */
      readonly moved: { readonly from: JobPlace; readonly to: JobPlace } | null;
    }
  | { readonly kind: 'damaged'; readonly reason: string }
  | { readonly kind: 'newer'; readonly version: number }
);

/** Where each stream had come to; null: nothing was told of it yet. */
export type Reached = Readonly<Record<StreamName, Position | null>>;

export class Past {
  readonly #queue = createQueue();
  #fold: FoldState = EMPTY_FOLD;
  #reached: Reached = { control: null, queue: null };
  #damagedQueueLines = 0;
  #at = 0;
  #moment: Moment | null = null;

  get fold(): FoldState {
    return this.#fold;
  }

  get queue(): Queue {
    return this.#queue.getSnapshot().context;
  }

  get damagedQueueLines(): number {
    return this.#damagedQueueLines;
  }

  /** The newest line of each stream that is in it. */
  get reached(): Reached {
    return this.#reached;
  }

  /** Wall ms of what was told last. */
  get at(): number {
    return this.#at;
  }

  get hasRecords(): boolean {
    return this.#moment !== null;
  }

  /**
   * The moment at which it is asked what is due: `at`, on the clocks of the record before. Never earlier than that
   * record, or a wait would seem longer than it was.
   */
  momentAt(at: number): Moment {
    if (this.#moment === null) return { at, mono: 0, boot: '' };
    const laterMs = Math.max(0, at - this.#moment.at);
    return { ...this.#moment, at: this.#moment.at + laterMs, mono: this.#moment.mono + laterMs };
  }

  tell({ stream, entry, at }: Told): Happening {
    const { position } = entry;
    this.#reached = { ...this.#reached, [stream]: position };
    this.#at = at;
    if (entry.kind === 'record') {
      const { record } = entry;
      this.#moment = { at: record.at, mono: record.mono, boot: record.boot };
    }
    const place = { stream, position, at };
    if (stream === 'control') {
      const { fold, step } = foldEntry(this.#fold, entry);
      this.#fold = fold;
      if (step !== null) return { ...place, kind: 'control', step };
    } else if (entry.kind === 'record') {
      return { ...place, kind: 'queue', record: entry.record, ...this.#tellQueue(entry.record, position) };
    } else {
      this.#damagedQueueLines += 1;
    }
    if (entry.kind === 'newer') return { ...place, kind: 'newer', version: entry.version };
    return { ...place, kind: 'damaged', reason: entry.kind === 'damaged' ? entry.reason : '' };
  }

  #tellQueue(record: JournalRecord, position: Position) {
    const event = queueEventOf(record, position);
    if (event === null) return { event, moved: null };
    if (!('job' in event)) {
      this.#queue.send(event);
      return { event, moved: null };
    }
    const from = this.#placeOf(event.job);
    this.#queue.send(event);
    return { event, moved: { from, to: this.#placeOf(event.job) } };
  }

  #placeOf(job: Job['job']): JobPlace {
    return this.queue.jobs.get(job)?.state ?? 'none';
  }
}

// The queue stream as one process sees it: refresh, then append outcomes. Unlike control it needs no
// witness: outcomes say which records they cover, so the order of two appends never loses a job.

import type { Checkpoint } from '../journal/atomic-file.ts';
import { type AppendResult, type Journal, JournalError } from '../journal/journal.ts';
import type { Entry } from '../journal/lines.ts';
import type { JournalRecord, Position } from '../journal/record.ts';
import { checkCheckpoint, originOf } from '../journal/trust.ts';
import { makeRecord, type Writer } from '../journal/writer.ts';
import type { JobName, QueueEvent } from './events.ts';
import {
  createQueue,
  type Job,
  type Known,
  type PlacedQueueEvent,
  type Queue,
  type QueueStore,
} from './queue.ts';
import { isQueueEvent } from './queue-shapes.ts';

/** Bump when the shape of the queue's state changes: older checkpoints are then ignored. */
const QUEUE_ERA = 'queue-6';

/** The queue as JSON holds it. */
interface QueueImage {
  readonly jobs: readonly (readonly [JobName, Job])[];
  readonly known: readonly (readonly [JobName, Known])[];
  readonly counts: Queue['counts'];
  readonly reconciliation: Queue['reconciliation'];
  readonly settings: Queue['settings'];
  readonly begunAt: number;
}

export type QueueCheckpoint = Checkpoint<QueueImage>;

export class QueueLog {
  readonly #journal: Journal;
  readonly #writer: Writer;
  readonly #store: QueueStore;
  #position: Position;
  #last: QueueCheckpoint['last'] | null;
  #damaged = 0;
  #hasSkippedNewer = false;
  #sinceCheckpoint = 0;

  private constructor(journal: Journal, writer: Writer, checkpoint: QueueCheckpoint | null) {
    this.#journal = journal;
    this.#writer = writer;
    this.#store = createQueue(checkpoint === null ? undefined : fromImage(checkpoint.state));
    this.#position = checkpoint?.position ?? 0;
    this.#last = checkpoint?.last ?? null;
  }

  static async open(
    journal: Journal,
    writer: Writer,
    checkpoint: QueueCheckpoint | null = null,
  ): Promise<QueueLog> {
    const checked = await checkCheckpoint(journal, 'queue', originOf(QUEUE_ERA, writer), checkpoint);
    const log = new QueueLog(journal, writer, checked.kind === 'trusted' ? checked.checkpoint : null);
    await log.refresh();
    return log;
  }

  get queue(): Queue {
    return this.#store.getSnapshot().context;
  }

  /** Everything before this was folded; outcomes may cover up to here. */
  get position(): Position {
    return this.#position;
  }

  /** Lines that were damaged, since the checkpoint that this began with. */
  get damaged(): number {
    return this.#damaged;
  }

  get tailLength(): number {
    return this.#sinceCheckpoint;
  }

  /** Whether a change waits that was queued at `position` or later. */
  hasPendingSince(position: Position): boolean {
    for (const job of this.queue.jobs.values()) {
      if (job.state === 'pending' && job.newest >= position) return true;
    }
    return false;
  }

  /** Null while the log is empty, and where not all of it could be read: a newer Breakwater would take it for the whole. */
  checkpoint(): QueueCheckpoint | null {
    if (this.#last === null || this.#hasSkippedNewer) return null;
    const { jobs, known, ...rest } = this.queue;
    const state = { jobs: [...jobs], known: [...known], ...rest };
    return { ...originOf(QUEUE_ERA, this.#writer), position: this.#position, last: this.#last, state };
  }

  async refresh(): Promise<void> {
    for (;;) {
      const chunk = await this.#journal.read('queue', this.#position);
      if (chunk.next === this.#position) return;
      for (const entry of chunk.entries) this.#fold(entry);
      this.#position = chunk.next;
    }
  }

  async append(...events: readonly QueueEvent[]): Promise<AppendResult> {
    const records = events.map(({ type, ...data }) => {
      const record = makeRecord(this.#writer, type, data);
      // A reader would step over it, and what it was to end would go on for ever.
      if (!isQueueEvent(type, record.data)) {
        throw new Error(`a ${type} of this shape would be void: ${JSON.stringify(data).slice(0, 500)}`);
      }
      return record;
    });
    const result = await this.#journal.append('queue', records);
    await this.refresh();
    return result;
  }

  /** The same for a caller that cannot go on without having written. */
  async appendOrThrow(...events: readonly QueueEvent[]): Promise<void> {
    const appended = await this.append(...events);
    if (!appended.ok) throw new JournalError(appended.failure.detail);
  }

  #fold(entry: Entry): void {
    this.#sinceCheckpoint += 1;
    if (entry.kind !== 'record') {
      this.#damaged += 1;
      if (entry.kind === 'newer') this.#hasSkippedNewer = true;
      return;
    }
    this.#last = { position: entry.position, id: entry.record.id };
    const event = queueEventOf(entry.record, entry.position);
    if (event !== null) this.#store.send(event);
  }
}

/** The event of a queue record; null for one that this code does not know, or that makes no sense. */
export function queueEventOf(record: JournalRecord, position: Position): PlacedQueueEvent | null {
  if (!isQueueEvent(record.type, record.data)) return null;
  const moment = { at: record.at, mono: record.mono, boot: record.boot };
  return { ...record.data, type: record.type, position, moment } as unknown as PlacedQueueEvent;
}

function fromImage(image: QueueImage): Queue {
  return { ...image, jobs: new Map(image.jobs), known: new Map(image.known) };
}

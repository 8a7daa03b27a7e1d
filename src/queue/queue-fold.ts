// A fold of the queue stream that one process keeps: it refreshes, appends, and can be kept as a checkpoint. What the
// events come to is the subclass's business: all of it for a drainer, and little for a wake.

import {
  type AppendResult,
  type Checkpoint,
  type Entry,
  filledIn,
  type Journal,
  JournalError,
  type JournalRecord,
  makeRecord,
  originOf,
  type Position,
  type Upcasts,
  upcast,
  type Writer,
} from '../breaker/index.ts';
import type { QueueEvent } from './events.ts';
import type { PlacedQueueEvent } from './queue.ts';
import { isQueueEvent } from './queue-shapes.ts';
import { NO_GAPS, WIDEST } from './reconciliation.ts';

export abstract class QueueFold<Image> {
  readonly #journal: Journal;
  readonly #writer: Writer;
  readonly #era: string;
  #position: Position;
  #last: Checkpoint<Image>['last'] | null;
  #damaged = 0;
  #hasSkippedNewer = false;
  #sinceCheckpoint = 0;

  protected constructor(journal: Journal, writer: Writer, era: string, checkpoint: Checkpoint<Image> | null) {
    this.#journal = journal;
    this.#writer = writer;
    this.#era = era;
    this.#position = checkpoint?.position ?? 0;
    this.#last = checkpoint?.last ?? null;
  }

  protected abstract fold(event: PlacedQueueEvent): void;
  /** What a checkpoint keeps. */
  protected abstract image(): Image;

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

  /** Null while the log is empty, and where not all of it could be read: a newer version would take it for the whole. */
  checkpoint(): Checkpoint<Image> | null {
    const mark = this.mark();
    return mark === null ? null : { ...mark, state: this.image() };
  }

  /** Of what a checkpoint of now would be. */
  mark(): Omit<Checkpoint<Image>, 'state'> | null {
    if (this.#last === null || this.#hasSkippedNewer) return null;
    return { ...originOf(this.#era, this.#writer), position: this.#position, last: this.#last };
  }

  async refresh(): Promise<void> {
    for (;;) {
      const chunk = await this.#journal.read('queue', this.#position);
      if (chunk.next === this.#position) return;
      for (const entry of chunk.entries) this.#foldEntry(entry);
      this.#position = chunk.next;
    }
  }

  async append(...events: readonly QueueEvent[]): Promise<AppendResult> {
    const records = events.map((event) => queueRecord(this.#writer, event));
    const result = await this.#journal.append('queue', records);
    await this.refresh();
    return result;
  }

  /** The same for a caller that cannot go on without having written. */
  async appendOrThrow(...events: readonly QueueEvent[]): Promise<void> {
    const appended = await this.append(...events);
    if (!appended.ok) throw new JournalError(appended.failure.detail);
  }

  #foldEntry(entry: Entry): void {
    this.#sinceCheckpoint += 1;
    if (entry.kind !== 'record') {
      this.#damaged += 1;
      if (entry.kind === 'newer') this.#hasSkippedNewer = true;
      return;
    }
    this.#last = { position: entry.position, id: entry.record.id };
    const event = queueEventOf(entry.record, entry.position);
    if (event !== null) this.fold(event);
  }
}

/** Throws on an event of a wrong shape: a reader would step over it, and what it was to end would go on for ever. */
function queueRecord(writer: Writer, { type, ...data }: QueueEvent): JournalRecord {
  const record = makeRecord(writer, type, data);
  if (isQueueEvent(type, record.data)) return record;
  throw new Error(`a ${type} of this shape would be void: ${JSON.stringify(data).slice(0, 500)}`);
}

/** What a scope could not say yet, it did not narrow; what was not counted yet is counted as none. */
const UPCASTS: Upcasts = {
  'reconcile.requested': filledIn('scope', WIDEST),
  'reconcile.advanced': filledIn('gaps', NO_GAPS),
};

/** The event of a queue record; null for one that this code does not know, or that makes no sense. */
export function queueEventOf(recorded: JournalRecord, position: Position): PlacedQueueEvent | null {
  const record = upcast(recorded, UPCASTS);
  if (!isQueueEvent(record.type, record.data)) return null;
  const moment = { at: record.at, mono: record.mono, boot: record.boot };
  return { ...record.data, type: record.type, position, moment } as unknown as PlacedQueueEvent;
}

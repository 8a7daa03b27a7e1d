// The queue stream as one process sees it: refresh, then append outcomes. Unlike control it needs no
// witness: outcomes say which records they cover, so the order of two appends never loses a job.

import { type Checkpoint, type Journal, originOf, trusted, type Writer } from '../breaker/index.ts';
import type { JobName } from './events.ts';
import { type LookedImage, lookedFrom, lookedImage } from './looked.ts';
import {
  createQueue,
  type Job,
  type Known,
  type PlacedQueueEvent,
  type Queue,
  type QueueStore,
} from './queue.ts';
import { QueueFold } from './queue-fold.ts';

/** Bump when the shape of the queue's state changes: older checkpoints are then ignored. */
const QUEUE_ERA = 'queue-7';

/** The queue as JSON holds it. */
export interface QueueImage {
  readonly jobs: readonly (readonly [JobName, Job])[];
  readonly known: readonly (readonly [JobName, Known])[];
  readonly counts: Queue['counts'];
  readonly reconciliation: Queue['reconciliation'];
  readonly looked: LookedImage;
  readonly settings: Queue['settings'];
  readonly begunAt: number;
}

export type QueueCheckpoint = Checkpoint<QueueImage>;

export class QueueLog extends QueueFold<QueueImage> {
  readonly #store: QueueStore;

  private constructor(journal: Journal, writer: Writer, checkpoint: QueueCheckpoint | null) {
    super(journal, writer, QUEUE_ERA, checkpoint);
    this.#store = createQueue(checkpoint === null ? undefined : fromImage(checkpoint.state));
  }

  static async open(
    journal: Journal,
    writer: Writer,
    checkpoint: QueueCheckpoint | null = null,
  ): Promise<QueueLog> {
    const kept = await trusted(journal, 'queue', originOf(QUEUE_ERA, writer), checkpoint);
    const log = new QueueLog(journal, writer, kept);
    await log.refresh();
    return log;
  }

  get queue(): Queue {
    return this.#store.getSnapshot().context;
  }

  /** Whether a change waits that was queued at `position` or later. */
  hasPendingSince(position: number): boolean {
    for (const job of this.queue.jobs.values()) {
      if (job.state === 'pending' && job.newest >= position) return true;
    }
    return false;
  }

  protected fold(event: PlacedQueueEvent): void {
    this.#store.send(event);
  }

  protected image(): QueueImage {
    const { jobs, known, looked, ...rest } = this.queue;
    return { jobs: [...jobs], known: [...known], looked: lookedImage(looked), ...rest };
  }
}

function fromImage({ jobs, known, looked, ...rest }: QueueImage): Queue {
  return { ...rest, jobs: new Map(jobs), known: new Map(known), looked: lookedFrom(looked) };
}

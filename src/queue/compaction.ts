// Which sealed segments of the queue stream are dropped, and what stands in for them: the fold of all before the first
// that stays. No checkpoint is trusted for it; it is folded from the log itself.
//
// What is dropped is history, never state: what was queued, deferred, given up or delivered stays known. But what
// a delivery changed is in its segment alone, so undo reaches back as far as the segments do.

import { type Journal, makeRecord, type Position, type Segments, type Writer } from '../breaker/index.ts';
import { compactedEvents } from './compacted.ts';
import { createQueue, type Queue } from './queue.ts';
import { queueEventOf } from './queue-fold.ts';

export interface QueueRetention {
  /** How long a segment stays after it was sealed, in ms. */
  readonly keepMs: number;
  /** All segments together; over it the oldest go before their time. */
  readonly maxBytes: number;
}

/** Whether anything was dropped. */
export async function compactQueue(
  journal: Journal,
  segments: Segments,
  writer: Writer,
  retention: QueueRetention,
): Promise<boolean> {
  const first = await firstToKeep(segments, retention, writer.now().at);
  if (first === null) return false;
  const queue = await queueAt(journal, first.base);
  if (queue === null) return false;
  const image = [...compactedEvents(queue)].map(({ type, ...data }) => makeRecord(writer, type, data));
  const dropped = await segments.dropBefore('queue', first.index, image);
  return dropped.ok;
}

async function firstToKeep(segments: Segments, { keepMs, maxBytes }: QueueRetention, at: number) {
  const all = await segments.list('queue');
  let bytes = all.reduce((sum, segment) => sum + segment.bytes, 0);
  let freed = 0;
  let kept = 0;
  for (const [place, segment] of all.slice(0, -1).entries()) {
    const isOld = segment.sealedAt !== null && segment.sealedAt + keepMs <= at;
    if (!isOld && bytes <= maxBytes) break;
    bytes -= segment.bytes;
    freed += segment.bytes;
    kept = place + 1;
  }
  // The image is written anew each time: not for less than it takes itself.
  const isWorthIt = freed > 0 && freed >= (await segments.imageBytes('queue'));
  return isWorthIt ? (all[kept] ?? null) : null;
}

/** The fold of everything before `end`; null when somebody else dropped some of it meanwhile. */
async function queueAt(journal: Journal, end: Position): Promise<Queue | null> {
  const store = createQueue();
  let at = 0;
  while (at < end) {
    const { entries, next } = await journal.read('queue', at);
    if (next === at) return null;
    for (const entry of entries) {
      const event = entry.kind === 'record' ? queueEventOf(entry.record, entry.position) : null;
      if (event !== null) store.send(event);
    }
    at = next;
  }
  return at === end ? store.getSnapshot().context : null;
}

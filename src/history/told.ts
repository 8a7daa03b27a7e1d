// Both streams as one story, for telling. Each stream keeps its own order, whatever its clocks said; between the two
// the wall clock decides. The order of a stream is a fact, the order between them is for display: nothing that is
// folded depends on it.

import type { Entry, Journal, Position } from '../breaker/index.ts';
import type { StreamName } from '../queue/streams.ts';

export interface Told {
  readonly stream: StreamName;
  readonly entry: Entry;
  /**
   * Wall ms by which it stands in the story: of its record, or of one before it in its stream that said later. So it
   * never runs backwards, and "until T" is the records before the first that says later than T. 0 before any.
   */
  readonly at: number;
}

/** One stream, read a chunk at a time. */
interface Reader {
  readonly stream: StreamName;
  position: Position;
  entries: readonly Entry[];
  index: number;
  at: number;
  isOver: boolean;
}

/** Everything in the order of the story, some thousands at a time. A reader that has enough just stops asking. */
export async function* toldInOrder(journal: Journal): AsyncGenerator<readonly Told[]> {
  const queue = readerOf('queue');
  const control = readerOf('control');
  for (;;) {
    await fill(journal, queue);
    await fill(journal, control);
    if (queue.isOver && control.isOver) return;
    yield mergedWhileBothAreKnown(queue, control);
  }
}

function readerOf(stream: StreamName): Reader {
  return { stream, position: 0, entries: [], index: 0, at: 0, isOver: false };
}

async function fill(journal: Journal, reader: Reader): Promise<void> {
  // A chunk may hold newlines and no entry.
  while (!reader.isOver && reader.index === reader.entries.length) {
    const chunk = await journal.read(reader.stream, reader.position);
    reader.isOver = chunk.next === reader.position;
    reader.position = chunk.next;
    reader.entries = chunk.entries;
    reader.index = 0;
  }
}

/** Until one of them has to be read on: what stands there may come first. */
function mergedWhileBothAreKnown(queue: Reader, control: Reader): Told[] {
  const told: Told[] = [];
  for (;;) {
    const ofQueue = headAt(queue);
    const ofControl = headAt(control);
    if (ofQueue === null && ofControl === null) return told;
    if ((ofQueue === null && !queue.isOver) || (ofControl === null && !control.isOver)) return told;
    // At one moment the queue goes first: a wake notes the change and then asks for a drainer, a drainer notes what
    // became of a job and then tells the breaker.
    const isQueueNext = ofControl === null || (ofQueue !== null && ofQueue <= ofControl);
    told.push(take(isQueueNext ? queue : control));
  }
}

function headAt(reader: Reader): number | null {
  const entry = reader.entries[reader.index];
  if (entry === undefined) return null;
  return entry.kind === 'record' ? Math.max(reader.at, entry.record.at) : reader.at;
}

function take(reader: Reader): Told {
  reader.at = headAt(reader) ?? reader.at;
  const entry = reader.entries[reader.index]!;
  reader.index += 1;
  return { stream: reader.stream, entry, at: reader.at };
}

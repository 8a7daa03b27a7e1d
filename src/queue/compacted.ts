// What the queue stream had come to, as records of the stream: they stand in for segments that are dropped, and a fold
// that meets the first of them forgets what it had. In parts of bounded size, so that damage costs a part.

import type { JobName } from './events.ts';
import type { Job, Known, Queue } from './queue.ts';

type Whole = Pick<Queue, 'counts' | 'reconciliation' | 'begunAt'>;

/** The first holds `whole`; those behind it add to it. */
export interface QueueCompacted {
  readonly type: 'queue.compacted';
  readonly whole?: Whole;
  readonly jobs?: readonly (readonly [JobName, Job])[];
  readonly known?: readonly (readonly [JobName, Known])[];
}

/** About how large a part is, in characters. One entry is never divided. */
const PART_CHARS = 48 * 1024;

export function* compactedEvents({ jobs, known, ...whole }: Queue): Generator<QueueCompacted> {
  yield { type: 'queue.compacted', whole };
  for (const part of parts(jobs)) yield { type: 'queue.compacted', jobs: part };
  for (const part of parts(known)) yield { type: 'queue.compacted', known: part };
}

/** The queue after one of them; changes the maps in place. */
export function restored(queue: Queue, { whole, jobs = [], known = [] }: QueueCompacted): Queue {
  const after: Queue = whole === undefined ? queue : { ...whole, jobs: new Map(), known: new Map() };
  for (const [name, job] of jobs) (after.jobs as Map<JobName, Job>).set(name, job);
  for (const [name, one] of known) (after.known as Map<JobName, Known>).set(name, one);
  return { ...after };
}

function* parts<T>(entries: ReadonlyMap<JobName, T>): Generator<(readonly [JobName, T])[]> {
  let part: (readonly [JobName, T])[] = [];
  let chars = 0;
  for (const entry of entries) {
    part.push(entry);
    chars += JSON.stringify(entry).length;
    if (chars < PART_CHARS) continue;
    yield part;
    part = [];
    chars = 0;
  }
  if (part.length > 0) yield part;
}

// What the queue stream had come to, as records of the stream: they stand in for segments that are dropped, and a fold
// that meets the first of them forgets what it had. In parts of bounded size, so that damage costs a part.

import type { JobName } from './events.ts';
import { type Looked, neverLooked } from './looked.ts';
import type { Job, Known, Queue } from './queue.ts';

/** Everything that does not grow with the library. */
export type Whole = Omit<Queue, 'jobs' | 'known' | 'looked'> & { readonly looked?: WholeLooked };
export type WholeLooked = Omit<Looked, 'seen'>;

/** The first holds `whole`; those behind it add to it. */
export interface QueueCompacted {
  readonly type: 'queue.compacted';
  readonly whole?: Whole;
  readonly jobs?: readonly (readonly [JobName, Job])[];
  readonly known?: readonly (readonly [JobName, Known])[];
  readonly seen?: readonly (readonly [JobName, number])[];
}

/** About how large a part is, in characters. One entry is never divided. */
const PART_CHARS = 48 * 1024;

export function* compactedEvents({ jobs, known, looked, ...rest }: Queue): Generator<QueueCompacted> {
  const { seen, ...whole } = looked;
  yield { type: 'queue.compacted', whole: { ...rest, looked: whole } };
  for (const part of parts(jobs)) yield { type: 'queue.compacted', jobs: part };
  for (const part of parts(known)) yield { type: 'queue.compacted', known: part };
  for (const part of parts(seen)) yield { type: 'queue.compacted', seen: part };
}

/** The queue after one of them; changes the maps in place. */
export function restored(queue: Queue, { whole, jobs = [], known = [], seen = [] }: QueueCompacted): Queue {
  const after = whole === undefined ? queue : emptied(whole);
  for (const [name, job] of jobs) (after.jobs as Map<JobName, Job>).set(name, job);
  for (const [name, one] of known) (after.known as Map<JobName, Known>).set(name, one);
  for (const [name, changedAt] of seen) (after.looked.seen as Map<JobName, number>).set(name, changedAt);
  return { ...after };
}

/** Images of before there were looks do not say how far one came. */
function emptied({ looked, ...rest }: Whole): Queue {
  return { ...rest, jobs: new Map(), known: new Map(), looked: { ...neverLooked(), ...looked } };
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

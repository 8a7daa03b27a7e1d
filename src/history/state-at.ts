// Time travel: a point of the story → what was true there. It reads the log from its beginning through the journal
// port and nothing else, so no checkpoint can change an answer.

import type { Journal, Position } from '../breaker/index.ts';
import type { StreamName } from '../queue/streams.ts';
import { type Happening, Past } from './past.ts';
import { type Told, toldInOrder } from './told.ts';

/** Up to where. */
export type Cut =
  | { readonly kind: 'end' }
  /** Everything before the first record that says later than `at`, wall ms. */
  | { readonly kind: 'at'; readonly at: number }
  /** Everything up to this line and with it. */
  | { readonly kind: 'to'; readonly stream: StreamName; readonly position: Position }
  /**
   * Everything up to the end of the outage that `outages` shows under this number: when its backlog was worked off,
   * the next one began, or the log ends.
   */
  | { readonly kind: 'outage'; readonly number: number };

/** What the log holds at all. */
export interface Range {
  /** Wall ms of the first and the last record; null: there is none that can be read. */
  readonly from: number | null;
  readonly to: number | null;
  readonly outages: number;
  /** Of the stream in question: its first and last line, and the lines around a position that is none. */
  readonly first: Position | null;
  readonly last: Position | null;
  readonly before: Position | null;
  readonly after: Position | null;
}

export type Travelled =
  | { readonly kind: 'arrived'; readonly past: Past }
  | { readonly kind: 'empty' }
  /** The point is before the first line, or no such line or outage is there. */
  | { readonly kind: 'nowhere'; readonly range: Range };

/**
 * The state at `cut`. `onHappening` hears every line on the way, in order, the last one included. The `past` that it
 * is shown goes on.
 */
export async function stateAt(
  journal: Journal,
  cut: Cut,
  onHappening: (happening: Happening, past: Past) => void = () => {},
): Promise<Travelled> {
  const past = new Past();
  const range = new RangeFinder(cut);
  for await (const batch of toldInOrder(journal)) {
    for (const told of batch) {
      if (cut.kind === 'at' && told.at > cut.at) {
        if (past.hasRecords) return { kind: 'arrived', past };
        // The point is before all that is known: the rest is read to say what is.
        range.see(told);
        continue;
      }
      const happening = past.tell(told);
      range.see(told);
      if (isOpening(happening)) range.outages += 1;
      onHappening(happening, past);
      if (isAt(cut, happening, range.outages)) return { kind: 'arrived', past };
    }
  }
  if (range.isEmpty) return { kind: 'empty' };
  const isArrived =
    cut.kind === 'end' ||
    (cut.kind === 'at' && past.hasRecords) ||
    (cut.kind === 'outage' && range.outages === cut.number);
  return isArrived ? { kind: 'arrived', past } : { kind: 'nowhere', range: range.found() };
}

/** Whether this step opened the breaker: how outages are counted everywhere. */
export function isOpening(happening: Happening): boolean {
  if (happening.kind !== 'control') return false;
  const { before, after, event } = happening.step;
  return event !== null && before.breaker.value === 'closed' && after.breaker.value === 'open';
}

/** Whether this step says that the backlog of an outage is worked off. */
function isSettling(happening: Happening): boolean {
  return (
    happening.kind === 'control' && happening.step.event?.type === 'backlog.drained' && !happening.step.isVoid
  );
}

function isAt(cut: Cut, happening: Happening, outages: number): boolean {
  switch (cut.kind) {
    case 'end':
    case 'at':
      return false;
    case 'to':
      return happening.stream === cut.stream && happening.position === cut.position;
    case 'outage':
      return outages > cut.number || (outages === cut.number && isSettling(happening));
  }
}

class RangeFinder {
  readonly #cut: Cut;
  outages = 0;
  #lines = 0;
  #from: number | null = null;
  #to: number | null = null;
  #first: Position | null = null;
  #last: Position | null = null;
  #before: Position | null = null;
  #after: Position | null = null;

  constructor(cut: Cut) {
    this.#cut = cut;
  }

  get isEmpty(): boolean {
    return this.#lines === 0;
  }

  see({ stream, entry, at }: Told): void {
    this.#lines += 1;
    if (entry.kind === 'record') {
      this.#from ??= at;
      this.#to = at;
    }
    if (this.#cut.kind !== 'to' || stream !== this.#cut.stream) return;
    this.#first ??= entry.position;
    this.#last = entry.position;
    if (entry.position < this.#cut.position) this.#before = entry.position;
    else this.#after ??= entry.position;
  }

  found(): Range {
    return {
      from: this.#from,
      to: this.#to,
      outages: this.outages,
      first: this.#first,
      last: this.#last,
      before: this.#before,
      after: this.#after,
    };
  }
}

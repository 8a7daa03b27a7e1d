// The invariants of the design, and where a run looks at each. `looked` counts how often: one that was never looked at
// has not been shown, and a test says so.

export const INVARIANTS = {
  1: {
    says: 'no job is attempted while the breaker is open and not due',
    seen: 'each write that reaches Plex, against the state of the log at that moment',
  },
  2: {
    says: 'at most one live probe over all processes',
    seen: 'probes under the probe lease that are in flight at Plex, and the time between two of them',
  },
  3: {
    says: 'no wedge: from every reachable state, after every crash, a due probe can be claimed',
    seen: 'each state of the log that differs in its machines, from far moments; and the healing at the end',
  },
  4: {
    says: 'failures that say nothing of the health of Plex never open the breaker',
    seen: 'each opening, against what Plex last answered its writer',
  },
  5: {
    says: 'closing needs the successes of the current epoch that it asked for',
    seen: 'each closing, against the answers that its writer had from Plex since half-open',
  },
  6: { says: 'results of old epochs change nothing', seen: 'each record with an epoch' },
  7: {
    says: 'a job that was accepted is delivered, deferred, pending or dead, never gone',
    seen: 'what was acknowledged, after each power loss and at the end; what Plex shows at the end',
  },
  8: {
    says: 'replay is deterministic, and equals checkpoint and tail',
    seen: 'each checkpoint that is written, and the whole log again at the end',
  },
  9: {
    says: 'racers who fold the same log agree',
    seen: 'each write that reaches Plex comes from the holder of the lease; a second telling of the fold agrees',
  },
  10: { says: 'torn tails and corrupt lines lose only themselves', seen: 'damaged lines against tears' },
  11: {
    says: 'old logs fold under new machines, or drift is reported',
    seen: 'drift, with processes of other eras at work',
  },
  12: { says: 'a clock step costs at most one wait', seen: 'each step of the clock' },
  13: { says: 'the remaining wait is within [0, nominal]', seen: 'each control record' },
  14: { says: 'the ramp widens only on acknowledged jobs', seen: 'each widening' },
  15: { says: 'outages are disjoint; a failed probe starts none', seen: 'the history of outages at the end' },
  16: { says: 'up + down + unobserved = window', seen: 'the history of outages at the end' },
  17: { says: 'the state at a time is the fold of the records up to it', seen: 'a prefix at the end' },
  18: { says: 'a hold ends by its expiry', seen: 'each control record' },
  19: {
    says: 'growth is bounded: an idle plugin writes nothing',
    seen: 'an idle day at the end; size for each job',
  },
  20: { says: 'no secret is ever in a journal, log or error', seen: 'the whole disk and all that was said' },
  21: { says: 'a scene with no values never wipes an item', seen: 'each edit that reaches Plex' },
  22: {
    says: 'nothing fails but what the outside made fail',
    seen: 'how each process ends, and what it notes of failures of its own',
  },
  23: {
    says: 'what a person undid, gave back or took again stays so, and what others changed stays theirs',
    seen: 'each undo and each delivery, against the log before; what Plex shows after it, and is locked at the end',
  },
  24: {
    says: 'Plex is asked to look at a folder once for what is waited for in it, and what it finds is delivered',
    seen: 'each scan, against what was queued since the one before; what waits when all is there',
  },
  26: {
    says: 'what Stash had committed before a wake started is in the journal when that wake ended well; after every hook a wake starts',
    seen: 'each wake that ends well, and each hook; all that people changed, in Plex after one more wake at the end',
  },
} as const satisfies Readonly<Record<number, { readonly says: string; readonly seen: string }>>;

export type InvariantNumber = keyof typeof INVARIANTS;

export const INVARIANT_NUMBERS = Object.keys(INVARIANTS).map(Number) as readonly InvariantNumber[];

export interface Violation {
  readonly invariant: InvariantNumber;
  readonly detail: string;
  readonly atMs: number;
}

/** What a run has looked at, and the first thing that was wrong. */
export class Looks {
  readonly looked: Record<number, number> = Object.fromEntries(
    INVARIANT_NUMBERS.map((number) => [number, 0]),
  );
  violation: Violation | null = null;
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** A look at an invariant; `isKept` false: it is broken. */
  at(invariant: InvariantNumber, isKept: boolean, detail: () => string): void {
    this.looked[invariant] = (this.looked[invariant] ?? 0) + 1;
    if (!isKept) this.violation ??= { invariant, detail: detail(), atMs: this.#now() };
  }
}

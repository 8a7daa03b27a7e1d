// The control events, typed once: for the machines, the journal and every reader of the log.
// An event is a fact in the past tense. It carries what was drawn (`draw`) and never what can be folded.
// Nothing here is about what the work is: this is the vocabulary of a circuit breaker that lives in
// processes which exit.

import type { CountedClass } from './failure-classes.ts';
import type { Policy } from './policy.ts';
import type { Moment } from './time.ts';

/** `drain`: who may attempt work. `probe`: who may ask whether the server is back. */
export type LeaseName = 'drain' | 'probe';

/** `operator`: a person. `config`: the server refuses us. `throttle`: the server asked for a pause. */
export type HoldName = 'operator' | 'config' | 'throttle';

/** Which server answers under which settings. */
export interface KnownServer {
  /** What the server calls itself; empty until it was reached under these settings. */
  readonly id: string;
  /** A digest of the settings that say how to reach it. */
  readonly under: string;
}

/** The settings that matter here, as a drainer found them. */
interface PolicySet {
  readonly type: 'policy.set';
  readonly policy: Policy;
  readonly server: KnownServer;
}
/** Somebody was asked to come and claim the lease; until `forMs` has passed nobody else need be asked. */
interface LeaseRequested {
  readonly type: 'lease.requested';
  readonly lease: LeaseName;
  readonly forMs: number;
}
/** A claim. The fold decides whether it was granted; the epoch is the fold's, not the writer's. */
interface LeaseClaimed {
  readonly type: 'lease.claimed';
  readonly lease: LeaseName;
  readonly forMs: number;
  /** In [0, 1): jitters the wait that follows if the claimant dies. */
  readonly draw: number;
  /** A person asked: the wait need not be over. */
  readonly isForced?: boolean;
  /** The claiming process, so that others can see it gone: its id, and the space in which the id means it. */
  readonly process?: { readonly pid: number; readonly space: string };
}
interface LeaseRenewed {
  readonly type: 'lease.renewed';
  readonly lease: LeaseName;
  readonly epoch: number;
  readonly forMs: number;
}
interface LeaseReleased {
  readonly type: 'lease.released';
  readonly lease: LeaseName;
  readonly epoch: number;
  readonly reason: string;
  /** When the server was last seen to answer under this lease, wall ms. */
  readonly answeredAt?: number;
}
/** The process that holds the lease was seen to be gone: nobody need wait for the lease to end. */
interface LeaseLost {
  readonly type: 'lease.lost';
  readonly lease: LeaseName;
  readonly epoch: number;
}
/** A probe under the `probe` lease asks whether an outage is over; under `drain` it confirms a failure. */
interface ProbeSucceeded {
  readonly type: 'probe.succeeded';
  readonly lease: LeaseName;
  readonly epoch: number;
  readonly tookMs: number;
  /** Jobs that waited at this moment. */
  readonly pending: number;
}
interface ProbeFailed {
  readonly type: 'probe.failed';
  readonly lease: LeaseName;
  readonly epoch: number;
  readonly class: CountedClass;
  readonly symptom: string;
  readonly draw: number;
  readonly retryAfterMs?: number;
}
interface AttemptSucceeded {
  readonly type: 'attempt.succeeded';
  readonly lease: 'drain';
  readonly epoch: number;
  readonly count: number;
}
interface AttemptFailed {
  readonly type: 'attempt.failed';
  readonly lease: 'drain';
  readonly epoch: number;
  readonly class: CountedClass;
  readonly symptom: string;
  readonly draw: number;
  /** What was attempted: the failures of one subject count once in a row. */
  readonly subject?: string;
  /** This symptom opens the breaker after fewer failures than the policy's threshold. */
  readonly opensAfter?: number;
  readonly retryAfterMs?: number;
}
/** Nothing that can be attempted now is left. */
interface BacklogDrained {
  readonly type: 'backlog.drained';
  readonly lease: 'drain';
  readonly epoch: number;
}
interface HoldPlaced {
  readonly type: 'hold.placed';
  readonly hold: HoldName;
  /** `open`: nothing is attempted. `closed`: work goes on whatever the breaker says. */
  readonly stance: 'open' | 'closed';
  readonly reason: string;
  readonly forMs: number;
  /** Names what must change for the hold to be pointless (a digest of the settings). */
  readonly under?: string;
}
interface HoldReleased {
  readonly type: 'hold.released';
  readonly hold: HoldName;
  readonly reason: string;
}

/** What is written to the control stream. */
export type ControlEvent =
  | PolicySet
  | LeaseRequested
  | LeaseClaimed
  | LeaseRenewed
  | LeaseReleased
  | LeaseLost
  | ProbeSucceeded
  | ProbeFailed
  | AttemptSucceeded
  | AttemptFailed
  | BacklogDrained
  | HoldPlaced
  | HoldReleased;

export type ControlEventType = ControlEvent['type'];

/** An event as a machine receives it: with the moment of its record and the invocation that wrote it. */
export type Stamped<E> = E & { readonly moment: Moment; readonly by: string };

export type StampedControlEvent = Stamped<ControlEvent>;

/**
 * What the fold tells `recovery` when an event moved the breaker. Never written: it follows from the log.
 * It carries what the opening event had drawn.
 */
export type BreakerMoved =
  | {
      readonly type: 'breaker.opened';
      readonly class: CountedClass;
      readonly draw: number;
      readonly retryAfterMs?: number;
    }
  | { readonly type: 'breaker.closed' };

/** Every type once, so that a reader can tell an unknown event from a misspelt one. */
export const CONTROL_EVENT_TYPES: ReadonlySet<ControlEventType> = new Set<ControlEventType>([
  'policy.set',
  'lease.requested',
  'lease.claimed',
  'lease.renewed',
  'lease.released',
  'lease.lost',
  'probe.succeeded',
  'probe.failed',
  'attempt.succeeded',
  'attempt.failed',
  'backlog.drained',
  'hold.placed',
  'hold.released',
]);

export const LEASE_NAMES: ReadonlySet<LeaseName> = new Set<LeaseName>(['drain', 'probe']);
export const HOLD_NAMES: ReadonlySet<HoldName> = new Set<HoldName>(['operator', 'config', 'throttle']);

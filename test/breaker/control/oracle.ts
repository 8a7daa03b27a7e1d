// A second telling of the control fold, by hand: plain fields and ifs, written from the invariants (test/simulation/invariants.ts) and
// from what the event types say, with numbers of its own. It imports no machine. Where it and `evolve` differ,
// one of the two is wrong.
import type { StampedControlEvent } from '../../../machines/events.ts';
import type { Policy } from '../../../machines/policy.ts';
import type { Moment, Wait } from '../../../machines/time.ts';

interface Lease {
  state: 'free' | 'asked' | 'held';
  epoch: number;
  owner: string;
  endsFrom: Moment | null;
  endsAfterMs: number;
  holder: { readonly pid: number; readonly space: string } | null;
}

interface Hold {
  isHeld: boolean;
  stance: 'open' | 'closed';
  reason: string;
  under: string;
  from: Moment | null;
  forMs: number;
}

export interface Told {
  policy: Policy;
  server: { readonly id: string; readonly under: string };
  breaker: 'closed' | 'open' | 'halfOpen';
  row: number;
  rowAt: Moment | null;
  rowSubjects: string[];
  proofs: number;
  proofsNeeded: number;
  penalty: number;
  penaltyAt: Moment | null;
  recovery: 'idle' | 'waiting' | 'probing' | 'proving' | 'ramping';
  tries: number;
  kind: 'outage' | 'maintenance';
  dueFrom: Moment | null;
  dueAfterMs: number;
  limit: number;
  acknowledged: number;
  hasBacklog: boolean;
  drain: Lease;
  probe: Lease;
  operator: Hold;
  config: Hold;
  throttle: Hold;
}

const noLease = (): Lease => ({
  state: 'free',
  epoch: 0,
  owner: '',
  endsFrom: null,
  endsAfterMs: 0,
  holder: null,
});
const noHold = (): Hold => ({ isHeld: false, stance: 'open', reason: '', under: '', from: null, forMs: 0 });

export function beginning(): Told {
  return {
    policy: {
      failureThreshold: 5,
      successThreshold: 1,
      successThresholdFlapping: 3,
      recoveryTimeoutMs: 60_000,
      recoveryTimeoutMaxMs: 300_000,
      maintenanceTimeoutMs: 5_000,
      maintenanceTimeoutMaxMs: 60_000,
      rampFull: 32,
      vigilMs: 600_000,
    },
    server: { id: '', under: '' },
    breaker: 'closed',
    row: 0,
    rowAt: null,
    rowSubjects: [],
    proofs: 0,
    proofsNeeded: 1,
    penalty: 0,
    penaltyAt: null,
    recovery: 'idle',
    tries: 0,
    kind: 'outage',
    dueFrom: null,
    dueAfterMs: 0,
    limit: 1,
    acknowledged: 0,
    hasBacklog: false,
    drain: noLease(),
    probe: noLease(),
    operator: noHold(),
    config: noHold(),
    throttle: noHold(),
  };
}

/** Changes `told` as the event says; false when the event is void. */
export function tell(told: Told, event: StampedControlEvent): boolean {
  switch (event.type) {
    case 'policy.set':
      told.policy = event.policy;
      told.server = event.server;
      return true;
    case 'hold.placed':
      told[event.hold] = {
        isHeld: true,
        stance: event.stance,
        reason: event.reason,
        under: event.under ?? '',
        from: event.moment,
        forMs: event.forMs,
      };
      return true;
    case 'hold.released':
      if (!told[event.hold].isHeld) return false;
      told[event.hold] = noHold();
      return true;
    case 'lease.requested': {
      const lease = told[event.lease];
      if (lease.state !== 'free' && !hasPassed(lease.endsFrom, lease.endsAfterMs, event.moment)) return false;
      lease.state = 'asked';
      give(lease, event.by, event.moment, event.forMs);
      lease.holder = null;
      return true;
    }
    case 'lease.claimed':
      return claim(told, event);
    default:
      break;
  }
  // What is left speaks for a holder: only the one that holds this epoch is heard, but anybody may see it gone.
  const lease = told[event.lease];
  if (lease.state !== 'held' || lease.epoch !== event.epoch) return false;
  if (event.type !== 'lease.lost' && lease.owner !== event.by) return false;
  switch (event.type) {
    case 'lease.renewed':
      give(lease, event.by, event.moment, event.forMs);
      return true;
    case 'lease.lost':
    case 'lease.released':
      Object.assign(lease, { ...noLease(), epoch: lease.epoch });
      if (event.lease === 'probe' && told.recovery === 'probing') told.recovery = 'waiting';
      return true;
    case 'probe.succeeded':
      return probeSucceeded(told, event);
    case 'probe.failed':
      return probeFailed(told, event);
    case 'attempt.succeeded':
      return succeeded(told, event.count);
    case 'attempt.failed':
      return failed(told, event);
    case 'backlog.drained':
      if (told.recovery === 'ramping') told.recovery = 'idle';
      else if (told.recovery !== 'idle' || !told.hasBacklog) return false;
      told.hasBacklog = false;
      return true;
  }
}

type Of<Type extends StampedControlEvent['type']> = Extract<StampedControlEvent, { type: Type }>;

function claim(told: Told, event: Of<'lease.claimed'>): boolean {
  const lease = told[event.lease];
  const isTaken = lease.state === 'held' && !hasPassed(lease.endsFrom, lease.endsAfterMs, event.moment);
  if (isTaken) return false;
  if (event.lease === 'probe') {
    // At most one probe a wait: the probe lease is only for one who may ask now.
    if (told.recovery !== 'waiting' && told.recovery !== 'probing') return false;
    if (event.isForced !== true && !hasPassed(told.dueFrom, told.dueAfterMs, event.moment)) return false;
    told.recovery = 'probing';
    // Should the prober die, this is the wait after a failed probe.
    wait(told, event.moment, told.tries + 1, { draw: event.draw });
  }
  lease.state = 'held';
  lease.epoch += 1;
  give(lease, event.by, event.moment, event.forMs);
  lease.holder = event.process ?? null;
  return true;
}

function probeSucceeded(told: Told, event: Of<'probe.succeeded'>): boolean {
  if (event.lease !== 'probe' || told.recovery !== 'probing') return false;
  let isHeard = false;
  if (told.breaker === 'open') {
    told.breaker = 'halfOpen';
    told.proofs = 0;
    const isFlapping = penaltyNow(told, event.moment) >= 2.5;
    told.proofsNeeded = isFlapping ? told.policy.successThresholdFlapping : told.policy.successThreshold;
    isHeard = true;
  }
  if (told.recovery === 'probing') {
    told.recovery = 'proving';
    told.dueFrom = null;
    isHeard = true;
  }
  return isHeard;
}

function probeFailed(told: Told, event: Of<'probe.failed'>): boolean {
  const isAsked = event.lease === 'probe';
  // One probe, one answer.
  if (isAsked && told.recovery !== 'probing') return false;
  if (isAsked) {
    told.recovery = 'waiting';
    wait(told, event.moment, told.tries, event);
  }
  if (told.breaker === 'open') return isAsked;
  open(told, event);
  return true;
}

function succeeded(told: Told, count: number): boolean {
  let isHeard = false;
  if (told.recovery === 'ramping') {
    isHeard = true;
    told.acknowledged += count;
    for (; told.acknowledged >= told.limit && told.limit < told.policy.rampFull; told.limit *= 2) {
      told.acknowledged -= told.limit;
    }
    if (told.limit >= told.policy.rampFull) told.recovery = 'idle';
  }
  if (told.breaker === 'closed') {
    if (told.row === 0) return isHeard;
    endRow(told);
    return true;
  }
  if (told.breaker === 'open') return isHeard;
  told.proofs += count;
  endRow(told);
  if (told.proofs < told.proofsNeeded) return true;
  told.breaker = 'closed';
  if (told.recovery === 'proving') {
    Object.assign(told, { recovery: 'ramping', limit: 1, acknowledged: 0, hasBacklog: true, tries: 0 });
    told.dueFrom = null;
  }
  return true;
}

function failed(told: Told, event: Of<'attempt.failed'>): boolean {
  if (told.breaker === 'open') return false;
  if (told.breaker === 'halfOpen' && event.class !== 'transient') {
    open(told, event);
    return true;
  }
  if (event.subject !== undefined && told.rowSubjects.includes(event.subject)) return false;
  if (told.rowAt !== null && isSameBurst(told.rowAt, event.moment)) return false;
  if (told.row + 1 >= told.policy.failureThreshold || told.row + 1 >= (event.opensAfter ?? 1e9)) {
    open(told, event);
    return true;
  }
  told.row += 1;
  told.rowAt = event.moment;
  if (event.subject !== undefined) told.rowSubjects.push(event.subject);
  return true;
}

function open(told: Told, event: Of<'probe.failed'> | Of<'attempt.failed'>): void {
  // A canary that fails continues the outage it was to end; only a new one counts towards flapping.
  if (told.breaker === 'closed') {
    told.penalty = penaltyNow(told, event.moment) + 1;
    told.penaltyAt = event.moment;
  }
  told.breaker = 'open';
  endRow(told);
  if (told.recovery === 'waiting' || told.recovery === 'probing') return;
  const tries = told.recovery === 'proving' ? told.tries + 1 : 0;
  told.recovery = 'waiting';
  wait(told, event.moment, tries, event);
}

function endRow(told: Told): void {
  told.row = 0;
  told.rowAt = null;
  told.rowSubjects = [];
}

interface Drawn {
  readonly draw: number;
  readonly class?: string;
  readonly retryAfterMs?: number;
}

function wait(told: Told, from: Moment, tries: number, drawn: Drawn): void {
  let kind = told.kind;
  if (drawn.class === 'maintenance') kind = 'maintenance';
  else if (drawn.class !== undefined) kind = 'outage';
  told.tries = kind === told.kind ? tries : 0;
  told.kind = kind;
  const { policy } = told;
  const [firstMs, capMs] =
    kind === 'maintenance'
      ? [Math.min(policy.maintenanceTimeoutMs, policy.recoveryTimeoutMs), policy.maintenanceTimeoutMaxMs]
      : [policy.recoveryTimeoutMs, policy.recoveryTimeoutMaxMs];
  let nominalMs = firstMs;
  for (let n = 0; n < told.tries && nominalMs < capMs; n++) nominalMs *= 2;
  if (nominalMs > capMs) nominalMs = Math.max(firstMs, capMs);
  const jitteredMs = Math.round(nominalMs * (1 - 0.2 * drawn.draw));
  const askedMs = Math.min(drawn.retryAfterMs ?? 0, 60 * 60_000);
  told.dueFrom = from;
  told.dueAfterMs = Math.max(jitteredMs, askedMs);
}

function give(lease: Lease, owner: string, from: Moment, forMs: number): void {
  lease.owner = owner;
  lease.endsFrom = from;
  lease.endsAfterMs = forMs;
}

function penaltyNow(told: Told, now: Moment): number {
  if (told.penaltyAt === null) return 0;
  return told.penalty * 2 ** -(passed(told.penaltyAt, now) / (30 * 60_000));
}

/** Less than a second apart, and not before: a clock that was set back at a reboot makes no burst. */
function isSameBurst(from: Moment, now: Moment): boolean {
  if (from.boot === now.boot) return now.mono - from.mono < 1_000;
  return now.at >= from.at && now.at - from.at < 1_000;
}

/** On the monotonic clock within a boot, else on the wall; never backwards. */
function passed(from: Moment, now: Moment): number {
  const ms = from.boot === now.boot ? now.mono - from.mono : now.at - from.at;
  return Math.max(ms, 0);
}

/** A wait that seems to begin well in the future was begun under another clock: it is over. */
function hasPassed(from: Moment | null, waitMs: number, now: Moment): boolean {
  if (from === null) return true;
  if (from.boot === now.boot) return now.mono - from.mono >= waitMs || waitMs === 0;
  const ms = now.at - from.at;
  return ms >= waitMs || ms < -5_000 || waitMs === 0;
}

/** The oracle's state in the words of `ControlState`, to compare. */
export function inWordsOfEvolve(told: Told) {
  const wait = (from: Moment | null, waitMs: number): Wait | null =>
    from === null ? null : { from, waitMs };
  const lease = ({ state, epoch, owner, endsFrom, endsAfterMs, holder }: Lease) => ({
    value: state,
    context: { epoch, owner, ends: wait(endsFrom, endsAfterMs), holder },
  });
  const hold = ({ isHeld, stance, reason, under, from, forMs }: Hold) => ({
    value: isHeld ? 'held' : 'free',
    context: { stance, reason, under, ends: wait(from, forMs) },
  });
  return {
    breaker: {
      value: told.breaker,
      context: {
        policy: told.policy,
        server: told.server,
        failures: told.row,
        failedAt: told.rowAt,
        subjects: told.rowSubjects,
        successes: told.proofs,
        successesNeeded: told.proofsNeeded,
        penalty: told.penalty,
        flappedAt: told.penaltyAt,
      },
    },
    recovery: {
      value: told.recovery,
      context: {
        policy: told.policy,
        attempt: told.tries,
        kind: told.kind,
        due: wait(told.dueFrom, told.dueAfterMs),
        limit: told.limit,
        acknowledged: told.acknowledged,
        hasBacklog: told.hasBacklog,
      },
    },
    drain: lease(told.drain),
    probe: lease(told.probe),
    operator: hold(told.operator),
    config: hold(told.config),
    throttle: hold(told.throttle),
  };
}

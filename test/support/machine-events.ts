// One representative event of every type, for tables: each row says only what matters in it.
import type {
  BreakerMoved,
  ControlEvent,
  ControlEventType,
  Stamped,
  StampedControlEvent,
} from '../../machines/events.ts';
import { DEFAULT_POLICY } from '../../machines/policy.ts';
import type { Moment } from '../../machines/time.ts';
import { moment } from './moments.ts';

type Of<Type extends ControlEventType> = Extract<ControlEvent, { type: Type }>;

const SAMPLES: { readonly [Type in ControlEventType]: Of<Type> } = {
  'policy.set': {
    type: 'policy.set',
    policy: { ...DEFAULT_POLICY, failureThreshold: 2 },
    server: { id: 'plex-a', under: 'settings-a' },
  },
  'lease.requested': { type: 'lease.requested', lease: 'probe', forMs: 10_000 },
  'lease.claimed': { type: 'lease.claimed', lease: 'probe', forMs: 15_000, draw: 0 },
  'lease.renewed': { type: 'lease.renewed', lease: 'probe', epoch: 1, forMs: 20_000 },
  'lease.released': { type: 'lease.released', lease: 'probe', epoch: 1, reason: 'done' },
  'lease.lost': { type: 'lease.lost', lease: 'probe', epoch: 1 },
  'probe.succeeded': { type: 'probe.succeeded', lease: 'probe', epoch: 1, tookMs: 3, pending: 7 },
  'probe.failed': {
    type: 'probe.failed',
    lease: 'probe',
    epoch: 1,
    class: 'outage',
    symptom: 'refused',
    draw: 0,
  },
  'attempt.succeeded': { type: 'attempt.succeeded', lease: 'drain', epoch: 1, count: 1 },
  'attempt.failed': {
    type: 'attempt.failed',
    lease: 'drain',
    epoch: 1,
    class: 'outage',
    symptom: 'refused',
    draw: 0,
  },
  'backlog.drained': { type: 'backlog.drained', lease: 'drain', epoch: 1 },
  'hold.placed': {
    type: 'hold.placed',
    hold: 'operator',
    stance: 'open',
    reason: 'Plex is being moved',
    forMs: 60_000,
  },
  'hold.released': { type: 'hold.released', hold: 'operator', reason: 'moved' },
};

/** The sample of `type` with `change` in it, written by `by` at `at`. */
export function event<Type extends ControlEventType>(
  type: Type,
  change: Partial<Of<Type>> = {},
  at: Moment = moment(0),
  by = 'one',
): Stamped<Of<Type>> & StampedControlEvent {
  return { ...SAMPLES[type], ...change, moment: at, by } as Stamped<Of<Type>> & StampedControlEvent;
}

export function breakerOpened(
  change: Partial<Extract<BreakerMoved, { type: 'breaker.opened' }>> = {},
  at: Moment = moment(0),
): Stamped<BreakerMoved> {
  return { type: 'breaker.opened', class: 'outage', draw: 0, ...change, moment: at, by: 'one' };
}

export function breakerClosed(at: Moment = moment(0)): Stamped<BreakerMoved> {
  return { type: 'breaker.closed', moment: at, by: 'one' };
}

// The control state: the fold of the control stream. Plain data, so that it goes through JSON unchanged and
// is compared by value.

import type { BreakerContext } from '../../../machines/breaker.ts';
import type { HoldContext } from '../../../machines/hold.ts';
import type { LeaseContext } from '../../../machines/lease.ts';
import { DEFAULT_POLICY } from '../../../machines/policy.ts';
import type { RecoveryContext } from '../../../machines/recovery.ts';

/** One machine at one moment. */
export interface MachineState<Value extends string, Context> {
  readonly value: Value;
  readonly context: Context;
}

export type BreakerState = MachineState<'closed' | 'open' | 'halfOpen', BreakerContext>;
export type RecoveryState = MachineState<
  'idle' | 'waiting' | 'probing' | 'proving' | 'ramping',
  RecoveryContext
>;
export type LeaseState = MachineState<'free' | 'asked' | 'held', LeaseContext>;
export type HoldState = MachineState<'free' | 'held', HoldContext>;

/** All machines. `drain` and `probe` are leases; `operator`, `config` and `throttle` are holds. */
export interface ControlState {
  readonly breaker: BreakerState;
  readonly recovery: RecoveryState;
  readonly drain: LeaseState;
  readonly probe: LeaseState;
  readonly operator: HoldState;
  readonly config: HoldState;
  readonly throttle: HoldState;
}

export type MachineName = keyof ControlState;

export const MACHINE_NAMES: readonly MachineName[] = [
  'breaker',
  'recovery',
  'drain',
  'probe',
  'operator',
  'config',
  'throttle',
];

const FREE_LEASE: LeaseState = { value: 'free', context: { epoch: 0, owner: '', ends: null, holder: null } };
const FREE_HOLD: HoldState = {
  value: 'free',
  context: { stance: 'open', reason: '', under: '', ends: null },
};

/** The fold of an empty log. A test holds it equal to the machines' own initial states. */
export const INITIAL_STATE: ControlState = {
  breaker: {
    value: 'closed',
    context: {
      policy: DEFAULT_POLICY,
      server: { id: '', under: '' },
      failures: 0,
      failedAt: null,
      subjects: [],
      successes: 0,
      successesNeeded: DEFAULT_POLICY.successThreshold,
      penalty: 0,
      flappedAt: null,
    },
  },
  recovery: {
    value: 'idle',
    context: {
      policy: DEFAULT_POLICY,
      attempt: 0,
      kind: 'outage',
      due: null,
      limit: 1,
      acknowledged: 0,
      hasBacklog: false,
    },
  },
  drain: FREE_LEASE,
  probe: FREE_LEASE,
  operator: FREE_HOLD,
  config: FREE_HOLD,
  throttle: FREE_HOLD,
};

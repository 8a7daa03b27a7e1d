// evolve: control state + event → control state, by the machines and nothing else. Pure and total: the same
// log gives the same state in every process, which is what makes the order of the log a lock.
//
// Two rules stand between an event and the machines (`isAdmitted`): a result counts only under the epoch
// that holds its lease, and a probe may be claimed only when both the lease and the recovery flow allow it.
// What moves nothing is void.

import type { AnyStateMachine } from 'xstate';
import { breakerMachine } from '../../../machines/breaker.ts';
import type { BreakerMoved, Stamped, StampedControlEvent } from '../../../machines/events.ts';
import { holdMachine } from '../../../machines/hold.ts';
import { leaseMachine } from '../../../machines/lease.ts';
import { recoveryMachine } from '../../../machines/recovery.ts';
import { type FlatMachine, flatMachine } from './flat-machine.ts';
import type { ControlState, MachineName, MachineState } from './state.ts';

export const MACHINES: Readonly<Record<MachineName, AnyStateMachine>> = {
  breaker: breakerMachine,
  recovery: recoveryMachine,
  drain: leaseMachine,
  probe: leaseMachine,
  operator: holdMachine,
  config: holdMachine,
  throttle: holdMachine,
};

const STEPS = Object.fromEntries(
  Object.entries(MACHINES).map(([name, machine]) => [name, flatMachine(machine)]),
) as Readonly<Record<MachineName, FlatMachine>>;

export type AnyMachineState = MachineState<string, unknown>;
export type MachineEvent = StampedControlEvent | Stamped<BreakerMoved>;

/** One event as one machine heard it. `source`: the machine that sent it; null for what comes from the log. */
export interface Heard {
  readonly name: MachineName;
  readonly source: MachineName | null;
  readonly event: MachineEvent;
  readonly before: AnyMachineState;
  /** The very same as `before` when the machine did nothing. */
  readonly after: AnyMachineState;
}

/** The state after `event`; the very same object when the event is void. */
export function evolve(state: ControlState, event: StampedControlEvent): ControlState {
  return evolveWatched(state, event, null);
}

/** The same for one who wants to see what each machine was sent. */
export function evolveWatched(
  state: ControlState,
  event: StampedControlEvent,
  onHeard: ((heard: Heard) => void) | null,
): ControlState {
  if (!isAdmitted(state, event)) return state;
  let next = state;
  for (const name of hearersOf(event)) {
    const before = next[name];
    next = sendTo(next, name, event);
    onHeard?.({ name, source: null, event, before, after: next[name] });
  }
  const moved = breakerMoved(state, next, event);
  if (moved === null) return next;
  const before = next.recovery;
  next = sendTo(next, 'recovery', moved);
  onHeard?.({ name: 'recovery', source: 'breaker', event: moved, before, after: next.recovery });
  return next;
}

/** Which machines an event is for. */
export function hearersOf(event: StampedControlEvent): readonly MachineName[] {
  switch (event.type) {
    case 'policy.set':
      return ['breaker', 'recovery'];
    case 'lease.requested':
    case 'lease.renewed':
      return [event.lease];
    case 'lease.claimed':
    case 'lease.released':
    case 'lease.lost':
      return event.lease === 'probe' ? ['probe', 'recovery'] : [event.lease];
    case 'probe.succeeded':
    case 'probe.failed':
    case 'attempt.succeeded':
      return ['breaker', 'recovery'];
    case 'attempt.failed':
      return ['breaker'];
    case 'backlog.drained':
      return ['recovery'];
    case 'hold.placed':
    case 'hold.released':
      return [event.hold];
    default:
      return unreachable(event);
  }
}

function isAdmitted(state: ControlState, event: StampedControlEvent): boolean {
  // A probe brings one result: after it the recovery flow has gone on.
  const isProbeResult = event.type === 'probe.succeeded' || event.type === 'probe.failed';
  if (isProbeResult && event.lease === 'probe' && state.recovery.value !== 'probing') return false;
  if ('epoch' in event) {
    const lease = state[event.lease];
    const isCurrent = lease.value === 'held' && lease.context.epoch === event.epoch;
    return isCurrent && (event.type === 'lease.lost' || lease.context.owner === event.by);
  }
  if (event.type === 'lease.claimed' && event.lease === 'probe') {
    return sendTo(state, 'probe', event) !== state && sendTo(state, 'recovery', event) !== state;
  }
  return true;
}

function breakerMoved(
  before: ControlState,
  after: ControlState,
  event: StampedControlEvent,
): Stamped<BreakerMoved> | null {
  const value = after.breaker.value;
  if (value === before.breaker.value) return null;
  const { moment, by } = event;
  if (value === 'closed') return { type: 'breaker.closed', moment, by };
  if (value === 'open' && (event.type === 'attempt.failed' || event.type === 'probe.failed')) {
    const { class: failure, draw, retryAfterMs } = event;
    const opened = { type: 'breaker.opened', class: failure, draw, moment, by } as const;
    return retryAfterMs === undefined ? opened : { ...opened, retryAfterMs };
  }
  return null;
}

function sendTo(state: ControlState, name: MachineName, event: MachineEvent): ControlState {
  const before = state[name];
  const after = STEPS[name](before, event);
  return after === before ? state : { ...state, [name]: after };
}

function unreachable(event: never): never {
  throw new Error(`no machine hears ${JSON.stringify(event)}`);
}

// The witness of a record: the transition that its writer computed, as short names. On replay it is compared
// with what the fold computes now, so that a log can tell contention (normal) from drift (a bug).

import type { StampedControlEvent } from '../../../machines/events.ts';
import type { LeaseContext } from '../../../machines/lease.ts';
import { type ControlState, MACHINE_NAMES, type MachineName, type MachineState } from './state.ts';

export interface Transition {
  /** Machine → state, for the machines that moved. */
  readonly from: Readonly<Record<string, string>>;
  readonly to: Readonly<Record<string, string>>;
}

/** What moved between two states; both sides empty when nothing did. */
export function transitionOf(before: ControlState, after: ControlState): Transition {
  const from: Record<string, string> = {};
  const to: Record<string, string> = {};
  for (const name of MACHINE_NAMES) {
    if (before[name] === after[name]) continue;
    from[name] = nameOf(before[name]);
    to[name] = nameOf(after[name]);
  }
  return { from, to };
}

export function isSameTransition(a: Transition, b: Transition): boolean {
  return isSameSide(a.from, b.from) && isSameSide(a.to, b.to);
}

/**
 * `computed` with the states that the writer recorded: how a log of another era, or one with a damaged line,
 * goes on from what it says itself. Names that no machine knows any more are left as computed.
 */
export function adopt(
  before: ControlState,
  computed: ControlState,
  recorded: Transition,
  event: StampedControlEvent | null,
  statesOf: (name: MachineName) => readonly string[],
): ControlState {
  const adopted: Record<string, MachineState<string, unknown>> = { ...computed };
  for (const name of MACHINE_NAMES) {
    const to: unknown = recorded.to[name];
    if (to === undefined) {
      adopted[name] = before[name];
      continue;
    }
    const [value, epoch] = typeof to === 'string' ? to.split('#') : [];
    if (value === undefined || !statesOf(name).includes(value)) continue;
    const context = computed[name].context;
    // An epoch that is no number would make every later one none.
    if ('epoch' in context && !/^\d{1,15}$/.test(epoch ?? '')) continue;
    adopted[name] = {
      value,
      context: 'epoch' in context ? adoptedLease(context, Number(epoch), event) : context,
    };
  }
  return inStep(adopted as unknown as ControlState, recorded);
}

/**
 * Breaker and recovery move together; a record may tell of one alone, and what moved the other may be lost. The one
 * that is told of leads: a breaker that is open while nobody waits would never be asked about again.
 */
function inStep(state: ControlState, recorded: Transition): ControlState {
  const { breaker, recovery } = state;
  const led = LEADS[recovery.value];
  if (led === breaker.value) return state;
  const isRecoveryTold = 'recovery' in recorded.to && !('breaker' in recorded.to);
  if (isRecoveryTold) return { ...state, breaker: { ...breaker, value: led } };
  return { ...state, recovery: { ...recovery, value: FOLLOWS[breaker.value] } };
}

/** What the breaker is while recovery is there, and where recovery is put for a breaker that it does not fit. */
const LEADS = {
  idle: 'closed',
  waiting: 'open',
  probing: 'open',
  proving: 'halfOpen',
  ramping: 'closed',
} as const;
const FOLLOWS = { closed: 'idle', open: 'waiting', halfOpen: 'proving' } as const;

/** A lease's name holds its epoch: `held#7`. */
function nameOf(state: MachineState<string, object>): string {
  return 'epoch' in state.context ? `${state.value}#${state.context.epoch}` : state.value;
}

/**
 * A lease that is taken over as recorded belongs to the writer of the record: else its later events, which name its epoch,
 * would be void.
 */
function adoptedLease(context: LeaseContext, epoch: number, event: StampedControlEvent | null): LeaseContext {
  if (event === null || !('forMs' in event) || event.type === 'hold.placed') return { ...context, epoch };
  const holder = event.type === 'lease.claimed' ? (event.process ?? null) : context.holder;
  return { epoch, owner: event.by, ends: { from: event.moment, waitMs: event.forMs }, holder };
}

function isSameSide(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

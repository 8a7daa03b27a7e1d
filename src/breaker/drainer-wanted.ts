// Whether somebody is to get a drainer going: what the log says, and whether the process that holds the lease is still there.

import { isDrainerNeeded } from './control/decide.ts';
import type { ControlState } from './control/state.ts';
import type { Writer } from './journal/writer.ts';
import { isGone } from './process.ts';

export function isDrainerWanted(state: ControlState, writer: Writer): boolean {
  return isDrainerNeeded(state, writer.now(), isHolderGone(state));
}

/** Whether the process that holds the drain lease has ended without a release, on this host. */
export function isHolderGone({ drain: { value, context } }: ControlState): boolean {
  return value === 'held' && context.holder !== null && isGone(context.holder, context.ends?.from);
}

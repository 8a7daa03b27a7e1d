// Whether a hook is to get a drainer going: what the log says, and whether the process that holds the lease is
// still there. Needs no XState.

import { isDrainerNeeded } from '../control/decide.ts';
import type { ControlState } from '../control/state.ts';
import type { Writer } from '../journal/writer.ts';
import { isGone } from './process.ts';

/** In a container Stash is usually process 1, and reaps no orphans: each detached process would stay a zombie. */
export function isStashInit(): boolean {
  return process.ppid === 1 && process.platform !== 'win32';
}

export function isDrainerWanted(state: ControlState, writer: Writer): boolean {
  return isDrainerNeeded(state, writer.now(), isHolderGone(state));
}

/** Whether the holder of the drain lease died without a word, on this host. */
export function isHolderGone({ drain }: ControlState): boolean {
  return drain.value === 'held' && drain.context.holder !== null && isGone(drain.context.holder);
}

// The machines that can be drawn, by name.

import type { AnyStateMachine } from 'xstate';
import { breakerMachine } from '../../machines/breaker.ts';
import { holdMachine } from '../../machines/hold.ts';
import { leaseMachine } from '../../machines/lease.ts';
import { recoveryMachine } from '../../machines/recovery.ts';

export const DRAWN = {
  breaker: breakerMachine,
  recovery: recoveryMachine,
  lease: leaseMachine,
  hold: holdMachine,
} satisfies Readonly<Record<string, AnyStateMachine>>;

export type DrawnName = keyof typeof DRAWN;

export const DRAWN_NAMES = Object.keys(DRAWN) as readonly DrawnName[];

export function isDrawnName(name: string): name is DrawnName {
  return Object.hasOwn(DRAWN, name);
}

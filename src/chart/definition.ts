// A machine's definition as JSON: what Stately Studio imports. Guards and actions are there by name.

import type { AnyStateMachine } from 'xstate';

/** Two spaces deep, in the order of the source. */
export function definitionOf(machine: AnyStateMachine): string {
  return JSON.stringify(machine.config, named, 2);
}

/** A function that stands in the definition itself is shown by its name. */
function named(_key: string, value: unknown): unknown {
  return typeof value === 'function' ? { type: value.name } : value;
}

// One step of a machine, by XState's own definition of it but without XState's interpreter: that builds a snapshot, an
// actor scope and a dozen arrays for each event, and a replay takes a million of them. Our machines are flat (states
// without children, transitions with named guards, assignments and nothing else), and for those a step is a
// look-up. A definition that uses anything more is refused when it is loaded, not misread.
// test/control/flat-machine.test.ts holds it equal to XState's `transition()`.

import type { AnyStateMachine } from 'xstate';
import type { MachineState } from './state.ts';

type AnyState = MachineState<string, unknown>;
interface AnyEvent {
  readonly type: string;
}
interface StepArguments {
  readonly context: unknown;
  readonly event: AnyEvent;
}

interface FlatTransition {
  readonly guard: ((args: StepArguments) => boolean) | null;
  /** Null: the machine stays where it is. */
  readonly target: string | null;
  readonly assignments: readonly Assignment[];
}
/** As `assign` takes them: a function of the whole, or a value or function for each field. */
type Assignment = ((args: StepArguments) => object) | Readonly<Record<string, unknown>>;

/** The state after `event`; the very same object when the machine has no transition for it. */
export type FlatMachine = (state: AnyState, event: AnyEvent) => AnyState;

export function flatMachine(machine: AnyStateMachine): FlatMachine {
  const table = new Map(
    Object.values(machine.states).map((node) => [node.key, transitionsAt(machine, node)]),
  );
  return (state, event) => {
    const candidates = table.get(state.value)?.get(event.type);
    if (candidates === undefined) return state;
    const args = { context: state.context, event };
    for (const { guard, target, assignments } of candidates) {
      if (guard !== null && !guard(args)) continue;
      let context = state.context;
      for (const assignment of assignments) context = assigned(assignment, context, event);
      return { value: target ?? state.value, context };
    }
    return state;
  };
}

function assigned(assignment: Assignment, context: unknown, event: AnyEvent): unknown {
  if (typeof assignment === 'function') return { ...(context as object), ...assignment({ context, event }) };
  const news: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(assignment)) {
    news[name] = typeof value === 'function' ? value({ context, event }) : value;
  }
  return { ...(context as object), ...news };
}

type StateNode = AnyStateMachine['root'];

/** By event: the state's own transitions first, then the machine's, as XState asks them. */
function transitionsAt(machine: AnyStateMachine, node: StateNode): ReadonlyMap<string, FlatTransition[]> {
  if (node.type !== 'atomic') refuse(machine, `a ${node.type} state (${node.key})`);
  const table = new Map<string, FlatTransition[]>();
  for (const teller of [node, machine.root]) {
    const { always, entry, exit, invoke, transitions } = teller;
    if ([always ?? [], entry, exit, invoke].flat().length > 0) refuse(machine, `effects at ${teller.key}`);
    for (const [type, definitions] of transitions) {
      if (type.includes('*') || type.startsWith('xstate.')) refuse(machine, `a transition for ${type}`);
      const known = table.get(type) ?? [];
      table.set(type, [...known, ...definitions.map((definition) => flatTransition(machine, definition))]);
    }
  }
  return table;
}

type Definition = StateNode['transitions'] extends Map<string, (infer One)[]> ? One : never;

function flatTransition(machine: AnyStateMachine, { guard, target, actions }: Definition): FlatTransition {
  const { guards, actions: known } = machine.implementations;
  const test = guard === undefined ? null : guards[guard as string];
  if (guard !== undefined && (typeof guard !== 'string' || typeof test !== 'function')) {
    refuse(machine, 'a guard that is not a named function');
  }
  if (target !== undefined && target.length !== 1) refuse(machine, 'a transition to several states');
  const assignments = actions.map((action) => {
    const named = typeof action === 'string' ? known[action] : undefined;
    const { type, assignment } = (named ?? {}) as { type?: unknown; assignment?: Assignment };
    if (type !== 'xstate.assign' || assignment === undefined)
      return refuse(machine, 'an action that is no named assign');
    return assignment;
  });
  return { guard: test as FlatTransition['guard'], target: target?.[0]?.key ?? null, assignments };
}

function refuse(machine: AnyStateMachine, what: string): never {
  throw new Error(`the machine ${machine.id} has ${what}; src/control/flat-machine.ts cannot step that`);
}

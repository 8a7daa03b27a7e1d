// One step of a machine, by XState's own definition of it but without XState's interpreter. Our machines are flat (states
// without children, transitions with named guards, assignments and nothing else), and for those a step is a
// look-up. A definition that uses anything more is refused when it is loaded, not misread.
// test/breaker/control/flat-machine.test.ts holds it equal to XState's `transition()`.
//
// It is here because the replay of a long log is to end in 15 s for 1 000 000 control records (test/bench/replay.ts).
// CPU time to read and fold 300 000 of them, median of three, Node 20.20 on a busy machine of two cores:
//
//   reading alone, nothing folded                                                   1.9 s
//   folded by this file                                                             3.4 s, 11 s for a million
//   by XState's `machine.transition`, one actor scope and all snapshots kept        7.3 s, 24 s
//   by XState's `transition()`, which builds an actor for each event, once         22.7 s, 76 s

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
  const table = tableOf(machine);
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

type Definition = Readonly<Record<string, unknown>>;

/** What a machine, a state and a transition may say. The rest of XState's words mean more than a look-up. */
const OF_A_MACHINE = ['id', 'context', 'initial', 'schemas', 'description', 'states', 'on'];
const OF_A_STATE = ['description', 'on'];
/** `reenter` changes nothing where nothing is done on entry. */
const OF_A_TRANSITION = ['guard', 'target', 'actions', 'reenter', 'description'];

function tableOf(machine: AnyStateMachine): ReadonlyMap<string, ReadonlyMap<string, FlatTransition[]>> {
  const root = only(machine, machine.config as Definition, OF_A_MACHINE);
  const states = (root.states ?? {}) as Readonly<Record<string, Definition>>;
  const table = new Map<string, Map<string, FlatTransition[]>>();
  for (const [name, state] of Object.entries(states)) {
    const transitions = new Map<string, FlatTransition[]>();
    // The state's own first, then the machine's, as XState asks them.
    for (const { on } of [only(machine, state, OF_A_STATE), root]) {
      for (const [type, defined] of Object.entries(on ?? {})) {
        if (type.includes('*') || type.startsWith('xstate.')) refuse(machine, `a transition for ${type}`);
        const known = transitions.get(type) ?? [];
        transitions.set(type, [
          ...known,
          ...listOf(defined).map((one) => transitionOf(machine, states, one)),
        ]);
      }
    }
    table.set(name, transitions);
  }
  return table;
}

function transitionOf(machine: AnyStateMachine, states: object, defined: unknown): FlatTransition {
  const asObject = typeof defined === 'string' ? { target: defined } : (defined as Definition);
  const { guard, target, actions } = only(machine, asObject, OF_A_TRANSITION);
  if (target !== undefined && !(typeof target === 'string' && Object.hasOwn(states, target))) {
    refuse(machine, 'a transition to what is no state of its own');
  }
  const { guards, actions: known } = machine.implementations;
  const test = guard === undefined ? null : named(guards, guard);
  if (guard !== undefined && typeof test !== 'function')
    refuse(machine, 'a guard that is not a named function');
  const assignments = (actions === undefined ? [] : listOf(actions)).map((action) => {
    const { type, assignment } = (named(known, action) ?? {}) as { type?: unknown; assignment?: Assignment };
    if (type !== 'xstate.assign' || assignment === undefined) {
      return refuse(machine, 'an action that is no named assign');
    }
    return assignment;
  });
  return {
    guard: test as FlatTransition['guard'],
    target: (target as string | undefined) ?? null,
    assignments,
  };
}

function only(machine: AnyStateMachine, definition: Definition, allowed: readonly string[]): Definition {
  for (const word of Object.keys(definition)) {
    if (!allowed.includes(word) && definition[word] !== undefined) refuse(machine, `the word ${word}`);
  }
  return definition;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

function named(of: object, name: unknown): unknown {
  return typeof name === 'string' && Object.hasOwn(of, name) ? (of as Definition)[name] : undefined;
}

function refuse(machine: AnyStateMachine, what: string): never {
  throw new Error(
    `the machine ${machine.id} has ${what}; src/breaker/control/flat-machine.ts cannot step that`,
  );
}

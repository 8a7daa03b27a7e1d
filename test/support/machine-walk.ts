// Walks of one machine: a step through JSON, and the full walk over everything that is reachable.
import { getAdjacencyMap } from '@xstate/graph';
import { type AnyMachineSnapshot, type AnyStateMachine, transition } from 'xstate';

/** A state as a checkpoint holds it. */
export interface PlainState {
  readonly value: string;
  readonly context: object;
}

export function plainOf(snapshot: AnyMachineSnapshot): PlainState {
  return { value: snapshot.value as string, context: snapshot.context };
}

/** The snapshot that a process which read `state` from a file would have. */
export function throughJson(machine: AnyStateMachine, state: PlainState): AnyMachineSnapshot {
  const { value, context } = state;
  return machine.resolveState(JSON.parse(JSON.stringify({ value, context })) as PlainState);
}

/** One step; `isIgnored` when the machine gave the very same snapshot back. */
export function step(machine: AnyStateMachine, state: PlainState, event: { readonly type: string }) {
  const before = throughJson(machine, state);
  const [after] = transition(machine, before, event);
  return { after: plainOf(after), isIgnored: after === before };
}

export interface Walk<Event> {
  readonly events: (state: PlainState) => readonly Event[];
  /** Names a state; states of one name count as one. */
  readonly nameOf: (state: PlainState) => string;
  /** Where the walk does not go on: bounds a context that could grow for ever. */
  readonly isFarEnough: (state: PlainState) => boolean;
}

/** What the machine's definition holds: its states, and its transitions as `state: event → target [guard]`. */
export function definitionOf(machine: AnyStateMachine): { states: string[]; transitions: string[] } {
  const nodes = Object.values(machine.states);
  const transitions = [machine.root, ...nodes].flatMap((node) =>
    [...node.transitions.values()].flat().map(nameOfTransition),
  );
  return { states: nodes.map((node) => node.key).sort(), transitions: transitions.sort() };
}

/** Every state and transition that is reached from the initial state, through JSON between any two steps. */
export function walk<Event extends { readonly type: string }>(machine: AnyStateMachine, by: Walk<Event>) {
  const states = new Set<string>();
  const transitions = new Set<string>();
  const logic = {
    getInitialSnapshot: (scope: never) => machine.getInitialSnapshot(scope),
    getPersistedSnapshot: (snapshot: never) => snapshot,
    transition(snapshot: AnyMachineSnapshot, event: Event, scope: never) {
      const before = throughJson(machine, plainOf(snapshot));
      for (const taken of machine.getTransitionData(before, event)) transitions.add(nameOfTransition(taken));
      return machine.transition(before, event, scope);
    },
  };
  const map = getAdjacencyMap(logic as never, {
    events: ((snapshot: AnyMachineSnapshot) => by.events(plainOf(snapshot))) as never,
    serializeState: ((snapshot: AnyMachineSnapshot) => by.nameOf(plainOf(snapshot))) as never,
    stopWhen: ((snapshot: AnyMachineSnapshot) => by.isFarEnough(plainOf(snapshot))) as never,
    limit: 200_000,
  });
  const edges = Object.values(map) as { state: AnyMachineSnapshot; transitions: object }[];
  for (const { state } of edges) states.add(state.value as string);
  return {
    states: [...states].sort(),
    transitions: [...transitions].sort(),
    visited: edges.map(({ state }) => plainOf(state)),
  };
}

interface Taken {
  readonly source: { readonly key: string };
  readonly target?: readonly { readonly key: string }[] | undefined;
  readonly eventType: string;
  readonly guard?: unknown;
}

function nameOfTransition({ source, target, eventType, guard }: Taken): string {
  const to = target?.map(({ key }) => key).join() ?? '(stays)';
  return `${source.key}: ${eventType} → ${to}${guard === undefined ? '' : ` [${String(guard)}]`}`;
}

/** Everything in a definition that is not data, or that needs a clock: there must be none. */
export function impuritiesOf(machine: AnyStateMachine): string[] {
  const found: string[] = [];
  const look = (value: unknown, path: string): void => {
    if (typeof value === 'function') found.push(`${path} is a function`);
    if (typeof value !== 'object' || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      if (['after', 'invoke', 'always', 'entry', 'exit'].includes(key)) found.push(`${path}.${key}`);
      look(inner, `${path}.${key}`);
    }
  };
  look(machine.config, machine.id);
  return found;
}

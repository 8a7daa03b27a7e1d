// A machine as data that can be drawn: its states, and one edge for each pair of states that a transition
// joins. Everything comes from the XState definition itself, so a drawing cannot tell another story than the
// machine. What this cannot draw (states inside states) it refuses, or a picture would silently leave it out.

import type { AnyStateMachine } from 'xstate';

export interface Chart {
  readonly id: string;
  readonly initial: string;
  readonly states: readonly ChartState[];
  /** Sorted by nothing: in the order of the definition, which is the order of the drawing. */
  readonly edges: readonly ChartEdge[];
}

export interface ChartState {
  readonly name: string;
  readonly description: string;
}

export interface ChartEdge {
  /** Names the edge in a drawing: `open→halfOpen`, or `*→*` for what is heard in every state. */
  readonly key: string;
  readonly kind: EdgeKind;
  readonly source: string;
  readonly target: string;
  readonly transitions: readonly ChartTransition[];
}

/**
 * - `step`: from one state to another
 * - `self`: the state stays as it is; only the context moves, or it is entered anew
 * - `anywhere`: heard in every state, by the machine as a whole
 */
export type EdgeKind = 'step' | 'self' | 'anywhere';

export interface ChartTransition {
  readonly event: string;
  readonly guard: string | null;
  readonly actions: readonly string[];
  /** Whether the state is left and entered anew. */
  readonly isReentry: boolean;
}

/** Stands for "every state" in the key of an edge. */
export const ANYWHERE = '*';

type StateNode = AnyStateMachine['root'];
type Transition =
  StateNode['transitions'] extends Map<string, infer List>
    ? List extends readonly (infer One)[]
      ? One
      : never
    : never;

export function chartOf(machine: AnyStateMachine): Chart {
  const { root } = machine;
  const nodes = Object.values(root.states) as StateNode[];
  const edges = new Map<string, ChartEdge>();
  for (const node of [root, ...nodes]) {
    for (const transition of transitionsOf(machine, node)) {
      const edge = edgeOf(root, transition);
      const merged = [...(edges.get(edge.key)?.transitions ?? []), ...edge.transitions];
      edges.set(edge.key, { ...edge, transitions: merged });
    }
  }
  return {
    id: machine.id,
    initial: root.initial.target[0]?.key ?? '',
    states: nodes.map((node) => ({ name: node.key, description: node.description ?? '' })),
    edges: [...edges.values()],
  };
}

export function edgeKey(source: string, target: string): string {
  return `${source}→${target}`;
}

/**
 * The edge that `event` took between two states; null where the definition has none (a state that was adopted
 * from the record of another era).
 */
export function edgeTaken(
  edges: readonly ChartEdge[],
  from: string,
  to: string,
  event: string,
): ChartEdge | null {
  const keys = from === to ? [edgeKey(from, to), edgeKey(ANYWHERE, ANYWHERE)] : [edgeKey(from, to)];
  const hears = ({ key, transitions }: ChartEdge) =>
    keys.includes(key) && transitions.some((transition) => transition.event === event);
  return edges.find(hears) ?? null;
}

function transitionsOf(machine: AnyStateMachine, node: StateNode): readonly Transition[] {
  const isFlat = node === machine.root || node.type === 'atomic' || node.type === 'final';
  if (!isFlat)
    throw new Error(`${machine.id}.${node.key} holds states of its own, which no chart can draw yet`);
  if (node.always !== undefined && node.always.length > 0) {
    throw new Error(
      `${machine.id}.${node.key} has a transition without an event, which no chart can draw yet`,
    );
  }
  return [...node.transitions.values()].flat();
}

function edgeOf(root: StateNode, transition: Transition): ChartEdge {
  const source = transition.source.key;
  const target = transition.target?.[0]?.key ?? source;
  const transitions = [
    {
      event: transition.eventType,
      guard: transition.guard === undefined ? null : nameOf(transition.guard),
      actions: transition.actions.map(nameOf),
      isReentry: transition.reenter === true,
    },
  ];
  if (transition.source === root) {
    return {
      key: edgeKey(ANYWHERE, ANYWHERE),
      kind: 'anywhere',
      source: ANYWHERE,
      target: ANYWHERE,
      transitions,
    };
  }
  const kind = source === target ? 'self' : 'step';
  return { key: edgeKey(source, target), kind, source, target, transitions };
}

/** The name of a guard or an action, however it was given: as a name, as an object with a type, or in place. */
function nameOf(implementation: unknown): string {
  if (typeof implementation === 'string') return implementation;
  if (typeof implementation === 'function') return implementation.name || 'inline';
  const { type } = implementation as { readonly type?: unknown };
  return typeof type === 'string' ? type : 'inline';
}

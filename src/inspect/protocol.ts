// Steps of a replay → inspection events of @statelyai/inspect, in the form in which its receivers take them. Pure:
// ids are the machines' own names and times are those of the records, so the same log gives the same stream.
// test/browser/inspect.test.ts holds it equal to what live actors of the same machines send.

import type { StatelyInspectionEvent } from '@statelyai/inspect';
import {
  type AnyMachineState,
  type ControlState,
  evolveWatched,
  type Heard,
  MACHINE_NAMES,
  MACHINES,
  type MachineName,
  type Step,
} from '../breaker/index.ts';

/** The version of the package whose events these are; a test compares. */
const PROTOCOL_VERSION = '0.7.2';

/** One machine that did something. */
export interface Move {
  readonly actor: MachineName;
  readonly from: string;
  readonly to: string;
  readonly event: string;
}

export interface Inspected {
  readonly events: readonly StatelyInspectionEvent[];
  readonly moves: readonly Move[];
}

/** Every machine as an actor that was started in the state that it had then. `at`: wall ms. */
export function openingEvents(state: ControlState, at: number): StatelyInspectionEvent[] {
  return MACHINE_NAMES.flatMap((name) => {
    const snapshot = snapshotOf(name, state[name]);
    const common = commonOf(name, at);
    const init = { type: 'xstate.init' };
    return [
      {
        ...common,
        type: '@xstate.actor',
        name,
        definition: definitionFor(name),
        parentId: undefined,
        snapshot,
      },
      { ...common, type: '@xstate.event', event: init, sourceId: undefined },
      { ...common, type: '@xstate.snapshot', event: init, snapshot },
    ] as unknown as StatelyInspectionEvent[];
  });
}

/** What the machines heard of one record, and what they then were. Nothing, when none was let hear it. */
export function inspect(step: Step): Inspected {
  const { event, before, after, record } = step;
  const heard: Heard[] = [];
  if (event !== null) evolveWatched(before, event, (one) => heard.push(one));
  const events = heard.flatMap((one) => heardEvents(one, record.at));
  const moves = heard.filter((one) => one.after !== one.before).map(moveOf);
  if (step.agreement !== 'adopted') return { events, moves };
  // What a record of another era says of its states was taken over: no machine computed that.
  const told = new Map(heard.map((one) => [one.name, one.after]));
  const adopted = MACHINE_NAMES.filter((name) => !isSameState(told.get(name) ?? before[name], after[name]));
  return {
    events: [...events, ...adopted.map((name) => adoptedEvent(name, after[name], record.at))],
    moves: [
      ...moves.filter(({ actor }) => !adopted.includes(actor)),
      ...adopted.map((actor) => ({
        actor,
        from: before[actor].value,
        to: after[actor].value,
        event: record.type,
      })),
    ],
  };
}

export const ADOPTED = 'record.adopted';

function heardEvents({ name, source, event, after }: Heard, at: number): StatelyInspectionEvent[] {
  const common = commonOf(name, at);
  return [
    { ...common, type: '@xstate.event', event, sourceId: source ?? undefined },
    { ...common, type: '@xstate.snapshot', event, snapshot: snapshotOf(name, after) },
  ] as unknown as StatelyInspectionEvent[];
}

function adoptedEvent(name: MachineName, state: AnyMachineState, at: number): StatelyInspectionEvent {
  const snapshot = snapshotOf(name, state);
  const event = { ...commonOf(name, at), type: '@xstate.snapshot', event: { type: ADOPTED }, snapshot };
  return event as unknown as StatelyInspectionEvent;
}

function moveOf({ name, event, before, after }: Heard): Move {
  return { actor: name, from: before.value, to: after.value, event: event.type };
}

/** Each machine is the root of a system of its own, as it is where `createActor(machine)` starts it. */
function commonOf(name: MachineName, at: number) {
  return {
    sessionId: name,
    rootId: name,
    // A string, and null for the id: what the package sends, whatever its types say.
    createdAt: String(at),
    id: null,
    _version: PROTOCOL_VERSION,
  };
}

/** XState's own JSON of a snapshot, so that no field of it is forgotten here. */
function snapshotOf(name: MachineName, state: AnyMachineState): unknown {
  const known = SNAPSHOTS.get(state);
  if (known !== undefined) return known;
  const snapshot: unknown = JSON.parse(JSON.stringify(MACHINES[name].resolveState(state)));
  SNAPSHOTS.set(state, snapshot);
  return snapshot;
}

/** Most records move one machine or two; the states of the others are the same objects as before. */
const SNAPSHOTS = new WeakMap<AnyMachineState, unknown>();

/** With its keys sorted, as the package's stringify does. */
function definitionFor(name: MachineName): string {
  return JSON.stringify(sorted(MACHINES[name].config));
}

function sorted(value: unknown): unknown {
  if (typeof value === 'function') return { type: value.name };
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}

function isSameState(a: AnyMachineState, b: AnyMachineState): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

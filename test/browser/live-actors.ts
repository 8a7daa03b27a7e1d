// Runs in the browser: live actors of the same machines, inspected by the package in the way its documentation says.

import { createBrowserInspector } from '@statelyai/inspect';
import { type AnyActor, createActor } from 'xstate';
import { MACHINES } from '../../src/breaker/control/evolve.ts';
import { MACHINE_NAMES, type MachineName } from '../../src/breaker/control/state.ts';

export interface Delivery {
  readonly name: MachineName;
  readonly source: MachineName | null;
  readonly event: { readonly type: string };
}

/** The package converts what it saw when the page is idle. */
const idle = () => new Promise((resolve) => requestIdle(resolve));
const requestIdle = (globalThis as unknown as { requestIdleCallback: (act: (at: unknown) => void) => void })
  .requestIdleCallback;

async function runLive(deliveries: readonly Delivery[]): Promise<void> {
  const inspector = createBrowserInspector({ maxDeferredEvents: 1_000_000 });
  const actors = new Map<MachineName, AnyActor>();
  for (const name of MACHINE_NAMES) {
    const actor = createActor(MACHINES[name], { id: name, inspect: inspector.inspect });
    actors.set(name, actor);
    actor.start();
  }
  await idle();
  for (const { name, source, event } of deliveries) {
    const actor = actors.get(name) as AnyActor;
    // What an actor sends another goes through here in XState too: it is how an event gets its source.
    if (source === null) actor.send(event);
    else (actor as Relaying).system._relay(actors.get(source) as AnyActor, actor, event);
  }
  await idle();
}

type Relaying = AnyActor & {
  readonly system: { _relay(source: AnyActor, target: AnyActor, event: object): void };
};

(globalThis as unknown as { runLive: typeof runLive }).runLive = runLive;

// Where the machines are at any place of what was received: the viewer's model, without a page. Going back is as
// cheap as going on, because nothing is undone: it looks for the newest word on each machine.

import type { MachineName } from '../breaker/index.ts';
import type { Frame, Greeting } from './frames.ts';
import type { Move } from './protocol.ts';

export interface ActorView {
  readonly value: string;
  readonly context: unknown;
  /** What it did last, and whether that was at this very place. */
  readonly move: Move | null;
  readonly hasJustMoved: boolean;
  /** Its context before the move, to show what changed. */
  readonly contextBefore: unknown;
}

interface Told {
  readonly value: string;
  readonly context: unknown;
}

export class Timeline {
  readonly #greeting: Greeting;
  readonly #frames: Frame[] = [];
  /** For each machine, the places at which something was said of it. */
  readonly #told = new Map<
    MachineName,
    { readonly place: number; readonly told: Told; readonly move: Move | null }[]
  >();

  constructor(greeting: Greeting) {
    this.#greeting = greeting;
    for (const { name } of greeting.actors)
      this.#told.set(name, [{ place: 0, told: openingOf(greeting, name), move: null }]);
  }

  get greeting(): Greeting {
    return this.#greeting;
  }

  get frames(): readonly Frame[] {
    return this.#frames;
  }

  add(frame: Frame): void {
    this.#frames.push(frame);
    const place = this.#frames.length;
    for (const [name, list] of this.#told) {
      const snapshots = frame.events.filter(
        (event) => event.type === '@xstate.snapshot' && event.sessionId === name,
      );
      const newest = snapshots.at(-1);
      if (newest === undefined) continue;
      const move = frame.moves.filter(({ actor }) => actor === name).at(-1) ?? null;
      list.push({ place, told: toldBy(newest), move });
    }
  }

  /** `place`: how many frames are behind us. */
  at(place: number, name: MachineName): ActorView {
    const list = this.#told.get(name) ?? [];
    const newest = list.findLastIndex((one) => one.place <= place);
    const moved = list.findLastIndex((one, at) => at <= newest && one.move !== null);
    const { value, context } = (list[newest] as { told: Told }).told;
    const move = list[moved]?.move ?? null;
    const hasJustMoved = move !== null && list[moved]?.place === place;
    const contextBefore = hasJustMoved ? list[moved - 1]?.told.context : context;
    return { value, context, move, hasJustMoved, contextBefore };
  }
}

function openingOf(greeting: Greeting, name: MachineName): Told {
  const actor = greeting.events.find((event) => event.type === '@xstate.actor' && event.sessionId === name);
  if (actor === undefined) throw new Error(`the stream does not open with ${name}`);
  return toldBy(actor);
}

function toldBy(event: object): Told {
  return (event as { readonly snapshot: Told }).snapshot;
}

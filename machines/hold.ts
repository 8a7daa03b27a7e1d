// A hold: a reason not to go by the breaker alone, with an end. One definition, used for `operator`
// (a person holds it open or closed), `config` (the server refuses us until a person acts) and `throttle`
// (the server asked for a pause). A hold ends by its expiry even if nobody writes that down: whether it
// still holds is asked with `now`, never stored.

import { assign, setup } from 'xstate';
import type { StampedControlEvent } from './events.ts';
import type { Wait } from './time.ts';

export interface HoldContext {
  readonly stance: 'open' | 'closed';
  readonly reason: string;
  /** What must change for the hold to be pointless; empty when nothing but time ends it. */
  readonly under: string;
  readonly ends: Wait | null;
}

type HoldEvent = Extract<StampedControlEvent, { type: `hold.${string}` }>;

const NOTHING: HoldContext = { stance: 'open', reason: '', under: '', ends: null };

export const holdMachine = setup({
  types: { context: {} as HoldContext, events: {} as HoldEvent },
  actions: {
    place: assign(({ context, event }) =>
      event.type === 'hold.placed'
        ? {
            stance: event.stance,
            reason: event.reason,
            under: event.under ?? '',
            ends: { from: event.moment, waitMs: event.forMs },
          }
        : context,
    ),
    lift: assign(() => NOTHING),
  },
}).createMachine({
  id: 'hold',
  context: NOTHING,
  initial: 'free',
  states: {
    free: { on: { 'hold.placed': { target: 'held', actions: 'place' } } },
    held: {
      on: {
        'hold.placed': { target: 'held', reenter: true, actions: 'place' },
        'hold.released': { target: 'free', actions: 'lift' },
      },
    },
  },
});

// A lease: at most one holder at a time, over all processes, until a moment. One definition, used for
// `drain` (who may attempt work) and for `probe` (who may ask whether the server is back).
// Whoever is granted it gets the next epoch; results that carry an older epoch are void.
// It does not know who is alive: a holder that died is succeeded by a claim after `ends`.

import { assign, setup } from 'xstate';
import type { Stamped, StampedControlEvent } from './events.ts';
import { isOver, type Wait } from './time.ts';

export interface LeaseContext {
  /** The epoch of the latest grant; 0 before the first. Only grows. */
  readonly epoch: number;
  /** The invocation that holds it or was asked to claim it; empty when free. */
  readonly owner: string;
  /** When the holder, or the one who was asked, is given up on. */
  readonly ends: Wait | null;
  /** The process that holds it, when it said so. */
  readonly holder: { readonly pid: number; readonly space: string } | null;
}

type LeaseEvent = Extract<StampedControlEvent, { type: `lease.${string}` }>;

export const leaseMachine = setup({
  types: { context: {} as LeaseContext, events: {} as LeaseEvent },
  guards: {
    hasEnded: ({ context, event }) => context.ends === null || isOver(context.ends, event.moment),
    isCurrent: ({ context, event }) => 'epoch' in event && event.epoch === context.epoch,
  },
  actions: {
    ask: assign(({ event }) => ({ ...granted(event), holder: null })),
    grant: assign(({ context, event }) => ({
      ...granted(event),
      epoch: context.epoch + 1,
      holder: event.type === 'lease.claimed' ? (event.process ?? null) : null,
    })),
    extend: assign(({ event }) => granted(event)),
    clear: assign({ owner: '', ends: null, holder: null }),
  },
}).createMachine({
  id: 'lease',
  context: { epoch: 0, owner: '', ends: null, holder: null },
  initial: 'free',
  states: {
    free: {
      on: {
        'lease.requested': { target: 'asked', actions: 'ask' },
        'lease.claimed': { target: 'held', actions: 'grant' },
      },
    },
    asked: {
      description: 'Somebody was started and is expected to claim it.',
      on: {
        'lease.requested': { guard: 'hasEnded', target: 'asked', reenter: true, actions: 'ask' },
        'lease.claimed': { target: 'held', actions: 'grant' },
      },
    },
    held: {
      on: {
        'lease.requested': { guard: 'hasEnded', target: 'asked', actions: 'ask' },
        'lease.claimed': { guard: 'hasEnded', target: 'held', reenter: true, actions: 'grant' },
        'lease.renewed': { guard: 'isCurrent', actions: 'extend' },
        'lease.released': { guard: 'isCurrent', target: 'free', actions: 'clear' },
        'lease.lost': { guard: 'isCurrent', target: 'free', actions: 'clear' },
      },
    },
  },
});

function granted(event: Stamped<{ readonly forMs?: number }>): Pick<LeaseContext, 'owner' | 'ends'> {
  return { owner: event.by, ends: { from: event.moment, waitMs: event.forMs ?? 0 } };
}

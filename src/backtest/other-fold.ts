// The control state under the other policy, with its own story and its own time: events go in, recorded or made up, and the
// machines say what they do.

import type { ControlEvent, StampedControlEvent } from '../../machines/events.ts';
import { DEFAULT_POLICY, type Policy } from '../../machines/policy.ts';
import type { Moment } from '../../machines/time.ts';
import {
  type ControlState,
  evolve,
  INITIAL_STATE,
  isLeaseLive,
  type Step,
  transitionOf,
} from '../breaker/index.ts';
import { evolveHistory, newHistory, type OutageHistory } from '../outages/outages.ts';
import { withPolicy } from './in-step.ts';

/** An invocation that was made up. */
const MADE_UP = 'backtest-1';
/** Long enough for any vigil. */
const DRAIN_LEASE_MS = 7 * 86_400_000;

export class OtherFold {
  readonly overrides: Partial<Policy>;
  readonly #draw: () => number;
  #state: ControlState;
  #history: OutageHistory = newHistory();
  /** On the time line of the log, in ms. */
  now = 0;
  #base: { readonly t: number; readonly moment: Moment } = { t: 0, moment: { at: 0, mono: 0, boot: '' } };

  constructor(overrides: Partial<Policy>, draw: () => number) {
    this.overrides = overrides;
    this.#draw = draw;
    this.#state = withPolicy(INITIAL_STATE, { ...DEFAULT_POLICY, ...overrides });
  }

  get state(): ControlState {
    return this.#state;
  }

  get history(): OutageHistory {
    return this.#history;
  }

  get policy(): Policy {
    return this.#state.breaker.context.policy;
  }

  get isAtRest(): boolean {
    const { breaker, recovery } = this.#state;
    return breaker.value === 'closed' && recovery.value === 'idle' && !recovery.context.hasBacklog;
  }

  /** Whether an invocation that was made up holds the drain lease. */
  get isDrainMadeUp(): boolean {
    return this.#state.drain.context.owner === MADE_UP;
  }

  /** Time has come to a record: clocks go on from its moment. */
  arrive(t: number, moment: Moment): void {
    this.now = Math.max(this.now, t);
    this.#base = { t, moment };
  }

  /** Leases are who was there: from now on that is as recorded again. */
  rejoin({ drain, probe }: ControlState): void {
    this.#state = { ...this.#state, drain, probe };
  }

  /** A recorded event under the leases and the policy of here. */
  asOurs({ before }: Step, event: StampedControlEvent): StampedControlEvent {
    if (event.type === 'policy.set') return { ...event, policy: { ...event.policy, ...this.overrides } };
    if (!('epoch' in event)) return event;
    const theirs = before[event.lease];
    const isCurrent = theirs.value === 'held' && theirs.context.epoch === event.epoch;
    const ours = this.#state[event.lease].context;
    const isOwner = theirs.context.owner === event.by;
    return { ...event, epoch: isCurrent ? ours.epoch : -1, by: isOwner ? ours.owner : event.by };
  }

  /** Says something that was made up, now. Whether it moved anything. */
  say(said: ControlEvent): boolean {
    const held = 'epoch' in said ? this.#state[said.lease].context.owner : MADE_UP;
    return this.apply({ ...said, moment: this.moment(), by: held });
  }

  /** The drain lease of whoever is there; claimed where nobody has it. */
  drain(): { readonly lease: 'drain'; readonly epoch: number } {
    const isHeld = this.#state.drain.value === 'held' && isLeaseLive(this.#state, 'drain', this.moment());
    if (!isHeld) {
      this.say({ type: 'lease.claimed', lease: 'drain', forMs: DRAIN_LEASE_MS, draw: this.#draw() });
    }
    return { lease: 'drain', epoch: this.#state.drain.context.epoch };
  }

  apply(event: StampedControlEvent, recorded?: Step, adopted: ControlState | null = null): boolean {
    const before = this.#state;
    const after = adopted ?? evolve(before, event);
    const { type, moment, by, ...data } = event;
    const record = { v: 1, id: '', ...moment, inv: by, type, data };
    this.#state = after;
    this.#history = evolveHistory(this.#history, {
      position: recorded?.position ?? -1,
      record: recorded === undefined ? record : { ...recorded.record, inv: by, data },
      event,
      before,
      after,
      isVoid: after === before,
      agreement: 'agreed',
      computed: transitionOf(before, after),
    });
    return after !== before;
  }

  moment(): Moment {
    const { t, moment } = this.#base;
    const ms = this.now - t;
    return { at: moment.at + ms, mono: moment.mono + ms, boot: moment.boot };
  }
}

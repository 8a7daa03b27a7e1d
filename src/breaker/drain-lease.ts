// Holding the drain lease: claim, renew while at work, release. Every control event that depends on the lease
// goes through here, so that a drainer which lost it notices at its next word and stops.

import type { ControlEvent } from '../../machines/events.ts';
import { remainingMs } from '../../machines/time.ts';
import type { ControlLog } from './control/control-log.ts';
import { isHeld, isLeaseLive } from './control/decide.ts';
import type { ControlState } from './control/state.ts';
import { isHolderGone } from './drainer-wanted.ts';
import type { Writer } from './journal/writer.ts';
import { thisProcess } from './process.ts';

/** How long a holder that says nothing is believed, in ms. A dead one on this host is noticed at once. */
export const DRAIN_LEASE_MS = 180_000;
/** Renewed when less than this is left, in ms: longer than one edit may take, which can be two requests. */
const RENEW_BELOW_MS = 130_000;

/** The lease is somebody else's: whoever runs into it must stop at once. */
export class LeaseLost extends Error {}

type Unleased<E> = E extends { readonly epoch: number } ? Omit<E, 'lease' | 'epoch'> : never;
/** Events under the drain lease, without the lease and epoch that are filled in here. */
export type DrainEvent = Unleased<ControlEvent>;

export class DrainLease {
  readonly #control: ControlLog;
  readonly #writer: Writer;
  readonly epoch: number;

  private constructor(control: ControlLog, writer: Writer, epoch: number) {
    this.#control = control;
    this.#writer = writer;
    this.epoch = epoch;
  }

  /** Null when another process holds it. */
  static async claim(control: ControlLog, writer: Writer): Promise<DrainLease | null> {
    await control.refresh();
    const isOrphaned = isHolderGone(control.state);
    const isTaken = control.state.drain.value === 'held' && isLeaseLive(control.state, 'drain', writer.now());
    if (isTaken && !isOrphaned) return null;
    const claimed = {
      type: 'lease.claimed',
      lease: 'drain',
      forMs: DRAIN_LEASE_MS,
      draw: writer.random(),
      process: thisProcess(),
    } as const;
    const lost = { type: 'lease.lost', lease: 'drain', epoch: control.state.drain.context.epoch } as const;
    const steps = await control.appendOrThrow(...(isOrphaned ? [lost, claimed] : [claimed]));
    const granted = steps.at(-1);
    if (granted?.isVoid !== false) return null;
    // As of our own record: by now it may be another's, and the epoch of now theirs.
    return new DrainLease(control, writer, granted.after.drain.context.epoch);
  }

  get state(): ControlState {
    return this.#control.state;
  }

  /** Makes sure that a request started now ends under this lease. */
  async renewIfNeeded(): Promise<void> {
    const { ends } = this.state.drain.context;
    if (ends !== null && remainingMs(ends, this.#writer.now()) > RENEW_BELOW_MS) return;
    await this.record({ type: 'lease.renewed', forMs: DRAIN_LEASE_MS });
  }

  /** Appends events of this epoch. Throws `LeaseLost` when the lease is no longer ours. */
  async record(...events: readonly DrainEvent[]): Promise<void> {
    await this.recordPlain(...events.map((event) => this.#leased(event)));
  }

  /** The same for events that carry no lease of ours (holds, policy, the probe lease). */
  async recordPlain(...events: readonly ControlEvent[]): Promise<void> {
    await this.#control.appendOrThrow(...events);
    this.assertHeld();
  }

  /** Writes the end of a hold down, or a clock that was set back could bring it up again. */
  async settleHolds(): Promise<void> {
    const over = (['operator', 'config', 'throttle'] as const).filter(
      (hold) => this.state[hold].value === 'held' && !isHeld(this.state, hold, this.#writer.now()),
    );
    if (over.length === 0) return;
    const ended = over.map((hold) => ({ type: 'hold.released', hold, reason: 'its time was over' }) as const);
    await this.recordPlain(...ended);
  }

  async release(reason: string, answeredAt: number | null): Promise<void> {
    const released = { type: 'lease.released', lease: 'drain', epoch: this.epoch, reason } as const;
    await this.#control.append(answeredAt === null ? released : { ...released, answeredAt });
  }

  async refresh(): Promise<void> {
    await this.#control.refresh();
    this.assertHeld();
  }

  assertHeld(): void {
    if (this.#control.isNewer) throw new LeaseLost('a newer version is at work');
    const { value, context } = this.state.drain;
    if (value !== 'held' || context.epoch !== this.epoch) throw new LeaseLost('another process took over');
  }

  #leased(event: DrainEvent): ControlEvent {
    return { ...event, lease: 'drain', epoch: this.epoch } as ControlEvent;
  }
}

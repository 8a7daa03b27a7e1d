// The log as it would have gone under another policy. It is followed, record by record, as long as both policies lead to the
// same state; from where they part the real machines are driven over events that are made up: probes when they are due and
// somebody is there, answered by the model of Plex, and the backlog worked off at the pace of the log. When both are at
// rest again the log is followed on.
//
// Nothing of the breaker is done again here: whether to go, wait or probe is asked of `gate`, and what an event does is
// left to `evolve`.

import type { StampedControlEvent } from '../../machines/events.ts';
import type { Policy } from '../../machines/policy.ts';
import { type ControlState, INITIAL_STATE, isDrainerNeeded, type Step } from '../breaker/index.ts';
import type { OutageHistory } from '../outages/outages.ts';
import type { PlacedQueueEvent } from '../queue/queue.ts';
import { Acting, type MadeUpAnswer } from './acting.ts';
import { Draws } from './draws.ts';
import { isInStep, withPolicy } from './in-step.ts';
import { OtherFold } from './other-fold.ts';
import type { Recorded, RecordedLog } from './recorded.ts';

export interface OtherRun {
  readonly history: OutageHistory;
  /** The parts of the time line that were made up, in order. */
  readonly madeUp: readonly { readonly from: number; readonly to: number }[];
  readonly answers: readonly MadeUpAnswer[];
}

export interface RunOptions {
  readonly overrides: Partial<Policy>;
  /** False: goes its own way from the first opening on, even where it need not. For a test of what is made up. */
  readonly follows?: boolean;
}

export function runOther(log: RecordedLog, options: RunOptions): OtherRun {
  const run = new Run(log, options);
  for (const [index, item] of log.items.entries()) run.take(item, index);
  return run.end();
}

class Run {
  readonly #follows: boolean;
  readonly #draws: Draws;
  readonly #fold: OtherFold;
  readonly #acting: Acting;
  #actual: ControlState = INITIAL_STATE;
  readonly #actualBacklog = new Set<string>();
  readonly #madeUp: { from: number; to: number }[] = [];
  /** Since when it has gone its own way; null: it follows. */
  #partedAt: number | null = null;

  constructor(log: RecordedLog, { overrides, follows = true }: RunOptions) {
    this.#follows = follows;
    this.#draws = new Draws(log.draws);
    this.#fold = new OtherFold(overrides, () => this.#draws.next());
    this.#acting = new Acting(this.#fold, log, this.#draws);
  }

  take(item: Recorded, index: number): void {
    if (this.#partedAt !== null) this.#acting.act(item.t);
    this.#fold.arrive(item.t, item.moment);
    if (item.kind === 'queue') this.#takeJob(item.event);
    else this.#takeStep(item.step, index);
  }

  end(): OtherRun {
    const { history } = this.#fold;
    const { answers } = this.#acting;
    if (this.#partedAt === null) return { history, madeUp: this.#madeUp, answers };
    // Who is there goes on behind the end of the log, where that was not the middle of an outage.
    if (this.#actual.breaker.value === 'closed') this.#acting.act(Number.POSITIVE_INFINITY);
    this.#madeUp.push({ from: this.#partedAt, to: this.#fold.now });
    return { history: this.#fold.history, madeUp: this.#madeUp, answers };
  }

  #takeJob(event: PlacedQueueEvent): void {
    if (!('job' in event) || event.type === 'job.attempted') return;
    if (event.type === 'job.queued') {
      this.#acting.backlog.add(event.job);
      this.#actualBacklog.add(event.job);
      // A wake: it starts a drainer where there is none and one is needed.
      const isAlone = this.#partedAt !== null && !this.#acting.isSomebodyThere;
      if (isAlone && isDrainerNeeded(this.#fold.state, this.#fold.moment(), true)) this.#acting.stay();
      return;
    }
    this.#actualBacklog.delete(event.job);
    if (this.#partedAt === null || this.#fold.state.breaker.value === 'closed')
      this.#acting.backlog.delete(event.job);
  }

  #takeStep(step: Step, index: number): void {
    const { event } = step;
    this.#actual = step.after;
    if (event === null) return;
    this.#noteStay(step, event);
    if (this.#partedAt === null) {
      this.#draws.passed(index);
      this.#follow(step, event);
    } else {
      this.#takeApart(step, event);
    }
    this.#compare();
  }

  #follow(step: Step, event: StampedControlEvent): void {
    const ours = this.#fold.asOurs(step, event);
    const policy = ours.type === 'policy.set' ? ours.policy : this.#fold.policy;
    this.#fold.apply(ours, step, step.agreement === 'adopted' ? withPolicy(step.after, policy) : null);
  }

  /** What the other policy would have met as well, of what was recorded. */
  #takeApart(step: Step, event: StampedControlEvent): void {
    switch (event.type) {
      case 'policy.set':
      case 'hold.placed':
      case 'hold.released':
        this.#fold.apply(this.#fold.asOurs(step, event), step);
        return;
      case 'lease.claimed':
        if (event.lease === 'probe') {
          if (event.isForced === true && this.#fold.state.breaker.value === 'open') this.#acting.probe(true);
        } else if (!step.isVoid) {
          if (this.#fold.isDrainMadeUp)
            this.#fold.say({ ...this.#fold.drain(), type: 'lease.released', reason: 'idle' });
          this.#fold.apply(event, step);
        }
        return;
      case 'lease.requested':
      case 'lease.renewed':
      case 'lease.lost':
        if (event.lease === 'drain') this.#fold.apply(this.#fold.asOurs(step, event), step);
        return;
      case 'lease.released':
        // It would have stayed for what is not over yet.
        if (event.lease === 'drain' && this.#fold.isAtRest)
          this.#fold.apply(this.#fold.asOurs(step, event), step);
        return;
      case 'attempt.succeeded':
      case 'attempt.failed':
      case 'probe.succeeded':
      case 'probe.failed':
        if (event.lease !== 'drain' || step.isVoid || this.#fold.state.breaker.value !== 'closed') return;
        this.#fold.apply(this.#fold.asOurs(step, event), step);
        if (event.type === 'attempt.failed') this.#confirmIfDoubtful();
        return;
      case 'backlog.drained':
        return;
    }
  }

  /** Whether both still are, or are again, where the same goes on. */
  #compare(): void {
    const isSame = isInStep(this.#actual, this.#fold.state);
    if (this.#partedAt === null) {
      const isForced = !this.#follows && this.#fold.state.breaker.value === 'open';
      if (isSame && !isForced) return;
      this.#partedAt = this.#fold.now;
      this.#confirmIfDoubtful();
      return;
    }
    const isFree = this.#follows || (this.#fold.isAtRest && this.#acting.backlog.size === 0);
    if (!isSame || !isFree) return;
    this.#madeUp.push({ from: this.#partedAt, to: this.#fold.now });
    this.#partedAt = null;
    this.#fold.rejoin(this.#actual);
    this.#acting.backlog.clear();
    for (const job of this.#actualBacklog) this.#acting.backlog.add(job);
  }

  /** A failure that opened the breaker and here does not is looked into, as any other is. */
  #confirmIfDoubtful(): void {
    if (this.#actual.breaker.value === 'open' && this.#fold.state.breaker.value === 'closed')
      this.#acting.confirm();
  }

  /** Who was there, by what was recorded. Only a detached drainer waits. */
  #noteStay({ record, isVoid }: Step, event: StampedControlEvent): void {
    if (isVoid || !('lease' in event) || event.lease !== 'drain') return;
    if (event.type === 'lease.claimed' && record.inv.startsWith('drain')) this.#acting.stay();
    if (event.type === 'attempt.succeeded' && this.#acting.isSomebodyThere) this.#acting.stay();
    const isLeft = event.type === 'lease.released' && (this.#partedAt === null || this.#fold.isAtRest);
    if (isLeft || event.type === 'lease.lost') this.#acting.leave();
  }
}

// What would have been done where the log cannot be followed: probes when they are due and somebody is there, answered by the
// model of Plex, and the backlog worked off at the pace of the log.

import { gate, PROBE_LEASE_MS } from '../breaker/index.ts';
import type { Draws } from './draws.ts';
import type { OtherFold } from './other-fold.ts';
import type { RecordedLog } from './recorded.ts';

/** How long to wait before a claim that was refused is tried again, in ms. */
const RETRY_MS = 500;
/** Made-up actions in one log: an end to a loop that ought to have one. */
const MAX_ACTIONS = 5_000_000;

/** A probe that was made up, and whether its answer was a guess. `isConfirmation`: it followed a failed attempt. */
export interface MadeUpAnswer {
  readonly t: number;
  readonly isEstimated: boolean;
  readonly isConfirmation: boolean;
}

export class Acting {
  readonly #fold: OtherFold;
  readonly #log: RecordedLog;
  readonly #draws: Draws;
  readonly answers: MadeUpAnswer[] = [];
  /** Jobs that wait. */
  readonly backlog = new Set<string>();
  /** When the drainer that is there, and may wait, last got somewhere; −∞: nobody is there. */
  #progressAt = Number.NEGATIVE_INFINITY;
  #actions = 0;

  constructor(fold: OtherFold, log: RecordedLog, draws: Draws) {
    this.#fold = fold;
    this.#log = log;
    this.#draws = draws;
  }

  get isSomebodyThere(): boolean {
    return this.#fold.now <= this.#stayUntil;
  }

  /** Does what would have been done up to `until`. */
  act(until: number): void {
    while (this.#fold.now < until && this.#fold.now <= this.#stayUntil) {
      if (++this.#actions > MAX_ACTIONS) throw new Error('the backtest does not come to an end: a bug');
      const answer = gate(this.#fold.state, this.#fold.moment());
      switch (answer.kind) {
        case 'wait':
        case 'held': {
          const wakes = this.#fold.now + Math.max(1, answer.remainingMs);
          if (wakes >= until || wakes > this.#stayUntil) return;
          this.#fold.now = wakes;
          break;
        }
        case 'probe':
          this.probe(false);
          break;
        case 'go':
          if (this.backlog.size > 0) this.#work(answer.limit);
          else if (this.#fold.isAtRest) return;
          else if (this.#fold.state.breaker.value !== 'closed') return;
          else this.#fold.say({ type: 'backlog.drained', ...this.#fold.drain() });
          break;
      }
    }
  }

  probe(isForced: boolean): void {
    const claimed = {
      type: 'lease.claimed',
      lease: 'probe',
      forMs: PROBE_LEASE_MS,
      draw: this.#draws.next(),
    } as const;
    if (!this.#fold.say({ ...claimed, ...(isForced && { isForced }) })) {
      this.#fold.now += RETRY_MS;
      return;
    }
    const under = { lease: 'probe', epoch: this.#fold.state.probe.context.epoch } as const;
    this.#answer(under);
    this.#fold.say({ type: 'lease.released', ...under, reason: 'answered' });
  }

  /** The probe that follows a failed attempt. */
  confirm(): void {
    this.#answer(this.#fold.drain());
  }

  #answer(under: { readonly lease: 'drain' | 'probe'; readonly epoch: number }): void {
    const { isGood, isEstimated, class: failure, symptom } = this.#log.plex.answerAt(this.#fold.now);
    this.#fold.now += this.#log.pace.probeMs;
    this.answers.push({ t: this.#fold.now, isEstimated, isConfirmation: under.lease === 'drain' });
    const { probeMs: tookMs } = this.#log.pace;
    if (isGood) {
      this.#fold.say({ type: 'probe.succeeded', ...under, tookMs, pending: this.backlog.size });
      this.stay();
    } else {
      this.#fold.say({ type: 'probe.failed', ...under, class: failure, symptom, draw: this.#draws.next() });
    }
  }

  /** One batch, job after job, until Plex is away. */
  #work(limit: number): void {
    let done = 0;
    const succeeded = () => {
      const { breaker, recovery } = this.#fold.state;
      const isNews =
        breaker.value === 'halfOpen' || recovery.value === 'ramping' || breaker.context.failures > 0;
      if (done > 0 && isNews)
        this.#fold.say({ type: 'attempt.succeeded', ...this.#fold.drain(), count: done });
      if (done > 0) this.stay();
    };
    for (const job of this.backlog) {
      if (done >= limit) break;
      this.#fold.now += this.#log.pace.jobMs;
      const answer = this.#log.plex.answerAt(this.#fold.now);
      if (!answer.isGood) {
        succeeded();
        const { class: failure, symptom } = answer;
        const draw = this.#draws.next();
        this.#fold.say({
          type: 'attempt.failed',
          ...this.#fold.drain(),
          class: failure,
          symptom,
          draw,
          subject: job,
        });
        if (this.#fold.state.breaker.value !== 'open') this.confirm();
        return;
      }
      this.backlog.delete(job);
      done += 1;
    }
    succeeded();
  }

  /** Until when somebody is there, at least. */
  get #stayUntil(): number {
    return this.#progressAt + this.#fold.policy.vigilMs;
  }

  /** From now on a drainer stays as long as its vigil lasts. */
  stay(): void {
    this.#progressAt = Math.max(this.#progressAt, this.#fold.now);
  }

  /** Whoever was there is gone. */
  leave(): void {
    this.#progressAt = Number.NEGATIVE_INFINITY;
  }
}

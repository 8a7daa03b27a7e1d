// The log as it would have gone under another policy. It is followed, record by record, as long as both policies lead to the
// same state; from where they part the real machines are driven over events that are made up: probes when they are due and
// somebody is there, answered by the model of Plex, and the backlog worked off at the pace of the log. When both are at
// rest again the log is followed on.
//
// Nothing of the breaker is done again here: whether to go, wait or probe is asked of `gate`, and what an event does is
// left to `evolve`.

import type { ControlEvent, StampedControlEvent } from '../../machines/events.ts';
import { DEFAULT_POLICY, type Policy } from '../../machines/policy.ts';
import type { Moment } from '../../machines/time.ts';
import { gate, isDrainerNeeded, isLeaseLive } from '../control/decide.ts';
import { evolve } from '../control/evolve.ts';
import type { Step } from '../control/replay.ts';
import { type ControlState, INITIAL_STATE } from '../control/state.ts';
import { transitionOf } from '../control/witness.ts';
import { EMPTY_HISTORY, evolveHistory, type OutageHistory } from '../outages/outages.ts';
import type { PlacedQueueEvent } from '../queue/queue.ts';
import { Draws } from './draws.ts';
import { isInStep, withPolicy } from './in-step.ts';
import type { Recorded, RecordedLog } from './recorded.ts';

/** An invocation that was made up. */
const MADE_UP = 'backtest-1';
const PROBE_LEASE_MS = 15_000;
/** Long enough for any vigil. */
const DRAIN_LEASE_MS = 7 * 86_400_000;
/** How long to wait before a claim that was refused is tried again, in ms. */
const RETRY_MS = 500;
/** Made-up actions in one log: an end to a loop that ought to have one. */
const MAX_ACTIONS = 5_000_000;

export interface OtherRun {
  readonly history: OutageHistory;
  /** The parts of the time line that were made up, in order. */
  readonly madeUp: readonly { readonly from: number; readonly to: number }[];
  /** Each probe that was made up, and opening that one decided: whether its answer was a guess. */
  readonly answers: readonly {
    readonly t: number;
    readonly isEstimated: boolean;
    readonly isConfirmation: boolean;
  }[];
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
  readonly #log: RecordedLog;
  readonly #overrides: Partial<Policy>;
  readonly #follows: boolean;
  readonly #draws: Draws;
  #state: ControlState;
  #actual: ControlState = INITIAL_STATE;
  #history: OutageHistory = EMPTY_HISTORY;
  #madeUp: { from: number; to: number }[] = [];
  readonly #answers: OtherRun['answers'][number][] = [];
  readonly #backlog = new Set<string>();
  readonly #actualBacklog = new Set<string>();
  /** Since when it has gone its own way; null: it follows. */
  #partedAt: number | null = null;
  /** When the drainer that is there, and may wait, last got somewhere; −∞: nobody is there. */
  #progressAt = Number.NEGATIVE_INFINITY;
  #now = 0;
  #base: { readonly t: number; readonly moment: Moment } = { t: 0, moment: { at: 0, mono: 0, boot: '' } };
  #actions = 0;

  constructor(log: RecordedLog, { overrides, follows = true }: RunOptions) {
    this.#log = log;
    this.#overrides = overrides;
    this.#follows = follows;
    this.#draws = new Draws(log.draws);
    this.#state = withPolicy(INITIAL_STATE, { ...DEFAULT_POLICY, ...overrides });
  }

  take(item: Recorded, index: number): void {
    if (this.#partedAt !== null) this.#act(item.t);
    this.#now = Math.max(this.#now, item.t);
    this.#base = { t: item.t, moment: item.moment };
    if (item.kind === 'queue') this.#takeJob(item.event);
    else this.#takeStep(item.step, index);
  }

  end(): OtherRun {
    // Who is there goes on behind the end of the log, where that was not the middle of an outage.
    if (this.#partedAt !== null && this.#actual.breaker.value === 'closed')
      this.#act(Number.POSITIVE_INFINITY);
    if (this.#partedAt !== null) this.#madeUp.push({ from: this.#partedAt, to: this.#now });
    return { history: this.#history, madeUp: this.#madeUp, answers: this.#answers };
  }

  #takeJob(event: PlacedQueueEvent): void {
    if (!('job' in event) || event.type === 'job.attempted') return;
    if (event.type === 'job.queued') {
      this.#backlog.add(event.job);
      this.#actualBacklog.add(event.job);
      // A hook: it starts a drainer where there is none and one is needed.
      const isAlone = this.#partedAt !== null && this.#stayUntil < this.#now;
      if (isAlone && isDrainerNeeded(this.#state, this.#moment(), true)) this.#stay();
      return;
    }
    this.#actualBacklog.delete(event.job);
    if (this.#partedAt === null || this.#state.breaker.value === 'closed') this.#backlog.delete(event.job);
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
    const ours = this.#asOurs(step, event);
    const policy = ours.type === 'policy.set' ? ours.policy : this.#policy;
    this.#apply(ours, step, step.agreement === 'adopted' ? withPolicy(step.after, policy) : null);
  }

  /** What the other policy would have met as well, of what was recorded. */
  #takeApart(step: Step, event: StampedControlEvent): void {
    switch (event.type) {
      case 'policy.set':
      case 'hold.placed':
      case 'hold.released':
        this.#apply(this.#asOurs(step, event), step);
        return;
      case 'lease.claimed':
        if (event.lease === 'probe') {
          if (event.isForced === true && this.#state.breaker.value === 'open') this.#probe(true);
        } else if (!step.isVoid) {
          if (this.#state.drain.context.owner === MADE_UP)
            this.#say({ ...this.#drain(), type: 'lease.released', reason: 'idle' });
          this.#apply(event, step);
        }
        return;
      case 'lease.requested':
      case 'lease.renewed':
      case 'lease.lost':
        if (event.lease === 'drain') this.#apply(this.#asOurs(step, event), step);
        return;
      case 'lease.released':
        // It would have stayed for what is not over yet.
        if (event.lease === 'drain' && this.#isAtRest) this.#apply(this.#asOurs(step, event), step);
        return;
      case 'attempt.succeeded':
      case 'attempt.failed':
      case 'probe.succeeded':
      case 'probe.failed':
        if (event.lease !== 'drain' || step.isVoid || this.#state.breaker.value !== 'closed') return;
        this.#apply(this.#asOurs(step, event), step);
        if (event.type === 'attempt.failed') this.#confirmIfDoubtful();
        return;
      case 'backlog.drained':
        return;
    }
  }

  /** Whether both still are, or are again, where the same goes on. */
  #compare(): void {
    const isSame = isInStep(this.#actual, this.#state);
    if (this.#partedAt === null) {
      const isForced = !this.#follows && this.#state.breaker.value === 'open';
      if (isSame && !isForced) return;
      this.#partedAt = this.#now;
      this.#confirmIfDoubtful();
      return;
    }
    const isFree = this.#follows || (this.#isAtRest && this.#backlog.size === 0);
    if (!isSame || !isFree) return;
    this.#madeUp.push({ from: this.#partedAt, to: this.#now });
    this.#partedAt = null;
    // Leases are who was there: that is as recorded again, and so is what waits.
    this.#state = { ...this.#state, drain: this.#actual.drain, probe: this.#actual.probe };
    this.#backlog.clear();
    for (const job of this.#actualBacklog) this.#backlog.add(job);
  }

  /** Does what would have been done up to `until`. */
  #act(until: number): void {
    while (this.#now < until && this.#now <= this.#stayUntil) {
      if (++this.#actions > MAX_ACTIONS) throw new Error('the backtest does not come to an end: a bug');
      const answer = gate(this.#state, this.#moment());
      switch (answer.kind) {
        case 'wait':
        case 'held': {
          const wakes = this.#now + Math.max(1, answer.remainingMs);
          if (wakes >= until || wakes > this.#stayUntil) return;
          this.#now = wakes;
          break;
        }
        case 'probe':
          this.#probe(false);
          break;
        case 'go':
          if (this.#backlog.size > 0) this.#work(answer.limit);
          else if (this.#isAtRest) return;
          else if (this.#state.breaker.value !== 'closed') return;
          else this.#say({ type: 'backlog.drained', ...this.#drain() });
          break;
      }
    }
  }

  #probe(isForced: boolean): void {
    const claimed = {
      type: 'lease.claimed',
      lease: 'probe',
      forMs: PROBE_LEASE_MS,
      draw: this.#draws.next(),
    } as const;
    if (!this.#say({ ...claimed, ...(isForced && { isForced }) })) {
      this.#now += RETRY_MS;
      return;
    }
    const under = { lease: 'probe', epoch: this.#state.probe.context.epoch } as const;
    this.#answer(under);
    this.#say({ type: 'lease.released', ...under, reason: 'answered' });
  }

  /** A failure that opened the breaker and here does not is looked into, as any other is. */
  #confirmIfDoubtful(): void {
    if (this.#actual.breaker.value === 'open' && this.#state.breaker.value === 'closed') this.#confirm();
  }

  /** The probe that follows a failed attempt. */
  #confirm(): void {
    this.#answer(this.#drain());
  }

  #answer(under: { readonly lease: 'drain' | 'probe'; readonly epoch: number }): void {
    const { isGood, isEstimated, class: failure, symptom } = this.#log.plex.answerAt(this.#now);
    this.#now += this.#log.pace.probeMs;
    this.#answers.push({ t: this.#now, isEstimated, isConfirmation: under.lease === 'drain' });
    const { probeMs: tookMs } = this.#log.pace;
    if (isGood) {
      this.#say({ type: 'probe.succeeded', ...under, tookMs, pending: this.#backlog.size });
      this.#stay();
    } else {
      this.#say({ type: 'probe.failed', ...under, class: failure, symptom, draw: this.#draws.next() });
    }
  }

  /** One batch, job after job, until Plex is away. */
  #work(limit: number): void {
    let done = 0;
    const succeeded = () => {
      const { breaker, recovery } = this.#state;
      const isNews =
        breaker.value === 'halfOpen' || recovery.value === 'ramping' || breaker.context.failures > 0;
      if (done > 0 && isNews) this.#say({ type: 'attempt.succeeded', ...this.#drain(), count: done });
      if (done > 0) this.#stay();
    };
    for (const job of [...this.#backlog].slice(0, limit)) {
      this.#now += this.#log.pace.jobMs;
      const answer = this.#log.plex.answerAt(this.#now);
      if (!answer.isGood) {
        succeeded();
        const { class: failure, symptom } = answer;
        const draw = this.#draws.next();
        this.#say({ type: 'attempt.failed', ...this.#drain(), class: failure, symptom, draw, subject: job });
        if (this.#state.breaker.value !== 'open') this.#confirm();
        return;
      }
      this.#backlog.delete(job);
      done += 1;
    }
    succeeded();
  }

  /** The drain lease of whoever is there; claimed where nobody has it. */
  #drain(): { readonly lease: 'drain'; readonly epoch: number } {
    const isHeld = this.#state.drain.value === 'held' && isLeaseLive(this.#state, 'drain', this.#moment());
    if (!isHeld) {
      this.#say({ type: 'lease.claimed', lease: 'drain', forMs: DRAIN_LEASE_MS, draw: this.#draws.next() });
    }
    return { lease: 'drain', epoch: this.#state.drain.context.epoch };
  }

  get #policy(): Policy {
    return this.#state.breaker.context.policy;
  }

  get #isAtRest(): boolean {
    const { breaker, recovery } = this.#state;
    return breaker.value === 'closed' && recovery.value === 'idle' && !recovery.context.hasBacklog;
  }

  /** Until when somebody is there, at least. */
  get #stayUntil(): number {
    return this.#progressAt + this.#policy.vigilMs;
  }

  /** From now on a drainer stays as long as its vigil lasts. */
  #stay(): void {
    this.#progressAt = Math.max(this.#progressAt, this.#now);
  }

  /** Who was there, by what was recorded. Only a detached drainer waits. */
  #noteStay({ record, isVoid }: Step, event: StampedControlEvent): void {
    if (isVoid || !('lease' in event) || event.lease !== 'drain') return;
    if (event.type === 'lease.claimed' && record.inv.startsWith('drain')) this.#stay();
    if (event.type === 'attempt.succeeded' && this.#stayUntil >= this.#now) this.#stay();
    const isLeft = event.type === 'lease.released' && (this.#partedAt === null || this.#isAtRest);
    if (isLeft || event.type === 'lease.lost') this.#progressAt = Number.NEGATIVE_INFINITY;
  }

  /** A recorded event under the leases and the policy of here. */
  #asOurs({ before }: Step, event: StampedControlEvent): StampedControlEvent {
    if (event.type === 'policy.set') return { ...event, policy: { ...event.policy, ...this.#overrides } };
    if (!('epoch' in event)) return event;
    const theirs = before[event.lease];
    const isCurrent = theirs.value === 'held' && theirs.context.epoch === event.epoch;
    const ours = this.#state[event.lease].context;
    const isOwner = theirs.context.owner === event.by;
    return { ...event, epoch: isCurrent ? ours.epoch : -1, by: isOwner ? ours.owner : event.by };
  }

  /** Says something that was made up, now. Whether it moved anything. */
  #say(said: ControlEvent): boolean {
    const held = 'epoch' in said ? this.#state[said.lease].context.owner : MADE_UP;
    return this.#apply({ ...said, moment: this.#moment(), by: held });
  }

  #apply(event: StampedControlEvent, recorded?: Step, adopted: ControlState | null = null): boolean {
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

  #moment(): Moment {
    const { t, moment } = this.#base;
    const ms = this.#now - t;
    return { at: moment.at + ms, mono: moment.mono + ms, boot: moment.boot };
  }
}

// Reads along with the log, from outside: after each write it folds what is new and looks at the invariants that are
// about the log. It remembers the state at every position, and tells the same story a second time by hand.

import { type Moment, remainingMs } from '../../machines/time.ts';
import { gate, isHeld } from '../../src/breaker/control/decide.ts';
import { evolve } from '../../src/breaker/control/evolve.ts';
import { EMPTY_FOLD, type FoldState, foldEntry, type Step } from '../../src/breaker/control/replay.ts';
import type { ControlState } from '../../src/breaker/control/state.ts';
import { type Journal, readAll } from '../../src/breaker/journal/journal.ts';
import type { Entry } from '../../src/breaker/journal/lines.ts';
import type { JournalRecord } from '../../src/breaker/journal/record.ts';
import { evolveHistory, newHistory, type OutageHistory } from '../../src/outages/outages.ts';
import { isSeen } from '../../src/queue/looked.ts';
import { createQueue, type PlacedQueueEvent, type QueueStore } from '../../src/queue/queue.ts';
import { queueEventOf } from '../../src/queue/queue-fold.ts';
import { beginning, inWordsOfEvolve, type Told, tell } from '../breaker/control/oracle.ts';
import { event } from '../support/machine-events.ts';
import type { Looks } from './invariants.ts';

const HOLDS = ['operator', 'config', 'throttle'] as const;
const FAR_MS = 1e11;

export class Watch {
  readonly #open: () => Journal;
  #journal: Journal;
  readonly #looks: Looks;
  /** Of each machine. */
  readonly #nows: () => readonly Moment[];
  fold: FoldState = EMPTY_FOLD;
  #store: QueueStore = createQueue();
  #positions = { control: 0, queue: 0 };
  /** The fold behind each control entry. */
  readonly folds = new Map<number, FoldState>();
  damaged = 0;
  /** Ids of all that a reader is given. */
  readonly ids = new Set<string>();
  /** Of those, the control records that moved nothing. */
  readonly voids = new Set<string>();
  history: OutageHistory = newHistory();
  openings = 0;
  #told: Told | null = beginning();
  readonly #wedgeSeen = new Set<string>();
  onControl: (step: Step) => void = () => {};
  /** `isVoid`: a change that was found before. */
  onQueue: (event: PlacedQueueEvent, record: JournalRecord, isAgain: boolean, isVoid: boolean) => void =
    () => {};

  constructor(open: () => Journal, looks: Looks, nows: () => readonly Moment[]) {
    this.#open = open;
    this.#journal = open();
    this.#looks = looks;
    this.#nows = nows;
  }

  get state(): ControlState {
    return this.fold.control;
  }

  get queue() {
    return this.#store.getSnapshot().context;
  }

  get positions() {
    return this.#positions;
  }

  /** After a power loss the end of the log may be another. */
  reset(): void {
    // What it remembers of files may be true no more: no reader outlives a power loss.
    this.#journal = this.#open();
    this.fold = EMPTY_FOLD;
    this.#store = createQueue();
    this.#positions = { control: 0, queue: 0 };
    this.folds.clear();
    this.damaged = 0;
    this.ids.clear();
    this.voids.clear();
    this.history = newHistory();
    this.openings = 0;
    this.#told = beginning();
  }

  /** `isAgain`: it was looked at before. */
  async advance(isAgain = false): Promise<void> {
    for (;;) {
      const chunk = await this.#journal.read('control', this.#positions.control);
      if (chunk.next === this.#positions.control) break;
      for (const entry of chunk.entries) this.#control(entry, isAgain);
      this.#positions.control = chunk.next;
      this.folds.set(chunk.next, this.fold);
    }
    for (;;) {
      const chunk = await this.#journal.read('queue', this.#positions.queue);
      if (chunk.next === this.#positions.queue) break;
      for (const entry of chunk.entries) this.#queueEntry(entry, isAgain);
      this.#positions.queue = chunk.next;
    }
  }

  /** The whole log again, by itself: must come to the same. */
  async replayed(upTo = Number.POSITIVE_INFINITY): Promise<FoldState> {
    let fold = EMPTY_FOLD;
    for await (const entry of readAll(this.#journal, 'control')) {
      if (entry.next > upTo) break;
      fold = foldEntry(fold, entry).fold;
    }
    return fold;
  }

  async replayedQueue() {
    const store = createQueue();
    for await (const entry of readAll(this.#journal, 'queue')) {
      const placed = entry.kind === 'record' ? queueEventOf(entry.record, entry.position) : null;
      if (placed !== null) store.send(placed);
    }
    return store.getSnapshot().context;
  }

  #control(entry: Entry, isAgain: boolean): void {
    const { fold, step } = foldEntry(this.fold, entry);
    this.fold = fold;
    this.folds.set(entry.next, fold);
    if (entry.kind === 'damaged') this.damaged += 1;
    if (step === null) {
      this.#told = null;
      return;
    }
    this.ids.add(step.record.id);
    if (step.isVoid) this.voids.add(step.record.id);
    this.history = evolveHistory(this.history, step);
    const isOpening = step.before.breaker.value === 'closed' && step.after.breaker.value === 'open';
    if (isOpening) this.openings += 1;
    this.#tellAgain(step);
    if (isAgain) return;
    this.#look(step);
    this.onControl(step);
  }

  #queueEntry(entry: Entry, isAgain: boolean): void {
    if (entry.kind === 'damaged') this.damaged += 1;
    if (entry.kind !== 'record') return;
    this.ids.add(entry.record.id);
    const placed = queueEventOf(entry.record, entry.position);
    if (placed === null) return;
    const { looked } = this.queue;
    const isVoid = placed.type === 'job.queued' && isSeen(looked, placed.job, placed.changedAt);
    this.#store.send(placed);
    this.onQueue(placed, entry.record, isAgain, isVoid);
  }

  /** A record that was adopted moved the machines by another way than theirs: from there on there is one telling. */
  #tellAgain(step: Step): void {
    if (this.#told === null) return;
    if (step.agreement === 'adopted') this.#told = null;
    if (this.#told === null || step.event === null) return;
    const isHeard = tell(this.#told, step.event);
    this.#looks.at(
      9,
      isHeard !== step.isVoid,
      () => `${step.record.type} is ${isHeard ? 'heard' : 'void'} by hand`,
    );
    const { after } = step;
    const isSame = isHeard ? isAlike(after, inWordsOfEvolve(this.#told)) : true;
    this.#looks.at(9, isSame, () => `after ${step.record.type} by hand: ${JSON.stringify(this.#told)}`);
  }

  #look(step: Step): void {
    const looks = this.#looks;
    const { before, after, record } = step;
    looks.at(11, step.agreement !== 'drift', () => {
      return `${record.type} of ${record.inv} drifted: ${JSON.stringify([record.witness, step.computed])}`;
    });
    if (step.event !== null && 'epoch' in step.event && step.agreement !== 'adopted') {
      const lease = before[step.event.lease];
      const isHeard = lease.value === 'held' && lease.context.epoch === step.event.epoch;
      const isTheirs = step.event.type === 'lease.lost' || lease.context.owner === record.inv;
      looks.at(6, (isHeard && isTheirs) || after === before, () => `${record.type} of ${record.inv}`);
    }
    if (after.recovery.context.limit > before.recovery.context.limit) {
      looks.at(14, record.type === 'attempt.succeeded', () => `widened by ${record.type}`);
    }
    for (const now of this.#nows()) {
      this.lookAtWaits(now);
      this.#lookAtHolds(after, now);
      this.#lookForWedge(after, now);
    }
  }

  #lookAtHolds(state: ControlState, now: Moment): void {
    for (const hold of HOLDS) {
      const { ends } = state[hold].context;
      if (state[hold].value !== 'held' || ends === null || ends.from.boot !== now.boot) continue;
      const isHolding = isHeld(state, hold, now);
      const isRight = isHolding === now.mono - ends.from.mono < ends.waitMs;
      this.#looks.at(18, isRight, () => `${hold}: ${isHolding}`);
    }
  }

  lookAtWaits(now: Moment): void {
    const { state } = this;
    const answer = gate(state, now);
    const { due } = state.recovery.context;
    const { ends } = state.probe.context;
    const nominalMs = Math.max(due?.waitMs ?? 0, ends?.waitMs ?? 0);
    const leftMs = answer.kind === 'wait' ? answer.remainingMs : 0;
    this.#looks.at(13, leftMs >= 0 && leftMs <= nominalMs, () => `${leftMs} of ${nominalMs} ms`);
    if (due !== null)
      this.#looks.at(13, remainingMs(due, now) <= due.waitMs, () => 'the wait is longer than itself');
  }

  /** With time enough, whatever the clocks do, work goes on or a probe is granted. */
  #lookForWedge(state: ControlState, { at, mono, boot }: Moment): void {
    const key = [state.breaker, state.recovery, state.drain, state.probe].map(({ value }) => value).join();
    if (this.#wedgeSeen.has(key)) return;
    this.#wedgeSeen.add(key);
    for (const now of [
      { at: at + FAR_MS, mono: mono + FAR_MS, boot },
      { at: at - FAR_MS, mono: 0, boot: 'another boot' },
    ]) {
      const { kind } = gate(state, now);
      const claimed = evolve(state, event('lease.claimed', {}, now, 'rescuer'));
      const isGranted = kind === 'probe' && claimed !== state && claimed.probe.context.owner === 'rescuer';
      const drain = evolve(state, event('lease.claimed', { lease: 'drain' }, now, 'rescuer'));
      const isHelped = drain.drain.context.owner === 'rescuer';
      this.#looks.at(3, (kind === 'go' || isGranted) && isHelped, () => `${key}: ${kind}`);
    }
  }
}

/** By value, whatever the order of the names. */
function isAlike(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => isAlike((a as Named)[name], (b as Named)[name]));
}

type Named = Readonly<Record<string, unknown>>;

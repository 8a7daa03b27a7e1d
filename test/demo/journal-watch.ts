// Breakwater's journal, read while it is written: what it noticed, as it says so itself. The demo only reads;
// it uses the product's own reader and fold, so that what is told live is what any later reader will find.

import { EMPTY_FOLD, type FoldState, foldEntry, type Step } from '../../src/breaker/control/replay.ts';
import type { ControlState } from '../../src/breaker/control/state.ts';
import { FileJournal } from '../../src/breaker/journal/file-journal.ts';
import { FileSegments } from '../../src/breaker/journal/file-segments.ts';
import type { JournalRecord } from '../../src/breaker/journal/record.ts';
import { isGone } from '../../src/breaker/process.ts';

/** A process, as the one who claims a lease names itself. */
export interface ProcessName {
  readonly pid: number;
  readonly space: string;
}

export interface News {
  readonly steps: readonly Step[];
  /** Records of the queue. */
  readonly jobs: readonly JournalRecord[];
}

export class JournalWatch {
  readonly #journal: FileJournal;
  readonly #segments: FileSegments;
  readonly #drainers = new Map<number, ProcessName>();
  readonly steps: Step[] = [];
  #fold: FoldState = EMPTY_FOLD;
  #controlAt = 0;
  #queueAt = 0;

  constructor(data: string) {
    this.#journal = new FileJournal(data);
    this.#segments = new FileSegments(data);
  }

  get state(): ControlState {
    return this.#fold.control;
  }

  /** Whether somebody drains, or was asked to. */
  get isDrainerExpected(): boolean {
    return this.state.drain.value !== 'free';
  }

  /** Every drainer that claimed the lease and is not gone. */
  get liveDrainers(): ProcessName[] {
    return [...this.#drainers.values()].filter((drainer) => !isGone(drainer));
  }

  /** What was appended since the last look. */
  async look(): Promise<News> {
    const control = await this.#journal.read('control', this.#controlAt);
    this.#controlAt = control.next;
    const steps: Step[] = [];
    for (const entry of control.entries) {
      const { fold, step } = foldEntry(this.#fold, entry);
      this.#fold = fold;
      if (step !== null) steps.push(step);
      if (step !== null) this.#noteDrainer(step);
    }
    this.steps.push(...steps);
    const queue = await this.#journal.read('queue', this.#queueAt);
    this.#queueAt = queue.next;
    const jobs = queue.entries.flatMap((entry) => (entry.kind === 'record' ? [entry.record] : []));
    return { steps, jobs };
  }

  async bytes(): Promise<number> {
    const all = [...(await this.#segments.list('control')), ...(await this.#segments.list('queue'))];
    return all.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  close(): void {
    this.#journal.close();
  }

  #noteDrainer({ event }: Step): void {
    if (event?.type !== 'lease.claimed' || event.lease !== 'drain' || event.process === undefined) return;
    this.#drainers.set(event.process.pid, event.process);
  }
}

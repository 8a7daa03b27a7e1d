// The control stream as one process sees it: refresh (read and fold what is new), append (with a witness, then
// read back to learn what became of it). There is no lock: whether a claim won is what the fold says after
// our own record was read back.
//
// It never acts on a state that it has not read back, and never writes under a log of a newer version.

import { ERA } from '../../../machines/era.ts';
import type { ControlEvent } from '../../../machines/events.ts';
import { type Checkpoint, originOf, trusted } from '../journal/checkpoint.ts';
import { type AppendFailure, type Journal, JournalError } from '../journal/journal.ts';
import type { Chunk } from '../journal/lines.ts';
import type { JournalRecord, Position } from '../journal/record.ts';
import { makeRecord, type Writer } from '../journal/writer.ts';
import { type Annotation, annotationOf } from './annotations.ts';
import { evolve } from './evolve.ts';
import { EMPTY_FOLD, eventOf, type FoldState, foldEntry, type Step } from './replay.ts';
import type { ControlState } from './state.ts';
import { transitionOf } from './witness.ts';

export type ControlCheckpoint = Checkpoint<FoldState>;

/** What became of an append: the steps of our own records, in their order, or why nothing was written. */
export type Recorded =
  | { readonly ok: true; readonly steps: readonly Step[] }
  | {
      readonly ok: false;
      readonly failure: AppendFailure | { readonly kind: 'newer'; readonly detail: string };
    };

const NEWER: Recorded = {
  ok: false,
  failure: { kind: 'newer', detail: 'the journal was written by a newer version: update this one' },
};

export class ControlLog {
  readonly #journal: Journal;
  readonly #writer: Writer;
  #fold: FoldState = EMPTY_FOLD;
  #position: Position = 0;
  #last: ControlCheckpoint['last'] | null = null;
  #sinceCheckpoint = 0;
  /** Whether something of ours may be in the log that was not read back: the disk failed over it. */
  #isBehind = false;

  private constructor(journal: Journal, writer: Writer) {
    this.#journal = journal;
    this.#writer = writer;
  }

  /** Folds the log, from the checkpoint where it belongs to this log and era, else from the beginning. */
  static async open(
    journal: Journal,
    writer: Writer,
    checkpoint: ControlCheckpoint | null = null,
    onStep?: (step: Step) => void,
  ): Promise<ControlLog> {
    const log = new ControlLog(journal, writer);
    const kept = await trusted(journal, 'control', originOf(ERA, writer), checkpoint);
    if (kept !== null) {
      log.#fold = kept.state;
      log.#last = kept.last;
      log.#position = kept.position;
    }
    await log.refresh(onStep);
    return log;
  }

  get state(): ControlState {
    return this.#fold.control;
  }

  get fold(): FoldState {
    return this.#fold;
  }

  get position(): Position {
    return this.#position;
  }

  /** How many entries were folded since the checkpoint that this began with. */
  get tailLength(): number {
    return this.#sinceCheckpoint;
  }

  /**
   * What a checkpoint of now would hold; null while the log is empty, and where not all of it could be read: a newer
   * version of the same era would take it for the whole.
   */
  checkpoint(): ControlCheckpoint | null {
    if (this.#last === null || this.isNewer) return null;
    return { ...originOf(ERA, this.#writer), position: this.#position, last: this.#last, state: this.#fold };
  }

  /** The checkpoint of now was written: the tail begins anew. */
  noteCheckpoint(): void {
    this.#sinceCheckpoint = 0;
  }

  /** Reads and folds everything that was appended since, by anybody. */
  async refresh(onStep?: (step: Step) => void): Promise<void> {
    for (;;) {
      const chunk = await this.#journal.read('control', this.#position);
      if (chunk.next === this.#position) break;
      this.#foldChunk(chunk, onStep);
    }
    this.#isBehind = false;
  }

  #foldChunk({ entries, next }: Chunk, onStep?: (step: Step) => void): void {
    for (const entry of entries) {
      const { fold, step } = foldEntry(this.#fold, entry);
      this.#fold = fold;
      this.#sinceCheckpoint += 1;
      if (entry.kind === 'record') this.#last = { position: entry.position, id: entry.record.id };
      if (step !== null) onStep?.(step);
    }
    this.#position = next;
  }

  /** Appends the events in one write, then reads them back. */
  async append(...events: readonly (ControlEvent | Annotation)[]): Promise<Recorded> {
    if (this.isNewer) return NEWER;
    if (this.#isBehind) await this.refresh();
    const records = this.#witnessed(events);
    this.#isBehind = true;
    const result = await this.#journal.append('control', records);
    if (!result.ok) return result;
    const own = new Map<string, Step>();
    await this.refresh((step) => own.set(step.record.id, step));
    // A newer one wrote beside us: what became of ours is for its machines to say.
    if (this.isNewer) return NEWER;
    const steps = records.map((record) => own.get(record.id));
    if (steps.some((step) => step === undefined)) {
      throw new Error(
        'a control record that was acknowledged is not in the log: the data dir is not reliable',
      );
    }
    return { ok: true, steps: steps as Step[] };
  }

  /** The same for a caller that cannot go on without having written. */
  async appendOrThrow(...events: readonly (ControlEvent | Annotation)[]): Promise<readonly Step[]> {
    const recorded = await this.append(...events);
    if (!recorded.ok) throw new JournalError(recorded.failure.detail);
    return recorded.steps;
  }

  /** Whether a newer version wrote what only it can read: then the state is not all that there is. */
  get isNewer(): boolean {
    return this.#fold.counts.newer > 0;
  }

  /** Records whose witnesses follow one from another, all from the state as folded now. */
  #witnessed(events: readonly (ControlEvent | Annotation)[]): JournalRecord[] {
    let state = this.#fold.control;
    return events.map((event) => {
      const { type, ...data } = event;
      const plain = makeRecord(this.#writer, type, data);
      const heard = eventOf(plain);
      if (heard === null && annotationOf(plain) === null) {
        throw new Error(`a ${type} of this shape would be void: ${JSON.stringify(data)}`);
      }
      const after = heard === null ? state : evolve(state, heard);
      const witness = { seen: this.#position, ...transitionOf(state, after), era: ERA };
      state = after;
      return { ...plain, witness };
    });
  }
}

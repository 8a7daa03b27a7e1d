// Replay: entries of the control stream → steps. The one way in which any reader (wake, drainer, outages,
// why, the inspector) goes from log to state, so that all of them see the same history.

import { ERA } from '../../../machines/era.ts';
import type { StampedControlEvent } from '../../../machines/events.ts';
import { DEFAULT_POLICY } from '../../../machines/policy.ts';
import type { Entry } from '../journal/lines.ts';
import type { JournalRecord, Position } from '../journal/record.ts';
import { filledIn, type Upcasts, upcast } from '../journal/upcast.ts';
import { annotationOf } from './annotations.ts';
import { isControlEvent } from './control-shapes.ts';
import { evolve, MACHINES } from './evolve.ts';
import { type ControlState, INITIAL_STATE, MACHINE_NAMES, type MachineName } from './state.ts';
import { adopt, isSameTransition, type Transition, transitionOf } from './witness.ts';

/**
 * How a record's witness compares with the fold:
 * - `agreed`: as its writer computed
 * - `contended`: another process got in between; normal
 * - `adopted`: another era, or a line before it is damaged: the recorded states are taken over
 * - `drift`: none of these, so the machines have changed under the log: a bug
 */
export type Agreement = 'agreed' | 'contended' | 'adopted' | 'drift';

export interface Step {
  readonly position: Position;
  readonly record: JournalRecord;
  /** Null for an annotation; and for a type that this code does not know, or data that is none of it: that is void. */
  readonly event: StampedControlEvent | null;
  readonly before: ControlState;
  readonly after: ControlState;
  readonly isVoid: boolean;
  readonly agreement: Agreement;
  /** What the fold computed, before any adoption. */
  readonly computed: Transition;
}

/** The fold's whole memory: what a checkpoint keeps. */
export interface FoldState {
  readonly control: ControlState;
  /** The newest record, and the newest that another invocation wrote: enough to know contention. */
  readonly latest: { readonly inv: string; readonly position: Position };
  readonly latestOther: Position;
  /** Machines that a damaged line may have moved, until a record tells of them again. */
  readonly doubted: readonly MachineName[];
  readonly counts: FoldCounts;
}

export interface FoldCounts {
  readonly records: number;
  readonly voids: number;
  readonly contended: number;
  readonly adopted: number;
  readonly drift: number;
  readonly damaged: number;
  readonly newer: number;
}

export const EMPTY_FOLD: FoldState = {
  control: INITIAL_STATE,
  latest: { inv: '', position: -1 },
  latestOther: -1,
  doubted: [],
  counts: { records: 0, voids: 0, contended: 0, adopted: 0, drift: 0, damaged: 0, newer: 0 },
};

/** Folds one entry; `step` is null for a line that is no record. */
export function foldEntry(
  fold: FoldState,
  entry: Entry,
): { readonly fold: FoldState; readonly step: Step | null } {
  switch (entry.kind) {
    case 'damaged':
      return {
        fold: {
          ...fold,
          doubted: MACHINE_NAMES,
          counts: { ...fold.counts, damaged: fold.counts.damaged + 1 },
        },
        step: null,
      };
    case 'newer':
      return { fold: { ...fold, counts: { ...fold.counts, newer: fold.counts.newer + 1 } }, step: null };
    case 'record':
      return foldRecord(fold, entry.position, entry.record);
  }
}

/** A setting that a policy did not have yet went by its default. */
const UPCASTS: Upcasts = { 'policy.set': filledIn('policy', DEFAULT_POLICY) };

/** The event of a record as the machines receive it; null for one that this code does not know, or that makes no sense. */
export function eventOf(recorded: JournalRecord): StampedControlEvent | null {
  const record = upcast(recorded, UPCASTS);
  if (!isControlEvent(record.type, record.data)) return null;
  const moment = { at: record.at, mono: record.mono, boot: record.boot };
  return { ...record.data, type: record.type, moment, by: record.inv } as unknown as StampedControlEvent;
}

function foldRecord(
  fold: FoldState,
  position: Position,
  record: JournalRecord,
): { fold: FoldState; step: Step } {
  const before = fold.control;
  const event = eventOf(record);
  const evolved = event === null ? before : evolve(before, event);
  const computed = transitionOf(before, evolved);
  const agreement = agreementOf(fold, record, computed);
  const after =
    agreement === 'adopted' && record.witness !== undefined
      ? adopt(before, evolved, record.witness, event, (name) => Object.keys(MACHINES[name].states))
      : evolved;
  const isVoid = after === before && annotationOf(record) === null;
  const step: Step = { position, record, event, before, after, isVoid, agreement, computed };
  return { fold: advanced(fold, step), step };
}

function agreementOf(fold: FoldState, record: JournalRecord, computed: Transition): Agreement {
  const { witness } = record;
  if (witness === undefined || isSameTransition(witness, computed)) return 'agreed';
  if (newestOfOthers(fold, record.inv) >= witness.seen) return 'contended';
  // What was said under a lease is in doubt as long as it is in doubt who holds it.
  const { lease } = record.data;
  const named = new Set([...Object.keys(witness.to), ...Object.keys(computed.to), lease]);
  const isInDoubt = fold.doubted.some((name) => named.has(name));
  return witness.era !== ERA || isInDoubt ? 'adopted' : 'drift';
}

function newestOfOthers(fold: FoldState, inv: string): Position {
  return fold.latest.inv === inv ? fold.latestOther : fold.latest.position;
}

function advanced(fold: FoldState, step: Step): FoldState {
  const { inv } = step.record;
  return {
    control: step.after,
    latest: { inv, position: step.position },
    latestOther: newestOfOthers(fold, inv),
    doubted: stillDoubted(fold.doubted, step),
    counts: counted(fold.counts, step),
  };
}

function counted(counts: FoldCounts, { isVoid, agreement }: Step): FoldCounts {
  return {
    records: counts.records + 1,
    voids: counts.voids + (isVoid ? 1 : 0),
    contended: counts.contended + (agreement === 'contended' ? 1 : 0),
    adopted: counts.adopted + (agreement === 'adopted' ? 1 : 0),
    drift: counts.drift + (agreement === 'drift' ? 1 : 0),
    damaged: counts.damaged,
    newer: counts.newer,
  };
}

function stillDoubted(doubted: readonly MachineName[], { record, agreement }: Step): readonly MachineName[] {
  if (doubted.length === 0 || (agreement !== 'agreed' && agreement !== 'adopted')) return doubted;
  const told = record.witness?.to ?? {};
  return doubted.filter((name) => !Object.hasOwn(told, name));
}

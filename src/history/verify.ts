// Verifying: the whole log folded from its beginning, every record's witness compared, every line that cannot be
// read named. It changes nothing and repairs nothing. What it keeps is bounded, so that a log of any length can
// be verified.

import {
  type Agreement,
  annotationOf,
  EMPTY_FOLD,
  type Entry,
  type FoldCounts,
  foldEntry,
  type Journal,
  MACHINE_NAMES,
  type Position,
  type Step,
} from '../breaker/index.ts';
import { queueEventOf } from '../queue/queue-fold.ts';
import type { StreamName } from '../queue/streams.ts';
import { eachEntry } from './entries.ts';

/** Lines that are listed one by one of each kind; the counts have them all. */
export const MAX_LISTED = 20;

/** A line that cannot be read. `torn`: its end is missing, so its writer never heard that it was written. */
export interface Damage {
  readonly stream: StreamName;
  readonly position: Position;
  readonly kind: 'torn' | 'altered';
  readonly reason: string;
}

/** A record that folds differently from when it was written, and nothing explains it. */
export interface Divergence {
  readonly position: Position;
  readonly at: number;
  readonly type: string;
  readonly inv: string;
  readonly era: string;
  readonly machines: readonly MachineDivergence[];
}

/** The move of one machine, `closed → open` as a pair; null: it did not move. */
export interface MachineDivergence {
  readonly machine: string;
  /** As the writer computed and recorded it. */
  readonly expected: Move | null;
  /** As the fold computes it now. */
  readonly found: Move | null;
}

export interface Move {
  readonly from: string;
  readonly to: string;
}

export interface StreamVerification {
  readonly stream: StreamName;
  readonly records: number;
  /** Records of types that this code does not know: skipped, and no harm. */
  readonly unknown: number;
  readonly damaged: number;
  readonly newer: number;
  /** The first `MAX_LISTED` of the damaged lines. */
  readonly damages: readonly Damage[];
  /** Bytes behind the last newline: a write that is on its way, or was cut off. Not judged. */
  readonly unfinishedBytes: number;
  /** Wall ms of the first and last record, and of the one that says latest. */
  readonly from: number | null;
  readonly to: number | null;
  readonly latest: number | null;
}

export interface ControlVerification extends StreamVerification {
  readonly agreed: number;
  readonly contended: number;
  readonly adopted: number;
  readonly drift: number;
  readonly voids: number;
  /** Records by the era of their writer. */
  readonly eras: Readonly<Record<string, number>>;
  readonly firstDivergence: Divergence | null;
}

export async function verifyControl(journal: Journal): Promise<ControlVerification> {
  let fold = EMPTY_FOLD;
  let firstDivergence: Divergence | null = null;
  const eras = new Map<string, number>();
  let unknown = 0;
  const lines = await readStream(journal, 'control', (entry) => {
    const folded = foldEntry(fold, entry);
    fold = folded.fold;
    const { step } = folded;
    if (step === null) return;
    if (step.event === null && annotationOf(step.record) === null) unknown += 1;
    const era = step.record.witness?.era ?? '';
    eras.set(era, (eras.get(era) ?? 0) + 1);
    if (step.agreement === 'drift') firstDivergence ??= divergenceOf(step);
  });
  const { contended, adopted, drift, voids, records } = fold.counts;
  return {
    ...lines,
    unknown,
    agreed: agreedOf(fold.counts, records),
    contended,
    adopted,
    drift,
    voids,
    eras: Object.fromEntries(eras),
    firstDivergence,
  };
}

export async function verifyQueue(journal: Journal): Promise<StreamVerification> {
  let unknown = 0;
  const lines = await readStream(journal, 'queue', (entry) => {
    if (entry.kind === 'record' && queueEventOf(entry.record, entry.position) === null) unknown += 1;
  });
  return { ...lines, unknown };
}

/** Per machine, those whose move differs. */
function divergenceOf({ position, record, computed }: Step): Divergence {
  const { witness } = record;
  const machines = MACHINE_NAMES.map((machine) => ({
    machine,
    expected: moveOf(machine, witness),
    found: moveOf(machine, computed),
  }));
  return {
    position,
    at: record.at,
    type: record.type,
    inv: record.inv,
    era: witness?.era ?? '',
    machines: [
      ...machines.filter(
        ({ expected, found }) => expected?.from !== found?.from || expected?.to !== found?.to,
      ),
      ...unknownMachines(witness),
    ],
  };
}

type Sides = {
  readonly from: Readonly<Record<string, string>>;
  readonly to: Readonly<Record<string, string>>;
};

function moveOf(machine: string, sides: Sides | undefined): Move | null {
  const to = sides?.to[machine];
  return to === undefined ? null : { from: sides?.from[machine] ?? '', to };
}

/** Machines that a record tells of and this code does not have. */
function unknownMachines(sides: Sides | undefined): MachineDivergence[] {
  const known: ReadonlySet<string> = new Set(MACHINE_NAMES);
  return Object.keys(sides?.to ?? {})
    .filter((machine) => !known.has(machine))
    .map((machine) => ({ machine, expected: moveOf(machine, sides), found: null }));
}

function agreedOf(
  { contended, adopted, drift }: Pick<FoldCounts, Exclude<Agreement, 'agreed'>>,
  records: number,
) {
  return records - contended - adopted - drift;
}

async function readStream(
  journal: Journal,
  stream: StreamName,
  onEntry: (entry: Entry) => void,
): Promise<Omit<StreamVerification, 'unknown'>> {
  const damages: Damage[] = [];
  let [records, damaged, newer] = [0, 0, 0];
  let from: number | null = null;
  let to: number | null = null;
  let latest: number | null = null;
  const end = await eachEntry(journal, stream, (entry) => {
    onEntry(entry);
    switch (entry.kind) {
      case 'record':
        records += 1;
        from ??= entry.record.at;
        to = entry.record.at;
        latest = Math.max(latest ?? to, to);
        break;
      case 'newer':
        newer += 1;
        break;
      case 'damaged':
        damaged += 1;
        if (damages.length < MAX_LISTED) damages.push(damageOf(stream, entry));
    }
  });
  const unfinishedBytes = Math.max(0, (await journal.size(stream)) - end);
  return { stream, records, damaged, newer, damages, unfinishedBytes, from, to, latest };
}

/** A line ends in its checksum: one that has none was cut short as it was written. */
function damageOf(stream: StreamName, { position, reason }: Extract<Entry, { kind: 'damaged' }>): Damage {
  return { stream, position, kind: reason === 'no checksum' ? 'torn' : 'altered', reason };
}

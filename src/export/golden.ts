// A golden log: one file that holds a redacted log and what it comes to, to be replayed for ever (test/golden). The first
// line says what is expected, the lines of the control stream follow, then those of the queue.

import { createHash } from 'node:crypto';
import { ERA } from '../../machines/era.ts';
import {
  EMPTY_FOLD,
  type Entry,
  type FoldCounts,
  foldEntry,
  type Journal,
  joinLines,
  MACHINE_NAMES,
  MemoryJournal,
  readAll,
  type Step,
} from '../breaker/index.ts';
import { evolveHistory, newHistory, type OutageHistory } from '../outages/outages.ts';
import { figuresOf, historyFigures } from '../outages/summary.ts';
import { createQueue, type Queue } from '../queue/queue.ts';
import { queueEventOf } from '../queue/queue-fold.ts';
import { redactedLog } from './redacted-log.ts';

const GOLDEN_VERSION = 1;

interface Header {
  readonly golden: number;
  /** The era of the code that wrote `expected`. */
  readonly era: string;
  readonly lines: { readonly control: number; readonly queue: number };
  readonly expected: Expected;
}

/** What a log comes to, for people to read in a difference, and whole as a digest. */
export type Expected = ReturnType<typeof expectedOf>;

/** A log as it was replayed. */
export interface Replayed {
  readonly steps: readonly Step[];
  readonly counts: FoldCounts;
  readonly history: OutageHistory;
  readonly queue: Queue;
  readonly queueEntries: readonly Entry[];
}

/** `untilOutage`: no further than the end of that outage (what led to it is needed to fold it). Null: it is not there. */
export async function goldenLog(journal: Journal, untilOutage: number | null = null): Promise<string | null> {
  const [control, queue] = [await entriesOf(journal, 'control'), await entriesOf(journal, 'queue')];
  const end = untilOutage === null ? control.length : endOfOutage(control, untilOutage);
  if (end === null) return null;
  const lastAt = end === control.length ? Number.POSITIVE_INFINITY : wallOf(control.slice(0, end));
  const lines = redactedLog({
    control: control.slice(0, end),
    queue: queue.filter((entry) => entry.kind !== 'record' || entry.record.at <= lastAt),
  });
  const header: Header = {
    golden: GOLDEN_VERSION,
    era: ERA,
    lines: { control: lines.control.length, queue: lines.queue.length },
    expected: expectedOf(await replayed(journalOf(lines.control, lines.queue))),
  };
  return [JSON.stringify(header), ...lines.control, ...lines.queue, ''].join('\n');
}

/** Throws on a file that is none, or of a version that this code does not know. */
export function readGolden(text: string): { readonly header: Header; readonly journal: MemoryJournal } {
  const [first = '', ...lines] = text.split('\n');
  const header = JSON.parse(first) as Header;
  if (header.golden !== GOLDEN_VERSION) throw new Error(`not a golden log of version ${GOLDEN_VERSION}`);
  const { control } = header.lines;
  const queue = lines.slice(control, control + header.lines.queue);
  return { header, journal: journalOf(lines.slice(0, control), queue) };
}

export async function replayed(journal: Journal): Promise<Replayed> {
  let fold = EMPTY_FOLD;
  let history = newHistory();
  const steps: Step[] = [];
  for await (const entry of readAll(journal, 'control')) {
    const folded = foldEntry(fold, entry);
    fold = folded.fold;
    if (folded.step === null) continue;
    steps.push(folded.step);
    history = evolveHistory(history, folded.step);
  }
  const store = createQueue();
  const queueEntries = await entriesOf(journal, 'queue');
  for (const entry of queueEntries) {
    const event = entry.kind === 'record' ? queueEventOf(entry.record, entry.position) : null;
    if (event !== null) store.send(event);
  }
  return { steps, counts: fold.counts, history, queue: store.getSnapshot().context, queueEntries };
}

export function expectedOf({ steps, counts, history, queue, queueEntries }: Replayed) {
  const control = steps.at(-1)?.after ?? EMPTY_FOLD.control;
  return {
    counts,
    state: Object.fromEntries(MACHINE_NAMES.map((name) => [name, control[name].value])),
    outages: history.outages.map((outage) => {
      const { class: kind, probes, waiting, notes } = outage;
      return { ...figuresOf(outage), class: kind, probes, waiting, notes: notes.length };
    }),
    figures: historyFigures(history),
    queue: {
      counts: queue.counts,
      jobs: [...queue.jobs.values()].map((job) => [job.job, job.state, 'reason' in job ? job.reason : '']),
      reconciliation: queue.reconciliation.state,
      damaged: queueEntries.filter(({ kind }) => kind === 'damaged').length,
    },
    /** Of the whole state of all machines. */
    digest: createHash('sha256').update(JSON.stringify(control)).digest('hex').slice(0, 16),
  };
}

/** How many entries there are up to the end of the outage: until it was drained, or the next one began. */
function endOfOutage(entries: readonly Entry[], number: number): number | null {
  if (number < 1) return null;
  let fold = EMPTY_FOLD;
  let history = newHistory();
  for (const [index, entry] of entries.entries()) {
    const folded = foldEntry(fold, entry);
    fold = folded.fold;
    if (folded.step !== null) history = evolveHistory(history, folded.step);
    if (history.outages.length > number) return index;
    if (history.outages[number - 1]?.drained) return index + 1;
  }
  return history.outages.length < number ? null : entries.length;
}

function wallOf(entries: readonly Entry[]): number {
  return entries.reduce(
    (last, entry) => (entry.kind === 'record' ? Math.max(last, entry.record.at) : last),
    0,
  );
}

function journalOf(control: readonly string[], queue: readonly string[]): MemoryJournal {
  const journal = new MemoryJournal();
  journal.appendBytes('control', joinLines(control));
  journal.appendBytes('queue', joinLines(queue));
  return journal;
}

async function entriesOf(journal: Journal, stream: 'control' | 'queue'): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const entry of readAll(journal, stream)) entries.push(entry);
  return entries;
}

// Control logs as records in a journal, and readers of them.
import { ERA } from '../../machines/era.ts';
import type { StampedControlEvent } from '../../machines/events.ts';
import { evolve } from '../../src/breaker/control/evolve.ts';
import { EMPTY_FOLD, type FoldState, foldEntry, type Step } from '../../src/breaker/control/replay.ts';
import { INITIAL_STATE } from '../../src/breaker/control/state.ts';
import { transitionOf } from '../../src/breaker/control/witness.ts';
import { type Journal, readAll } from '../../src/breaker/journal/journal.ts';
import type { Entry } from '../../src/breaker/journal/lines.ts';
import { MemoryJournal } from '../../src/breaker/journal/memory-journal.ts';
import { makeRecord } from '../../src/breaker/journal/writer.ts';
import { seeded } from './seeded.ts';

/** The events as records of the control stream, each witnessed by a writer who had folded all before it. */
export async function controlJournal(events: readonly StampedControlEvent[]): Promise<MemoryJournal> {
  const journal = new MemoryJournal();
  const random = seeded(7);
  let state = INITIAL_STATE;
  for (const event of events) {
    const { type, moment, by, ...data } = event;
    const after = evolve(state, event);
    const seen = await journal.size('control');
    const witness = { seen, ...transitionOf(state, after), era: ERA };
    const writer = { inv: by, now: () => moment, random };
    await journal.append('control', [makeRecord(writer, type, data, witness)]);
    state = after;
  }
  return journal;
}

export async function entriesOf(journal: Journal, stream: 'control' | 'queue' = 'control'): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const entry of readAll(journal, stream)) entries.push(entry);
  return entries;
}

export function foldAll(entries: readonly Entry[], from: FoldState = EMPTY_FOLD) {
  const steps: Step[] = [];
  let fold = from;
  for (const entry of entries) {
    const folded = foldEntry(fold, entry);
    fold = folded.fold;
    if (folded.step !== null) steps.push(folded.step);
  }
  return { fold, steps };
}

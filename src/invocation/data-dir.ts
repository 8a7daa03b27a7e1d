// The data dir: where the journal and its caches are. In Stash's config folder, not in the plugin's, because an
// update or a change of source moves that.

import * as fs from 'node:fs';
import {
  AtomicFile,
  type CheckpointStore,
  type DirFacts,
  dirFacts,
  exposuresOf,
  FileJournal,
  type FoldState,
  type Journal,
} from '../breaker/index.ts';
import type { AgendaImage } from '../queue/agenda.ts';
import type { QueueImage } from '../queue/queue-log.ts';

/** What is kept from one process to the next. */
export interface DataDir {
  /** Where it is, for a person. */
  readonly path: string;
  readonly journal: Journal;
  readonly controlCheckpoint: CheckpointStore<FoldState>;
  readonly queueCheckpoint: CheckpointStore<QueueImage>;
  readonly agendaCheckpoint: CheckpointStore<AgendaImage>;
  readonly facts: () => DirFacts;
  /** What others on this machine may read or change, in words. */
  readonly exposures: () => readonly string[];
  /** Where a report is written. */
  readonly reportPath: string;
  /** For a process that goes on without it. Nothing may be under way. */
  readonly close: () => Promise<void>;
}

export const DATA_VARIABLE = 'BREAKWATER_DATA';

/** `stashDir` may be relative to the folder that Stash was started in, which is ours too. */
export function dataPath(stashDir: string | null, env: Readonly<Record<string, string | undefined>>): string {
  const chosen = env[DATA_VARIABLE];
  const path = chosen !== undefined && chosen !== '' ? chosen : `${stashDir ?? '.'}/breakwater`;
  return isAbsolute(path) ? path : `${process.cwd()}/${path}`;
}

export function openDataDir(path: string): DataDir & { readonly journal: FileJournal } {
  const journal = new FileJournal(path);
  return {
    path,
    journal,
    controlCheckpoint: new AtomicFile(`${path}/checkpoint/control.json`, fs, true),
    queueCheckpoint: new AtomicFile(`${path}/checkpoint/queue.json`, fs, true),
    agendaCheckpoint: new AtomicFile(`${path}/checkpoint/agenda.json`, fs, true),
    facts: () => dirFacts(path),
    exposures: () => exposuresOf(path),
    reportPath: `${path}/report.html`,
    close: () => journal.close(),
  };
}

function isAbsolute(path: string): boolean {
  return path.startsWith('/') || /^[A-Za-z]:[\\/]|^\\\\/.test(path);
}

// The data dir: where the journal and its caches are. In Stash's config folder, not in the plugin's, because an
// update or a change of source moves that.

import * as fs from 'node:fs';
import type { ControlCheckpoint } from '../control/control-log.ts';
import { AtomicFile } from '../journal/atomic-file.ts';
import { FileJournal } from '../journal/file-journal.ts';
import type { AgendaCheckpoint } from '../queue/agenda.ts';
import type { QueueCheckpoint } from '../queue/queue-log.ts';

export interface DataDir {
  readonly path: string;
  readonly journal: FileJournal;
  readonly controlCheckpoint: AtomicFile<ControlCheckpoint>;
  readonly queueCheckpoint: AtomicFile<QueueCheckpoint>;
  readonly agendaCheckpoint: AtomicFile<AgendaCheckpoint>;
  /** What others on this machine may read or change, in words. */
  readonly exposures: () => readonly string[];
  /** Where a report is written. */
  readonly reportPath: string;
}

export const DATA_VARIABLE = 'BREAKWATER_DATA';

/** `stashDir` may be relative to the folder that Stash was started in, which is ours too. */
export function dataPath(stashDir: string | null, env: Readonly<Record<string, string | undefined>>): string {
  const chosen = env[DATA_VARIABLE];
  const path = chosen !== undefined && chosen !== '' ? chosen : `${stashDir ?? '.'}/breakwater`;
  return isAbsolute(path) ? path : `${process.cwd()}/${path}`;
}

export function openDataDir(path: string): DataDir {
  return {
    path,
    journal: new FileJournal(path),
    controlCheckpoint: new AtomicFile(`${path}/checkpoint/control.json`, fs, true),
    queueCheckpoint: new AtomicFile(`${path}/checkpoint/queue.json`, fs, true),
    agendaCheckpoint: new AtomicFile(`${path}/checkpoint/agenda.json`, fs, true),
    exposures: () => exposuresOf(path),
    reportPath: `${path}/report.html`,
  };
}

/**
 * Ours are made for their owner alone; one that was copied or restored may not be. Reported and not changed: on some
 * NAS a change of the mode undoes what its owner has allowed.
 */
function exposuresOf(path: string): string[] {
  if (process.platform === 'win32') return [];
  return ['', ...segmentsIn(path)].flatMap((name) => {
    const file = name === '' ? path : `${path}/${name}`;
    const mode = fs.statSync(file, { throwIfNoEntry: false })?.mode ?? 0;
    // Others may look into a folder of files that they cannot read.
    const open = mode & (name === '' ? 0o022 : 0o066);
    if (open === 0) return [];
    const may = (open & 0o022) === 0 ? 'read' : 'change';
    return [`others may ${may} ${file}: chmod ${name === '' ? 700 : 600} puts it right`];
  });
}

function segmentsIn(path: string): string[] {
  try {
    return fs.readdirSync(path).filter((name) => name.endsWith('.ndjson'));
  } catch {
    return [];
  }
}

/** A file is written by way of one that is renamed; who is killed in between leaves that behind. */
const TEMPORARY = /\.\d+\.\d+\.tmp$/;
/** Nobody takes as long to write one, in ms. */
const STALE_MS = 3_600_000;

/** Removes what killed writers have left. `now`: wall ms. Says nothing of what it cannot do: it costs room and no more. */
export function sweepTemporaries(path: string, now: number): void {
  for (const folder of [path, `${path}/checkpoint`]) {
    try {
      for (const name of fs.readdirSync(folder).filter((one) => TEMPORARY.test(one))) {
        const file = `${folder}/${name}`;
        if (now - fs.lstatSync(file).mtimeMs > STALE_MS) fs.rmSync(file, { force: true });
      }
    } catch {
      // No such folder, or not ours.
    }
  }
}

function isAbsolute(path: string): boolean {
  return path.startsWith('/') || /^[A-Za-z]:[\\/]|^\\\\/.test(path);
}

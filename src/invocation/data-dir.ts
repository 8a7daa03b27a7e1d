// The data dir: where the journal and its caches are. In Stash's config folder, not in the plugin's, because an
// update or a change of source moves that.

import type { ControlCheckpoint } from '../control/control-log.ts';
import { AtomicFile } from '../journal/atomic-file.ts';
import { FileJournal } from '../journal/file-journal.ts';
import type { QueueCheckpoint } from '../queue/queue-log.ts';

export interface DataDir {
  readonly path: string;
  readonly journal: FileJournal;
  readonly controlCheckpoint: AtomicFile<ControlCheckpoint>;
  readonly queueCheckpoint: AtomicFile<QueueCheckpoint>;
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
    controlCheckpoint: new AtomicFile(`${path}/checkpoint/control.json`),
    queueCheckpoint: new AtomicFile(`${path}/checkpoint/queue.json`),
    reportPath: `${path}/report.html`,
  };
}

function isAbsolute(path: string): boolean {
  return path.startsWith('/') || /^[A-Za-z]:[\\/]|^\\\\/.test(path);
}

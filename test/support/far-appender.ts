// A program of its own that appends to a journal as if it were on a network file system, where an append is two steps: it
// looks where the file ends, and writes there. Dir, name, count, and when it dies. Says each number once it was told that it
// is durable. Bundled by the test that starts many of it.
import * as nodeFs from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { JournalFs } from '../../src/breaker/journal/disk.ts';
import { FileJournal } from '../../src/breaker/journal/file-journal.ts';
import { makeRecord } from '../../src/breaker/journal/writer.ts';
import { programWriter } from './program-writer.ts';

const [dir, inv, count, death] = process.argv.slice(2) as [string, string, string, Death];
/** In its second append. */
type Death = 'never' | 'taken' | 'torn' | 'written';
let taken = 0;

function mayDie(at: Death): void {
  if (death === at && taken === 2) process.kill(process.pid, 'SIGKILL');
}

const far: JournalFs = {
  ...nodeFs,
  openSync: (path, flags, mode) => nodeFs.openSync(path, flags & ~nodeFs.constants.O_APPEND, mode),
  writeSync: async (fd, bytes, offset, length) => {
    const end = nodeFs.fstatSync(fd).size;
    await setImmediate();
    const written = nodeFs.writeSync(fd, bytes, offset, Math.floor(length / 2), end);
    mayDie('torn');
    return written + nodeFs.writeSync(fd, bytes, offset + written, length - written, end + written);
  },
  // Nobody here loses power, and a busy disk may keep a holder for so long that others take it for dead.
  fdatasyncSync: () => mayDie('written'),
  renameSync: (from, to) => {
    nodeFs.renameSync(from, to);
    if (to.endsWith('held')) taken += 1;
    mayDie('taken');
  },
  statfsSync: () => ({ type: 0x6969 }),
};

const journal = new FileJournal(dir, far);
const writer = programWriter(inv);
for (let n = 0; n < Number(count); n++) {
  const record = makeRecord(writer, 'test.said', { n, text: 'x'.repeat((n * 37) % 900) });
  const result = await journal.append('control', [record]);
  if (result.ok) nodeFs.writeSync(1, `${n}\n`);
  else process.exitCode = 1;
}

// A program of its own that appends records to a journal as fast as it can: dir, name, count. Bundled by the
// test that starts several of it at once.
import { FileJournal } from '../../src/journal/file-journal.ts';
import { makeRecord } from '../../src/journal/writer.ts';

const [dir, inv, count] = process.argv.slice(2) as [string, string, string];
const journal = new FileJournal(dir);
const startedAt = performance.now();
const writer = {
  inv,
  now: () => ({ at: Date.now(), mono: performance.now() - startedAt, boot: inv }),
  random: Math.random,
};
for (let n = 0; n < Number(count); n++) {
  const result = await journal.append('control', [
    makeRecord(writer, 'test.said', { n, text: 'x'.repeat(n * 7) }),
  ]);
  if (!result.ok) process.exitCode = 1;
}

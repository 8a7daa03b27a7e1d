// A program of its own that appends records to a journal as fast as it can: dir, name, count, and after how many it seals
// (never, by default). Bundled by the tests that start several of it at once.
import { FileJournal } from '../../src/breaker/journal/file-journal.ts';
import { FileSegments } from '../../src/breaker/journal/file-segments.ts';
import { makeRecord } from '../../src/breaker/journal/writer.ts';
import { programWriter } from './program-writer.ts';

const [dir, inv, count, sealEvery] = process.argv.slice(2) as [string, string, string, string?];
const journal = new FileJournal(dir);
const segments = new FileSegments(dir);
const writer = programWriter(inv);
for (let n = 0; n < Number(count); n++) {
  const result = await journal.append('control', [
    makeRecord(writer, 'test.said', { n, text: 'x'.repeat(n * 7) }),
  ]);
  const isSealing = (n + 1) % Number(sealEvery ?? Number.POSITIVE_INFINITY) === 0;
  const sealed = isSealing ? await segments.seal('control', makeRecord(writer, 'occasion', {})) : result;
  if (!result.ok || !sealed.ok) process.exitCode = 1;
}

// A program of its own that seals a stream whenever it has grown a little, until it is killed. Bundled by the test that
// starts it: dir, bytes.
import { FileJournal } from '../../src/breaker/journal/file-journal.ts';
import { FileSegments } from '../../src/breaker/journal/file-segments.ts';
import { placeOf } from '../../src/breaker/journal/segments.ts';
import { makeRecord } from '../../src/breaker/journal/writer.ts';

const [dir, bytes] = process.argv.slice(2) as [string, string];
const journal = new FileJournal(dir);
const segments = new FileSegments(dir);
const writer = {
  inv: 'sealer',
  now: () => ({ at: Date.now(), mono: performance.now(), boot: 'test' }),
  random: Math.random,
};
for (;;) {
  if (placeOf(await journal.size('control')).offset < Number(bytes)) {
    await new Promise(setImmediate);
    continue;
  }
  const sealed = await segments.seal('control', makeRecord(writer, 'segment.occasion', {}));
  if (!sealed.ok) process.exit(1);
}

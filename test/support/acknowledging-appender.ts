// A program of its own that appends to both streams as fast as it can and says each number once it was told that it is
// durable: dir, name, first number, count. Bundled by the test that starts many of it and kills some.
import { writeSync } from 'node:fs';
import { FileJournal } from '../../src/breaker/journal/file-journal.ts';
import { makeRecord } from '../../src/breaker/journal/writer.ts';
import { programWriter } from './program-writer.ts';

const [dir, inv, first, count] = process.argv.slice(2) as [string, string, string, string];
const journal = new FileJournal(dir);
const writer = programWriter(inv);
for (let n = Number(first); n < Number(first) + Number(count); n++) {
  const stream = n % 2 === 0 ? 'control' : 'queue';
  // Of many lengths, some of several records.
  const records = Array.from({ length: 1 + (n % 3) }, (_, part) =>
    makeRecord(writer, 'test.said', { n, part, text: 'x'.repeat((n * 37) % 900) }),
  );
  const result = await journal.append(stream, records);
  if (result.ok) writeSync(1, `${n}\n`);
  else process.exitCode = 1;
}

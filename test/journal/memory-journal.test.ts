// The journal in memory passes the same suite as the one on disk.
import { expect, test } from 'vitest';
import { READ_BYTES, readAll } from '../../src/journal/journal.ts';
import { MemoryJournal } from '../../src/journal/memory-journal.ts';
import { MAX_LINE_BYTES } from '../../src/journal/record.ts';
import { recordOf, testJournal } from './conformance.ts';

testJournal('MemoryJournal', () => {
  const journal = new MemoryJournal();
  return {
    journal,
    segments: journal,
    appendBytes: (bytes) => journal.appendBytes('control', bytes),
    replaceBytes: (bytes) => journal.replaceBytes('control', bytes),
    bytes: () => journal.bytes('control'),
  };
});

test('a run without a newline that is longer than one read is stepped over', async () => {
  const journal = new MemoryJournal();
  journal.appendBytes('control', Buffer.alloc(READ_BYTES + MAX_LINE_BYTES + 1, 'x'));
  await journal.append('control', [recordOf(1)]);
  let records = 0;
  for await (const entry of readAll(journal, 'control')) records += entry.kind === 'record' ? 1 : 0;
  expect(records).toBe(1);
});

// The journal in memory passes the same suite as the one on disk.
import { expect, test } from 'vitest';
import { READ_BYTES } from '../../../src/breaker/journal/journal.ts';
import { MemoryJournal } from '../../../src/breaker/journal/memory-journal.ts';
import { MAX_LINE_BYTES } from '../../../src/breaker/journal/record.ts';
import { bytesOf } from '../../support/segment-bytes.ts';
import { entriesOf } from '../../support/streams.ts';
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
  const found = await entriesOf(journal);
  expect(found).toMatchObject([
    { kind: 'damaged', position: 0, next: READ_BYTES, reason: 'no newline' },
    { kind: 'damaged', position: READ_BYTES },
    { kind: 'record', record: { data: { n: 1 } } },
  ]);
});

test.each(['segment.sealed', 'segment.opened'])(
  'a damaged %s costs a line of damage, and no more',
  async (mark) => {
    const journal = new MemoryJournal();
    await journal.append('control', [recordOf(1)]);
    await journal.seal('control', recordOf(0));
    await journal.append('control', [recordOf(2)]);
    const damaged = mark === 'segment.sealed' ? 0 : 1;
    // They are its own bytes, not a copy.
    const bytes = (await bytesOf(journal, 'control', damaged))!;
    bytes[bytes.indexOf(mark)]! ^= 1;
    const kinds = (await entriesOf(journal)).map(({ kind }) => kind);
    expect(kinds).toEqual(['record', 'damaged', 'record']);
    const [first] = await journal.list('control');
    expect(first!.sealedAt).toBe(damaged === 0 ? recordOf(0).at : null);
  },
);

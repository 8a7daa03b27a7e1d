// A live view stays for days: what a look at the journal costs is given back.
import { getEventListeners } from 'node:events';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { MemoryJournal } from '../../src/breaker/journal/memory-journal.ts';
import { inspectWish } from '../../src/inspect/options.ts';
import { type InspectWorld, inspectJournal } from '../../src/invocation/inspect.ts';
import { FakeClock, fakeWriter } from '../support/fake-writer.ts';

test('however often it looks, it listens for its end at most once', async () => {
  const ending = new AbortController();
  const listening: number[] = [];
  const world: InspectWorld = {
    journal: new MemoryJournal(),
    writer: fakeWriter(new FakeClock()),
    page: '<html></html>',
    token: 'token',
    sleep: async () => {
      listening.push(getEventListeners(ending.signal, 'abort').length);
      if (listening.length === 100) ending.abort();
    },
    say: () => {},
    stdin: Readable.from([]),
    signal: ending.signal,
  };
  await inspectJournal(world, inspectWish({ live: true }, 0));
  expect(listening).toHaveLength(100);
  expect(Math.max(...listening)).toBeLessThanOrEqual(1);
});

// Holding the drain lease where another process takes it over at the worst of moments.

import { expect, test } from 'vitest';
import { ControlLog } from '../../src/breaker/control/control-log.ts';
import { DRAIN_LEASE_MS, DrainLease, LeaseLost } from '../../src/breaker/drain-lease.ts';
import { joinLines } from '../../src/breaker/journal/lines.ts';
import { MemoryJournal } from '../../src/breaker/journal/memory-journal.ts';
import { encodeLine, RECORD_VERSION } from '../../src/breaker/journal/record.ts';
import { makeRecord } from '../../src/breaker/journal/writer.ts';
import { FakeClock, fakeWriter } from '../support/fake-writer.ts';
import { drainClaim } from '../support/honest-writers.ts';
import { journalWith } from '../support/journal-with.ts';

test('a claim that is read back only when its lease has ended and is held by another is not believed to hold theirs', async () => {
  const clock = new FakeClock();
  const shared = new MemoryJournal();
  const other = await ControlLog.open(shared, fakeWriter(clock, 'other', 2));
  const slow = journalWith(shared, {
    append: async (stream, records) => {
      const appended = await shared.append(stream, records);
      // The machine sleeps between our append and our reading it back.
      clock.advance(DRAIN_LEASE_MS + 1);
      await other.append(drainClaim);
      return appended;
    },
  });
  const control = await ControlLog.open(slow, fakeWriter(clock, 'slow', 1));
  const lease = await DrainLease.claim(control, fakeWriter(clock, 'slow', 1));
  expect(other.state.drain.context).toMatchObject({ owner: 'other', epoch: 2 });
  expect(lease?.epoch).toBe(1);
  expect(() => lease?.assertHeld()).toThrow(LeaseLost);
});

test('a lease is nobody’s to hold where a newer version writes beside: it may have taken it', async () => {
  const clock = new FakeClock();
  const journal = new MemoryJournal();
  const writer = fakeWriter(clock, 'older', 1);
  const control = await ControlLog.open(journal, writer);
  const lease = await DrainLease.claim(control, writer);
  await lease?.refresh();
  const newer = { ...makeRecord(fakeWriter(clock, 'newer', 2), 'lease.claimed', {}), v: RECORD_VERSION + 1 };
  journal.appendBytes('control', joinLines([encodeLine(newer)]));
  await expect(lease?.refresh()).rejects.toThrow(LeaseLost);
});

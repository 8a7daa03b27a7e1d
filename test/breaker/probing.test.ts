// Asking under the probe lease where the machine sleeps between the claim and its reading back: whoever comes too late
// does not ask.

import { expect, test } from 'vitest';
import { ControlLog } from '../../src/breaker/control/control-log.ts';
import { readAll } from '../../src/breaker/journal/journal.ts';
import { MemoryJournal } from '../../src/breaker/journal/memory-journal.ts';
import type { JournalRecord } from '../../src/breaker/journal/record.ts';
import { probeUnderLease } from '../../src/breaker/probing.ts';
import type { Failure } from '../../src/plex/failures.ts';
import { FakeClock, fakeWriter } from '../support/fake-writer.ts';
import { drainClaim, probeClaim } from '../support/honest-writers.ts';
import { journalWith } from '../support/journal-with.ts';

const HOUR_MS = 3_600_000;
const REFUSED: Failure = { class: 'outage', symptom: 'refused', detail: 'nobody listens' };
const away = {
  type: 'attempt.failed',
  lease: 'drain',
  epoch: 1,
  class: 'outage',
  symptom: 'refused',
} as const;

/** The breaker is open and a probe is due; one process claims it, and `meanwhile` happens before it reads on. */
async function probed(
  meanwhile: (other: ControlLog, clock: FakeClock) => Promise<unknown> = async () => {},
  failure: Failure = REFUSED,
) {
  const clock = new FakeClock();
  const journal = new MemoryJournal();
  const other = await ControlLog.open(journal, fakeWriter(clock, 'other', 2));
  await other.append(drainClaim, { ...away, draw: 0, opensAfter: 1 });
  clock.advance(HOUR_MS);
  const slow = journalWith(journal, {
    append: async (stream, records) => {
      const appended = await journal.append(stream, records);
      if (records[0]?.type === 'lease.claimed') await meanwhile(other, clock);
      return appended;
    },
  });
  const writer = fakeWriter(clock, 'slow', 1);
  const control = await ControlLog.open(slow, writer);
  let asked = 0;
  const plex = {
    probe: async () => {
      asked += 1;
      return { ok: false, failure } as const;
    },
  };
  const outcome = await probeUnderLease({ control, writer, probe: plex.probe, pending: 1, isForced: false });
  return { outcome, asked, state: control.state, journal };
}

test('asks where nothing came between', async () => {
  const { outcome, asked, state } = await probed();
  expect(outcome).toEqual({ kind: 'away', failure: REFUSED });
  expect(asked).toBe(1);
  expect(state.probe.value).toBe('free');
});

test('does not ask when its lease has ended', async () => {
  const { outcome, asked } = await probed(async (_, clock) => clock.advance(HOUR_MS));
  expect(outcome).toEqual({ kind: 'not-ours' });
  expect(asked).toBe(0);
});

test('does not ask when another has claimed it since, and leaves it to them', async () => {
  const { outcome, asked, state } = await probed(async (other, clock) => {
    clock.advance(HOUR_MS);
    await other.append(probeClaim);
  });
  expect(outcome).toEqual({ kind: 'not-ours' });
  expect(asked).toBe(0);
  expect(state.probe).toMatchObject({ value: 'held', context: { owner: 'other' } });
});

test.each([
  ['outage', 'probe.failed', 'outage'],
  ['maintenance', 'probe.failed', 'maintenance'],
  ['transient', 'probe.failed', 'transient'],
  ['throttled', 'probe.failed', 'outage'],
  ['config', 'hold.placed', undefined],
  ['missing', 'probe.failed', 'outage'],
  ['rejected', 'probe.failed', 'outage'],
] as const)('a probe that ends in %s is recorded as %s %s', async (its, type, recordedAs) => {
  const { journal } = await probed(undefined, { ...REFUSED, class: its });
  const records: JournalRecord[] = [];
  for await (const entry of readAll(journal, 'control')) {
    if (entry.kind === 'record') records.push(entry.record);
  }
  const [told, released] = records.slice(-2);
  expect(told).toMatchObject({ type });
  expect(told?.data.class).toBe(recordedAs);
  expect(released).toMatchObject({ type: 'lease.released', data: { lease: 'probe' } });
});

// The part of a hook that folds: what it leaves for the next one.

import { expect, test } from 'vitest';
import { type ControlCheckpoint, ControlLog } from '../../src/control/control-log.ts';
import type { DataDir } from '../../src/invocation/data-dir.ts';
import { type Launcher, startIfNeeded } from '../../src/invocation/start-drainer.ts';
import { MemoryJournal } from '../../src/journal/memory-journal.ts';
import { FakeClock, fakeWriter } from '../support/fake-writer.ts';
import { drainClaim } from '../support/honest-writers.ts';

const CONNECTION = { origin: 'http://127.0.0.1:1', credential: { kind: 'none' } } as const;

/** One hook, of a log of so many records by a drainer that still holds its lease; the checkpoint that it leaves. */
async function leftBehind(records: number): Promise<ControlCheckpoint | null> {
  const clock = new FakeClock();
  const journal = new MemoryJournal();
  const drainer = await ControlLog.open(journal, fakeWriter(clock, 'drain', 1));
  await drainer.append(drainClaim);
  const renewed = { type: 'lease.renewed', lease: 'drain', epoch: 1, forMs: 180_000 } as const;
  for (let made = 1; made < records; made++) await drainer.append(renewed);
  let kept: ControlCheckpoint | null = null;
  const controlCheckpoint = {
    read: () => kept,
    write: (checkpoint: ControlCheckpoint) => {
      kept = checkpoint;
    },
  };
  const dir = { path: '/nowhere', journal, controlCheckpoint } as unknown as DataDir;
  const nobody = {
    isStashInit: () => false,
    startDetached: () => Promise.reject(new Error('a drainer is started beside another')),
  } as unknown as Launcher;
  const hook = fakeWriter(clock, 'hook', 2);
  const checked = { kind: 'ignored' } as const;
  expect(await startIfNeeded(dir, hook, checked, CONNECTION, '/nowhere', nobody)).toEqual({ started: false });
  return kept;
}

test('a hook that had much to fold keeps what it came to, for the next one', async () => {
  expect(await leftBehind(255)).toBeNull();
  expect(await leftBehind(256)).toMatchObject({ boot: 'boot-1', state: { counts: { records: 256 } } });
});

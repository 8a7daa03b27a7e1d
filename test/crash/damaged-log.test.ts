// A short log, cut off at every byte and with every bit flipped: the fold never throws, loses the record that was touched
// and no other, and never becomes a fresh start. A checkpoint hides nothing of it, and what is appended afterwards counts.

import { beforeAll, describe, expect, test } from 'vitest';
import { type ControlCheckpoint, ControlLog } from '../../src/breaker/control/control-log.ts';
import { MemoryJournal } from '../../src/breaker/journal/memory-journal.ts';
import { type QueueCheckpoint, QueueLog } from '../../src/queue/queue-log.ts';
import type { StreamName } from '../../src/queue/streams.ts';
import { FakeClock, fakeWriter } from '../support/fake-writer.ts';
import { seeded } from '../support/seeded.ts';

const SEED = Number(process.env.BREAKWATER_SEED ?? Date.now() % 1_000_000);
/** Of the flips, so many are also appended to, each read by two more processes. */
const SHARE_APPENDED = process.env.BREAKWATER_LONG === '1' ? 1 : 1 / 16;

const clock = new FakeClock();
const writer = () => fakeWriter(clock, 'writer', 1);
const claim = { type: 'lease.claimed', lease: 'drain', forMs: 60_000, draw: 0.5 } as const;
const under = { lease: 'drain', epoch: 1 } as const;

interface Sound {
  readonly bytes: Buffer;
  readonly ids: readonly string[];
  readonly starts: readonly number[];
  /** Of the first half. */
  readonly control: ControlCheckpoint | null;
  readonly queue: QueueCheckpoint | null;
}

const sound: Record<StreamName, Sound> = {} as never;

beforeAll(async () => {
  const journal = new MemoryJournal();
  const control = await ControlLog.open(journal, writer());
  await control.append(claim);
  await control.append({ type: 'attempt.failed', ...under, class: 'outage', symptom: 'refused', draw: 0.1 });
  const half = control.checkpoint();
  await control.append({ type: 'probe.failed', ...under, class: 'outage', symptom: 'refused', draw: 0.2 });
  await control.append({ type: 'lease.released', ...under, reason: 'away' });
  const queue = await QueueLog.open(journal, writer());
  await queue.append({ type: 'job.queued', job: 'scene:1', cause: 'a' });
  await queue.append({ type: 'job.queued', job: 'scene:2', cause: 'b' });
  const halfQueue = queue.checkpoint();
  await queue.append({
    type: 'job.delivered',
    job: 'scene:1',
    upTo: queue.position,
    result: 'written',
    item: '7',
  });
  await queue.append({ type: 'job.queued', job: 'tag:3', cause: 'c' });
  for (const stream of ['control', 'queue'] as const) {
    const { entries } = await journal.read(stream, 0);
    sound[stream] = {
      bytes: Buffer.from(journal.bytes(stream)),
      ids: entries.flatMap((entry) => (entry.kind === 'record' ? entry.record.id : [])),
      starts: entries.map(({ position }) => position),
      control: half,
      queue: halfQueue,
    };
  }
});

/** A journal whose one stream is `bytes`. */
function journalOf(stream: StreamName, bytes: Buffer): MemoryJournal {
  const journal = new MemoryJournal();
  journal.replaceBytes(stream, bytes);
  return journal;
}

/** What a process makes of the stream, from a checkpoint of its first half or from the beginning. */
async function fold(stream: StreamName, journal: MemoryJournal, isFromCheckpoint: boolean) {
  if (stream === 'control') {
    const log = await ControlLog.open(journal, writer(), isFromCheckpoint ? sound.control.control : null);
    return { state: log.state, damaged: log.fold.counts.damaged, position: log.position, log };
  }
  const log = await QueueLog.open(journal, writer(), isFromCheckpoint ? sound.queue.queue : null);
  return { state: log.queue, damaged: log.damaged, position: log.position, log };
}

async function idsIn(stream: StreamName, journal: MemoryJournal): Promise<string[]> {
  const { entries } = await journal.read(stream, 0);
  return entries.flatMap((entry) => (entry.kind === 'record' ? entry.record.id : []));
}

/** One more record by a process that opened the damaged log; it and all sound ones before it are read by another. */
async function expectGoesOn(stream: StreamName, journal: MemoryJournal, place: string): Promise<void> {
  const before = await idsIn(stream, journal);
  const { log } = await fold(stream, journal, false);
  const appended =
    log instanceof ControlLog
      ? await log.append({ type: 'lease.requested', lease: 'drain', forMs: 5_000 })
      : await log.append({ type: 'job.queued', job: 'scene:9', cause: 'after' });
  expect(appended.ok, place).toBe(true);
  const after = await idsIn(stream, journal);
  expect(after.slice(0, before.length), place).toEqual(before);
  // A tail that had lacked its newline may have become whole by ours.
  expect(after.length, place).toBeGreaterThan(before.length);
  const whole = await fold(stream, journal, false);
  expect(whole.position, place).toBe(await journal.size(stream));
}

describe.each(['control', 'queue'] as const)('%s', (stream) => {
  test('cut off at every byte: what was whole before it is there, and the log goes on', async () => {
    const { bytes, ids, starts } = sound[stream];
    for (let length = 0; length <= bytes.length; length++) {
      const journal = journalOf(stream, bytes.subarray(0, length));
      const { damaged } = await fold(stream, journal, false);
      const ends = [...starts.slice(1).map((start) => start - 1), bytes.length];
      const whole = ends.filter((end) => end <= length).length;
      expect(await idsIn(stream, journal), `${length} bytes`).toEqual(ids.slice(0, whole));
      expect(damaged, `${length} bytes`).toBe(0);
      await expectGoesOn(stream, journal, `${length} bytes`);
    }
  });

  test(`every bit flipped: one record is lost, no other, and a checkpoint hides nothing behind it (BREAKWATER_SEED=${SEED})`, async () => {
    const { bytes, ids, starts } = sound[stream];
    const draw = seeded(SEED);
    const half = sound[stream][stream]?.position ?? 0;
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const place = `byte ${bit >> 3}, bit ${bit & 7}`;
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      const journal = journalOf(stream, flipped);
      const left = await idsIn(stream, journal);
      const lost = ids.filter((id) => !left.includes(id));
      if (lost.length !== 1 || left.length !== ids.length - 1) expect.fail(`${place}: lost ${lost.length}`);
      // The damaged line, or the one whose newline it was.
      const touched = starts.findLastIndex((start) => start <= (bit >> 3) + 1);
      if (lost[0] !== ids[touched] && lost[0] !== ids[touched + 1]) expect.fail(`${place}: another was lost`);

      const folded = await fold(stream, journal, false);
      if (folded.damaged > 1) expect.fail(`${place}: ${folded.damaged} damaged lines`);
      if (bit >> 3 >= half) {
        const fromCheckpoint = await fold(stream, journal, true);
        if (fromCheckpoint.damaged !== folded.damaged) expect.fail(`${place}: the checkpoint hides damage`);
        if (bit % 64 === 0) expect(fromCheckpoint.state, place).toEqual(folded.state);
      }
      if (draw() < SHARE_APPENDED) await expectGoesOn(stream, journal, place);
    }
  });
});

// A checksum says that a line is as it was written, and nothing about sense. Records whose checksum holds and whose data is
// nonsense never stop a fold, a question or a listing, and never leave a state in which something waits for ever.

import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CONTROL_EVENT_TYPES, type ControlEvent } from '../../machines/events.ts';
import { ControlLog } from '../../src/breaker/control/control-log.ts';
import { gate } from '../../src/breaker/control/decide.ts';
import { EMPTY_FOLD, foldEntry } from '../../src/breaker/control/replay.ts';
import { joinLines } from '../../src/breaker/journal/lines.ts';
import { MemoryJournal } from '../../src/breaker/journal/memory-journal.ts';
import { decodeLine, encodeLine, type JournalRecord } from '../../src/breaker/journal/record.ts';
import { MAX_WAIT_MS } from '../../src/breaker/journal/shape.ts';
import { outageLines, outageReport } from '../../src/cli/outages.ts';
import { statusLines, statusOf } from '../../src/cli/status.ts';
import { createOutageHistory } from '../../src/outages/outages.ts';
import { dueJobs } from '../../src/queue/queue.ts';
import { QueueLog } from '../../src/queue/queue-log.ts';
import { landed, moveClock, strokes } from '../support/control-logs.ts';
import { FakeClock, fakeWriter } from '../support/fake-writer.ts';
import { mutated, nonsense } from '../support/nonsense.ts';
import { PROPERTY_RUNS } from '../support/property-runs.ts';

const QUEUE_EVENTS = [
  { type: 'job.queued', job: 'scene:1', cause: 'Scene.Update.Post' },
  {
    type: 'job.attempted',
    job: 'scene:1',
    item: '1001',
    changes: [{ field: 'genre', before: ['a'], after: null }],
    own: { genre: ['a'] },
    spares: { title: null, genre: false, studio: 'digest' },
  },
  {
    type: 'job.delivered',
    job: 'scene:1',
    upTo: 900,
    result: 'written',
    item: '1001',
    own: { genre: ['a'] },
    cover: { sha1: 'x', validator: '', shown: { thumb: '/t' } },
    digest: 'd',
    notes: ['n'],
  },
  {
    type: 'job.deferred',
    job: 'scene:2',
    upTo: 900,
    reason: 'missing',
    detail: 'd',
    attempt: 1,
    waitMs: 60_000,
    scan: 's',
  },
  { type: 'job.deadLettered', job: 'scene:3', upTo: 900, reason: 'rejected', detail: 'd' },
  { type: 'job.dropped', job: 'scene:3', upTo: 900, reason: 'r' },
  {
    type: 'reconcile.requested',
    scope: { since: null, newSince: 1, depth: 'plex', isMissingOnly: false, libraries: ['Scenes'] },
    cause: 'task',
  },
  {
    type: 'reconcile.advanced',
    cursor: 100,
    checked: 100,
    left: 3,
    gaps: { kinds: { changed: 1 }, fields: { title: 1 }, libraries: { Scenes: 1 } },
  },
  { type: 'reconcile.finished', result: 'done' },
] as const;

const writer = fakeWriter(new FakeClock(), 'mallory', 1);

function lineOf(type: string, data: unknown, envelope: object = {}): Buffer {
  const { at, mono, boot } = writer.now();
  const record = { v: 1, id: 'x', at, mono, boot, inv: writer.inv, type, data, ...envelope };
  return joinLines([encodeLine(record as unknown as JournalRecord)]);
}

/** Sound events of the control stream with some part of each replaced by something else. */
const controlLines = strokes(30).chain((log) => {
  const clock = new FakeClock();
  const events = log.map((stroke) => {
    moveClock(clock, stroke);
    const { moment: _moment, by: _by, ...event } = landed(stroke, EMPTY_FOLD.control, clock.now());
    return event;
  });
  return fc.tuple(...events.map(({ type, ...data }) => fc.tuple(fc.constant(type), mutated(data), witness)));
});

const witness = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  {
    weight: 1,
    arbitrary: fc.record({
      seen: fc.constantFrom(0, -1, 1e300),
      era: fc.constantFrom('another', ''),
      from: fc.constant({}),
      to: fc.dictionary(
        fc.constantFrom('breaker', 'recovery', 'drain', 'probe', 'operator', '__proto__', 'constructor'),
        fc.oneof(
          fc.constantFrom(
            'open',
            'halfOpen',
            'waiting',
            'probing',
            'held',
            'held#',
            'held#x',
            'held#1e9',
            'held#3',
            'asked#-1',
          ),
          nonsense,
        ),
      ),
    }),
  },
);

const queueLines = fc.array(
  fc.constantFrom(...QUEUE_EVENTS).chain(({ type, ...data }) => fc.tuple(fc.constant(type), mutated(data))),
  { maxLength: 20 },
);

describe('control records of nonsense', () => {
  test('fold to a state of whole numbers that every reader can show, and wedge nobody', async () => {
    await fc.assert(
      fc.asyncProperty(controlLines, async (lines) => {
        const journal = new MemoryJournal();
        const clock = new FakeClock();
        for (const [type, data, envelope] of lines)
          journal.appendBytes('control', lineOf(type, data, envelope));
        const history = createOutageHistory();
        const log = await ControlLog.open(journal, fakeWriter(clock, 'one', 1), null, (step) =>
          history.trigger.step({ step }),
        );
        expect(log.fold.counts.records).toBe(lines.length);
        expectWhole(log.state);
        expectWhole(history.getSnapshot().context);
        show(log, await QueueLog.open(journal, writer), clock);
        outageLines(outageReport(history.getSnapshot().context));

        clock.advance(2 * MAX_WAIT_MS);
        await log.append({ type: 'lease.claimed', lease: 'drain', forMs: 1_000, draw: 0.5 });
        expect(log.state.drain).toMatchObject({ value: 'held', context: { owner: 'one' } });
        expect(['go', 'probe']).toContain(gate(log.state, clock.now()).kind);
      }),
      PROPERTY_RUNS,
    );
  });

  test.each<[string, ControlEvent['type'], object]>([
    ['a wait that is text', 'lease.claimed', { lease: 'drain', forMs: 'x', draw: 0 }],
    ['a wait without end', 'hold.placed', { hold: 'operator', stance: 'open', reason: '', forMs: 1e300 }],
    ['a wait beyond the longest', 'lease.claimed', { lease: 'drain', forMs: MAX_WAIT_MS + 1, draw: 0 }],
    ['no class', 'probe.failed', { lease: 'drain', epoch: 0, symptom: 's', draw: 0 }],
    ['no draw', 'lease.claimed', { lease: 'drain', forMs: 1 }],
    [
      'a process that is none',
      'lease.claimed',
      { lease: 'drain', forMs: 1, draw: 0, process: { pid: -1, space: '' } },
    ],
    ['no policy', 'policy.set', { policy: null, server: { id: '', under: '' } }],
    ['nothing at all', 'hold.placed', {}],
    [
      'fields that are only inherited',
      'hold.placed',
      JSON.parse('{"__proto__":{"hold":"operator","stance":"open","reason":"","forMs":9}}'),
    ],
  ])('%s (%s) is void and counted', (_what, type, data) => {
    const decoded = decodeLine(Buffer.from(lineOf(type, data).toString().trim()));
    if (decoded.kind !== 'record') throw new Error('the line itself is sound');
    const { fold, step } = foldEntry(EMPTY_FOLD, {
      kind: 'record',
      position: 0,
      next: 1,
      record: decoded.record,
    });
    expect(step).toMatchObject({ event: null, isVoid: true });
    expect(fold.control).toBe(EMPTY_FOLD.control);
    expect(fold.counts).toMatchObject({ records: 1, voids: 1 });
  });

  test('the longest wait is believed', async () => {
    const log = await ControlLog.open(new MemoryJournal(), writer);
    await log.append({
      type: 'hold.placed',
      hold: 'operator',
      stance: 'open',
      reason: '',
      forMs: MAX_WAIT_MS,
    });
    expect(log.state.operator.value).toBe('held');
  });

  test('are never written by us: whoever tries hears of it, and nothing is appended', async () => {
    const journal = new MemoryJournal();
    const log = await ControlLog.open(journal, writer);
    const placed = {
      type: 'hold.placed',
      hold: 'operator',
      stance: 'open',
      reason: '',
      forMs: Number.NaN,
    } as const;
    await expect(log.append(placed)).rejects.toThrow(/hold\.placed of this shape would be void/);
    expect(await journal.size('control')).toBe(0);
  });

  test.each([...CONTROL_EVENT_TYPES])('%s without its data is one of them', (type) => {
    const decoded = decodeLine(Buffer.from(lineOf(type, {}).toString().trim()));
    if (decoded.kind !== 'record') throw new Error('the line itself is sound');
    const entry = { kind: 'record', position: 0, next: 1, record: decoded.record } as const;
    expect(foldEntry(EMPTY_FOLD, entry).step?.event).toBeNull();
  });
});

describe('queue records of nonsense', () => {
  test('fold to jobs that every reader can show, each due at some time', async () => {
    await fc.assert(
      fc.asyncProperty(queueLines, async (lines) => {
        const journal = new MemoryJournal();
        const clock = new FakeClock();
        for (const [type, data] of lines) journal.appendBytes('queue', lineOf(type, data));
        const log = await QueueLog.open(journal, fakeWriter(clock, 'one', 1));
        const { jobs, known, counts } = log.queue;
        expectWhole([...jobs, ...known, counts, log.queue.reconciliation]);
        expect(counts.pending + counts.deferred + counts.dead).toBe(jobs.size);
        show(await ControlLog.open(journal, writer), log, clock);

        clock.advance(2 * MAX_WAIT_MS);
        const due = dueJobs(log.queue, clock.now(), 1_000);
        expect(due).toHaveLength(counts.pending + counts.deferred);
        for (const { job } of due) expect(job).toMatch(/^(scene|tag|performer|studio|group|library):\w+$/);
      }),
      PROPERTY_RUNS,
    );
  });

  test('what is sound between them counts', async () => {
    const journal = new MemoryJournal();
    journal.appendBytes('queue', lineOf('job.queued', { job: 7, cause: 'x' }));
    journal.appendBytes('queue', lineOf('job.queued', { job: 'scene:../../etc', cause: 'x' }));
    journal.appendBytes('queue', lineOf('job.queued', { job: 'scene:12', cause: 'x' }));
    journal.appendBytes(
      'queue',
      lineOf('job.deferred', {
        job: 'scene:12',
        upTo: 9_999,
        reason: 'missing',
        detail: '',
        attempt: 1,
        waitMs: null,
      }),
    );
    const { queue } = await QueueLog.open(journal, writer);
    expect([...queue.jobs.values()].map(({ job, state }) => `${job} ${state}`)).toEqual(['scene:12 pending']);
  });
});

test('a checkpoint whose checksum holds around nonsense is ignored, and the log is folded from its beginning', async () => {
  const journal = new MemoryJournal();
  const log = await ControlLog.open(journal, writer);
  await log.append({ type: 'hold.placed', hold: 'operator', stance: 'open', reason: 'r', forMs: 1_000 });
  const { state, ...envelope } = log.checkpoint()!;
  await fc.assert(
    fc.asyncProperty(fc.oneof(nonsense, mutated(envelope)), async (other) => {
      const given = typeof other === 'object' && other !== null ? { ...other, state } : other;
      const opened = await ControlLog.open(journal, writer, given as never);
      expect(opened.state).toEqual(log.state);
    }),
    PROPERTY_RUNS,
  );
});

describe('an envelope of nonsense', () => {
  test.each([
    ['a time that no date can be made of', 'at', '8640000000000000'],
    ['a time without end', 'at', '1e999'],
    ['a clock without end', 'mono', '-1e999'],
    ['a time that is text', 'at', '"2026"'],
  ])('%s is damage', (_what, field, value) => {
    const sound = lineOf('job.queued', {})
      .toString()
      .trim()
      .replace(/,"crc":.*/, '');
    const body = sound.replace(new RegExp(`"${field}":[^,]+`), `"${field}":${value}`);
    expect(body).not.toBe(sound);
    const line = Buffer.from(`${body},"crc":${crc32(body)}}`);
    expect(decodeLine(line)).toEqual({ kind: 'damaged', reason: 'not a record' });
  });
});

/** What a person would look at. */
function show(control: ControlLog, queue: QueueLog, clock: FakeClock): void {
  const status = statusOf(control.state, queue.queue, control.fold.counts, queue.damaged, clock.now(), false);
  for (const line of statusLines(status)) expect(line).not.toMatch(/NaN|undefined|\[object/);
  expect(JSON.parse(JSON.stringify(status))).toEqual(status);
}

/** No number in it that JSON could not hold: what comes out of a checkpoint is what went in. */
function expectWhole(state: unknown): void {
  const withoutMaps = mapsAsLists(state);
  expect(JSON.parse(JSON.stringify(withoutMaps))).toEqual(withoutMaps);
}

/** The same with each map as the list of its entries, which JSON can hold. */
function mapsAsLists(value: unknown): unknown {
  if (value instanceof Map) return [...value].map(mapsAsLists);
  if (Array.isArray(value)) return value.map(mapsAsLists);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, mapsAsLists(one)]));
}

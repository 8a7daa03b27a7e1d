// The report against the log that it was made from: the same states, the same figures, the same bytes.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ControlLog } from '../../src/breaker/control/control-log.ts';
import { MACHINE_NAMES } from '../../src/breaker/control/state.ts';
import type { Journal } from '../../src/breaker/journal/journal.ts';
import { MemoryJournal } from '../../src/breaker/journal/memory-journal.ts';
import { COVERAGE_GAP_MS, evolveHistory, newHistory } from '../../src/outages/outages.ts';
import { historyFigures } from '../../src/outages/summary.ts';
import { QueueLog } from '../../src/queue/queue-log.ts';
import { sums } from '../../src/report/columns.ts';
import { htmlOf, jsonForHtml } from '../../src/report/html.ts';
import { eventsOf } from '../../src/report/page/model.ts';
import { pageAssets } from '../../src/report/page-assets.ts';
import { MAX_OUTAGES, reportOf } from '../../src/report/report.ts';
import { type ReportData, SPAN_KINDS } from '../../src/report/report-data.ts';
import { MAX_EVENTS } from '../../src/report/shown-log.ts';
import { FakeClock, fakeWriter, START_AT } from '../support/fake-writer.ts';
import { drainClaim, moves, playHonestly, probeFailed } from '../support/honest-writers.ts';
import { seasonOf } from '../support/outage-log.ts';
import { entriesOf, foldAll } from '../support/streams.ts';

const DAY = 86_400_000;

async function htmlFor(journal: Journal): Promise<string> {
  return htmlOf(await reportOf(journal, null), await pageAssets());
}

function spansOf({ spans }: ReportData) {
  return sums(spans.from).map((from, index) => ({
    kind: SPAN_KINDS[spans.kind[index] ?? -1],
    from,
    to: from + (spans.length[index] ?? 0),
  }));
}

/** Moments and fractions as the page has them. */
function shown(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_, inner) => {
    if (typeof inner === 'number') return Math.round(inner * 1_000) / 1_000;
    if (typeof inner?.mono === 'number') return { at: inner.at };
    return inner;
  });
}

/** The same without the line that never goes back. */
function withoutLine(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (key, inner) => (key === 't' ? undefined : inner));
}

test('the page adds up to the very states of the replay, whoever wrote and whatever the clocks did', async () => {
  await fc.assert(
    fc.asyncProperty(moves(60), async (log) => {
      const { journal } = await playHonestly(log);
      const { steps } = foldAll(await entriesOf(journal));
      const events = eventsOf((await reportOf(journal, null)).log);
      expect(events.map(({ position, type, by }) => ({ position, type, by }))).toEqual(
        steps.map(({ position, record }) => ({ position, type: record.type, by: record.inv })),
      );
      for (const [index, step] of steps.entries()) {
        expect(withoutLine(events[index]?.after)).toEqual(shown(step.after));
        expect(withoutLine(events[index]?.data)).toEqual(shown(step.record.data));
        expect(events[index]?.marks.includes('void')).toBe(step.isVoid);
      }
    }),
    { numRuns: 40 },
  );
});

test('its figures are those of the outage history, and its status that of the log', async () => {
  const journal = await seasonOf(700, { days: 20, end: 'away' });
  const data = await reportOf(journal, null);
  const { steps, fold } = foldAll(await entriesOf(journal));
  expect(data.figures).toEqual(historyFigures(steps.reduce(evolveHistory, newHistory())));
  expect(data.records).toEqual(fold.counts);
  expect(data.status).toMatchObject({ breaker: 'open', recovery: 'waiting', gate: { kind: 'wait' } });
  expect(data.awaySince).toBe(data.outages.at(-1)?.firstFailed);
  const { counts } = (await QueueLog.open(journal, fakeWriter(new FakeClock()))).queue;
  expect(data.status.queue).toMatchObject({ pending: counts.pending, deferred: counts.deferred });
});

test('an empty log is a report too', async () => {
  const data = await reportOf(new MemoryJournal(), null);
  expect(data).toMatchObject({ now: 0, begunAt: null, awaySince: null, outages: [] });
  expect(eventsOf(data.log)).toEqual([]);
});

describe('now', () => {
  test('is the newest record of either stream', async () => {
    const clock = new FakeClock();
    const journal = new MemoryJournal();
    const control = await ControlLog.open(journal, fakeWriter(clock));
    await control.append(drainClaim);
    clock.advance(60_000);
    const queue = await QueueLog.open(journal, fakeWriter(clock));
    await queue.append({ type: 'job.queued', job: 'scene:1', cause: 'test' });
    expect((await reportOf(journal, null)).now).toBe(START_AT + 60_000);
  });

  test('can be later, and then waits have run on; it cannot be earlier', async () => {
    const journal = await seasonOf(200, { days: 6, end: 'away' });
    const { now, status } = await reportOf(journal, null);
    expect(status.gate.kind).toBe('wait');
    expect((await reportOf(journal, now + 600_000)).status.gate.kind).toBe('probe');
    await expect(reportOf(journal, now - 1)).rejects.toThrow(/before the newest record/);
  });
});

describe('what was seen', () => {
  test('adds up to the coverage, piece by piece, and nothing is in two pieces', async () => {
    const data = await reportOf(await seasonOf(900, { days: 30 }), null);
    const spans = spansOf(data);
    const sum = (...kinds: readonly string[]) =>
      spans.filter(({ kind }) => kinds.includes(kind ?? '')).reduce((ms, { from, to }) => ms + to - from, 0);
    // Each piece ends on a whole millisecond.
    const rounding = spans.length;
    expect(Math.abs(sum('up') - data.figures.coverage.upMs)).toBeLessThanOrEqual(rounding);
    expect(Math.abs(sum('down', 'maintenance') - data.figures.coverage.downMs)).toBeLessThanOrEqual(rounding);
    expect(sum('maintenance')).toBeGreaterThan(0);
    for (const [index, { from, to }] of spans.entries()) {
      expect(to).toBeGreaterThan(from);
      expect(from).toBeGreaterThanOrEqual(spans[index - 1]?.to ?? 0);
    }
  });

  test('has no piece over time that nobody observed', async () => {
    const clock = new FakeClock();
    const journal = new MemoryJournal();
    const log = await ControlLog.open(journal, fakeWriter(clock, 'drainer'));
    const good = { type: 'attempt.succeeded', lease: 'drain', epoch: 1, count: 1 } as const;
    await log.append({ ...drainClaim, forMs: 1e9 }, good);
    clock.advance(COVERAGE_GAP_MS);
    await log.append(good);
    clock.advance(COVERAGE_GAP_MS + 1);
    await log.append(good);
    clock.advance(60_000);
    // Between a good and a bad answer nobody knows.
    await log.append(probeFailed('drain', 1));
    const spans = spansOf(await reportOf(journal, null));
    expect(spans).toEqual([{ kind: 'up', from: START_AT, to: START_AT + COVERAGE_GAP_MS }]);
  });
});

describe('a card', () => {
  test('says how the backlog grew and drained, and which events opened and closed it', async () => {
    const data = await reportOf(await seasonOf(700, { days: 20 }), null);
    const events = eventsOf(data.log);
    const refused = data.outages.find(({ figures }) => figures.cause === 'refused');
    expect(refused?.curve.away.pending[0]).toBeLessThan(refused?.waiting ?? 0);
    expect(Math.max(...(refused?.curve.back?.pending ?? []))).toBe(refused?.waiting);
    expect(refused?.curve.back?.pending.at(-1)).toBe(0);
    const [opens, closes] = [events[refused?.opensAt ?? -1], events[refused?.closesAt ?? -1]];
    expect([opens?.before.breaker?.value, opens?.after.breaker?.value]).toEqual(['closed', 'open']);
    expect([closes?.before.breaker?.value, closes?.after.breaker?.value]).toEqual(['halfOpen', 'closed']);
  });
});

describe('bounds', () => {
  test('the newest events are shown; the earlier ones are in the state before them and in the figures', async () => {
    const journal = await seasonOf(MAX_EVENTS + 50, { days: 20 });
    const data = await reportOf(journal, null);
    const { steps, fold } = foldAll(await entriesOf(journal));
    const events = eventsOf(data.log);
    expect(events).toHaveLength(MAX_EVENTS);
    expect(data.log.earlier).toBe(fold.counts.records + fold.counts.damaged - MAX_EVENTS);
    expect(withoutLine(events.at(-1)?.after)).toEqual(shown(steps.at(-1)?.after));
    expect(MACHINE_NAMES.every((name) => name in (events[0]?.before ?? {}))).toBe(true);
  });

  test('the newest outages have cards', async () => {
    const clock = new FakeClock();
    const journal = new MemoryJournal();
    const log = await ControlLog.open(journal, fakeWriter(clock, 'drainer'));
    await log.append({ ...drainClaim, forMs: 1e9 });
    for (let n = 0; n < MAX_OUTAGES + 1; n++) {
      clock.advance(600_000);
      await log.append(probeFailed('drain', 1), {
        type: 'lease.claimed',
        lease: 'probe',
        forMs: 1e4,
        draw: 0,
        isForced: true,
      });
      const { epoch } = log.state.probe.context;
      await log.append(
        { type: 'probe.succeeded', lease: 'probe', epoch, tookMs: 1, pending: 0 },
        { type: 'lease.released', lease: 'probe', epoch, reason: 'asked' },
        ...Array(3).fill({ type: 'attempt.succeeded', lease: 'drain', epoch: 1, count: 1 } as const),
      );
    }
    const { outages, olderOutages, figures } = await reportOf(journal, null);
    expect([outages.length, olderOutages, figures.count]).toEqual([MAX_OUTAGES, 1, MAX_OUTAGES + 1]);
    expect([outages[0]?.number, outages.at(-1)?.number]).toEqual([2, MAX_OUTAGES + 1]);
  });

  test('less than 400 kB for 5,000 events', async () => {
    const html = await htmlFor(await seasonOf(MAX_EVENTS));
    expect(Buffer.byteLength(html)).toBeLessThan(400_000);
    expect(eventsOf((await reportOf(await seasonOf(MAX_EVENTS), null)).log)).toHaveLength(MAX_EVENTS);
  });

  test('more than ninety days ago is not drawn', async () => {
    const journal = await seasonOf(3_000, { days: 130 });
    const data = await reportOf(journal, null);
    expect(spansOf(data).every(({ to }) => to > data.now - 91 * DAY)).toBe(true);
    expect(data.figures.windowMs).toBeGreaterThan(92 * DAY);
  });
});

describe('the file', () => {
  test('is the same for the same log, to the byte, in any time zone', async () => {
    const zone = process.env.TZ;
    const first = await htmlFor(await seasonOf(400, { days: 12 }));
    process.env.TZ = 'Pacific/Auckland';
    try {
      expect(await htmlFor(await seasonOf(400, { days: 12 }))).toBe(first);
    } finally {
      if (zone === undefined) delete process.env.TZ;
      else process.env.TZ = zone;
    }
  });

  test('names no address to load anything from, and lets nothing run but its own script', async () => {
    const html = await htmlFor(await seasonOf(300, { days: 10 }));
    const outside = html.replaceAll('http://www.w3.org/2000/svg', '');
    expect(outside).not.toMatch(/https?:\/\/|@import|url\(|\ssrc=|\shref="(?!#)/);
    expect(html).toContain(`default-src 'none'; script-src 'sha256-`);
    expect(html.match(/<script/g)).toHaveLength(2);
    expect(html).not.toMatch(/\sstyle="|\son\w+="/);
  });

  test('no text of a log can end the block that it stands in', () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom('</script>', '<!--', ']]>', '\u2028', '&lt;'), (text, bad) => {
        const json = jsonForHtml({ text: text + bad });
        expect(json).not.toMatch(/[<>&\u2028\u2029]/);
        expect(JSON.parse(json)).toEqual({ text: text + bad });
      }),
    );
  });
});

// Outages as people speak of them: one for each time Plex was away, with bounds, and figures that add up.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ControlEvent } from '../../machines/events.ts';
import { ControlLog } from '../../src/breaker/control/control-log.ts';
import type { Journal } from '../../src/breaker/journal/journal.ts';
import { MemoryJournal } from '../../src/breaker/journal/memory-journal.ts';
import { outageLines, outageReport } from '../../src/cli/outages.ts';
import {
  COVERAGE_GAP_MS,
  createOutageHistory,
  evolveHistory,
  newHistory,
  type Outage,
  type OutageHistory,
} from '../../src/outages/outages.ts';
import { figuresOf, historyFigures, MIN_OBSERVED_MS } from '../../src/outages/summary.ts';
import { FakeClock, fakeWriter, START_AT } from '../support/fake-writer.ts';
import { drainClaim, moves, playHonestly, probeFailed } from '../support/honest-writers.ts';
import { entriesOf, foldAll } from '../support/streams.ts';

const RUNS = { numRuns: process.env.BREAKWATER_LONG === undefined ? 80 : 1_000 };

async function historyOf(journal: Journal): Promise<OutageHistory> {
  const { steps } = foldAll(await entriesOf(journal));
  return steps.reduce(evolveHistory, newHistory());
}

/** A drainer that is told what it meets, at seconds since the start. */
async function drainer() {
  const clock = new FakeClock();
  const journal = new MemoryJournal();
  const log = await ControlLog.open(journal, fakeWriter(clock, 'drainer'));
  let nowS = 0;
  const say = async (atS: number, ...events: readonly ControlEvent[]) => {
    clock.advance((atS - nowS) * 1_000);
    nowS = atS;
    const recorded = await log.append(...events);
    return recorded.ok ? recorded.steps : [];
  };
  await say(0, { ...drainClaim, forMs: 1e9 });
  const drain = { lease: 'drain', epoch: 1 } as const;
  const probe = () => ({ lease: 'probe', epoch: log.state.probe.context.epoch }) as const;
  const released = () => ({ type: 'lease.released', ...probe(), reason: 'asked' }) as const;
  const asks = (atS: number) =>
    say(atS, { type: 'lease.claimed', lease: 'probe', forMs: 15_000, draw: 0, isForced: true });
  return {
    clock,
    journal,
    log,
    say,
    succeeds: (atS: number) => say(atS, { type: 'attempt.succeeded', ...drain, count: 1 }),
    fails: (atS: number, kind: 'outage' | 'maintenance' | 'transient' = 'outage') =>
      say(atS, { type: 'attempt.failed', ...drain, class: kind, symptom: 'refused', draw: 0 }),
    confirms: (atS: number) => say(atS, { ...probeFailed('drain', 1), draw: 0 }),
    isDry: (atS: number) => say(atS, { type: 'backlog.drained', ...drain }),
    async asksInVain(atS: number, symptom = 'refused') {
      await asks(atS);
      await say(atS, { ...probeFailed('probe', probe().epoch), symptom, draw: 0 }, released());
    },
    async asksAndFinds(atS: number, pending = 0) {
      await asks(atS);
      await say(atS, { type: 'probe.succeeded', ...probe(), tookMs: 1, pending }, released());
    },
    history: () => historyOf(journal),
  };
}

const atS = (seconds: number) => ({ at: START_AT + seconds * 1_000, t: START_AT + seconds * 1_000 });

/** Two outages, with every number worked out by hand (comments: seconds). */
async function twoOutages() {
  const plex = await drainer();
  await plex.succeeds(0);
  await plex.succeeds(60); // up 60
  await plex.fails(70); // unknown 10
  await plex.confirms(71); // down 1
  await plex.asksInVain(131); // down 60
  await plex.asksAndFinds(251, 7); // unknown 120
  await plex.succeeds(252); // up 1, closed
  await plex.isDry(253);
  await plex.succeeds(352); // up 100
  await plex.confirms(362); // unknown 10
  await plex.asksAndFinds(422); // unknown 60
  await plex.succeeds(432); // up 10, closed, not drained
  return plex;
}

test('an empty log has no outages and claims nothing', () => {
  expect(historyFigures(newHistory())).toEqual({
    count: 0,
    ongoing: 0,
    mttrMs: null,
    mtbfMs: null,
    availability: null,
    coverage: { upMs: 0, downMs: 0, unobservedMs: 0 },
    windowMs: 0,
  });
});

describe('one outage', () => {
  test('is one, however many probes fail in it', async () => {
    const plex = await drainer();
    await plex.confirms(1);
    for (let n = 1; n <= 10; n++) await plex.asksInVain(n * 300);
    await plex.asksAndFinds(3_300, 4);
    await plex.succeeds(3_301);
    const { outages } = await plex.history();
    expect(outages).toHaveLength(1);
    expect(outages[0]).toMatchObject({ number: 1, probes: 12, waiting: 4, lastFailed: atS(3_000) });
  });

  test('goes on when a canary fails: what was good was not good for long', async () => {
    const plex = await drainer();
    await plex.confirms(1);
    await plex.asksAndFinds(100);
    await plex.fails(101);
    const during = await plex.history();
    expect(during.outages).toMatchObject([{ firstGood: null, lastFailed: atS(101), closed: null }]);
    await plex.asksAndFinds(300);
    await plex.succeeds(301);
    const { outages } = await plex.history();
    expect(outages).toMatchObject([
      { firstFailed: atS(1), firstGood: atS(300), closed: atS(301), probes: 3 },
    ]);
  });

  test('is bounded by what was seen: last good, first failed, last failed, first good', async () => {
    const { outages } = await (await twoOutages()).history();
    expect(outages).toMatchObject([
      {
        number: 1,
        class: 'outage',
        symptom: 'refused',
        lastGood: atS(60),
        firstFailed: atS(70),
        opened: atS(71),
        lastFailed: atS(131),
        firstGood: atS(251),
        closed: atS(252),
        drained: atS(253),
        probes: 3,
        waiting: 7,
      },
      {
        number: 2,
        lastGood: atS(352),
        firstFailed: atS(362),
        opened: atS(362),
        lastFailed: atS(362),
        firstGood: atS(422),
        closed: atS(432),
        drained: null,
        probes: 2,
      },
    ]);
  });

  test('that began before Plex was ever seen, and is not over, has no bounds there', async () => {
    const plex = await drainer();
    await plex.confirms(5);
    const { outages } = await plex.history();
    expect(outages).toMatchObject([{ lastGood: null, firstGood: null, closed: null }]);
    expect(figuresOf(outages[0]!)).toMatchObject({ isOngoing: true, lastedMs: null, longestMs: null });
  });

  test('of transient failures begins with its opening, as none of them says that Plex was away', async () => {
    const plex = await drainer();
    for (let n = 1; n <= 5; n++) await plex.fails(n * 2, 'transient');
    const { outages, coverage } = await plex.history();
    expect(outages).toMatchObject([{ class: 'transient', firstFailed: atS(10), opened: atS(10) }]);
    expect(coverage.downMs).toBe(0);
  });

  test('names what was seen, each once in a row and six at most', async () => {
    const plex = await drainer();
    await plex.confirms(1);
    for (const [index, symptom] of ['refused', 'a', 'a', 'b', 'a', 'b', 'a', 'b'].entries()) {
      await plex.asksInVain((index + 1) * 300, symptom);
    }
    const [outage] = (await plex.history()).outages;
    expect(outage?.symptoms).toEqual(['refused', 'a', 'b', 'a', 'b', 'a']);
    expect(figuresOf(outage!).cause).toBe('refused, then a, then b, then a, then b, then a');
  });

  test('names what a failed canary saw', async () => {
    const plex = await drainer();
    await plex.confirms(1);
    await plex.asksAndFinds(100);
    await plex.say(101, {
      type: 'attempt.failed',
      lease: 'drain',
      epoch: 1,
      class: 'maintenance',
      symptom: 'starting',
      draw: 0,
    });
    expect((await plex.history()).outages[0]?.symptoms).toEqual(['refused', 'starting']);
  });

  test('is not begun by failures that a success ended', async () => {
    const plex = await drainer();
    await plex.fails(10);
    await plex.succeeds(20);
    await plex.confirms(30);
    expect((await plex.history()).outages).toMatchObject([{ lastGood: atS(20), firstFailed: atS(30) }]);
  });
});

describe('the figures', () => {
  test('of two outages are those worked out by hand', async () => {
    const history = await (await twoOutages()).history();
    expect(history.outages.map(figuresOf)).toEqual([
      {
        number: 1,
        cause: 'refused',
        isOngoing: false,
        shortestMs: 61_000,
        longestMs: 191_000,
        lastedMs: 181_000,
        detectedAfterMs: 1_000,
        drainedInMs: 2_000,
      },
      {
        number: 2,
        cause: 'refused',
        isOngoing: false,
        shortestMs: 0,
        longestMs: 70_000,
        lastedMs: 60_000,
        detectedAfterMs: 0,
        drainedInMs: null,
      },
    ]);
    expect(historyFigures(history)).toEqual({
      count: 2,
      ongoing: 0,
      mttrMs: 120_500,
      mtbfMs: 111_000,
      availability: null,
      coverage: { upMs: 171_000, downMs: 61_000, unobservedMs: 200_000 },
      windowMs: 432_000,
    });
  });

  test('where the time between failures is told, so is that it was not all observed', async () => {
    const lines = outageLines(outageReport(await (await twoOutages()).history()));
    expect(lines.join('\n')).toMatch(
      /mean time between failures 1m 51s \(with the time that was not observed\)\.\nIn 7m 12s: /,
    );
  });

  test('availability is up of up and down: an hour up, a quarter down, is four fifths', async () => {
    const plex = await drainer();
    for (let n = 0; n <= 4; n++) await plex.succeeds(n * 900);
    await plex.confirms(3_700);
    await plex.asksInVain(4_600);
    expect(historyFigures(await plex.history())).toMatchObject({
      availability: 0.8,
      coverage: { upMs: 3_600_000, downMs: 900_000, unobservedMs: 100_000 },
      windowMs: 4_600_000,
    });
  });

  test('there is no availability of less than an hour observed', async () => {
    const hour = { ...newHistory(), coverage: { upMs: MIN_OBSERVED_MS, downMs: 0, unobservedMs: 9e9 } };
    const less = { ...newHistory(), coverage: { upMs: MIN_OBSERVED_MS - 1, downMs: 0, unobservedMs: 9e9 } };
    expect(historyFigures(hour).availability).toBe(1);
    expect(historyFigures(less).availability).toBe(null);
  });

  test('time between two observations counts up to the gap, and is unobserved one past it', async () => {
    const gapS = COVERAGE_GAP_MS / 1_000;
    const plex = await drainer();
    await plex.succeeds(0);
    await plex.succeeds(gapS);
    expect((await plex.history()).coverage).toEqual({ upMs: COVERAGE_GAP_MS, downMs: 0, unobservedMs: 0 });
    await plex.succeeds(2 * gapS + 0.001);
    expect((await plex.history()).coverage.unobservedMs).toBe(COVERAGE_GAP_MS + 1);
  });

  test('an answer that a release tells of counts at its time, unless something newer is known', async () => {
    const plex = await drainer();
    await plex.succeeds(0);
    const release = (answeredAt: number) =>
      ({ type: 'lease.released', lease: 'drain', epoch: 1, reason: 'idle', answeredAt }) as const;
    await plex.say(100, release(START_AT + 90_000));
    const history = await plex.history();
    expect(history.coverage.upMs).toBe(90_000);
    expect(history.lastGood).toEqual(atS(90));
  });

  test('nobody is believed who does not hold the lease', async () => {
    const plex = await drainer();
    await plex.say(5, { type: 'attempt.succeeded', lease: 'drain', epoch: 0, count: 1 });
    await plex.say(6, { type: 'probe.succeeded', lease: 'probe', epoch: 0, tookMs: 1, pending: 0 });
    expect((await plex.history()).lastSeen).toBe(null);
  });
});

test('a wall clock that steps makes no duration negative, and stretches none', async () => {
  const plex = await drainer();
  await plex.succeeds(0);
  await plex.confirms(10);
  plex.clock.stepWall(-3_600_000);
  await plex.asksInVain(70);
  plex.clock.stepWall(10 * 3_600_000);
  await plex.asksAndFinds(130);
  await plex.succeeds(131);
  const history = await plex.history();
  expect(figuresOf(history.outages[0]!)).toMatchObject({ shortestMs: 60_000, lastedMs: 120_000 });
  expect(historyFigures(history).windowMs).toBe(131_000);
});

test('the store folds the same history', async () => {
  const { journal, history } = await twoOutages();
  const store = createOutageHistory();
  for (const step of foldAll(await entriesOf(journal)).steps) store.send({ type: 'step', step });
  expect(store.getSnapshot().context).toEqual(await history());
});

test('what a step costs does not grow with the number of outages', async () => {
  const plex = await drainer();
  for (let n = 0; n < 200; n++) {
    await plex.confirms(n * 1_000);
    await plex.asksInVain(n * 1_000 + 100);
    await plex.asksAndFinds(n * 1_000 + 400);
    await plex.succeeds(n * 1_000 + 401);
  }
  for (const opening of (await plex.history()).outages.map((outage) => outage.opening)) {
    await plex.log.appendOrThrow({ type: 'outage.noted', opening, text: 'noted' });
  }
  const { steps } = foldAll(await entriesOf(plex.journal));
  let touched = 0;
  const counted: ProxyHandler<Outage[]> = {
    get: (target, key) => {
      touched += 1;
      return Reflect.get(target, key);
    },
  };
  const outages = new Proxy<Outage[]>([], counted);
  let history: OutageHistory = { ...newHistory(), outages };
  for (const step of steps) {
    touched = 0;
    history = evolveHistory(history, step);
    expect(touched).toBeLessThan(10);
    expect(history.outages, 'the list was copied').toBe(outages);
  }
  expect(history.outages.length).toBeGreaterThan(100);
  expect(history.outages.filter(({ notes }) => notes.length !== 1)).toEqual([]);
});

describe('over random logs of honest writers', () => {
  const forEachHistory = (check: (history: OutageHistory) => void) =>
    fc.assert(
      fc.asyncProperty(moves(60), async (all) => {
        const { journal } = await playHonestly(all);
        const { steps } = foldAll(await entriesOf(journal));
        let history = newHistory();
        for (const step of steps) {
          history = evolveHistory(history, step);
          check(history);
        }
      }),
      RUNS,
    );

  test('16: up, down and unobserved make the window, and none is negative', () =>
    forEachHistory((history) => {
      const { coverage, windowMs, availability } = historyFigures(history);
      const { upMs, downMs, unobservedMs } = coverage;
      expect(upMs + downMs + unobservedMs).toBe(windowMs);
      for (const ms of [upMs, downMs, unobservedMs]) expect(ms).toBeGreaterThanOrEqual(0);
      if (availability !== null) expect(availability >= 0 && availability <= 1).toBe(true);
    }));

  test('15: outages are disjoint, in order, and only the last is open', () =>
    forEachHistory(({ outages }) => {
      for (const [index, outage] of outages.entries()) {
        expect(outage.number).toBe(index + 1);
        const next = outages[index + 1];
        if (next === undefined) continue;
        expect(outage.firstGood).not.toBe(null);
        expect(outage.closed).not.toBe(null);
        expect(next.firstFailed.t).toBeGreaterThanOrEqual(outage.firstGood!.t);
        expect(next.opened.t).toBeGreaterThanOrEqual(outage.closed!.t);
      }
    }));

  test('the bounds of an outage stand in their order, whatever the clocks did', () =>
    forEachHistory(({ outages }) => {
      for (const outage of outages) {
        const { lastGood, firstFailed, opened, lastFailed, firstGood, closed, drained } = outage;
        const points = [lastGood, firstFailed, opened, lastFailed, firstGood, closed, drained];
        const times = points.filter((point) => point !== null).map(({ t }) => t);
        expect(times).toEqual([...times].sort((a, b) => a - b));
        const figures = figuresOf(outage);
        for (const ms of [
          figures.shortestMs,
          figures.detectedAfterMs,
          figures.lastedMs ?? 0,
          figures.drainedInMs ?? 0,
        ]) {
          expect(ms).toBeGreaterThanOrEqual(0);
        }
        if (figures.lastedMs !== null) expect(figures.lastedMs).toBeGreaterThanOrEqual(figures.shortestMs);
        if (figures.longestMs !== null) expect(figures.longestMs).toBeGreaterThanOrEqual(figures.lastedMs!);
      }
    }));

  test('a time line never runs backwards', () =>
    fc.assert(
      fc.asyncProperty(moves(60), async (all) => {
        const { journal } = await playHonestly(all);
        let before = newHistory();
        for (const step of foldAll(await entriesOf(journal)).steps) {
          const after = evolveHistory(before, step);
          expect(after.tip!.instant.t).toBeGreaterThanOrEqual(before.tip?.instant.t ?? 0);
          before = after;
        }
      }),
      RUNS,
    ));
});

test('a record that lands late does not stretch the time line', async () => {
  const plex = await drainer();
  await plex.succeeds(0);
  const late = await ControlLog.open(plex.journal, fakeWriter(new FakeClock(), 'hook', 9));
  await plex.succeeds(10);
  await late.append({ type: 'lease.requested', lease: 'probe', forMs: 1 });
  await plex.succeeds(20);
  expect(historyFigures(await plex.history()).windowMs).toBe(20_000);
});

test('a backlog is drained only by the word of the holder', async () => {
  const plex = await drainer();
  await plex.confirms(1);
  await plex.asksAndFinds(100);
  await plex.succeeds(101);
  const [step] = await plex.say(102, { type: 'backlog.drained', lease: 'drain', epoch: 0 });
  expect(step?.isVoid).toBe(true);
  expect((await plex.history()).outages[0]?.drained).toBe(null);
});

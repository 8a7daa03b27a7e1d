// The log as it would have gone. Under its own settings it goes as it went: where it is followed exactly, and where it is
// made up by the machines and the model of Plex all the same, as nearly as a probe takes.
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_POLICY, type Policy } from '../../machines/policy.ts';
import { backtest } from '../../src/backtest/compare.ts';
import { runOther } from '../../src/backtest/other-run.ts';
import { readRecorded } from '../../src/backtest/recorded.ts';
import { readGolden } from '../../src/export/golden.ts';
import { moves, playHonestly } from '../support/honest-writers.ts';
import { VirtualWorld } from '../support/virtual-world.ts';

const MINUTE_MS = 60_000;
const golden = new URL('../golden/', import.meta.url);
const files = readdirSync(golden).filter((name) => name.endsWith('.ndjson'));
const logOf = (file: string) => readRecorded(readGolden(readFileSync(new URL(file, golden), 'utf8')).journal);

describe('under the same settings', () => {
  test.each(files)('%s goes as it went, and nothing is estimated', async (file) => {
    const log = await logOf(file);
    const run = runOther(log, { overrides: {} });
    expect(run.history).toEqual(log.history);
    expect(run).toMatchObject({ madeUp: [], answers: [] });
    for (const one of backtest(log, DEFAULT_POLICY, {}).outages) {
      expect(one.would).toEqual(one.was);
      expect(one.detectedLaterMs).toEqual({ value: 0, estimated: 0 });
    }
  });

  test('so does any log of honest writers, whatever their clocks do and whatever is damaged', () =>
    fc.assert(
      fc.asyncProperty(moves(60), fc.array(fc.nat(), { maxLength: 2 }), async (all, hits) => {
        const { journal } = await playHonestly(all);
        const bytes = Buffer.from(journal.bytes('control'));
        for (const hit of hits) if (bytes.length > 0) bytes[hit % bytes.length] = 0x0b;
        journal.replaceBytes('control', bytes);
        const log = await readRecorded(journal);
        expect(runOther(log, { overrides: {} }).history).toEqual(log.history);
      }),
      { numRuns: process.env.BREAKWATER_LONG === undefined ? 100 : 5_000 },
    ));

  test.each(['drained-by-the-vigil', 'one-outage', 'flapping', 'maintenance-and-refused-token'])(
    'what is made up of %s comes near what was',
    async (name) => {
      const log = await logOf(`${name}.ndjson`);
      const run = runOther(log, { overrides: {}, follows: false });
      expect(run.madeUp).not.toEqual([]);
      expect(run.history.outages).toHaveLength(log.history.outages.length);
      for (const [index, made] of run.history.outages.entries()) {
        const was = log.history.outages[index]!;
        expect(made.opened).toEqual(was.opened);
        expect(made.probes).toBe(was.probes);
        expect(Math.abs(made.firstGood!.t - was.firstGood!.t)).toBeLessThan(2_000);
        expect(Math.abs(made.drained!.t - was.drained!.t)).toBeLessThan(5_000);
      }
    },
  );
});

/** Plex is away for so long; hooks came before. */
async function awayFor(ms: number, settings: Record<string, number> = {}): Promise<VirtualWorld> {
  const world = VirtualWorld.withScenes(6);
  Object.assign(world.stash.settings, settings);
  const isBack = world.plex.goAway();
  world.after(ms, isBack);
  await world.queued('scene:1', 'scene:2', 'scene:3', 'scene:4', 'scene:5', 'scene:6');
  await world.drain();
  return world;
}

const tried = async (world: VirtualWorld, overrides: Partial<Policy>) =>
  backtest(await readRecorded(world.journal), DEFAULT_POLICY, overrides);

describe('a shorter wait', () => {
  test('sends more probes and finds Plex back sooner, and says what of it is a guess', async () => {
    const world = await awayFor(4 * MINUTE_MS);
    const { outages } = await tried(world, { recoveryTimeoutMs: 10_000, recoveryTimeoutMaxMs: 10_000 });
    const [one] = outages;
    expect(one!.would!.probes.value).toBeGreaterThan(15);
    expect(one!.was!.probes.value).toBeLessThan(7);
    expect(one!.foundBackLaterMs.value).toBeLessThan(-20_000);
    expect(one!.would!.foundBackAfterMs.value).toBeLessThanOrEqual(10_100);
    expect(one!.foundBackLaterMs.estimated).toBeGreaterThan(0);
    expect(one!.would!.probes.estimated).toBeGreaterThan(0);
    expect(one!.would!.probes.estimated).toBeLessThan(1);
    expect(one!.would!.drainedInMs).toMatchObject({ estimated: 1 });
    expect(one!.detectedLaterMs).toEqual({ value: 0, estimated: 0 });
  });

  /** The truth that a backtest is held against: the same world, lived through under the other settings. */
  test.each([15, 20, 30])('of %i s comes near what that world does under those settings', async (seconds) => {
    const overrides = { recoveryTimeoutMs: seconds * 1_000 };
    const made = runOther(await readRecorded((await awayFor(2 * MINUTE_MS)).journal), { overrides });
    const lived = await awayFor(2 * MINUTE_MS, { recoveryTimeout: seconds });
    const [would] = made.history.outages;
    const [did] = (await readRecorded(lived.journal)).history.outages;
    expect(Math.abs(would!.probes - did!.probes)).toBeLessThanOrEqual(1);
    // Nobody saw Plex return: what is made up is off by no more than the wait in which it did.
    const lasted = (outage: typeof would) => outage!.firstGood!.t - outage!.firstFailed.t;
    expect(Math.abs(lasted(would) - lasted(did))).toBeLessThan(MINUTE_MS);
    expect(lasted(did)).toBeGreaterThan(2 * MINUTE_MS);
  });
});

test('a longer wait sends fewer probes and finds Plex back later', async () => {
  const { outages } = await tried(await awayFor(4 * MINUTE_MS), {
    recoveryTimeoutMs: 8 * MINUTE_MS,
    recoveryTimeoutMaxMs: 8 * MINUTE_MS,
  });
  expect(outages[0]!.would!.probes.value).toBe(2);
  expect(outages[0]!.foundBackLaterMs.value).toBeGreaterThan(0);
});

test('where nobody stays, a wait that is over is noticed by the next that comes', async () => {
  const world = VirtualWorld.withScenes(9);
  Object.assign(world.stash.settings, { vigilMinutes: 0 });
  const isBack = world.plex.goAway();
  await world.queued('scene:1');
  await world.drain();
  await world.pass(2 * MINUTE_MS);
  await world.queued('scene:2');
  isBack();
  await world.pass(3 * MINUTE_MS);
  await world.queued('scene:3');
  await world.drain();
  const log = await readRecorded(world.journal);
  const would = runOther(log, { overrides: { recoveryTimeoutMs: 10_000 } }).history.outages[0]!;
  const was = log.history.outages[0]!;
  const hooks = log.items.flatMap((item) =>
    item.kind === 'queue' && item.event.type === 'job.queued' ? [item.t] : [],
  );
  expect(was.probes).toBe(2);
  // The hook after two minutes asks, in vain; the one after five finds it back.
  expect(would.probes).toBe(3);
  expect(would.lastFailed.t - hooks[1]!).toBeLessThan(1_000);
});

describe('thresholds', () => {
  /** So many edits fail as if Plex were slow, and each probe says that it is there. */
  async function slowFor(failures: number): Promise<VirtualWorld> {
    const world = VirtualWorld.withScenes(failures);
    const isWell = world.plex.rule({ methods: ['edit'], does: { code: 'DEADLINE' } });
    for (let number = 1; number <= failures; number++) {
      await world.queued(`scene:${number}`);
      await world.drain({ mayWait: false });
      await world.pass(2_000);
    }
    isWell();
    await world.pass(2 * MINUTE_MS);
    await world.drain();
    return world;
  }

  test('lower: failures that were no outage would have been one', async () => {
    const world = await slowFor(3);
    const { outages, total } = await tried(world, { failureThreshold: 2 });
    expect(outages).toMatchObject([{ number: null, was: null, would: { outages: 1 }, cause: 'timeout' }]);
    expect(total).toMatchObject({ was: null, would: { outages: 1 } });
    expect((await tried(world, { failureThreshold: 4 })).outages).toEqual([]);
  });

  test('lower: detected sooner; higher: not at all, because the probe says that Plex is there', async () => {
    const world = await slowFor(5);
    const [sooner] = (await tried(world, { failureThreshold: 3 })).outages;
    expect(sooner!.detectedLaterMs.value).toBeLessThan(-2_000);
    const [never] = (await tried(world, { failureThreshold: 9 })).outages;
    expect(never).toMatchObject({ number: 1, would: null, was: { outages: 1 } });
  });

  test('more successes to prove it: closed later, and drained all the same', async () => {
    const { outages } = await tried(await awayFor(2 * MINUTE_MS), {
      successThreshold: 4,
      successThresholdFlapping: 4,
    });
    expect(outages[0]!.would).toMatchObject({ outages: 1, drainedInMs: { value: expect.any(Number) } });
    expect(outages[0]!.foundBackLaterMs).toEqual({ value: 0, estimated: 0 });
  });
});

test('is the same every time', async () => {
  const log = await logOf('flapping.ndjson');
  const overrides = { recoveryTimeoutMs: 5_000, failureThreshold: 2 };
  expect(backtest(log, DEFAULT_POLICY, overrides)).toEqual(backtest(log, DEFAULT_POLICY, overrides));
});

test('any settings over any log: it ends, and every figure makes sense', () =>
  fc.assert(
    fc.asyncProperty(
      moves(60),
      fc.record({
        failureThreshold: fc.integer({ min: 1, max: 20 }),
        successThreshold: fc.integer({ min: 1, max: 20 }),
        recoveryTimeoutMs: fc.constantFrom(1_000, 30_000, 600_000),
        recoveryTimeoutMaxMs: fc.constantFrom(1_000, 300_000),
      }),
      async (all, overrides) => {
        const log = await readRecorded((await playHonestly(all)).journal);
        const { outages, total } = backtest(log, DEFAULT_POLICY, overrides);
        for (const { was, would } of [...outages, total]) {
          for (const side of [was, would]) {
            if (side === null) continue;
            const { outages: _, ...figures } = side;
            for (const { value, estimated } of Object.values(figures)) {
              if (value !== null) expect(value).toBeGreaterThanOrEqual(0);
              expect(estimated).toBeGreaterThanOrEqual(0);
              expect(estimated).toBeLessThanOrEqual(1);
            }
          }
        }
      },
    ),
    { numRuns: process.env.BREAKWATER_LONG === undefined ? 60 : 2_000 },
  ));

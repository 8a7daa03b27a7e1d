// Sealing and dropping by the real drainer, wakes over a journal that was sealed, and that nothing is written for nothing.

import * as nodeFs from 'node:fs';
import { rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ControlLog } from '../../src/breaker/control/control-log.ts';
import { verifyChain } from '../../src/breaker/journal/chain.ts';
import { writeCheckpoint } from '../../src/breaker/journal/checkpoint.ts';
import type { JournalFs } from '../../src/breaker/journal/disk.ts';
import { FileJournal } from '../../src/breaker/journal/file-journal.ts';
import { FileSegments } from '../../src/breaker/journal/file-segments.ts';
import { processWriter, thisProcess } from '../../src/breaker/process.ts';
import { openDataDir } from '../../src/invocation/data-dir.ts';
import { HOUSE_RULES, type HouseRules, sealWhatIsLarge, tidy } from '../../src/invocation/housekeeping.ts';
import { AgendaLog, agendaCheckpointOf } from '../../src/queue/agenda.ts';
import { QueueLog } from '../../src/queue/queue-log.ts';
import type { SettingsFile } from '../../src/settings/file.ts';
import { readSettings, type Settings } from '../../src/settings/settings.ts';
import { FakeClock, fakeWriter } from '../support/fake-writer.ts';
import { tempDir } from '../support/temp-dir.ts';
import { VirtualWorld } from '../support/virtual-world.ts';

const TIGHT: HouseRules = {
  sealBytes: { control: 2_000, queue: 2_000 },
  retentionOf: () => ({ keepMs: 90 * 86_400_000, maxBytes: 8_000 }),
};
const DAY_MS = 86_400_000;

function settingsWith(given: Record<string, unknown> = {}, file?: SettingsFile): Settings {
  const read = readSettings({ plexUrl: 'http://plex:32400', plexToken: 't', ...given }, {}, file);
  if (!read.ok) throw new Error('the settings of the test are wrong');
  return read.settings;
}
const USUAL = settingsWith();

test('a drainer that seals and drops all the time delivers everything, and the log says the same from any start', async () => {
  const world = VirtualWorld.withScenes(60);
  world.houseRules = TIGHT;
  const jobs = Array.from({ length: 60 }, (_, index) => `scene:${index + 1}` as const);
  await world.queued(...jobs.slice(0, 30));
  await world.drain();
  const isBack = world.plex.goAway();
  await world.queued(...jobs.slice(30));
  world.after(90_000, isBack);
  await world.drain();
  await world.drain();
  const { counts } = await world.queue();
  expect(counts).toMatchObject({ pending: 0, deferred: 0, dead: 0, delivered: 60 });
  expect(await world.openings()).toBe(1);

  const control = await world.journal.list('control');
  const queue = await world.journal.list('queue');
  expect(control.length).toBeGreaterThan(3);
  expect(queue[0]!.index).toBeGreaterThan(3);
  // What is over waits until it is worth an image: at most as much as that, and the segment at hand.
  const most = 8_000 + (await world.journal.imageBytes('queue')) + queue.at(-1)!.bytes;
  expect(queue.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(most);
  for (const stream of ['control', 'queue'] as const) {
    expect(await verifyChain(world.journal, stream)).toMatchObject({ kind: 'intact', unchained: [] });
  }
  // Every witness agreed: nothing was folded out of its order.
  expect((await world.control()).fold.counts).toMatchObject({ drift: 0, damaged: 0 });
});

test('a wake over a journal that was sealed since its checkpoints has nothing to fold', async () => {
  const data = tempDir();
  const dir = openDataDir(data);
  const writer = processWriter('drain');
  const control = await ControlLog.open(dir.journal, writer);
  await control.appendOrThrow({
    type: 'lease.claimed',
    lease: 'drain',
    forMs: 3_600_000,
    draw: 0,
    process: thisProcess(),
  });
  const queue = await QueueLog.open(dir.journal, writer);
  await queue.appendOrThrow({ type: 'job.queued', job: 'scene:1', cause: 'change' });
  writeCheckpoint(dir.controlCheckpoint, control.checkpoint()!);
  writeCheckpoint(dir.agendaCheckpoint, agendaCheckpointOf(queue)!);
  const house = {
    segments: new FileSegments(data),
    rules: { ...TIGHT, sealBytes: { control: 1, queue: 1 } },
  };
  const opened = async () => {
    const { journal, controlCheckpoint, agendaCheckpoint } = openDataDir(data);
    const by = processWriter('wake');
    const theirs = await ControlLog.open(journal, by, controlCheckpoint.read());
    const agenda = await AgendaLog.open(journal, by, agendaCheckpoint.read());
    return { tails: [theirs.tailLength, agenda.tailLength], agenda: agenda.agenda, state: theirs.state };
  };
  expect(await opened()).toMatchObject({ tails: [0, 0], agenda: { isPending: true } });
  await sealWhatIsLarge({ dir, writer, house }, USUAL);
  expect(await opened()).toMatchObject({ tails: [0, 0], agenda: { isPending: true } });
  // A record behind the seal is news.
  await control.appendOrThrow({ type: 'lease.released', lease: 'drain', epoch: 1, reason: 'idle' });
  await queue.appendOrThrow({ type: 'job.queued', job: 'scene:2', cause: 'change' });
  expect(await opened()).toMatchObject({ tails: [1, 1], state: { drain: { value: 'free' } } });
});

test('a log of before there were segments is gone on with, and sealed like any other', async () => {
  const data = tempDir();
  const writer = fakeWriter(new FakeClock());
  const dir = openDataDir(data);
  await (await ControlLog.open(dir.journal, writer)).appendOrThrow({
    type: 'hold.placed',
    hold: 'operator',
    stance: 'open',
    reason: 'old',
    forMs: DAY_MS,
  });
  const whole = nodeFs.readFileSync(dir.journal.pathOf('control'));
  expect(whole.toString()).not.toContain('segment.');
  const house = {
    segments: new FileSegments(data),
    rules: { ...TIGHT, sealBytes: { control: 1, queue: 1 } },
  };
  await sealWhatIsLarge({ dir, writer, house }, USUAL);
  expect(nodeFs.readFileSync(dir.journal.pathOf('control')).subarray(0, whole.length)).toEqual(whole);
  const after = await ControlLog.open(openDataDir(data).journal, writer);
  expect(after.state.operator.context.reason).toBe('old');
});

test('an idle plugin writes nothing: keeping house over what is small, sealed and chained makes no file and no byte', async () => {
  const data = tempDir();
  const clock = new FakeClock();
  const writer = fakeWriter(clock);
  const dir = { ...openDataDir(data) };
  const house = { segments: new FileSegments(data), rules: TIGHT };
  const queue = await QueueLog.open(dir.journal, writer);
  for (let n = 1; n <= 30; n++) {
    await queue.appendOrThrow({ type: 'job.queued', job: `scene:${n}`, cause: 'Scene.Update.Post' });
    await tidy({ dir, writer, house }, USUAL);
  }
  const changes: string[] = [];
  const watched = Object.fromEntries(
    Object.entries(nodeFs).map(([name, call]) => [
      name,
      (...args: unknown[]) => {
        const isChange =
          /^(write|rename|unlink|mkdir|fdatasync|fsync)/.test(name) ||
          (name === 'openSync' && (Number(args[1]) & nodeFs.constants.O_CREAT) !== 0);
        if (isChange) changes.push(name);
        return (call as (...all: unknown[]) => unknown)(...args);
      },
    ]),
  ) as unknown as JournalFs;
  const idle = {
    dir: { ...dir, journal: new FileJournal(data, watched) },
    writer,
    house: { segments: new FileSegments(data, watched), rules: TIGHT },
  };
  for (let day = 0; day < 80; day++) {
    clock.advance(DAY_MS);
    await tidy(idle, USUAL);
  }
  expect(changes).toEqual([]);
  // Not until what it keeps is past its time.
  clock.advance(20 * DAY_MS);
  await tidy(idle, USUAL);
  expect(changes).not.toEqual([]);
  rmSync(`${data}/checkpoint`, { recursive: true, force: true });
  expect((await QueueLog.open(openDataDir(data).journal, writer)).queue.counts.pending).toBe(30);
});

describe('what became of scenes is kept as long as the settings say', () => {
  /** A queue stream of two segments, the first sealed and then left for a hundred days. */
  async function afterHundredDays(settings: Settings | null): Promise<number> {
    const data = `${tempDir()}/data`;
    const clock = new FakeClock();
    const writer = fakeWriter(clock, 'keeper');
    const dir = openDataDir(data);
    const segments = new FileSegments(data);
    const house = { segments, rules: { ...HOUSE_RULES, sealBytes: { control: 1e9, queue: 1 } } };
    for (const scene of [1, 2]) {
      const log = await QueueLog.open(dir.journal, writer);
      await log.append({ type: 'job.queued', job: `scene:${scene}`, cause: 'test' });
      await sealWhatIsLarge({ dir, writer, house }, settings);
    }
    clock.advance(100 * DAY_MS);
    await tidy({ dir, writer, house: { ...house, rules: HOUSE_RULES } }, settings);
    return (await segments.list('queue')).length;
  }

  test('three months unless they say otherwise', async () => {
    const kept = await afterHundredDays(settingsWith({ historyDays: 200 }));
    expect(await afterHundredDays(USUAL)).toBeLessThan(kept);
  });

  test('nothing is dropped where they could not be read', async () => {
    const kept = await afterHundredDays(settingsWith({ historyDays: '3650' }));
    expect(await afterHundredDays(null)).toBe(kept);
    expect(await afterHundredDays(settingsWith({ historyDays: 'a year' }))).toBe(kept);
    expect(
      settingsWith({}, { kind: 'bad', name: 'breakwater.json', problem: 'is no JSON' }).retention,
    ).toBeNull();
  });
});

// The commands that look back, as a person gives them: what they answer, what they refuse, and that they need nothing but
// the journal.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ERA } from '../../machines/era.ts';
import { ControlLog } from '../../src/breaker/control/control-log.ts';
import { writeCheckpoint } from '../../src/breaker/journal/checkpoint.ts';
import { FileSegments } from '../../src/breaker/journal/file-segments.ts';
import type { Journal } from '../../src/breaker/journal/journal.ts';
import { joinLines } from '../../src/breaker/journal/lines.ts';
import { MemoryJournal } from '../../src/breaker/journal/memory-journal.ts';
import { encodeLine } from '../../src/breaker/journal/record.ts';
import { makeRecord } from '../../src/breaker/journal/writer.ts';
import { openDataDir } from '../../src/invocation/data-dir.ts';
import { HOUSE_RULES, tidy } from '../../src/invocation/housekeeping.ts';
import { saveControlCheckpoint } from '../../src/invocation/save-checkpoints.ts';
import { runMode, type TaskArgs, type TaskMode } from '../../src/invocation/task.ts';
import type { World } from '../../src/invocation/world.ts';
import { fakeWriter, START_AT } from '../support/fake-writer.ts';
import { drainClaim } from '../support/honest-writers.ts';
import { BUNDLE, spawnAndRead } from '../support/live-world.ts';
import { lineByLine, readingWorld } from '../support/reading-world.ts';
import { anOutage, newStory, type Story } from '../support/stories.ts';
import { entriesOf } from '../support/streams.ts';
import { tempDir } from '../support/temp-dir.ts';
import { VirtualWorld } from '../support/virtual-world.ts';

const iso = (atS: number) => new Date(START_AT + atS * 1_000).toISOString();

async function ask(
  journal: Pick<Journal, 'read' | 'size'>,
  mode: TaskMode,
  args: TaskArgs = {},
  clock?: Story['clock'],
) {
  const result = await runMode(mode, readingWorld(journal, clock), args);
  return { ...result, text: result.lines.join('\n') };
}

async function told() {
  const story = await anOutage(new MemoryJournal());
  story.goesTo(300);
  return {
    ...story,
    story,
    ask: (mode: TaskMode, args: TaskArgs = {}) => ask(story.journal, mode, args, story.clock),
  };
}

/** The first line of a stream that is of this type. */
async function lineOf(journal: MemoryJournal, stream: 'control' | 'queue', type: string): Promise<number> {
  const entry = (await entriesOf(journal, stream)).find(
    (one) => one.kind === 'record' && one.record.type === type,
  );
  return entry!.position;
}

describe('replay', () => {
  test('of an empty journal says that it is empty, and refuses any point in it', async () => {
    const journal = new MemoryJournal();
    expect((await ask(journal, 'replay')).text).toBe('The journal is empty.');
    await expect(ask(journal, 'replay', { at: '2020-01-01' })).rejects.toThrow('the journal is empty');
    await expect(ask(journal, 'replay', { outage: '1' })).rejects.toThrow('the journal is empty');
  });

  test('at a time shows all machines, the gate and the queue as they were then', async () => {
    const { ask, story } = await told();
    const { text, document } = await ask('replay', { at: iso(100) });
    expect(text).toMatch(/breaker +open/);
    expect(text).toMatch(/recovery +waiting +next probe in 21s/);
    expect(text).toMatch(/drain +held +epoch 1, by drain-1/);
    expect(text).toContain('Gate: nothing is attempted; the next probe is due in 21s.');
    expect(text).toContain('Queue: 2 pending, 0 deferred, 0 given up; 0 delivered until then.');
    expect(text).toMatch(/scene 2: pending since .* \(Scene.Update.Post\)/);
    expect(document).toMatchObject({
      state: {
        at: START_AT + 100_000,
        control: { breaker: { value: 'open' } },
        queue: { counts: { pending: 2 } },
      },
    });
    expect((await ask('replay')).document).toMatchObject({ state: { control: story.control.state } });
  });

  test('takes a time as this program prints it, as ISO, and as a length of time ago', async () => {
    const { ask } = await told();
    const { document } = await ask('replay', { at: iso(100) });
    for (const at of ['200s', '200s ago', iso(100).replace('T', ' '), iso(100).replace('Z', ' +00:00')]) {
      expect((await ask('replay', { at })).document).toEqual(document);
    }
  });

  test('at a line of either stream is the state with it', async () => {
    const { ask, journal } = await told();
    const opening = await lineOf(journal, 'control', 'probe.failed');
    for (const to of [String(opening), `control@${opening}`, opening]) {
      expect((await ask('replay', { to })).document).toMatchObject({
        state: { reached: { control: opening }, control: { breaker: { value: 'open' } } },
      });
    }
    const delivered = await lineOf(journal, 'queue', 'job.delivered');
    expect((await ask('replay', { to: `queue@${delivered}` })).document).toMatchObject({
      state: { reached: { queue: delivered }, queue: { counts: { pending: 1, delivered: 1 } } },
    });
  });

  test('of an outage shows the state at its opening, and with steps walks to its end', async () => {
    const { ask } = await told();
    const { text, document } = await ask('replay', { outage: '1', step: true });
    expect(document).toMatchObject({
      opening: { control: { breaker: { value: 'open' }, recovery: { value: 'waiting' } } },
      state: { control: { breaker: { value: 'closed' } } },
      stepsBefore: 0,
    });
    const lines = text.split('\n');
    expect(lines.filter((line) => line.startsWith('State at'))).toHaveLength(2);
    expect(text).toMatch(
      /probe.failed drain outage refused \(drain-1\) {2}breaker closed → open, recovery idle → waiting/,
    );
    expect(text).toMatch(/job.queued scene:2 Scene.Update.Post \(hook-1\) {2}none → pending/);
    expect(text).toMatch(/breaker halfOpen → closed, recovery proving → ramping/);
    expect(text).not.toMatch(/policy|attempt.failed/);
  });

  test('step by step marks what is void, damaged, newer, contended, and of a type that nobody knows', async () => {
    const { ask, story, journal } = await told();
    journal.appendBytes('queue', Buffer.from('\ntorn\n'));
    await story.says(301, { type: 'backlog.drained', lease: 'drain', epoch: 0 });
    // Two that saw the same log: the second claim is contended, and void.
    const probe = { type: 'lease.claimed', lease: 'probe', forMs: 15_000, draw: 0 } as const;
    const other = await ControlLog.open(journal, fakeWriter(story.clock, 'drain-2', 5));
    await story.loses(400);
    await other.refresh();
    await story.says(500, probe);
    const late = makeRecord(
      fakeWriter(story.clock, 'drain-2', 6),
      'lease.claimed',
      { ...probe, type: undefined },
      {
        seen: other.position,
        from: { probe: 'free#2', recovery: 'waiting' },
        to: { probe: 'held#3', recovery: 'probing' },
        era: ERA,
      },
    );
    await journal.append('control', [late]);
    await journal.append('control', [makeRecord(fakeWriter(story.clock), 'tide.turned', {})]);
    journal.appendBytes('control', joinLines([encodeLine({ ...late, v: 2 })]));
    const { text } = await ask('replay', { step: 'true' });
    expect(text).toMatch(/backlog.drained drain \(drain-1\) {2}\[void\]/);
    expect(text).toMatch(/queue@\d+ +damaged: no checksum/);
    expect(text).toMatch(/lease.claimed probe \(drain-2\) {2}\[void, contended\]/);
    expect(text).toMatch(/tide.turned \(test-1\) {2}\[void, of a type that this version does not know\]/);
    expect(text).toMatch(/control@\d+ +of a newer version \(2\)/);
    expect(text).toMatch(/Journal until then: 1 damaged line, 1 line of a newer version/);
    const { lines } = await ask('replay', { jsonl: 'true' });
    const contended = lines
      .map((line) => JSON.parse(line))
      .find(({ agreement }) => agreement === 'contended');
    expect(contended).toMatchObject({
      inv: 'drain-2',
      moves: {},
      recorded: { probe: { from: 'free#2', to: 'held#3' } },
      computed: {},
    });
  });

  test('as JSON lines is one document a line, and nothing else', async () => {
    const { ask, journal } = await told();
    const { lines } = await ask('replay', { jsonl: true });
    const documents = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    const all = [...(await entriesOf(journal)), ...(await entriesOf(journal, 'queue'))];
    expect(documents).toHaveLength(all.length);
    expect(documents).toContainEqual(
      expect.objectContaining({
        stream: 'control',
        type: 'probe.failed',
        isVoid: false,
        agreement: 'agreed',
        moves: { breaker: { from: 'closed', to: 'open' }, recovery: { from: 'idle', to: 'waiting' } },
      }),
    );
  });

  test('prints as it goes where somebody reads, and holds a bounded number of steps where nobody does', async () => {
    const story = await newStory();
    for (let n = 0; n < 2_500; n += 500) {
      await story.notes(
        n,
        ...Array.from({ length: 500 }, () => ({ type: 'job.queued', job: 'scene:1', cause: 'x' }) as const),
      );
    }
    const held = await ask(story.journal, 'replay', { step: true });
    expect(held.document).toMatchObject({ stepsBefore: 1_501 });
    expect(held.lines[0]).toBe('… 1501 lines before these …');
    const printed: string[] = [];
    const world: World = { ...readingWorld(story.journal), print: (line) => printed.push(line) };
    const { lines } = await runMode('replay', world, { step: true });
    expect(printed).toHaveLength(2_501);
    expect(lines[0]).toMatch(/^State at/);
  });

  test.each([
    [{ at: 'tomorrow' }, /"tomorrow" is not a time; write for instance/],
    [{ at: '2026-13-45' }, /is not a time/],
    [{ at: '2020-01-01' }, /the journal says nothing of 2020-01-01.*: it holds 2026-01-05/],
    [{ at: '2999-01-01' }, /has not come yet/],
    [{ to: 'x' }, /"x" names no line; write control@18234/],
    [{ to: '-5' }, /names no line/],
    [
      { to: '99999999' },
      /there is no line control@99999999: the nearest are control@\d+; the stream goes from 1 to \d+/,
    ],
    [{ to: 'queue@0' }, /there is no line queue@0: the nearest are queue@1; /],
    [{ outage: '0' }, /"0" is not the number of an outage/],
    [{ outage: '2' }, /there is no outage #2: there are 1 to 1; "outages" lists them/],
    [{ outage: '1', at: '2h' }, /give one of/],
  ])('refuses %o, and says what there is', async (args, message) => {
    const { ask } = await told();
    await expect(ask('replay', args)).rejects.toThrow(message);
  });

  test('reads a journal that comes a line at a time the same', async () => {
    const { story, ask: whole } = await told();
    for (const args of [{ at: iso(100) }, { outage: '1', step: true }, { jsonl: true }]) {
      expect(await ask(lineByLine(story.journal), 'replay', args, story.clock)).toEqual(
        await whole('replay', args),
      );
    }
  });
});

describe('verify', () => {
  test('of both streams, and by replay of control alone', async () => {
    const { ask, journal } = await told();
    expect((await ask('verify')).text).toMatch(
      /control: 12 records.*\n.*\nqueue: 4 records.*\nThe journal is sound\./,
    );
    journal.appendBytes('queue', Buffer.from('\ntorn\n'));
    expect(await ask('verify')).toMatchObject({
      isOk: false,
      document: { isSound: false, queue: { damaged: 1 } },
    });
    expect(await ask('replay', { verify: true })).toMatchObject({ isOk: true, document: { isSound: true } });
  });
});

describe('why', () => {
  test('an outage that is not over is not said to have had a backlog, or none', async () => {
    const world = VirtualWorld.withScenes(1);
    world.plex.goAway();
    await world.queued('scene:1');
    await world.drain();
    const text = (await world.run('why', { outage: '1' })).lines.join('\n');
    expect(text).toContain('Plex is still away');
    expect(text).toMatch(/It is not over; "why" says what happens next\.$/);
    expect(text).not.toMatch(/waiting|backlog/);
  });

  test('of the breaker, of a scene and of an outage', async () => {
    const { ask } = await told();
    expect((await ask('why')).text).toMatch(/nothing stands against Plex since outage #1/);
    expect((await ask('why', { scene: '1' })).text).toMatch(/title: old → new/);
    const { text } = await ask('why', { outage: '1' });
    expect(text).toMatch(
      /refused; lasted 3m, noticed after 0s, 3 probes, 2 changes waiting, drained in 3s\./,
    );
    expect(text).toMatch(
      /the breaker opened, asked again after 1m\n.*a probe failed.*\n.*Plex answered.*\n.*the breaker closed\n.*dealt with/,
    );
  });

  test.each([
    [{ scene: '../1' }, /is not the number of a scene/],
    [{ outage: '2' }, /there is no outage #2: there are 1 to 1/],
    [{ outage: '1', scene: '1' }, /not for both/],
  ])('refuses %o', async (args, message) => {
    const { ask } = await told();
    await expect(ask('why', args)).rejects.toThrow(message);
  });

  test('titles are data: nothing of them reaches a terminal as a command', async () => {
    const story = await newStory();
    await story.changes(1, 'scene:1', 'x\u001b]0;owned\u0007');
    const changes = [{ field: 'title', before: '\u001b[31mred', after: 'a\r\nqueue@1  forged' }];
    await story.notes(2, { type: 'job.attempted', job: 'scene:1', item: '\u009b2J', changes, own: {} });
    for (const [mode, args] of [
      ['why', { scene: '1' }],
      ['replay', { step: true }],
      ['replay', {}],
    ] as const) {
      const { lines } = await ask(story.journal, mode, args);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: looking for them is what this is for
      for (const line of lines) expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    }
  });
});

test('deleting every checkpoint, or forging one, changes no answer', async () => {
  const dir = openDataDir(tempDir());
  const story = await anOutage(dir.journal);
  story.goesTo(300);
  saveControlCheckpoint({ dir }, story.control);
  writeCheckpoint(dir.queueCheckpoint, story.queue.checkpoint()!);
  const world = { ...readingWorld(dir.journal, story.clock), dir } as World;
  const asked: readonly (readonly [TaskMode, TaskArgs])[] = [
    ['replay', {}],
    ['replay', { at: iso(100), step: true }],
    ['replay', { outage: '1', jsonl: true }],
    ['replay', { verify: true }],
    ['verify', {}],
    ['why', {}],
    ['why', { scene: '1' }],
    ['why', { scene: '2' }],
    ['why', { outage: '1' }],
    ['outages', {}],
    ['status', {}],
    ['queue', {}],
    ['dead', { outage: '1' }],
  ];
  const answers = async () => {
    const given: unknown[] = [];
    for (const [mode, args] of asked)
      given.push(await runMode(mode, { ...world, writer: fakeWriter(story.clock) }, args));
    return JSON.parse(JSON.stringify(given)) as unknown[];
  };
  const withCheckpoints = await answers();
  for (const name of ['control', 'queue'])
    writeFileSync(`${dir.path}/checkpoint/${name}.json`, '{"era":"nonsense"}');
  expect(await answers()).toEqual(withCheckpoints);
  rmSync(`${dir.path}/checkpoint`, { recursive: true });
  expect(await answers()).toEqual(withCheckpoints);
  dir.journal.close();
});

describe('at the shell', () => {
  test('answers, exit codes and streams are honest', async () => {
    const dir = openDataDir(tempDir());
    await anOutage(dir.journal);
    const run = (...words: string[]) =>
      spawnAndRead(process.execPath, [BUNDLE, ...words, '--data', dir.path], {
        ...process.env,
        NO_COLOR: '1',
      });
    const stepped = await run('replay', '--outage', '1', '--step');
    expect(stepped).toMatchObject({ code: 0, stderr: '' });
    expect(stepped.stdout).toMatch(/^State at .*\n[\s\S]*breaker closed → open[\s\S]*State at/);
    const jsonl = await run('replay', '--jsonl');
    for (const line of jsonl.stdout.trimEnd().split('\n'))
      expect(JSON.parse(line)).toHaveProperty('position');
    expect(JSON.parse((await run('why', '--outage', '1', '--json')).stdout)).toHaveProperty('links');
    expect(await run('verify')).toMatchObject({ code: 0, stdout: expect.stringMatching(/sound\.\n$/) });
    dir.journal.close();
    writeFileSync(`${dir.path}/control.ndjson`, '\ntorn\n', { flag: 'a' });
    const damaged = await run('replay', '--verify');
    expect(damaged).toMatchObject({ code: 1, stdout: expect.stringContaining('DAMAGE: 1 line of control') });
    expect(await run('replay', '--to', '2')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('there is no line control@2'),
    });
    const nowhere = await spawnAndRead(process.execPath, [BUNDLE, 'status', '--data', `${dir.path}/no`], {});
    expect(nowhere).toMatchObject({ code: 0, stderr: expect.stringMatching(/^There is no folder .*no yet/) });
    expect(await run('replay', '--at', 'then')).toMatchObject({ code: 2, stdout: '' });
    expect(await run('dead', '--outage', 'x')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('"x" is not the number of an outage'),
    });
    for (const slip of [['nope'], ['status', '--nope'], ['hold'], ['export', '--format', 'gif']])
      expect(await run(...slip)).toMatchObject({ code: 2, stderr: expect.stringContaining('error:') });
    expect(await run('hold', '--help')).toMatchObject({ code: 0, stderr: '' });
  });
});

test('verify names a sealed file that was changed, and one that was taken away', async () => {
  const data = `${tempDir()}/data`;
  const dir = openDataDir(data);
  const story = await anOutage(dir.journal);
  const writer = fakeWriter(story.clock, 'keeper');
  const rules = { ...HOUSE_RULES, sealBytes: { control: 1, queue: 1 } };
  const segments = new FileSegments(data);
  for (let n = 0; n < 3; n++) {
    await (await ControlLog.open(dir.journal, writer)).appendOrThrow({ ...drainClaim });
    await tidy({ dir, writer, house: { segments, rules } }, null);
  }
  const world = { ...readingWorld(dir.journal, story.clock), dir, house: { segments, rules } } as World;
  const sound = await runMode('verify', world, {});
  expect(sound).toMatchObject({ isOk: true });
  expect(sound.lines.join('\n')).toMatch(/sealed files? are as they were sealed/);
  const first = `${data}/control.ndjson`;
  const text = readFileSync(first, 'utf8');
  writeFileSync(first, text.replace('"epoch":1', '"epoch":2'));
  const changed = await runMode('verify', world, {});
  expect(changed).toMatchObject({ isOk: false });
  expect(changed.lines.join('\n')).toMatch(/TAMPERED: control\.ndjson is changed since it was sealed/);
});

// What users of Stash2Plex rely on, case by case (its notes, section 8): the number and what was expected there. "BETTER":
// what it should have done. Where Breakwater does something else on purpose, the test says what and a comment says why.
//
// The real drainer over a virtual Stash and Plex; what is about the wire, over the simulated Plex.

import { appendFileSync } from 'node:fs';
import * as path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ControlLog } from '../../src/breaker/control/control-log.ts';
import { duration } from '../../src/cli/format.ts';
import { openDataDir } from '../../src/invocation/data-dir.ts';
import { QueueLog } from '../../src/queue/queue-log.ts';
import { SCHEDULES } from '../../src/queue/retry.ts';
import type { StashScene } from '../../src/stash/stash-scene.ts';
import { deliver } from '../../src/sync/deliver.ts';
import { cleanLine, cleanText } from '../../src/sync/text.ts';
import { FakeClock, fakeWriter } from '../support/fake-writer.ts';
import { startPlexAndClient } from '../support/plex-fixture.ts';
import { performersNamed, sceneWith } from '../support/stash-scenes.ts';
import { NO_COVER, TEXT_AND_TAGS } from '../support/sync-options.ts';
import { tempDir } from '../support/temp-dir.ts';
import { VirtualWorld } from '../support/virtual-world.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const NO_PICTURES = 'poster: off, background: off';

interface Begin {
  readonly fields?: Readonly<Record<string, string>>;
  readonly actors?: readonly string[];
  /** As a person types them into Stash. */
  readonly modes?: string;
}

/** Scene 1 with its item; nothing is delivered yet. */
function begin(parts: Partial<StashScene>, { fields = {}, actors = [], modes = '' }: Begin = {}) {
  const world = VirtualWorld.withScenes(1);
  world.stash.settings.fields = [NO_PICTURES, modes].filter(Boolean).join(', ');
  world.stash.edit('1', { title: '', ...parts });
  const item = world.plex.items.get('1')!;
  item.fields = { title: 'clip 1', ...fields };
  item.tags.actor = [...actors];
  return { world, item };
}

async function deliverOnce(world: VirtualWorld) {
  await world.queued('scene:1');
  await world.drain({ mayWait: false });
}

async function delivered(parts: Partial<StashScene>, options: Begin = {}) {
  const { world, item } = begin(parts, options);
  await deliverOnce(world);
  return { world, item };
}

const jobOf = async (world: VirtualWorld, id = '1') => (await world.queue()).jobs.get(`scene:${id}`);
const recordsOf = async (world: VirtualWorld, type: string) =>
  (await world.journal.read('queue', 0)).entries.flatMap((entry) =>
    entry.kind === 'record' && entry.record.type === type ? [entry.record.data] : [],
  );
const gapsOf = async (world: VirtualWorld) => {
  const { document } = await world.run('reconcile', { scope: 'all', dryRun: true });
  return (document as { gaps: { kind: string; changes: { field: string }[] }[] }).gaps;
};
const named = (prefix: string, count: number) => Array.from({ length: count }, (_, n) => `${prefix} ${n}`);

describe('text', () => {
  // Quotes, dashes and ellipses are the user's: Plex shows them well, and a title that is changed on its way is a
  // difference for ever to whoever compares.
  test('1: curly quotes, dashes and ellipses stay as they are', () => {
    const text = '\u201cHi\u201d \u2018x\u2019 a\u2013b\u2014c\u2026';
    expect(cleanLine(text)).toBe(text);
    expect(cleanText(text)).toBe(text);
  });

  test('2: NUL, ESC and zero-width characters are removed; nothing but such and blanks is nothing', () => {
    expect(cleanLine('a\u0000b\u001b[31mc\u200bd\ufeff')).toBe('ab[31mcd');
    expect(cleanLine(' \u0000\u200b \t\u001b')).toBe('');
    expect(cleanText(' \u0000\u200b \n\u001b')).toBe('');
  });

  test('3, BETTER: a line break in a title is a blank, and a summary keeps its paragraphs', () => {
    expect(cleanLine('a\nb')).toBe('a b');
    expect(cleanText('a\n\nb\nc')).toBe('a\n\nb\nc');
  });

  test('4: text is NFC, and emoji stay, those that are joined as well', () => {
    expect(cleanLine('e\u0301')).toBe('\u00e9');
    expect(cleanLine('👩‍👧 ok')).toBe('👩‍👧 ok');
  });

  // A limit of 0 for "none" is not offered: Plex gets everything in the address of a request.
  test('5: text is cut at a blank if that loses less than a fifth, else hard', () => {
    expect(cleanLine('word '.repeat(100))).toBe('word '.repeat(51).trimEnd());
    expect(cleanLine('word '.repeat(100))).toHaveLength(254);
    expect(cleanLine('x'.repeat(300))).toBe('x'.repeat(255));
    expect(cleanLine(`ab ${'x'.repeat(300)}`)).toHaveLength(255);
    expect(cleanLine(`${'a'.repeat(253)}…`)).toHaveLength(254);
  });
});

describe('fields', () => {
  test('6: a scene without a title keeps the title of Plex', async () => {
    for (const title of ['', ' \u0000 ']) {
      const { world, item } = await delivered({ title, details: 'x' }, { modes: 'title: mirror' });
      expect(item.fields).toMatchObject({ title: 'clip 1', summary: 'x' });
      expect(world.plex.titlesSent('1')).toEqual([]);
    }
  });

  // There, some ways of syncing cleared and others did not. Here it is one choice for each field, and off at first.
  test.each([
    ['studio', 'studio', 'studio: mirror'],
    ['summary', 'summary', 'summary: mirror'],
    ['tagline', 'tagline', 'tagline: mirror'],
    ['date', 'originallyAvailableAt', 'date: mirror'],
  ])(
    '7, BETTER: an empty %s empties that of Plex where that was chosen, and is left alone elsewhere',
    async (_, field, modes) => {
      const fields = { [field]: field === 'originallyAvailableAt' ? '2020-01-02' : 'theirs' };
      expect((await delivered({ title: 't' }, { fields, modes })).item.fields[field]).toBe('');
      expect((await delivered({ title: 't' }, { fields })).item.fields[field]).toBe(fields[field]);
    },
  );

  // Stash has one text, `details`; there is no second one that it could win over.
  test('8: without details the summary is left alone; with them it is theirs', async () => {
    const fields = { summary: 'theirs' };
    expect((await delivered({ title: 't' }, { fields })).item.fields.summary).toBe('theirs');
    expect((await delivered({ details: 'ours' }, { fields })).item.fields.summary).toBe('ours');
  });

  test('9: what is equal once it is cleaned is not written, and not read twice', async () => {
    const { world, item } = await delivered({ title: 'A title ', details: 'x' });
    world.plex.calls.length = 0;
    world.stash.edit('1', { title: ' A  title\u0000', details: 'x\n' });
    item.fields.summary = 'x';
    await deliverOnce(world);
    expect(world.plex.calls.map(({ method }) => method)).toEqual(['items']);
  });

  test('10: "only if empty" keeps what Plex has and fills in what it has not', async () => {
    const modes = 'title: only-if-empty, summary: only-if-empty';
    const { item } = await delivered({ title: 'ours', details: 'ours' }, { modes });
    expect(item.fields).toMatchObject({ title: 'clip 1', summary: 'ours' });
    expect((await delivered({ title: 'ours' }, { modes, fields: { title: '' } })).item.fields.title).toBe(
      'ours',
    );
  });

  test('11: with every field off nothing is written and all is well; one that is off leaves the others on', async () => {
    const off = 'title,studio,summary,date,rating,performers,tags,collections'
      .split(',')
      .map((field) => `${field}: off`)
      .join(', ');
    const { world, item } = await delivered({ title: 'ours', studio: 'S', tags: ['t'] }, { modes: off });
    expect([world.plex.count('edit'), item.fields, await jobOf(world)]).toEqual([
      0,
      { title: 'clip 1' },
      undefined,
    ]);
    const some = await delivered({ title: 'ours', studio: 'S' }, { modes: 'studio: off' });
    expect(some.item.fields).toEqual({ title: 'ours' });
  });

  test('12, BETTER: performers go in their order, are not sent when Plex has them, and ours that Stash dropped go', async () => {
    const { world, item } = await delivered({ performers: performersNamed('A', 'B') }, { actors: ['A'] });
    const [edit] = world.plex.edits('1');
    expect([edit?.parameters?.get('actor[0].tag.tag'), edit?.parameters?.get('actor[1].tag.tag')]).toEqual([
      'A',
      'B',
    ]);
    item.tags.actor.push('C');
    world.stash.edit('1', { performers: performersNamed('A') });
    await deliverOnce(world);
    // B was put there by us; A and C were not.
    expect(item.tags.actor).toEqual(['A', 'C']);
    await deliverOnce(world);
    expect(world.plex.edits('1')).toHaveLength(2);
  });

  test('13: of 60 performers and 150 tags the first 50 and 100 go, and what was left out is noted', async () => {
    const { world, item } = await delivered({
      performers: performersNamed(...named('p', 60)),
      tags: named('t', 150),
    });
    expect([item.tags.actor, item.tags.genre]).toEqual([named('p', 50), named('t', 100)]);
    expect((await recordsOf(world, 'job.delivered'))[0]).toMatchObject({
      notes: ['10 of 60 performers are left out (maxPerformers)', '50 of 150 tags are left out (maxTags)'],
    });
  });

  // There, the cap was on ours and theirs together, and what was cut off was what somebody had put into Plex or into
  // Stash, as it happened. Tags of others are not ours to cut.
  test('13: tags of others are not cut to make room', async () => {
    const { world, item } = begin({ tags: named('t', 100) });
    item.tags.genre = named('theirs', 5);
    await deliverOnce(world);
    expect(item.tags.genre).toEqual([...named('t', 100), ...named('theirs', 5)]);
  });

  test('14, BETTER: without performers ours are really removed', async () => {
    const { world, item } = await delivered({ title: 't', performers: performersNamed('A', 'B') });
    world.stash.edit('1', { performers: [] });
    await deliverOnce(world);
    expect(item.tags.actor).toEqual([]);
  });

  test('15, BETTER: a cover that cannot be had holds up nothing, and it alone is tried again', async () => {
    const { world, item } = begin({ title: 'ours' });
    world.stash.settings.fields = '';
    world.stash.trouble = (method) =>
      method === 'cover' ? { kind: 'unreachable', detail: 'Stash does not answer' } : null;
    await deliverOnce(world);
    expect(item.fields.title).toBe('ours');
    expect(await jobOf(world)).toMatchObject({ state: 'deferred', reason: 'cover' });
    world.stash.trouble = () => null;
    await world.pass(2 * MINUTE_MS);
    await world.drain({ mayWait: false });
    expect([world.plex.count('uploadImage'), await jobOf(world)]).toEqual([2, undefined]);
    // One for the text, one that locks the pictures.
    expect(world.plex.titlesSent('1')).toEqual(['ours']);
  });

  test('16: a text that Plex refuses fails the whole scene, with its class', async () => {
    const { world } = begin({ title: 'ours' });
    world.plex.rule({ methods: ['edit'], does: { status: 400 } });
    await deliverOnce(world);
    expect(await jobOf(world)).toMatchObject({ state: 'dead', reason: 'rejected' });
  });
});

describe('matching', () => {
  async function desk() {
    const { plex, client } = await startPlexAndClient();
    const send = (files: readonly string[], item?: string) =>
      deliver(sceneWith({ title: 'ours', files }), item === undefined ? undefined : { item, own: {} }, {
        plex: client,
        covers: NO_COVER,
        sync: TEXT_AND_TAGS,
        sections: () => client.sections(),
        scenesWithFile: async () => ({ ok: true, value: [] }),
        pathRules: [],
        beforeWrite: async () => {},
        beforeEdit: async () => {},
      });
    return { plex, send };
  }

  // There is no title to guess: the item is asked for by the name of its file.
  test.each([
    'Scene - 1080p.mp4',
    'Scene_2024-01-15.mp4',
    'x WEB-DL-2160p.mp4',
    'Adventure Time.mp4',
    'A.mp4',
  ])(
    '17, BETTER: %s is found by its name, whatever its title is in Plex, and nothing like it is taken',
    async (name) => {
      const { plex, send } = await desk();
      plex.library.addItem({ file: '/media/scenes/A', title: 'A' });
      const item = plex.library.addItem({ file: `/media/scenes/${name}`, title: 'of a web page' });
      expect(await send([`/media/scenes/${name}`])).toMatchObject({ kind: 'written', item: item.ratingKey });
      expect(plex.requests.some(({ query }) => 'title' in query)).toBe(false);
    },
  );

  // Where case counts on the disk, two files may differ in nothing else.
  test('18, BETTER: case and separators do not count on Windows, case does elsewhere; any part of an item will do', async () => {
    const { plex, send } = await desk();
    plex.library.addSection({ key: '9', title: 'Windows', locations: ['D:\\Clips'] });
    const windows = plex.library.addItem({ file: 'D:\\Clips\\One.mp4', section: '9' });
    const parts = plex.library.addItem({
      file: '/media/scenes/cd1.mp4',
      moreFiles: ['/media/scenes/cd2.mp4'],
    });
    expect(await send(['d:/clips/one.MP4'])).toMatchObject({ kind: 'written', item: windows.ratingKey });
    expect(await send(['/media/scenes/cd2.mp4'])).toMatchObject({ kind: 'written', item: parts.ratingKey });
    expect(await send(['/media/scenes/CD2.mp4'])).toMatchObject({ kind: 'missing' });
  });

  test('19: two candidates, in one library or in two, are told and not written to; one that is found twice is one', async () => {
    const { plex, send } = await desk();
    const file = '/media/scenes/a.mp4';
    const one = plex.library.addItem({ file, section: '3' });
    const two = plex.library.addItem({ file, section: '4' });
    expect(await send([file])).toMatchObject({
      kind: 'ambiguous',
      candidates: [{ ratingKey: one.ratingKey }, { ratingKey: two.ratingKey }],
    });
    expect(plex.requests.some(({ method }) => method === 'PUT')).toBe(false);
    plex.library.removeItem(two.ratingKey);
    one.files = [file, '/media/scenes/b.mp4'];
    expect(await send([file, '/media/scenes/b.mp4'])).toMatchObject({ kind: 'written', item: one.ratingKey });
  });

  test('20: an item that is remembered and gone is searched for', async () => {
    const { plex, send } = await desk();
    const item = plex.library.addItem({ file: '/media/scenes/a.mp4' });
    expect(await send(['/media/scenes/a.mp4'], '4711')).toMatchObject({
      kind: 'written',
      item: item.ratingKey,
    });
  });
});

describe('what is queued', () => {
  // What a client sent says not what changed, so a hook carries nothing: what Stash gave a new time is looked at, and what
  // is unchanged costs one question to Plex. And a scan says nothing about other scenes: nothing is dropped because of one.
  test('21, BETTER: every change of a scene is queued, a new one too', async () => {
    const world = VirtualWorld.withScenes(2);
    await world.wake();
    world.stash.edit('1', {});
    world.stash.edit('3', { title: 'new' });
    await world.wake();
    const queued = (await recordsOf(world, 'job.queued')).map(({ job }) => job);
    expect(queued).toEqual(['scene:1', 'scene:3']);
    await world.settled();
  });

  // There, they waited for ever, as the rating was never sent either.
  test('22, BETTER: a scene with a title or a rating alone is delivered, one with nothing leaves its item alone', async () => {
    expect((await delivered({ title: 'ours' })).item.fields.title).toBe('ours');
    expect((await delivered({ rating100: 80 })).item.fields.userRating).toBe('8');
    const { world, item } = await delivered({});
    expect([world.plex.calls.map(({ method }) => method), item.fields]).toEqual([
      ['probe'],
      { title: 'clip 1' },
    ]);
  });
});

describe('failures', () => {
  test('23: what Plex does not have is asked for twelve times, over a day; an outage costs no attempt and buries nothing', async () => {
    expect(SCHEDULES.missing.maxAttempts).toBe(12);
    expect(SCHEDULES.transient.maxAttempts).toBe(Number.POSITIVE_INFINITY);
    const { world } = begin({ title: 'ours' });
    world.plex.items.clear();
    await deliverOnce(world);
    for (let attempt = 2; attempt <= 12; attempt++) {
      expect(await jobOf(world)).toMatchObject({
        state: 'deferred',
        reason: 'missing',
        attempts: attempt - 1,
      });
      await world.pass(6 * HOUR_MS);
      await world.drain({ mayWait: false });
    }
    expect(await jobOf(world)).toMatchObject({ state: 'dead', reason: 'missing' });
    expect(await world.openings()).toBe(0);
  });

  test('23: an outage of a week', async () => {
    const { world, item } = begin({ title: 'ours' });
    const heal = world.plex.goAway();
    await world.queued('scene:1');
    for (let day = 0; day < 7; day++) {
      await world.drain({ mayWait: false });
      await world.pass(24 * HOUR_MS);
    }
    expect(await jobOf(world)).toMatchObject({ state: 'pending', attempts: 0 });
    heal();
    await world.drain({ mayWait: false });
    expect(item.fields.title).toBe('ours');
  });

  // A failed attempt and a failed probe together are enough: there is no need to run into a wall five times.
  test('24, BETTER: an outage opens at once, is asked about after its wait, by any process, and a success closes', async () => {
    const { world } = begin({ title: 'ours' });
    const heal = world.plex.goAway();
    await deliverOnce(world);
    const breaker = async () => (await world.control()).state.breaker;
    expect((await breaker()).value).toBe('open');
    const calls = world.plex.calls.length;
    await world.pass(20_000);
    await world.drain({ mayWait: false });
    expect(world.plex.calls).toHaveLength(calls);
    await world.pass(MINUTE_MS);
    await world.drain({ mayWait: false });
    expect([world.plex.calls.length, (await breaker()).value]).toEqual([calls + 1, 'open']);
    heal();
    await world.pass(5 * MINUTE_MS);
    await world.drain({ mayWait: false });
    expect(await breaker()).toMatchObject({ value: 'closed', context: { failures: 0 } });
    expect(world.plex.title('1')).toBe('ours');
  });

  test('24, BETTER: a damaged file is no fresh start: the breaker stays as it was', async () => {
    const data = tempDir();
    const clock = new FakeClock();
    const open = () => {
      const dir = openDataDir(data);
      onTestFinished(() => dir.journal.close());
      return ControlLog.open(dir.journal, fakeWriter(clock, 'drain', 1));
    };
    const log = await open();
    await log.append({ type: 'lease.claimed', lease: 'drain', forMs: HOUR_MS, draw: 0 });
    const { epoch } = log.state.drain.context;
    const failed = {
      type: 'attempt.failed',
      class: 'outage',
      symptom: 'refused',
      draw: 0,
      opensAfter: 1,
    } as const;
    await log.append({ ...failed, lease: 'drain', epoch });
    expect(log.state.breaker.value).toBe('open');
    appendFileSync(path.join(data, 'control.ndjson'), '\n{"type":"attempt.succ');
    appendFileSync(path.join(data, 'control.ndjson'), '\u0000\u0001 noise\n');
    expect((await open()).state.breaker.value).toBe('open');
  });
});

describe('reconciliation', () => {
  test('25, BETTER: gaps are told field by field: an item that is bare, one that lacks something, one that says otherwise', async () => {
    const scene = { title: 'clip 1', studio: 'S', details: 'x' };
    const fieldsOf = (gaps: Awaited<ReturnType<typeof gapsOf>>) =>
      gaps.map(({ kind, changes }) => [kind, ...changes.map(({ field }) => field)]);
    expect(fieldsOf(await gapsOf(begin(scene).world))).toEqual([
      ['empty', 'studio', 'summary', 'collection'],
    ]);
    const some = begin(scene, { fields: { studio: 'S' } });
    expect(fieldsOf(await gapsOf(some.world))).toEqual([['changed', 'summary', 'collection']]);
    const { world } = await delivered(scene);
    expect(await gapsOf(world)).toEqual([]);
    world.stash.edit('1', { details: 'y' });
    expect(fieldsOf(await gapsOf(world))).toEqual([['changed', 'summary']]);
  });

  // Times are not compared: a digest of what is synced is, so that neither a wrong clock nor a merge hides a change, and
  // a change of what is not synced is none.
  test('25, BETTER: neither an older nor an unreadable time hides a change', async () => {
    const { world } = await delivered({ title: 'ours' });
    for (const updatedAt of [0, 1]) {
      world.stash.edit('1', { title: `later ${updatedAt}`, updatedAt });
      expect(await gapsOf(world)).toHaveLength(1);
    }
  });

  test('25: a scene that was never delivered and that Plex does not have is missing; a rating alone is something to say', async () => {
    const { world } = begin({ rating100: 60 });
    expect(await gapsOf(world)).toMatchObject([{ kind: 'empty', changes: [{ field: 'userRating' }] }]);
    world.plex.items.clear();
    expect(await gapsOf(world)).toMatchObject([{ kind: 'missing' }]);
  });

  test('25: a scene that is found and waits anyway is one job', async () => {
    const { world } = await delivered({ title: 'ours' });
    world.stash.edit('1', { title: 'later' });
    await world.queued('scene:1', 'scene:1');
    await world.run('reconcile', { scope: 'all' });
    expect([world.plex.titlesSent('1'), (await world.queue()).jobs.size]).toEqual([['ours', 'later'], 0]);
  });

  // Units that are nought are left out: `1d` and not `1d 0h`.
  test('25: lengths of time', () => {
    const seconds = [0, -5, 65, 3_661, 86_401].map((length) => duration(length * 1_000));
    expect(seconds).toEqual(['0s', '0s', '1m 5s', '1h 1m', '1d']);
  });

  // What is on the disk and on the wire: test/system/drain.test.ts, with a token that is looked for in all that is left.
  test('25, BETTER: no part of the token is shown', async () => {
    const world = VirtualWorld.withScenes(1);
    world.stash.settings.plexToken = 'abcdefgh-wxyz';
    world.plex.goAway({ status: 401, body: 'abcdefgh-wxyz' });
    await world.queued('scene:1');
    await world.drain({ mayWait: false });
    const told: unknown[] = [world.logs];
    for (const mode of ['check', 'status', 'settings', 'queue'] as const) told.push(await world.run(mode));
    expect(JSON.stringify(told)).toContain('check plexToken');
    expect(JSON.stringify(told)).not.toMatch(/abcdefgh|wxyz/);
  });

  test('25: what was given up in an outage is told by its bounds, both included', async () => {
    const world = new VirtualWorld();
    const queue = await QueueLog.open(world.journal, fakeWriter(world.time.clock, 'drain-9', 9));
    const control = await world.scribe();
    const giveUp = async (id: string) => {
      const job = `scene:${id}` as const;
      await queue.append({ type: 'job.queued', job, cause: 'x' });
      const upTo = queue.position;
      await queue.append({ type: 'job.deadLettered', job, upTo, reason: 'rejected', detail: id });
    };
    await control.append({ type: 'lease.claimed', lease: 'drain', forMs: HOUR_MS, draw: 0 });
    const under = { lease: 'drain', epoch: control.state.drain.context.epoch } as const;
    await giveUp('1');
    await world.pass(1);
    await giveUp('2');
    const failed = {
      type: 'attempt.failed',
      class: 'outage',
      symptom: 'refused',
      draw: 0,
      opensAfter: 1,
    } as const;
    await control.append({ ...failed, ...under });
    await world.pass(2 * MINUTE_MS);
    await control.append({ type: 'lease.claimed', lease: 'probe', forMs: MINUTE_MS, draw: 0 });
    const asked = { lease: 'probe', epoch: control.state.probe.context.epoch } as const;
    await control.append({ type: 'probe.succeeded', ...asked, tookMs: 1, pending: 1 });
    await control.append({ type: 'attempt.succeeded', ...under, count: 1 });
    await giveUp('3');
    await world.pass(1);
    await giveUp('4');
    const { document } = await world.run('dead', { outage: '1' });
    expect((document as { dead: { job: string }[] }).dead.map(({ job }) => job)).toEqual([
      'scene:2',
      'scene:3',
    ]);
  });
});

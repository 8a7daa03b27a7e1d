// deliver() over the simulated Plex: what it asks, what it writes, and what it says became of it. The simulator takes
// a list of tags in both ways that servers do: as additions (append) and as the whole (replace).

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FieldChange } from '../../src/queue/changes.ts';
import type { OwnTags } from '../../src/queue/events.ts';
import type { Known } from '../../src/queue/queue.ts';
import type { SceneFiles } from '../../src/stash/stash-client.ts';
import type { StashScene } from '../../src/stash/stash-scene.ts';
import { type DeliverOptions, type Delivery, deliver, type WriteIntent } from '../../src/sync/deliver.ts';
import { type PathRule, parsePathMap } from '../../src/sync/path-map.ts';
import type { Fault, PlexSimulator, PlexSimulatorOptions } from '../simulators/plex/server.ts';
import { startPlexAndClient } from '../support/plex-fixture.ts';
import { performersNamed, sceneWith } from '../support/stash-scenes.ts';
import { NO_COVER, TEXT_AND_TAGS } from '../support/sync-options.ts';

interface Desk {
  readonly plex: PlexSimulator;
  /** What was about to be written, in order. */
  readonly intents: WriteIntent[];
  deliver(scene: StashScene, known?: Known, beforeWrite?: DeliverOptions['beforeWrite']): Promise<Delivery>;
  /** As above, and the requests that it took: `GET /path`. */
  watch(scene: StashScene, known?: Known): Promise<{ delivery: Delivery; requests: string[] }>;
}

/** `stash`: all scenes that it has. */
async function startDesk(
  options: PlexSimulatorOptions = {},
  pathMap = '',
  stash: readonly SceneFiles[] = [],
): Promise<Desk> {
  const { plex, client } = await startPlexAndClient(options);
  const parsed = parsePathMap(pathMap);
  const pathRules: readonly PathRule[] = parsed.ok ? parsed.rules : [];
  const intents: WriteIntent[] = [];
  const desk: Desk = {
    plex,
    intents,
    deliver: (scene, known, beforeWrite) =>
      deliver(scene, known, {
        plex: client,
        covers: NO_COVER,
        sync: TEXT_AND_TAGS,
        sections: () => client.sections(),
        scenesWithFile: async () => ({ ok: true, value: stash }),
        pathRules,
        beforeWrite: beforeWrite ?? (async (intent) => void intents.push(intent)),
        beforeEdit: async () => {},
      }),
    watch: async (scene, known) => {
      plex.reset();
      const delivery = await desk.deliver(scene, known);
      return { delivery, requests: plex.requests.map(({ method, path }) => `${method} ${path}`) };
    },
  };
  return desk;
}

const FULL = sceneWith({
  title: 'A title',
  details: 'One.\n\nTwo.',
  date: '2024-05-06',
  studio: 'A studio',
  performers: performersNamed('Ann', 'Bo'),
  tags: ['one', 'two, too', 'three'],
});

function known(delivery: Delivery): Known {
  if (delivery.kind !== 'written' && delivery.kind !== 'unchanged') throw new Error(`it is ${delivery.kind}`);
  return { item: delivery.item, own: delivery.own };
}

function tagsIn(plex: PlexSimulator, kind: 'genre' | 'actor' = 'genre', ratingKey = '1001'): string[] {
  return plex.library.byRatingKey(ratingKey)!.tags[kind].map(({ name }) => name);
}

const writes = (requests: readonly string[]) => requests.filter((request) => request.startsWith('PUT'));

describe.each(['append', 'replace'] as const)('where a list of tags is taken as %s', (tagMode) => {
  test('a scene that was never delivered: found by file, written whole, locked, read back', async () => {
    const { plex, watch, intents } = await startDesk({ items: 3, tagMode });
    const { delivery, requests } = await watch(FULL);

    expect(delivery).toMatchObject({
      kind: 'written',
      item: '1001',
      own: { genre: ['one', 'two, too', 'three'], actor: ['Ann', 'Bo'] },
      unmet: [],
    });
    expect(requests).toEqual([
      'GET /library/sections',
      'GET /library/sections/3/all',
      'GET /library/sections/4/all',
      'GET /library/metadata/1001',
      'PUT /library/metadata/1001',
      'GET /library/metadata/1001',
    ]);
    const item = plex.library.byRatingKey('1001')!;
    expect(item.fields).toEqual({
      title: 'A title',
      summary: 'One.\n\nTwo.',
      studio: 'A studio',
      originallyAvailableAt: '2024-05-06',
    });
    expect(tagsIn(plex)).toEqual(['one', 'two, too', 'three']);
    expect(tagsIn(plex, 'actor')).toEqual(['Ann', 'Bo']);
    expect(item.locked).toEqual(
      new Set(['title', 'studio', 'summary', 'originallyAvailableAt', 'genre', 'actor']),
    );
    expect(intents).toHaveLength(1);
    expect(plex.library.byRatingKey('1002')!.fields).toEqual({ title: 'clip 2' });
  });

  test('a second time: one request, no write, nothing announced', async () => {
    const { watch, intents } = await startDesk({ items: 1, tagMode });
    const first = (await watch(FULL)).delivery;
    const { delivery, requests } = await watch(FULL, known(first));

    expect(delivery).toMatchObject({ kind: 'unchanged', item: '1001', own: known(first).own });
    expect(requests).toEqual(['GET /library/metadata/1001']);
    expect(intents).toHaveLength(1);
  });

  test('a known scene that changed: three requests', async () => {
    const { plex, watch } = await startDesk({ items: 1, tagMode });
    const first = known((await watch(FULL)).delivery);
    const changed = { ...FULL, title: 'Another', tags: ['one', 'four'], performers: performersNamed('Bo') };
    const { delivery, requests } = await watch(changed, first);

    expect(delivery).toMatchObject({ kind: 'written', unmet: [] });
    expect(requests).toEqual([
      'GET /library/metadata/1001',
      'PUT /library/metadata/1001',
      'GET /library/metadata/1001',
    ]);
    expect(tagsIn(plex).sort()).toEqual(['four', 'one']);
    expect(tagsIn(plex, 'actor')).toEqual(['Bo']);
  });

  test('tags of others stay, ours go, and a comma in a name does no harm', async () => {
    const desk = await startDesk({ tagMode });
    desk.plex.library.addItem({
      file: '/media/scenes/clip 1.mp4',
      ratingKey: '1001',
      tags: { genre: ['theirs', 'Comedy, dark'], actor: ['Zed'] },
    });
    const first = known(await desk.deliver(FULL));
    expect(tagsIn(desk.plex).sort()).toEqual(['Comedy, dark', 'one', 'theirs', 'three', 'two, too']);

    const delivery = await desk.deliver({ ...FULL, tags: ['one'], performers: [] }, first);
    expect(delivery).toMatchObject({ kind: 'written', own: { genre: ['one'] }, unmet: [] });
    expect(tagsIn(desk.plex).sort()).toEqual(['Comedy, dark', 'one', 'theirs']);
    expect(tagsIn(desk.plex, 'actor')).toEqual(['Zed']);
  });

  test('all tags of ours can go', async () => {
    const desk = await startDesk({ items: 1, tagMode });
    const first = known(await desk.deliver(FULL));
    const delivery = await desk.deliver({ ...FULL, tags: [], performers: [] }, first);
    expect(delivery).toMatchObject({ kind: 'written', item: '1001', own: {}, unmet: [] });
    expect([...tagsIn(desk.plex), ...tagsIn(desk.plex, 'actor')]).toEqual([]);
  });

  test('a server that honours one name in a removal is asked for each of the others', async () => {
    const desk = await startDesk({ items: 1, tagMode });
    desk.plex.library.quirks.isRemovalOneNameOnly = true;
    const first = known(await desk.deliver({ ...FULL, tags: ['a', 'b', 'c', 'd', 'kept'] }));
    const delivery = await desk.deliver({ ...FULL, tags: ['kept'] }, first);

    expect(delivery).toMatchObject({ kind: 'written', own: { genre: ['kept'] }, unmet: [] });
    expect(tagsIn(desk.plex)).toEqual(['kept']);
  });

  test('and also when nothing is to stay', async () => {
    const desk = await startDesk({ items: 1, tagMode });
    desk.plex.library.quirks.isRemovalOneNameOnly = true;
    const first = known(await desk.deliver({ ...FULL, tags: ['a', 'b', 'c'] }));
    expect(await desk.deliver({ ...FULL, tags: [] }, first)).toMatchObject({ kind: 'written', unmet: [] });
    expect(tagsIn(desk.plex)).toEqual([]);
  });

  test('a server that merges tags by case keeps its spelling, and is not written to for ever', async () => {
    const desk = await startDesk({ items: 2, tagMode });
    desk.plex.library.quirks.isTagCaseMerged = true;
    desk.plex.library.tagRecord('genre', 'ONE');
    const first = await desk.deliver(FULL);
    expect(first).toMatchObject({ kind: 'written', unmet: [] });
    expect(tagsIn(desk.plex)).toContain('ONE');

    const again = await desk.watch(FULL, known(first));
    expect(again.delivery.kind).toBe('unchanged');
    await desk.deliver({ ...FULL, tags: ['three'] }, known(again.delivery));
    expect(tagsIn(desk.plex)).toEqual(['three']);
  });

  test('a server that holds only so many tags: what is unmet is said after a second try', async () => {
    const desk = await startDesk({ items: 1, tagMode });
    desk.plex.addFault({ kind: 'tagsCapped', max: 2 });
    const { delivery, requests } = await desk.watch(FULL);

    expect(delivery).toMatchObject({ kind: 'written', unmet: ['genre'] });
    expect(writes(requests)).toHaveLength(2);
    expect(tagsIn(desk.plex)).toEqual(['one', 'two, too']);
  });

  test('a server that shows an edit late: what is unmet is said, and met the next time', async () => {
    const desk = await startDesk({ items: 1, tagMode });
    const late = desk.plex.addFault({ kind: 'lateEdit', ms: 600_000 });
    const { delivery, requests } = await desk.watch(FULL);

    expect(delivery).toMatchObject({
      kind: 'written',
      unmet: ['title', 'studio', 'summary', 'originallyAvailableAt', 'genre', 'actor'],
    });
    expect(writes(requests)).toHaveLength(2);
    desk.plex.removeFault(late);
    expect(await desk.deliver(FULL, known(delivery))).toMatchObject({ kind: 'written', unmet: [] });
  });

  test('a server that shows an edit late: a tag that is to be dropped and is still there stays ours to drop', async () => {
    const desk = await startDesk({ items: 1, tagMode });
    const first = await desk.deliver({ ...FULL, tags: ['one'] });
    desk.plex.addFault({ kind: 'lateEdit', ms: 600_000 });
    const second = await desk.deliver({ ...FULL, tags: ['two'] }, known(first));
    expect(second).toMatchObject({ kind: 'written', unmet: ['genre'], own: { genre: ['two', 'one'] } });
  });

  test('a server that may still do an edit: that it shows what is wanted now is not certain, and our tags stay ours', async () => {
    const desk = await startDesk({ items: 1, tagMode });
    desk.plex.addFault({ kind: 'lateEdit', ms: 600_000 });
    await desk.deliver({ ...FULL, tags: ['late'] });
    const unseen = { item: '1001', own: desk.intents[0]!.own, unseen: desk.intents[0]!.digest };
    const asBefore = sceneWith({ title: 'clip 1' });
    expect(await desk.deliver(asBefore, unseen)).toMatchObject({
      kind: 'unchanged',
      isCertain: false,
      own: { genre: ['late'] },
    });
    const { unseen: _, ...seen } = unseen;
    expect(await desk.deliver(asBefore, seen)).toMatchObject({ kind: 'unchanged', isCertain: true, own: {} });
  });

  test('what was written before and is shown now is certain', async () => {
    const desk = await startDesk({ items: 1, tagMode });
    const written = await desk.deliver(FULL);
    const unseen = { ...known(written), unseen: desk.intents[0]!.digest };
    expect(await desk.deliver(FULL, unseen)).toMatchObject({ kind: 'unchanged', isCertain: true });
  });

  test('an edit that was done though its answer was lost is not done again', async () => {
    const desk = await startDesk({ items: 1, tagMode });
    const cut = desk.plex.addFault({ kind: 'resetAfter', method: 'PUT' });
    const first = await desk.deliver(FULL);
    expect(first).toMatchObject({ kind: 'failed', failure: { class: 'outage', symptom: 'reset' } });
    desk.plex.removeFault(cut);

    // What the journal knows is what was announced before the write.
    const [intent] = desk.intents;
    const again = await desk.watch(FULL, { item: intent!.item, own: intent!.own });
    expect(again.delivery).toMatchObject({ kind: 'unchanged', item: '1001', own: intent!.own });
    expect(again.requests).toEqual(['GET /library/metadata/1001']);
    expect(tagsIn(desk.plex)).toEqual(['one', 'two, too', 'three']);
  });

  test('a removal whose answer was lost leaves nothing of ours behind, whether it was done or not', async () => {
    for (const kind of ['resetAfter', 'reset'] as const) {
      const desk = await startDesk({ items: 1, tagMode });
      const before = known(await desk.deliver(FULL));
      const cut = desk.plex.addFault({ kind, method: 'PUT' });
      const less = { ...FULL, tags: ['one'] };
      expect((await desk.deliver(less, before)).kind).toBe('failed');
      desk.plex.removeFault(cut);

      const after = await desk.deliver(less, { item: '1001', own: desk.intents.at(-1)!.own });
      expect(after, kind).toMatchObject({ own: { genre: ['one'] } });
      expect(tagsIn(desk.plex), kind).toEqual(['one']);
    }
  });

  test('any history of edits ends with what Stash says and what others put there', async () => {
    const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c, d', 'e%f', 'é', 'g h'), { maxLength: 5 });
    const step = fc.record({ tags: names, performers: names, isOneNameOnly: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 4 }), names, async (steps, theirs) => {
        const desk = await startDesk({ tagMode });
        const file = FULL.files[0]!;
        desk.plex.library.addItem({ file, ratingKey: '1001', tags: { genre: theirs } });
        let last: Known | undefined;
        for (const { tags, performers, isOneNameOnly } of steps) {
          desk.plex.library.quirks.isRemovalOneNameOnly = isOneNameOnly;
          last = known(
            await desk.deliver({ ...FULL, tags, performers: performersNamed(...performers) }, last),
          );
          expect(new Set(tagsIn(desk.plex))).toEqual(new Set([...theirs, ...tags]));
          expect(new Set(tagsIn(desk.plex, 'actor'))).toEqual(new Set(performers));
        }
        await desk.plex.close();
      }),
      { numRuns: process.env.BREAKWATER_LONG === '1' ? 500 : 15 },
    );
  });
});

describe('what is announced before the write', () => {
  test('is every change with the value before, and our tags as they may be', async () => {
    const desk = await startDesk();
    const fields = { summary: 'theirs' };
    desk.plex.library.addItem({
      file: FULL.files[0]!,
      ratingKey: '1001',
      title: 'old',
      fields,
      tags: { genre: ['x'] },
    });
    await desk.deliver(sceneWith({ title: 'new', details: 'ours', tags: ['one'] }));

    expect(desk.intents).toEqual([
      {
        item: '1001',
        changes: [
          { field: 'title', before: 'old', after: 'new' },
          { field: 'summary', before: 'theirs', after: 'ours' },
          { field: 'genre', before: ['x'], after: ['one', 'x'] },
        ] satisfies FieldChange[],
        own: { genre: ['one'] } satisfies OwnTags,
        digest: expect.stringMatching(/^[0-9a-f]{16}$/),
      },
    ]);
  });

  test('comes before the write: when it cannot be written down, Plex is not changed', async () => {
    const desk = await startDesk({ items: 1 });
    const full = async () => {
      throw new Error('no space left on device');
    };
    await expect(desk.deliver(FULL, undefined, full)).rejects.toThrow('no space left');
    expect(desk.plex.requests.filter(({ method }) => method === 'PUT')).toEqual([]);
    expect(desk.plex.library.byRatingKey('1001')!.fields).toEqual({ title: 'clip 1' });
  });
});

describe('nothing is written', () => {
  test('for a scene without values and tags of ours, and nothing is even asked (invariant 21)', async () => {
    const desk = await startDesk();
    const item = desk.plex.library.addItem({
      file: FULL.files[0]!,
      ratingKey: '1001',
      title: 'theirs',
      tags: { genre: ['theirs'] },
    });
    for (const scene of [sceneWith(), sceneWith({ title: ' \u0000', tags: [''], date: 'soon' })]) {
      const { delivery, requests } = await desk.watch(scene, { item: '1001', own: { genre: [] } });
      expect(delivery).toEqual({ kind: 'withheld' });
      expect(requests).toEqual([]);
    }
    expect(item.fields.title).toBe('theirs');
  });

  test('over a date by a scene that knows only the year', async () => {
    const desk = await startDesk();
    const fields = { originallyAvailableAt: '2020-02-02' };
    const item = desk.plex.library.addItem({ file: FULL.files[0]!, fields });
    await desk.deliver({ ...FULL, date: '2024' });
    expect(item.fields).toMatchObject({ title: 'A title', originallyAvailableAt: '2020-02-02' });
  });

  test('for a scene without a file', async () => {
    const desk = await startDesk({ items: 1 });
    const { delivery, requests } = await desk.watch({ ...FULL, files: [] });
    expect(delivery).toEqual({ kind: 'no-file' });
    expect(requests).toEqual([]);
  });

  test('when no item has the file; one with that name elsewhere is told, not taken', async () => {
    const desk = await startDesk();
    desk.plex.library.addItem({ file: '/media/scenes/elsewhere/clip 1.mp4' });
    const { delivery, requests } = await desk.watch(FULL);
    expect(delivery).toEqual({ kind: 'missing', near: ['/media/scenes/elsewhere/clip 1.mp4'], rivals: [] });
    expect(writes(requests)).toEqual([]);
  });

  test('when two items have the file', async () => {
    const desk = await startDesk();
    desk.plex.library.addItem({ file: FULL.files[0]!, section: '3', ratingKey: '1' });
    desk.plex.library.addItem({ file: FULL.files[0]!, section: '4', ratingKey: '2' });
    const { delivery, requests } = await desk.watch(FULL);
    expect(delivery.kind).toBe('ambiguous');
    expect(delivery.kind === 'ambiguous' && delivery.candidates.map(({ ratingKey }) => ratingKey)).toEqual([
      '1',
      '2',
    ]);
    expect(writes(requests)).toEqual([]);
  });

  test('to an item in the trash: listed, but not there', async () => {
    const desk = await startDesk();
    desk.plex.library.addItem({ file: FULL.files[0]!, isTrashed: true });
    const { delivery, requests } = await desk.watch(FULL);
    expect(delivery).toEqual({ kind: 'missing', near: [], rivals: [] });
    expect(writes(requests)).toEqual([]);
  });
});

describe('a remembered item', () => {
  test('that is gone is searched anew', async () => {
    const desk = await startDesk({ items: 1 });
    const { delivery, requests } = await desk.watch(FULL, { item: '4711', own: {} });
    expect(delivery).toMatchObject({ kind: 'written', item: '1001', unmet: [] });
    expect(requests[0]).toBe('GET /library/metadata/4711');
  });

  test('that is another one now is not written to', async () => {
    const desk = await startDesk({ items: 2 });
    const delivery = await desk.deliver(FULL, { item: '1002', own: {} });
    expect(delivery).toMatchObject({ kind: 'written', item: '1001' });
    expect(desk.plex.library.byRatingKey('1002')!.fields).toEqual({ title: 'clip 2' });
  });

  test('keeps our tags when the library was made anew under other keys', async () => {
    const desk = await startDesk({ items: 1 });
    const first = known(await desk.deliver(FULL));
    desk.plex.library.removeItem('1001');
    desk.plex.library.addItem({
      file: FULL.files[0]!,
      ratingKey: '2001',
      tags: { genre: ['one', 'two, too'] },
    });
    const delivery = await desk.deliver({ ...FULL, tags: ['one'] }, first);
    expect(delivery).toMatchObject({ kind: 'written', item: '2001', own: { genre: ['one'] } });
    expect(tagsIn(desk.plex, 'genre', '2001')).toEqual(['one']);
  });
});

describe('a scene with several files', () => {
  test('is found by any of them; each base name is asked for once', async () => {
    const desk = await startDesk();
    desk.plex.library.addItem({ file: '/media/scenes/b/second.mp4', ratingKey: '1001' });
    const files = ['/media/scenes/a/first.mp4', '/media/scenes/b/second.mp4', '/media/scenes/c/first.mp4'];
    const { delivery, requests } = await desk.watch({ ...FULL, files });
    expect(delivery).toMatchObject({ kind: 'written', item: '1001' });
    expect(requests.filter((request) => request.endsWith('/sections/3/all'))).toHaveLength(2);
  });

  test('under a path map', async () => {
    const desk = await startDesk({ items: 1 }, 'D:\\clips => /media/scenes');
    const delivery = await desk.deliver({ ...FULL, files: ['D:\\clips\\clip 1.mp4'] });
    expect(delivery).toMatchObject({ kind: 'written', item: '1001' });
  });

  test('with every character that means something in an address', async () => {
    const desk = await startDesk();
    const file = '/media/scenes/a & b+c #1 100% [x]?=é湖.mp4';
    desk.plex.library.addItem({ file, ratingKey: '1001' });
    expect(await desk.deliver({ ...FULL, files: [file] })).toMatchObject({ kind: 'written', item: '1001' });
  });

  test('whose name is decomposed on the disk', async () => {
    const desk = await startDesk();
    const file = '/media/scenes/cafe\u0301.mp4';
    desk.plex.library.addItem({ file, ratingKey: '1001' });
    expect(await desk.deliver({ ...FULL, files: [file] })).toMatchObject({ kind: 'written', item: '1001' });
  });
});

describe('where Plex sees the files under other folders, and no path map says so', () => {
  const docker = { ...FULL, files: ['/data/scenes/A/x.mp4'] };

  test('the item is found by the end of its path, and again by one request', async () => {
    const desk = await startDesk();
    desk.plex.library.addItem({ file: '/media/scenes/A/x.mp4', ratingKey: '1001' });
    const first = await desk.deliver(docker);
    expect(first).toMatchObject({ kind: 'written', item: '1001' });
    const { delivery, requests } = await desk.watch(docker, known(first));
    expect(delivery.kind).toBe('unchanged');
    // The libraries are asked for once by a drainer.
    expect(requests).toEqual(['GET /library/metadata/1001', 'GET /library/sections']);
  });

  test('the item of another scene of that name is left alone', async () => {
    const rival = { id: '2', files: ['/more/scenes/A/x.mp4'], fileSizes: {} };
    const desk = await startDesk({}, '', [rival]);
    desk.plex.library.addItem({ file: '/media/scenes/A/x.mp4' });
    const { delivery, requests } = await desk.watch(docker);
    expect(delivery).toEqual({ kind: 'missing', near: ['/media/scenes/A/x.mp4'], rivals: rival.files });
    expect(writes(requests)).toEqual([]);
  });

  test('what is remembered is not trusted when its file is another studio’s', async () => {
    const desk = await startDesk();
    desk.plex.library.addItem({ file: '/media/scenes/B/x.mp4', ratingKey: '1001' });
    const { delivery, requests } = await desk.watch(docker, { item: '1001', own: {} });
    expect(delivery).toMatchObject({ kind: 'missing', near: ['/media/scenes/B/x.mp4'] });
    expect(writes(requests)).toEqual([]);
  });
});

test('a name whose accents a Mac has parted is found though Plex has them composed', async () => {
  const desk = await startDesk();
  desk.plex.library.addItem({ file: '/media/scenes/caf\u00e9.mp4', ratingKey: '1001' });
  const delivery = await desk.deliver({ ...FULL, files: ['/media/scenes/cafe\u0301.mp4'] });
  expect(delivery).toMatchObject({ kind: 'written', item: '1001' });
});

test('a file that Plex takes in after it was not found is found by the next try', async () => {
  const desk = await startDesk();
  desk.plex.library.placeFile({ file: FULL.files[0]! });
  expect((await desk.deliver(FULL)).kind).toBe('missing');
  desk.plex.library.scan('3');
  expect((await desk.deliver(FULL)).kind).toBe('written');
});

describe('a failure on the way is the delivery, with its class', () => {
  const steps: readonly (readonly [string, Partial<Fault>])[] = [
    ['asking for the libraries', { path: '/library/sections', skip: 0 }],
    ['searching', { path: '/^.library.sections.3.all/' }],
    ['reading the item', { path: '/library/metadata' }],
    ['writing', { path: '/library/metadata', method: 'PUT' }],
    ['reading back', { path: '/library/metadata', method: 'GET', skip: 1 }],
  ];

  test.each(steps)('%s', async (_step, scope) => {
    const desk = await startDesk({ items: 1 });
    desk.plex.addFault({ ...scope, kind: 'badGateway' } as Fault);
    expect(await desk.deliver(FULL)).toMatchObject({
      kind: 'failed',
      failure: { class: 'outage', symptom: 'bad-gateway', opensAfter: 2 },
    });
  });

  test('of a remembered item it is not taken for a stale key: nothing is searched', async () => {
    const desk = await startDesk({ items: 1 });
    desk.plex.addFault({ kind: 'maintenance', path: '/library/metadata' });
    const { delivery, requests } = await desk.watch(FULL, { item: '1001', own: {} });
    expect(delivery).toMatchObject({ kind: 'failed', failure: { class: 'maintenance' } });
    expect(requests).toHaveLength(1);
  });

  test('an edit that Plex refuses is rejected', async () => {
    const desk = await startDesk({ items: 1 });
    desk.plex.addFault({ kind: 'status', code: 400, method: 'PUT' });
    expect(await desk.deliver(FULL)).toMatchObject({ kind: 'failed', failure: { class: 'rejected' } });
  });

  test('an item that goes between the write and the read is missing', async () => {
    const desk = await startDesk({ items: 1 });
    desk.plex.addFault({ kind: 'notFound', path: '/library/metadata', method: 'GET', skip: 1 });
    expect(await desk.deliver(FULL)).toEqual({ kind: 'missing', near: [], rivals: [] });
  });
});

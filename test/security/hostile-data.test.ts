// Answers of a sound shape with some part replaced, served over the wire to the real clients and delivered: nothing throws,
// nothing that is written to the journal is void, and what does not lead on is not asked for again.

import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { MemoryJournal } from '../../src/breaker/journal/memory-journal.ts';
import type { PlexClient } from '../../src/plex/plex-client.ts';
import { itemOf } from '../../src/plex/plex-item.ts';
import type { QueueEvent } from '../../src/queue/events.ts';
import { QueueLog } from '../../src/queue/queue-log.ts';
import { NO_RECONCILIATION, sum } from '../../src/queue/reconciliation.ts';
import { countGaps } from '../../src/reconcile/gaps.ts';
import { reconcilePage } from '../../src/reconcile/page.ts';
import { StashClient } from '../../src/stash/stash-client.ts';
import { deliver } from '../../src/sync/deliver.ts';
import { differenceOf, editOf } from '../../src/sync/difference.ts';
import { DEFAULT_MODES, DEFAULT_SYNC, type SyncOptions } from '../../src/sync/fields.ts';
import { scanSign } from '../../src/sync/folder-scan.ts';
import { chosenLibraries } from '../../src/sync/libraries.ts';
import { SectionIndex } from '../../src/sync/section-index.ts';
import { wantedOf } from '../../src/sync/wanted.ts';
import { httpServer } from '../support/bare-servers.ts';
import { FakeClock, fakeWriter } from '../support/fake-writer.ts';
import { mutated } from '../support/nonsense.ts';
import { connect, startPlexAndClient, TOKEN, unwrap } from '../support/plex-fixture.ts';
import { PROPERTY_RUNS } from '../support/property-runs.ts';
import { performersNamed, sceneWith } from '../support/stash-scenes.ts';
import { NO_COVER, NO_OTHERS, TEXT_AND_TAGS } from '../support/sync-options.ts';

/** Over the wire a run costs some milliseconds. */
const WIRE_RUNS = { numRuns: Math.min(PROPERTY_RUNS.numRuns / 3, 1_500) };
const SCENE = sceneWith({
  title: 'T',
  details: 'D',
  studio: 'S',
  date: '2024-05-06',
  tags: ['a', 'b'],
  performers: performersNamed('Ann', 'constructor', '__proto__', 'toString'),
});
const MIRROR: SyncOptions = {
  ...DEFAULT_SYNC,
  roleFrom: 'disambiguation',
  modes: { ...DEFAULT_MODES, poster: 'off', background: 'off', tags: 'mirror', performers: 'mirror' },
};

async function newQueue(): Promise<QueueLog> {
  return QueueLog.open(new MemoryJournal(), fakeWriter(new FakeClock()));
}

/** A server on which each answer is what is set at that moment. */
async function servant() {
  const state = { answerTo: (_path: string): unknown => ({}) };
  const { port } = await httpServer((request, response) => {
    request.resume();
    request.on('end', () => response.end(JSON.stringify(state.answerTo(request.url ?? ''))));
  });
  return { state, url: `http://127.0.0.1:${port}` };
}

describe('Plex answers with some part replaced', () => {
  /** What the simulated Plex says to the questions of a delivery. */
  async function soundAnswers() {
    const { plex, client } = await startPlexAndClient({ items: 2 });
    const tags = new URLSearchParams({
      'genre[0].tag.tag': 'old',
      'actor[0].tag.tag': 'Ann',
      'actor[0].tagging.text': 'x',
    });
    unwrap(await client.edit(itemOf({ ratingKey: '1001' })!, tags));
    const ask = async (path: string) => {
      const headers = { accept: 'application/json', 'x-plex-token': TOKEN };
      return (await (await fetch(`${plex.url}${path}`, { headers })).json()) as object;
    };
    return {
      sections: await ask('/library/sections'),
      listing: await ask('/library/sections/3/all?type=1&file=clip%201.mp4'),
      item: await ask('/library/metadata/1001'),
      images: await ask('/library/metadata/1001/posters'),
      identity: await ask('/identity'),
    };
  }

  test('a delivery comes to an end, and what it notes can be read again', async () => {
    const sound = await soundAnswers();
    const { state, url } = await servant();
    const client = connect(url);
    const kinds = new Set<string>();
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          sections: mutated(sound.sections),
          listing: mutated(sound.listing),
          item: mutated(sound.item),
          identity: mutated(sound.identity),
        }),
        async (answers) => {
          state.answerTo = (path) => {
            if (path.startsWith('/library/metadata')) return answers.item;
            if (path.startsWith('/library/sections/')) return answers.listing;
            return path.startsWith('/identity') ? answers.identity : answers.sections;
          };
          const queue = await newQueue();
          const upTo = 1;
          const result = await deliver(SCENE, undefined, {
            plex: client,
            covers: NO_COVER,
            scenesWithFile: NO_OTHERS,
            sync: MIRROR,
            sections: () => libraries(client),
            pathRules: [],
            // Throws at what would be void, or too long for a line.
            beforeWrite: (intent) =>
              queue.appendOrThrow({ type: 'job.attempted', job: 'scene:1', ...intent }),
            beforeEdit: async () => {},
          });
          kinds.add(result.kind);
          await client.probe('');
          if (result.kind !== 'written' && result.kind !== 'unchanged') return;
          const { item, own, digest } = result;
          await queue.appendOrThrow({
            type: 'job.delivered',
            job: 'scene:1',
            upTo,
            result: result.kind,
            item,
            own,
            digest,
          });
        },
      ),
      WIRE_RUNS,
    );
    expect([...kinds].sort()).toEqual(expect.arrayContaining(['failed', 'missing', 'written']));
  });

  test('a page of a reconciliation and its index are made of them', async () => {
    const sound = await soundAnswers();
    const { state, url } = await servant();
    const client = connect(url);
    await fc.assert(
      fc.asyncProperty(
        mutated(sound.listing),
        mutated(sound.item),
        mutated(sound.sections),
        async (listing, item, sections) => {
          let pages = 0;
          state.answerTo = (path) => {
            if (path.startsWith('/library/metadata')) return item;
            if (!path.startsWith('/library/sections/')) return sections;
            pages += 1;
            return pages > 3 ? { MediaContainer: {} } : listing;
          };
          const page = await reconcilePage(
            { since: null, newSince: null, depth: 'plex', isMissingOnly: false, libraries: [] },
            0,
            (await newQueue()).queue,
            {
              stash: {
                scenesWithFile: NO_OTHERS,
                scenesAfter: async () => ({
                  ok: true,
                  value: { scenes: [SCENE], lastId: 1, isLast: true, left: 0 },
                }),
              },
              plex: client,
              libraries: () => libraries(client),
              index: async () => {
                const chosen = await libraries(client);
                return chosen.ok ? SectionIndex.build(client, chosen.value) : chosen;
              },
              pathRules: [],
              sync: MIRROR,
            },
          );
          if (page.kind !== 'page') return;
          const queue = await newQueue();
          await queue.appendOrThrow({
            type: 'reconcile.advanced',
            cursor: 1,
            checked: 1,
            left: 0,
            gaps: countGaps(page.gaps, page.skipped),
          });
        },
      ),
      WIRE_RUNS,
    );
  });

  async function libraries(client: PlexClient) {
    const all = await client.sections();
    return all.ok ? chosenLibraries(all.value, []) : all;
  }
});

describe('Stash answers with some part replaced', () => {
  const scene = {
    id: '1',
    title: 't',
    rating100: 50,
    studio: { name: 's' },
    performers: [{ id: '2', name: 'p', disambiguation: '' }],
    tags: [{ name: 'a' }],
    files: [{ path: '/media/scenes/clip 1.mp4' }],
    groups: [{ group: { name: 'g' } }],
    updated_at: '2026-01-01T00:00:00Z',
  };
  const sound = {
    data: {
      configuration: { plugins: { breakwater: { plexUrl: 'x' } }, general: { apiKey: 'k' } },
      __type: { inputFields: [{ name: 'groups' }] },
      findScenes: { count: 2, scenes: [scene, { ...scene, id: '2' }] },
      s0: scene,
    },
  };

  test('every question is answered by a value, in which each scene has an id that can be queued', async () => {
    const { state, url } = await servant();
    await fc.assert(
      fc.asyncProperty(mutated(sound), async (answer) => {
        state.answerTo = () => answer;
        const stash = new StashClient({ origin: url, credential: { kind: 'none' } });
        try {
          await stash.settings('breakwater');
          await stash.apiKey();
          const scenes = await stash.scenes(['1']);
          if (scenes.ok) for (const found of scenes.value.values()) wantedOf(found, MIRROR);
          const queue = await newQueue();
          const queued = (id: string): QueueEvent => ({ type: 'job.queued', job: `scene:${id}`, cause: 'x' });
          const shared = await stash.scenesWith('tag', '5');
          if (shared.ok) await queue.appendOrThrow(...shared.value.map(queued));
          const page = await stash.scenesAfter(0, 100);
          if (!page.ok) return;
          await queue.appendOrThrow(...page.value.scenes.map(({ id }) => queued(id)));
          const { lastId: cursor, left } = page.value;
          await queue.appendOrThrow({ type: 'reconcile.advanced', cursor, checked: 1, left, gaps: NO_GAPS });
        } finally {
          await stash.close();
        }
      }),
      WIRE_RUNS,
    );
  });

  test.each([
    ['the same page again and again', ['1', '2', '3']],
    ['ids that are none', ['0', '-1', '1e9', '../4', 'Infinity']],
    ['pages without an end of ids without a number', [null, {}, [], 'NaN']],
  ])('%s: the page that leads nowhere is the last', async (_what, ids) => {
    const { state, url } = await servant();
    const scenes = ids.map((id) => ({ ...scene, id }));
    state.answerTo = () => ({ data: { findScenes: { count: -1e300, scenes } } });
    const stash = new StashClient({ origin: url, credential: { kind: 'none' } });
    onTestFinished(() => stash.close());
    const page = await stash.scenesAfter(3, ids.length);
    expect(page).toMatchObject({ ok: true, value: { lastId: 3, isLast: true } });
  });
});

const NO_GAPS = { kinds: {}, fields: {}, libraries: {} };

test('half a character in a key or a tag of Plex stops nothing', () => {
  const item = itemOf({ ratingKey: '\ud800', Genre: [{ tag: 'a\udc00b' }] })!;
  expect(item.ratingKey.isWellFormed()).toBe(true);
  const stance = {
    own: {},
    ownDate: null,
    unseen: null,
    modes: { ...DEFAULT_MODES, tags: 'mirror' as const },
    spared: {},
  };
  const edit = editOf(differenceOf(wantedOf(SCENE, DEFAULT_SYNC), item, stance));
  expect(edit.get('genre[].tag.tag-')).toBe(encodeURIComponent('a\ufffdb'));
});

describe('more than was asked for', () => {
  test('a page of 100 000 scenes is cut to what was asked, and the next begins behind that', async () => {
    const { state, url } = await servant();
    const scenes = Array.from({ length: 100_000 }, (_, index) => ({ id: index + 1 }));
    state.answerTo = () => ({ data: { findScenes: { count: 3, scenes } } });
    const stash = new StashClient({ origin: url, credential: { kind: 'none' } });
    onTestFinished(() => stash.close());
    const page = await stash.scenesAfter(0, 100);
    expect(page.ok ? [page.value.scenes.length, page.value.lastId, page.value.isLast] : page).toEqual([
      100,
      100,
      false,
    ]);
  });

  test('a library that says the same on every page, all of one name, is read twice and found quickly', async () => {
    const { state, url } = await servant();
    const Metadata = Array.from({ length: 20_000 }, (_, index) => ({
      ratingKey: String(index),
      Media: [{ Part: [{ file: `/media/${index}/movie.mp4` }] }],
    }));
    let asked = 0;
    state.answerTo = () => {
      asked += 1;
      return { MediaContainer: { Metadata } };
    };
    const client = connect(url);
    const sections = [{ key: '3', type: 'movie', title: 'x', locations: [], scannedAt: '' }];
    const index = unwrap(await SectionIndex.build(client, sections));
    expect(asked).toBe(2);
    expect(index.find('MOVIE.mp4')).toHaveLength(20_000);
  });

  test('a search that finds 200 000 items is ambiguous or missing, not a stack that is too deep', async () => {
    const { state, url } = await servant();
    const Metadata = Array.from({ length: 200_000 }, (_, index) => ({ ratingKey: index }));
    state.answerTo = (path) =>
      path === '/library/sections'
        ? { MediaContainer: { Directory: [{ key: '3', type: 'movie' }] } }
        : { MediaContainer: { Metadata } };
    const client = connect(url);
    const result = await deliver(SCENE, undefined, {
      plex: client,
      covers: NO_COVER,
      scenesWithFile: NO_OTHERS,
      sync: TEXT_AND_TAGS,
      sections: () => client.sections(),
      pathRules: [],
      beforeWrite: async () => {},
      beforeEdit: async () => {},
    });
    expect(result.kind).toBe('missing');
  });
});

describe('what is too much for one line of the journal', () => {
  test('an item of Plex is given up with a reason, before anything is written', async () => {
    const { state, url } = await servant();
    const tags = Array.from({ length: 500 }, (_, index) => ({ tag: `${index}${'x'.repeat(1_000)}` }));
    const Metadata = [
      { ratingKey: '7', librarySectionID: 3, Media: [{ Part: [{ file: SCENE.files[0] }] }], Genre: tags },
    ];
    state.answerTo = (path) =>
      path === '/library/sections'
        ? { MediaContainer: { Directory: [{ key: '3', type: 'movie', title: 'Scenes' }] } }
        : { MediaContainer: { Metadata } };
    const client = connect(url);
    const result = await deliver(SCENE, undefined, {
      plex: client,
      covers: NO_COVER,
      scenesWithFile: NO_OTHERS,
      sync: TEXT_AND_TAGS,
      sections: () => client.sections(),
      pathRules: [],
      beforeWrite: async () => expect.unreachable('nothing is to be written'),
      beforeEdit: async () => expect.unreachable('nothing is to be edited'),
    });
    expect(result).toMatchObject({ kind: 'failed', failure: { class: 'rejected', symptom: 'too-large' } });
  });

  test('names and scans of libraries are shortened', () => {
    const sections = Array.from({ length: 3_000 }, (_, key) => ({
      key: String(key),
      type: 'photo',
      title: 'x'.repeat(200),
      locations: [],
      scannedAt: '1',
    }));
    expect(scanSign(sections).length).toBeLessThan(600);
    expect(scanSign(sections)).not.toBe(scanSign(sections.slice(1)));
    const chosen = chosenLibraries(sections, []);
    expect(chosen.ok ? '' : chosen.failure.detail.length).toBeLessThan(700);
  });
});

describe('names of what every object has', () => {
  test('performers: no role of theirs is made up', () => {
    const item = itemOf({ ratingKey: '1', Role: [{ tag: 'toString' }] })!;
    const names = ['constructor', '__proto__', 'toString', 'hasOwnProperty'];
    const performers = performersNamed(...names).map((one) => ({
      ...one,
      disambiguation: `role of ${one.name}`,
    }));
    const stance = { own: {}, ownDate: null, unseen: null, modes: DEFAULT_MODES, spared: {} };
    const plain = editOf(differenceOf(wantedOf(sceneWith({ performers }), DEFAULT_SYNC), item, stance));
    expect([...plain.keys()].filter((key) => key.includes('tagging') || key.includes('thumb'))).toEqual([]);
    const cast = editOf(differenceOf(wantedOf(sceneWith({ performers }), MIRROR), item, stance));
    expect(names.map((_, index) => cast.get(`actor[${index}].tagging.text`))).toEqual(
      names.map((name) => `role of ${name}`),
    );
  });

  test('libraries: they are counted like any other', () => {
    const gap = { scene: '1', kind: 'changed', item: '1', changes: [], detail: '' } as const;
    const gaps = ['constructor', '__proto__', 'constructor'].map((library) => ({ ...gap, library }));
    const counted = JSON.parse('{"constructor":2,"__proto__":1}');
    expect(countGaps(gaps, []).libraries).toEqual(counted);
    const twice = sum(countGaps(gaps, []), countGaps(gaps, []));
    expect(Object.entries(twice.libraries).sort()).toEqual([
      ['__proto__', 2],
      ['constructor', 4],
    ]);
  });
});

test('an event of no sense is not appended: whoever tries hears of it', async () => {
  const queue = await newQueue();
  await expect(queue.append({ type: 'job.queued', job: 'scene:../1', cause: 'x' })).rejects.toThrow(
    /would be void/,
  );
  expect(queue.position).toBe(0);
  expect(queue.queue.reconciliation).toEqual(NO_RECONCILIATION);
});

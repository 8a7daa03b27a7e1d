import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { itemOf, type PlexItem } from '../../src/plex/plex-item.ts';
import type { SceneFiles } from '../../src/stash/stash-client.ts';
import {
  hasFile,
  isStillItem,
  matchByEnd,
  matchByPath,
  mayMatchByEnd,
  namesToAsk,
  type Places,
} from '../../src/sync/match.ts';
import { type PathRule, parsePathMap } from '../../src/sync/path-map.ts';
import { PROPERTY_RUNS } from '../support/property-runs.ts';

function item(ratingKey: string, ...files: string[]): PlexItem {
  return itemOf({ ratingKey, librarySectionID: 3, Media: [{ Part: files.map((file) => ({ file })) }] })!;
}

function rules(text: string): readonly PathRule[] {
  const parsed = parsePathMap(text);
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.rules;
}

function scene(id: string, ...files: string[]): SceneFiles {
  return { id, files, fileSizes: {} };
}

function places(map: string, ...locations: string[]): Places {
  return { rules: rules(map), libraries: [{ key: '3', locations }] };
}

describe('by full path a scene is the item', () => {
  test('that has its file', () => {
    const right = item('1', '/media/a/clip.mp4');
    expect(matchByPath(['/media/a/clip.mp4'], [], [item('2', '/media/b/clip.mp4'), right])).toEqual({
      kind: 'found',
      item: right,
    });
  });

  test('that has any of its files, in any of its versions and parts', () => {
    const versions = itemOf({
      ratingKey: '1',
      Media: [
        { Part: [{ file: '/m/1080.mp4' }] },
        { Part: [{ file: '/m/cd1.mp4' }, { file: '/m/cd2.mp4' }] },
      ],
    })!;
    for (const file of versions.files) {
      expect(matchByPath(['/m/other.mp4', file], [], [versions])).toEqual({ kind: 'found', item: versions });
    }
  });

  test('once, though the item was found for each of several files', () => {
    const both = item('1', '/m/a.mp4', '/m/b.mp4');
    expect(matchByPath(['/m/a.mp4', '/m/b.mp4'], [], [both, { ...both }])).toMatchObject({ kind: 'found' });
  });

  test('under the path map', () => {
    const found = item('1', '/media/a.mp4');
    expect(matchByPath(['/data/a.mp4'], rules('/data => /media'), [found])).toMatchObject({ kind: 'found' });
    expect(matchByPath(['/data/a.mp4'], [], [found])).toBeNull();
  });

  test('on Windows, in either spelling of separators and case', () => {
    const windows = item('1', 'D:\\Clips\\A.mp4');
    expect(matchByPath(['d:/clips/a.MP4'], [], [windows])).toMatchObject({ kind: 'found' });
    expect(
      matchByPath(['\\\\nas\\clips\\A.mp4'], rules('\\\\nas\\clips => D:\\Clips'), [windows]),
    ).toMatchObject({ kind: 'found' });
  });

  test('though a Mac has parted the accents of its name', () => {
    const composed = item('1', '/m/caf\u00e9.mp4');
    expect(matchByPath(['/m/cafe\u0301.mp4'], [], [composed])).toMatchObject({ kind: 'found' });
    expect(namesToAsk(['/m/cafe\u0301.mp4'], [])).toEqual([['cafe\u0301.mp4', 'caf\u00e9.mp4']]);
    expect(namesToAsk(['/m/plain.mp4'], [])).toEqual([['plain.mp4']]);
  });

  test('never when it has another file, another case where case counts, or only the end of the name', () => {
    for (const file of ['/media/a.mp4', '/media/Clip.mp4', '/media/my clip.mp4', '/clip.mp4']) {
      expect(matchByPath([file], [], [item('1', '/media/clip.mp4'), item('2')])).toBeNull();
    }
  });

  test('of several, which are told and never chosen from', () => {
    const [one, two] = [item('1', '/m/a.mp4'), item('2', '/m/a.mp4')];
    expect(matchByPath(['/m/a.mp4'], [], [one, two])).toEqual({ kind: 'ambiguous', candidates: [one, two] });
    expect(matchByPath(['/m/a.mp4', '/m/b.mp4'], [], [one, item('3', '/m/b.mp4')])).toMatchObject({
      kind: 'ambiguous',
    });
  });
});

test('an item is verified by file, so that a key which now means another item is noticed', () => {
  expect(hasFile(item('1', '/m/a.mp4'), ['/m/a.mp4'], [])).toBe(true);
  expect(hasFile(item('1', '/m/b.mp4'), ['/m/a.mp4'], [])).toBe(false);
  const docker = places('', '/media');
  expect(isStillItem(item('1', '/media/A/x.mp4'), scene('1', '/data/A/x.mp4'), docker)).toBe(true);
  expect(isStillItem(item('1', '/media/B/x.mp4'), scene('1', '/data/A/x.mp4'), docker)).toBe(false);
});

describe('by the end of the path, where Plex sees the files under other folders', () => {
  const find = (file: string, items: PlexItem[], where: Places, others: SceneFiles[] = []) =>
    matchByEnd(scene('1', file), others, items, where);

  test('a scene is the item whose path below its library is how its own ends', () => {
    const right = item('1', '/media/scenes/A/x.mp4');
    expect(find('/data/scenes/A/x.mp4', [right], places('', '/media'))).toEqual({
      kind: 'found',
      item: right,
    });
    expect(find('/data/scenes/A/x.mp4', [right], places('', '/media/scenes'))).toMatchObject({
      kind: 'found',
    });
  });

  test('from Docker on Windows, whatever the case', () => {
    const windows = item('1', 'D:\\Scenes\\A\\x.mp4');
    expect(find('/data/scenes/a/x.mp4', [windows], places('', 'D:\\Scenes'))).toMatchObject({
      kind: 'found',
    });
  });

  test('the file of another studio with the same name is never taken', () => {
    const other = item('1', '/plex/StudioB/scene.mp4');
    expect(find('/stash/StudioA/scene.mp4', [other], places('', '/plex'))).toEqual({
      kind: 'missing',
      near: ['/plex/StudioB/scene.mp4'],
      rivals: [],
    });
    expect(
      find('/stash/StudioA/2024/scene.mp4', [item('1', '/plex/StudioB/2024/scene.mp4')], places('', '/plex')),
    ).toMatchObject({ kind: 'missing' });
  });

  test('the name alone is not enough, though the library has nothing else', () => {
    expect(find('/data/x.mp4', [item('1', '/media/x.mp4')], places('', '/media'))).toMatchObject({
      kind: 'missing',
    });
    expect(find('/data/B/x.mp4', [item('1', '/media/A/x.mp4')], places('', '/media/A'))).toMatchObject({
      kind: 'missing',
    });
  });

  test('the name alone is enough where both sides give the same size, and the file is the only one', () => {
    const sized = (key: string, file: string, size: number) => ({
      ...item(key, file),
      fileSizes: { [file]: size },
    });
    const own = { ...scene('1', '/data/x.mp4'), fileSizes: { '/data/x.mp4': 1_000 } };
    const where = places('', '/media', '/disk2');
    const theirs = sized('1', '/media/x.mp4', 1_000);
    expect(matchByEnd(own, [], [theirs], where)).toEqual({ kind: 'found', item: theirs });
    expect(matchByEnd(own, [], [sized('1', '/media/x.mp4', 1_001)], where)).toMatchObject({
      kind: 'missing',
    });
    expect(matchByEnd(own, [], [sized('1', '/media/A/x.mp4', 1_000)], where)).toMatchObject({
      kind: 'missing',
    });
    const twin = sized('2', '/disk2/x.mp4', 1_000);
    expect(matchByEnd(own, [], [theirs, twin], where)).toMatchObject({ kind: 'ambiguous' });
    const rival = { ...scene('2', '/data/B/x.mp4'), fileSizes: { '/data/B/x.mp4': 1_000 } };
    expect(matchByEnd(own, [rival], [theirs], where)).toMatchObject({ kind: 'missing', rivals: rival.files });
  });

  test('files of different size are not the same', () => {
    const sized = { ...item('1', '/media/A/x.mp4'), fileSizes: { '/media/A/x.mp4': 1_000 } };
    const own = { ...scene('1', '/data/A/x.mp4'), fileSizes: { '/data/A/x.mp4': 1_001 } };
    expect(matchByEnd(own, [], [sized], places('', '/media'))).toMatchObject({ kind: 'missing' });
    const same = { ...own, fileSizes: { '/data/A/x.mp4': 1_000 } };
    expect(matchByEnd(same, [], [sized], places('', '/media'))).toMatchObject({ kind: 'found' });
  });

  test('of several items the longest end wins; equally long ones are told', () => {
    const [longer, shorter] = [item('1', '/media/scenes/A/x.mp4'), item('2', '/old/A/x.mp4')];
    const where = places('', '/media', '/old');
    expect(find('/data/scenes/A/x.mp4', [shorter, longer], where)).toEqual({ kind: 'found', item: longer });
    const twin = item('3', '/old/scenes/A/x.mp4');
    expect(find('/data/scenes/A/x.mp4', [twin, longer], where)).toEqual({
      kind: 'ambiguous',
      candidates: [twin, longer],
    });
  });

  test('an item that fits another scene better is that scene’s', () => {
    const theirs = item('1', '/media/A/x.mp4');
    const where = places('', '/media');
    const better = scene('2', '/media/A/x.mp4');
    expect(find('/data/A/x.mp4', [theirs], where, [better])).toMatchObject({ kind: 'missing', rivals: [] });
    const own = item('2', '/disk2/A/x.mp4');
    expect(find('/data/A/x.mp4', [theirs, own], places('', '/media', '/disk2'), [better])).toEqual({
      kind: 'found',
      item: own,
    });
  });

  test('an item that fits another scene as well is nobody’s, and the rival is told', () => {
    const match = find('/data/A/x.mp4', [item('1', '/media/A/x.mp4')], places('', '/media'), [
      scene('1', '/data/A/x.mp4'),
      scene('2', '/data2/A/x.mp4', '/data2/A/other.mp4'),
    ]);
    expect(match).toEqual({ kind: 'missing', near: ['/media/A/x.mp4'], rivals: ['/data2/A/x.mp4'] });
  });

  test('a path map is taken at its word', () => {
    const elsewhere = item('1', '/backup/A/x.mp4');
    expect(find('/data/A/x.mp4', [elsewhere], places('/data => /media', '/media', '/backup'))).toMatchObject({
      kind: 'missing',
    });
  });

  test('a file in a folder that Plex scans has not been scanned yet; its copy elsewhere is not it', () => {
    const copy = item('1', '/backup/A/x.mp4');
    expect(find('/media/A/x.mp4', [copy], places('', '/media', '/backup'))).toMatchObject({
      kind: 'missing',
    });
  });

  test('in a library whose folders are not known nothing is found', () => {
    expect(find('/data/A/x.mp4', [item('1', '/media/A/x.mp4')], places(''))).toMatchObject({
      kind: 'missing',
    });
  });
});

describe('whatever the files', () => {
  const folder = fc.constantFrom('A', 'B', '2024');
  const path = fc
    .tuple(fc.array(folder, { maxLength: 3 }), fc.constantFrom('x.mp4', 'y.mp4'))
    .map(([folders, name]) => [...folders, name].join('/'));
  const stash = fc
    .uniqueArray(
      fc.tuple(fc.constantFrom('/data', '/more'), path).map((ends) => ends.join('/')),
      { maxLength: 6, minLength: 1 },
    )
    .map((files) => files.map((file, index) => scene(`${index}`, file)));
  const plex = fc
    .uniqueArray(
      fc.tuple(fc.constantFrom('/media', '/pool', '/data'), path).map((ends) => ends.join('/')),
      { maxLength: 6 },
    )
    .map((files) => files.map((file, index) => item(`${index}`, file)));
  const where = places('', '/media', '/pool/A');

  const matchOf = (own: SceneFiles, scenes: readonly SceneFiles[], items: readonly PlexItem[]) =>
    matchByPath(own.files, where.rules, items) ?? matchByEnd(own, scenes, items, where);

  test('no item is written to for two scenes', () => {
    fc.assert(
      fc.property(stash, plex, (scenes, items) => {
        const keys = scenes.flatMap((own) => {
          const match = matchOf(own, scenes, items);
          return match.kind === 'found' ? [match.item.ratingKey] : [];
        });
        expect(new Set(keys).size).toBe(keys.length);
      }),
      PROPERTY_RUNS,
    );
  });

  test('what is found has the same name, in the same folder or in the mapped one, and is still the scene’s afterwards', () => {
    fc.assert(
      fc.property(stash, plex, (scenes, items) => {
        for (const own of scenes) {
          const match = matchOf(own, scenes, items);
          if (match.kind !== 'found') continue;
          const end = (file: string) => file.split('/').slice(-2).join('/');
          const isFull = hasFile(match.item, own.files, []);
          expect(isFull || match.item.files.some((file) => end(file) === end(own.files[0]!))).toBe(true);
          expect(isStillItem(match.item, own, where)).toBe(true);
          expect(isFull || mayMatchByEnd(own, items, where)).toBe(true);
        }
      }),
      PROPERTY_RUNS,
    );
  });

  test('the order of items and of scenes decides nothing', () => {
    fc.assert(
      fc.property(stash, plex, (scenes, items) => {
        for (const own of scenes) {
          const [one, other] = [
            matchOf(own, scenes, items),
            matchOf(own, [...scenes].reverse(), [...items].reverse()),
          ];
          expect(one.kind).toBe(other.kind);
          if (one.kind === 'found' && other.kind === 'found') expect(one.item).toBe(other.item);
        }
      }),
      PROPERTY_RUNS,
    );
  });
});

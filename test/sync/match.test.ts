import { describe, expect, test } from 'vitest';
import { itemOf, type PlexItem } from '../../src/plex/plex-item.ts';
import { hasFile, matchScene } from '../../src/sync/match.ts';
import { type PathRule, parsePathMap } from '../../src/sync/path-map.ts';

function item(ratingKey: string, ...files: string[]): PlexItem {
  return itemOf({ ratingKey, librarySectionID: 3, Media: [{ Part: files.map((file) => ({ file })) }] })!;
}

function rules(text: string): readonly PathRule[] {
  const parsed = parsePathMap(text);
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.rules;
}

describe('a scene is the item', () => {
  test('that has its file, by the full path', () => {
    const right = item('1', '/media/a/clip.mp4');
    expect(matchScene(['/media/a/clip.mp4'], [], [item('2', '/media/b/clip.mp4'), right])).toEqual({
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
      expect(matchScene(['/m/other.mp4', file], [], [versions])).toEqual({ kind: 'found', item: versions });
    }
  });

  test('once, though the item was found for each of several files', () => {
    const both = item('1', '/m/a.mp4', '/m/b.mp4');
    expect(matchScene(['/m/a.mp4', '/m/b.mp4'], [], [both, { ...both }])).toMatchObject({ kind: 'found' });
  });

  test('under the path map', () => {
    const found = item('1', '/media/a.mp4');
    expect(matchScene(['/data/a.mp4'], rules('/data => /media'), [found])).toMatchObject({ kind: 'found' });
    expect(matchScene(['/data/a.mp4'], [], [found])).toMatchObject({ kind: 'missing' });
  });

  test('on Windows, in either spelling of separators and case', () => {
    const windows = item('1', 'D:\\Clips\\A.mp4');
    expect(matchScene(['d:/clips/a.MP4'], [], [windows])).toMatchObject({ kind: 'found' });
    expect(
      matchScene(['\\\\nas\\clips\\A.mp4'], rules('\\\\nas\\clips => D:\\Clips'), [windows]),
    ).toMatchObject({
      kind: 'found',
    });
  });
});

describe('a scene has no item', () => {
  test('when only the base name is the same; what is near is told', () => {
    expect(matchScene(['/media/a/clip.mp4'], [], [item('1', '/media/b/clip.mp4', '/x/clip.mp4')])).toEqual({
      kind: 'missing',
      near: ['/media/b/clip.mp4', '/x/clip.mp4'],
    });
  });

  test('when the case differs where case counts', () => {
    expect(matchScene(['/media/Clip.mp4'], [], [item('1', '/media/clip.mp4')])).toMatchObject({
      kind: 'missing',
    });
  });

  test('when the path only ends alike', () => {
    expect(matchScene(['/clip.mp4'], [], [item('1', '/media/clip.mp4')])).toMatchObject({ kind: 'missing' });
    expect(matchScene(['/media/clip.mp4'], [], [item('1', '/media/my clip.mp4')])).toMatchObject({
      kind: 'missing',
    });
  });

  test('when nothing was found, or an item has no file', () => {
    expect(matchScene(['/a.mp4'], [], [])).toEqual({ kind: 'missing', near: [] });
    expect(matchScene(['/a.mp4'], [], [item('1')])).toEqual({ kind: 'missing', near: [] });
  });
});

test('two items that both have the file are told, never chosen from', () => {
  const [one, two] = [item('1', '/m/a.mp4'), item('2', '/m/a.mp4')];
  expect(matchScene(['/m/a.mp4'], [], [one, two])).toEqual({ kind: 'ambiguous', candidates: [one, two] });
});

test('two files of one scene in two items are ambiguous as well', () => {
  const match = matchScene(['/m/a.mp4', '/m/b.mp4'], [], [item('1', '/m/a.mp4'), item('2', '/m/b.mp4')]);
  expect(match).toMatchObject({ kind: 'ambiguous' });
});

test('an item is verified by file, so that a key which now means another item is noticed', () => {
  expect(hasFile(item('1', '/m/a.mp4'), ['/m/a.mp4'], [])).toBe(true);
  expect(hasFile(item('1', '/m/b.mp4'), ['/m/a.mp4'], [])).toBe(false);
});

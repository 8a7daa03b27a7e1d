import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { baseNameOf, isSamePath, type PathRule, parsePathMap, toPlexPath } from '../../src/sync/path-map.ts';
import { PROPERTY_RUNS } from '../support/property-runs.ts';

function rules(text: string): readonly PathRule[] {
  const parsed = parsePathMap(text);
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.rules;
}

describe('a path map', () => {
  test('is rules by line or semicolon, blanks and closing slashes aside', () => {
    expect(rules(' /data/ => /media ;\n\n D:\\clips\\ => /mnt/clips/ ;')).toEqual([
      { from: '/data', to: '/media' },
      { from: 'D:\\clips', to: '/mnt/clips' },
    ]);
    expect(rules('')).toEqual([]);
    expect(rules(' \n ; ')).toEqual([]);
  });

  test.each(['/data', '/data =>', '=> /media', '/a => /b => /c', '/a -> /b', '/a => /b; nonsense'])(
    'that is wrong says where: %j',
    (text) => {
      const parsed = parsePathMap(text);
      expect(parsed.ok).toBe(false);
      if (!parsed.ok)
        expect(parsed.problem).toContain('is not of the form "/path in Stash => /path in Plex"');
    },
  );
});

describe('the path in Plex', () => {
  test.each([
    ['/data/a/b.mp4', '/data => /media', '/media/a/b.mp4'],
    ['/data', '/data => /media', '/media'],
    ['/database/a.mp4', '/data => /media', '/database/a.mp4'],
    ['/other/a.mp4', '/data => /media', '/other/a.mp4'],
    ['/data/x/a.mp4', '/data/x => /x; /data => /media', '/x/a.mp4'],
    ['/data/x/a.mp4', '/data => /media; /data/x => /x', '/media/x/a.mp4'],
    ['/a.mp4', '/ => /media', '/media/a.mp4'],
    ['/media/a.mp4', '/media => /', '/a.mp4'],
    ['D:\\clips\\a\\b.mp4', 'D:\\clips => /mnt', '/mnt/a/b.mp4'],
    ['D:/clips/b.mp4', 'D:\\clips => /mnt', '/mnt/b.mp4'],
    ['\\\\nas\\share\\a.mp4', '\\\\nas\\share => /mnt', '/mnt/a.mp4'],
    ['/data/a\\b.mp4', '/data => /media', '/media/a\\b.mp4'],
    ['/data/a.mp4', '', '/data/a.mp4'],
  ])('of %j under %j is %j', (path, map, expected) => {
    expect(toPlexPath(path, rules(map))).toBe(expected);
  });

  test('from POSIX to Windows and between drives names the same file, whatever the separators', () => {
    expect(isSamePath(toPlexPath('/data/a/b.mp4', rules('/data => D:\\clips')), 'D:\\clips\\a\\b.mp4')).toBe(
      true,
    );
    expect(isSamePath(toPlexPath('D:\\x\\b.mp4', rules('D:\\x => E:\\y')), 'E:\\y\\b.mp4')).toBe(true);
  });

  test('without a rule that fits is the path itself, untouched', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (path) => {
        expect(toPlexPath(path, [])).toBe(path);
        expect(toPlexPath(`/x${path}`, [{ from: '/nowhere', to: '/y' }])).toBe(`/x${path}`);
      }),
      PROPERTY_RUNS,
    );
  });

  test('keeps everything below the mapped folder', () => {
    const name = fc.stringMatching(/^[A-Za-z0-9 ._()äé-]{1,12}$/).map((text) => text.normalize('NFC'));
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 4 }), (names) => {
        const below = names.join('/');
        expect(toPlexPath(`/data/${below}`, rules('/data => /media'))).toBe(`/media/${below}`);
      }),
      PROPERTY_RUNS,
    );
  });
});

describe('two paths are the same', () => {
  test.each([
    ['/a/b.mp4', '/a/b.mp4', true],
    ['/a/b.mp4', '/a/B.mp4', false],
    ['/a/\u00e9.mp4', '/a/e\u0301.mp4', true],
    ['D:\\a\\b.mp4', 'D:/a/b.mp4', true],
    ['D:\\A\\b.mp4', 'd:\\a\\B.MP4', true],
    ['\\\\nas\\s\\b.mp4', '\\\\NAS\\s\\b.mp4', true],
    ['/a/b.mp4', '/b.mp4', false],
    ['/a\\b.mp4', '/a/b.mp4', false],
    ['/D:/a.mp4', 'D:/a.mp4', false],
  ])('%j and %j: %j', (a, b, expected) => {
    expect(isSamePath(a, b)).toBe(expected);
    expect(isSamePath(b, a)).toBe(expected);
  });
});

test.each([
  ['/a/b c.mp4', 'b c.mp4'],
  ['D:\\a\\b.mp4', 'b.mp4'],
  ['\\\\nas\\s\\b.mp4', 'b.mp4'],
  ['/a/b\\c.mp4', 'b\\c.mp4'],
  ['b.mp4', 'b.mp4'],
])('the base name of %j is %j', (path, expected) => {
  expect(baseNameOf(path)).toBe(expected);
});

test('a rule for a Windows folder fits in any case', () => {
  expect(toPlexPath('d:\\Clips\\a.mp4', rules('D:\\clips => /mnt'))).toBe('/mnt/a.mp4');
});

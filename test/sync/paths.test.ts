import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { baseNameOf, commonEnd, folderOf, isBelow, isSamePath, withoutEnd } from '../../src/sync/paths.ts';
import { PROPERTY_RUNS } from '../support/property-runs.ts';

describe('two paths are the same', () => {
  test.each([
    ['/a/b.mp4', '/a/b.mp4', true],
    ['/a/b.mp4', '/a/B.mp4', false],
    ['/a/\u00e9.mp4', '/a/e\u0301.mp4', true],
    ['D:\\a\\b.mp4', 'D:/a/b.mp4', true],
    ['D:\\A\\b.mp4', 'd:\\a\\B.MP4', true],
    ['\\\\nas\\s\\b.mp4', '\\\\NAS\\s\\b.mp4', true],
    ['\\\\?\\D:\\a\\b.mp4', 'D:\\a\\b.mp4', true],
    ['\\\\?\\UNC\\nas\\s\\b.mp4', '\\\\nas\\s\\b.mp4', true],
    ['/a/b.mp4', '/b.mp4', false],
    ['/a\\b.mp4', '/a/b.mp4', false],
    ['/D:/a.mp4', 'D:/a.mp4', false],
  ])('%j and %j: %j', (a, b, expected) => {
    expect(isSamePath(a, b)).toBe(expected);
    expect(isSamePath(b, a)).toBe(expected);
  });
});

test.each([
  ['/a/b c.mp4', 'b c.mp4', '/a'],
  ['D:\\a\\b.mp4', 'b.mp4', 'D:\\a'],
  ['\\\\nas\\s\\b.mp4', 'b.mp4', '\\\\nas\\s'],
  ['/a/b\\c.mp4', 'b\\c.mp4', '/a'],
  ['/b.mp4', 'b.mp4', '/'],
])('the base name of %j is %j, its folder %j', (path, name, folder) => {
  expect(baseNameOf(path)).toBe(name);
  expect(folderOf(path)).toBe(folder);
});

test.each([
  ['/media/a/b.mp4', '/media', true],
  ['/media', '/media/', true],
  ['/media2/a.mp4', '/media', false],
  ['/a/b.mp4', '/', true],
  ['D:\\Clips\\a.mp4', 'd:/clips', true],
  ['D:\\Clipsx\\a.mp4', 'D:\\Clips', false],
  ['/media/e\u0301/a.mp4', '/media/\u00e9', true],
  ['/nas/s/a.mp4', '\\\\nas\\s', false],
])('%j below %j: %j', (path, folder, expected) => {
  expect(isBelow(path, folder)).toBe(expected);
});

test.each([
  ['/data/A/x.mp4', '/media/A/x.mp4', 2],
  ['/data/A/x.mp4', '/media/B/x.mp4', 1],
  ['/data/A/x.mp4', '/media/A/y.mp4', 0],
  ['/data/A/x.mp4', 'D:\\a\\X.mp4', 2],
  ['/data/e\u0301/x.mp4', '/media/\u00e9/x.mp4', 2],
  ['/A/x.mp4', '/media/A/x.mp4', 2],
  ['/data/A/x.mp4', '/media/a/x.mp4', 1],
])('%j and %j have %j names in common at their ends', (a, b, expected) => {
  expect(commonEnd(a, b)).toBe(expected);
  expect(commonEnd(b, a)).toBe(expected);
});

test('a path is its beginning and its end', () => {
  const name = fc.stringMatching(/^[a-z]{1,4}$/);
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 6 }), fc.nat({ max: 6 }), (names, count) => {
      const rest = names.slice(0, Math.max(0, names.length - count));
      expect(withoutEnd(`/${names.join('/')}`, count)).toBe(`/${rest.join('/')}`);
    }),
    PROPERTY_RUNS,
  );
});

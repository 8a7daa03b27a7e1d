import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isEmpty, MAX_ACTORS, MAX_GENRES, tagKey, wantedOf } from '../../src/sync/wanted.ts';
import { PROPERTY_RUNS } from '../support/property-runs.ts';
import { sceneWith } from '../support/stash-scenes.ts';

const numbered = (name: string, count: number) => Array.from({ length: count }, (_, n) => `${name} ${n}`);

test('a scene asks for what it has, by the names of a Plex edit', () => {
  const scene = sceneWith({
    title: 'A title',
    details: 'One.\n\nTwo.',
    date: '2024-05-06',
    studio: 'A studio',
    performers: ['Ann', 'Bo'],
    tags: ['one', 'two'],
  });
  expect(wantedOf(scene)).toEqual({
    fields: {
      title: 'A title',
      studio: 'A studio',
      summary: 'One.\n\nTwo.',
      originallyAvailableAt: '2024-05-06',
    },
    tags: { genre: ['one', 'two'], actor: ['Ann', 'Bo'] },
  });
});

describe('what a scene has not is not asked for', () => {
  test.each([
    ['title', { title: '' }],
    ['title', { title: ' \u0000\u200b ' }],
    ['studio', { studio: '' }],
    ['summary', { details: ' \n ' }],
  ])('no %s from %j', (field, parts) => {
    expect(wantedOf(sceneWith(parts)).fields).not.toHaveProperty(field);
  });

  test('an empty scene is empty, and stays so whatever its files are', () => {
    expect(isEmpty(wantedOf(sceneWith()))).toBe(true);
    expect(isEmpty(wantedOf(sceneWith({ title: ' ', tags: ['', '\u0000'], performers: [' '] })))).toBe(true);
    for (const parts of [{ title: 'x' }, { tags: ['x'] }, { performers: ['x'] }, { date: '2024-05-06' }]) {
      expect(isEmpty(wantedOf(sceneWith(parts)))).toBe(false);
    }
  });

  test('no field of any scene is ever wanted empty', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', ' ', '\u0000', '\n'));
    fc.assert(
      fc.property(
        fc.record({ title: text, details: text, studio: text, date: text, tags: fc.array(text) }),
        (parts) => {
          const { fields, tags } = wantedOf(sceneWith(parts));
          expect(Object.values(fields)).not.toContain('');
          expect([...tags.genre, ...tags.actor]).not.toContain('');
        },
      ),
      PROPERTY_RUNS,
    );
  });
});

describe('a date', () => {
  test.each([
    ['2024-05-06', '2024-05-06'],
    [' 2024-02-29 ', '2024-02-29'],
    ['1999-12-31', '1999-12-31'],
  ])('%j is the day it says', (date, day) => {
    expect(wantedOf(sceneWith({ date })).fields.originallyAvailableAt).toBe(day);
  });

  test.each([
    '2024',
    '2024-05',
    '2023-02-29',
    '2024-13-01',
    '2024-00-10',
    '06.05.2024',
    '2024-05-06T00:00:00Z',
    '',
  ])('%j is no day, and none is invented', (date) => {
    expect(wantedOf(sceneWith({ date })).fields).not.toHaveProperty('originallyAvailableAt');
  });
});

describe('names', () => {
  test('at the cap and one past it', () => {
    expect([MAX_ACTORS, MAX_GENRES]).toEqual([50, 100]);
    const at = wantedOf(sceneWith({ performers: numbered('p', 50), tags: numbered('t', 100) }));
    expect([at.tags.actor.length, at.tags.genre.length]).toEqual([50, 100]);
    const past = wantedOf(sceneWith({ performers: numbered('p', 51), tags: numbered('t', 101) }));
    expect(past).toEqual(at);
  });

  test('are once each, in the order and spelling that comes first; case, blanks and Unicode form do not count', () => {
    const tags = ['Café', 'two', 'cafe\u0301', ' TWO ', 'CAFÉ', 'three', ''];
    expect(wantedOf(sceneWith({ tags })).tags.genre).toEqual(['Café', 'two', 'three']);
  });

  test('that repeat do not use up the cap', () => {
    const tags = [...numbered('t', 60), ...numbered('T', 60), ...numbered('u', 50)];
    const { genre } = wantedOf(sceneWith({ tags })).tags;
    expect(genre).toHaveLength(100);
    expect(genre.at(-1)).toBe('u 39');
  });

  test('that become the same when they are cut are one', () => {
    const tags = [`${'x'.repeat(255)}a`, `${'x'.repeat(255)}b`];
    expect(wantedOf(sceneWith({ tags })).tags.genre).toEqual(['x'.repeat(255)]);
  });

  test('are distinct by key, for any list', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'A', ' a', 'b', 'É', 'é', 'e\u0301', '')), (tags) => {
        const { genre } = wantedOf(sceneWith({ tags })).tags;
        expect(new Set(genre.map(tagKey)).size).toBe(genre.length);
        expect(new Set(genre.map(tagKey))).toEqual(new Set(tags.map(tagKey).filter((key) => key !== '')));
      }),
      PROPERTY_RUNS,
    );
  });
});

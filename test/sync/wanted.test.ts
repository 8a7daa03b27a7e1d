import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { StashScene } from '../../src/stash/stash-scene.ts';
import { DEFAULT_SYNC, type SyncOptions } from '../../src/sync/fields.ts';
import { isEmpty, tagKey, type Wanted, wantedOf } from '../../src/sync/wanted.ts';
import { PROPERTY_RUNS } from '../support/property-runs.ts';
import { performersNamed, sceneWith } from '../support/stash-scenes.ts';

function wanted(scene: StashScene, options: Partial<SyncOptions> = {}): Wanted {
  return wantedOf(scene, { ...DEFAULT_SYNC, ...options });
}

const numbered = (name: string, count: number) => Array.from({ length: count }, (_, n) => `${name} ${n}`);

test('a scene asks for what it has, by the names of a Plex edit', () => {
  const scene = sceneWith({
    title: 'A title',
    details: 'One.\n\nTwo.',
    date: '2024-05-06',
    studio: 'A studio',
    performers: performersNamed('Ann', 'Bo'),
    tags: ['one', 'two'],
  });
  expect(wanted(scene)).toEqual({
    fields: {
      title: 'A title',
      studio: 'A studio',
      summary: 'One.\n\nTwo.',
      originallyAvailableAt: '2024-05-06',
    },
    tags: { genre: ['one', 'two'], actor: ['Ann', 'Bo'], collection: ['A studio'], label: [] },
    actorDetails: {},
  });
});

describe('what a scene has not is not asked for', () => {
  test.each([
    ['title', { title: '' }],
    ['title', { title: ' \u0000\u200b ' }],
    ['studio', { studio: '' }],
    ['summary', { details: ' \n ' }],
  ])('no %s from %j', (field, parts) => {
    expect(wanted(sceneWith(parts)).fields).not.toHaveProperty(field);
  });

  test('an empty scene is empty, and stays so whatever its files are', () => {
    expect(isEmpty(wanted(sceneWith()))).toBe(true);
    expect(
      isEmpty(wanted(sceneWith({ title: ' ', tags: ['', '\u0000'], performers: performersNamed(' ') }))),
    ).toBe(true);
    for (const parts of [
      { title: 'x' },
      { tags: ['x'] },
      { performers: performersNamed('x') },
      { date: '2024-05-06' },
    ]) {
      expect(isEmpty(wanted(sceneWith(parts)))).toBe(false);
    }
  });

  test('no field of any scene is ever wanted empty', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', ' ', '\u0000', '\n'));
    fc.assert(
      fc.property(
        fc.record({ title: text, details: text, studio: text, date: text, tags: fc.array(text) }),
        (parts) => {
          const { fields, tags } = wanted(sceneWith(parts));
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
    expect(wanted(sceneWith({ date })).fields.originallyAvailableAt).toBe(day);
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
    expect(wanted(sceneWith({ date })).fields).not.toHaveProperty('originallyAvailableAt');
  });
});

describe('names', () => {
  test('at the cap and one past it', () => {
    expect([DEFAULT_SYNC.maxPerformers, DEFAULT_SYNC.maxTags]).toEqual([50, 100]);
    const at = wanted(
      sceneWith({ performers: performersNamed(...numbered('p', 50)), tags: numbered('t', 100) }),
    );
    expect([at.tags.actor.length, at.tags.genre.length]).toEqual([50, 100]);
    const past = wanted(
      sceneWith({ performers: performersNamed(...numbered('p', 51)), tags: numbered('t', 101) }),
    );
    expect(past).toEqual(at);
  });

  test('are once each, in the order and spelling that comes first; case, blanks and Unicode form do not count', () => {
    const tags = ['Café', 'two', 'cafe\u0301', ' TWO ', 'CAFÉ', 'three', ''];
    expect(wanted(sceneWith({ tags })).tags.genre).toEqual(['Café', 'two', 'three']);
  });

  test('that repeat do not use up the cap', () => {
    const tags = [...numbered('t', 60), ...numbered('T', 60), ...numbered('u', 50)];
    const { genre } = wanted(sceneWith({ tags })).tags;
    expect(genre).toHaveLength(100);
    expect(genre.at(-1)).toBe('u 39');
  });

  test('that become the same when they are cut are one', () => {
    const tags = [`${'x'.repeat(255)}a`, `${'x'.repeat(255)}b`];
    expect(wanted(sceneWith({ tags })).tags.genre).toEqual(['x'.repeat(255)]);
  });

  test('are distinct by key, for any list', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'A', ' a', 'b', 'É', 'é', 'e\u0301', '')), (tags) => {
        const { genre } = wanted(sceneWith({ tags })).tags;
        expect(new Set(genre.map(tagKey)).size).toBe(genre.length);
        expect(new Set(genre.map(tagKey))).toEqual(new Set(tags.map(tagKey).filter((key) => key !== '')));
      }),
      PROPERTY_RUNS,
    );
  });
});

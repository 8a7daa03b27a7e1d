// What counts as a gap, and of which kind.

import { describe, expect, test } from 'vitest';
import { itemOf, type PlexItem } from '../../src/plex/plex-item.ts';
import type { Known } from '../../src/queue/queue.ts';
import { countGaps, gapOf, hasChangedInStash, hasOtherFiles } from '../../src/reconcile/gaps.ts';
import { digestOf, digestOfFiles } from '../../src/sync/digest.ts';
import { DEFAULT_MODES, DEFAULT_SYNC, type FieldModes } from '../../src/sync/fields.ts';
import { wantedOf } from '../../src/sync/wanted.ts';
import { sceneWith } from '../support/stash-scenes.ts';

const SCENE = sceneWith({ id: '7', title: 'T', studio: 'S', tags: ['a'] });
const SHOWN = { thumb: '/thumb/1', art: '/art/1' };
const SAME = { title: 'T', studio: 'S', Genre: [{ tag: 'a' }], Collection: [{ tag: 'S' }], ...SHOWN };

const item = (parts: object): PlexItem => itemOf({ ratingKey: '70', ...parts })!;
const withModes = (modes: Partial<FieldModes>) => ({
  ...DEFAULT_SYNC,
  modes: { ...DEFAULT_MODES, ...modes },
});
const known = (parts: Partial<Known> = {}): Known => ({
  item: '70',
  own: {},
  cover: { sha1: 'ab', validator: '', shown: SHOWN },
  digest: digestOf(wantedOf(SCENE, DEFAULT_SYNC), DEFAULT_SYNC),
  ...parts,
});
const gap = (held: object, was: Known | undefined, sync = DEFAULT_SYNC) =>
  gapOf(SCENE, item(held), 'Scenes', was, sync);

test('none where Plex has what Stash says', () => {
  expect(gap(SAME, known())).toBeNull();
});

describe('the kind', () => {
  test.each([
    ['wiped: it was delivered, and Plex shows something else', { ...SAME, title: 'x' }, known(), 'wiped'],
    [
      'changed: Stash says something else than what was delivered',
      { ...SAME, title: 'x' },
      known({ digest: 'old' }),
      'changed',
    ],
    [
      'changed: it was never delivered, and Plex has something',
      { title: 'x', studio: 'other' },
      undefined,
      'changed',
    ],
    ['empty: it was never delivered, and Plex has a title only', { title: 'x' }, undefined, 'empty'],
  ])('is %s', (_what, held, was, kind) => {
    expect(gap(held, was)).toMatchObject({ scene: '7', kind, item: '70', library: 'Scenes' });
  });
});

describe('pictures', () => {
  test('that were never delivered are a gap where they are wanted', () => {
    expect(gap(SAME, undefined)?.changes.map(({ field }) => field)).toEqual(['thumb', 'art']);
    expect(gap(SAME, undefined, withModes({ poster: 'off', background: 'off' }))).toBeNull();
  });

  test('that Plex could not take are none', () => {
    const { cover, ...rest } = known();
    expect(cover).toBeDefined();
    expect(gap(SAME, rest)).toBeNull();
  });

  test('of somebody else in the place of ours are one, but not where only empty places are filled', () => {
    const chosen = { ...SAME, thumb: '/thumb/2', Field: [{ name: 'thumb', locked: true }] };
    expect(gap(chosen, known())?.changes).toEqual([
      { field: 'thumb', before: '/thumb/2', after: 'upload:ab' },
    ]);
    expect(gap(chosen, known(), withModes({ poster: 'only-if-empty' }))).toBeNull();
  });
});

test('what is spared or off is no gap', () => {
  const held = { ...SAME, title: 'theirs' };
  expect(gap(held, known({ spared: { title: null } }))).toBeNull();
  expect(gap(held, known(), withModes({ title: 'off' }))).toBeNull();
});

test('without Plex only the digest counts, and only of what was delivered', () => {
  expect(hasChangedInStash(SCENE, known(), DEFAULT_SYNC)).toBe(false);
  expect(hasChangedInStash({ ...SCENE, tags: [] }, known(), DEFAULT_SYNC)).toBe(true);
});

test('are counted by kind, field and library', () => {
  const gaps = [gap({ ...SAME, title: 'x' }, known()), gap({ ...SAME, title: 'y', studio: 'z' }, known())];
  expect(
    countGaps(
      gaps.filter((one) => one !== null),
      [{ scene: '3', reason: 'no-file' }],
    ),
  ).toEqual({
    kinds: { wiped: 2 },
    fields: { title: 2, studio: 1 },
    libraries: { Scenes: 2 },
    skipped: { 'no-file': 1 },
  });
});

test('files are others where they are not those that were delivered, or it is not known which these were', () => {
  expect(hasOtherFiles(SCENE, known({ files: digestOfFiles(SCENE) }))).toBe(false);
  expect(hasOtherFiles({ ...SCENE, files: ['/elsewhere.mp4'] }, known({ files: digestOfFiles(SCENE) }))).toBe(
    true,
  );
  expect(hasOtherFiles(SCENE, known())).toBe(true);
});

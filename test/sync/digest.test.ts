// What was delivered is remembered by its digest: one that comes out otherwise after an upgrade delivers a whole library again.

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { digestOf } from '../../src/sync/digest.ts';
import {
  DEFAULT_MODES,
  DEFAULT_SYNC,
  FIELD_MODES,
  type FieldModes,
  type SyncOptions,
} from '../../src/sync/fields.ts';
import { wantedOf } from '../../src/sync/wanted.ts';
import { PROPERTY_RUNS } from '../support/property-runs.ts';
import { performersNamed, sceneWith } from '../support/stash-scenes.ts';

const FIRST_FIELDS =
  'title studio summary tagline date rating performers tags collections labels poster background'.split(' ');

const SCENE = sceneWith({
  title: 'A title',
  code: 'ABC-1',
  details: 'One.\n\nTwo.',
  date: '2024-05-06',
  rating100: 80,
  studio: 'A studio',
  performers: performersNamed('Ann', 'Bo'),
  tags: ['one', 'two'],
  isOrganized: true,
});

const digest = (options: Partial<SyncOptions> = {}) => {
  const sync = { ...DEFAULT_SYNC, ...options };
  return digestOf(wantedOf(SCENE, sync), sync);
};
const withModes = (modes: Readonly<Record<string, string>>) =>
  digest({ modes: { ...DEFAULT_MODES, ...modes } as FieldModes });

test('digests are as they were when the first libraries were delivered', () => {
  expect(digest()).toBe('b8e6fe367164958c');
  expect(withModes({ rating: 'off', tags: 'mirror', tagline: 'on' })).toBe('68a6b4f7cf81a317');
});

test('so are those of every setting: of the first fields each is in it, whatever is asked of it', () => {
  const modes = fc.record(
    Object.fromEntries(FIRST_FIELDS.map((name) => [name, fc.constantFrom(...FIELD_MODES)])),
  ) as fc.Arbitrary<FieldModes>;
  const asItWas = (sync: SyncOptions) => {
    const { fields, tags, actorDetails } = wantedOf(SCENE, sync);
    const text = JSON.stringify([fields, tags, actorDetails, sync.modes]);
    return createHash('sha256').update(text).digest('hex').slice(0, 16);
  };
  fc.assert(
    fc.property(modes, (some) => {
      const sync = { ...DEFAULT_SYNC, modes: some };
      expect(digestOf(wantedOf(SCENE, sync), sync)).toBe(asItWas(sync));
    }),
    PROPERTY_RUNS,
  );
});

test('a field that came later is in it only where it is on', () => {
  expect(withModes({ sortTitle: 'off' })).toBe(digest());
  expect(withModes({ sortTitle: 'on' })).not.toBe(digest());
  expect(withModes({ sortTitle: 'mirror' })).not.toBe(withModes({ sortTitle: 'on' }));
});

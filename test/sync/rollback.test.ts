// What goes back and what does not, without a server.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PlexItem } from '../../src/plex/plex-item.ts';
import { overwrittenBy, type RollbackInput, rollbackOf, unmetIn } from '../../src/sync/rollback.ts';
import { PROPERTY_RUNS } from '../support/property-runs.ts';

const SHA1 = 'a'.repeat(40);

function itemWith(fields: Record<string, string>, genre: readonly string[] = []): PlexItem {
  return {
    ratingKey: '1',
    sectionKey: '1',
    files: [],
    fileSizes: {},
    fields,
    tags: { genre, actor: [], collection: [], label: [] },
    actorDetails: {},
    images: { thumb: '', art: '' },
    locked: new Set(),
  };
}

function input(parts: Partial<RollbackInput>): RollbackInput {
  return {
    edits: [],
    item: itemWith({}),
    images: {},
    own: {},
    spared: {},
    wanted: null,
    coverSha1: null,
    ...parts,
  };
}

const edit = (field: string, before: string | null, after: string | null) => ({
  item: '1',
  changes: [{ field, before, after }],
  own: {},
});

test('over several edits a field goes back to what it was before the first', () => {
  const edits = [edit('title', 'a', 'b'), edit('title', 'b', 'c')];
  expect(overwrittenBy(edits)).toEqual([{ field: 'title', before: 'a', ours: ['b', 'c'], isCut: false }]);
  const { changes } = rollbackOf(input({ edits, item: itemWith({ title: 'c' }) }));
  expect(changes).toEqual([{ field: 'title', before: 'c', after: 'a' }]);
  // The second edit never reached Plex: what is there is ours all the same.
  expect(rollbackOf(input({ edits, item: itemWith({ title: 'b' }) })).changes).toHaveLength(1);
});

describe('is left alone', () => {
  test.each([
    ['what others changed', [edit('title', 'a', 'b')], { title: 'x' }, /changed in Plex since/],
    ['a field of another version', [edit('weather', 'a', 'b')], {}, /does not know the field/],
    [
      'what the journal could not hold',
      [{ item: '1', own: {}, changes: [{ field: 'title', before: 'a', after: 'b', isCut: true as const }] }],
      { title: 'b' },
      /too long for the journal/,
    ],
  ])('%s', (_, edits, fields, reason) => {
    const { changes, left } = rollbackOf(input({ edits, item: itemWith(fields) }));
    expect(changes).toEqual([]);
    expect(left).toEqual([{ field: expect.any(String), reason: expect.stringMatching(reason) }]);
  });

  test.each([
    [null, /no picture was chosen before/],
    ['upload://posters/theirs', /no longer has the picture/],
  ])('a poster in the place of %s', (before, reason) => {
    const ours = { key: '/k', ratingKey: `upload://posters/${SHA1}`, isSelected: true };
    const edits = [edit('thumb', before, `upload:${SHA1}`)];
    const { pictures, left } = rollbackOf(input({ edits, images: { thumb: [ours] } }));
    expect(pictures).toEqual([]);
    expect(left).toEqual([{ field: 'thumb', reason: expect.stringMatching(reason) }]);
  });

  test('what is as it was already, without a word', () => {
    const { changes, left } = rollbackOf(
      input({ edits: [edit('summary', 'a\r\nb ', 'c')], item: itemWith({ summary: 'a\nb' }) }),
    );
    expect([changes, left]).toEqual([[], []]);
  });
});

describe('a picture', () => {
  const edits = [edit('thumb', 'upload://posters/theirs', `upload:${SHA1}`)];
  const ours = { ratingKey: `upload://posters/${SHA1}`, isSelected: true };
  const theirs = { ratingKey: 'upload://posters/theirs', isSelected: false };

  test('is selected again where Plex still has it', () => {
    const { pictures } = rollbackOf(input({ edits, images: { thumb: [ours, theirs] } }));
    expect(pictures).toEqual([{ kind: 'thumb', image: theirs.ratingKey }]);
  });

  test('is left where Plex no longer has it, or a person chose another', () => {
    expect(rollbackOf(input({ edits, images: { thumb: [ours] } })).left[0]?.reason).toMatch(/no longer has/);
    const chosen = { ratingKey: 'metadata://posters/other', isSelected: true };
    const other = rollbackOf(
      input({ edits, images: { thumb: [{ ...ours, isSelected: false }, theirs, chosen] } }),
    );
    expect(other.left[0]?.reason).toMatch(/changed in Plex since/);
  });
});

test('tags that were ours are ours again, and those of others are not', () => {
  const edits = [
    {
      item: '1',
      own: { genre: ['Ours'] },
      changes: [{ field: 'genre', before: ['Ours', 'Theirs'], after: ['New'] }],
    },
  ];
  const { own, ownDuring } = rollbackOf(
    input({ edits, item: itemWith({}, ['new']), own: { genre: ['New'], actor: ['Ann'] } }),
  );
  expect(own).toEqual({ genre: ['Ours'], actor: ['Ann'] });
  expect(ownDuring).toEqual({ genre: ['New', 'Ours'], actor: ['Ann'] });
});

test('undone twice, any scalar is what it was', () => {
  const text = fc.string({ maxLength: 8 }).map((value) => value.trimEnd());
  fc.assert(
    fc.property(text, text, (before, after) => {
      fc.pre(before !== after && before.normalize('NFC') === before && after.normalize('NFC') === after);
      const first = edit('studio', before || null, after || null);
      const once = rollbackOf(input({ edits: [first], item: itemWith({ studio: after }) }));
      const second = { item: '1', own: {}, changes: once.changes };
      const twice = rollbackOf(input({ edits: [second], item: itemWith({ studio: before }) }));
      expect(once.difference.fields.studio).toBe(before);
      expect(twice.difference.fields.studio).toBe(after);
      expect(unmetIn(twice.changes, itemWith({ studio: after }))).toEqual([]);
    }),
    PROPERTY_RUNS,
  );
});

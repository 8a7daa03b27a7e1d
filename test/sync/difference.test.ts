import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { itemOf, type PlexItem } from '../../src/plex/plex-item.ts';
import type { OwnTags, Spared } from '../../src/queue/events.ts';
import { differenceOf, editOf, ownDuring, ownOf } from '../../src/sync/difference.ts';
import { DEFAULT_MODES, type FieldModes } from '../../src/sync/fields.ts';
import type { Stance } from '../../src/sync/stance.ts';
import { tagKey, type Wanted } from '../../src/sync/wanted.ts';
import { PROPERTY_RUNS } from '../support/property-runs.ts';

interface Held {
  readonly fields?: Record<string, string>;
  readonly genre?: readonly string[];
  readonly actor?: readonly string[];
}

function held({ fields = {}, genre = [], actor = [] }: Held): PlexItem {
  const tags = (names: readonly string[]) => names.map((tag) => ({ tag }));
  return itemOf({ ratingKey: '1', ...fields, Genre: tags(genre), Role: tags(actor) })!;
}

function wanted({ fields = {}, genre = [], actor = [] }: Held): Wanted {
  return { fields, tags: { genre, actor, collection: [], label: [] }, actorDetails: {} };
}

function stance(own: OwnTags, modes: Partial<FieldModes> = {}, spared: Spared = {}): Stance {
  return { own, ownDate: null, unseen: null, modes: { ...DEFAULT_MODES, ...modes }, spared };
}

function parametersOf(want: Held, has: Held, own: OwnTags = {}): [string, string][] {
  return [...editOf(differenceOf(wanted(want), held(has), stance(own)))];
}

describe('scalars', () => {
  test('a year that was said by itself gives way to the year of a whole date', () => {
    const whole = { fields: { title: 't', originallyAvailableAt: '2024-05-06' } };
    expect(parametersOf(whole, { fields: { title: 't', year: '2020' } })).toEqual([
      ['originallyAvailableAt.value', '2024-05-06'],
      ['originallyAvailableAt.locked', '1'],
      ['year.value', '2024'],
      ['year.locked', '1'],
    ]);
    // As it is found after an edit of the date that did not move it.
    const behind = { fields: { ...whole.fields, year: '2020' } };
    expect(parametersOf(whole, behind).map(([name]) => name)).toEqual(['year.value', 'year.locked']);
    expect(parametersOf(whole, { fields: { ...whole.fields, year: '2024' } })).toEqual([]);
    const other = { fields: { title: 't', originallyAvailableAt: '2019-01-01', year: '2019' } };
    expect(parametersOf(whole, other).map(([name]) => name)).not.toContain('year.value');
  });

  test('a year that was said by itself is emptied with the date where the date mirrors Stash, and else left', () => {
    const item = held({ fields: { title: 't', year: '2020' } });
    const nothing = wanted({ fields: { title: 't' } });
    expect(differenceOf(nothing, item, stance({}, { date: 'mirror' })).fields).toEqual({ year: '' });
    expect(differenceOf(nothing, item, stance({})).fields).toEqual({});
  });

  test('are written where they differ, with a lock, and noted with the value before', () => {
    const difference = differenceOf(
      wanted({ fields: { title: 'new', studio: 'S', summary: 'same' } }),
      held({ fields: { title: 'old', summary: 'same' } }),
      stance({}),
    );
    expect(difference.changes).toEqual([
      { field: 'title', before: 'old', after: 'new' },
      { field: 'studio', before: null, after: 'S' },
    ]);
    expect([...editOf(difference)]).toEqual([
      ['title.value', 'new'],
      ['title.locked', '1'],
      ['studio.value', 'S'],
      ['studio.locked', '1'],
    ]);
  });

  test.each([
    ['a\r\nb', 'a\nb'],
    ['a\n', 'a'],
    ['a  ', 'a'],
    ['e\u0301', '\u00e9'],
  ])('are the same where Plex only normalised them: %j', (inPlex, inStash) => {
    expect(parametersOf({ fields: { summary: inStash } }, { fields: { summary: inPlex } })).toEqual([]);
  });

  test('that Stash does not have are left alone', () => {
    expect(parametersOf({}, { fields: { title: 'theirs', summary: 'theirs' }, genre: ['theirs'] })).toEqual(
      [],
    );
  });

  test('differ by case: a title is not a tag', () => {
    expect(parametersOf({ fields: { title: 'A' } }, { fields: { title: 'a' } })).toHaveLength(2);
  });
});

describe('tags', () => {
  test('are written as the whole list, ours first, with a lock', () => {
    expect(parametersOf({ genre: ['b', 'a'] }, { genre: ['x', 'A'] })).toEqual([
      ['genre[0].tag.tag', 'b'],
      ['genre[1].tag.tag', 'a'],
      ['genre[2].tag.tag', 'x'],
      ['genre.locked', '1'],
    ]);
  });

  test('that are there in another case are there', () => {
    expect(parametersOf({ genre: ['One'], actor: ['ann'] }, { genre: ['ONE'], actor: ['Ann'] })).toEqual([]);
  });

  test('of others are kept; ours that are no longer wanted are dropped', () => {
    const parameters = parametersOf(
      { genre: ['a'] },
      { genre: ['a', 'ours', 'theirs'] },
      { genre: ['a', 'OURS'] },
    );
    expect(parameters).toEqual([
      ['genre[0].tag.tag', 'a'],
      ['genre[1].tag.tag', 'theirs'],
      ['genre[].tag.tag-', 'ours'],
      ['genre.locked', '1'],
    ]);
  });

  test('of one kind are not dropped for being ours in the other', () => {
    expect(parametersOf({}, { genre: ['x'] }, { actor: ['x'] })).toEqual([]);
  });

  test('of ours that somebody took away are not missed', () => {
    expect(parametersOf({ genre: ['a'] }, { genre: ['a'] }, { genre: ['a', 'gone'] })).toEqual([]);
  });

  test('with a comma are encoded twice where they are dropped, and once where they are added', () => {
    const own = { genre: ['a, b', 'c%d'] };
    const difference = differenceOf(wanted({ genre: ['x, y'] }), held({ genre: own.genre }), stance(own));
    const query = editOf(difference).toString().replaceAll('+', '%20');
    expect(query).toContain('genre%5B0%5D.tag.tag=x%2C%20y&');
    expect(query).toContain('genre%5B%5D.tag.tag-=a%252C%2520b%2Cc%2525d');
  });

  test('of both kinds go into one edit with the scalars', () => {
    const names = parametersOf({ fields: { title: 't' }, genre: ['g'], actor: ['p'] }, {}).map(
      ([name]) => name,
    );
    expect(names).toEqual([
      'title.value',
      'title.locked',
      'genre[0].tag.tag',
      'genre.locked',
      'actor[0].tag.tag',
      'actor.locked',
    ]);
  });
});

describe('what is ours', () => {
  test('is what we add, not what was there already', () => {
    const difference = differenceOf(
      wanted({ genre: ['mine', 'theirs'] }),
      held({ genre: ['THEIRS'] }),
      stance({}),
    );
    expect(ownOf(difference)).toEqual({ genre: ['mine'] });
  });

  test('stays ours from one delivery to the next', () => {
    const difference = differenceOf(
      wanted({ genre: ['a'] }),
      held({ genre: ['a'] }),
      stance({ genre: ['A'] }),
    );
    expect(difference.changes).toEqual([]);
    expect(ownOf(difference)).toEqual({ genre: ['a'] });
  });

  test('still holds what is to be dropped, until it is certain that it is', () => {
    const difference = differenceOf(
      wanted({ genre: ['b'] }),
      held({ genre: ['a'] }),
      stance({ genre: ['a'] }),
    );
    expect(ownOf(difference)).toEqual({ genre: ['b'] });
    expect(ownDuring(difference)).toEqual({ genre: ['b', 'a'] });
  });

  test('still holds what was written before and Plex does not show yet: it may come late', () => {
    const difference = differenceOf(wanted({ genre: ['b'] }), held({}), stance({ genre: ['a'] }));
    expect(ownDuring(difference)).toEqual({ genre: ['b', 'a'] });
    expect(ownOf(difference)).toEqual({ genre: ['b'] });
  });
});

describe('whatever is wanted and held', () => {
  const names = fc.uniqueArray(fc.constantFrom('a', 'A', 'b', 'c', 'd, e', 'f%g', 'É', 'é'), {
    selector: tagKey,
  });
  const fields = fc.dictionary(
    fc.constantFrom('title', 'studio', 'summary'),
    fc.constantFrom('x', 'y', 'x ', 'z\r\n'),
  );
  const state = fc.record({ fields, genre: names, actor: names });
  const ownBefore = fc.record({ genre: names, actor: names });

  /** What Plex holds after an edit, where a list replaces. */
  function applied(item: PlexItem, parameters: URLSearchParams): PlexItem {
    const after = { ...item.fields };
    const tags = { ...item.tags, genre: [...item.tags.genre], actor: [...item.tags.actor] };
    for (const kind of ['genre', 'actor'] as const) {
      const list = [...parameters].filter(([name]) => /^\w+\[\d+\]/.test(name) && name.startsWith(kind));
      if (list.length > 0) tags[kind] = list.map(([, name]) => name);
      const dropped = (parameters.get(`${kind}[].tag.tag-`) ?? '').split(',').map(decodeURIComponent);
      tags[kind] = tags[kind].filter((name) => !dropped.includes(name));
    }
    for (const [name, value] of parameters) {
      if (name.endsWith('.value')) after[name.slice(0, -'.value'.length)] = value;
    }
    return { ...item, fields: after, tags };
  }

  test('after the edit nothing is left to do', () => {
    fc.assert(
      fc.property(state, state, ownBefore, (want, has, own) => {
        const item = held(has);
        const first = differenceOf(wanted(want), item, stance(own));
        const after = applied(item, editOf(first));
        expect(differenceOf(wanted(want), after, stance(ownOf(first))).changes).toEqual([]);
      }),
      PROPERTY_RUNS,
    );
  });

  test('nothing of others is ever lost, and no field is written without its lock', () => {
    fc.assert(
      fc.property(state, state, ownBefore, (want, has, own) => {
        const item = held(has);
        const parameters = editOf(differenceOf(wanted(want), item, stance(own)));
        const after = applied(item, parameters);
        for (const kind of ['genre', 'actor'] as const) {
          const ours = new Set(own[kind].map(tagKey));
          const kept = new Set(after.tags[kind].map(tagKey));
          for (const name of has[kind]) if (!ours.has(tagKey(name))) expect(kept).toContain(tagKey(name));
        }
        const written = new Set([...parameters.keys()].map((name) => /^\w+/.exec(name)![0]));
        for (const field of written) expect(parameters.get(`${field}.locked`)).toBe('1');
      }),
      PROPERTY_RUNS,
    );
  });
});

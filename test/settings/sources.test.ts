// Where a value may come from, what counts first, and what a person is shown of it.

import { expect, test } from 'vitest';
import { changedSettings } from '../../src/invocation/note-settings.ts';
import { parseSettingsFile, type SettingsFile } from '../../src/settings/file.ts';
import { readSettings } from '../../src/settings/settings.ts';

const REQUIRED = { plexUrl: 'http://127.0.0.1:32400', plexToken: 'canary-token' };

function fileWith(values: Record<string, unknown>): SettingsFile {
  return parseSettingsFile(JSON.stringify(values));
}

function report(result: ReturnType<typeof readSettings>, name: string) {
  const { value, origin } = result.reports.find((one) => one.name === name)!;
  return [value, origin];
}

test('Stash counts before the file, the file before the environment, and each says where it is from', () => {
  const env = { PLEX_URL: 'http://env', PLEX_TOKEN: 'env-token' };
  const read = readSettings(
    { plexUrl: 'http://stash', maxTags: '12' },
    env,
    fileWith({ plexUrl: 'http://file' }),
  );
  expect(report(read, 'plexUrl')).toEqual(['http://stash', 'stash']);
  expect(report(read, 'plexToken')).toEqual(['***', 'environment']);
  expect(report(read, 'maxTags')).toEqual(['12', 'stash']);
  expect(report(read, 'requestTimeout')).toEqual([30, 'default']);
  expect(report(read, 'collectionsFrom')).toEqual([['studio'], 'default']);
  expect(report(readSettings({}, env, fileWith({ plexUrl: 'http://file' })), 'plexUrl')).toEqual([
    'http://file',
    'file',
  ]);
});

test('what the file says holds for every setting but the secret one', () => {
  const read = readSettings(
    REQUIRED,
    {},
    fileWith({
      requestTimeout: 12,
      fields: { tags: 'mirror', rating: 'off' },
      pathMap: [{ from: '/a', to: '/b' }],
      plexLibraries: ['One', 'Two'],
      labelsFrom: ['studio', 'Tags'],
      vigilMinutes: 0,
    }),
  );
  expect(read.problems).toEqual([]);
  expect(read).toMatchObject({
    settings: {
      requestTimeoutMs: 12_000,
      plexLibraries: ['One', 'Two'],
      pathRules: [{ from: '/a', to: '/b' }],
      policy: { vigilMs: 0 },
      sync: { modes: { tags: 'mirror', rating: 'off', title: 'on' }, labelsFrom: ['studio', 'tags'] },
    },
  });
  const secret = readSettings({ plexUrl: 'http://a' }, {}, fileWith({ plexToken: 'canary-token' }));
  expect(secret.ok).toBe(false);
  expect(JSON.stringify(secret)).not.toContain('canary');
  expect(secret.problems.map(({ problem }) => problem).join()).toMatch(/is not taken from breakwater.json/);
});

test('a slip in the fields costs the others nothing', () => {
  const read = readSettings({ ...REQUIRED, fields: 'rating: of, poster=only-if-empty; pster: on' }, {});
  expect(read).toMatchObject({ settings: { sync: { modes: { rating: 'on', poster: 'only-if-empty' } } } });
  expect(read.problems).toEqual([
    { setting: 'fields', problem: expect.stringMatching(/rating can be off, on.*not "of"/) },
    { setting: 'fields', problem: expect.stringMatching(/no field "pster"/) },
  ]);
});

test.each([
  ['{"a": 1,\n "requestTimeout" 2}', /is not JSON in line 2/],
  ['[]', /must be one object/],
  ['', /is not JSON/],
])('a file like %j is one problem, and everything else works', (text, problem) => {
  const read = readSettings(REQUIRED, {}, parseSettingsFile(text));
  expect(read.ok).toBe(true);
  expect(read.problems).toEqual([{ setting: 'breakwater.json', problem: expect.stringMatching(problem) }]);
});

test('a name that nobody knows is said, and no file at all is nothing to say', () => {
  const read = readSettings(REQUIRED, {}, fileWith({ requestTimout: 20 }));
  expect(read.problems).toEqual([{ setting: 'requestTimout', problem: 'in breakwater.json is not known' }]);
  expect(readSettings(REQUIRED, {}, parseSettingsFile(null)).problems).toEqual([]);
});

test('what is written down is what changed, and never the token', () => {
  const first = readSettings({ ...REQUIRED, maxTags: 10 }, {}).reports;
  const noted = changedSettings({}, first);
  expect(noted).toEqual({
    plexUrl: { value: REQUIRED.plexUrl, origin: 'stash' },
    plexToken: { value: '***', origin: 'stash' },
    maxTags: { value: 10, origin: 'stash' },
  });
  const before = noted as Record<string, { value: unknown; origin: string }>;
  expect(changedSettings(before, first)).toEqual({});
  expect(changedSettings(before, readSettings(REQUIRED, {}).reports)).toEqual({ maxTags: null });
});

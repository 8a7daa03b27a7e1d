// Each setting by itself: unset, cleared, good in every spelling that Stash keeps, bad; and never a secret in what
// is said about it.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../machines/policy.ts';
import { readSettings, type Settings, type SettingsResult } from '../../src/settings/settings.ts';
import { DEFAULT_SYNC } from '../../src/sync/fields.ts';
import { PROPERTY_RUNS } from '../support/property-runs.ts';

const REQUIRED = { plexUrl: 'http://127.0.0.1:32400', plexToken: 'secret-token' };

const DEFAULTS: Settings = {
  plexUrl: 'http://127.0.0.1:32400',
  plexToken: 'secret-token',
  plexLibraries: [],
  pathRules: [],
  allowsSelfSigned: false,
  requestTimeoutMs: 30_000,
  policy: DEFAULT_POLICY,
  sync: DEFAULT_SYNC,
  reconcile: { every: 'daily', afterOutage: true, missing: true },
  scansNewFiles: false,
  obfuscatesPaths: false,
  retention: { keepMs: 90 * 86_400_000, maxBytes: 256 * 1024 * 1024 },
};

/** Without what a person is shown of it. */
function read(given: Record<string, unknown>, env: Record<string, string> = {}) {
  const result = readSettings({ ...REQUIRED, ...given }, env);
  const { ok, problems } = result;
  return ok ? { ok, settings: result.settings, problems } : { ok, problems };
}

function settingsOf(
  result: { ok: true; settings: Settings } | { ok: false; problems: SettingsResult['problems'] },
): Settings {
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.settings;
}

const policy = (parts: Partial<Settings['policy']>): Partial<Settings> => ({
  policy: { ...DEFAULT_POLICY, ...parts },
});

test('with address and token alone everything else is the default', () => {
  expect(read({})).toEqual({ ok: true, settings: DEFAULTS, problems: [] });
});

describe('an optional setting', () => {
  const good: readonly (readonly [string, unknown, Partial<Settings>])[] = [
    ['plexLibraries', 'Scenes', { plexLibraries: ['Scenes'] }],
    ['plexLibraries', ' Scenes , 4 ,, ', { plexLibraries: ['Scenes', '4'] }],
    ['plexLibraries', ' , ', { plexLibraries: [] }],
    ['pathMap', '/data => /media', { pathRules: [{ from: '/data', to: '/media' }] }],
    ['allowSelfSigned', true, { allowsSelfSigned: true }],
    ['allowSelfSigned', false, {}],
    ['allowSelfSigned', ' True ', { allowsSelfSigned: true }],
    ['allowSelfSigned', 'yes', { allowsSelfSigned: true }],
    ['allowSelfSigned', '1', { allowsSelfSigned: true }],
    ['allowSelfSigned', 'no', {}],
    ['requestTimeout', 1, { requestTimeoutMs: 1_000 }],
    ['requestTimeout', 60, { requestTimeoutMs: 60_000 }],
    ['requestTimeout', '45', { requestTimeoutMs: 45_000 }],
    ['requestTimeout', ' 2.5 ', { requestTimeoutMs: 2_500 }],
    ['failureThreshold', 1, policy({ failureThreshold: 1 })],
    ['failureThreshold', '20', policy({ failureThreshold: 20 })],
    ['recoveryTimeout', 90, policy({ recoveryTimeoutMs: 90_000 })],
    ['recoveryTimeout', '3600', policy({ recoveryTimeoutMs: 3_600_000 })],
    ['vigilMinutes', 0, policy({ vigilMs: 0 })],
    ['vigilMinutes', '0', policy({ vigilMs: 0 })],
    ['vigilMinutes', 1440, policy({ vigilMs: 86_400_000 })],
    ['vigilMinutes', '0.5', policy({ vigilMs: 30_000 })],
  ];

  test.each(good)('%s %j is taken as it is meant', (setting, value, expected) => {
    expect(read({ [setting]: value })).toEqual({
      ok: true,
      settings: { ...DEFAULTS, ...expected },
      problems: [],
    });
  });

  const cleared = [
    'plexLibraries',
    'pathMap',
    'allowSelfSigned',
    'requestTimeout',
    'failureThreshold',
    'recoveryTimeout',
  ].flatMap((setting) => ['', 0, null, undefined].map((value) => [setting, value] as const));

  test.each([...cleared, ['vigilMinutes', ''], ['vigilMinutes', null], ['vigilMinutes', undefined]] as const)(
    '%s cleared to %j is as if it were unset',
    (setting, value) => {
      expect(read({ [setting]: value })).toEqual({ ok: true, settings: DEFAULTS, problems: [] });
    },
  );

  const bad: readonly (readonly [string, unknown])[] = [
    ['plexLibraries', [7]],
    ['pathMap', '/data'],
    ['pathMap', { from: '/data' }],
    ['allowSelfSigned', 'perhaps'],
    ['allowSelfSigned', {}],
    ['requestTimeout', 0.9],
    ['requestTimeout', 61],
    ['requestTimeout', '-1'],
    ['requestTimeout', 'soon'],
    ['requestTimeout', '1e3'],
    ['requestTimeout', Number.NaN],
    ['requestTimeout', Number.POSITIVE_INFINITY],
    ['failureThreshold', 21],
    ['failureThreshold', 2.5],
    ['failureThreshold', '2.5'],
    ['failureThreshold', true],
    ['recoveryTimeout', 3601],
    ['recoveryTimeout', []],
    ['vigilMinutes', 1441],
    ['vigilMinutes', -1],
  ];

  test.each(bad)('%s %j is reported, its default is used, and nothing else suffers', (setting, value) => {
    const others = {
      plexLibraries: 'Scenes',
      pathMap: '/a => /b',
      allowSelfSigned: true,
      requestTimeout: 10,
      failureThreshold: 3,
      recoveryTimeout: 30,
      vigilMinutes: 5,
    };
    const { [setting as keyof typeof others]: _bad, ...rest } = others;
    const result = read({ ...others, [setting]: value });

    expect(settingsOf(result)).toEqual(settingsOf(read(rest)));
    expect(result.problems).toHaveLength(1);
    expect(result.problems[0]!.setting).toBe(setting);
    expect(result.problems[0]!.problem).toMatch(/; (the default is used|no path is mapped)$/);
  });

  test('several bad ones are all reported', () => {
    const result = read({ requestTimeout: 'x', failureThreshold: 99, pathMap: 'x' });
    expect(settingsOf(result)).toEqual(DEFAULTS);
    expect(result.problems.map(({ setting }) => setting).sort()).toEqual([
      'failureThreshold',
      'pathMap',
      'requestTimeout',
    ]);
  });

  test('that nobody knows is passed over', () => {
    expect(read({ colour: 'blue', constructor: 'x' })).toEqual({
      ok: true,
      settings: DEFAULTS,
      problems: [],
    });
  });
});

describe('the address of Plex', () => {
  test.each([
    ['http://127.0.0.1:32400', 'http://127.0.0.1:32400'],
    [' http://plex:32400/ ', 'http://plex:32400'],
    ['HTTPS://plex.example/base//', 'HTTPS://plex.example/base'],
    ['http://[::1]:32400', 'http://[::1]:32400'],
    ['http://plex:32400/?X-Plex-Token=abc', 'http://plex:32400'],
    ['http://plex:32400/#!/settings', 'http://plex:32400'],
  ])('%j is %j', (plexUrl, expected) => {
    expect(settingsOf(read({ plexUrl })).plexUrl).toBe(expected);
  });

  test.each([
    ['', 'is not set'],
    [null, 'is not set'],
    ['   ', 'must be an address'],
    ['plex:32400', 'must be'],
    ['192.168.1.10:32400', 'must be'],
    ['ftp://plex', 'must begin with http:// or https://'],
    ['http://', 'must be an address'],
    ['http://me:pass@plex:32400', 'must not hold a user name or password'],
    ['http://me@plex:32400', 'must not hold a user name or password'],
  ])('%j is refused: %s', (plexUrl, problem) => {
    const result = read({ plexUrl });
    expect(result.ok).toBe(false);
    expect(result.problems).toEqual([{ setting: 'plexUrl', problem: expect.stringContaining(problem) }]);
    expect(JSON.stringify(result)).not.toContain('pass@');
  });
});

describe('the token', () => {
  test('is one word', () => {
    expect(settingsOf(read({ plexToken: ' abc-DEF_123 ' })).plexToken).toBe('abc-DEF_123');
  });

  test.each([
    ['', 'is not set'],
    ['  ', 'must be one word of plain characters'],
    ['two words', 'must be one word of plain characters'],
    ['tökén', 'must be one word of plain characters'],
    ['a\r\nX-Evil: 1', 'must be one word of plain characters'],
  ])('%j is refused: %s', (plexToken, problem) => {
    const result = read({ plexToken });
    expect(result.ok).toBe(false);
    expect(result.problems).toEqual([{ setting: 'plexToken', problem }]);
  });
});

describe('the environment', () => {
  const env = { PLEX_URL: 'http://env:32400', PLEX_TOKEN: 'env-token' };

  test('fills in what is unset or cleared', () => {
    const expected = { plexUrl: 'http://env:32400', plexToken: 'env-token' };
    expect(settingsOf(readSettings({}, env))).toMatchObject(expected);
    expect(settingsOf(readSettings({ plexUrl: '', plexToken: null }, env))).toMatchObject(expected);
  });

  test('gives way to what is set, each by itself', () => {
    const settings = settingsOf(readSettings({ plexUrl: 'http://set:1' }, env));
    expect(settings).toMatchObject({ plexUrl: 'http://set:1', plexToken: 'env-token' });
  });

  test('does not hide that what is set is wrong', () => {
    const result = readSettings({ plexUrl: 'nonsense' }, env);
    expect(result.ok).toBe(false);
    expect(result.problems.map(({ setting }) => setting)).toEqual(['plexUrl']);
  });

  test('is checked as a setting is', () => {
    expect(readSettings({}, { PLEX_URL: 'nonsense', PLEX_TOKEN: 'two words' }).problems).toHaveLength(2);
  });

  test('without either, both are missed', () => {
    expect(readSettings({}, {})).toMatchObject({
      ok: false,
      problems: [
        { setting: 'plexUrl', problem: 'is not set' },
        { setting: 'plexToken', problem: 'is not set' },
      ],
    });
  });
});

describe('a secret', () => {
  // It was written into the journal with the settings that a drainer goes by.
  test.each([
    'http://127.0.0.1:32400/?X-Plex-Token=secret-token',
    ' HTTP://127.0.0.1:32400#secret-token',
    'http://127.0.0.1:32400?a\nsecret-token',
  ])('that stands behind an address is not shown with it: %j', (plexUrl) => {
    const { reports } = readSettings({ ...REQUIRED, plexUrl, performerImagesFrom: `${plexUrl}&b` }, {});
    expect(JSON.stringify(reports)).not.toContain('secret');
    expect(reports.find(({ name }) => name === 'plexUrl')?.value).toMatch(
      /^ ?http:\/\/127\.0\.0\.1:32400\/?$/i,
    );
  });

  const secret = fc.stringMatching(/^[!-~ é\n]{6,40}$/);

  test('is in no problem, whatever the token and wherever it comes from', () => {
    fc.assert(
      fc.property(secret, fc.boolean(), (token, isFromEnv) => {
        const given = { plexUrl: 'nonsense', requestTimeout: 'x', pathMap: 'x' };
        const result = isFromEnv
          ? readSettings(given, { PLEX_TOKEN: token })
          : readSettings({ ...given, plexToken: token }, {});
        const said = JSON.stringify(result.problems);
        fc.pre(token.trim().length >= 6);
        expect(said).not.toContain(JSON.stringify(token.trim()).slice(1, -1));
      }),
      PROPERTY_RUNS,
    );
  });

  test('nor a password in the address', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9]{8,20}$/), (password) => {
        for (const plexUrl of [`http://me:${password}@plex:32400`, `ftp://me:${password}@plex`]) {
          expect(JSON.stringify(read({ plexUrl }))).not.toContain(password);
        }
      }),
      PROPERTY_RUNS,
    );
  });

  test('nor a token that came as a number', () => {
    expect(JSON.stringify(read({ plexToken: 123456789012 }).problems)).not.toContain('123456789012');
  });
});

test('any settings are read without a throw', () => {
  const names = [
    ...Object.keys(REQUIRED),
    'plexLibraries',
    'pathMap',
    'allowSelfSigned',
    'requestTimeout',
  ].concat('failureThreshold', 'recoveryTimeout', 'vigilMinutes');
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names), fc.jsonValue()), (given) => {
      const result = readSettings(given, {});
      if (result.ok) expect(result.settings.requestTimeoutMs).toBeGreaterThanOrEqual(1_000);
      else expect(result.problems.length).toBeGreaterThan(0);
    }),
    PROPERTY_RUNS,
  );
});

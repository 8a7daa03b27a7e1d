import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mappedPath, type PathRule, parsePathMap, ruleBetween, toPlexPath } from '../../src/sync/path-map.ts';
import { compiledPattern, MAX_PATTERN_PATH } from '../../src/sync/path-pattern.ts';
import { isSamePath } from '../../src/sync/paths.ts';
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

  test.each([
    ['/data', 1],
    ['/data =>', 1],
    ['=> /media', 1],
    ['/a => /b => /c', 1],
    ['/a -> /b', 1],
    ['/a => /b; nonsense', 2],
  ])('that is wrong says where: %j in rule %j', (text, number) => {
    const parsed = parsePathMap(text);
    expect(parsed).toMatchObject({ ok: false, problem: expect.stringMatching(`^rule ${number} `) });
    expect(parsed).toMatchObject({
      problem: expect.stringContaining('is not of the form "/path in Stash => /path in Plex"'),
    });
  });
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

test('a rule for a Windows folder fits in any case', () => {
  expect(toPlexPath('d:\\Clips\\a.mp4', rules('D:\\clips => /mnt'))).toBe('/mnt/a.mp4');
});

test('a rule of Windows fits no path of POSIX, nor the other way round', () => {
  expect(mappedPath('/clips/a.mp4', rules('D:\\clips => /mnt'))).toBeNull();
  expect(mappedPath('D:\\clips\\a.mp4', rules('/ => /mnt'))).toBeNull();
});

test('a rule that leads to Windows writes its separators', () => {
  expect(toPlexPath('/data/a/b.mp4', rules('/data => D:\\clips'))).toBe('D:\\clips\\a\\b.mp4');
  expect(toPlexPath('/data/a/b.mp4', rules('/data => D:/clips'))).toBe('D:/clips/a/b.mp4');
});

describe('a rule that is a pattern', () => {
  test.each([
    ['/mnt/disk7/a/b.mp4', String.raw`re:/mnt/disk\d+/ => /pool/`, '/pool/a/b.mp4'],
    ['/mnt/nas/a.mp4', String.raw`re:^/mnt/(\w+)/ => /srv/$1/`, '/srv/nas/a.mp4'],
    ['/x/mnt/nas/a.mp4', String.raw`re:/mnt/(\w+)/ => /srv/$1/`, '/x/mnt/nas/a.mp4'],
    ['/mnt/a/b.mp4', 're:/mnt/(a|b)/ => /$1$$1/', '/a$1/b.mp4'],
    ['D:\\Clips\\a\\b.mp4', 're:d:/clips/ => /mnt/', '/mnt/a/b.mp4'],
    ['/mnt/a/b.mp4', 're:/mnt/ => E:\\', 'E:\\a\\b.mp4'],
    ['/data/a;b/c.mp4', String.raw`re:/data/a\x3bb/ => /ab/`, '/ab/c.mp4'],
    ['/a/x.mp4', '/b => /c; re:/a/ => /d/; /a => /e', '/d/x.mp4'],
  ])('%j under %s is %j', (path, map, expected) => {
    expect(toPlexPath(path, rules(map))).toBe(expected);
  });

  test.each([
    ['re:( => /x', 'is no regular expression'],
    ['re:/a/(b) => /$2', 'has no group for $2'],
    ['re:.* => /x', 'fits every path'],
    [String.raw`re:/(a)\1 => /x`, 'refers back'],
    ['re:/(?=a)a => /x', 'looks ahead'],
    ['re:/(?<!a)a => /x', 'looks ahead or behind'],
    ['re:/(?<=a)a => /x', 'looks ahead or behind'],
    [String.raw`re:/(?<n>a)\k<n> => /x`, 'refers back'],
    ['re:/a{1001} => /x', 'has what is not supported (invalid repeat count'],
    [`re:/${'(?:.?){900}'.repeat(2)}x => /x`, 'is too large'],
    [`re:/${'a'.repeat(500)} => /x`, 'is longer than 500 characters'],
  ])('%s is refused in one sentence that says which it is', (text, problem) => {
    const parsed = parsePathMap(`/fine => /fine; ${text}`);
    expect(parsed).toMatchObject({
      ok: false,
      problem: expect.stringMatching(/^rule 2 \(".+"\): the pattern [^\n]+$/),
    });
    expect(parsed).toMatchObject({ problem: expect.stringContaining(problem) });
  });

  test.each([
    [String.raw`/(\w+/?)+x`, '/mnt/a/x', '/mnt/a/x'],
    ['/(a|a)*b', '/aab/', '/aab'],
    ['/((a+)b)*c', '/aabc', '/aabc'],
    ['/a?a?a?a?a?b', '/ab', '/ab'],
    [String.raw`/\u0061/`, '/a/', '/a/'],
    [String.raw`/\(\?=[(?=\\1]`, '/(?==', '/(?=='],
  ])('%s is one: to repeat and to choose may go into each other', (pattern, path, head) => {
    expect(compiledPattern(pattern, false).match(path)?.[0]).toBe(head);
  });

  // A pattern that JavaScript takes seconds or years over; the time limit of the test is the judge.
  test.each([
    '(.*)a(.*)a(.*)b/',
    '.*.*.*a?a?a?a?!Q!',
    '(?:.?.?.?.?)(?:.*)(?:.*)(?:.*)Qx',
    String.raw`(\w+/?)+!!`,
    '(a|a)*b!',
    '(?:a?){300}a{300}!!',
    '(((a*)*)*)*!!',
  ])('never hangs: %s', (pattern) => {
    const worst = rules(`re:!Q${pattern} => /x/`);
    for (const length of [512, MAX_PATTERN_PATH - 10]) {
      for (let again = 0; again < 20; again++) {
        expect(mappedPath(`!Q${'a'.repeat(length)}!Q/`, worst)).toBeNull();
      }
    }
  });

  test('is tried on no path that no system has', () => {
    const any = rules('re:/(a+)b => /x');
    expect(mappedPath(`/${'a'.repeat(MAX_PATTERN_PATH - 2)}b`, any)).toBe('/x');
    expect(mappedPath(`/${'a'.repeat(MAX_PATTERN_PATH - 1)}b`, any)).toBeNull();
  });

  test('fits where JavaScript would have it fit, with the same groups', () => {
    const atom = fc.constantFrom(
      'a',
      'b',
      '/',
      '.',
      String.raw`\d`,
      String.raw`\w`,
      '[^/]',
      '[ab1]',
      String.raw`\x61`,
      'é',
      '🎬',
    );
    const many = fc.constantFrom('', '', '*', '+', '?', '*?', '+?', '{1,2}', '{2}');
    const piece = fc.oneof(
      fc.tuple(atom, many).map((pair) => pair.join('')),
      fc
        .array(
          fc.tuple(atom, many).map((pair) => pair.join('')),
          { minLength: 1, maxLength: 3 },
        )
        .map((parts) => `(${parts.join('|')})`),
    );
    const source = fc.array(piece, { minLength: 1, maxLength: 5 }).map((pieces) => `/${pieces.join('')}`);
    const path = fc.string({
      unit: fc.constantFrom('a', 'b', 'A', '/', '1', 'é', 'É', '🎬', ' '),
      maxLength: 12,
    });
    fc.assert(
      fc.property(source, path, fc.boolean(), (pattern, rest, ignoresCase) => {
        const expected = new RegExp(`^(?:${pattern})`, ignoresCase ? 'iu' : 'u').exec(`/${rest}`);
        const found = compiledPattern(pattern, ignoresCase).match(`/${rest}`);
        expect(found).toEqual(expected === null ? null : [...expected].map((group) => group ?? null));
      }),
      PROPERTY_RUNS,
    );
  });
});

test.each([
  ['/data/scenes/A/x.mp4', '/media/A/x.mp4', '/data/scenes => /media'],
  ['D:\\clips\\A\\x.mp4', '/mnt/A/x.mp4', 'D:\\clips => /mnt'],
  ['/A/x.mp4', '/media/A/x.mp4', '/ => /media'],
  ['/data/x.mp4', '/media/y.mp4', null],
  ['/da;ta/x.mp4', '/media/x.mp4', null],
])('%j is %j under the rule %j', (file, plexFile, rule) => {
  expect(ruleBetween(file, plexFile)).toBe(rule);
  if (rule !== null) expect(toPlexPath(file, rules(rule))).toBe(plexFile);
});

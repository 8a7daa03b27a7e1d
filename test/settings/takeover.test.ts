import { describe, expect, test } from 'vitest';
import { readSettings } from '../../src/settings/settings.ts';
import { takeOver } from '../../src/settings/takeover.ts';

test('what has a meaning here is taken over in our words, under either spelling of the names', () => {
  const snake = {
    plex_url: 'http://10.0.0.2:32400',
    plex_token: 'a-good-token',
    plex_library: 'Scenes, More',
    reconcile_interval: 'Weekly',
    trigger_plex_scan: true,
    obfuscate_paths: 'true',
    max_tags: 40,
    reconcile_missing: false,
    plex_unmatched_path_map: '/plex/a=>/stash/a; /plex/b => /stash/b',
    sync_poster: false,
    sync_background: 'false',
  };
  const camel = Object.fromEntries(
    Object.entries(snake).map(([name, value]) => [
      name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  );
  expect(takeOver(camel, {})).toEqual(takeOver(snake, {}));
  const { inStash, inFile, left } = takeOver(snake, {});
  expect(left).toEqual([]);
  expect(inFile).toEqual({ maxTags: 40, reconcileMissing: false });
  const read = readSettings(inStash, {}, { kind: 'read', name: 'breakwater.json', values: inFile });
  expect(read.problems).toEqual([]);
  expect(read).toMatchObject({
    ok: true,
    settings: {
      plexUrl: 'http://10.0.0.2:32400',
      plexLibraries: ['Scenes', 'More'],
      pathRules: [
        { from: '/stash/a', to: '/plex/a' },
        { from: '/stash/b', to: '/plex/b' },
      ],
      scansNewFiles: true,
      obfuscatesPaths: true,
      reconcile: { every: 'weekly', missing: false },
      sync: { maxTags: 40, modes: { poster: 'off', background: 'off', title: 'on' } },
    },
  });
});

describe('preserving what was edited in Plex', () => {
  test('means: only what is empty; and a switch that is off is off', () => {
    const { inStash } = takeOver({ preserve_plex_edits: true, sync_studio: false }, {});
    const read = readSettings({ ...inStash, plexUrl: 'http://a', plexToken: 't' }, {});
    expect(read.problems).toEqual([]);
    expect(read).toMatchObject({
      settings: { sync: { modes: { title: 'only-if-empty', studio: 'off', tagline: 'off', rating: 'on' } } },
    });
  });
});

test('what is set here stays, and what has no meaning here is said with the reason', () => {
  const { inStash, left } = takeOver(
    { plex_url: 'http://theirs', poll_interval: 30, max_retries: 5 },
    { plexUrl: 'http://ours' },
  );
  expect(inStash).toEqual({});
  expect(left.map(({ setting }) => setting)).toEqual(['plexurl', 'maxretries', 'pollinterval']);
  expect(left[0]?.reason).toMatch(/set here already/);
});

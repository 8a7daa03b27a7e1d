// The settings as tasks over a world in memory.

import { expect, test } from 'vitest';
import { VirtualWorld } from '../support/virtual-world.ts';

test('every setting with its value and where it was given; the token is not shown', async () => {
  const world = VirtualWorld.withScenes(1);
  world.settingsFile = '{"requestTimeout": 12, "typo": 1}';
  const { isOk, lines, document } = await world.run('settings', {});
  expect(isOk).toBe(true);
  const text = lines.join('\n');
  expect(text).toMatch(/^requestTimeout +12 {2}\(file\)$/m);
  expect(text).toMatch(/^plexToken +\*\*\* {2}\(stash\)$/m);
  expect(text).toMatch(/^fields +- {2}\(default\)$/m);
  expect(text).toMatch(/^setting typo in breakwater.json is not known$/m);
  expect(JSON.stringify(document)).not.toContain('a-token');
});

test('a drainer goes by the file, writes down what changed, once, and says what is wrong with it', async () => {
  const world = VirtualWorld.withScenes(2);
  world.settingsFile = '{"fields": {"title": "off"}}';
  world.stash.edit('1', { title: 'never', studio: 'A' });
  await world.hook('scene:1');
  await world.settled();
  expect(world.plex.title('1')).not.toBe('never');
  expect((await world.queue()).settings.fields).toEqual({ value: { title: 'off' }, origin: 'file' });
  world.settingsFile = '{nonsense';
  world.stash.edit('1', { title: 'now' });
  await world.hook('scene:1');
  await world.settled();
  expect(world.plex.title('1')).toBe('now');
  expect((await world.queue()).settings.fields).toBeUndefined();
  expect(world.logs.join('\n')).toMatch(/warning: setting breakwater.json is not JSON/);
  const { entries } = await world.journal.read('queue', 0);
  const noted = entries.filter(
    (entry) => entry.kind === 'record' && entry.record.type === 'settings.changed',
  );
  expect(noted).toHaveLength(2);
  expect(JSON.stringify(entries)).not.toContain('a-token');
});

test('taking over: shown first, then done, and done twice it changes nothing', async () => {
  const world = VirtualWorld.withScenes(1);
  world.stash.otherSettings = { plex_url: 'http://theirs', trigger_plex_scan: true, max_tags: 40 };
  const dry = await world.run('settings', { takeOver: 'true', dryRun: 'true' });
  expect(dry.lines[0]).toBe('Would take over: scanNewFiles, maxTags.');
  expect([world.stash.settings.scanNewFiles, world.settingsFile]).toEqual([undefined, null]);
  expect(await world.run('settings', { takeOver: 'true' })).toMatchObject({ isOk: true });
  expect(world.stash.settings.scanNewFiles).toBe(true);
  expect(JSON.parse(world.settingsFile ?? '')).toEqual({ maxTags: 40 });
  expect((await world.run('settings', { takeOver: 'true' })).lines[0]).toBe('Nothing to take over.');
  world.stash.otherSettings = {};
  expect(await world.run('settings', { takeOver: 'true' })).toMatchObject({ isOk: false });
});

// The doctor: each thing that can be wrong is found, at its bound and one past it, and each finding says what to do.
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { doctorLines } from '../../src/cli/doctor.ts';
import { EASY_FREE_BYTES, LEAST_FREE_BYTES } from '../../src/doctor/dir-findings.ts';
import type { Finding } from '../../src/doctor/finding.ts';
import { type Facts, FUTURE_MS, findingsOf, LONG_TAIL } from '../../src/doctor/findings.ts';
import { openDataDir } from '../../src/invocation/data-dir.ts';
import { runMode } from '../../src/invocation/task.ts';
import type { World } from '../../src/invocation/world.ts';
import { NO_FILE } from '../../src/settings/file.ts';
import { START_AT } from '../support/fake-writer.ts';
import { readingWorld } from '../support/reading-world.ts';
import { anOutage } from '../support/stories.ts';
import { tempDir } from '../support/temp-dir.ts';

const stream = {
  records: 10,
  unknown: 0,
  damaged: 0,
  newer: 0,
  damages: [],
  unfinishedBytes: 0,
  from: START_AT,
  to: START_AT,
  latest: START_AT,
} as const;
const WELL = {
  dir: {
    kind: 'there',
    path: '/data',
    mode: 0o700,
    isWritable: true,
    loose: [],
    fileSystemType: 0xef53,
    isLocked: false,
    freeBytes: EASY_FREE_BYTES,
  },
  nodeVersion: '20.19.0',
  now: START_AT,
  journal: {
    kind: 'read',
    control: { ...stream, stream: 'control', drift: 0 },
    queue: { ...stream, stream: 'queue' },
    controlTail: 0,
  },
  settings: { kind: 'read', isUsable: true, problems: [] },
  holds: [],
} as const satisfies Facts;

const ill = (facts: Partial<Facts>) =>
  findingsOf({ ...WELL, ...facts }).filter(({ level }) => level !== 'ok');
const dir = (change: object) => ill({ dir: { ...WELL.dir, ...change } });
const journal = (change: object) => ill({ journal: { ...WELL.journal, ...change } });
const brief = ({ level, about }: Finding) => `${level} ${about}`;

test('where nothing is wrong it says so, and finds nothing', () => {
  expect(ill({})).toEqual([]);
  expect(doctorLines(findingsOf(WELL)).at(-1)).toBe('Nothing is wrong.');
});

describe('is found, with what to do', () => {
  const control = WELL.journal.control;
  test.each<[string, () => Finding[], string, RegExp]>([
    ['Node that is too old', () => ill({ nodeVersion: '20.18.9' }), 'problem node', /20\.18\.9 is too old/],
    ['Node of last decade', () => ill({ nodeVersion: '18.20.0' }), 'problem node', /too old/],
    ['no data dir', () => ill({ dir: { kind: 'missing' } }), 'note data dir', /none yet/],
    [
      'a data dir that is a file',
      () => ill({ dir: { kind: 'unusable', detail: 'no folder' } }),
      'problem data dir',
      /no folder/,
    ],
    [
      'a dir that cannot be written',
      () => dir({ isWritable: false }),
      'problem data dir',
      /cannot be written/,
    ],
    ['a dir that others read', () => dir({ mode: 0o755 }), 'problem permissions', /mode 755/],
    [
      'files that others read',
      () => dir({ loose: [{ name: 'queue.ndjson', what: 'mode' }] }),
      'problem permissions',
      /queue/,
    ],
    [
      'a link',
      () => dir({ loose: [{ name: 'control.ndjson', what: 'link' }] }),
      'problem permissions',
      /links.*control/,
    ],
    [
      'NFS',
      () => dir({ fileSystemType: 0x6969, isLocked: true }),
      'note file system',
      /NFS, a network file system: each append takes a lock/,
    ],
    [
      'SMB without a lock',
      () => dir({ fileSystemType: 0xff534d42 }),
      'problem file system',
      /CIFS.*append-lock\.never.*overwrite/,
    ],
    [
      'FUSE',
      () => dir({ fileSystemType: 0x65735546, isLocked: true }),
      'note file system',
      /FUSE, which may be a network: each append takes a lock/,
    ],
    [
      'a layer of a container',
      () => dir({ fileSystemType: 0x794c7630 }),
      'note file system',
      /does not outlive/,
    ],
    ['little room', () => dir({ freeBytes: EASY_FREE_BYTES - 1 }), 'note disk', /499 MB free/],
    ['no room', () => dir({ freeBytes: LEAST_FREE_BYTES - 1 }), 'problem disk', /49 MB free/],
    [
      'a journal that cannot be read',
      () => ill({ journal: { kind: 'unread', detail: 'EIO' } }),
      'problem journal',
      /EIO/,
    ],
    ['damage', () => journal({ control: { ...control, damaged: 2 } }), 'problem journal', /2 damaged/],
    ['drift', () => journal({ control: { ...control, drift: 1 } }), 'problem journal', /fold differently/],
    [
      'a newer version',
      () => journal({ queue: { ...WELL.journal.queue, newer: 3 } }),
      'problem journal',
      /3 lines of a newer/,
    ],
    ['a long tail', () => journal({ controlTail: LONG_TAIL }), 'note checkpoint', /256 records behind/],
    ['the future', () => ill({ now: START_AT - FUTURE_MS - 1 }), 'problem clock', /5 minutes ahead/],
    [
      'Stash away',
      () => ill({ settings: { kind: 'unread', detail: 'refused' } }),
      'note settings',
      /refused/,
    ],
    [
      'a bad setting',
      () => ill({ settings: { kind: 'read', isUsable: true, problems: ['x is bad'] } }),
      'note settings',
      /x is bad/,
    ],
    [
      'a missing setting',
      () => ill({ settings: { kind: 'read', isUsable: false, problems: ['plexUrl is missing'] } }),
      'problem settings',
      /plexUrl/,
    ],
    [
      'a hold',
      () => ill({ holds: [{ hold: 'operator', reason: 'moving', leftText: '2h' }] }),
      'note hold',
      /moving/,
    ],
  ])('%s', (_, look, what, says) => {
    const found = look();
    expect(found.map(brief)).toEqual([what]);
    expect(found[0]?.says).toMatch(says);
    expect(found[0]?.advice).not.toBe('');
  });
});

test('a lock that a person has asked for, or has asked to do without, is no trouble', () => {
  const says = (change: object) =>
    findingsOf({ ...WELL, dir: { ...WELL.dir, ...change } }).find(({ about }) => about === 'file system');
  expect(says({ isLocked: true })).toMatchObject({ level: 'ok', says: expect.stringContaining('the lock') });
  expect(says({ fileSystemType: 0x65735546 })).toMatchObject({
    level: 'ok',
    says: expect.stringContaining('FUSE'),
  });
  expect(says({ fileSystemType: null })).toMatchObject({ level: 'ok', says: 'not looked at on this system' });
});

test('at the bounds nothing is wrong yet', () => {
  expect(journal({ controlTail: LONG_TAIL - 1 })).toEqual([]);
  expect(ill({ now: START_AT - FUTURE_MS })).toEqual([]);
  expect(dir({ freeBytes: LEAST_FREE_BYTES }).map(brief)).toEqual(['note disk']);
});

describe('on a real folder', () => {
  const settingsFile = { read: () => NO_FILE, write: () => {} };
  async function examined(
    data: string,
    given: unknown = { plexUrl: 'http://plex:32400', plexToken: 'canary' },
  ) {
    const opened = openDataDir(data);
    const story = await anOutage(opened.journal);
    const stash = { settings: async () => ({ ok: true, value: given }) };
    const world = {
      ...readingWorld(opened.journal, story.clock),
      dir: opened,
      stash,
      settingsFile,
    } as unknown as World;
    return {
      async look() {
        const { isOk, lines, document } = await runMode('doctor', world, {});
        const findings = (document as { findings: Finding[] }).findings.filter(
          ({ level }) => level === 'problem',
        );
        return { isOk, text: lines.join('\n'), about: findings.map(({ about }) => about) };
      },
    };
  }

  test('as the journal makes it all is well, and no secret is told', async () => {
    const { look } = await examined(`${tempDir()}/data`);
    const { text, about } = await look();
    expect(about).toEqual([]);
    expect(text).not.toContain('canary');
  });

  test('the lock is seen, and it may be a file that a person made', async () => {
    const data = `${tempDir()}/data`;
    const { look } = await examined(data);
    writeFileSync(`${data}/append-lock`, '', { mode: 0o644 });
    expect(await look()).toMatchObject({ about: [], text: expect.stringContaining('takes the lock') });
    writeFileSync(`${data}/append-lock.never`, '', { mode: 0o644 });
    expect(await look()).toMatchObject({ about: [], text: expect.not.stringContaining('takes the lock') });
  });

  test('modes, links and damage are seen', async () => {
    const data = `${tempDir()}/data`;
    const { look } = await examined(data);
    chmodSync(`${data}/queue.ndjson`, 0o644);
    expect(await look()).toMatchObject({
      isOk: false,
      about: ['permissions'],
      text: expect.stringContaining('queue.ndjson'),
    });
    chmodSync(`${data}/queue.ndjson`, 0o600);
    mkdirSync(`${data}/checkpoint`, { mode: 0o700 });
    symlinkSync('/dev/null', `${data}/checkpoint/control.json`);
    expect((await look()).text).toContain('links where files should be: checkpoint/control.json');
    writeFileSync(`${data}/control.ndjson`, '\ntorn\n', { flag: 'a' });
    expect((await look()).about).toEqual(['permissions', 'journal']);
  });

  test('settings that keep it from working are problems', async () => {
    const { look } = await examined(`${tempDir()}/data`, {});
    expect(await look()).toMatchObject({ isOk: false, about: expect.arrayContaining(['settings']) });
  });

  test('a stream that is no file is one clear problem', async () => {
    const data = tempDir();
    chmodSync(data, 0o700);
    mkdirSync(`${data}/control.ndjson`, { mode: 0o700 });
    const opened = openDataDir(data);
    const stash = { settings: async () => ({ ok: false, failure: { detail: 'refused' } }) };
    const world = { ...readingWorld(opened.journal), dir: opened, stash, settingsFile } as unknown as World;
    expect((await runMode('doctor', world, {})).lines.join('\n')).toMatch(
      /PROBLEM {2}journal: it cannot be read: EISDIR/,
    );
  });

  test('a file in the place of the folder is one clear problem', async () => {
    const data = `${tempDir()}/file`;
    writeFileSync(data, '');
    const opened = openDataDir(data);
    const stash = { settings: async () => ({ ok: false, failure: { detail: 'refused' } }) };
    const world = { ...readingWorld(opened.journal), dir: opened, stash, settingsFile } as unknown as World;
    expect((await runMode('doctor', world, {})).lines.join('\n')).toMatch(
      /PROBLEM {2}data dir: it cannot be used: it is no folder/,
    );
  });
});

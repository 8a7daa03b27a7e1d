// The verb and the task: where the file goes, who may read it, and that it is there whole or not at all.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { FileJournal } from '../../src/breaker/journal/file-journal.ts';
import type { MemoryJournal } from '../../src/breaker/journal/memory-journal.ts';
import { htmlOf } from '../../src/report/html.ts';
import { pageAssets } from '../../src/report/page-assets.ts';
import { reportOf } from '../../src/report/report.ts';
import { seasonOf } from '../support/outage-log.ts';
import { entriesOf } from '../support/streams.ts';
import { tempDir } from '../support/temp-dir.ts';

const bundle = fileURLToPath(new URL('../../dist/plugin/breakwater.cjs', import.meta.url));
let season: MemoryJournal;

beforeAll(async () => {
  season = await seasonOf(300, { days: 10, end: 'away' });
});

/** A data dir that holds the season. */
async function dataDir(): Promise<string> {
  const dir = path.join(tempDir(), 'breakwater');
  const journal = new FileJournal(dir);
  mkdirSync(dir, { mode: 0o700 });
  for (const stream of ['control', 'queue'] as const) {
    const entries = await entriesOf(season, stream);
    const records = entries.flatMap((entry) => (entry.kind === 'record' ? [entry.record] : []));
    expect(await journal.append(stream, records)).toEqual({ ok: true });
  }
  return dir;
}

function run(words: readonly string[], input = '') {
  const { NODE_EXTRA_CA_CERTS: _, BREAKWATER_DATA: __, ...env } = process.env;
  return spawnSync(process.execPath, [bundle, ...words], { input, env, encoding: 'utf8' });
}

function modeOf(file: string): number {
  return statSync(file).mode & 0o777;
}

describe('breakwater report', () => {
  test('writes report.html into the data dir, for its owner only, and says where', async () => {
    const dir = await dataDir();
    const { status, stdout } = run(['report', '--data', dir]);
    const file = path.join(dir, 'report.html');
    expect([status, stdout]).toEqual([0, expect.stringContaining(`The report is in ${file} (`)]);
    expect(modeOf(file)).toBe(0o600);
    // What the bundle holds is what the sources make.
    const journal = new FileJournal(dir);
    expect(readFileSync(file, 'utf8')).toBe(htmlOf(await reportOf(journal, null), await pageAssets()));
  });

  test('writes where it is told to, the same bytes each time, and replaces what was there', async () => {
    const dir = await dataDir();
    const file = path.join(tempDir(), 'new', 'plex.html');
    expect(run(['report', '--data', dir, '-o', file]).status).toBe(0);
    const first = readFileSync(file);
    writeFileSync(file, 'something longer than nothing', { mode: 0o644 });
    const { status, stdout } = run(['report', '--data', dir, '--output', file, '--json']);
    expect([status, JSON.parse(stdout)]).toMatchObject([0, { path: file, bytes: first.length, outages: 2 }]);
    expect(readFileSync(file).equals(first)).toBe(true);
    expect(modeOf(file)).toBe(0o600);
    expect(readdirSync(path.dirname(file))).toEqual(['plex.html']);
    expect(existsSync(path.join(dir, 'report.html'))).toBe(false);
  });

  test('replaces a link, and leaves alone what it led to', async () => {
    const dir = await dataDir();
    const other = path.join(tempDir(), 'precious');
    writeFileSync(other, 'precious');
    symlinkSync(other, path.join(dir, 'report.html'));
    expect(run(['report', '--data', dir]).status).toBe(0);
    expect(readFileSync(other, 'utf8')).toBe('precious');
  });

  test('is of a later moment when asked, and refuses an earlier one and what is no time', async () => {
    const dir = await dataDir();
    const { now } = await reportOf(season, null);
    const later = run(['report', '--data', dir, '--json', '--now', new Date(now + 60_000).toISOString()]);
    expect([later.status, JSON.parse(later.stdout).now]).toEqual([0, now + 60_000]);
    const file = path.join(dir, 'report.html');
    const before = readFileSync(file);
    for (const wrong of [new Date(now - 60_000).toISOString(), 'yesterday']) {
      const { status, stderr } = run(['report', '--data', dir, '--now', wrong]);
      expect([status, stderr]).toEqual([
        2,
        expect.stringMatching(/^breakwater: .*(before the newest|is not a time)/),
      ]);
    }
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test('leaves nothing behind where it cannot write', async () => {
    const dir = await dataDir();
    const taken = path.join(tempDir(), 'folder');
    mkdirSync(taken);
    const { status, stderr } = run(['report', '--data', dir, '-o', taken]);
    expect([status, stderr]).toEqual([2, expect.stringContaining(taken)]);
    expect(readdirSync(path.dirname(taken))).toEqual(['folder']);
  });
});

test('as a task it writes into the data dir, whatever else Stash says', async () => {
  const dir = await dataDir();
  const elsewhere = path.join(tempDir(), 'elsewhere.html');
  const input = {
    server_connection: { Scheme: 'http', Host: '127.0.0.1', Port: 1, Dir: path.dirname(dir) },
    args: { mode: 'report', output: elsewhere, reportPath: elsewhere },
  };
  const { stdout } = run([], JSON.stringify(input));
  expect(JSON.parse(stdout).output).toMatchObject({ path: path.join(dir, 'report.html'), outages: 2 });
  expect(existsSync(elsewhere)).toBe(false);
  expect(modeOf(path.join(dir, 'report.html'))).toBe(0o600);
});

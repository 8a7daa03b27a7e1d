// Words of others cannot act: no text from Stash, Plex or the journal forges a line of Stash's log, commands a terminal,
// or makes a line read as another. Everything that a person can ask for is asked with such texts in every place.

import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ControlLog } from '../../src/breaker/control/control-log.ts';
import { processWriter } from '../../src/breaker/process.ts';
import { plain, plainJson, plainText, shownJson } from '../../src/cli/format.ts';
import { toCsv } from '../../src/export/table.ts';
import { openDataDir } from '../../src/invocation/data-dir.ts';
import { TASK_MODES } from '../../src/invocation/task.ts';
import { QueueLog } from '../../src/queue/queue-log.ts';
import { BUNDLE, spawnAndRead } from '../support/live-world.ts';
import { PROPERTY_RUNS } from '../support/property-runs.ts';

/** A forged error of Stash's log, a cleared screen, a title of the window, a link, C1 commands, reversed text. */
const EVIL =
  'a\u0001e\u0002FORGED\n\u0001e\u0002FORGED\r\n\u001b[2J\u001b]0;title\u0007\u001b]8;;http://evil\u0007\u009b31m\u0090q\u2028b\u202egnp.exe\u2066c\u061cd\u200ee\u200ff';

let root: string;
let data: string;

beforeAll(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'breakwater-forged-'));
  data = path.join(root, 'breakwater');
  mkdirSync(data);
  const { journal } = openDataDir(data);
  const writer = { ...processWriter('drain'), inv: EVIL };
  const control = await ControlLog.open(journal, writer);
  const under = { lease: 'drain', epoch: 1 } as const;
  await control.append({ type: 'lease.claimed', lease: 'drain', forMs: 600_000, draw: 0 });
  await control.append({ type: 'probe.succeeded', ...under, tookMs: 1, pending: 0 });
  await control.append({ type: 'attempt.failed', ...under, class: 'outage', symptom: EVIL, draw: 0 });
  const steps = await control.appendOrThrow({
    type: 'probe.failed',
    ...under,
    class: 'outage',
    symptom: EVIL,
    draw: 0,
  });
  await control.append({ type: 'outage.noted', opening: steps[0]?.record.id ?? '', text: EVIL });
  for (const hold of ['operator', 'config', 'throttle'] as const) {
    await control.append({ type: 'hold.placed', hold, stance: 'open', reason: EVIL, forMs: 600_000 });
  }
  const queue = await QueueLog.open(journal, writer);
  const scope = {
    since: null,
    newSince: null,
    depth: 'plex',
    isMissingOnly: false,
    libraries: [EVIL],
  } as const;
  const gaps = { kinds: { changed: 1 }, fields: { [EVIL]: 1 }, libraries: { [EVIL]: 1 } };
  await queue.append(
    ...[1, 2, 3].map((id) => ({ type: 'job.queued', job: `scene:${id}`, cause: EVIL }) as const),
    {
      type: 'job.deferred',
      job: 'scene:2',
      upTo: 1e6,
      reason: 'missing',
      detail: EVIL,
      attempt: 1,
      waitMs: 600_000,
    },
    { type: 'job.deadLettered', job: 'scene:3', upTo: 1e6, reason: 'rejected', detail: EVIL },
    { type: 'reconcile.requested', scope, cause: EVIL },
    { type: 'reconcile.advanced', cursor: 1, checked: 1, left: 1, gaps },
    { type: 'reconcile.finished', result: 'done' },
  );
  journal.close();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

// biome-ignore lint/suspicious/noControlCharactersInRegex: looking for them is what this is for
const OBEYED = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\p{Bidi_Control}]/u;
const WITHOUT_STASH = { STASH_URL: 'http://127.0.0.1:1' };

/** With arguments that get each as far as it comes without a Stash. */
const VERBS: readonly (readonly string[])[] = [
  ['status'],
  ['outages'],
  ['outages', 'note', '1', EVIL],
  ['outages', 'note', '7', EVIL],
  ['queue'],
  ['dead'],
  ['retry', '--job', EVIL],
  ['drop', '--dry-run'],
  ['clear', '--dry-run'],
  ['check'],
  ['drain'],
  ['sync', '--scene', EVIL],
  ['reconcile', '--all', '--library', EVIL, '--dry-run'],
  ['hold', 'open', '--reason', EVIL],
  ['hold', 'open', '--for', EVIL],
  ['dead', '--outage', EVIL],
  ['release'],
  ['undo', '--scene', '3', '--dry-run'],
  ['unlock', '--scene', '3', '--fields', EVIL],
  ['lock', '--scene', '3', '--fields', EVIL],
  ['settings'],
  ['watch', '--every', EVIL],
  ['health'],
  ['why'],
  ['why', '--scene', '3'],
  ['why', '--outage', '1'],
  ['replay'],
  ['replay', '--step'],
  ['replay', '--jsonl'],
  ['replay', '--outage', '1', '--step'],
  ['verify'],
  ['doctor'],
  ['backtest', '--recovery-timeout', '10s'],
  ...['outages', 'events', 'queue'].flatMap((what) =>
    ['csv', 'json'].map((format) => ['export', '--what', what, '--format', format]),
  ),
  ['export', '--format', 'prometheus'],
  ['export', '--golden'],
  ['report', '-o', '/proc/self/fd/1'],
  ['inspect', '--jsonl'],
  ['inspect', '--at', EVIL],
  ['schema', EVIL],
  ['machines', EVIL],
];
const BARE = ['schema', 'machines'];
/** Their documents hold the texts: a program gets them as they are. */
const TELLING = ['status', 'outages', 'queue', 'dead', 'replay', 'export'];

describe('at a shell', () => {
  test.each(VERBS)('%s %s', async (...words) => {
    const to = BARE.includes(words[0] ?? '') ? [] : ['--data', data];
    const run = await spawnAndRead(process.execPath, [BUNDLE, ...words, ...to], {
      ...process.env,
      ...WITHOUT_STASH,
    });
    expect(`${run.stdout}${run.stderr}`.length).toBeGreaterThan(5);
    // The lines of CSV end as they must.
    expect(run.stdout.replaceAll('\r\n', '\n')).not.toMatch(OBEYED);
    expect(run.stderr).not.toMatch(OBEYED);
    for (const line of `${run.stdout}${run.stderr}`.split('\n')) expect(line).not.toMatch(/^e?.?FORGED/);
  });

  test('no verb is left out', async () => {
    const { stdout } = await spawnAndRead(process.execPath, [BUNDLE, '--help'], process.env);
    const verbs = [...stdout.matchAll(/^ {2}([a-z]+)( |$)/gm)].map(([, verb]) => verb);
    expect(verbs.length).toBeGreaterThan(20);
    expect([...new Set(VERBS.map(([verb]) => verb)), 'help'].sort()).toEqual(verbs.sort());
  });

  test.each(TELLING)(
    '%s --json is a document that holds the text as it is, and shows nothing of it',
    async (verb) => {
      const words = verb === 'replay' ? [verb, '--step'] : [verb];
      const run = await spawnAndRead(
        process.execPath,
        [BUNDLE, ...words, '--json', '--data', data],
        process.env,
      );
      expect(run.stdout).not.toMatch(OBEYED);
      expect(JSON.stringify(JSON.parse(run.stdout))).toContain(JSON.stringify(EVIL).slice(1, -1));
    },
  );

  test('the page of a report does not even read them: what reorders is left out', async () => {
    const run = await spawnAndRead(
      process.execPath,
      [BUNDLE, 'report', '-o', '/proc/self/fd/1', '--data', data],
      process.env,
    );
    expect(run.stdout).toContain('gnp.exe');
    expect(run.stdout).not.toMatch(/\\u(202e|2066|061c|200e|200f)/);
  });
});

describe('whatever the text', () => {
  const nasty = fc.string({
    unit: fc.oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
      fc.constantFrom(...EVIL, ...'\u202a\u202b\u202c\u202d\u2067\u2068\u2069<>&"\\'),
    ),
  });

  test('as a line, as a text and as JSON there is nothing to be obeyed, and JSON holds it as it is', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        expect(plain(text)).not.toMatch(OBEYED);
        expect(plainText(text).replaceAll(/[\r\n\t]/g, '')).not.toMatch(OBEYED);
        expect(plainJson({ [text]: [text] })).not.toMatch(OBEYED);
        expect(JSON.parse(plainJson({ [text]: [text] }, 0))).toEqual({ [text]: [text] });
        expect(JSON.parse(shownJson([text]))).toEqual([text.replaceAll(/\p{Bidi_Control}/gu, '')]);
        const csv = toCsv({ columns: ['a', 'b'], rows: [[text, { text }]] });
        expect(csv.replaceAll(/[\r\n\t]/g, '')).not.toMatch(OBEYED);
        expect(csv.slice('a,b\r\n'.length)).not.toMatch(/^"?[\s\uFEFF]*[=+\-@]/);
      }),
      PROPERTY_RUNS,
    );
  });
});

describe('in the log of Stash', () => {
  const connection = { Scheme: 'http', Host: '127.0.0.1', Port: 1, Dir: '' };
  const runTask = (args: object) =>
    spawnAndRead(
      process.execPath,
      [BUNDLE],
      { ...process.env, BREAKWATER_DATA: data },
      JSON.stringify({ server_connection: connection, args }),
    );

  test.each(TASK_MODES)('%s writes lines of one level and one text', async (mode) => {
    const args = {
      mode,
      reason: EVIL,
      for: EVIL,
      scene: EVIL,
      since: EVIL,
      library: EVIL,
      stance: EVIL,
      job: EVIL,
      outage: EVIL,
    };
    const { stderr, stdout } = await runTask(args);
    for (const line of stderr.split('\n').slice(0, -1)) {
      expect([line[0], line[2]]).toEqual(['\u0001', '\u0002']);
      expect(line[1]).toMatch(/^[diwep]$/);
      expect(line.slice(3)).not.toMatch(OBEYED);
    }
    expect(stdout.trim().split('\n')).toHaveLength(1);
    expect(Object.keys(JSON.parse(stdout) as object)).toHaveLength(1);
  });

  test.each([EVIL, [[[]]], { a: 1 }, null, 7, 'x'.repeat(100_000)])(
    'a mode that is none (%#) is told in one short line',
    async (mode) => {
      const { stderr, code } = await runTask({ mode });
      expect(code).toBe(0);
      expect(stderr.length).toBeLessThan(1_000);
      expect(stderr.trim().split('\n')).toHaveLength(1);
    },
  );

  test('arguments nested 100 000 deep are refused like any other nonsense', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const stdin = `{"server_connection":${JSON.stringify(connection)},"args":{"mode":${deep}}}`;
    const run = await spawnAndRead(
      process.execPath,
      [BUNDLE],
      { ...process.env, BREAKWATER_DATA: data },
      stdin,
    );
    expect(run.code).toBe(0);
    expect((JSON.parse(run.stdout) as { error: string }).error).toMatch(
      /^mode that is not text is not known/,
    );
  });
});

test('what is plain already stays as it is, right to left as well', () => {
  for (const text of ['Ünï — “x”', 'שלום עולם', 'سلام‌ها', '👩‍👩‍👧', '    indented'])
    expect(plain(text)).toBe(text);
});

test('the journal itself is one document a line, whatever is in it', () => {
  const lines = readFileSync(path.join(data, 'control.ndjson'), 'utf8').split('\n').filter(Boolean);
  expect(lines.length).toBeGreaterThan(5);
  for (const line of lines) expect(JSON.parse(line)).toHaveProperty('crc');
});

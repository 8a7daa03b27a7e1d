// Where no Node fits and a companion is alive, the launcher hands it the wish through files, shows its log as it comes
// and prints its answer. The companion here is this test.

import {
  appendFileSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import * as path from 'node:path';
import { describe, expect, test } from 'vitest';
import { until } from '../support/live-world.ts';
import { COOKIE, Machine, SHELLS } from './launcher-machine.ts';
import { follow } from './programs.ts';

describe.each(SHELLS)('in $name', (shell) => {
  test('the wish arrives without its cookie, the log is shown as it comes, and the answer is the answer', async () => {
    const { machine, folder } = withCompanion();
    const words = {
      text: 'SessionCookie":{ "} ü 🌊 \\',
      mode: 'reconcile',
      session: { Name: 'session', Value: COOKIE, Unparsed: [] },
    };
    const run = follow(machine.start(shell), machine.document(words));
    const wish = await taken(folder);
    const text = readFileSync(`${wish}.taken`, 'utf8');
    expect(text).not.toContain(COOKIE);
    const document = JSON.parse(machine.document(words));
    document.server_connection.SessionCookie = null;
    document.args.session = null;
    expect(JSON.parse(text)).toEqual(document);
    expect(statSync(`${wish}.taken`).mode & 0o777).toBe(0o600);

    appendFileSync(`${wish}.log`, '\x01i\x02half a li');
    await until('the first half is shown', () => run.stderr() === '\x01i\x02half a li');
    appendFileSync(`${wish}.log`, 'ne\n\x01p\x020.5\n');
    await until('the rest is shown', () => run.stderr() === '\x01i\x02half a line\n\x01p\x020.5\n');

    appendFileSync(`${wish}.log`, '\x01p\x021\n');
    answer(wish, '{"output":"42 scenes"}\n');
    expect(await run.ended).toMatchObject({ code: 0 });
    expect(run.stdout()).toBe('{"output":"42 scenes"}\n');
    expect(run.stderr()).toBe('\x01i\x02half a line\n\x01p\x020.5\n\x01p\x021\n');
    expect(readdirSync(folder)).toEqual(['alive']);
  });

  test.each(['a}b', 'say "hi"', 'back\\slash', '\\"}', '{"SessionCookie":{"Value":"x"}}'])(
    'no part of the secret %s is handed on',
    async (mark) => {
      const { machine, folder } = withCompanion();
      const secret = `first-part ${mark} last-part`;
      const document = JSON.parse(machine.document({ session: { Name: secret, Value: secret } }));
      document.server_connection.SessionCookie.Value = secret;
      const run = follow(machine.start(shell), JSON.stringify(document));
      const wish = await taken(folder);
      const text = readFileSync(`${wish}.taken`, 'utf8');
      for (const part of ['first-part', 'last-part']) expect(text).not.toContain(part);
      expect(JSON.parse(text).server_connection.Port).toBe(document.server_connection.Port);
      answer(wish, '{"output":null}');
      await run.ended;
    },
  );

  test('two at once do not meet', async () => {
    const { machine, folder } = withCompanion();
    const runs = [1, 2].map((id) => follow(machine.start(shell), machine.document({ id })));
    for (const _ of runs) {
      const wish = await taken(folder);
      const { id } = JSON.parse(readFileSync(`${wish}.taken`, 'utf8')).args;
      answer(wish, JSON.stringify({ output: id }));
    }
    await Promise.all(runs.map(({ ended }) => ended));
    expect(runs.map(({ stdout }) => JSON.parse(stdout()))).toEqual([{ output: 1 }, { output: 2 }]);
  });

  test('a companion that falls silent is not waited for, and its files are removed', async () => {
    const { machine, folder } = withCompanion({ look_seconds: '1' });
    const run = follow(machine.start(shell), machine.document());
    await taken(folder);
    fallSilent(folder);
    await run.ended;
    expect(JSON.parse(run.stdout())).toEqual({
      error: 'The companion of Breakwater fell silent: its own log says whether this was done',
    });
    expect(readdirSync(folder)).toEqual(['alive']);
  });

  test.each([
    ['take_up_seconds', 'did not take this up within 1 s: nothing was done'],
    ['max_seconds', 'has been at this for a day'],
  ])('the wait is bounded (%s)', async (bound, error) => {
    const { machine, folder } = withCompanion({ [bound]: '1' });
    const run = follow(machine.start(shell), machine.document());
    if (bound === 'max_seconds') await taken(folder);
    await run.ended;
    expect(JSON.parse(run.stdout()).error).toContain(error);
    expect(readdirSync(folder)).toEqual(['alive']);
  });

  test('a companion that was silent for minutes is not asked', async () => {
    const { machine, folder } = withCompanion();
    fallSilent(folder);
    const run = follow(machine.start(shell), machine.document());
    await run.ended;
    expect(JSON.parse(run.stdout()).error).toContain('there is none here');
    expect(readdirSync(folder)).toEqual(['alive']);
  });

  test('a cookie that is not where it always was is not handed on', async () => {
    const { machine, folder } = withCompanion();
    const run = follow(
      machine.start(shell),
      machine.document().replace('"SessionCookie":', '"SessionCookie" : '),
    );
    await run.ended;
    expect(JSON.parse(run.stdout()).error).toContain('unknown shape');
    expect(readdirSync(folder)).toEqual(['alive']);
  });
});

describe.each(SHELLS.filter(({ hasOwnTools }) => !hasOwnTools))('in $name', (shell) => {
  test('where the wish cannot be written it says where', async () => {
    const { machine, folder } = withCompanion();
    // Nobody can write there, not even root: the id has a folder in it that does not exist.
    machine.tool('date', 'echo no/such/folder');
    const run = follow(machine.start(shell), machine.document());
    await run.ended;
    expect(JSON.parse(run.stdout()).error).toContain(`Cannot write to ${folder}`);
  });

  test('where no part of a second can be slept it works as well', async () => {
    const { machine, folder } = withCompanion();
    machine.tool('sleep', 'case $1 in *.*) echo invalid number >&2; exit 1 ;; esac', 'exec /bin/sleep "$1"');
    const run = follow(machine.start(shell), machine.document());
    answer(await taken(folder), '{"output":null}');
    expect(await run.ended).toMatchObject({ code: 0 });
    expect(run.stdout()).toBe('{"output":null}');
    expect(run.stderr()).toBe('');
  });
});

function withCompanion(settings: Readonly<Record<string, string>> = {}) {
  const machine = new Machine('plugin', settings);
  const folder = path.join(machine.data, 'companion');
  machine.file(path.join(folder, 'alive'));
  return { machine, folder };
}

/** Takes the one wish that waits, as a companion does; the path that its files have in common. */
async function taken(folder: string): Promise<string> {
  const waiting = () => readdirSync(folder).find((name) => /^wish-[\d-]+\.json$/.test(name));
  await until('a wish waits', () => waiting() !== undefined);
  const wish = path.join(folder, path.basename(waiting() ?? '', '.json'));
  renameSync(`${wish}.json`, `${wish}.taken`);
  return wish;
}

function answer(wish: string, document: string): void {
  writeFileSync(`${wish}.new`, document);
  renameSync(`${wish}.new`, `${wish}.out`);
}

function fallSilent(folder: string): void {
  const before = Date.now() / 1000 - 300;
  utimesSync(path.join(folder, 'alive'), before, before);
}

// The token of Plex, the API key and the session cookie of Stash are nowhere but where they must be. A whole life of the
// plugin with secrets that are looked for afterwards in everything that is left of it: the data dir, temp files, Stash's
// log, what was printed, the arguments of every process while it lived, and the addresses that Plex and Stash were asked.

import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { STASH_VARIABLE } from '../../src/door/handover.ts';
import { TASK_MODES } from '../../src/invocation/task.ts';
import { type Ended, LiveWorld, TOKEN, until } from '../support/live-world.ts';
import { type Secret, secretsIn } from '../support/secrets.ts';
import { removeDir } from '../support/temp-dir.ts';

const API_KEY = 'canary-4piK3y-8b1d2e';
const OTHERS: readonly Secret[] = [
  { name: 'a token with a typing error', value: 'canary wr0ng-T0ken' },
  { name: 'a password in an address', value: 'canary-P4ssword-77' },
  { name: 'a wrong API key', value: 'canary-Wr0ngK3y-19' },
];

let world: LiveWorld;
let temp: string;
const before = process.env.TMPDIR;
beforeEach(() => {
  temp = path.join(tmpdir(), `breakwater-canary-${process.pid}`);
  mkdirSync(temp, { recursive: true });
  process.env.TMPDIR = temp;
});
afterEach(async () => {
  await world?.close();
  if (before === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = before;
  removeDir(temp);
});

describe('the search itself finds', () => {
  const secret: Secret = { name: 's', value: 'canary/+?-S3cret' };
  test.each([
    ['the secret', (text: string) => `x${text}y`],
    ['base64', (text: string) => Buffer.from(`user:${text}`).toString('base64')],
    ['base64 of another length', (text: string) => Buffer.from(`u:${text}:`).toString('base64')],
    [
      'base64 at the third offset',
      (text: string) => Buffer.from(`${'u'.repeat(4)}${text}!!`).toString('base64'),
    ],
    ['an address', (text: string) => `?t=${encodeURIComponent(text)}`],
    ['hexadecimal', (text: string) => Buffer.from(`a${text}`).toString('hex')],
  ])('%s', (_form, spell) => {
    expect(secretsIn(spell(secret.value), [secret])).not.toEqual([]);
    expect(secretsIn(spell('something else, as long'), [secret])).toEqual([]);
  });
});

test.skipIf(!existsSync('/proc/self/cmdline'))(
  'a whole life leaves no secret behind: hooks, an outage, kill -9, every task and verb, and every error',
  async () => {
    world = await LiveWorld.start({ scenes: 6, apiKey: API_KEY, settings: { vigilMinutes: 1 } });
    const { stash, plex } = world;
    const watch = watchProcesses();
    const said: Ended[] = [];
    const cli = async (env: NodeJS.ProcessEnv, ...words: string[]) => {
      const kept = { ...process.env };
      Object.assign(process.env, env);
      try {
        said.push(await world.cli(...words));
      } finally {
        for (const name of Object.keys(env)) delete process.env[name];
        Object.assign(process.env, kept);
      }
    };
    const delivered = (scene: number, title: string) =>
      until(`${title} is delivered`, () => world.title(scene) === title, 40_000);

    await stash.updateScene(1, { title: 'first' });
    await delivered(1, 'first');
    await until('the drainer has left', async () => (await world.control()).drain.value === 'free');

    await plex.down();
    await stash.updateScene(2, { title: 'second' });
    await until('the outage is noticed', async () => (await world.control()).breaker.value === 'open');
    watch.look();
    expectSecretsInEnvironmentOnlyWhereDocumented(watch.drainers());
    await world.killDrainer();
    await stash.updateScene(3, { title: 'third' });
    await plex.up();
    await delivered(2, 'second');
    await delivered(3, 'third');

    // Every refusal and every mistake that could quote what it was given.
    plex.addFault({ kind: 'unauthorized', count: 2 });
    await stash.runTask('breakwater', 'Check Plex');
    for (const settings of [
      { plexUrl: plex.url, plexToken: OTHERS[0]?.value ?? '' },
      { plexUrl: `http://me:${OTHERS[1]?.value}@127.0.0.1:1`, plexToken: TOKEN },
      { plexUrl: `${plex.url}/?X-Plex-Token=${TOKEN}`, plexToken: TOKEN },
      { plexUrl: 'http://127.0.0.1:1', plexToken: TOKEN },
      { plexUrl: plex.url, plexToken: 7 },
    ]) {
      stash.configurePlugin('breakwater', settings);
      await stash.runTask('breakwater', 'Check Plex');
      await stash.updateScene(4, { title: `under ${settings.plexUrl.length}` });
    }
    stash.configurePlugin('breakwater', { plexUrl: plex.url, plexToken: TOKEN });
    const withKey = { STASH_API_KEY: API_KEY, PLEX_TOKEN: TOKEN };
    for (const mode of TASK_MODES) {
      await stash
        .runOperation('breakwater', { mode, scope: 'all', stance: 'open', scene: '5' })
        .catch(() => {});
    }
    await stash.runOperation('breakwater', { mode: TOKEN.slice(0, 5), plexToken: TOKEN }).catch(() => {});
    await cli(withKey, 'release');
    await cli(withKey, 'check');
    await cli(withKey, 'status', '--json');
    await cli(withKey, 'reconcile', '--all', '--dry-run', '--json');
    await cli({ STASH_API_KEY: OTHERS[2]?.value }, 'drain');
    await cli({ STASH_API_KEY: OTHERS[2]?.value }, 'sync', '--scene', '1');
    await stash.updateScene(5, { title: 'last' });
    await delivered(5, 'last');
    await world.killDrainer();
    watch.stop();

    const cookies = stash.runs.flatMap(({ stdin }) => {
      // A script is given the same by another name.
      const given = JSON.parse(stdin) as Readonly<
        Partial<Record<'server_connection' | 'ServerConnection', { SessionCookie?: { Value?: string } }>>
      >;
      return (given.server_connection ?? given.ServerConnection)?.SessionCookie?.Value ?? [];
    });
    expect(new Set(cookies).size).toBeGreaterThan(0);
    const secrets: Secret[] = [
      { name: 'the token of Plex', value: TOKEN },
      { name: 'the API key of Stash', value: API_KEY },
      ...[...new Set(cookies)].map((value) => ({ name: 'a session cookie', value })),
      ...OTHERS,
    ];
    const looked: Readonly<Record<string, string>> = {
      'files and logs': world.remains(),
      'temp files': everythingIn(temp),
      'what was printed': said.map(({ stdout, stderr }) => `${stdout}\n${stderr}`).join('\n'),
      'arguments of processes': watch.commands().join('\n'),
      'addresses that Plex was asked': plex.requests
        .map((line) => JSON.stringify([line.path, line.query]))
        .join('\n'),
      'addresses that Stash was asked': stash.requests.map((line) => JSON.stringify(line)).join('\n'),
    };
    for (const [place, text] of Object.entries(looked)) {
      expect(text.length, place).toBeGreaterThan(100);
      expect(secretsIn(text, secrets), place).toEqual([]);
    }
    // The life was a whole one: it came by what could have told.
    expect(watch.commands().some((command) => command.includes('drain --detached'))).toBe(true);
    const met = [
      'Plex refuses the token',
      'must be one word',
      'must not hold a user name',
      'job.delivered',
      'ECONNREFUSED',
    ];
    expect(met.filter((words) => looked['files and logs']?.includes(words) !== true)).toEqual([]);
    expect(said.map(({ code }) => code)).toContain(0);
    expect(said.map(({ code }) => code)).toContain(1);
  },
  600_000,
);

interface Seen {
  readonly pid: number;
  readonly command: string;
}

/** Every process that runs a part of the plugin, by looking often. */
function watchProcesses() {
  const seen = new Map<string, Seen>();
  const look = () => {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const command = textOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
      if (command.includes('breakwater')) seen.set(`${pid} ${command}`, { pid: Number(pid), command });
    }
  };
  const timer = setInterval(look, 50);
  return {
    look,
    stop: () => clearInterval(timer),
    commands: () => [...seen.values()].map(({ command }) => command),
    drainers: () =>
      [...seen.values()].filter(
        ({ pid, command }) => command.includes('--detached') && existsSync(`/proc/${pid}/environ`),
      ),
  };
}

/** A process hands its secrets to the next in the environment, which its own user alone can read. */
function expectSecretsInEnvironmentOnlyWhereDocumented(drainers: readonly Seen[]): void {
  expect(drainers.length).toBeGreaterThan(0);
  for (const { pid } of drainers) {
    const file = `/proc/${pid}/environ`;
    if (!existsSync(file)) continue;
    expect(statSync(file).mode & 0o077).toBe(0);
    const holding = textOf(file)
      .split('\0')
      .filter(
        (entry) =>
          secretsIn(entry, [
            { name: 'key', value: API_KEY },
            { name: 'token', value: TOKEN },
          ]).length > 0,
      );
    expect(holding.map((entry) => entry.split('=')[0]).filter((name) => name !== STASH_VARIABLE)).toEqual([]);
  }
}

function everythingIn(dir: string): string {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .map((entry) => `${entry.name}\n${entry.isFile() ? textOf(path.join(entry.parentPath, entry.name)) : ''}`)
    .join('\n');
}

/** Empty for what is gone meanwhile. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

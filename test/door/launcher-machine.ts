// A machine for the launcher, in a folder: its own root, home, plugin folder and a PATH of nothing but the tools that
// any system has. No Node of the machine that runs the tests can be found in it. Nodes are scripts that say a version,
// and say by which name they were started and with what.

import { spawn, spawnSync } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Ended } from '../support/live-world.ts';
import { tempDir } from '../support/temp-dir.ts';
import { follow } from './programs.ts';

export const DOOR = fileURLToPath(new URL('../../src/door/', import.meta.url));
const TOOLS = ['cat', 'date', 'find', 'head', 'mv', 'rm', 'sed', 'sh', 'sleep', 'tr', 'uname', 'id'];

export interface Shell {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** The busybox of Debian takes its own `id`, `sleep` and so on before any in PATH: no stand-in can be put there. */
  readonly hasOwnTools: boolean;
}

const KNOWN_SHELLS: readonly Shell[] = [
  { name: 'dash', command: ['dash'], hasOwnTools: false },
  { name: 'busybox', command: ['busybox', 'sh'], hasOwnTools: true },
  { name: 'bash --posix', command: ['bash', '--posix'], hasOwnTools: false },
  { name: 'bash', command: ['bash'], hasOwnTools: false },
];

/** Those that this machine has; of one that it has not, a loud line. */
export const SHELLS: readonly Shell[] = KNOWN_SHELLS.flatMap((shell) => {
  const [program, ...words] = shell.command;
  const found = inPath(program);
  if (found !== null) return [{ ...shell, command: [found, ...words] as const }];
  skipped(`the launcher in ${shell.name}`, `${program} is not installed here`);
  return [];
});

/** What can be installed or fetched may not be missing where everything is to be tested. */
export function skipped(what: string, why: string): void {
  if (process.env.CI === 'true') throw new Error(`${what} must be tested here, and cannot be: ${why}`);
  notAllowed(what, why);
}

/** What only some machines allow. */
export function notAllowed(what: string, why: string): void {
  process.stderr.write(`SKIPPED: ${what} (${why})\n`);
}

export function inPath(program: string): string | null {
  const folders = `${process.env.PATH}:/usr/sbin:/sbin`.split(':');
  return folders.map((folder) => path.join(folder, program)).find(isExecutable) ?? null;
}

export interface Run {
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly input?: string | Buffer;
}

export class Machine {
  readonly dir = tempDir();
  readonly root = path.join(this.dir, 'root');
  readonly home = path.join(this.dir, 'home of one');
  /** The folder of Stash's config.yml. */
  readonly config = path.join(this.dir, 'config');
  readonly data = path.join(this.config, 'breakwater');
  readonly bin = path.join(this.dir, 'bin');
  readonly plugin: string;

  /** `settings` are values for lines `name=…` of the launcher: bounds that no test can wait for. */
  constructor(pluginName = 'plugin', settings: Readonly<Record<string, string>> = {}) {
    this.plugin = path.join(this.dir, pluginName);
    for (const folder of [this.root, this.home, this.config, this.bin, this.plugin]) mkdirSync(folder);
    for (const tool of TOOLS) {
      const found = inPath(tool);
      if (found === null) throw new Error(`the tests of the launcher need ${tool}`);
      symlinkSync(found, path.join(this.bin, tool));
    }
    const lines = Object.entries({ root: `'${this.root}'`, ...settings });
    for (const file of ['breakwater.sh', 'breakwater-no-node.sh']) {
      const text = lines.reduce(
        (code, [name, value]) => code.replace(new RegExp(`^${name}=.*$`, 'm'), () => `${name}=${value}`),
        readFileSync(path.join(DOOR, file), 'utf8'),
      );
      writeFileSync(path.join(this.plugin, file), text);
    }
  }

  /** A program that says this for `--version`, and for anything else by which name it was started and with what. */
  node(file: string, version = 'v22.3.0'): string {
    return this.program(
      file,
      `[ "$1" != --version ] || { printf '%s\\n' '${version}'; exit 0; }`,
      `printf '%s\\n' "$0" "$#" "$@"; cat`,
    );
  }

  program(file: string, ...lines: readonly string[]): string {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, ['#!/bin/sh', ...lines, ''].join('\n'));
    chmodSync(file, 0o755);
    return file;
  }

  file(file: string, text = ''): string {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  }

  /** In place of one of the tools. */
  tool(name: string, ...lines: readonly string[]): void {
    spawnSync('rm', ['-f', path.join(this.bin, name)]);
    this.program(path.join(this.bin, name), ...lines);
  }

  start({ command: [program, ...words] }: Shell, { env = {}, args = [] }: Run = {}) {
    return spawn(program, [...words, `${this.plugin}/breakwater.sh`, ...args], {
      cwd: this.dir,
      env: { PATH: this.bin, HOME: this.home, ...env },
      stdio: 'pipe',
    });
  }

  run(shell: Shell, options: Run = {}): Promise<Ended> {
    return follow(this.start(shell, options), options.input ?? this.document()).ended;
  }

  /** What Stash sends. */
  document(args: Readonly<Record<string, unknown>> = { mode: 'status' }, config = this.config): string {
    return stashDocument(args, config, this.plugin);
  }
}

export const COOKIE = 'c00kie-canary-9d2f';

/** Go writes the characters of HTML as escapes. */
export function stashDocument(
  args: Readonly<Record<string, unknown>>,
  dir: string,
  pluginDir: string,
): string {
  const SessionCookie = {
    Name: 'session',
    Value: COOKIE,
    Path: '',
    Domain: '',
    Expires: '0001-01-01T00:00:00Z',
    RawExpires: '',
    MaxAge: 0,
    Secure: false,
    HttpOnly: false,
    SameSite: 0,
    Raw: '',
    Unparsed: null,
  };
  const server_connection = {
    Scheme: 'http',
    Host: '0.0.0.0',
    Port: 9999,
    SessionCookie,
    Dir: dir,
    PluginDir: pluginDir,
  };
  return JSON.stringify({ server_connection, args })
    .replaceAll('&', '\\u0026')
    .replaceAll('<', '\\u003c')
    .replaceAll('>', '\\u003e');
}

/** By which name a Node of `Machine.node` was started, with which words, and what it read. */
export function started({ stdout }: Ended): { by: string; args: string[]; stdin: string } {
  const [by = '', count = '', ...rest] = stdout.split('\n');
  const args = rest.slice(0, Number(count));
  return { by, args, stdin: rest.slice(Number(count)).join('\n') };
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

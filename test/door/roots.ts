// Whole systems in a folder, for `chroot`: one of busybox and nothing else, and a small Debian.

import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import type { Ended } from '../support/live-world.ts';
import { tempDir } from '../support/temp-dir.ts';
import { DOOR, inPath, stashDocument } from './launcher-machine.ts';
import { run } from './programs.ts';

export const SUITE = 'trixie';
const KEPT_DEBIAN = path.join(tmpdir(), `breakwater-debian-${SUITE}`);
const PLUGIN = '/config/plugins/breakwater';
/** Says which Node it runs in, and of what Stash sent the words. */
const ENTRY =
  "console.log(JSON.stringify({ output: [process.version, JSON.parse(require('fs').readFileSync(0, 'utf8')).args] }))";

export class Root {
  readonly dir: string;

  constructor(dir: string) {
    this.dir = dir;
    mkdirSync(dir + PLUGIN, { recursive: true });
    for (const file of ['breakwater.sh', 'breakwater-no-node.sh']) {
      copyFileSync(path.join(DOOR, file), `${dir}${PLUGIN}/${file}`);
    }
    writeFileSync(`${dir}${PLUGIN}/breakwater.cjs`, ENTRY);
    writeFileSync(`${dir}/.dockerenv`, '');
  }

  /** As Stash starts it, with the environment of a container. */
  launch(...words: string[]): Promise<Ended> {
    const input = stashDocument({ mode: 'status' }, '/config', PLUGIN);
    const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root' };
    const command = [this.dir, 'sh', `${PLUGIN}/breakwater.sh`, ...words];
    return run(inPath('chroot') ?? 'chroot', command, { env, input });
  }

  /** Copies a Node of this machine in, with the libraries that it is linked to. */
  bring(node: string, at: string): void {
    const { stdout } = spawnSync('ldd', [node], { encoding: 'utf8' });
    const libraries = [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, file = '']) => file);
    for (const [from, to] of [[node, at], ...libraries.map((file) => [file, file])] as [string, string][]) {
      if (from !== node && existsSync(this.dir + to)) continue;
      mkdirSync(path.dirname(this.dir + to), { recursive: true });
      copyFileSync(from, this.dir + to);
    }
  }
}

export function busyboxRoot(): Root {
  const dir = path.join(tempDir(), 'root');
  for (const folder of ['bin', 'dev', 'tmp', 'etc', 'usr/bin'])
    mkdirSync(path.join(dir, folder), { recursive: true });
  copyFileSync(inPath('busybox') ?? '', path.join(dir, 'bin', 'busybox'));
  must('chroot', dir, '/bin/busybox', '--install', '-s', '/bin');
  must('mknod', '-m', '666', path.join(dir, 'dev', 'null'), 'c', '1', '3');
  return new Root(dir);
}

/** Made once, half a minute, and kept; why not, where it cannot be. */
export async function fetchDebian(): Promise<string | null> {
  if (existsSync(KEPT_DEBIAN)) return null;
  const fresh = mkdtempSync(`${KEPT_DEBIAN}-fresh-`);
  const root = path.join(fresh, 'root');
  const made = await run('mmdebstrap', ['--quiet', '--variant=apt', SUITE, root]);
  if (made.code !== 0) return `mmdebstrap failed: ${made.stderr.trim().slice(-200)}`;
  if (!existsSync(KEPT_DEBIAN)) renameSync(root, KEPT_DEBIAN);
  spawnSync('rm', ['-rf', fresh]);
  return null;
}

export function debianRoot(): Root {
  const dir = path.join(tempDir(), 'root');
  must('cp', '-a', KEPT_DEBIAN, dir);
  // Names of hosts are found as on this machine.
  if (readdirSync('/etc').includes('resolv.conf')) copyFileSync('/etc/resolv.conf', `${dir}/etc/resolv.conf`);
  return new Root(dir);
}

function must(program: string, ...words: string[]): void {
  const { status, stderr } = spawnSync(inPath(program) ?? program, words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${words.join(' ')} failed: ${stderr}`);
}

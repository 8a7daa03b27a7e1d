// Nodes of other versions, from the packages of npm that hold nothing else; fetched once and kept in a temp folder.

import { existsSync, mkdirSync, mkdtempSync, renameSync } from 'node:fs';
import { arch, platform, tmpdir } from 'node:os';
import * as path from 'node:path';
import { run } from './programs.ts';

export const OLD_VERSIONS = ['12.22.12', '14.21.3', '16.20.2', '18.20.8', '20.18.3'] as const;
export const FITTING_VERSION = '20.19.0';

const KEPT = path.join(tmpdir(), 'breakwater-nodes');

/** Its program, or why there is none. */
export async function nodeOfVersion(version: string): Promise<{ node: string } | { problem: string }> {
  const folder = path.join(KEPT, version);
  const node = path.join(folder, 'package', 'bin', 'node');
  if (existsSync(node)) return { node };
  mkdirSync(KEPT, { recursive: true });
  const fresh = mkdtempSync(path.join(KEPT, 'fresh-'));
  const name = `node-${platform()}-${arch()}@${version}`;
  const packed = await run('npm', ['pack', '--silent', '--pack-destination', fresh, name], { cwd: fresh });
  if (packed.code !== 0) return { problem: `npm pack ${name} failed: ${packed.stderr.trim().slice(0, 200)}` };
  const unpacked = await run('tar', ['-xzf', packed.stdout.trim(), 'package/bin/node'], { cwd: fresh });
  if (unpacked.code !== 0) return { problem: `tar failed: ${unpacked.stderr}` };
  // Another test may have been quicker: then that one's is there.
  if (!existsSync(node)) renameSync(fresh, folder);
  return { node };
}

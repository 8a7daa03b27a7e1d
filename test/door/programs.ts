// A program's whole life, and what it has said so far.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import type { Ended } from '../support/live-world.ts';

export function run(
  program: string,
  words: readonly string[],
  { input, ...options }: { cwd?: string; env?: NodeJS.ProcessEnv; input?: string | Buffer } = {},
): Promise<Ended> {
  return follow(spawn(program, words, { ...options, stdio: 'pipe' }), input).ended;
}

export function follow(child: ChildProcessWithoutNullStreams, input: string | Buffer = '') {
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  // Not everybody reads.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
  return { ended, stdout: () => stdout, stderr: () => stderr };
}

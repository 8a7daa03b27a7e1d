// What the launcher says where no Node fits, and how a machine is made on which it says that.

import * as path from 'node:path';
import { expect } from 'vitest';
import type { Ended } from '../support/live-world.ts';
import type { Machine } from './launcher-machine.ts';

export function byHand(folder: string): string {
  return `unpack Node from https://nodejs.org and write the path of its program into ${folder}/node-path`;
}

export function has(machine: Machine, file: string): void {
  machine.file(path.join(machine.root, file));
}

export function release(machine: Machine, codename: string): void {
  machine.tool('apt-get');
  machine.file(path.join(machine.root, 'etc/os-release'), `ID=debian\nVERSION_CODENAME=${codename}\n`);
}

/** The one document and the one line must say the same. */
export function errorOf(run: Ended): string {
  const error = lastErrorOf(run);
  expect(run.stderr).toBe(`\x01e\x02${error}\n`);
  return error;
}

export function lastErrorOf({ code, stdout, stderr }: Ended): string {
  const answer = JSON.parse(stdout) as { error: string };
  expect(Object.keys(answer)).toEqual(['error']);
  expect(stderr.endsWith(`\x01e\x02${answer.error}\n`)).toBe(true);
  expect(code).toBe(0);
  return answer.error;
}

// What is wanted, in a few characters: to see later whether Stash still says the same, without keeping what it said.

import { createHash } from 'node:crypto';
import type { StashScene } from '../stash/stash-scene.ts';
import type { SyncOptions } from './fields.ts';
import type { Wanted } from './wanted.ts';

/** Of everything that decides what is written. */
export function digestOf(wanted: Wanted, { modes }: SyncOptions): string {
  return digest([wanted.fields, wanted.tags, wanted.actorDetails, modes]);
}

/** Of a scene's files: their paths and sizes. */
export function digestOfFiles({ files, fileSizes }: Pick<StashScene, 'files' | 'fileSizes'>): string {
  return digest([...files].sort().map((path) => [path, fileSizes[path] ?? null]));
}

/** Of the value of one field, absent included; the order of tags does not count. */
export function digestOfValue(value: string | readonly string[] | undefined): string {
  return digest(Array.isArray(value) ? [...value].sort() : (value ?? null));
}

/** 64 bits of SHA-256. */
function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);
}

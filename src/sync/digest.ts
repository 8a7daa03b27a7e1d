// What is wanted, in a few characters: to see later whether Stash still says the same, without keeping what it said.

import { createHash } from 'node:crypto';
import type { PlexField } from '../plex/plex-item.ts';
import type { StashScene } from '../stash/stash-scene.ts';
import { FIELD_OF, type FieldName, type SyncOptions } from './fields.ts';
import type { Wanted } from './wanted.ts';

/**
 * They are in every digest, even where they are off: so it was from the beginning, and without them all that was delivered
 * would be delivered again. A field that came later is only in where it is on.
 */
const FIRST_FIELDS: ReadonlySet<FieldName> = new Set<FieldName>([
  'title',
  'studio',
  'summary',
  'tagline',
  'date',
  'rating',
  'performers',
  'tags',
  'collections',
  'labels',
  'poster',
  'background',
]);

/** Of everything that decides what is written. */
export function digestOf({ fields, tags, actorDetails }: Wanted, { modes }: SyncOptions): string {
  const isIn = (field: FieldName) => FIRST_FIELDS.has(field) || modes[field] !== 'off';
  const isPartIn = (part: PlexField) => isIn(FIELD_OF[part]);
  return digest([only(fields, isPartIn), only(tags, isPartIn), actorDetails, only(modes, isIn)]);
}

/** Of a scene's files: their paths and sizes. */
export function digestOfFiles({ files, fileSizes }: Pick<StashScene, 'files' | 'fileSizes'>): string {
  return digest([...files].sort().map((path) => [path, fileSizes[path] ?? null]));
}

/** Of the value of one field, absent included; the order of tags does not count. */
export function digestOfValue(value: string | readonly string[] | undefined): string {
  return digest(Array.isArray(value) ? [...value].sort() : (value ?? null));
}

/** In the order that they have. */
function only<Key extends string>(
  values: Readonly<Partial<Record<Key, unknown>>>,
  isIn: (key: Key) => boolean,
) {
  return Object.fromEntries(Object.entries(values).filter(([key]) => isIn(key as Key)));
}

/** 64 bits of SHA-256. */
function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);
}

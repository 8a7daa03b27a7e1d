// Scene → what Plex should hold. Only what the scene has: an absent value asks for nothing, so a scene
// without values never wipes an item.

import type { TagKind } from '../plex/plex-item.ts';
import type { StashScene } from '../stash/stash-scene.ts';
import { cleanLine, cleanText } from './text.ts';

export interface Wanted {
  /** Scalars by their names in a Plex edit; never empty strings. */
  readonly fields: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<TagKind, readonly string[]>>;
}

/** More are not sent: Plex shows no more, and every one of them is in the address of the request. */
export const MAX_ACTORS = 50;
export const MAX_GENRES = 100;

export function wantedOf(scene: StashScene): Wanted {
  const fields: Record<string, string> = {};
  const set = (name: string, value: string) => {
    if (value !== '') fields[name] = value;
  };
  set('title', cleanLine(scene.title));
  set('studio', cleanLine(scene.studio));
  set('summary', cleanText(scene.details));
  set('originallyAvailableAt', fullDate(scene.date));
  const tags = {
    genre: distinct(scene.tags.map(cleanLine)).slice(0, MAX_GENRES),
    actor: distinct(scene.performers.map(cleanLine)).slice(0, MAX_ACTORS),
  };
  return { fields, tags };
}

/** Whether the scene has nothing at all to say. */
export function isEmpty({ fields, tags }: Wanted): boolean {
  return Object.keys(fields).length === 0 && tags.genre.length === 0 && tags.actor.length === 0;
}

/** Plex merges tags that differ in case only. */
export function tagKey(name: string): string {
  return name.normalize('NFC').trim().toLowerCase();
}

/** Plex takes a day; a year or a month alone would become a day that nobody said. */
function fullDate(date: string): string {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(date.trim());
  if (match === null) return '';
  const parsed = new Date(`${match[0]}T00:00:00Z`);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(match[0]) ? match[0] : '';
}

function distinct(names: readonly string[]): string[] {
  const byKey = new Map<string, string>();
  for (const name of names) {
    if (name !== '' && !byKey.has(tagKey(name))) byKey.set(tagKey(name), name);
  }
  return [...byKey.values()];
}

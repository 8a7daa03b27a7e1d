// The parts of an item as Stash says them and as Plex shows them, by their names in an edit.

import type { PlexItem } from '../../src/plex/plex-item.ts';
import type { FieldChange } from '../../src/queue/changes.ts';
import type { StashScene } from '../../src/stash/stash-scene.ts';

type Value = FieldChange['before'];

/** What Stash says that a part of an item goes by. */
export function saidOf(scene: StashScene | undefined, part: string): string {
  if (scene === undefined) return 'nothing';
  const { title, details, studio, date, rating100, tags, performers } = scene;
  const said: Readonly<Record<string, unknown>> = {
    title,
    summary: details,
    studio,
    collection: studio,
    originallyAvailableAt: date,
    userRating: rating100,
    genre: tags,
    actor: performers.map(({ name }) => name),
  };
  return JSON.stringify(said[part] ?? null);
}

/** As it would stand in Plex, of the parts of which that is plain to see; null: of others. */
export function wishOf(scene: StashScene | undefined, part: string): Value {
  if (scene === undefined || scene.title === '') return null;
  const wishes: Readonly<Record<string, Value>> = {
    title: scene.title,
    summary: scene.details,
    studio: scene.studio,
    originallyAvailableAt: scene.date,
    genre: scene.tags,
    actor: scene.performers.map(({ name }) => name),
  };
  return wishes[part] ?? null;
}

/** Undefined: nobody looks at it here. */
export function shownIn({ fields, tags }: PlexItem, part: string): Value | undefined {
  if (part === 'thumb' || part === 'art') return undefined;
  if (part in tags) return tags[part as keyof typeof tags];
  return fields[part] ?? null;
}

export function isSame(one: Value, other: Value): boolean {
  const plain = (value: Value) => (Array.isArray(value) ? [...value].sort().join('\n') : String(value ?? ''));
  return plain(one) === plain(other);
}

// Scene → what Plex should hold, whatever is asked of each field. Only what the scene has: an absent value asks for
// nothing, unless the field is to mirror Stash.

import type { ActorDetails, Scalar, TagKind } from '../plex/plex-item.ts';
import type { StashPerformer, StashScene } from '../stash/stash-scene.ts';
import type { NameSource, SyncOptions } from './fields.ts';
import { cleanLine, cleanText } from './text.ts';

export interface Wanted {
  /** Scalars by their names in a Plex edit; never empty strings. */
  readonly fields: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<TagKind, readonly string[]>>;
  /** By the name in `tags.actor`, for those that have any. */
  readonly actorDetails: Readonly<Record<string, ActorDetails>>;
}

export function wantedOf(scene: StashScene, options: SyncOptions): Wanted {
  const date = fullDate(scene.date);
  const scalars = {
    title: cleanLine(scene.title),
    studio: cleanLine(scene.studio),
    summary: cleanText(scene.details),
    tagline: cleanLine(taglineOf(scene, options)),
    originallyAvailableAt: date,
    year: date === '' ? yearOf(scene.date) : '',
    // Stash counts to 100 and Plex to 10, in steps of a tenth.
    userRating: scene.rating100 === null ? '' : String(scene.rating100 / 10),
  } satisfies Record<Scalar, string>;
  const fields = Object.fromEntries(Object.entries(scalars).filter(([, value]) => value !== ''));
  const performers = distinct(scene.performers.map(({ name }) => cleanLine(name)));
  const tags = {
    genre: distinct(scene.tags.map(cleanLine)).slice(0, options.maxTags),
    actor: performers.slice(0, options.maxPerformers),
    collection: namesFrom(scene, options.collectionsFrom).slice(0, options.maxTags),
    label: namesFrom(scene, options.labelsFrom).slice(0, options.maxTags),
  };
  return { fields, tags, actorDetails: detailsOf(scene.performers, options) };
}

/** What the scene has and is not sent because there is too much of it; for a person. */
export function leftOutOf(scene: StashScene, { modes, maxPerformers, maxTags }: SyncOptions): string[] {
  const over = (field: 'performers' | 'tags', names: readonly string[], max: number, setting: string) => {
    const count = distinct(names.map(cleanLine)).length;
    return modes[field] === 'off' || count <= max
      ? []
      : [`${count - max} of ${count} ${field} are left out (${setting})`];
  };
  const performers = scene.performers.map(({ name }) => name);
  return [
    ...over('performers', performers, maxPerformers, 'maxPerformers'),
    ...over('tags', scene.tags, maxTags, 'maxTags'),
  ];
}

/** Whether the scene has nothing at all to say. A label speaks of its handling, and every scene has a cover. */
export function isEmpty({ fields, tags }: Wanted): boolean {
  const { genre, actor, collection } = tags;
  return Object.keys(fields).length + genre.length + actor.length + collection.length === 0;
}

/** Plex merges tags that differ in case only. */
export function tagKey(name: string): string {
  return name.normalize('NFC').trim().toLowerCase();
}

function taglineOf(scene: StashScene, { taglineFrom }: SyncOptions): string {
  switch (taglineFrom) {
    case 'code':
      return scene.code;
    case 'director':
      return scene.director;
    case 'studio':
      return scene.studio;
    case 'url':
      return scene.urls[0] ?? '';
  }
}

function namesFrom(scene: StashScene, sources: readonly NameSource[]): string[] {
  const names = {
    studio: [scene.studio],
    groups: scene.groups,
    tags: scene.tags,
    performers: scene.performers.map(({ name }) => name),
    organized: scene.isOrganized ? ['Organized'] : [],
  } satisfies Record<NameSource, readonly string[]>;
  return distinct(sources.flatMap((source) => names[source]).map(cleanLine));
}

function detailsOf(
  performers: readonly StashPerformer[],
  { roleFrom, performerImagesFrom }: SyncOptions,
): Record<string, ActorDetails> {
  const details = new Map<string, ActorDetails>();
  for (const { id, name, disambiguation } of performers) {
    const role = roleFrom === 'disambiguation' ? cleanLine(disambiguation) : '';
    const thumb =
      performerImagesFrom === '' ? '' : `${performerImagesFrom}/performer/${encodeURIComponent(id)}/image`;
    const key = cleanLine(name);
    if ((role !== '' || thumb !== '') && !details.has(key)) details.set(key, { role, thumb });
  }
  return Object.fromEntries(details);
}

/** Plex takes a day; a year or a month alone would become a day that nobody said. */
function fullDate(date: string): string {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(date.trim());
  if (match === null) return '';
  const parsed = new Date(`${match[0]}T00:00:00Z`);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(match[0]) ? match[0] : '';
}

/** Of a date that says no day. */
function yearOf(date: string): string {
  return /^([1-9]\d{3})(-(0[1-9]|1[0-2]))?$/.exec(date.trim())?.[1] ?? '';
}

function distinct(names: readonly string[]): string[] {
  const byKey = new Map<string, string>();
  for (const name of names) {
    if (name !== '' && !byKey.has(tagKey(name))) byKey.set(tagKey(name), name);
  }
  return [...byKey.values()];
}

// The fields that Breakwater can keep in step, by the names a person uses for them, and what may be asked of each.

import type { PlexField } from '../plex/plex-item.ts';

/**
 * - `off`: never touched
 * - `on`: what Stash has is written; what Stash does not have is left as it is, and so are tags of others
 * - `only-if-empty`: written only where Plex has nothing
 * - `mirror`: as `on`, and what Stash does not have is emptied in Plex, tags of others included
 */
export const FIELD_MODES = ['off', 'on', 'only-if-empty', 'mirror'] as const;
export type FieldMode = (typeof FIELD_MODES)[number];

/** The field that each part of a Plex item belongs to, by the part's name in an edit. */
const FIELDS = {
  title: 'title',
  studio: 'studio',
  summary: 'summary',
  tagline: 'tagline',
  originallyAvailableAt: 'date',
  year: 'date',
  userRating: 'rating',
  actor: 'performers',
  genre: 'tags',
  collection: 'collections',
  label: 'labels',
  thumb: 'poster',
  art: 'background',
} as const satisfies Readonly<Record<PlexField, string>>;

export type FieldName = (typeof FIELDS)[keyof typeof FIELDS];
export const FIELD_OF: Readonly<Record<PlexField, FieldName>> = FIELDS;
export type FieldModes = Readonly<Record<FieldName, FieldMode>>;

/** What each field does unless told otherwise. One that comes anew is off, or all that was delivered is delivered again. */
export const DEFAULT_MODES = {
  title: 'on',
  studio: 'on',
  summary: 'on',
  tagline: 'off',
  date: 'on',
  rating: 'on',
  performers: 'on',
  tags: 'on',
  collections: 'on',
  labels: 'off',
  poster: 'on',
  background: 'on',
} as const satisfies FieldModes;

export const FIELD_NAMES = Object.keys(DEFAULT_MODES) as readonly FieldName[];

/** Where names for collections and labels are taken from. `organized`: the word "Organized" for scenes marked so. */
export const NAME_SOURCES = ['studio', 'groups', 'tags', 'performers', 'organized'] as const;
export type NameSource = (typeof NAME_SOURCES)[number];

/** What a tagline may be taken from. */
export const TAGLINE_SOURCES = ['code', 'director', 'studio', 'url'] as const;
export type TaglineSource = (typeof TAGLINE_SOURCES)[number];

/** Everything about what is written, apart from where. */
export interface SyncOptions {
  readonly modes: FieldModes;
  readonly taglineFrom: TaglineSource;
  readonly collectionsFrom: readonly NameSource[];
  readonly labelsFrom: readonly NameSource[];
  /** An actor's role in Plex: nothing, or what tells performers of one name apart in Stash. */
  readonly roleFrom: 'nothing' | 'disambiguation';
  /**
   * The address of Stash as Plex's viewers reach it, for the pictures of performers; empty: none. Plex keeps the
   * address, so no key can be in it: it only works with a Stash that asks for none.
   */
  readonly performerImagesFrom: string;
  readonly maxPerformers: number;
  readonly maxTags: number;
}

export const DEFAULT_SYNC: SyncOptions = {
  modes: DEFAULT_MODES,
  taglineFrom: 'code',
  collectionsFrom: ['studio'],
  labelsFrom: ['organized'],
  roleFrom: 'nothing',
  performerImagesFrom: '',
  // Every one of them is in the address of a request.
  maxPerformers: 50,
  maxTags: 100,
};

/** The parts of a Plex item that a field is kept in. */
export function plexFieldsOf(field: FieldName): PlexField[] {
  return (Object.keys(FIELD_OF) as PlexField[]).filter((name) => FIELD_OF[name] === field);
}

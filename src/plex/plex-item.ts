// What Breakwater reads of a Plex item, from the JSON form of `/library/metadata/{id}` and of listings.
// Whatever Plex sends is data of unknown shape: a part that is not as expected is absent, never a crash.

/** The kinds of tags that are read and written, by their names in an edit. */
export const TAG_KINDS = ['genre', 'actor', 'collection', 'label'] as const;
export type TagKind = (typeof TAG_KINDS)[number];

/** The kinds of pictures, by their names in an item; the same names lock them. */
export const IMAGE_KINDS = ['thumb', 'art'] as const;
export type ImageKind = (typeof IMAGE_KINDS)[number];

/** What an actor is in an item apart from a name. */
export interface ActorDetails {
  readonly role: string;
  /** An address. */
  readonly thumb: string;
}

export interface PlexItem {
  readonly ratingKey: string;
  /** Of the library that it is in; empty in a listing that does not say. */
  readonly sectionKey: string;
  /** Every file of every version. */
  readonly files: readonly string[];
  /** In bytes by file; what Plex does not say is absent. */
  readonly fileSizes: Readonly<Record<string, number>>;
  /** Scalars by their names in an edit; absent and empty are the same. */
  readonly fields: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<TagKind, readonly string[]>>;
  /** By the actor's name as it is here. */
  readonly actorDetails: Readonly<Record<string, ActorDetails>>;
  /** The address of the picture that is shown; it moves with every change of it. Empty: none. */
  readonly images: Readonly<Record<ImageKind, string>>;
  /** Names of fields that a refresh of Plex leaves alone. */
  readonly locked: ReadonlySet<string>;
}

export interface PlexSection {
  readonly key: string;
  readonly type: string;
  readonly title: string;
  /** The folders that it is made of. */
  readonly locations: readonly string[];
  /** Moves with every scan; says nothing by itself. */
  readonly scannedAt: string;
}

/** A picture that Plex has for an item. */
export interface PlexImage {
  /** `upload://posters/<sha1>` for one that was uploaded. */
  readonly ratingKey: string;
  readonly isSelected: boolean;
}

export interface PlexIdentity {
  readonly machineIdentifier: string;
  readonly version: string;
}

type Json = Readonly<Record<string, unknown>>;

/** Scalars that are read and written, by their names in an edit. */
export const SCALARS = [
  'title',
  'studio',
  'summary',
  'tagline',
  'originallyAvailableAt',
  'year',
  'userRating',
] as const;
export type Scalar = (typeof SCALARS)[number];

/** The parts of an item that are read and written. */
export type PlexField = Scalar | TagKind | ImageKind;

/** Longer ones are none of Plex's, in characters: keys and names are kept in the journal. */
const MAX_KEY_LENGTH = 64;
const MAX_NAME_LENGTH = 255;
const MAX_ADDRESS_LENGTH = 1_000;

export function itemOf(json: unknown, sectionKey = ''): PlexItem | null {
  if (!isJson(json)) return null;
  const ratingKey = key(json.ratingKey);
  if (ratingKey === '') return null;
  const parts = list(json.Media).flatMap((media) => list(media.Part));
  return {
    ratingKey,
    sectionKey: key(json.librarySectionID) || sectionKey,
    files: parts.map((part) => text(part.file)),
    fileSizes: Object.fromEntries(
      parts.filter(({ size }) => isSize(size)).map(({ file, size }) => [text(file), Number(size)]),
    ),
    fields: Object.fromEntries(SCALARS.map((name) => [name, text(json[name])])),
    tags: {
      genre: tagsOf(json.Genre),
      actor: tagsOf(json.Role),
      collection: tagsOf(json.Collection),
      label: tagsOf(json.Label),
    },
    actorDetails: Object.fromEntries(
      list(json.Role).map(({ tag, role, thumb }) => [text(tag), { role: text(role), thumb: text(thumb) }]),
    ),
    images: { thumb: address(json.thumb), art: address(json.art) },
    locked: new Set(
      list(json.Field)
        .filter((field) => isTrue(field.locked))
        .map((field) => text(field.name)),
    ),
  };
}

export function sectionOf(json: Json): PlexSection {
  return {
    key: key(json.key),
    type: text(json.type),
    title: name(json.title),
    locations: list(json.Location).map(({ path }) => text(path)),
    scannedAt: name(json.scannedAt),
  };
}

export function imageOf(json: Json): PlexImage {
  return { ratingKey: text(json.ratingKey), isSelected: isTrue(json.selected) };
}

export function identityOf(container: Json): PlexIdentity {
  return { machineIdentifier: name(container.machineIdentifier), version: name(container.version) };
}

/** The objects of an array; anything else is none. */
export function list(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter(isJson) : [];
}

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function tagsOf(value: unknown): string[] {
  return list(value)
    .map((tag) => text(tag.tag))
    .filter((name) => name !== '');
}

/** A segment of paths, in which dots alone would lead elsewhere; empty: none. */
function key(value: unknown): string {
  const found = text(value);
  return found.length > MAX_KEY_LENGTH || /^\.+$/.test(found) ? '' : found;
}

function name(value: unknown): string {
  return text(value).slice(0, MAX_NAME_LENGTH);
}

function address(value: unknown): string {
  return text(value).slice(0, MAX_ADDRESS_LENGTH);
}

/** Half a character cannot be sent back, and would be an error where it is tried. */
function text(value: unknown): string {
  return typeof value === 'string' ? value.toWellFormed() : typeof value === 'number' ? String(value) : '';
}

function isSize(value: unknown): boolean {
  return typeof value === 'number' && value > 0;
}

function isTrue(value: unknown): boolean {
  return value === true || value === 1 || value === '1';
}

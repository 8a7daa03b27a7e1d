// What Breakwater reads of a Plex item, from the JSON form of `/library/metadata/{id}` and of listings.
// Whatever Plex sends is data of unknown shape: a part that is not as expected is absent, never a crash.

/** The kinds of tags that are read and written, by their names in an edit. */
export const TAG_KINDS = ['genre', 'actor'] as const;
export type TagKind = (typeof TAG_KINDS)[number];

export interface PlexItem {
  readonly ratingKey: string;
  /** Of the library that it is in; empty in a listing that does not say. */
  readonly sectionKey: string;
  /** Every file of every version. */
  readonly files: readonly string[];
  /** Scalars by their names in an edit; absent and empty are the same. */
  readonly fields: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<TagKind, readonly string[]>>;
  /** Names of fields that a refresh of Plex leaves alone. */
  readonly locked: ReadonlySet<string>;
}

export interface PlexSection {
  readonly key: string;
  readonly type: string;
  readonly title: string;
}

export interface PlexIdentity {
  readonly machineIdentifier: string;
  readonly version: string;
}

type Json = Readonly<Record<string, unknown>>;

const SCALARS = ['title', 'studio', 'summary', 'originallyAvailableAt'] as const;

export function itemOf(json: unknown, sectionKey = ''): PlexItem | null {
  if (!isJson(json)) return null;
  const ratingKey = text(json.ratingKey);
  if (ratingKey === '') return null;
  return {
    ratingKey,
    sectionKey: text(json.librarySectionID) || sectionKey,
    files: list(json.Media).flatMap((media) => list(media.Part).map((part) => text(part.file))),
    fields: Object.fromEntries(SCALARS.map((name) => [name, text(json[name])])),
    tags: { genre: tagsOf(json.Genre), actor: tagsOf(json.Role) },
    locked: new Set(
      list(json.Field)
        .filter((field) => isTrue(field.locked))
        .map((field) => text(field.name)),
    ),
  };
}

export function sectionOf(json: Json): PlexSection {
  return { key: text(json.key), type: text(json.type), title: text(json.title) };
}

export function identityOf(container: Json): PlexIdentity {
  return { machineIdentifier: text(container.machineIdentifier), version: text(container.version) };
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

function text(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}

function isTrue(value: unknown): boolean {
  return value === true || value === 1 || value === '1';
}

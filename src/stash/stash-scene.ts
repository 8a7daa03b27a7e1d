// What Breakwater reads of a scene in Stash. Shape of GraphQL, but every part is checked: what is not as expected is
// empty.

export interface StashScene {
  readonly id: string;
  readonly title: string;
  readonly details: string;
  /** As Stash holds it: `2021-05-04`, since v0.29 also `2021-05` or `2021`. */
  readonly date: string;
  readonly studio: string;
  readonly performers: readonly string[];
  readonly tags: readonly string[];
  readonly files: readonly string[];
}

type Json = Readonly<Record<string, unknown>>;

/** The part of a query that `sceneOf` reads; valid in every Stash since v0.18. */
export const SCENE_FIELDS = 'id title details date studio{name} performers{name} tags{name} files{path}';

export function sceneOf(json: Json): StashScene {
  return {
    id: text(json.id),
    title: text(json.title),
    details: text(json.details),
    date: text(json.date),
    studio: text(object(json.studio).name),
    performers: names(json.performers, 'name'),
    tags: names(json.tags, 'name'),
    files: names(json.files, 'path'),
  };
}

function names(value: unknown, key: string): string[] {
  if (!Array.isArray(value)) return [];
  return value.map((entry) => text(object(entry)[key])).filter((name) => name !== '');
}

function object(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}

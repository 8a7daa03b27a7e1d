// What Breakwater reads of a scene in Stash. Shape of GraphQL, but every part is checked: what is not as expected is
// empty.

export interface StashPerformer {
  readonly id: string;
  readonly name: string;
  /** Tells performers of one name apart; usually empty. */
  readonly disambiguation: string;
}

export interface StashScene {
  readonly id: string;
  readonly title: string;
  readonly details: string;
  readonly code: string;
  readonly director: string;
  /** As Stash holds it: `2021-05-04`, since v0.29 also `2021-05` or `2021`. */
  readonly date: string;
  /** 1 to 100; null: not rated. */
  readonly rating100: number | null;
  readonly isOrganized: boolean;
  readonly urls: readonly string[];
  readonly studio: string;
  readonly performers: readonly StashPerformer[];
  readonly tags: readonly string[];
  readonly groups: readonly string[];
  readonly files: readonly string[];
  /** In bytes by file; what Stash does not say is absent. */
  readonly fileSizes: Readonly<Record<string, number>>;
  /** When Stash last saw it change, wall ms; 0: it does not say. */
  readonly updatedAt: number;
}

type Json = Readonly<Record<string, unknown>>;

/** The part of a query that `sceneOf` reads. `groups`: what this Stash calls them, null if it has neither. */
export function sceneFields(groups: 'groups' | 'movies' | null): string {
  const grouped = { groups: 'groups{group{name}}', movies: 'movies{movie{name}}' };
  const always =
    'id title details code director date rating100 organized urls studio{name} performers{id name disambiguation} tags{name} files{path size} updated_at';
  return groups === null ? always : `${always} ${grouped[groups]}`;
}

export function sceneOf(json: Json): StashScene {
  const rating = json.rating100;
  return {
    id: text(json.id),
    title: text(json.title),
    details: text(json.details),
    code: text(json.code),
    director: text(json.director),
    date: text(json.date),
    rating100: typeof rating === 'number' && rating >= 1 && rating <= 100 ? rating : null,
    isOrganized: json.organized === true,
    urls: list(json.urls).map(text).filter(Boolean),
    studio: text(object(json.studio).name),
    performers: list(json.performers)
      .map(object)
      .map(({ id, name, disambiguation }) => ({
        id: text(id),
        name: text(name),
        disambiguation: text(disambiguation),
      }))
      .filter(({ name }) => name !== ''),
    tags: names(json.tags, 'name'),
    groups: [...list(json.groups), ...list(json.movies)]
      .map((entry) => text(object(object(entry).group ?? object(entry).movie).name))
      .filter(Boolean),
    ...filesOf(json),
    updatedAt: Date.parse(text(json.updated_at)) || 0,
  };
}

/** Sizes are a scalar of 64 bits in Stash, which some versions give as text. */
export function filesOf(json: Json): Pick<StashScene, 'files' | 'fileSizes'> {
  const files = list(json.files)
    .map(object)
    .map(({ path, size }) => ({ path: text(path), size: Number(text(size)) }))
    .filter(({ path }) => path !== '');
  return {
    files: files.map(({ path }) => path),
    fileSizes: Object.fromEntries(files.filter(({ size }) => size > 0).map(({ path, size }) => [path, size])),
  };
}

function names(value: unknown, key: string): string[] {
  return list(value)
    .map((entry) => text(object(entry)[key]))
    .filter((name) => name !== '');
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function object(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

/** Half a character cannot be sent back, and would be an error where it is tried. */
function text(value: unknown): string {
  return typeof value === 'string' ? value.toWellFormed() : typeof value === 'number' ? String(value) : '';
}

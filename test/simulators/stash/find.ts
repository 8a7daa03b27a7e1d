// findScenes and its smaller sisters: filters, order and pages. Timestamps are compared as the raw strings
// they are stored as, zone and all, because SQLite does (facts, section 3).
import type { StashDatabase } from './database.ts';
import type { EntityKind, Scene } from './records.ts';

export interface FindFilter {
  readonly q?: string | null;
  readonly page?: number | null;
  readonly per_page?: number | null;
  readonly sort?: string | null;
  readonly direction?: 'ASC' | 'DESC' | null;
}

interface Criterion<T> {
  readonly value: T;
  readonly value2?: T | null;
  readonly modifier: string;
}

interface IdsCriterion {
  readonly value?: readonly string[] | null;
  readonly excludes?: readonly string[] | null;
  readonly modifier: string;
  readonly depth?: number | null;
}

export interface SceneFilter {
  readonly AND?: SceneFilter | null;
  readonly OR?: SceneFilter | null;
  readonly NOT?: SceneFilter | null;
  readonly id?: Criterion<number> | null;
  readonly title?: Criterion<string> | null;
  readonly path?: Criterion<string> | null;
  readonly rating100?: Criterion<number> | null;
  readonly file_count?: Criterion<number> | null;
  readonly organized?: boolean | null;
  readonly studios?: IdsCriterion | null;
  readonly movies?: IdsCriterion | null;
  readonly groups?: IdsCriterion | null;
  readonly tags?: IdsCriterion | null;
  readonly performers?: IdsCriterion | null;
  readonly created_at?: Criterion<string> | null;
  readonly updated_at?: Criterion<string> | null;
}

export interface NamedFilter {
  readonly name?: Criterion<string> | null;
  readonly created_at?: Criterion<string> | null;
  readonly updated_at?: Criterion<string> | null;
}

const DEFAULT_PER_PAGE = 25;

/** `per_page` -1 is everything, 0 is only the count. */
export function pageOf<T>(rows: readonly T[], filter: FindFilter | null | undefined): readonly T[] {
  const perPage = filter?.per_page ?? DEFAULT_PER_PAGE;
  if (perPage < 0) return rows;
  const from = (Math.max(1, filter?.page ?? 1) - 1) * perPage;
  return rows.slice(from, from + perPage);
}

/** Ties, and no `sort` at all, go by id. */
export function sorted<T extends SortRow>(
  db: StashDatabase,
  rows: readonly T[],
  filter: FindFilter | null | undefined,
): T[] {
  const keyOf = SORT_KEYS[filter?.sort ?? ''] ?? ((row) => row.id);
  const sign = filter?.direction === 'DESC' ? -1 : 1;
  const keyed = rows.map((row) => ({ row, key: keyOf(row, db) }));
  keyed.sort((a, b) => {
    if (a.key === b.key) return sign * (a.row.id - b.row.id);
    return a.key < b.key ? -sign : sign;
  });
  return keyed.map(({ row }) => row);
}

export function matchesScene(
  db: StashDatabase,
  scene: Scene,
  filter: SceneFilter | null | undefined,
): boolean {
  if (filter == null) return true;
  const own =
    isNumber(scene.id, filter.id) &&
    isText(scene.title, filter.title) &&
    (filter.path == null || pathsOf(scene).some((path) => isText(path, filter.path))) &&
    isNumber(scene.rating100, filter.rating100) &&
    isNumber(scene.files.length, filter.file_count) &&
    (filter.organized == null || filter.organized === scene.organized) &&
    hasIds(db, 'studio', scene.studioId === null ? [] : [scene.studioId], filter.studios) &&
    hasIds(db, 'group', groupIds(scene), filter.movies) &&
    hasIds(db, 'group', groupIds(scene), filter.groups) &&
    hasIds(db, 'tag', scene.tagIds, filter.tags) &&
    hasIds(db, 'performer', scene.performerIds, filter.performers) &&
    isTime(db, scene.createdAt, filter.created_at) &&
    isTime(db, scene.updatedAt, filter.updated_at);
  if (filter.OR != null) return own || matchesScene(db, scene, filter.OR);
  return (
    own &&
    (filter.AND == null || matchesScene(db, scene, filter.AND)) &&
    (filter.NOT == null || !matchesScene(db, scene, filter.NOT))
  );
}

export function matchesNamed(
  db: StashDatabase,
  row: { name: string; createdAt: number; updatedAt: number },
  filter: NamedFilter | null | undefined,
): boolean {
  if (filter == null) return true;
  return (
    isText(row.name, filter.name) &&
    isTime(db, row.createdAt, filter.created_at) &&
    isTime(db, row.updatedAt, filter.updated_at)
  );
}

interface SortRow {
  id: number;
  title?: string;
  name?: string;
  files?: { path: string }[];
  date?: string | null;
  rating100?: number | null;
  createdAt: number;
  updatedAt: number;
}

/** Moments are sorted as the text they are, too. */
const SORT_KEYS: Readonly<Record<string, (row: SortRow, db: StashDatabase) => string | number>> = {
  title: (row) => row.title ?? '',
  name: (row) => row.name ?? '',
  path: (row) => row.files?.[0]?.path ?? '',
  date: (row) => row.date ?? '',
  rating: (row) => row.rating100 ?? -1,
  created_at: (row, db) => db.timeText(row.createdAt),
  updated_at: (row, db) => db.timeText(row.updatedAt),
};

function pathsOf({ files }: Scene): string[] {
  return files.length === 0 ? [''] : files.map(({ path }) => path);
}

function groupIds(scene: Scene): number[] {
  return scene.groups.map((group) => group.groupId);
}

function hasIds(
  db: StashDatabase,
  kind: EntityKind,
  ids: readonly number[],
  criterion: IdsCriterion | null | undefined,
): boolean {
  if (criterion == null) return true;
  const depth = criterion.depth ?? 0;
  const families = (criterion.value ?? []).map((id) => family(db, kind, Number(id), depth));
  const excluded = (criterion.excludes ?? []).some((id) =>
    family(db, kind, Number(id), depth).some((member) => ids.includes(member)),
  );
  if (excluded) return false;
  const hasOne = (members: readonly number[]): boolean => members.some((member) => ids.includes(member));
  switch (criterion.modifier) {
    case 'IS_NULL':
      return ids.length === 0;
    case 'NOT_NULL':
      return ids.length > 0;
    case 'EXCLUDES':
      return !families.some(hasOne);
    case 'INCLUDES_ALL':
      return families.every(hasOne);
    case 'EQUALS':
      return families.every(hasOne) && ids.length === families.length;
    default:
      return families.length === 0 || families.some(hasOne);
  }
}

/** The id and its children down to `depth`, all of them for -1. */
function family(db: StashDatabase, kind: EntityKind, id: number, depth: number): number[] {
  const found = new Set([id]);
  let generation = [id];
  for (let level = 0; (depth < 0 || level < depth) && generation.length > 0; level += 1) {
    const parents = generation;
    const children = db.entities(kind).filter((row) => row.parentIds.some((one) => parents.includes(one)));
    generation = children.map((row) => row.id).filter((child) => !found.has(child));
    for (const child of generation) found.add(child);
  }
  return [...found];
}

function isNumber(value: number | null, criterion: Criterion<number> | null | undefined): boolean {
  return criterion == null || compares(value, criterion.value, criterion.value2 ?? null, criterion.modifier);
}

/** A value that is no time at all finds nothing (measured), and is no error. */
function isTime(db: StashDatabase, atMs: number, criterion: Criterion<string> | null | undefined): boolean {
  if (criterion == null) return true;
  const isBroken = [criterion.value, criterion.value2 ?? criterion.value].some((text) =>
    Number.isNaN(Date.parse(text)),
  );
  if (isBroken) return false;
  return compares(db.timeText(atMs), criterion.value, criterion.value2 ?? null, criterion.modifier);
}

function isText(value: string, criterion: Criterion<string> | null | undefined): boolean {
  if (criterion == null) return true;
  const [have, want] = [value.toLowerCase(), criterion.value.toLowerCase()];
  switch (criterion.modifier) {
    case 'INCLUDES':
      return have.includes(want);
    case 'EXCLUDES':
      return !have.includes(want);
    case 'MATCHES_REGEX':
      return new RegExp(criterion.value).test(value);
    case 'NOT_MATCHES_REGEX':
      return !new RegExp(criterion.value).test(value);
    default:
      return compares(value === '' ? null : have, want, null, criterion.modifier);
  }
}

function compares<T extends string | number>(
  have: T | null,
  want: T,
  want2: T | null,
  modifier: string,
): boolean {
  if (modifier === 'IS_NULL') return have === null;
  if (modifier === 'NOT_NULL') return have !== null;
  if (have === null) return modifier === 'NOT_EQUALS';
  switch (modifier) {
    case 'NOT_EQUALS':
      return have !== want;
    case 'GREATER_THAN':
      return have > want;
    case 'LESS_THAN':
      return have < want;
    case 'BETWEEN':
      return have >= want && (want2 === null || have <= want2);
    case 'NOT_BETWEEN':
      return have < want || (want2 !== null && have > want2);
    default:
      return have === want;
  }
}

// What Stash has given a new time: the question and the reading of its answer. Stash's times have no parts of a second,
// are text in Stash's own zone, and are compared by it as text (facts about Stash: "updated_at").

import type { SharedKind } from '../queue/events.ts';

export interface Changed {
  /** Stash's clock when it answered, wall ms, whole seconds. */
  readonly now: number;
  readonly rows: readonly ChangedRow[];
}

export interface ChangedRow {
  readonly kind: 'scene' | SharedKind;
  readonly id: string;
  /** Wall ms, whole seconds. */
  readonly changedAt: number;
  /** It was made in the same second. */
  readonly isNew: boolean;
}

type Json = Readonly<Record<string, unknown>>;

interface List {
  readonly kind: ChangedRow['kind'];
  /** As Stash has it: `findScenes(scene_filter:)` with `scenes` in it. */
  readonly field: string;
  readonly filter: string;
  readonly rows: string;
}

/** Rows of one list in one answer. */
export const CHANGED_PAGE = 1_000;
/** Two time zones are never further apart, in ms. */
export const ZONE_MARGIN_MS = 27 * 3_600_000;
/** Text in one zone is in the order of time but for this much: clocks are put back in autumn, in ms. */
const SUMMER_TIME_MS = 3 * 3_600_000;

/** `groups`: what this Stash calls them; null: it has neither. */
export function changedLists(groups: 'groups' | 'movies' | null): List[] {
  const list = (kind: List['kind'], rows = `${kind}s`): List => {
    const noun = rows.slice(0, -1);
    return { kind, field: `find${rows[0]?.toUpperCase()}${rows.slice(1)}`, filter: `${noun}_filter`, rows };
  };
  const always = [list('scene'), list('tag'), list('performer'), list('studio')];
  return groups === null ? always : [...always, list('group', groups)];
}

/** The newest first: a row that changes meanwhile moves to the front, and none is passed over. */
export function changedQuery(
  lists: readonly List[],
  since: number,
  page: number,
  perPage = CHANGED_PAGE,
): string {
  const after = new Date(since - ZONE_MARGIN_MS).toISOString().slice(0, 19);
  const changed = `{updated_at:{value:"${after}Z",modifier:GREATER_THAN}}`;
  const order = `{page:${page},per_page:${perPage},sort:"updated_at",direction:DESC}`;
  const asked = lists.map(
    ({ field, filter, rows }) =>
      `${field}(filter:${order},${filter}:${changed}){${rows}{id created_at updated_at}}`,
  );
  return `query{${asked.join(' ')}}`;
}

/** The rows of one list from `since` on, and whether there may be more on the next page. Null: the answer has no such list. */
export function changedRows(
  { kind, field, rows }: List,
  data: Json,
  since: number,
): { readonly rows: readonly ChangedRow[]; readonly hasMore: boolean } | null {
  const answer = data[field] as Json | null | undefined;
  if (!Array.isArray(answer?.[rows])) return null;
  const given = answer[rows] as Json[];
  const read = given.flatMap((row) => {
    const changedAt = Date.parse(String(row?.updated_at));
    const id = String(row?.id);
    if (!/^[1-9]\d{0,14}$/.test(id) || Number.isNaN(changedAt)) return [];
    return [{ kind, id, changedAt, isNew: row.created_at === row.updated_at }];
  });
  const isPastSince = read.every(({ changedAt }) => changedAt < since - SUMMER_TIME_MS);
  return {
    rows: read.filter(({ changedAt }) => changedAt >= since),
    hasMore: given.length >= CHANGED_PAGE && !isPastSince,
  };
}

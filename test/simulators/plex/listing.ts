// Which entries a listing shows, in which order, and which page of them: filters, operators, sort, paging.
// `file=` without `type=` is answered 500, as the real server does; an unknown filter is passed over.
import { type PlexEntry, type TagKind, tagElements, titleOf, yearOf } from './entries.ts';
import type { PlexLibrary } from './library.ts';
import { lastValue, type PageWanted, type QueryPair, splitList } from './query.ts';

export type Selection =
  | { readonly kind: 'entries'; readonly entries: readonly PlexEntry[]; readonly viewGroup: string }
  | { readonly kind: 'failed'; readonly status: 500 };

export const movieType = '1';
export const collectionType = '18';

export function selectEntries(
  library: PlexLibrary,
  sectionKeys: readonly string[],
  pairs: readonly QueryPair[],
): Selection {
  const type = lastValue(pairs, 'type');
  const filters = pairs.map(parseFilter).filter((filter) => filter !== 'none');
  if (type === undefined && filters.some((filter) => filter.field === 'file'))
    return { kind: 'failed', status: 500 };
  const wantedType = type ?? movieType;
  const viewGroup = wantedType === collectionType ? 'secondary' : 'movie';
  const isShown = (entry: PlexEntry): boolean =>
    entry.kind === 'collection' || !entry.isTrashed || library.quirks.isTrashListed;
  // Filtered first and sorted after: a look-up by file must not pay for the order of the whole section.
  const kept =
    filters.length === 0
      ? sectionKeys.flatMap((key) => entriesInOrder(library, key, wantedType))
      : sectionKeys
          .flatMap((key) => entriesOfType(library, key, wantedType))
          .filter((entry) => filters.every((filter) => isKept(library, entry, filter)))
          .sort(byTitle);
  return { kind: 'entries', entries: sorted(kept.filter(isShown), lastValue(pairs, 'sort')), viewGroup };
}

export function pageOf(entries: readonly PlexEntry[], wanted: PageWanted): readonly PlexEntry[] {
  const { startOffset, sizeWanted } = wanted;
  return entries.slice(startOffset, sizeWanted === 'all' ? undefined : startOffset + sizeWanted);
}

type Operator = 'contains' | 'exact' | 'begins' | 'ends';
interface Filter {
  readonly field: string;
  readonly operator: Operator;
  readonly isNegated: boolean;
  readonly value: string;
}

const textFields = ['title', 'titleSort', 'file', 'studio', 'summary', 'originalTitle', 'editionTitle'];
const wholeFields = ['year', 'contentRating', 'originallyAvailableAt', 'userRating'];

function parseFilter({ name, value }: QueryPair): Filter | 'none' {
  const match = /^([A-Za-z]+)(!?)([=<>]?)$/.exec(name);
  if (match === null) return 'none';
  const [, field = '', negation, sign] = match;
  const isKnown =
    textFields.includes(field) || wholeFields.includes(field) || Object.hasOwn(tagElements, field);
  if (!isKnown) return 'none';
  const operator = sign === '=' ? 'exact' : sign === '<' ? 'begins' : sign === '>' ? 'ends' : 'contains';
  return { field, operator, isNegated: negation === '!', value };
}

function isKept(library: PlexLibrary, entry: PlexEntry, filter: Filter): boolean {
  return matches(library, entry, filter) !== filter.isNegated;
}

function matches(library: PlexLibrary, entry: PlexEntry, filter: Filter): boolean {
  const { field, value } = filter;
  if (Object.hasOwn(tagElements, field)) {
    const kind = field as TagKind;
    return splitList(value).some((wanted) =>
      entry.tags[kind].some(
        (tag) => tag.name === wanted || String(library.tagRecord(kind, tag.name).id) === wanted,
      ),
    );
  }
  if (field === 'file') {
    const isPath = /[\\/]/.test(value);
    if (entry.kind !== 'video' || (isPath && !library.quirks.isFilePathMatched)) return false;
    return entry.files.some((file) => isTextMatch(file, filter));
  }
  if (field === 'title') return isTextMatch(titleOf(entry), filter);
  if (field === 'year') return String(yearOf(entry) ?? '') === value;
  const held = entry.fields[field as keyof PlexEntry['fields']] ?? '';
  return wholeFields.includes(field) ? held === value : isTextMatch(held, filter);
}

function isTextMatch(held: string, { operator, value }: Filter): boolean {
  const [text, wanted] = [held.toLowerCase(), value.toLowerCase()];
  switch (operator) {
    case 'contains':
      return text.includes(wanted);
    case 'exact':
      return text === wanted;
    case 'begins':
      return text.startsWith(wanted);
    case 'ends':
      return text.endsWith(wanted);
  }
}

// Sorting a large section again for every page of a walk would make the simulator the slow part of a benchmark.
const ordered = new WeakMap<PlexLibrary, { revision: number; byKey: Map<string, readonly PlexEntry[]> }>();

function entriesInOrder(library: PlexLibrary, sectionKey: string, type: string): readonly PlexEntry[] {
  let kept = ordered.get(library);
  if (kept === undefined || kept.revision !== library.revision) {
    kept = { revision: library.revision, byKey: new Map() };
    ordered.set(library, kept);
  }
  const cacheKey = `${sectionKey} ${type}`;
  const made = kept.byKey.get(cacheKey) ?? [...entriesOfType(library, sectionKey, type)].sort(byTitle);
  kept.byKey.set(cacheKey, made);
  return made;
}

function entriesOfType(library: PlexLibrary, sectionKey: string, type: string): readonly PlexEntry[] {
  if (type === collectionType) return library.collectionsOf(sectionKey);
  return type === movieType ? library.itemsOf(sectionKey) : [];
}

// Plex orders titles with ICU, numbers as numbers: `clip 51` follows `clip 50`.
const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

function byTitle(one: PlexEntry, other: PlexEntry): number {
  const order = collator.compare(
    one.fields.titleSort ?? titleOf(one),
    other.fields.titleSort ?? titleOf(other),
  );
  return order !== 0 ? order : Number(one.ratingKey) - Number(other.ratingKey);
}

function sorted(entries: readonly PlexEntry[], sort: string | undefined): readonly PlexEntry[] {
  if (sort === undefined) return entries;
  const [name = '', direction] = (splitList(sort)[0] ?? '').split(':');
  const sign = direction === 'desc' ? -1 : 1;
  const compare = sortOrders[name];
  return compare === undefined ? entries : [...entries].sort((one, other) => sign * compare(one, other));
}

const sortOrders: Readonly<Record<string, (one: PlexEntry, other: PlexEntry) => number>> = {
  title: byTitle,
  titleSort: byTitle,
  addedAt: (one, other) => one.addedAtS - other.addedAtS || Number(one.ratingKey) - Number(other.ratingKey),
  updatedAt: (one, other) =>
    one.updatedAtS - other.updatedAtS || Number(one.ratingKey) - Number(other.ratingKey),
  id: (one, other) => Number(one.ratingKey) - Number(other.ratingKey),
  year: (one, other) => (yearOf(one) ?? 0) - (yearOf(other) ?? 0),
};

// The words of the data model: sections, videos, collections, their fields, tags, locks and images.
// Data only. An unlocked field is simply not in `locked`; an absent value is simply not in `fields`.

export const fieldNames = [
  'title',
  'titleSort',
  'originalTitle',
  'summary',
  'studio',
  'tagline',
  'contentRating',
  'originallyAvailableAt',
  'editionTitle',
  'userRating',
  'year',
] as const;
export type FieldName = (typeof fieldNames)[number];

/** Tag kinds as edits name them, and the element each is shown as. */
export const tagElements = {
  genre: 'Genre',
  country: 'Country',
  director: 'Director',
  writer: 'Writer',
  producer: 'Producer',
  actor: 'Role',
  collection: 'Collection',
  label: 'Label',
} as const;
export type TagKind = keyof typeof tagElements;
export const tagKinds = Object.keys(tagElements) as TagKind[];

export interface PlexTag {
  readonly name: string;
  /** Actors only; '' when there is none. */
  readonly role: string;
  readonly thumb: string;
}

export type ImageKind = 'thumb' | 'art';

export interface PlexImage {
  /** `upload://posters/<sha1>` or `upload://art/<sha1>`. */
  readonly ratingKey: string;
  readonly contentType: string;
  readonly body: Buffer;
}

export interface ImageShelf {
  uploads: PlexImage[];
  /** Rating key of the selected upload, or 'none'. */
  selected: string;
  /** The number at the end of the thumb's path; it changes with every upload or selection. */
  stampS: number;
}

interface EntryCore {
  readonly ratingKey: string;
  readonly sectionKey: string;
  fields: Partial<Record<FieldName, string>>;
  tags: Record<TagKind, PlexTag[]>;
  locked: Set<string>;
  images: Record<ImageKind, ImageShelf>;
  addedAtS: number;
  updatedAtS: number;
}

export interface PlexItem extends EntryCore {
  readonly kind: 'video';
  /** Absolute paths as Plex sees them; more than one when the video has several parts. */
  files: string[];
  durationMs: number;
  sizeBytes: number;
  /** What an agent refresh writes over unlocked fields. */
  agentFields: Partial<Record<FieldName, string>>;
  /** In the trash: still listed, 404 on fetch (python-plexapi#309). */
  isTrashed: boolean;
}

export interface PlexCollection extends EntryCore {
  readonly kind: 'collection';
}

export type PlexEntry = PlexItem | PlexCollection;

export interface PlexSection {
  readonly key: string;
  readonly title: string;
  readonly type: 'movie';
  readonly agent: string;
  readonly scanner: string;
  readonly language: string;
  readonly uuid: string;
  readonly locations: readonly { readonly id: number; readonly path: string }[];
  createdAtS: number;
  updatedAtS: number;
  scannedAtS: number;
  contentChangedAt: number;
  isRefreshing: boolean;
}

export function entryCore(ratingKey: string, sectionKey: string, atS: number): EntryCore {
  const tags = Object.fromEntries(tagKinds.map((kind) => [kind, [] as PlexTag[]])) as Record<
    TagKind,
    PlexTag[]
  >;
  const shelf = (): ImageShelf => ({ uploads: [], selected: 'none', stampS: 0 });
  return {
    ratingKey,
    sectionKey,
    fields: {},
    tags,
    locked: new Set(),
    images: { thumb: shelf(), art: shelf() },
    addedAtS: atS,
    updatedAtS: atS,
  };
}

/** File name without folder and extension: the title Plex gives a personal video. */
export function fileStem(file: string): string {
  const base = file.split(/[\\/]/).pop() ?? file;
  const dot = base.lastIndexOf('.');
  return dot > 0 ? base.slice(0, dot) : base;
}

/** A cleared title falls back to the file's stem, so a title is never empty. */
export function titleOf(entry: PlexEntry): string {
  if (entry.fields.title !== undefined) return entry.fields.title;
  return entry.kind === 'video' ? fileStem(entry.files[0] ?? '') : '';
}

/** The year is the release date's unless it was edited by itself. */
export function yearOf(entry: PlexEntry): number | undefined {
  const year = entry.fields.year ?? entry.fields.originallyAvailableAt?.slice(0, 4);
  return year === undefined ? undefined : Number(year);
}

export const defaultQuirks = {
  /** 1.43.0: the section form of an edit answers 404 for collections (Maintainerr#2395). */
  isCollectionSectionEdit404: false,
  /** One report says a removal honours only the first name it lists. */
  isRemovalOneNameOnly: false,
  /** `genre[].tag=` removes every tag of the kind: documented, unsure in practice. */
  isEmptyTagClearing: true,
  /** Whether an edit without `.locked` locks its field: unsure. */
  isEditLocking: false,
  /** Tags which differ in case only are one tag, in the first spelling seen: unsure. */
  isTagCaseMerged: false,
  /** Labels come back with a capital first letter: unsure. */
  isLabelCapitalised: false,
  /** `file=` also matches when given a folder or a full path: unsure; a base name always matches. */
  isFilePathMatched: true,
  /** Trashed items are shown by listings. */
  isTrashListed: true,
  /** "List of networks that are allowed without auth" covers the caller. */
  isTokenOptional: false,
};
export type PlexQuirks = typeof defaultQuirks;

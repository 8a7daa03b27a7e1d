// How entries and sections look on the wire. A listing shows less than a fetch: tags without numbers, only the first
// few genres and actors, no collections, labels, locks or section number (facts, section 5). Clients must not trust it.
import { type Answer, node, type TreeNode } from './answer.ts';
import {
  type ImageKind,
  type PlexEntry,
  type PlexItem,
  type PlexSection,
  type TagKind,
  tagElements,
  tagKinds,
  titleOf,
  yearOf,
} from './entries.ts';
import type { PlexLibrary } from './library.ts';

export type Detail = 'listed' | 'full';

export const libraryIdentifier = 'com.plexapp.plugins.library';

/** How many tags of a kind a listing shows; kinds not named here are shown by a fetch only. */
const listedTags: Partial<Record<TagKind, number>> = {
  genre: 2,
  country: 2,
  director: 2,
  writer: 2,
  actor: 3,
};

export function entryNode(library: PlexLibrary, entry: PlexEntry, detail: Detail): TreeNode {
  const section = library.section(entry.sectionKey);
  const isFull = detail === 'full';
  const { fields } = entry;
  const isVideo = entry.kind === 'video';
  const attributes: TreeNode['attributes'] = {
    ratingKey: entry.ratingKey,
    key: isVideo
      ? `/library/metadata/${entry.ratingKey}`
      : `/library/collections/${entry.ratingKey}/children`,
    guid: isVideo ? `local://${entry.ratingKey}` : `collection://${entry.ratingKey}`,
    type: isVideo ? 'movie' : 'collection',
    ...(isVideo ? {} : { subtype: 'movie' }),
    title: titleOf(entry),
    titleSort: fields.titleSort,
    originalTitle: fields.originalTitle,
    ...(isFull && section !== undefined
      ? {
          librarySectionTitle: section.title,
          librarySectionID: Number(section.key),
          librarySectionKey: `/library/sections/${section.key}`,
        }
      : {}),
    studio: fields.studio,
    contentRating: fields.contentRating,
    summary: fields.summary ?? '',
    userRating: fields.userRating === undefined ? undefined : Number(fields.userRating),
    year: yearOf(entry),
    tagline: fields.tagline,
    editionTitle: fields.editionTitle,
    thumb: imagePath(entry, 'thumb'),
    art: imagePath(entry, 'art'),
    duration: isVideo ? entry.durationMs : undefined,
    originallyAvailableAt: fields.originallyAvailableAt,
    addedAt: entry.addedAtS,
    updatedAt: entry.updatedAtS,
    childCount: isVideo ? undefined : library.membersOf(entry).length,
    smart: isVideo ? undefined : false,
  };
  const media = isVideo ? [mediaNode(entry)] : [];
  const locks = isFull ? [...entry.locked].sort().map((name) => node('Field', { locked: true, name })) : [];
  const names = isVideo
    ? { element: 'Video', member: 'Metadata' }
    : { element: 'Directory', member: 'Metadata' };
  return node(names, attributes, [...media, ...tagNodes(library, entry, detail), ...locks]);
}

export function sectionNode(section: PlexSection): TreeNode {
  const attributes: TreeNode['attributes'] = {
    allowSync: true,
    art: '/:/resources/movie-fanart.jpg',
    composite: `/library/sections/${section.key}/composite/${section.updatedAtS}`,
    filters: true,
    refreshing: section.isRefreshing,
    thumb: '/:/resources/movie.png',
    key: section.key,
    type: section.type,
    title: section.title,
    agent: section.agent,
    scanner: section.scanner,
    language: section.language,
    uuid: section.uuid,
    updatedAt: section.updatedAtS,
    createdAt: section.createdAtS,
    scannedAt: section.scannedAtS,
    content: true,
    directory: true,
    contentChangedAt: section.contentChangedAt,
    hidden: 0,
  };
  return node(
    'Directory',
    attributes,
    section.locations.map(({ id, path }) => node('Location', { id, path })),
  );
}

/** The root of every library answer; `size` is always the number of children. */
export function container(attributes: TreeNode['attributes'], children: readonly TreeNode[]): TreeNode {
  return node('MediaContainer', { size: children.length, ...attributes }, children);
}

/** A page of a listing, with its position as attributes and as X-Plex-Container-* headers. */
export function listingAnswer(
  page: { children: readonly TreeNode[]; startOffset: number; totalCount: number },
  section: PlexSection | undefined,
  viewGroup: string,
): Answer {
  const { children, startOffset, totalCount } = page;
  const about =
    section === undefined
      ? {}
      : {
          librarySectionID: Number(section.key),
          librarySectionTitle: section.title,
          librarySectionUUID: section.uuid,
        };
  const root = container(
    {
      totalSize: totalCount,
      offset: startOffset,
      allowSync: true,
      art: '/:/resources/movie-fanart.jpg',
      identifier: libraryIdentifier,
      ...about,
      mediaTagPrefix: '/system/bundle/media/flags/',
      mediaTagVersion: 1_775_731_696,
      thumb: '/:/resources/movie.png',
      title1: section?.title,
      title2: viewGroup === 'movie' ? 'All Movies' : 'Collections',
      viewGroup,
      viewMode: 65_592,
    },
    children,
  );
  return { kind: 'tree', root, listing: { start: startOffset, total: totalCount } };
}

export function imagePath(entry: PlexEntry, kind: ImageKind): string | undefined {
  const shelf = entry.images[kind];
  return shelf.selected === 'none'
    ? undefined
    : `/library/metadata/${entry.ratingKey}/${kind}/${shelf.stampS}`;
}

function mediaNode(item: PlexItem): TreeNode {
  const id = Number(item.ratingKey);
  const parts = item.files.map((file, index) => {
    const extension = /\.([^./\\]+)$/.exec(file)?.[1]?.toLowerCase() ?? 'mp4';
    const partId = id + index * 1_000_000;
    return node('Part', {
      id: partId,
      key: `/library/parts/${partId}/${item.addedAtS}/file.${extension}`,
      duration: item.durationMs,
      file,
      size: item.sizeBytes,
      container: extension,
    });
  });
  const attributes = { id, duration: item.durationMs, container: parts[0]?.attributes.container ?? 'mp4' };
  return node('Media', attributes, parts);
}

function tagNodes(library: PlexLibrary, entry: PlexEntry, detail: Detail): TreeNode[] {
  return tagKinds.flatMap((kind) => {
    const element = tagElements[kind];
    if (detail === 'listed') {
      return entry.tags[kind].slice(0, listedTags[kind] ?? 0).map((tag) => node(element, { tag: tag.name }));
    }
    return entry.tags[kind].map((tag) => {
      const { id } = library.tagRecord(kind, tag.name);
      const actor = kind === 'actor' ? { role: tag.role, thumb: tag.thumb || undefined } : {};
      return node(element, { id, filter: `${kind}=${id}`, tag: tag.name, ...actor });
    });
  });
}

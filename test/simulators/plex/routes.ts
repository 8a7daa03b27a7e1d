// The route table, and the handlers which only read. Paths which are not here are 404.
// Handlers never look at faults or sockets: a late edit, a killed process and a cut answer are the exchange's business.
import { type Answer, node, type TreeNode } from './answer.ts';
import { container, entryNode, libraryIdentifier, listingAnswer, sectionNode } from './elements.ts';
import type { ImageKind, PlexEntry, PlexSection } from './entries.ts';
import { identityAnswer, libraryRootAnswer, rootAnswer } from './identity.ts';
import { imageAnswer, imageListAnswer, selectedImageAnswer } from './images.ts';
import type { PlexLibrary } from './library.ts';
import { collectionType, pageOf, selectEntries } from './listing.ts';
import { lastValue, type PageWanted, type QueryPair, splitList } from './query.ts';
import { searchAnswer } from './search.ts';
import {
  empty,
  found,
  type Handled,
  imageKind,
  notFound,
  type PlexRequest,
  type PlexWorld,
  serverError,
  withEntry,
  withSection,
} from './world.ts';
import {
  choose,
  deleteEntries,
  edit,
  editSection,
  emptyTrash,
  refreshEntries,
  scanSection,
  takeUpload,
} from './writes.ts';

export async function handle(world: PlexWorld, request: PlexRequest): Promise<Handled> {
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  for (const route of routes) {
    const match = route.methods.includes(method) ? route.path.exec(request.path) : null;
    if (match === null) continue;
    const handled = await route.run(world, request, match[1] ?? '', match[2] ?? '');
    return 'answer' in handled ? handled : { answer: handled, isDangerous: false };
  }
  return { answer: notFound, isDangerous: false };
}

type Run = (
  world: PlexWorld,
  request: PlexRequest,
  first: string,
  second: string,
) => Answer | Handled | Promise<Answer>;

interface Route {
  readonly methods: readonly string[];
  readonly path: RegExp;
  readonly run: Run;
}

const routes: readonly Route[] = [
  route(['GET'], /^\/identity\/?$/, ({ face }) => identityAnswer(face)),
  route(['GET'], /^\/$/, ({ face }) => rootAnswer(face)),
  route(['GET'], /^\/library\/?$/, () => libraryRootAnswer()),
  route(['GET'], /^\/library\/sections(?:\/all)?\/?$/, sectionList),
  route(['GET'], /^\/library\/sections\/([^/]+)\/?$/, ({ library }, _request, key) =>
    withSection(library, key, sectionRoot),
  ),
  route(['GET'], /^\/library\/all$/, ({ library }, { pairs, page }) => {
    const keys = library.sections.map((section) => section.key);
    return listing(library, keys, undefined, pairs, page);
  }),
  route(['GET'], /^\/library\/sections\/([^/]+)\/all$/, ({ library }, { pairs, page }, key) =>
    withSection(library, key, (section) => listing(library, [key], section, pairs, page)),
  ),
  route(['GET'], /^\/library\/sections\/([^/]+)\/collections$/, ({ library }, { pairs, page }, key) =>
    withSection(library, key, (section) =>
      listing(library, [key], section, [...pairs, { name: 'type', value: collectionType }], page),
    ),
  ),
  route(['PUT'], /^\/library\/sections\/([^/]+)\/all$/, editSection),
  // PUT was withdrawn in 1.32.7 (python-plexapi#1261).
  route(['GET', 'POST'], /^\/library\/sections\/([^/]+)\/refresh$/, scanSection),
  route(['PUT'], /^\/library\/sections\/([^/]+)\/emptyTrash$/, emptyTrash),
  route(['GET'], /^\/library\/(?:metadata|collections)\/([^/]+)$/, fetchEntries),
  route(['PUT'], /^\/library\/(?:metadata|collections)\/([^/]+)$/, (world, { pairs }, ids) =>
    edit(world, found(world.library, splitList(ids)), pairs),
  ),
  route(['DELETE'], /^\/library\/metadata\/([^/]+)$/, deleteEntries),
  route(['GET'], /^\/library\/(?:metadata|collections)\/([^/]+)\/children$/, childList),
  route(['GET'], /^\/library\/metadata\/([^/]+)\/(posters|arts)$/, ({ library }, _request, key, word) =>
    withEntry(library, key, (entry) => imageListAnswer(entry, imageKind(word))),
  ),
  route(['POST'], /^\/library\/metadata\/([^/]+)\/(posters|arts)$/, takeUpload),
  route(['PUT'], /^\/library\/metadata\/([^/]+)\/(poster|art)s?$/, choose),
  route(
    ['GET'],
    /^\/library\/metadata\/([^/]+)\/(thumb|art)(?:\/\d+)?$/,
    ({ library }, _request, key, kind) =>
      withEntry(library, key, (entry) => selectedImageAnswer(entry, kind as ImageKind)),
  ),
  route(['GET'], /^\/library\/metadata\/([^/]+)\/file$/, ({ library }, { pairs }, key) =>
    withEntry(library, key, (entry) => imageAnswer(entry, lastValue(pairs, 'url') ?? '')),
  ),
  route(['PUT', 'POST', 'GET'], /^\/library\/metadata\/([^/]+)\/refresh$/, refreshEntries),
  route(['PUT', 'POST', 'GET'], /^\/library\/metadata\/([^/]+)\/analyze$/, ({ library }, _request, ids) =>
    found(library, splitList(ids)).length === 0 ? notFound : empty,
  ),
  route(['GET'], /^\/hubs\/search\/?$/, ({ library }, { pairs }) => searchAnswer(library, pairs)),
];

function sectionList({ library }: PlexWorld): Answer {
  const about = { allowSync: false, title1: 'Plex Library' };
  return { kind: 'tree', root: container(about, library.sections.map(sectionNode)) };
}

function sectionRoot(section: PlexSection): Answer {
  const about = {
    allowSync: false,
    content: 'secondary',
    identifier: libraryIdentifier,
    librarySectionID: Number(section.key),
    title1: section.title,
    viewGroup: 'secondary',
  };
  const views: readonly (readonly [string, string])[] = [
    ['all', `All ${section.title}`],
    ['collections', 'Collections'],
    ['folder', 'By Folder'],
  ];
  const directories = views.map(([key, title]) => node('Directory', { key, title }));
  return { kind: 'tree', root: container(about, directories) };
}

function listing(
  library: PlexLibrary,
  keys: readonly string[],
  section: PlexSection | undefined,
  pairs: readonly QueryPair[],
  page: PageWanted,
): Answer {
  const selection = selectEntries(library, keys, pairs);
  if (selection.kind === 'failed') return serverError;
  return listed(library, selection.entries, section, selection.viewGroup, pairs, page);
}

function listed(
  library: PlexLibrary,
  entries: readonly PlexEntry[],
  section: PlexSection | undefined,
  viewGroup: string,
  pairs: readonly QueryPair[],
  page: PageWanted,
): Answer {
  const children = pageOf(entries, page).map((entry) => trimmed(entryNode(library, entry, 'listed'), pairs));
  return listingAnswer(
    { children, startOffset: page.startOffset, totalCount: entries.length },
    section,
    viewGroup,
  );
}

function fetchEntries({ library }: PlexWorld, { pairs }: PlexRequest, ids: string): Answer {
  const entries = found(library, splitList(ids));
  const first = entries[0];
  if (first === undefined) return notFound;
  const section = library.section(first.sectionKey);
  const about = {
    allowSync: true,
    identifier: libraryIdentifier,
    librarySectionID: Number(first.sectionKey),
    librarySectionTitle: section?.title,
    librarySectionUUID: section?.uuid,
    mediaTagPrefix: '/system/bundle/media/flags/',
    mediaTagVersion: 1_775_731_696,
  };
  const children = entries.map((entry) => trimmed(entryNode(library, entry, 'full'), pairs));
  return { kind: 'tree', root: container(about, children) };
}

function childList({ library }: PlexWorld, { pairs, page }: PlexRequest, key: string): Answer {
  return withEntry(library, key, (entry) => {
    const members = entry.kind === 'collection' ? library.membersOf(entry) : [];
    return listed(library, members, library.section(entry.sectionKey), 'movie', pairs, page);
  });
}

/** `excludeElements=Media,Role` and `excludeFields=summary` make an answer smaller. */
function trimmed(tree: TreeNode, pairs: readonly QueryPair[]): TreeNode {
  const elements = splitList(lastValue(pairs, 'excludeElements'));
  const fields = splitList(lastValue(pairs, 'excludeFields'));
  if (elements.length === 0 && fields.length === 0) return tree;
  const attributes = Object.fromEntries(
    Object.entries(tree.attributes).filter(([name]) => !fields.includes(name)),
  );
  const children = tree.children.filter((child) => !elements.includes(child.element));
  return { ...tree, attributes, children };
}

function route(methods: readonly string[], path: RegExp, run: Run): Route {
  return { methods, path, run };
}

// /hubs/search: fuzzy on purpose. One word of the query inside a title is enough, which is why a client that wants a
// certain item must not use it.
import { type Answer, node } from './answer.ts';
import { container, entryNode } from './elements.ts';
import { type PlexEntry, titleOf } from './entries.ts';
import type { PlexLibrary } from './library.ts';
import { lastValue, type QueryPair } from './query.ts';

const usualLimit = 3;

export function searchAnswer(library: PlexLibrary, pairs: readonly QueryPair[]): Answer {
  const words = (lastValue(pairs, 'query') ?? '')
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const limit = Number(lastValue(pairs, 'limit') ?? usualLimit) || usualLimit;
  const sectionKey = lastValue(pairs, 'sectionId');
  const sections = library.sections.filter(
    (section) => sectionKey === undefined || section.key === sectionKey,
  );
  const isHit = (entry: PlexEntry): boolean => {
    const title = titleOf(entry).toLowerCase();
    return words.some((word) => title.includes(word));
  };
  const hub = (type: string, title: string, all: readonly PlexEntry[]) => {
    const hits = all.filter(isHit);
    const shown = hits.slice(0, limit).map((entry) => entryNode(library, entry, 'listed'));
    const about = {
      title,
      type,
      hubIdentifier: type,
      context: '',
      size: shown.length,
      more: hits.length > limit,
    };
    return node('Hub', about, shown);
  };
  const hubs = [
    hub(
      'movie',
      'Movies',
      sections.flatMap((section) => library.itemsOf(section.key)),
    ),
    hub(
      'collection',
      'Collections',
      sections.flatMap((section) => library.collectionsOf(section.key)),
    ),
    hub('actor', 'Actors', []),
  ];
  return { kind: 'tree', root: container({ identifier: 'com.plexapp.plugins.library' }, hubs) };
}

// The files of whole libraries, read page by page: what a search for one file at a time would cost a request each.
// A hint like any listing: whoever finds an item here reads it whole before it compares or writes.

import type { PlexClient, PlexResult } from '../plex/plex-client.ts';
import type { PlexItem, PlexSection } from '../plex/plex-item.ts';
import { type ItemFiles, nameKey } from './match.ts';
import { baseNameOf } from './paths.ts';

/** Items a request; a page of as many listings is well under a megabyte. */
const PAGE_ITEMS = 500;
/** More pages than any library has: a server that never comes to an end does not keep us. */
const MAX_PAGES = 4_000;

/** What is kept of an item. */
export type IndexedItem = ItemFiles;

export class SectionIndex {
  /** By base name in lower case; nearly always one. */
  readonly #byName = new Map<string, IndexedItem | IndexedItem[]>();
  readonly #seen = new Set<string>();

  /** Asks for every page of every library; the first failure ends it. */
  static async build(
    plex: Pick<PlexClient, 'itemsOfSection'>,
    sections: readonly PlexSection[],
  ): Promise<PlexResult<SectionIndex>> {
    const index = new SectionIndex();
    for (const { key } of sections) {
      for (let page = 0; page < MAX_PAGES; page++) {
        const listed = await plex.itemsOfSection(key, page * PAGE_ITEMS, PAGE_ITEMS);
        if (!listed.ok) return listed;
        const before = index.#seen.size;
        for (const item of listed.value) index.#add(item);
        // A page may be short by what vanished meanwhile; only one that brings nothing new is the end. A server that
        // says the same whatever it is asked has come to it as well.
        if (index.#seen.size === before || (page === 0 && listed.value.length < PAGE_ITEMS / 2)) break;
      }
    }
    return { ok: true, value: index };
  }

  /** Items that have a file of that name, in whatever case. */
  find(baseName: string): readonly IndexedItem[] {
    const found = this.#byName.get(nameKey(baseName));
    return found === undefined ? [] : Array.isArray(found) ? found : [found];
  }

  #add({ ratingKey, sectionKey, files, fileSizes }: PlexItem): void {
    // A page that has moved meanwhile says some of them twice.
    if (this.#seen.has(ratingKey)) return;
    this.#seen.add(ratingKey);
    const item = { ratingKey, sectionKey, files, fileSizes };
    for (const key of new Set(files.map((file) => nameKey(baseNameOf(file))))) {
      const there = this.#byName.get(key);
      // In place: half a library may be called `movie.mp4`.
      if (there === undefined) this.#byName.set(key, item);
      else if (Array.isArray(there)) there.push(item);
      else this.#byName.set(key, [there, item]);
    }
  }
}

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
        for (const item of listed.value) index.#add(item);
        // A page may be short by what vanished meanwhile; only an empty one is the end.
        if (listed.value.length === 0 || (page === 0 && listed.value.length < PAGE_ITEMS / 2)) break;
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
    const item = { ratingKey, sectionKey, files, fileSizes };
    for (const file of files) {
      const key = nameKey(baseNameOf(file));
      const there = this.find(baseNameOf(file));
      if (there.some((other) => other.ratingKey === ratingKey)) continue;
      this.#byName.set(key, there.length === 0 ? item : [...there, item]);
    }
  }
}

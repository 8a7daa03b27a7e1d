// The live data model of the simulated server: what exists, under which key, and how it is found again.
// It knows nothing of HTTP. `revision` moves with every change, so that sorted listings can be kept between pages.
import {
  defaultQuirks,
  entryCore,
  type FieldName,
  fileStem,
  type PlexCollection,
  type PlexEntry,
  type PlexItem,
  type PlexQuirks,
  type PlexSection,
  type PlexTag,
  type TagKind,
  titleOf,
} from './entries.ts';

export interface NewItem {
  file: string;
  title?: string;
  /** Section key; default: the section whose location holds the file, else the first. */
  section?: string;
  ratingKey?: string;
  /** Further parts of the same video. */
  moreFiles?: readonly string[];
  fields?: Partial<Record<FieldName, string>>;
  tags?: Partial<Record<TagKind, readonly string[]>>;
  durationMs?: number;
  sizeBytes?: number;
  isTrashed?: boolean;
}

const firstItemKey = 1001;
const firstCollectionKey = 500_001;

export class PlexLibrary {
  readonly sections: PlexSection[] = [];
  readonly quirks: PlexQuirks = { ...defaultQuirks };
  /** Files on the disk which no scan has seen yet. */
  readonly unscanned: NewItem[] = [];
  revision = 0;
  readonly #nowMs: () => number;
  readonly #items = new Map<string, PlexItem>();
  readonly #collections = new Map<string, PlexCollection>();
  readonly #tagIds = new Map<string, { id: number; name: string }>();
  #nextItemKey = firstItemKey;
  #nextCollectionKey = firstCollectionKey;

  constructor(nowMs: () => number = Date.now) {
    this.#nowMs = nowMs;
  }

  get items(): PlexItem[] {
    return [...this.#items.values()];
  }

  nowS(): number {
    return Math.floor(this.#nowMs() / 1000);
  }

  addSection(wanted: {
    key: string;
    title: string;
    locations: readonly string[];
    agent?: string;
  }): PlexSection {
    const isPersonal = (wanted.agent ?? 'tv.plex.agents.none') === 'tv.plex.agents.none';
    const atS = this.nowS();
    const section: PlexSection = {
      key: wanted.key,
      title: wanted.title,
      type: 'movie',
      agent: wanted.agent ?? 'tv.plex.agents.none',
      scanner: isPersonal ? 'Plex Video Files' : 'Plex Movie',
      language: isPersonal ? 'xn' : 'en-US',
      uuid: `0d6f0000-0000-4000-8000-${wanted.key.padStart(12, '0')}`,
      locations: wanted.locations.map((path, index) => ({ id: Number(wanted.key) * 10 + index, path })),
      createdAtS: atS,
      updatedAtS: atS,
      scannedAtS: atS,
      contentChangedAt: 1,
      isRefreshing: false,
    };
    this.sections.push(section);
    return section;
  }

  removeSection(key: string): void {
    const index = this.sections.findIndex((section) => section.key === key);
    if (index >= 0) this.sections.splice(index, 1);
    for (const item of this.itemsOf(key)) this.#items.delete(item.ratingKey);
    this.revision++;
  }

  section(key: string): PlexSection | undefined {
    return this.sections.find((section) => section.key === key);
  }

  addItem(wanted: NewItem): PlexItem {
    const section = this.#sectionFor(wanted);
    const ratingKey = wanted.ratingKey ?? String(this.#nextItemKey);
    if (this.byRatingKey(ratingKey) !== undefined)
      throw new Error(`plex simulator: key ${ratingKey} is taken`);
    this.#nextItemKey = Math.max(this.#nextItemKey, Number(ratingKey) + 1);
    const title = wanted.title ?? fileStem(wanted.file);
    const item: PlexItem = {
      ...entryCore(ratingKey, section.key, this.nowS()),
      kind: 'video',
      files: [wanted.file, ...(wanted.moreFiles ?? [])],
      durationMs: wanted.durationMs ?? 60_000,
      sizeBytes: wanted.sizeBytes ?? 1000,
      agentFields: { title },
      isTrashed: wanted.isTrashed ?? false,
    };
    item.fields = { title, ...wanted.fields };
    for (const [kind, names] of Object.entries(wanted.tags ?? {})) {
      item.tags[kind as TagKind] = names.map((name) => ({ name, role: '', thumb: '' }));
    }
    this.#items.set(ratingKey, item);
    this.noteChange(item);
    return item;
  }

  removeItem(ratingKey: string): PlexItem | undefined {
    const item = this.#items.get(ratingKey);
    this.#items.delete(ratingKey);
    this.revision++;
    return item;
  }

  byRatingKey(ratingKey: string): PlexItem | undefined {
    return this.#items.get(ratingKey);
  }

  /** The item which has this file among its parts; an exact match. */
  findByFile(file: string): PlexItem | undefined {
    for (const item of this.#items.values()) if (item.files.includes(file)) return item;
    return undefined;
  }

  itemsOf(sectionKey: string): PlexItem[] {
    return this.items.filter((item) => item.sectionKey === sectionKey);
  }

  /** What a fetch finds: not an item in the trash, not a collection that has become empty. */
  fetchable(ratingKey: string): PlexEntry | undefined {
    const item = this.#items.get(ratingKey);
    if (item !== undefined) return item.isTrashed ? undefined : item;
    const collection = this.#collections.get(ratingKey);
    return collection !== undefined && this.membersOf(collection).length > 0 ? collection : undefined;
  }

  /** A file appears on the disk. Only a scan which covers it makes it an item. */
  placeFile(wanted: NewItem): void {
    this.unscanned.push(wanted);
  }

  /** Takes in the placed files of a section, or only those below `folder`; the new items are returned. */
  scan(sectionKey: string, folder?: string): PlexItem[] {
    const isSeen = (wanted: NewItem): boolean =>
      this.#sectionFor(wanted).key === sectionKey && (folder === undefined || isBelow(wanted.file, folder));
    const seen = this.unscanned.filter(isSeen);
    const left = this.unscanned.filter((wanted) => !isSeen(wanted));
    this.unscanned.splice(0, this.unscanned.length, ...left);
    const section = this.section(sectionKey);
    if (section !== undefined) section.scannedAtS = this.nowS();
    return seen.map((wanted) => this.addItem(wanted));
  }

  collectionsOf(sectionKey: string): PlexCollection[] {
    return [...this.#collections.values()].filter(
      (collection) => collection.sectionKey === sectionKey && this.membersOf(collection).length > 0,
    );
  }

  membersOf(collection: PlexCollection): PlexItem[] {
    const name = this.#tagIdentity(titleOf(collection));
    return this.itemsOf(collection.sectionKey).filter(
      (item) => !item.isTrashed && item.tags.collection.some((tag) => this.#tagIdentity(tag.name) === name),
    );
  }

  /** A collection is its tag: renaming it renames the tag on every member. */
  renameCollection(collection: PlexCollection, title: string): void {
    const members = this.membersOf(collection);
    const from = this.#tagIdentity(titleOf(collection));
    collection.fields.title = title;
    for (const item of members) {
      item.tags.collection = item.tags.collection.map((tag) =>
        this.#tagIdentity(tag.name) === from ? { ...tag, name: title } : tag,
      );
    }
  }

  /** Deleting a collection takes its tag off every member. */
  dissolve(collection: PlexCollection): void {
    for (const item of this.membersOf(collection)) {
      item.tags.collection = item.tags.collection.filter(
        (tag) => !this.isSameTag(tag.name, titleOf(collection)),
      );
      this.noteChange(item);
    }
  }

  /** The tag's number and the spelling the server keeps for it. */
  tagRecord(kind: TagKind, name: string): { id: number; name: string } {
    const identity = `${kind}\n${this.#tagIdentity(name)}`;
    const known = this.#tagIds.get(identity);
    if (known !== undefined) return known;
    const made = { id: this.#tagIds.size + 1, name };
    this.#tagIds.set(identity, made);
    return made;
  }

  isSameTag(one: string, other: string): boolean {
    return this.#tagIdentity(one) === this.#tagIdentity(other);
  }

  /** To be called after any change to an entry: makes the collections its tags name, and moves the revision. */
  noteChange(entry: PlexEntry): void {
    this.revision++;
    entry.updatedAtS = Math.max(entry.updatedAtS, this.nowS());
    const section = this.section(entry.sectionKey);
    if (section !== undefined) section.contentChangedAt++;
    for (const tag of entry.tags.collection) this.#ensureCollection(entry.sectionKey, tag);
  }

  #ensureCollection(sectionKey: string, tag: PlexTag): void {
    for (const known of this.#collections.values()) {
      if (known.sectionKey === sectionKey && this.isSameTag(titleOf(known), tag.name)) return;
    }
    const ratingKey = String(this.#nextCollectionKey++);
    const core = entryCore(ratingKey, sectionKey, this.nowS());
    this.#collections.set(ratingKey, { ...core, kind: 'collection', fields: { title: tag.name } });
  }

  #tagIdentity(name: string): string {
    return this.quirks.isTagCaseMerged ? name.trim().toLowerCase() : name.trim();
  }

  #sectionFor(wanted: NewItem): PlexSection {
    const named = wanted.section === undefined ? undefined : this.section(wanted.section);
    if (wanted.section !== undefined && named === undefined) {
      throw new Error(`plex simulator: there is no section ${wanted.section}`);
    }
    const holder = this.sections.find((section) =>
      section.locations.some((location) => isBelow(wanted.file, location.path)),
    );
    const section = named ?? holder ?? this.sections[0];
    if (section === undefined) throw new Error('plex simulator: add a section before an item');
    return section;
  }
}

function isBelow(file: string, folder: string): boolean {
  const trimmed = folder.replace(/[\\/]+$/, '');
  return file === trimmed || file.startsWith(`${trimmed}/`) || file.startsWith(`${trimmed}\\`);
}

// The simulated library and the disk it was scanned from. It owns ids, which are never used twice, and
// timestamps; it fires no hook: that is the business of the mutations, after they committed here.
import { createHash } from 'node:crypto';
import { makePng } from './images.ts';
import type { DiskFile, Entity, EntityKind, Scene, VideoFile } from './records.ts';
import { Clock, wholeSecond } from './time.ts';

export type NewScene = Partial<Omit<Scene, 'id' | 'files' | 'createdAt' | 'updatedAt'>> & {
  /** Paths; each is put on the disk too. */
  files?: readonly string[];
};
export type NewEntity = Partial<Omit<Entity, 'id' | 'createdAt' | 'updatedAt'>> & { name: string };

const MADE_DURATION_S = 2;
const MADE_SIZE_BYTES = 30_000;

export class StashDatabase {
  /** What lies on the disk, by path. A scan adds what is missing in the library, a clean removes what is gone. */
  readonly disk = new Map<string, DiskFile>();
  readonly #scenes = new Map<number, Scene>();
  readonly #entities: Record<EntityKind, Map<number, Entity>> = {
    tag: new Map(),
    performer: new Map(),
    studio: new Map(),
    group: new Map(),
  };
  readonly #lastIds = { scene: 0, file: 0, tag: 0, performer: 0, studio: 0, group: 0 };
  readonly #clock: Clock;

  constructor(clock: Clock = new Clock()) {
    this.#clock = clock;
  }

  now(): number {
    return wholeSecond(this.#clock.now());
  }

  /** How a moment stands in the database, where it is also compared as text. */
  timeText(atMs: number): string {
    return this.#clock.text(atMs);
  }

  addScene(init: NewScene = {}): Scene {
    this.#lastIds.scene += 1;
    const id = this.#lastIds.scene;
    const now = this.now();
    const { files = [], ...given } = init;
    const scene: Scene = {
      title: '',
      code: '',
      details: '',
      director: '',
      date: null,
      rating100: null,
      organized: false,
      urls: [],
      studioId: null,
      performerIds: [],
      tagIds: [],
      groups: [],
      stashIds: [],
      markers: [],
      oHistory: [],
      playHistory: [],
      resumeTimeS: 0,
      playDurationS: 0,
      cover: files.length === 0 ? null : makePng(id),
      ...given,
      id,
      files: files.map((path) => this.fileOf(path, this.disk.get(path) ?? this.putOnDisk(path))),
      createdAt: now,
      updatedAt: now,
    };
    this.#scenes.set(id, scene);
    return scene;
  }

  /** Throws when there is none: for a lookup that may fail use `findScene`. */
  scene(id: number | string): Scene {
    const scene = this.findScene(id);
    if (scene === undefined) throw new Error(`scene with id ${id} not found`);
    return scene;
  }

  findScene(id: number | string): Scene | undefined {
    return this.#scenes.get(idOf(id));
  }

  scenes(): Scene[] {
    return [...this.#scenes.values()];
  }

  removeScene(id: number): void {
    this.#scenes.delete(id);
  }

  touch(row: { updatedAt: number }): void {
    row.updatedAt = this.now();
  }

  addTag(init: string | NewEntity): Entity {
    return this.addEntity('tag', init);
  }

  addPerformer(init: string | NewEntity): Entity {
    return this.addEntity('performer', init);
  }

  addStudio(init: string | NewEntity): Entity {
    return this.addEntity('studio', init);
  }

  addGroup(init: string | NewEntity): Entity {
    return this.addEntity('group', init);
  }

  addEntity(kind: EntityKind, init: string | NewEntity): Entity {
    this.#lastIds[kind] += 1;
    const now = this.now();
    const entity: Entity = {
      details: '',
      aliases: [],
      disambiguation: '',
      gender: null,
      birthdate: null,
      date: null,
      director: '',
      rating100: null,
      favorite: false,
      urls: [],
      studioId: null,
      tagIds: [],
      parentIds: [],
      image: null,
      ...(typeof init === 'string' ? { name: init } : init),
      id: this.#lastIds[kind],
      createdAt: now,
      updatedAt: now,
    };
    this.#entities[kind].set(entity.id, entity);
    return entity;
  }

  entity(kind: EntityKind, id: number | string): Entity {
    const entity = this.findEntity(kind, id);
    if (entity === undefined) throw new Error(`${kind} with id ${id} not found`);
    return entity;
  }

  findEntity(kind: EntityKind, id: number | string): Entity | undefined {
    return this.#entities[kind].get(idOf(id));
  }

  entities(kind: EntityKind): Entity[] {
    return [...this.#entities[kind].values()];
  }

  /** Takes the row away, and its id out of every scene, without touching their updated_at (facts, section 3). */
  removeEntity(kind: EntityKind, id: number): void {
    this.#entities[kind].delete(id);
    for (const scene of this.#scenes.values()) {
      scene.tagIds = kind === 'tag' ? without(scene.tagIds, id) : scene.tagIds;
      scene.performerIds = kind === 'performer' ? without(scene.performerIds, id) : scene.performerIds;
      if (kind === 'studio' && scene.studioId === id) scene.studioId = null;
      if (kind === 'group') scene.groups = scene.groups.filter((group) => group.groupId !== id);
    }
  }

  /** A file's content is told by its hash: the same `content` at two paths is a copy. */
  putOnDisk(path: string, content: string = path): DiskFile {
    const oshash = createHash('sha256').update(content).digest('hex').slice(0, 16);
    const file = {
      oshash,
      sizeBytes: MADE_SIZE_BYTES,
      durationS: MADE_DURATION_S,
      modifiedAt: this.now(),
    };
    this.disk.set(path, file);
    return file;
  }

  renameOnDisk(from: string, to: string): void {
    const file = this.disk.get(from);
    if (file === undefined) throw new Error(`no file ${from} on the simulated disk`);
    this.disk.delete(from);
    this.disk.set(to, file);
  }

  fileOf(path: string, disk: DiskFile): VideoFile {
    this.#lastIds.file += 1;
    const now = this.now();
    return { id: this.#lastIds.file, path, ...disk, createdAt: now, updatedAt: now };
  }
}

/** Throws what Stash answers for an id that is no number. */
export function idOf(id: number | string): number {
  if (typeof id === 'number' || /^[+-]?\d+$/.test(id)) return Number(id);
  throw new Error(`strconv.Atoi: parsing ${JSON.stringify(id)}: invalid syntax`);
}

function without(ids: number[], gone: number): number[] {
  return ids.includes(gone) ? ids.filter((id) => id !== gone) : ids;
}

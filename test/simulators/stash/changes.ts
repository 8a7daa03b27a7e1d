// How an input changes rows: the part of each mutation that happens inside the transaction. No hook here.
import type { NewEntity, NewScene, StashDatabase } from './database.ts';
import type { Input } from './hook-input.ts';
import { makePng, pictureOfDataUrl } from './images.ts';
import type { Entity, EntityKind, Scene } from './records.ts';

/** Only what is in the input changes; an explicit null empties the field. Bumps updated_at always (measured). */
export function changeScene(db: StashDatabase, scene: Scene, input: Input): void {
  Object.assign(scene, sceneFields(input));
  const primary = scene.files.findIndex((file) => String(file.id) === String(input.primary_file_id));
  if (primary > 0) scene.files.unshift(...scene.files.splice(primary, 1));
  if (typeof input.cover_image === 'string') {
    scene.cover = pictureOfDataUrl(input.cover_image) ?? makePng(scene.id + scene.updatedAt);
  }
  db.touch(scene);
}

export function createScene(db: StashDatabase, input: Input): Scene {
  const scene = db.addScene({ ...sceneFields(input), cover: null });
  if (typeof input.cover_image === 'string') scene.cover = pictureOfDataUrl(input.cover_image) ?? null;
  const wanted = (input.file_ids as string[] | null | undefined) ?? [];
  for (const other of db.scenes()) {
    const taken = other.files.filter((file) => wanted.includes(String(file.id)));
    other.files = other.files.filter((file) => !taken.includes(file));
    scene.files.push(...taken);
  }
  return scene;
}

/** As `bulkSceneUpdate` does it: lists carry a mode. */
export function changeSceneInBulk(db: StashDatabase, scene: Scene, input: Input): void {
  const { performer_ids, tag_ids, movie_ids, group_ids, urls, gallery_ids: _, ...plain } = input;
  Object.assign(scene, sceneFields(plain));
  scene.performerIds = bulkIds(scene.performerIds, performer_ids);
  scene.tagIds = bulkIds(scene.tagIds, tag_ids);
  scene.urls = bulk(scene.urls, urls, 'values', String);
  const groups = bulkIds(
    scene.groups.map((group) => group.groupId),
    group_ids ?? movie_ids,
  );
  scene.groups = groups.map((groupId) => ({
    groupId,
    sceneIndex: scene.groups.find((one) => one.groupId === groupId)?.sceneIndex ?? null,
  }));
  db.touch(scene);
}

/** The destination takes the files, and the values given; the sources are gone. */
export function mergeScenes(db: StashDatabase, input: Input): Scene {
  const target = db.scene(input.destination as string);
  const sources = (input.source as string[]).map((id) => db.scene(id));
  if (sources.includes(target)) throw new Error('cannot merge scene into itself');
  for (const source of sources) {
    target.files.push(...source.files);
    db.removeScene(source.id);
  }
  changeScene(db, target, (input.values as Input | null | undefined) ?? {});
  return target;
}

/** Neither the tag nor its scenes get another updated_at (measured). */
export function mergeTags(db: StashDatabase, sourceIds: readonly string[], targetId: string): Entity {
  const target = db.entity('tag', targetId);
  for (const source of sourceIds.map((id) => db.entity('tag', id))) {
    target.aliases.push(source.name, ...source.aliases);
    for (const scene of db.scenes()) scene.tagIds = replaced(scene.tagIds, source.id, target.id);
    db.removeEntity('tag', source.id);
  }
  return target;
}

/** The performer that stays is updated; the scenes keep their updated_at. */
export function mergePerformers(db: StashDatabase, input: Input): Entity {
  const target = db.entity('performer', input.destination as string);
  const sources = (input.source as string[]).map((id) => db.entity('performer', id));
  if (sources.includes(target)) throw new Error('destination performer cannot be in source list');
  for (const source of sources) {
    for (const scene of db.scenes()) scene.performerIds = replaced(scene.performerIds, source.id, target.id);
    db.removeEntity('performer', source.id);
  }
  const values = (input.values as Input | null | undefined) ?? {};
  return changeEntity(db, 'performer', { ...values, id: input.destination });
}

export function createEntity(db: StashDatabase, kind: EntityKind, input: Input): Entity {
  const name = String(input.name);
  if (kind !== 'performer' && db.entities(kind).some((row) => row.name === name)) {
    throw new Error(`${kind} with name '${name}' already exists`);
  }
  return db.addEntity(kind, { ...entityFields(kind, input), name });
}

export function changeEntity(db: StashDatabase, kind: EntityKind, input: Input): Entity {
  const entity = db.entity(kind, input.id as string);
  Object.assign(entity, entityFields(kind, input));
  db.touch(entity);
  return entity;
}

function sceneFields(input: Input): NewScene {
  const fields: NewScene = {};
  if ('title' in input) fields.title = text(input.title);
  if ('code' in input) fields.code = text(input.code);
  if ('details' in input) fields.details = text(input.details);
  if ('director' in input) fields.director = text(input.director);
  if ('url' in input) fields.urls = text(input.url) === '' ? [] : [text(input.url)];
  if ('urls' in input) fields.urls = (input.urls as string[] | null) ?? [];
  if ('date' in input) fields.date = orNull(input.date);
  if ('rating100' in input) fields.rating100 = input.rating100 as number | null;
  if ('organized' in input) fields.organized = input.organized === true;
  if ('studio_id' in input) fields.studioId = input.studio_id == null ? null : Number(input.studio_id);
  if ('performer_ids' in input) fields.performerIds = numbers(input.performer_ids);
  if ('tag_ids' in input) fields.tagIds = numbers(input.tag_ids);
  if ('movies' in input) fields.groups = groupsOf(input.movies, 'movie_id');
  if ('groups' in input) fields.groups = groupsOf(input.groups, 'group_id');
  if ('stash_ids' in input) fields.stashIds = stashIdsOf(input.stash_ids);
  return fields;
}

function entityFields(kind: EntityKind, input: Input): Partial<NewEntity> {
  const fields: Partial<NewEntity> = {};
  const details = kind === 'tag' ? 'description' : kind === 'group' ? 'synopsis' : 'details';
  if (input.name != null) fields.name = String(input.name);
  if (details in input) fields.details = text(input[details]);
  if (Array.isArray(input.aliases)) fields.aliases = input.aliases as string[];
  if (Array.isArray(input.alias_list)) fields.aliases = input.alias_list as string[];
  if ('disambiguation' in input) fields.disambiguation = text(input.disambiguation);
  if ('gender' in input) fields.gender = orNull(input.gender);
  if ('birthdate' in input) fields.birthdate = orNull(input.birthdate);
  if ('date' in input) fields.date = orNull(input.date);
  if ('director' in input) fields.director = text(input.director);
  if ('rating100' in input) fields.rating100 = input.rating100 as number | null;
  if ('favorite' in input) fields.favorite = input.favorite === true;
  if ('url' in input) fields.urls = text(input.url) === '' ? [] : [text(input.url)];
  if (Array.isArray(input.urls)) fields.urls = input.urls as string[];
  if ('studio_id' in input) fields.studioId = input.studio_id == null ? null : Number(input.studio_id);
  if ('tag_ids' in input) fields.tagIds = numbers(input.tag_ids);
  if ('parent_ids' in input) fields.parentIds = numbers(input.parent_ids);
  if ('parent_id' in input) fields.parentIds = input.parent_id == null ? [] : [Number(input.parent_id)];
  if (typeof input.image === 'string') fields.image = pictureOfDataUrl(input.image) ?? null;
  return fields;
}

function replaced(ids: number[], from: number, to: number): number[] {
  return ids.includes(from) ? [...new Set(ids.map((id) => (id === from ? to : id)))] : ids;
}

function bulkIds(have: readonly number[], change: unknown): number[] {
  return bulk(have, change, 'ids', Number);
}

function bulk<T>(have: readonly T[], change: unknown, key: 'ids' | 'values', make: (item: string) => T): T[] {
  if (change == null) return [...have];
  const given = change as { mode: 'SET' | 'ADD' | 'REMOVE'; ids?: string[] | null; values?: string[] | null };
  const wanted = (given[key] ?? []).map(make);
  switch (given.mode) {
    case 'SET':
      return wanted;
    case 'ADD':
      return [...new Set([...have, ...wanted])];
    case 'REMOVE':
      return have.filter((item) => !wanted.includes(item));
  }
}

function groupsOf(value: unknown, key: 'movie_id' | 'group_id'): Scene['groups'] {
  return ((value ?? []) as Record<string, unknown>[]).map((one) => ({
    groupId: Number(one[key]),
    sceneIndex: (one.scene_index as number | null | undefined) ?? null,
  }));
}

function stashIdsOf(value: unknown): Scene['stashIds'] {
  return ((value ?? []) as { endpoint: string; stash_id: string }[]).map((one) => ({
    endpoint: one.endpoint,
    stashId: one.stash_id,
  }));
}

function text(value: unknown): string {
  return value == null ? '' : String(value);
}

function orNull(value: unknown): string | null {
  return text(value) === '' ? null : text(value);
}

function numbers(value: unknown): number[] {
  return [...new Set(((value ?? []) as string[]).map(Number))];
}

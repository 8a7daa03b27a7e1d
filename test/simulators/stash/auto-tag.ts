// The auto tag job: a scene whose path has the name of a performer, studio or tag gets it. It moves the
// scene's updated_at and fires no hook (facts, section 3).
import type { StashDatabase } from './database.ts';
import type { JobWork } from './jobs.ts';
import type { Entity, Scene } from './records.ts';
import { isWithin } from './scan.ts';
import type { Stash } from './stash.ts';

export interface AutoTagInput {
  readonly paths?: readonly string[] | null;
  /** Ids, or `*` for all. */
  readonly performers?: readonly string[] | null;
  readonly studios?: readonly string[] | null;
  readonly tags?: readonly string[] | null;
}

export function autoTagWork({ db }: Stash, input: AutoTagInput): JobWork {
  return async () => {
    const scenes = db
      .scenes()
      .filter((scene) => scene.files.some((file) => isWithin(file.path, input.paths)));
    const wanted = {
      performer: chosen(db, 'performer', input.performers),
      studio: chosen(db, 'studio', input.studios),
      tag: chosen(db, 'tag', input.tags),
    };
    for (const scene of scenes) {
      const named = (rows: readonly Entity[]) => rows.filter((row) => isNamedBy(scene, row));
      const before = JSON.stringify([scene.performerIds, scene.tagIds, scene.studioId]);
      scene.performerIds = withIds(scene.performerIds, named(wanted.performer));
      scene.tagIds = withIds(scene.tagIds, named(wanted.tag));
      scene.studioId ??= named(wanted.studio)[0]?.id ?? null;
      if (JSON.stringify([scene.performerIds, scene.tagIds, scene.studioId]) !== before) db.touch(scene);
    }
  };
}

function chosen(
  db: StashDatabase,
  kind: 'performer' | 'studio' | 'tag',
  ids: readonly string[] | null | undefined,
): Entity[] {
  return ids?.includes('*') ? db.entities(kind) : (ids ?? []).map((id) => db.entity(kind, id));
}

/** The words of the name one after another, with anything between them that is no letter and no digit. */
function isNamedBy(scene: Scene, { name, aliases }: Entity): boolean {
  return [name, ...aliases].some((one) => {
    const words = one.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '');
    if (words.length === 0) return false;
    const pattern = new RegExp(
      `(?<![\\p{L}\\p{N}])${words.join('[^\\p{L}\\p{N}]*')}(?![\\p{L}\\p{N}])`,
      'iu',
    );
    return scene.files.some((file) => pattern.test(file.path));
  });
}

function withIds(ids: readonly number[], rows: readonly Entity[]): number[] {
  return [...new Set([...ids, ...rows.map((row) => row.id)])];
}

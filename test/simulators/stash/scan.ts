// Scan and clean: the two jobs that compare the library with the disk. A new file becomes a scene whose
// hook fires before its cover exists; a renamed, changed or copied file updates its scene. Of those only
// the copy, which adds a file, moves updated_at (facts, section 3).
import { makePng } from './images.ts';
import { executeHooks } from './invoke.ts';
import type { JobWork } from './jobs.ts';
import { destroyScene } from './mutations.ts';
import type { DiskFile, Scene } from './records.ts';
import type { Asker, Stash } from './stash.ts';

export interface ScanInput {
  readonly paths?: readonly string[] | null;
  readonly scanGenerateCovers?: boolean | null;
}

export interface CleanInput {
  readonly paths?: readonly string[] | null;
  readonly dryRun: boolean;
}

export function scanWork(stash: Stash, asker: Asker, input: ScanInput): JobWork {
  return async ({ signal, progress }) => {
    const files = [...stash.db.disk].filter(([path]) => isWithin(path, input.paths));
    const scanner: Asker = { ...asker, signal };
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let index = next++; index < files.length && !signal.aborted; index = next++) {
        const [path, file] = files[index]!;
        await scanFile(stash, scanner, path, file, input.scanGenerateCovers !== false);
        progress((index + 1) / files.length);
      }
    };
    await Promise.all(Array.from({ length: stash.place.parallelTasks }, worker));
  };
}

export function cleanWork(stash: Stash, asker: Asker, input: CleanInput): JobWork {
  return async ({ signal }) => {
    const gone = stash.db.scenes().filter((scene) => {
      const files = scene.files.filter((file) => isWithin(file.path, input.paths));
      return files.length > 0 && scene.files.every((file) => !stash.db.disk.has(file.path));
    });
    for (const scene of input.dryRun ? [] : gone) {
      if (signal.aborted) return;
      const input = { id: '', delete_file: null, delete_generated: null };
      const whole = { input, inputType: 'SceneDestroyInput' };
      await destroyScene(stash, { ...asker, signal }, scene, whole, false);
    }
  };
}

async function scanFile(
  stash: Stash,
  asker: Asker,
  path: string,
  file: DiskFile,
  makesCover: boolean,
): Promise<void> {
  const { db } = stash;
  const hook = (scene: Scene, verb: 'Create' | 'Update') =>
    executeHooks(stash, asker, { id: scene.id, type: `Scene.${verb}.Post`, input: null });
  const known = db.scenes().find((scene) => scene.files.some((one) => one.path === path));
  if (known !== undefined) {
    const row = known.files.find((one) => one.path === path)!;
    if (row.oshash === file.oshash) return;
    Object.assign(row, file, { updatedAt: db.now() });
    return hook(known, 'Update');
  }
  const twin = db.scenes().find((scene) => scene.files.some((one) => one.oshash === file.oshash));
  if (twin !== undefined) {
    const moved = twin.files.find((one) => one.oshash === file.oshash && !db.disk.has(one.path));
    if (moved === undefined) {
      twin.files.push(db.fileOf(path, file));
      db.touch(twin);
    } else {
      moved.path = path;
      moved.updatedAt = db.now();
    }
    return hook(twin, 'Update');
  }
  const scene = db.addScene({ files: [path], cover: null });
  await hook(scene, 'Create');
  if (makesCover) scene.cover = makePng(scene.id);
}

export function isWithin(path: string, folders: readonly string[] | null | undefined): boolean {
  if (folders == null || folders.length === 0) return true;
  return folders.some((folder) => path === folder || path.startsWith(`${folder.replace(/\/+$/, '')}/`));
}

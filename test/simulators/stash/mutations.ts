// The mutations of scenes, tags, performers, studios and groups: change the rows, then the hooks, each
// waited for, then the answer. Which mutation fires what, and what it says, is measured (facts, section 3).
import type { GraphQLSchema } from 'graphql';
import {
  changeEntity,
  changeScene,
  changeSceneInBulk,
  createEntity,
  createScene,
  mergePerformers,
  mergeScenes,
  mergeTags,
} from './changes.ts';
import { type Input, sentFields, type WholeInput, wholeInput } from './hook-input.ts';
import { executeHooks } from './invoke.ts';
import type { EntityKind, Scene } from './records.ts';
import type { Asker, Stash } from './stash.ts';
import { entityView, sceneView, type View } from './views.ts';

type Resolver = (args: { input: Input }, asker: Asker) => Promise<unknown>;

export function sceneMutations(stash: Stash, schema: GraphQLSchema): Record<string, Resolver> {
  const { db } = stash;
  const view = (asker: Asker, scene: Scene): View => sceneView(stash, asker, scene);
  const updated = (
    asker: Asker,
    id: number,
    whole: { input: unknown; inputType: string },
    inputFields: string[],
  ) => executeHooks(stash, asker, { id, type: 'Scene.Update.Post', ...whole, inputFields });
  return {
    async sceneCreate({ input }, asker) {
      const scene = createScene(db, input);
      await executeHooks(stash, asker, { id: scene.id, type: 'Scene.Create.Post', input: null });
      return view(asker, scene);
    },

    async sceneUpdate({ input }, asker) {
      const scene = db.scene(input.id as string);
      changeScene(db, scene, input);
      const whole = wholeInput(schema, 'SceneUpdateInput', input);
      await updated(asker, scene.id, whole, sentFields(input));
      return db.findScene(scene.id) === undefined ? null : view(asker, scene);
    },

    async scenesUpdate({ input }, asker) {
      const inputs = input as unknown as Input[];
      const scenes = inputs.map((one) => db.scene(one.id as string));
      for (const [index, scene] of scenes.entries()) changeScene(db, scene, inputs[index]!);
      const inputType = 'SceneUpdateInput';
      const all = inputs.map((one) => wholeInput(schema, inputType, one).input);
      for (const [index, scene] of scenes.entries()) {
        await updated(asker, scene.id, { input: all, inputType }, sentFields(inputs[index]!));
      }
      return scenes.map((scene) => view(asker, scene));
    },

    async bulkSceneUpdate({ input }, asker) {
      const scenes = ((input.ids ?? []) as string[]).map((id) => db.scene(id));
      for (const scene of scenes) changeSceneInBulk(db, scene, input);
      const whole = wholeInput(schema, 'BulkSceneUpdateInput', input);
      for (const scene of scenes) await updated(asker, scene.id, whole, sentFields(input));
      return scenes.map((scene) => view(asker, scene));
    },

    async sceneDestroy({ input }, asker) {
      const whole = wholeInput(schema, 'SceneDestroyInput', input);
      const scene = db.scene(input.id as string);
      await destroyScene(stash, asker, scene, whole, input.delete_file === true);
      return true;
    },

    async scenesDestroy({ input }, asker) {
      const whole = wholeInput(schema, 'ScenesDestroyInput', input);
      const scenes = (input.ids as string[]).map((id) => db.scene(id));
      for (const scene of scenes) db.removeScene(scene.id);
      for (const scene of scenes) await destroyScene(stash, asker, scene, whole, input.delete_file === true);
      return true;
    },

    /** Neither the destination's change nor the sources' end fires a hook. */
    async sceneMerge({ input }, asker) {
      return view(asker, mergeScenes(db, input));
    },
  };
}

export function entityMutations(stash: Stash, schema: GraphQLSchema): Record<string, Resolver> {
  const group = stash.features.groups ? 'Group' : 'Movie';
  return {
    ...mutationsOf(stash, schema, 'tag', 'Tag'),
    ...mutationsOf(stash, schema, 'performer', 'Performer'),
    ...mutationsOf(stash, schema, 'studio', 'Studio'),
    ...mutationsOf(stash, schema, 'group', group),

    async tagsMerge({ input }, asker) {
      const merged = mergeTags(stash.db, input.source as string[], input.destination as string);
      const whole = wholeInput(schema, 'TagsMergeInput', input);
      await executeHooks(stash, asker, { id: merged.id, type: 'Tag.Merge.Post', ...whole });
      return entityView(stash, asker, 'tag', merged);
    },

    /** Fires no hook at all, though it changes scenes. */
    async performerMerge({ input }, asker) {
      return entityView(stash, asker, 'performer', mergePerformers(stash.db, input));
    },
  };
}

/** Fires after the row is gone; the input tells what it was. Also what a clean does, with an empty id. */
export async function destroyScene(
  stash: Stash,
  asker: Asker,
  scene: Scene,
  whole: WholeInput,
  deletesFiles: boolean,
): Promise<void> {
  const file = scene.files[0];
  stash.db.removeScene(scene.id);
  for (const { path } of deletesFiles ? scene.files : []) stash.db.disk.delete(path);
  const input = { ...whole.input, checksum: '', oshash: file?.oshash ?? '', path: file?.path ?? '' };
  await executeHooks(stash, asker, { id: scene.id, type: 'Scene.Destroy.Post', ...whole, input });
}

function mutationsOf(
  stash: Stash,
  schema: GraphQLSchema,
  kind: EntityKind,
  typeName: string,
): Record<string, Resolver> {
  const fieldName = typeName.toLowerCase();
  // A group's hooks are told under its old name too, for plugins from before v0.27.
  const hookNames = typeName === 'Group' ? ['Group', 'Movie'] : [typeName];
  const fire = async (asker: Asker, id: number, verb: string, whole: WholeInput, inputFields?: string[]) => {
    for (const name of hookNames) {
      const fields = inputFields === undefined ? {} : { inputFields };
      await executeHooks(stash, asker, { id, type: `${name}.${verb}.Post`, ...whole, ...fields });
    }
  };
  return {
    [`${fieldName}Create`]: async ({ input }, asker) => {
      const entity = createEntity(stash.db, kind, input);
      await fire(asker, entity.id, 'Create', wholeInput(schema, `${typeName}CreateInput`, input));
      return entityView(stash, asker, kind, entity);
    },
    [`${fieldName}Update`]: async ({ input }, asker) => {
      const entity = changeEntity(stash.db, kind, input);
      const whole = wholeInput(schema, `${typeName}UpdateInput`, input);
      await fire(asker, entity.id, 'Update', whole, sentFields(input));
      return entityView(stash, asker, kind, entity);
    },
    [`${fieldName}Destroy`]: async ({ input }, asker) => {
      const entity = stash.db.entity(kind, input.id as string);
      stash.db.removeEntity(kind, entity.id);
      await fire(asker, entity.id, 'Destroy', wholeInput(schema, `${typeName}DestroyInput`, input));
      return true;
    },
  };
}

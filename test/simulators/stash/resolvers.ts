// The roots of the schema: what each query reads and what each mutation of the system itself does. The
// mutations of the library are in mutations.ts.
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { GraphQLSchema } from 'graphql';
import { type AutoTagInput, autoTagWork } from './auto-tag.ts';
import { idOf } from './database.ts';
import {
  type FindFilter,
  matchesNamed,
  matchesScene,
  type NamedFilter,
  pageOf,
  type SceneFilter,
  sorted,
} from './find.ts';
import { queueTask, runOperation } from './invoke.ts';
import { entityMutations, sceneMutations } from './mutations.ts';
import type { EntityKind, Scene } from './records.ts';
import { type CleanInput, cleanWork, type ScanInput, scanWork } from './scan.ts';
import type { SettingValues } from './settings.ts';
import type { Asker, Stash } from './stash.ts';
import type { PluginArgs } from './stdin.ts';
import { entityView, jobView, pluginView, sceneView, type View } from './views.ts';

const BUILD = { hash: 'bf7cb78d6', build_time: '2024-03-13 00:00:00' };
const DATABASE_SCHEMA = 55;

export function rootValue(stash: Stash, schema: GraphQLSchema): Record<string, unknown> {
  return {
    ...libraryQueries(stash),
    ...systemQueries(stash),
    ...sceneMutations(stash, schema),
    ...entityMutations(stash, schema),
    ...systemMutations(stash),
  };
}

interface FindArgs {
  readonly filter?: FindFilter | null;
  readonly ids?: readonly string[] | null;
}

function libraryQueries(stash: Stash): Record<string, unknown> {
  const { db } = stash;
  const entity = (kind: EntityKind) => (args: { id: string }, asker: Asker) => {
    const found = db.findEntity(kind, args.id);
    return found === undefined ? null : entityView(stash, asker, kind, found);
  };
  const entities =
    (kind: EntityKind, plural: string, filterName = `${kind}_filter`) =>
    (args: FindArgs & Record<string, unknown>, asker: Asker) => {
      const ids = args.ids ?? (args[`${kind}_ids`] as number[] | undefined);
      const rows = sorted(db, db.entities(kind), { sort: 'name', ...args.filter }).filter(
        (row) =>
          (ids == null || ids.map(Number).includes(row.id)) &&
          row.name.toLowerCase().includes((args.filter?.q ?? '').toLowerCase()) &&
          matchesNamed(db, row, args[filterName] as NamedFilter | undefined),
      );
      const page = ids == null ? pageOf(rows, args.filter) : rows;
      return { count: rows.length, [plural]: page.map((row) => entityView(stash, asker, kind, row)) };
    };
  return {
    findScene(args: { id?: string | null; checksum?: string | null }, asker: Asker): View | null {
      const found = args.id == null ? undefined : db.findScene(args.id);
      return found === undefined ? null : sceneView(stash, asker, found);
    },

    findScenes(
      args: FindArgs & { scene_filter?: SceneFilter | null; scene_ids?: readonly number[] | null },
      asker: Asker,
    ) {
      const ids = args.ids ?? args.scene_ids;
      if (ids != null) {
        const found = ids.map((id) => db.scene(id));
        return scenesResult(stash, asker, found, found);
      }
      const wanted = (args.filter?.q ?? '').toLowerCase();
      const found = sorted(db, db.scenes(), args.filter).filter(
        (scene) =>
          `${scene.title}\n${scene.details}\n${scene.files[0]?.path}`.toLowerCase().includes(wanted) &&
          matchesScene(db, scene, args.scene_filter),
      );
      return scenesResult(stash, asker, found, pageOf(found, args.filter));
    },

    findTag: entity('tag'),
    findPerformer: entity('performer'),
    findStudio: entity('studio'),
    findGroup: entity('group'),
    findMovie: entity('group'),
    findTags: entities('tag', 'tags'),
    findPerformers: entities('performer', 'performers'),
    findStudios: entities('studio', 'studios'),
    findGroups: entities('group', 'groups'),
    findMovies: entities('group', 'movies', 'movie_filter'),
  };
}

function systemQueries(stash: Stash): Record<string, unknown> {
  const { place, jobs } = stash;
  const databasePath = join(place.dir, 'stash-go.sqlite');
  const configPath = join(place.dir, 'config.yml');
  return {
    version: { version: stash.features.version, ...BUILD },
    systemStatus: {
      status: 'OK',
      databaseSchema: DATABASE_SCHEMA,
      databasePath,
      configPath,
      appSchema: DATABASE_SCHEMA,
      os: 'linux',
      homeDir: homedir(),
      workingDir: process.cwd(),
    },
    configuration: {
      general: {
        stashes: [{ path: place.root, excludeVideo: false, excludeImage: true }],
        databasePath,
        apiKey: place.apiKey,
        username: stash.auth.user,
        parallelTasks: place.parallelTasks,
        maxSessionAge: 3600,
        generatedPath: join(place.dir, 'generated'),
        configFilePath: configPath,
        pluginsPath: place.pluginsPath,
      },
      interface: { language: 'en-US' },
      plugins: ({ include }: { include?: string[] | null }) => stash.settings.read(include),
    },
    plugins: () => stash.plugins.map((plugin) => pluginView(stash, plugin)),
    pluginTasks: () => stash.plugins.flatMap((plugin) => pluginView(stash, plugin).tasks),
    jobQueue: () => (jobs.queue().length === 0 ? null : jobs.queue().map((job) => jobView(stash, job))),
    findJob({ input }: { input: { id: string } }) {
      const job = jobs.find(idOf(input.id));
      return job === undefined ? null : jobView(stash, job);
    },
  };
}

interface TaskArgs {
  readonly plugin_id: string;
  readonly task_name?: string | null;
  readonly description?: string | null;
  readonly args?: readonly KeyValue[] | null;
  readonly args_map?: PluginArgs | null;
}

function systemMutations(stash: Stash): Record<string, unknown> {
  return {
    runPluginTask(args: TaskArgs, asker: Asker): string {
      const id = queueTask(stash, asker, {
        pluginId: args.plugin_id,
        taskName: args.task_name ?? null,
        description: args.description ?? null,
        args: args.args_map ?? mapOf(args.args ?? []),
      });
      return stash.features.jobIds ? String(id) : 'todo';
    },
    runPluginOperation: (args: { plugin_id: string; args?: PluginArgs | null }, asker: Asker) =>
      runOperation(stash, asker, args.plugin_id, args.args ?? {}),
    configurePlugin: (args: { plugin_id: string; input: SettingValues }) =>
      stash.settings.configure(args.plugin_id, args.input),
    setPluginsEnabled(args: { enabledMap: Record<string, boolean> }): boolean {
      for (const [id, isEnabled] of Object.entries(args.enabledMap)) {
        if (isEnabled) stash.disabledPlugins.delete(id);
        else stash.disabledPlugins.add(id);
      }
      return true;
    },
    reloadPlugins(): boolean {
      stash.reloadPlugins();
      return true;
    },
    metadataScan: ({ input }: { input: ScanInput }, asker: Asker): string =>
      String(stash.jobs.add('Scanning...', scanWork(stash, asker, input)).id),
    metadataClean: ({ input }: { input: CleanInput }, asker: Asker): string =>
      String(stash.jobs.add('Cleaning...', cleanWork(stash, asker, input)).id),
    metadataAutoTag: ({ input }: { input: AutoTagInput }): string =>
      String(stash.jobs.add('Auto-tagging...', autoTagWork(stash, input)).id),
    stopJob(args: { job_id: string }): boolean {
      stash.jobs.stop(idOf(args.job_id));
      return true;
    },
    stopAllJobs(): boolean {
      for (const job of stash.jobs.queue()) stash.jobs.stop(job.id);
      return true;
    },
  };
}

function scenesResult(stash: Stash, asker: Asker, found: readonly Scene[], page: readonly Scene[]) {
  const files = found.flatMap((scene) => scene.files.slice(0, 1));
  return {
    count: found.length,
    duration: files.reduce((sum, file) => sum + file.durationS, 0),
    filesize: files.reduce((sum, file) => sum + file.sizeBytes, 0),
    scenes: page.map((scene) => sceneView(stash, asker, scene)),
  };
}

interface KeyValue {
  readonly key: string;
  readonly value?: ArgValue | null;
}

interface ArgValue {
  readonly str?: string | null;
  readonly i?: number | null;
  readonly b?: boolean | null;
  readonly f?: number | null;
  readonly o?: readonly KeyValue[] | null;
  readonly a?: readonly (ArgValue | null)[] | null;
}

function mapOf(args: readonly KeyValue[]): PluginArgs {
  return Object.fromEntries(args.map(({ key, value }) => [key, argValue(value ?? null)]));
}

function argValue(value: ArgValue | null): unknown {
  if (value === null) return null;
  if (value.o != null) return mapOf(value.o);
  if (value.a != null) return value.a.map(argValue);
  return value.str ?? value.i ?? value.b ?? value.f ?? null;
}

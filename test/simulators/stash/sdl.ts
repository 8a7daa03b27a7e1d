// The part of Stash's GraphQL schema that plugins use, per version (facts, section 9). What a version did
// not have is not here for it, so that asking answers 422 as the real one does.
import { inputsSdl } from './sdl-inputs.ts';
import type { Features } from './versions.ts';

export function schemaSdl(features: Features): string {
  return [scalars(), objects(features), inputsSdl(features), queries(features), mutations(features)].join(
    '\n',
  );
}

function since(has: boolean, line: string): string {
  return has ? line : '';
}

function scalars(): string {
  return `
  scalar Time
  scalar Timestamp
  scalar Map
  scalar BoolMap
  scalar PluginConfigMap
  scalar Any
  scalar Int64`;
}

function objects(features: Features): string {
  const { groups, operations, settings, urls, jobErrors, stashIdTimes } = features;
  return `
  type Version { version: String hash: String! build_time: String! }
  enum SystemStatusEnum { SETUP NEEDS_MIGRATION OK }
  type SystemStatus {
    databaseSchema: Int databasePath: String configPath: String appSchema: Int! status: SystemStatusEnum!
    os: String! workingDir: String! homeDir: String!
  }
  type StashConfig { path: String! excludeVideo: Boolean! excludeImage: Boolean! }
  type ConfigGeneralResult {
    stashes: [StashConfig!]! databasePath: String! generatedPath: String! configFilePath: String!
    pluginsPath: String! parallelTasks: Int! apiKey: String! username: String! maxSessionAge: Int!
  }
  type ConfigInterfaceResult { language: String }
  type ConfigResult {
    general: ConfigGeneralResult!
    interface: ConfigInterfaceResult!
    ${since(settings, 'plugins(include: [ID!]): PluginConfigMap!')}
  }

  type PluginPaths { javascript: [String!] css: [String!] }
  type PluginTask { name: String! description: String plugin: Plugin! }
  type PluginHook { name: String! description: String hooks: [String!] plugin: Plugin! }
  enum PluginSettingTypeEnum { STRING NUMBER BOOLEAN }
  type PluginSetting { name: String! display_name: String description: String type: PluginSettingTypeEnum! }
  type Plugin {
    id: ID! name: String! description: String url: String version: String
    tasks: [PluginTask!] hooks: [PluginHook!]
    ${since(settings, 'enabled: Boolean! settings: [PluginSetting!] requires: [ID!] paths: PluginPaths!')}
  }
  type PluginOperationResult { result: String }

  enum JobStatus { READY RUNNING FINISHED STOPPING CANCELLED ${since(jobErrors, 'FAILED')} }
  type Job {
    id: ID! status: JobStatus! subTasks: [String!] description: String! progress: Float
    startTime: Time endTime: Time addTime: Time! ${since(jobErrors, 'error: String')}
  }

  type Fingerprint { type: String! value: String! }
  type VideoFile {
    id: ID! path: String! basename: String! parent_folder_id: ID! zip_file_id: ID mod_time: Time! size: Int64!
    fingerprint(type: String!): String fingerprints: [Fingerprint!]! format: String! width: Int! height: Int!
    duration: Float! video_codec: String! audio_codec: String! frame_rate: Float! bit_rate: Int!
    created_at: Time! updated_at: Time!
  }
  type ScenePathsType {
    screenshot: String preview: String stream: String webp: String vtt: String sprite: String
    funscript: String interactive_heatmap: String caption: String
  }
  type StashID { endpoint: String! stash_id: String! ${since(stashIdTimes, 'updated_at: Time!')} }
  type SceneMovie { movie: Movie! scene_index: Int }
  type Gallery { id: ID! title: String }
  type SceneMarker {
    id: ID! title: String! seconds: Float! ${since(stashIdTimes, 'end_seconds: Float')} primary_tag: Tag! tags: [Tag!]!
  }
  type Scene {
    id: ID! title: String code: String details: String director: String url: String
    ${since(urls, 'urls: [String!]!')}
    date: String rating100: Int organized: Boolean! o_counter: Int interactive: Boolean!
    interactive_speed: Int created_at: Time! updated_at: Time! last_played_at: Time resume_time: Float
    play_duration: Float play_count: Int
    ${since(operations, 'play_history: [Time!]! o_history: [Time!]!')}
    files: [VideoFile!]! paths: ScenePathsType! scene_markers: [SceneMarker!]! galleries: [Gallery!]!
    studio: Studio movies: [SceneMovie!]! ${since(groups, 'groups: [SceneGroup!]!')} tags: [Tag!]!
    performers: [Performer!]! stash_ids: [StashID!]!
  }
  type FindScenesResultType { count: Int! duration: Float! filesize: Float! scenes: [Scene!]! }

  type Tag {
    id: ID! name: String! description: String aliases: [String!]! ignore_auto_tag: Boolean! created_at: Time!
    updated_at: Time! image_path: String scene_count(depth: Int): Int! parents: [Tag!]! children: [Tag!]!
    ${since(groups, 'favorite: Boolean! sort_name: String')}
  }
  type Performer {
    id: ID! name: String! disambiguation: String url: String gender: GenderEnum birthdate: String
    alias_list: [String!]! favorite: Boolean! tags: [Tag!]! image_path: String scene_count: Int!
    rating100: Int details: String created_at: Time! updated_at: Time! ${since(groups, 'urls: [String!]')}
  }
  type Studio {
    id: ID! name: String! url: String parent_studio: Studio child_studios: [Studio!]! aliases: [String!]!
    image_path: String scene_count(depth: Int): Int! rating100: Int details: String created_at: Time!
    updated_at: Time! ${since(groups, 'urls: [String!]! tags: [Tag!]! favorite: Boolean!')}
  }
  type Movie { ${groupFields()} url: String }
  ${since(groups, `type Group { ${groupFields()} urls: [String!]! } type SceneGroup { group: Group! scene_index: Int }`)}
  type FindTagsResultType { count: Int! tags: [Tag!]! }
  type FindPerformersResultType { count: Int! performers: [Performer!]! }
  type FindStudiosResultType { count: Int! studios: [Studio!]! }
  type FindMoviesResultType { count: Int! movies: [Movie!]! }
  ${since(groups, 'type FindGroupsResultType { count: Int! groups: [Group!]! }')}`;
}

function groupFields(): string {
  return `id: ID! name: String! aliases: String date: String rating100: Int studio: Studio director: String
    synopsis: String created_at: Time! updated_at: Time! front_image_path: String back_image_path: String
    scene_count: Int!`;
}

function queries(features: Features): string {
  const ids = since(features.operations, 'ids: [ID!]');
  return `
  type Query {
    findScene(id: ID, checksum: String): Scene
    findScenes(scene_filter: SceneFilterType, scene_ids: [Int!], ${ids} filter: FindFilterType): FindScenesResultType!
    findTag(id: ID!): Tag
    findTags(tag_filter: TagFilterType, filter: FindFilterType, ${ids}): FindTagsResultType!
    findPerformer(id: ID!): Performer
    findPerformers(
      performer_filter: PerformerFilterType, filter: FindFilterType, performer_ids: [Int!], ${ids}
    ): FindPerformersResultType!
    findStudio(id: ID!): Studio
    findStudios(studio_filter: StudioFilterType, filter: FindFilterType, ${ids}): FindStudiosResultType!
    findMovie(id: ID!): Movie
    findMovies(movie_filter: MovieFilterType, filter: FindFilterType, ${ids}): FindMoviesResultType!
    ${since(
      features.groups,
      `findGroup(id: ID!): Group
      findGroups(group_filter: GroupFilterType, filter: FindFilterType, ids: [ID!]): FindGroupsResultType!`,
    )}
    plugins: [Plugin!]
    pluginTasks: [PluginTask!]
    configuration: ConfigResult!
    systemStatus: SystemStatus!
    jobQueue: [Job!]
    findJob(input: FindJobInput!): Job
    version: Version!
  }`;
}

function mutations(features: Features): string {
  const { operations, settings, groups } = features;
  const task = operations
    ? 'runPluginTask(plugin_id: ID!, task_name: String, description: String, args: [PluginArgInput!], args_map: Map): ID!'
    : `runPluginTask(plugin_id: ID!, task_name: String!, args: [PluginArgInput!]): ${features.jobIds ? 'ID' : 'String'}!`;
  const group = groups ? 'Group' : 'Movie';
  const field = groups ? 'group' : 'movie';
  return `
  type Mutation {
    sceneCreate(input: SceneCreateInput!): Scene
    sceneUpdate(input: SceneUpdateInput!): Scene
    sceneMerge(input: SceneMergeInput!): Scene
    bulkSceneUpdate(input: BulkSceneUpdateInput!): [Scene!]
    sceneDestroy(input: SceneDestroyInput!): Boolean!
    scenesDestroy(input: ScenesDestroyInput!): Boolean!
    scenesUpdate(input: [SceneUpdateInput!]!): [Scene]
    tagCreate(input: TagCreateInput!): Tag
    tagUpdate(input: TagUpdateInput!): Tag
    tagDestroy(input: TagDestroyInput!): Boolean!
    tagsMerge(input: TagsMergeInput!): Tag
    performerCreate(input: PerformerCreateInput!): Performer
    performerUpdate(input: PerformerUpdateInput!): Performer
    performerDestroy(input: PerformerDestroyInput!): Boolean!
    ${since(features.performerMerge, 'performerMerge(input: PerformerMergeInput!): Performer!')}
    studioCreate(input: StudioCreateInput!): Studio
    studioUpdate(input: StudioUpdateInput!): Studio
    studioDestroy(input: StudioDestroyInput!): Boolean!
    ${field}Create(input: ${group}CreateInput!): ${group}
    ${field}Update(input: ${group}UpdateInput!): ${group}
    ${field}Destroy(input: ${group}DestroyInput!): Boolean!
    metadataScan(input: ScanMetadataInput!): ID!
    metadataClean(input: CleanMetadataInput!): ID!
    metadataAutoTag(input: AutoTagMetadataInput!): ID!
    ${since(settings, 'configurePlugin(plugin_id: ID!, input: Map!): Map!')}
    ${since(settings, 'setPluginsEnabled(enabledMap: BoolMap!): Boolean!')}
    ${task}
    ${since(operations, 'runPluginOperation(plugin_id: ID!, args: Map): Any')}
    reloadPlugins: Boolean!
    stopJob(job_id: ID!): Boolean!
    stopAllJobs: Boolean!
  }`;
}

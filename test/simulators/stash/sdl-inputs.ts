// The input types, per version. The order of the fields is behaviour: a hook's `input` is the whole struct
// in this order with null for what was not sent (test/fixtures/captures/raw). Types and names as in Stash.
import type { Features } from './versions.ts';

export function inputsSdl(features: Features): string {
  const since = (has: boolean, line: string): string => (has ? line : '');
  const { groups, oldRating, urls } = features;
  const sceneRest = `
    studio_id: ID
    gallery_ids: [ID!]
    performer_ids: [ID!]
    movies: [SceneMovieInput!]
    ${since(groups, 'groups: [SceneGroupInput!]')}
    tag_ids: [ID!]
    cover_image: String
    stash_ids: [StashIDInput!]`;
  const sceneTexts = `
    title: String
    code: String
    details: String
    director: String
    url: String
    ${since(urls && !oldRating, 'urls: [String!]')}
    date: String
    ${since(oldRating, 'rating: Int')}
    rating100: Int`;
  const urlsLate = since(urls && oldRating, 'urls: [String!]');
  const performer = `
    disambiguation: String
    url: String
    ${since(groups, 'urls: [String!]')}
    gender: GenderEnum
    birthdate: String
    ethnicity: String
    country: String
    eye_color: String
    height: String
    height_cm: Int
    measurements: String
    fake_tits: String
    penis_length: Float
    circumcised: CircumisedEnum
    career_length: String
    tattoos: String
    piercings: String
    aliases: String
    alias_list: [String!]
    twitter: String
    instagram: String
    favorite: Boolean
    tag_ids: [ID!]
    image: String
    stash_ids: [StashIDInput!]
    rating100: Int
    details: String
    death_date: String
    hair_color: String
    weight: Int
    ignore_auto_tag: Boolean
    ${since(features.customFields, 'custom_fields: CustomFieldsInput')}`;
  const studio = `
    url: String
    ${since(groups, 'urls: [String!]')}
    parent_id: ID
    image: String
    stash_ids: [StashIDInput!]
    rating100: Int
    ${since(groups, 'favorite: Boolean')}
    details: String
    aliases: [String!]
    ${since(groups, 'tag_ids: [ID!]')}
    ignore_auto_tag: Boolean`;
  const tag = `
    ${since(groups, 'sort_name: String')}
    description: String
    aliases: [String!]
    ignore_auto_tag: Boolean
    ${since(groups, 'favorite: Boolean')}
    image: String
    ${since(features.tagStashIds, 'stash_ids: [StashIDInput!]')}
    parent_ids: [ID!]
    child_ids: [ID!]`;
  const group = `
    aliases: String
    duration: Int
    date: String
    rating100: Int
    studio_id: ID
    director: String
    synopsis: String
    ${groups ? 'urls: [String!]' : 'url: String'}
    front_image: String
    back_image: String`;
  const groupName = groups ? 'Group' : 'Movie';
  return `
  input SceneMovieInput { movie_id: ID! scene_index: Int }
  ${since(groups, 'input SceneGroupInput { group_id: ID! scene_index: Int }')}
  input StashIDInput { stash_id: String! endpoint: String! ${since(features.stashIdTimes, 'updated_at: Time')} }
  enum BulkUpdateIdMode { SET ADD REMOVE }
  input BulkUpdateIds { ids: [ID!] mode: BulkUpdateIdMode! }
  input BulkUpdateStrings { values: [String!] mode: BulkUpdateIdMode! }
  enum GenderEnum { MALE FEMALE TRANSGENDER_MALE TRANSGENDER_FEMALE INTERSEX NON_BINARY }
  enum CircumisedEnum { CUT UNCUT }

  input SceneCreateInput { ${sceneTexts}
    organized: Boolean ${urlsLate} ${sceneRest}
    file_ids: [ID!]
  }
  input SceneUpdateInput {
    clientMutationId: String
    id: ID! ${sceneTexts}
    o_counter: Int
    organized: Boolean ${urlsLate} ${sceneRest}
    resume_time: Float
    play_duration: Float
    play_count: Int
    primary_file_id: ID
  }
  input BulkSceneUpdateInput {
    clientMutationId: String
    ids: [ID!]
    title: String
    code: String
    details: String
    director: String
    url: String
    ${since(urls, 'urls: BulkUpdateStrings')}
    date: String
    ${since(oldRating, 'rating: Int')}
    rating100: Int
    organized: Boolean
    studio_id: ID
    gallery_ids: BulkUpdateIds
    performer_ids: BulkUpdateIds
    tag_ids: BulkUpdateIds
    ${since(groups, 'group_ids: BulkUpdateIds')}
    movie_ids: BulkUpdateIds
  }
  input SceneDestroyInput { id: ID! delete_file: Boolean delete_generated: Boolean }
  input ScenesDestroyInput { ids: [ID!]! delete_file: Boolean delete_generated: Boolean }
  input SceneMergeInput { source: [ID!]! destination: ID! values: SceneUpdateInput }

  input PerformerCreateInput { name: String! ${performer} }
  input PerformerUpdateInput { id: ID! name: String ${performer} }
  input PerformerDestroyInput { id: ID! }
  ${since(features.customFields, 'input CustomFieldsInput { full: Map partial: Map remove: [String!] }')}
  ${since(
    features.performerMerge,
    'input PerformerMergeInput { source: [ID!]! destination: ID! values: PerformerUpdateInput }',
  )}
  input StudioCreateInput { name: String! ${studio} }
  input StudioUpdateInput { id: ID! name: String ${studio} }
  input StudioDestroyInput { id: ID! }
  input TagCreateInput { name: String! ${tag} }
  input TagUpdateInput { id: ID! name: String ${tag} }
  input TagDestroyInput { id: ID! }
  input TagsMergeInput { source: [ID!]! destination: ID! }
  input ${groupName}CreateInput { name: String! ${group} }
  input ${groupName}UpdateInput { id: ID! name: String ${group} }
  input ${groupName}DestroyInput { id: ID! }

  input FindFilterType { q: String page: Int per_page: Int sort: String direction: SortDirectionEnum }
  enum SortDirectionEnum { ASC DESC }
  enum CriterionModifier {
    EQUALS NOT_EQUALS GREATER_THAN LESS_THAN IS_NULL NOT_NULL INCLUDES_ALL INCLUDES EXCLUDES
    MATCHES_REGEX NOT_MATCHES_REGEX BETWEEN NOT_BETWEEN
  }
  input StringCriterionInput { value: String! modifier: CriterionModifier! }
  input IntCriterionInput { value: Int! value2: Int modifier: CriterionModifier! }
  input TimestampCriterionInput { value: String! value2: String modifier: CriterionModifier! }
  input MultiCriterionInput { value: [ID!] modifier: CriterionModifier! excludes: [ID!] }
  input HierarchicalMultiCriterionInput {
    value: [ID!] modifier: CriterionModifier! depth: Int excludes: [ID!]
  }
  input SceneFilterType {
    AND: SceneFilterType
    OR: SceneFilterType
    NOT: SceneFilterType
    id: IntCriterionInput
    title: StringCriterionInput
    path: StringCriterionInput
    rating100: IntCriterionInput
    file_count: IntCriterionInput
    organized: Boolean
    studios: HierarchicalMultiCriterionInput
    movies: MultiCriterionInput
    ${since(groups, 'groups: HierarchicalMultiCriterionInput')}
    tags: HierarchicalMultiCriterionInput
    performers: MultiCriterionInput
    created_at: TimestampCriterionInput
    updated_at: TimestampCriterionInput
  }
  ${['Tag', 'Performer', 'Studio', 'Movie', ...(groups ? ['Group'] : [])].map(namedFilter).join('\n')}

  input PluginArgInput { key: String! value: PluginValueInput }
  input PluginValueInput {
    str: String i: Int b: Boolean f: Float o: [PluginArgInput!] a: [PluginValueInput!]
  }
  input FindJobInput { id: ID! }
  input ScanMetadataInput {
    paths: [String!] rescan: Boolean scanGenerateCovers: Boolean scanGeneratePreviews: Boolean
    scanGenerateSprites: Boolean scanGeneratePhashes: Boolean scanGenerateThumbnails: Boolean
  }
  input CleanMetadataInput { paths: [String!] dryRun: Boolean! }
  input AutoTagMetadataInput { paths: [String!] performers: [String!] studios: [String!] tags: [String!] }`;
}

function namedFilter(type: string): string {
  return `input ${type}FilterType {
    name: StringCriterionInput created_at: TimestampCriterionInput updated_at: TimestampCriterionInput
  }`;
}

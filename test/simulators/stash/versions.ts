// Which parts of Stash a version has. The schema, the plugin loader and the recursion guard ask here,
// never the version string itself. Source: the schemas and the plugin code of Stash v0.22.1 to v0.30.1, read, and what a real v0.30.1 sent, measured.

export interface Features {
  /** Sent in `version{version}`. */
  readonly version: string;
  /** Scene.urls, v0.22. */
  readonly urls: boolean;
  /** The 1 to 5 `rating` beside rating100 in inputs, gone in v0.24. */
  readonly oldRating: boolean;
  /** Plugin settings, configurePlugin, setPluginsEnabled and `settings:` in a yml, v0.24. */
  readonly settings: boolean;
  /** runPluginTask gives a job id; before v0.24 it gave "todo". */
  readonly jobIds: boolean;
  /** runPluginOperation, args_map, play_history, findScenes(ids), v0.25. */
  readonly operations: boolean;
  /** Job.error and FAILED, v0.26. */
  readonly jobErrors: boolean;
  /** Setting keys pass through snake_case, up to v0.25. */
  readonly manglesSettingKeys: boolean;
  /** A wrong ApiKey was answered 500 "unauthorized" up to v0.25, 401 after. */
  readonly wrongKeyStatus: 401 | 500;
  /** What runs `interface: js`: goja since v0.26, otto before. */
  readonly scriptEngine: 'goja' | 'otto';
  /** Groups beside the deprecated movies, v0.27. */
  readonly groups: boolean;
  /** stash_ids.updated_at and marker end_seconds, v0.28. */
  readonly stashIdTimes: boolean;
  /** custom_fields of performers, v0.28. */
  readonly customFields: boolean;
  /** stash_ids of tags, v0.30. */
  readonly tagStashIds: boolean;
  /** After v0.30.1. */
  readonly performerMerge: boolean;
  /** How often one plugin may be entered again for one hook within one chain of cookies. */
  readonly nestedHookLimit: number;
}

const NESTED_HOOK_LIMIT = 10;
const NESTED_HOOK_LIMIT_BEFORE_V25 = 1;

/** A version that is no `vX.Y.Z` (a hash build) has everything. */
export function featuresOf(version: string): Features {
  const found = /^v?0\.(\d+)/.exec(version);
  const minor = found === null ? Number.POSITIVE_INFINITY : Number(found[1]);
  return {
    version,
    urls: minor >= 22,
    oldRating: minor < 24,
    settings: minor >= 24,
    jobIds: minor >= 24,
    operations: minor >= 25,
    jobErrors: minor >= 26,
    manglesSettingKeys: minor <= 25,
    wrongKeyStatus: minor <= 25 ? 500 : 401,
    scriptEngine: minor >= 26 ? 'goja' : 'otto',
    groups: minor >= 27,
    stashIdTimes: minor >= 28,
    customFields: minor >= 28,
    tagStashIds: minor >= 30,
    performerMerge: minor > 30,
    nestedHookLimit: minor >= 25 ? NESTED_HOOK_LIMIT : NESTED_HOOK_LIMIT_BEFORE_V25,
  };
}

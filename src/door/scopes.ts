// What a wake looks for, and how its job is called in Stash's queue. Shared by the hook inside Stash (which asks for a
// wake) and the wake itself: what the hook uses of it is ES5, see hook.ts.

/**
 * - `changes`: what Stash has given a new time (every scope looks for these)
 * - `files`: also files that a scan renamed or replaced, which moves no time
 * - `gone`: also scenes that are deleted
 * - `shared`: also tags, performers, studios and groups that are deleted or merged, which moves no time of a scene
 */
export type Scope = 'changes' | 'files' | 'gone' | 'shared';

/** The job's description, by which our jobs are known in Stash's queue: nobody else uses these words. */
export var DESCRIPTIONS: Readonly<Record<Scope, string>> = {
  changes: 'Breakwater looks for changes',
  files: 'Breakwater looks for changes and for renamed files',
  gone: 'Breakwater looks for changes and for deleted scenes',
  shared: 'Breakwater looks for changes and for deleted or merged tags, performers, studios and groups',
};

/** The plugin that runs wakes: the name of its yml. */
export var PLUGIN_ID = 'breakwater';

/** What Stash puts in front of the description of a plugin's job. */
export var JOB_PREFIX = 'Running plugin task: ';

export function isScope(value: unknown): value is Scope {
  return typeof value === 'string' && Object.hasOwn(DESCRIPTIONS, value);
}

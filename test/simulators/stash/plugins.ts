// Finds the plugins: every *.yml beneath the plugins folder, in directory-walk order, symlinks followed.
// What does not load is logged and skipped. Also how a plugin's command line is made.
import { accessSync, constants, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import type { LogLine } from './log.ts';
import type { Features } from './versions.ts';
import { type Hook, type Operation, type PluginYml, readPluginYml } from './yml.ts';

export interface Plugin extends PluginYml {
  readonly id: string;
  /** The folder of its yml, sent as PluginDir. */
  readonly dir: string;
}

/** A folder nested deeper than this is taken for a loop of symlinks. */
const MAX_DEPTH = 32;

export function loadPlugins(root: string | undefined, features: Features, log: LogLine): Plugin[] {
  const plugins: Plugin[] = [];
  const ids = new Set<string>();
  for (const path of root === undefined ? [] : ymlFilesIn(root, 0)) {
    const id = basename(path, '.yml');
    try {
      const yml = readPluginYml(readFileSync(path, 'utf8'), features);
      if (ids.has(id.toLowerCase())) throw new Error(`plugin ID ${id} already exists`);
      ids.add(id.toLowerCase());
      plugins.push({ ...yml, name: yml.name === '' ? id : yml.name, id, dir: dirname(path) });
    } catch (error) {
      log('error', '', `Error loading plugin ${path}: ${(error as Error).message}`);
    }
  }
  return plugins;
}

/** A hook that lists the trigger twice runs twice, as in Stash. */
export function hooksFor(plugin: Plugin, trigger: string): Hook[] {
  return plugin.hooks.flatMap((hook) => hook.triggeredBy.filter((type) => type === trigger).map(() => hook));
}

/** `exec[0]` is looked up in PATH and else taken from the plugin's folder; {pluginDir} is replaced after it. */
export function commandOf(plugin: Plugin, operation: Operation | undefined, path: string): string[] {
  const [program, ...rest] = [...plugin.exec, ...(operation?.execArgs ?? [])];
  if (program === undefined) return [];
  const found = isInPath(program, path) ? program : join(plugin.dir, program);
  return [found, ...rest.map((arg) => arg.replaceAll('{pluginDir}', plugin.dir))];
}

/** A script is never looked up in PATH; nothing in its path is replaced. */
export function scriptOf(plugin: Plugin): string | undefined {
  return plugin.exec[0] === undefined ? undefined : join(plugin.dir, plugin.exec[0]);
}

/** Lexical order, a folder's files and folders mixed, as Go's filepath.Walk goes. */
function ymlFilesIn(dir: string, depth: number): string[] {
  if (depth > MAX_DEPTH) return [];
  return readdirSync(dir)
    .sort()
    .flatMap((name) => {
      const path = join(dir, name);
      const stats = statSync(path, { throwIfNoEntry: false });
      if (stats?.isDirectory()) return ymlFilesIn(path, depth + 1);
      return stats?.isFile() && name.endsWith('.yml') ? [path] : [];
    });
}

function isInPath(program: string, path: string): boolean {
  const places = program.includes('/') ? [program] : path.split(delimiter).map((dir) => join(dir, program));
  return places.some(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

// The settings of Stash2Plex in the words of Breakwater: for those who come from there. What is set here already stays;
// what has no meaning here is said, with the reason.

import { FIELD_NAMES, type FieldMode, type FieldName } from '../sync/fields.ts';
import type { SettingName } from './schema.ts';

export const OTHER_PLUGIN_ID = 'Stash2Plex';

export interface Takeover {
  /** To be set in Stash. */
  readonly inStash: Readonly<Partial<Record<SettingName, unknown>>>;
  /** To be set in the settings file. */
  readonly inFile: Readonly<Partial<Record<SettingName, unknown>>>;
  /** What is left behind, and why. */
  readonly left: readonly { readonly setting: string; readonly reason: string }[];
}

type Json = Readonly<Record<string, unknown>>;

/** Their switches, by the field that each turns off. */
const SWITCHES: Readonly<Record<string, FieldName>> = {
  syncstudio: 'studio',
  syncsummary: 'summary',
  syncdate: 'date',
  syncperformers: 'performers',
  synctags: 'tags',
  syncposter: 'poster',
  syncbackground: 'background',
  synccollection: 'collections',
};

/** What it ever wrote. */
const WRITTEN: ReadonlySet<FieldName> = new Set<FieldName>(['title', ...Object.values(SWITCHES)]);

const LEFT: Readonly<Record<string, string>> = {
  enabled: 'disable the plugin in Stash instead, or use "hold open"',
  syncmaster: 'turn fields off one by one',
  synctagline: 'it never wrote one; here it is a field, with taglineFrom',
  maxretries: 'how often is retried depends on what went wrong',
  pollinterval: 'nothing polls here',
  strictmatching: 'a file that several items have is never guessed at',
  connecttimeout: 'requestTimeout holds for both, and it had no effect there',
  readtimeout: 'requestTimeout holds for both, and it had no effect there',
  skipnotfound: 'a scene that Plex does not have waits, and costs nothing',
  debuglogging: 'the log level of Stash decides',
  reconcilescope: 'it had no effect there; every scene is compared',
};

/** `theirs`: as Stash keeps them, whatever it made of their names. `ours`: what is set here. */
export function takeOver(theirs: Json, ours: Json): Takeover {
  const given = new Map(Object.entries(theirs).map(([name, value]) => [keyOf(name), value]));
  const inStash: Partial<Record<SettingName, unknown>> = {};
  const inFile: Partial<Record<SettingName, unknown>> = {};
  const left: { setting: string; reason: string }[] = [];
  const take = (
    their: string,
    our: SettingName,
    to: Partial<Record<SettingName, unknown>>,
    value: unknown,
  ) => {
    const isSet = ours[our] !== undefined && ours[our] !== '' && ours[our] !== null;
    if (isSet) left.push({ setting: their, reason: `${our} is set here already` });
    else to[our] = value;
  };
  const straight = [
    ['plexurl', 'plexUrl', inStash],
    ['plextoken', 'plexToken', inStash],
    ['plexlibrary', 'plexLibraries', inStash],
    ['reconcileinterval', 'reconcile', inStash],
    ['triggerplexscan', 'scanNewFiles', inStash],
    ['obfuscatepaths', 'obfuscatePaths', inStash],
    ['reconcilemissing', 'reconcileMissing', inFile],
    ['maxtags', 'maxTags', inFile],
  ] as const;
  for (const [their, our, to] of straight) {
    const value = given.get(their);
    if (value !== undefined && value !== '' && value !== null) take(their, our, to, value);
  }
  const map = given.get('plexunmatchedpathmap');
  if (typeof map === 'string' && map.trim() !== '')
    take('plexunmatchedpathmap', 'pathMap', inStash, turned(map));
  const fields = fieldsFrom(given);
  if (fields !== '') take('sync_…', 'fields', inStash, fields);
  for (const [their, reason] of Object.entries(LEFT)) {
    if (given.has(their)) left.push({ setting: their, reason });
  }
  return { inStash, inFile, left };
}

/** `/plex=>/stash` there; here Stash comes first. */
function turned(map: string): string {
  return map
    .split(';')
    .map((rule) => rule.split('=>').map((side) => side.trim()))
    .filter((sides) => sides.length === 2)
    .map(([plex, stash]) => `${stash} => ${plex}`)
    .join('; ');
}

/** "Preserve Plex edits" filled in only what was empty; a switch that is off wins. */
function fieldsFrom(given: ReadonlyMap<string, unknown>): string {
  const isKept = isTrue(given.get('preserveplexedits'));
  const modes = new Map<FieldName, FieldMode>();
  if (isKept) {
    for (const field of FIELD_NAMES.filter((name) => WRITTEN.has(name))) modes.set(field, 'only-if-empty');
  }
  for (const [their, field] of Object.entries(SWITCHES)) {
    if (isFalse(given.get(their))) modes.set(field, 'off');
  }
  return [...modes].map(([field, mode]) => `${field}: ${mode}`).join(', ');
}

/** Stash turns `plex_url` into `plexUrl` in some versions. */
function keyOf(name: string): string {
  return name.replaceAll('_', '').toLowerCase();
}

function isTrue(value: unknown): boolean {
  return value === true || value === 'true' || value === 1 || value === '1';
}

function isFalse(value: unknown): boolean {
  return value === false || value === 'false' || value === 0 || value === '0';
}

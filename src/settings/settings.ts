// The settings: what was given in Stash, in the settings file or in the environment, checked one by one. A bad optional
// one is reported and its default is used; only a missing address or token keeps Breakwater from working.
// A secret is never shown, and never taken from the file.

import * as v from 'valibot';
import { DEFAULT_POLICY, type Policy } from '../../machines/policy.ts';
import type { QueueRetention } from '../queue/compaction.ts';
import type { ReconcileEvery } from '../reconcile/schedule.ts';
import type { SyncOptions } from '../sync/fields.ts';
import type { PathRule } from '../sync/path-map.ts';
import { NO_FILE, type SettingsFile } from './file.ts';
import { SETTING_NAMES, type SettingName, type SettingValues, specOf } from './schema.ts';

export interface Settings {
  readonly plexUrl: string;
  readonly plexToken: string;
  /** Titles or keys of libraries; empty: all of the movie type. */
  readonly plexLibraries: readonly string[];
  readonly pathRules: readonly PathRule[];
  readonly allowsSelfSigned: boolean;
  readonly requestTimeoutMs: number;
  readonly policy: Policy;
  readonly sync: SyncOptions;
  readonly reconcile: {
    readonly every: ReconcileEvery;
    /** Once after each outage. */
    readonly afterOutage: boolean;
    /** Whether scenes without a Plex item are queued by what happens by itself. */
    readonly missing: boolean;
  };
  /** Whether Plex is asked to look at the folder of a file that it does not have. */
  readonly scansNewFiles: boolean;
  /** Whether words stand for the names of files and folders in what a person reads. */
  readonly obfuscatesPaths: boolean;
  /** What is kept of the queue stream; null: what was given cannot be used, and what is dropped cannot be had back. */
  readonly retention: QueueRetention | null;
}

export interface SettingProblem {
  readonly setting: string;
  /** What is wrong and what is used instead; never the value of a secret. */
  readonly problem: string;
}

/** Where a value was given. */
export type Origin = 'stash' | 'file' | 'environment' | 'default';

/** A setting as a person may see it. */
export interface SettingReport {
  readonly name: SettingName;
  /** As it was given (an address without its query), or the default; `***` for a secret, null where nothing is set. */
  readonly value: unknown;
  readonly origin: Origin;
}

interface Read {
  readonly reports: readonly SettingReport[];
  readonly problems: readonly SettingProblem[];
}

export type SettingsResult =
  | ({ readonly ok: true; readonly settings: Settings } & Read)
  | ({ readonly ok: false } & Read);

type Json = Readonly<Record<string, unknown>>;
type Env = Readonly<Record<string, string | undefined>>;

/** `given`: from Stash, unset keys absent. What is set there counts before the file, and the file before `env`. */
export function readSettings(given: Json, env: Env, file: SettingsFile = NO_FILE): SettingsResult {
  const problems: SettingProblem[] = [...problemsOf(file)];
  const reports: SettingReport[] = [];
  const values: Record<string, unknown> = {};
  for (const name of SETTING_NAMES) {
    const source = sourceOf(name, given, env, file);
    const { value, problem } = checked(name, source.value);
    if (problem !== null) problems.push({ setting: name, problem });
    values[name] = value;
    reports.push(
      problem === null
        ? { name, value: shown(name, source.value), origin: source.origin }
        : { name, value: shown(name, undefined), origin: 'default' },
    );
  }
  const read = values as SettingValues;
  for (const problem of read.fields.problems) problems.push({ setting: 'fields', problem });
  const isComplete = SETTING_NAMES.every((name) => !specOf(name).isRequired || values[name] !== '');
  return isComplete
    ? { ok: true, settings: settingsFrom(read, retentionFrom(read, file, problems)), reports, problems }
    : { ok: false, reports, problems };
}

function retentionFrom(
  { historyDays, historyMegabytes }: SettingValues,
  file: SettingsFile,
  problems: readonly SettingProblem[],
): Settings['retention'] {
  const isBad = problems.some(({ setting }) => setting.startsWith('history'));
  return file.kind === 'bad' || isBad ? null : { keepMs: historyDays, maxBytes: historyMegabytes * MIB };
}

function settingsFrom(read: SettingValues, retention: Settings['retention']): Settings {
  return {
    plexUrl: read.plexUrl,
    plexToken: read.plexToken,
    plexLibraries: read.plexLibraries,
    pathRules: read.pathMap,
    allowsSelfSigned: read.allowSelfSigned,
    requestTimeoutMs: read.requestTimeout,
    policy: {
      ...DEFAULT_POLICY,
      failureThreshold: read.failureThreshold,
      recoveryTimeoutMs: read.recoveryTimeout,
      vigilMs: read.vigilMinutes,
    },
    sync: {
      modes: read.fields.modes,
      taglineFrom: read.taglineFrom,
      collectionsFrom: read.collectionsFrom,
      labelsFrom: read.labelsFrom,
      roleFrom: read.roleFrom,
      performerImagesFrom: read.performerImagesFrom,
      maxPerformers: read.maxPerformers,
      maxTags: read.maxTags,
    },
    reconcile: {
      every: read.reconcile,
      afterOutage: read.reconcileAfterOutage,
      missing: read.reconcileMissing,
    },
    scansNewFiles: read.scanNewFiles,
    obfuscatesPaths: read.obfuscatePaths,
    retention,
  };
}

const MIB = 1024 * 1024;

interface Source {
  /** Undefined: nothing was given. */
  readonly value: unknown;
  readonly origin: Origin;
}

function sourceOf(name: SettingName, given: Json, env: Env, file: SettingsFile): Source {
  const { variable, isSecret, isZeroMeant } = specOf(name);
  const inStash = given[name];
  // Stash keeps "" and 0 for a field that was cleared: the same as unset, but where 0 means something.
  const isCleared = inStash === '' || inStash == null || (inStash === 0 && isZeroMeant !== true);
  if (!isCleared) return { value: inStash, origin: 'stash' };
  const inFile = file.kind === 'read' && isSecret !== true ? file.values[name] : undefined;
  if (inFile != null && inFile !== '') return { value: inFile, origin: 'file' };
  const inEnv = variable === undefined ? undefined : env[variable];
  if (inEnv !== undefined && inEnv !== '') return { value: inEnv, origin: 'environment' };
  return { value: undefined, origin: 'default' };
}

function checked(name: SettingName, given: unknown): { value: unknown; problem: string | null } {
  const { schema, standard, isRequired } = specOf(name);
  const usual = v.safeParse(schema, standard);
  const fallback = usual.success ? usual.output : '';
  if (given === undefined) return { value: fallback, problem: isRequired === true ? 'is not set' : null };
  const result = v.safeParse(schema, given);
  if (result.success) return { value: result.output, problem: null };
  const said = result.issues[0].message;
  return { value: fallback, problem: isRequired === true ? said : `${said}; the default is used` };
}

function problemsOf(file: SettingsFile): SettingProblem[] {
  if (file.kind === 'none') return [];
  if (file.kind === 'bad') return [{ setting: file.name, problem: file.problem }];
  return Object.keys(file.values).flatMap((given) => {
    const name = SETTING_NAMES.find((known) => known === given);
    if (name === undefined) return [{ setting: given.slice(0, 40), problem: `in ${file.name} is not known` }];
    if (specOf(name).isSecret !== true) return [];
    const { variable } = specOf(name);
    return [
      {
        setting: name,
        problem: `is not taken from ${file.name}: set it in Stash, or in the variable ${variable}`,
      },
    ];
  });
}

const ADDRESS = /^\s*https?:\/\//i;

/** `given` undefined: the default. */
function shown(name: SettingName, given: unknown): unknown {
  const { isSecret, standard } = specOf(name);
  const value = given ?? standard;
  if (value === '') return null;
  if (isSecret === true) return '***';
  // What stands behind an address may be a token, and this is printed and kept in the journal.
  return typeof value === 'string' && ADDRESS.test(value) ? value.replace(/[?#][\s\S]*$/, '') : value;
}

// The settings: what a person typed into Stash (or put in the environment), checked one by one. A bad optional
// one is reported and its default is used; only a missing address or token keeps Breakwater from working.

import * as v from 'valibot';
import { DEFAULT_POLICY, type Policy } from '../../machines/policy.ts';
import type { ReconcileEvery } from '../reconcile/schedule.ts';
import { DEFAULT_SYNC, type SyncOptions } from '../sync/fields.ts';
import { type PathRule, parsePathMap } from '../sync/path-map.ts';

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
}

export interface SettingProblem {
  readonly setting: string;
  /** What is wrong and what is used instead; never the value of a secret. */
  readonly problem: string;
}

export type SettingsResult =
  | { readonly ok: true; readonly settings: Settings; readonly problems: readonly SettingProblem[] }
  | { readonly ok: false; readonly problems: readonly SettingProblem[] };

/** Stash shows a number field as text in some versions, and keeps what was typed. */
const numeric = v.union(
  [
    v.number(),
    v.pipe(
      v.string(),
      v.trim(),
      v.regex(/^\d+(\.\d+)?$/, 'must be a number'),
      v.transform((text) => Number(text)),
    ),
  ],
  'must be a number',
);
const between = (min: number, max: number) =>
  v.pipe(numeric, v.minValue(min, `must be at least ${min}`), v.maxValue(max, `must be at most ${max}`));
const wholeBetween = (min: number, max: number) =>
  v.pipe(between(min, max), v.integer('must be a whole number'));
const flag = v.union(
  [
    v.boolean(),
    v.pipe(
      v.string(),
      v.trim(),
      v.toLowerCase(),
      v.picklist(['true', 'false', '1', '0', 'yes', 'no']),
      v.transform((text) => ['true', '1', 'yes'].includes(text)),
    ),
  ],
  'must be true or false',
);
const httpUrl = v.pipe(
  v.string('must be text'),
  v.trim(),
  v.url('must be an address like http://192.168.1.10:32400'),
  v.regex(/^https?:\/\//i, 'must begin with http:// or https://'),
  v.check((text) => !/^https?:\/\/[^/]*@/i.test(text), 'must not hold a user name or password'),
  v.transform((text) => text.replace(/[?#].*$/, '').replace(/\/+$/, '')),
);
const token = v.pipe(
  // Without messages of ours valibot would quote the value.
  v.string('must be text'),
  v.trim(),
  v.regex(/^[\x21-\x7e]+$/, 'must be one word of plain characters'),
);
const commaList = v.pipe(
  v.string(),
  v.transform((text) =>
    text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  ),
);

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
/** Settings whose 0 is a choice and not an empty field. */
const ZERO_COUNTS: ReadonlySet<string> = new Set(['vigilMinutes']);

/** `given`: from Stash, unset keys absent. `env`: fills in what is unset. */
export function readSettings(
  given: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string | undefined>>,
): SettingsResult {
  const problems: SettingProblem[] = [];
  /** Stash keeps "" and 0 for a field that was cleared: the same as unset, but where 0 means something. */
  const raw = (setting: string) => {
    const value = given[setting];
    const isCleared = value === '' || value === null || (value === 0 && !ZERO_COUNTS.has(setting));
    return isCleared ? undefined : value;
  };
  const optional = <S extends v.GenericSchema>(
    setting: string,
    schema: S,
    fallback: v.InferOutput<S>,
  ): v.InferOutput<S> => {
    const value = raw(setting);
    if (value === undefined) return fallback;
    const result = v.safeParse(schema, value);
    if (result.success) return result.output;
    problems.push({ setting, problem: `${result.issues[0].message}; the default is used` });
    return fallback;
  };
  const required = (setting: string, schema: typeof httpUrl | typeof token, variable: string): string => {
    const value = raw(setting) ?? env[variable] ?? '';
    const result = v.safeParse(schema, value);
    if (result.success) return result.output;
    problems.push({ setting, problem: value === '' ? 'is not set' : result.issues[0].message });
    return '';
  };
  const ms = (setting: string, min: number, max: number, unitMs: number, fallbackMs: number): number =>
    optional(setting, between(min, max), fallbackMs / unitMs) * unitMs;

  const plexUrl = required('plexUrl', httpUrl, 'PLEX_URL');
  const plexToken = required('plexToken', token, 'PLEX_TOKEN');
  const { failureThreshold, recoveryTimeoutMs, vigilMs } = DEFAULT_POLICY;
  const settings: Settings = {
    plexUrl,
    plexToken,
    plexLibraries: optional('plexLibraries', commaList, []),
    pathRules: pathRulesOf(raw('pathMap'), problems),
    allowsSelfSigned: optional('allowSelfSigned', flag, false),
    requestTimeoutMs: ms('requestTimeout', 1, 60, SECOND_MS, 30 * SECOND_MS),
    sync: DEFAULT_SYNC,
    reconcile: { every: 'never', afterOutage: true, missing: true },
    scansNewFiles: false,
    policy: {
      ...DEFAULT_POLICY,
      failureThreshold: optional('failureThreshold', wholeBetween(1, 20), failureThreshold),
      recoveryTimeoutMs: ms('recoveryTimeout', 1, 3600, SECOND_MS, recoveryTimeoutMs),
      vigilMs: ms('vigilMinutes', 0, 24 * 60, MINUTE_MS, vigilMs),
    },
  };
  return plexUrl === '' || plexToken === '' ? { ok: false, problems } : { ok: true, settings, problems };
}

function pathRulesOf(value: unknown, problems: SettingProblem[]): readonly PathRule[] {
  if (value === undefined) return [];
  const parsed = parsePathMap(String(value));
  if (parsed.ok) return parsed.rules;
  problems.push({ setting: 'pathMap', problem: `${parsed.problem}; no path is mapped` });
  return [];
}

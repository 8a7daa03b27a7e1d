// Every setting, in one table: what may be given for it, what it is otherwise, and what it means. A value is checked the
// same way wherever it was given. Where it may be given: anywhere; `isInStash` says which ones Stash asks for.

import * as v from 'valibot';
import { DEFAULT_POLICY } from '../../machines/policy.ts';
import { RECONCILE_EVERY } from '../reconcile/schedule.ts';
import { DEFAULT_SYNC, NAME_SOURCES, TAGLINE_SOURCES } from '../sync/fields.ts';
import { type PathRule, parsePathMap } from '../sync/path-map.ts';
import { readFieldModes } from './field-modes.ts';
import { wordAmong } from './word.ts';

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
/** Given in one unit, kept in ms. */
const time = (min: number, max: number, unitMs: number) =>
  v.pipe(
    between(min, max),
    v.transform((given) => given * unitMs),
  );
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
/** A list, or text with commas between. */
const words = v.union(
  [
    v.array(v.string()),
    v.pipe(
      v.string(),
      v.transform((text) => text.split(',')),
    ),
  ],
  'must be names with commas between',
);
const names = v.pipe(
  words,
  v.transform((given) => given.map((name) => name.trim()).filter((name) => name !== '')),
  v.readonly(),
);
const oneOf = <const Word extends string>(choices: readonly Word[]) =>
  v.pipe(
    v.string(`must be one of ${choices.join(', ')}`),
    v.transform((given) => wordAmong(choices, given)),
    v.picklist(choices, `must be one of ${choices.join(', ')}`),
  );
const someOf = <const Word extends string>(choices: readonly Word[]) =>
  v.pipe(
    names,
    v.transform((given) => given.map((name) => wordAmong(choices, name))),
    v.array(v.picklist(choices, `must be some of ${choices.join(', ')}, with commas between`)),
    v.readonly(),
  );
/** Text as in Stash, or a list of `{from, to}`. */
const pathMap = v.pipe(
  v.union(
    [
      v.string(),
      v.pipe(
        v.array(v.object({ from: v.string(), to: v.string() })),
        v.transform((rules) => rules.map(({ from, to }) => `${from} => ${to}`).join('\n')),
      ),
    ],
    'must be text, or a list of {"from": …, "to": …}',
  ),
  v.rawTransform(({ dataset, addIssue, NEVER }): readonly PathRule[] => {
    const parsed = parsePathMap(dataset.value);
    if (parsed.ok) return parsed.rules;
    addIssue({ message: parsed.problem });
    return NEVER;
  }),
);

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

interface Spec<S extends v.GenericSchema> {
  readonly schema: S;
  /** What holds where nothing usable is given, in the form in which a person would give it; empty: nothing. */
  readonly standard: string | number | boolean | readonly string[];
  /** For a person. */
  readonly meaning: string;
  /** Stash asks for it; the others are given in the settings file. */
  readonly isInStash?: true;
  /** Taken from the environment where it is given nowhere else. */
  readonly variable?: string;
  /** Nothing works without it. */
  readonly isRequired?: true;
  /** Its value is never shown, kept or taken from the settings file. */
  readonly isSecret?: true;
  /** 0 is a choice and not an empty field. */
  readonly isZeroMeant?: true;
}

function setting<S extends v.GenericSchema>(spec: Spec<S>): Spec<S> {
  return spec;
}

const SETTINGS = {
  plexUrl: setting({
    schema: httpUrl,
    standard: '',
    meaning: 'address of Plex; the variable PLEX_URL if empty',
    isInStash: true,
    variable: 'PLEX_URL',
    isRequired: true,
  }),
  plexToken: setting({
    schema: token,
    standard: '',
    meaning: "the owner's X-Plex-Token; the variable PLEX_TOKEN if empty",
    isInStash: true,
    variable: 'PLEX_TOKEN',
    isRequired: true,
    isSecret: true,
  }),
  plexLibraries: setting({
    schema: names,
    standard: '',
    meaning:
      'names of the libraries to look in, with commas between; if empty, all of movies or other videos',
    isInStash: true,
  }),
  pathMap: setting({
    schema: pathMap,
    standard: '',
    meaning:
      'how Plex names the folders of Stash: `/path in Stash => /path in Plex; …`, the first rule that fits (below)',
    isInStash: true,
  }),
  allowSelfSigned: setting({
    schema: flag,
    standard: false,
    meaning: 'accept any certificate of Plex',
    isInStash: true,
  }),
  fields: setting({
    schema: readFieldModes,
    standard: '',
    meaning: 'what is not as usual (below), for instance `rating: off, poster: only-if-empty, tags: mirror`',
    isInStash: true,
  }),
  reconcile: setting({
    schema: oneOf(RECONCILE_EVERY),
    standard: 'daily',
    meaning: 'how often to compare scenes with Plex by itself: never, hourly, daily or weekly',
    isInStash: true,
  }),
  scanNewFiles: setting({
    schema: flag,
    standard: false,
    meaning: 'have Plex look at the folder of a file that it does not have (below)',
    isInStash: true,
  }),
  obfuscatePaths: setting({
    schema: flag,
    standard: false,
    meaning: 'show words in place of the names of files and folders',
    isInStash: true,
  }),
  vigilMinutes: setting({
    schema: time(0, 24 * 60, MINUTE_MS),
    standard: DEFAULT_POLICY.vigilMs / MINUTE_MS,
    meaning: 'minutes to stay for the end of an outage; 0: not at all',
    isInStash: true,
    isZeroMeant: true,
  }),
  requestTimeout: setting({
    schema: time(1, 60, SECOND_MS),
    standard: 30,
    meaning: 'seconds that one request may take',
  }),
  failureThreshold: setting({
    schema: wholeBetween(1, 20),
    standard: DEFAULT_POLICY.failureThreshold,
    meaning: 'failures in a row that count as an outage although Plex answers a probe',
  }),
  recoveryTimeout: setting({
    schema: time(1, 3600, SECOND_MS),
    standard: DEFAULT_POLICY.recoveryTimeoutMs / SECOND_MS,
    meaning: 'seconds before the first probe',
  }),
  reconcileAfterOutage: setting({
    schema: flag,
    standard: true,
    meaning: 'look once after each outage for what Stash has seen change',
  }),
  reconcileMissing: setting({
    schema: flag,
    standard: true,
    meaning: 'queue scenes that Plex has no item for, when looking by itself',
  }),
  taglineFrom: setting({
    schema: oneOf(TAGLINE_SOURCES),
    standard: DEFAULT_SYNC.taglineFrom,
    meaning: `where the tagline is taken from, once its field is on: ${TAGLINE_SOURCES.join(', ')}`,
  }),
  collectionsFrom: setting({
    schema: someOf(NAME_SOURCES),
    standard: DEFAULT_SYNC.collectionsFrom,
    meaning: `what becomes a collection: some of ${NAME_SOURCES.join(', ')}`,
  }),
  labelsFrom: setting({
    schema: someOf(NAME_SOURCES),
    standard: DEFAULT_SYNC.labelsFrom,
    meaning: 'what becomes a label, once the field is on; the same choice',
  }),
  roleFrom: setting({
    schema: oneOf(['nothing', 'disambiguation']),
    standard: DEFAULT_SYNC.roleFrom,
    meaning: "an actor's role in Plex: nothing, or the disambiguation of the performer",
  }),
  performerImagesFrom: setting({
    schema: httpUrl,
    standard: '',
    meaning:
      'address of Stash as the viewers of Plex reach it, for pictures of performers; it must ask for no key',
  }),
  maxPerformers: setting({
    schema: wholeBetween(1, 200),
    standard: DEFAULT_SYNC.maxPerformers,
    meaning: 'performers of a scene that are sent',
  }),
  maxTags: setting({
    schema: wholeBetween(1, 500),
    standard: DEFAULT_SYNC.maxTags,
    meaning: 'tags of a scene that are sent',
  }),
  historyDays: setting({
    schema: time(1, 3_650, DAY_MS),
    standard: 90,
    meaning: 'days for which it is kept what was done to each scene; outages are kept for good',
  }),
  historyMegabytes: setting({
    schema: wholeBetween(32, 1_000_000),
    standard: 256,
    meaning: 'megabytes that this may take: over that the oldest goes before its time',
  }),
};

export type SettingName = keyof typeof SETTINGS;
export type SettingValues = { [Name in SettingName]: v.InferOutput<(typeof SETTINGS)[Name]['schema']> };
export const SETTING_NAMES = Object.keys(SETTINGS) as readonly SettingName[];

export function specOf(name: SettingName): Spec<v.GenericSchema> {
  return SETTINGS[name] as Spec<v.GenericSchema>;
}

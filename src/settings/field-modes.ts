// What is asked of each field, in a line: `rating: off, poster: only-if-empty`. Fields that are not named do as usual.
// A slip in one of them costs the others nothing.

import * as v from 'valibot';
import {
  DEFAULT_MODES,
  FIELD_MODES,
  FIELD_NAMES,
  type FieldMode,
  type FieldModes,
  type FieldName,
} from '../sync/fields.ts';
import { wordAmong } from './word.ts';

export interface ReadModes {
  readonly modes: FieldModes;
  readonly problems: readonly string[];
}

/** Text, or an object by field. */
export const readFieldModes = v.pipe(
  v.union(
    [v.string(), v.record(v.string(), v.string())],
    `must be like "rating: off, poster: only-if-empty"`,
  ),
  v.transform((given) => modesOf(typeof given === 'string' ? entriesOf(given) : Object.entries(given))),
);

function entriesOf(text: string): (readonly [string, string])[] {
  return text
    .split(/[,;\n]/)
    .filter((part) => part.trim() !== '')
    .map((part) => {
      const [, field = part, mode = ''] = /^([^:=]*)[:=](.*)$/s.exec(part) ?? [];
      return [field, mode] as const;
    });
}

function modesOf(entries: readonly (readonly [string, string])[]): ReadModes {
  const modes: Record<FieldName, FieldMode> = { ...DEFAULT_MODES };
  const problems: string[] = [];
  for (const [givenField, givenMode] of entries) {
    const field = wordAmong(FIELD_NAMES, givenField);
    const mode = wordAmong(FIELD_MODES, givenMode);
    if (field === undefined)
      problems.push(`no field "${shown(givenField)}"; they are ${FIELD_NAMES.join(', ')}`);
    else if (mode === undefined) {
      problems.push(
        `${field} can be ${FIELD_MODES.join(', ')}, and not "${shown(givenMode)}"; it does as usual`,
      );
    } else modes[field] = mode;
  }
  return { modes, problems };
}

function shown(text: string): string {
  return text.trim().slice(0, 40);
}

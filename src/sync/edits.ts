// From what differs to the requests that make it so: an edit travels in the address of a request, so it is cut where
// it would be too long, and said in single words to a server that does not take it whole.

import type { FieldChange } from '../queue/changes.ts';
import { type Difference, editOf } from './difference.ts';
import type { Wanted } from './wanted.ts';

/** A longer summary goes alone, or it takes all else down with it. */
const MAX_QUERY_LENGTH = 6_000;
/** What a summary is cut to when even that is too long, in UTF-16 units: a CJK character takes nine in an address. */
const SHORT_SUMMARY_LENGTH = 700;

export function editsOf(difference: Difference): URLSearchParams[] {
  const whole = editOf(difference);
  const { summary, ...fields } = difference.fields;
  if (summary === undefined || whole.toString().length <= MAX_QUERY_LENGTH) return [whole];
  const rest = editOf({ ...difference, fields });
  const alone = editOf({ ...difference, fields: { summary }, tags: [], locks: [] });
  return rest.toString() === '' ? [alone] : [rest, alone];
}

/** Null when the summary is short already. */
export function withShortSummary(wanted: Wanted): Wanted | null {
  const { summary } = wanted.fields;
  if (summary === undefined || summary.length <= SHORT_SUMMARY_LENGTH) return null;
  const short = `${summary.slice(0, SHORT_SUMMARY_LENGTH - 1).replace(/[\ud800-\udbff]$/, '')}…`;
  return { ...wanted, fields: { ...wanted.fields, summary: short } };
}

/** What Plex held may be of any size; the journal keeps what a person can look at, and says that it was cut. */
export function bounded({ field, before, after }: FieldChange): FieldChange {
  const isCut = isLong(before) || isLong(after);
  return isCut ? { field, before: cut(before), after: cut(after), isCut } : { field, before, after };
}

const MAX_KEPT_LENGTH = 20_000;
const MAX_KEPT_TAGS = 500;

function isLong(value: FieldChange['before']): boolean {
  return value !== null && value.length > (typeof value === 'string' ? MAX_KEPT_LENGTH : MAX_KEPT_TAGS);
}

function cut(value: FieldChange['before']): FieldChange['before'] {
  if (value === null) return null;
  return typeof value === 'string' ? value.slice(0, MAX_KEPT_LENGTH) : value.slice(0, MAX_KEPT_TAGS);
}

/** Some servers honour only one name in a removal: the fields and lists together, then each removal alone. */
export function editsOneByOne(difference: Difference): URLSearchParams[] {
  const together = { ...difference, tags: difference.tags.map((plan) => ({ ...plan, dropped: [] })) };
  const removals = difference.tags.flatMap((plan) =>
    plan.dropped.map((name) =>
      editOf({
        ...difference,
        fields: {},
        locks: [],
        tags: [{ ...plan, all: [], dropped: [name], isChanged: true }],
      }),
    ),
  );
  return [...editsOf(together), ...removals];
}

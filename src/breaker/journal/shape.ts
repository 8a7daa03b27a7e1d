// Whether what a record carries has the shape that its type promises. A checksum says that a line is as it was
// written, not that it makes sense: it may be of another version, or of a hand that computed the checksum as well.
// A field of a wrong type would not stop a fold, it would become a wait that never ends (`NaN` is over never).

export type Check = (value: unknown) => boolean;

/** One check for each field: a field that is added to an event does not compile until it has one. */
export type Shape<Data> = { readonly [Field in keyof Data]-?: Check };

/** The longest wait, lease or hold that is believed, in ms: a hold of a month is the longest that can be asked for. */
export const MAX_WAIT_MS = 31 * 86_400_000;

export const isText: Check = (value) => typeof value === 'string';
export const isFlag: Check = (value) => typeof value === 'boolean';
export const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
export const isAtLeastOne: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 1;
export const isWaitMs: Check = (value) => isMs(value) && (value as number) <= MAX_WAIT_MS;
export const isMs: Check = (value) => Number.isFinite(value) && (value as number) >= 0;
/** A number that was drawn. */
export const isDraw: Check = (value) =>
  Number.isFinite(value) && (value as number) >= 0 && (value as number) <= 1;

/** Wall clock, ms: what a date can be made of, in any time zone. */
export const isWallMs: Check = (value) => Number.isFinite(value) && Math.abs(value as number) < 8.6e15;

export function optional(check: Check): Check {
  return (value) => value === undefined || check(value);
}

export function orNull(check: Check): Check {
  return (value) => value === null || check(value);
}

export function oneOf(...allowed: readonly unknown[]): Check {
  return (value) => allowed.includes(value);
}

export function listOf(check: Check): Check {
  return (value) => Array.isArray(value) && value.every(check);
}

/** Any names, each with a value that passes. */
export function mapOf(check: Check): Check {
  return (value) => isObject(value) && Object.values(value).every(check);
}

export function shaped<Data>(shape: Shape<Data>): Check {
  const checks = Object.entries<Check>(shape);
  return (value) => isObject(value) && checks.every(([field, check]) => check(ownOf(value, field)));
}

/** What is inherited is not in the record. */
function ownOf(value: Readonly<Record<string, unknown>>, field: string): unknown {
  return Object.hasOwn(value, field) ? value[field] : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

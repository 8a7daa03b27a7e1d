// Reads a request target the way Plex does: raw or encoded brackets, `%20` or `+`, operators inside names.
// Order and repeats are kept, because tag edits repeat names. Decoding never throws: a bad escape stays as it is.

export interface QueryPair {
  readonly name: string;
  readonly value: string;
}

export interface Target {
  readonly path: string;
  readonly pairs: readonly QueryPair[];
}

export interface PageWanted {
  readonly startOffset: number;
  readonly sizeWanted: number | 'all';
}

export function parseTarget(target: string): Target {
  const mark = target.indexOf('?');
  const rawPath = mark < 0 ? target : target.slice(0, mark);
  const rawQuery = mark < 0 ? '' : target.slice(mark + 1);
  const pairs = rawQuery
    .split('&')
    .filter((part) => part !== '')
    .map(parsePair);
  return { path: decodePath(rawPath), pairs };
}

/** The last value of a name, matched without case: proxies and clients disagree on the case of X-Plex-*. */
export function lastValue(pairs: readonly QueryPair[], name: string): string | undefined {
  const wanted = name.toLowerCase();
  return pairs.findLast((pair) => pair.name.toLowerCase() === wanted)?.value;
}

/** Paging comes as headers (plexapi) or in the query (plexapi's totalViewSize); the query wins when both are there. */
export function pageWanted(
  pairs: readonly QueryPair[],
  headers: Readonly<Record<string, string | string[] | undefined>>,
): PageWanted {
  const start = lastValue(pairs, 'X-Plex-Container-Start') ?? headers['x-plex-container-start'];
  const size = lastValue(pairs, 'X-Plex-Container-Size') ?? headers['x-plex-container-size'];
  return { startOffset: wholeNumber(start) ?? 0, sizeWanted: wholeNumber(size) ?? 'all' };
}

/** Splits `1,2,3`; blanks are dropped. */
export function splitList(value: string | undefined): string[] {
  return (value ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

// `title==x` is the name `title=` with the value `x`: Plex writes filter operators into the name.
const rawOperatorName = /^[A-Za-z]+(!|%21)?$/;

function parsePair(part: string): QueryPair {
  const equals = part.indexOf('=');
  if (equals < 0) return { name: decodeForm(part), value: '' };
  const rawName = part.slice(0, equals);
  const rawValue = part.slice(equals + 1);
  if (rawValue.startsWith('=') && rawOperatorName.test(rawName)) {
    return { name: `${decodeForm(rawName)}=`, value: decodeForm(rawValue.slice(1)) };
  }
  return { name: decodeForm(rawName), value: decodeForm(rawValue) };
}

function decodeForm(raw: string): string {
  return new URLSearchParams(`v=${raw}`).get('v') ?? '';
}

function decodePath(raw: string): string {
  try {
    return decodeURIComponent(raw);
  } catch {
    return raw;
  }
}

function wholeNumber(value: string | string[] | undefined): number | undefined {
  return typeof value === 'string' && /^\d{1,9}$/.test(value.trim()) ? Number(value) : undefined;
}

// A body → JSON, within bounds. A body of a few MB can become a hundred times its size (`[[[[…`, `{},{},…`), and running out
// of memory is no error that could be caught: the process is gone. So what would be too much is not parsed at all.

export type ParsedJson =
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'not-json' }
  | { readonly kind: 'too-large' };

/** Far above anything that is asked for (a page of Plex is well under a megabyte), in bytes. */
export const MAX_JSON_BYTES = 16 * 1024 * 1024;
/** Objects, lists and what follows a comma; each may take some dozen bytes. The ids of half a million scenes fit. */
const MAX_JSON_PARTS = 1_000_000;

const [COMMA, BRACE, BRACKET] = [0x2c, 0x7b, 0x5b];

export function parseJson(body: Buffer): ParsedJson {
  if (body.length > MAX_JSON_BYTES || hasTooManyParts(body)) return { kind: 'too-large' };
  try {
    return { kind: 'json', value: JSON.parse(body.toString('utf8')) as unknown };
  } catch {
    return { kind: 'not-json' };
  }
}

/** Commas and brackets inside of texts count as well: no answer has so many of them. */
function hasTooManyParts(body: Buffer): boolean {
  if (body.length <= MAX_JSON_PARTS) return false;
  let parts = 0;
  for (let i = 0; i < body.length; i++) {
    const byte = body[i];
    if (byte === COMMA || byte === BRACE || byte === BRACKET) parts += 1;
  }
  return parts > MAX_JSON_PARTS;
}

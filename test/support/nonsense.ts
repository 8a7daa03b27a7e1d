// Sound documents with some part replaced: what a hostile or confused writer makes of a shape that it knows.

import fc from 'fast-check';

/** Values that break what takes them for granted. */
export const nonsense: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, '', 'x', -1, 0, 0.5, 1e308, -1e308, 2 ** 53, true, [], {}, [null], [[]]),
  fc.constantFrom<unknown>(
    '__proto__',
    'constructor',
    '../..',
    '\u001b[2J',
    '\u0001e\u0002',
    '\ud800',
    'x'.repeat(5_000),
  ),
  fc.jsonValue({ maxDepth: 2 }),
  fc.constant(JSON.parse('{"__proto__":{"x":1},"constructor":{"prototype":7}}')),
);

/** The document with up to four of its parts, at any depth, replaced, removed or joined by others. */
export function mutated<Document>(document: Document): fc.Arbitrary<unknown> {
  const places = placesOf(document);
  const change = fc.record({
    place: fc.nat({ max: Math.max(0, places.length - 1) }),
    how: fc.constantFrom('replace', 'replace', 'remove', 'add'),
    value: nonsense,
  });
  return fc.array(change, { maxLength: 4 }).map((changes) => {
    const copy = structuredClone(document) as unknown;
    for (const { place, how, value } of changes) {
      const path = places[place];
      // A copy of its own each time: a later change may alter what an earlier one put there.
      if (path !== undefined) alter(copy, path, how, JSON.parse(JSON.stringify(value)));
    }
    return copy;
  });
}

type Path = readonly (string | number)[];

function placesOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return path.length === 0 ? [] : [path];
  const inner = Object.entries(value).flatMap(([key, part]) => placesOf(part, [...path, key]));
  return path.length === 0 ? inner : [path, ...inner];
}

function alter(root: unknown, path: Path, how: string, value: unknown): void {
  let holder = root as Record<string | number, unknown>;
  for (const key of path.slice(0, -1)) {
    const next = holder[key];
    // An earlier change took it away.
    if (typeof next !== 'object' || next === null || !Object.hasOwn(holder, key)) return;
    holder = next as Record<string | number, unknown>;
  }
  const last = path.at(-1) as string | number;
  if (how === 'remove') delete holder[last];
  else if (how === 'add')
    Object.defineProperty(holder, '__proto__', {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  else holder[last] = value;
}

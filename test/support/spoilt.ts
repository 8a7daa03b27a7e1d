// A sound document with exactly one of its parts missing, or replaced by what no check lets through: what a table of
// shapes must tell part by part.

export interface Spoilt {
  /** `whole.counts.dead`; the number of an element stands for it. */
  readonly part: string;
  readonly document: Readonly<Record<string, unknown>>;
}

type Parts = Record<string, unknown>;

/** The document without each of its named parts in turn, at any depth. Elements of lists are not taken out. */
export function withoutEach(document: object): Spoilt[] {
  return partsOf(document)
    .filter((path) => !/^\d+$/.test(path.at(-1)!))
    .map((path) => changed(document, path, (holder, name) => delete holder[name]));
}

/** The document with each of its parts in turn replaced by `value`, at any depth. */
export function withEach(document: object, value: unknown): Spoilt[] {
  return partsOf(document).map((path) =>
    changed(document, path, (holder, name) => {
      holder[name] = value;
    }),
  );
}

function partsOf(value: unknown, path: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, part]) => [
    [...path, name],
    ...partsOf(part, [...path, name]),
  ]);
}

function changed(document: object, path: readonly string[], change: (holder: Parts, name: string) => void) {
  const copy = structuredClone(document) as Parts;
  let holder = copy;
  for (const name of path.slice(0, -1)) holder = holder[name] as Parts;
  change(holder, path.at(-1)!);
  return { part: path.join('.'), document: copy };
}

// Which Plex item a scene is. A wrong item edited is worse than a scene that waits, so there are two ways and no third:
// 1. The item has one of the scene's files, by full path under the path map.
// 2. Where Plex sees the files under other folders and no rule says which, by the end of the path: everything that the
//    item's file has below its library's folder is how the scene's path ends too; and of all scenes and items with a file
//    of that name the two fit each other best, and nobody else as well. The name alone is enough only where both sides
//    give the same size; files of different size are never the same.
// The second way says nothing of a file that a rule fits, or that lies in a folder of Plex: there Plex knows its path, and
// has not seen the file yet.

import type { PlexItem, PlexSection } from '../plex/plex-item.ts';
import type { SceneFiles } from '../stash/stash-client.ts';
import { mappedPath, type PathRule, toPlexPath } from './path-map.ts';
import { baseNameOf, commonEnd, isBelow, isSamePath, partsBelow } from './paths.ts';

/** What has to be known of an item to match it. */
export type ItemFiles = Pick<PlexItem, 'ratingKey' | 'sectionKey' | 'files' | 'fileSizes'>;

/** What is known of the folders on both sides. */
export interface Places {
  readonly rules: readonly PathRule[];
  readonly libraries: readonly Pick<PlexSection, 'key' | 'locations'>[];
}

export type Match<Item extends ItemFiles = PlexItem> =
  | { readonly kind: 'found'; readonly item: Item }
  | {
      readonly kind: 'missing';
      /** Files of the same name elsewhere; a missing path map looks like this. */
      readonly near: readonly string[];
      /** Files of other scenes that fit the item as well. */
      readonly rivals: readonly string[];
    }
  | { readonly kind: 'ambiguous'; readonly candidates: readonly Item[] };

/** The first way. Null: no item has a file of the scene. `candidates` may name an item more than once. */
export function matchByPath<Item extends ItemFiles>(
  files: readonly string[],
  rules: readonly PathRule[],
  candidates: readonly Item[],
): Match<Item> | null {
  const found = distinct(candidates).filter((item) => hasFile(item, files, rules));
  const [first, ...others] = found;
  if (first === undefined) return null;
  return others.length === 0 ? { kind: 'found', item: first } : { kind: 'ambiguous', candidates: found };
}

export function hasFile(item: ItemFiles, files: readonly string[], rules: readonly PathRule[]): boolean {
  return files.some((file) => {
    const wanted = toPlexPath(file, rules);
    return item.files.some((candidate) => isSamePath(candidate, wanted));
  });
}

/** Whether an item that is remembered is still the scene's, by either way; who else may want it was asked before. */
export function isStillItem(item: ItemFiles, scene: SceneFiles, places: Places): boolean {
  return fitOf(scene, item, places) > 0;
}

/** Whether the second way may lead anywhere, so that there is something to ask Stash. */
export function mayMatchByEnd(scene: SceneFiles, candidates: readonly ItemFiles[], places: Places): boolean {
  return candidates.some((item) => isStillItem(item, scene, places));
}

/** The second way, after the first has found nothing. `others`: all scenes that have a file of one of the names. */
export function matchByEnd<Item extends ItemFiles>(
  scene: SceneFiles,
  others: readonly SceneFiles[],
  candidates: readonly Item[],
  places: Places,
): Match<Item> {
  const items = distinct(candidates);
  const scenes = [scene, ...others.filter(({ id }) => id !== scene.id)];
  const fits = scenes
    .flatMap((one) => items.map((item) => ({ scene: one, item, fit: fitOf(one, item, places) })))
    .filter(({ fit }) => fit > 0);
  const taken = new Set<SceneFiles | Item>();
  // The best first: who has found each other, or is disputed, is out of the question for what fits less well.
  for (const level of [...new Set(fits.map(({ fit }) => fit))].sort((a, b) => b - a)) {
    const here = fits.filter((one) => one.fit === level && !taken.has(one.scene) && !taken.has(one.item));
    const [own, ...more] = here.filter((one) => one.scene === scene).map(({ item }) => item);
    if (own !== undefined && more.length > 0) return { kind: 'ambiguous', candidates: [own, ...more] };
    if (own !== undefined) {
      const rivals = here.filter((one) => one.item === own && one.scene !== scene).map((one) => one.scene);
      if (rivals.length === 0) return { kind: 'found', item: own };
      const names = namesOf(own.files);
      const files = rivals.flatMap((rival) =>
        rival.files.filter((file) => names.has(nameKey(baseNameOf(file)))),
      );
      return { kind: 'missing', near: [...own.files], rivals: files };
    }
    for (const one of here) taken.add(one.scene).add(one.item);
  }
  return nothing(scene, items, places);
}

/** No item, and where Plex has files of the name. */
export function nothing(
  scene: SceneFiles,
  candidates: readonly ItemFiles[],
  { rules }: Places,
): Extract<Match<never>, { kind: 'missing' }> {
  const names = namesOf(scene.files.map((file) => toPlexPath(file, rules)));
  const files = distinct(candidates).flatMap((item) => item.files);
  return { kind: 'missing', near: files.filter((file) => names.has(nameKey(baseNameOf(file)))), rivals: [] };
}

/** Names to ask Plex for, each in the ways that disks write its accents. */
export function namesToAsk(files: readonly string[], rules: readonly PathRule[]): readonly string[][] {
  const names = new Set(files.map((file) => baseNameOf(toPlexPath(file, rules))));
  return [...names].map((name) => [...new Set([name, name.normalize('NFC'), name.normalize('NFD')])]);
}

/** Files of one name in this sense may be the same. */
export function nameKey(baseName: string): string {
  return baseName.normalize('NFC').toLowerCase();
}

/** How many names the paths have in common at their ends; infinite: all of them. 0: not the same file. */
function fitOf(scene: SceneFiles, item: ItemFiles, places: Places): number {
  const pairs = scene.files.flatMap((file) =>
    item.files.map((candidate) => {
      const mapped = mappedPath(file, places.rules);
      if (isSamePath(mapped ?? file, candidate)) return Number.POSITIVE_INFINITY;
      const isPathKnown = mapped !== null || isInLibrary(file, places);
      const size = scene.fileSizes[file];
      const otherSize = item.fileSizes[candidate];
      const isDifferent = size !== undefined && otherSize !== undefined && size !== otherSize;
      if (isPathKnown || isDifferent) return 0;
      const minCommon = size !== undefined && size === otherSize ? 1 : MIN_COMMON;
      return endFit(file, candidate, item, places, minCommon);
    }),
  );
  return Math.max(0, ...pairs);
}

function endFit(
  file: string,
  candidate: string,
  { sectionKey }: ItemFiles,
  { libraries }: Places,
  minCommon: number,
): number {
  const library = libraries.find(({ key }) => key === sectionKey);
  const below = (library?.locations ?? [])
    .map((location) => partsBelow(candidate, location))
    .filter((parts) => parts !== null);
  const common = commonEnd(file, candidate);
  return below.length > 0 && common >= Math.max(minCommon, ...below) ? common : 0;
}

/** The name and one folder, where nothing else says that it is the same file. */
const MIN_COMMON = 2;

function isInLibrary(file: string, { libraries }: Places): boolean {
  return libraries.some(({ locations }) => locations.some((location) => isBelow(file, location)));
}

function namesOf(files: readonly string[]): ReadonlySet<string> {
  return new Set(files.map((file) => nameKey(baseNameOf(file))));
}

function distinct<Item extends ItemFiles>(items: readonly Item[]): Item[] {
  return [...new Map(items.map((item) => [item.ratingKey, item])).values()];
}

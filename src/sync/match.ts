// Which Plex item a scene is: the one that has one of its files, by full path under the path map. Anything
// less than that is not written to: a wrong item edited is worse than a scene that waits.

import type { PlexItem } from '../plex/plex-item.ts';
import { isSamePath, type PathRule, toPlexPath } from './path-map.ts';

/** What has to be known of an item to match it. */
type Files = Pick<PlexItem, 'ratingKey' | 'files'>;

export type Match<Item extends Files = PlexItem> =
  | { readonly kind: 'found'; readonly item: Item }
  /** `near`: files of the same name elsewhere; a missing path map looks like this. */
  | { readonly kind: 'missing'; readonly near: readonly string[] }
  | { readonly kind: 'ambiguous'; readonly candidates: readonly Item[] };

/** `candidates` may name an item more than once (a scene with several files). */
export function matchScene<Item extends Files>(
  files: readonly string[],
  rules: readonly PathRule[],
  candidates: readonly Item[],
): Match<Item> {
  const distinct = [...new Map(candidates.map((item) => [item.ratingKey, item])).values()];
  const found = distinct.filter((item) => hasFile(item, files, rules));
  const [first, ...others] = found;
  if (first === undefined) return { kind: 'missing', near: distinct.flatMap((item) => item.files) };
  return others.length === 0 ? { kind: 'found', item: first } : { kind: 'ambiguous', candidates: found };
}

export function hasFile(item: Files, files: readonly string[], rules: readonly PathRule[]): boolean {
  return files.some((file) => {
    const wanted = toPlexPath(file, rules);
    return item.files.some((candidate) => isSamePath(candidate, wanted));
  });
}

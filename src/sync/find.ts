// Finding the Plex item of one scene: the one that is remembered, if it is still the scene's; else by the name of its file
// in each library. Nothing is remembered of what was not found: the next try asks again.

import type { Failure } from '../plex/failures.ts';
import type { PlexClient, PlexResult } from '../plex/plex-client.ts';
import type { PlexItem, PlexSection } from '../plex/plex-item.ts';
import type { SceneFiles, StashFailure, StashResult } from '../stash/stash-client.ts';
import {
  hasFile,
  isStillItem,
  type Match,
  matchByEnd,
  matchByPath,
  mayMatchByEnd,
  namesToAsk,
  nothing,
  type Places,
} from './match.ts';
import type { PathRule } from './path-map.ts';
import { baseNameOf, commonEnd } from './paths.ts';

export interface FindOptions {
  readonly plex: Pick<PlexClient, 'items' | 'findByFile'>;
  /** All scenes that have a file of one of these names; asked only when a full path does not decide. */
  readonly scenesWithFile: (baseNames: readonly string[]) => Promise<StashResult<readonly SceneFiles[]>>;
  /** The libraries to look in; asked only when an item must be searched. */
  readonly sections: () => Promise<PlexResult<readonly PlexSection[]>>;
  readonly pathRules: readonly PathRule[];
}

const NOTHING: PlexResult<PlexItem[]> = { ok: true, value: [] };

export type Found =
  /** Whole, not as a listing has it. */
  | Match
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'stash'; readonly failure: StashFailure };

export async function findItem(
  scene: SceneFiles,
  remembered: string | undefined,
  options: FindOptions,
): Promise<Found> {
  const { plex, sections, pathRules: rules } = options;
  const known = remembered === undefined ? NOTHING : await plex.items([remembered]);
  if (!known.ok) return { kind: 'failed', failure: known.failure };
  const [held] = known.value;
  if (held !== undefined && hasFile(held, scene.files, rules)) return { kind: 'found', item: held };

  const libraries = await sections();
  if (!libraries.ok) return { kind: 'failed', failure: libraries.failure };
  const places = { rules, libraries: libraries.value };
  if (held !== undefined && isStillItem(held, scene, places)) return { kind: 'found', item: held };

  const candidates = await search(scene, places, plex);
  if (!candidates.ok) return { kind: 'failed', failure: candidates.failure };
  const match = await choose(scene, candidates.value, places, options);
  if (match.kind !== 'found') return match;
  // A listing shows only some tags and no locks: never compare with it.
  const whole = await plex.items([match.item.ratingKey]);
  if (!whole.ok) return { kind: 'failed', failure: whole.failure };
  // Items in Plex's trash are listed but not there.
  const found = whole.value.find((one) => isStillItem(one, scene, places));
  return found === undefined ? nothing(scene, [], places) : { kind: 'found', item: found };
}

async function choose(
  scene: SceneFiles,
  candidates: readonly PlexItem[],
  places: Places,
  { scenesWithFile }: FindOptions,
): Promise<Found> {
  const byPath = matchByPath(scene.files, places.rules, candidates);
  if (byPath !== null) return byPath;
  if (!mayMatchByEnd(scene, candidates, places)) return nothing(scene, candidates, places);
  const others = await scenesWithFile(scene.files.map(baseNameOf));
  if (!others.ok) return { kind: 'stash', failure: others.failure };
  return matchByEnd(scene, others.value, candidates, places);
}

async function search(
  { files }: SceneFiles,
  { rules, libraries }: Places,
  plex: FindOptions['plex'],
): Promise<PlexResult<PlexItem[]>> {
  const candidates: PlexItem[] = [];
  for (const spellings of namesToAsk(files, rules)) {
    for (const name of spellings) {
      const before = candidates.length;
      for (const { key } of libraries) {
        const found = await plex.findByFile(key, name);
        if (!found.ok) return found;
        candidates.push(
          ...found.value.filter((item) => item.files.some((file) => commonEnd(file, name) > 0)),
        );
      }
      if (candidates.length > before) break;
    }
  }
  return { ok: true, value: candidates };
}

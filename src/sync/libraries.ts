// Which libraries of Plex are meant: those that are named, or all that can hold scenes.

import type { PlexResult } from '../plex/plex-client.ts';
import type { PlexSection } from '../plex/plex-item.ts';

/** What is told of the libraries that there are, in characters. */
const MAX_LISTED_LENGTH = 500;

/** `names`: titles or keys; empty: all of the movie type, which "other videos" are as well. */
export function chosenLibraries(
  all: readonly PlexSection[],
  names: readonly string[],
): PlexResult<readonly PlexSection[]> {
  const chosen = all.filter(({ key, title, type }) =>
    names.length === 0 ? type === 'movie' : names.some((name) => name === key || isSameName(name, title)),
  );
  if (chosen.length > 0) return { ok: true, value: chosen };
  const has =
    all
      .map(({ title }) => title)
      .join(', ')
      .slice(0, MAX_LISTED_LENGTH) || 'none';
  const detail =
    names.length === 0
      ? `Plex has no library of the movie or "other videos" type (it has: ${has})`
      : `Plex has no library named ${names.join(', ')} (it has: ${has}): check plexLibraries`;
  return { ok: false, failure: { class: 'config', symptom: 'no-library', detail } };
}

function isSameName(a: string, b: string): boolean {
  return a.trim().toLowerCase() === b.trim().toLowerCase();
}

// What a handler is given (the request, the world it acts on) and the words it looks things up and refuses with.
import { type Answer, errorPage } from './answer.ts';
import type { TagMode } from './edit.ts';
import type { ImageKind, PlexEntry, PlexSection } from './entries.ts';
import type { ServerFace } from './identity.ts';
import type { PlexLibrary } from './library.ts';
import type { PageWanted, QueryPair } from './query.ts';

export interface PlexRequest {
  readonly method: string;
  readonly path: string;
  readonly pairs: readonly QueryPair[];
  readonly page: PageWanted;
  readonly body: Buffer;
}

export interface PlexWorld {
  readonly library: PlexLibrary;
  readonly tagMode: TagMode;
  readonly maxTagsPerKind: number;
  readonly face: ServerFace;
  /** Carries out a change: at once, or late when a fault says so. */
  commit(change: () => void): void;
  /** Starts work which Plex does after it has answered. */
  later(work: () => void): void;
}

export interface Handled {
  readonly answer: Answer;
  /** The request edits or deletes more than a careful client ever would. */
  readonly isDangerous: boolean;
}

export const notFound = errorPage(404, 'Not Found');
export const badRequest = errorPage(400, 'Bad Request');
export const serverError = errorPage(500, 'Internal Server Error');
export const empty: Answer = { kind: 'empty' };

/** A section that does not exist is 404; a key that is no number is 500 (Kometa#449). */
export function withSection(
  library: PlexLibrary,
  key: string,
  run: (section: PlexSection) => Answer,
): Answer {
  if (!/^\d+$/.test(key)) return serverError;
  const section = library.section(key);
  return section === undefined ? notFound : run(section);
}

export function withEntry(library: PlexLibrary, key: string, run: (entry: PlexEntry) => Answer): Answer {
  const entry = library.fetchable(key);
  return entry === undefined ? notFound : run(entry);
}

export function found(library: PlexLibrary, keys: readonly string[]): PlexEntry[] {
  return [...new Set(keys)].map((key) => library.fetchable(key)).filter((entry) => entry !== undefined);
}

export function imageKind(word: string): ImageKind {
  return word.startsWith('poster') ? 'thumb' : 'art';
}

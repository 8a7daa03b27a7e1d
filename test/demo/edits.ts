// The edits: what was saved in Stash, and whether Plex has it. The judge is what Plex itself holds, never what
// Breakwater says of it.

import type { PlexItem, PlexSimulator } from '../simulators/plex/server.ts';

export type PlexWas = 'up' | 'refusing' | 'at 503';

export interface SceneInput {
  readonly title: string;
  readonly details?: string;
  readonly date?: string;
}

export interface Edit {
  readonly scene: number;
  readonly input: SceneInput;
  readonly plexWas: PlexWas;
  /** When it was saved, wall ms. */
  readonly savedAt: number;
  /** When Plex had it, wall ms; null: not seen there yet. */
  arrivedAt: number | null;
}

export function fileOf(scene: number): string {
  return `/media/scenes/clip ${scene}.mp4`;
}

export function itemOf(plex: PlexSimulator, scene: number): PlexItem | undefined {
  return plex.library.findByFile(fileOf(scene));
}

/** The last edit of each scene, in the order of the scenes: what Plex has to have in the end. */
export function newestEdits(edits: readonly Edit[]): Edit[] {
  const newest = new Map<number, Edit>();
  for (const edit of edits) newest.set(edit.scene, edit);
  return [...newest.values()].sort((a, b) => a.scene - b.scene);
}

export function supersededEdits(edits: readonly Edit[]): Edit[] {
  const newest = new Set(newestEdits(edits));
  return edits.filter((edit) => !newest.has(edit));
}

export function isInPlex(plex: PlexSimulator, { scene, input }: Edit): boolean {
  const fields = itemOf(plex, scene)?.fields;
  if (fields === undefined) return false;
  const { title, details, date } = input;
  return (
    fields.title === title &&
    (details === undefined || fields.summary === details) &&
    (date === undefined || fields.originallyAvailableAt === date)
  );
}

/** Whether this title was ever written to Plex. */
export function wasSent(plex: PlexSimulator, { input }: Edit): boolean {
  return plex.requests.some(({ query }) => query['title.value'] === input.title);
}

/** Marks the edits that Plex has by now, and gives them. */
export function noteArrivals(plex: PlexSimulator, edits: readonly Edit[]): Edit[] {
  const arrived = newestEdits(edits).filter((edit) => edit.arrivedAt === null && isInPlex(plex, edit));
  for (const edit of arrived) edit.arrivedAt = writtenAt(plex, edit);
  return arrived;
}

/** When Plex was asked to change the item, which it does at once. */
function writtenAt(plex: PlexSimulator, { scene, savedAt }: Edit): number {
  const path = `/library/metadata/${itemOf(plex, scene)?.ratingKey}`;
  const write = plex.requests.findLast((request) => request.method === 'PUT' && request.path === path);
  return Math.max(savedAt, write?.at ?? Date.now());
}

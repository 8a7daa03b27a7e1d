// The rows of the simulated database. They are live and mutable: a test that changes one changes what
// Stash answers, without a hook and without a new updated_at, as a change beneath Stash would.
import type { Picture } from './images.ts';

export interface VideoFile {
  readonly id: number;
  path: string;
  oshash: string;
  sizeBytes: number;
  durationS: number;
  modifiedAt: number;
  readonly createdAt: number;
  updatedAt: number;
}

export interface Scene {
  readonly id: number;
  title: string;
  code: string;
  details: string;
  director: string;
  date: string | null;
  rating100: number | null;
  organized: boolean;
  urls: string[];
  studioId: number | null;
  performerIds: number[];
  tagIds: number[];
  groups: { groupId: number; sceneIndex: number | null }[];
  stashIds: { endpoint: string; stashId: string }[];
  markers: { id: number; title: string; seconds: number; primaryTagId: number; tagIds: number[] }[];
  files: VideoFile[];
  oHistory: number[];
  playHistory: number[];
  resumeTimeS: number;
  playDurationS: number;
  /** null until Stash has made one: the address then gives the SVG placeholder. */
  cover: Picture | null;
  readonly createdAt: number;
  updatedAt: number;
}

/** A tag, performer, studio or group: what they have in common is all that is simulated. */
export interface Entity {
  readonly id: number;
  name: string;
  details: string;
  aliases: string[];
  disambiguation: string;
  gender: string | null;
  birthdate: string | null;
  date: string | null;
  director: string;
  rating100: number | null;
  favorite: boolean;
  urls: string[];
  studioId: number | null;
  tagIds: number[];
  /** Parent tags, or the one parent studio. */
  parentIds: number[];
  image: Picture | null;
  readonly createdAt: number;
  updatedAt: number;
}

export type EntityKind = 'tag' | 'performer' | 'studio' | 'group';

/** A file as it lies on the disk, which a scan compares with what the database knows. */
export interface DiskFile {
  oshash: string;
  sizeBytes: number;
  durationS: number;
  modifiedAt: number;
}

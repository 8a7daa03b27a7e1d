// What a drainer or task needs from outside, so that the same code runs over real sockets and a real disk, and
// in a simulation.

import type { Writer } from '../breaker/index.ts';
import type { Settings } from '../settings/settings.ts';
import type { StashClient } from '../stash/stash-client.ts';
import type { PlexPort } from '../sync/deliver.ts';
import type { Drainers } from '../wake/see-to-drainer.ts';
import type { DataDir } from './data-dir.ts';
import type { House } from './housekeeping.ts';
import type { SettingsFilePort } from './settings-now.ts';
import type { Log } from './stash-log.ts';

export type StashPort = Pick<
  StashClient,
  | 'settings'
  | 'configure'
  | 'changedSince'
  | 'sceneIds'
  | 'scenes'
  | 'scenesAfter'
  | 'scenesWith'
  | 'scenesWithFile'
  | 'cover'
  | 'close'
> &
  // For `watch`; where there is none, each of its looks is a whole one.
  Partial<Pick<StashClient, 'newest'>>;

export interface World {
  readonly dir: DataDir;
  readonly house: House;
  readonly writer: Writer;
  readonly settingsFile: SettingsFilePort;
  readonly stash: StashPort;
  readonly connectPlex: (settings: Settings, hasEverWorked: boolean) => PlexPort;
  /** A digest of the settings that say how to reach Plex; reveals none of them. */
  readonly fingerprint: (settings: Settings) => string;
  readonly drainers: Drainers;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `signal` ends it before its time, where the sleeper can be woken. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Tells what is under way to end: a drainer stops between two jobs, and waits no longer. Absent: nothing does. */
  readonly ending?: AbortSignal;
  readonly log: Log;
  /** How a report is written where a person has named the file; else it replaces what has its name. */
  readonly saveReport?: (path: string, html: string, mode: number) => void;
  /** Where somebody reads what a task says while it says it: too much of it to be held. */
  readonly print?: (line: string) => void;
}

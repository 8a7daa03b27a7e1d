// Having Plex look at the folder of a file that it does not have yet: once for each folder, however many of its files
// are waited for, and again only for a file that came after that. Off unless asked for: some people have Plex scan by
// itself, and some disks should sleep.

import type { PlexClient } from '../plex/plex-client.ts';
import type { PlexSection } from '../plex/plex-item.ts';
import { digestOfValue } from './digest.ts';
import { type PathRule, toPlexPath } from './path-map.ts';
import { folderOf, isBelow } from './paths.ts';

/** A folder that files are being put into is looked at this often at most, in ms. */
const QUIET_MS = 15_000;

export interface ScanWish {
  readonly files: readonly string[];
  /** Since when they are waited for, and the time now; wall ms. */
  readonly queuedAt: number;
  readonly now: number;
}

/** It is kept in the journal, in characters. */
const MAX_SIGN_LENGTH = 500;

export class FolderScan {
  readonly #plex: Pick<PlexClient, 'scan'>;
  readonly #pathRules: readonly PathRule[];
  /** When, wall ms, by library and folder. */
  readonly #askedAt = new Map<string, number>();

  constructor(plex: Pick<PlexClient, 'scan'>, pathRules: readonly PathRule[]) {
    this.#plex = plex;
    this.#pathRules = pathRules;
  }

  /** Whether Plex was asked to look where one of the files is, now or a while ago. */
  async ask({ files, queuedAt, now }: ScanWish, sections: readonly PlexSection[]): Promise<boolean> {
    let isAsked = false;
    for (const file of files) {
      const folder = folderOf(toPlexPath(file, this.#pathRules));
      const holder = sections.find(({ locations }) =>
        locations.some((location) => isBelow(folder, location)),
      );
      if (holder === undefined) continue;
      const place = `${holder.key} ${folder}`;
      const askedAt = this.#askedAt.get(place);
      if (askedAt === undefined || (queuedAt > askedAt && now - askedAt >= QUIET_MS)) {
        const result = await this.#plex.scan(holder.key, folder);
        // A failure says nothing that the next request would not: the scene waits as it would without a scan.
        if (!result.ok) continue;
        this.#askedAt.set(place, now);
      }
      isAsked = true;
    }
    return isAsked;
  }
}

/** Differs when Plex has looked at one of them since. */
export function scanSign(sections: readonly PlexSection[]): string {
  const sign = sections.map(({ key, scannedAt }) => `${key}:${scannedAt}`).join(' ');
  return sign.length <= MAX_SIGN_LENGTH ? sign : digestOfValue(sign);
}

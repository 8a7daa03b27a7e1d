// Having Plex look at the folder of a file that it does not have yet: once for each folder, however many of its files
// are waited for. Off unless asked for: some people have Plex scan by itself, and some disks should sleep.

import type { PlexClient } from '../plex/plex-client.ts';
import type { PlexSection } from '../plex/plex-item.ts';
import { digestOfValue } from './digest.ts';
import { folderOf, isBelow, type PathRule, toPlexPath } from './path-map.ts';

/** It is kept in the journal, in characters. */
const MAX_SIGN_LENGTH = 500;

export class FolderScan {
  readonly #plex: Pick<PlexClient, 'scan'>;
  readonly #pathRules: readonly PathRule[];
  readonly #asked = new Set<string>();

  constructor(plex: Pick<PlexClient, 'scan'>, pathRules: readonly PathRule[]) {
    this.#plex = plex;
    this.#pathRules = pathRules;
  }

  /** Whether Plex was asked to look where one of the files is, now or a while ago. */
  async ask(files: readonly string[], sections: readonly PlexSection[]): Promise<boolean> {
    let isAsked = false;
    for (const file of files) {
      const folder = folderOf(toPlexPath(file, this.#pathRules));
      const holder = sections.find(({ locations }) =>
        locations.some((location) => isBelow(folder, location)),
      );
      if (holder === undefined) continue;
      const place = `${holder.key} ${folder}`;
      if (!this.#asked.has(place)) {
        const result = await this.#plex.scan(holder.key, folder);
        // A failure says nothing that the next request would not: the scene waits as it would without a scan.
        if (!result.ok) continue;
        this.#asked.add(place);
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

import type { PlexClient, PlexResult } from '../plex/plex-client.ts';
import type { PlexItem, PlexSection } from '../plex/plex-item.ts';
export class SectionIndex {
  find(_baseName: string): readonly PlexItem[] {
    return [];
  }
  static async build(_plex: unknown, _sections: readonly PlexSection[]): Promise<PlexResult<SectionIndex>> {
    return { ok: true, value: new SectionIndex() };
  }
}
export type X = PlexClient;

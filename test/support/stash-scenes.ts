// Scenes as Stash would give them: empty but for what a test is about.

import type { StashPerformer, StashScene } from '../../src/stash/stash-scene.ts';

export function sceneWith(parts: Partial<StashScene> = {}): StashScene {
  return {
    id: '1',
    title: '',
    details: '',
    code: '',
    director: '',
    date: '',
    rating100: null,
    isOrganized: false,
    urls: [],
    studio: '',
    performers: [],
    tags: [],
    groups: [],
    files: ['/media/scenes/clip 1.mp4'],
    fileSizes: {},
    updatedAt: 0,
    ...parts,
  };
}

export function performersNamed(...names: readonly string[]): StashPerformer[] {
  return names.map((name, index) => ({ id: String(index + 1), name, disambiguation: '' }));
}

// Scenes as Stash would give them: empty but for what a test is about.

import type { StashScene } from '../../src/stash/stash-scene.ts';

export function sceneWith(parts: Partial<StashScene> = {}): StashScene {
  return {
    id: '1',
    title: '',
    details: '',
    date: '',
    studio: '',
    performers: [],
    tags: [],
    files: ['/media/scenes/clip 1.mp4'],
    ...parts,
  };
}

// What was promised to people: each change of a scene whose hook was told that it is noted has to arrive in Plex.

import type { SimPlex } from './plex.ts';
import { FOREIGN_TAG } from './plex.ts';
import type { SimStash } from './stash.ts';

export class Promises {
  /** Changes of each scene. */
  readonly #touched = new Map<string, number>();
  /** Up to which of them a hook was accepted. */
  readonly #covered = new Map<string, number>();
  /** How often a person had jobs forgotten. */
  #drops = 0;
  #excuses = 0;
  accepted = 0;
  delivered = 0;
  lost = 0;

  touch(scene: string): void {
    this.#touched.set(scene, (this.#touched.get(scene) ?? 0) + 1);
  }

  /** What a hook that begins now covers when it is accepted. */
  covering(scenes: readonly string[]): () => void {
    const upTo = scenes.map((scene) => [scene, this.#touched.get(scene) ?? 0] as const);
    const drops = this.#drops;
    return () => {
      this.accepted += 1;
      // Its job may have been forgotten before it had told that it is noted.
      if (drops !== this.#drops) return;
      for (const [scene, touch] of upTo) {
        this.#covered.set(scene, Math.max(touch, this.#covered.get(scene) ?? 0));
      }
    };
  }

  /** Somebody undid in Plex what was delivered: no hook tells. */
  excuse(scene: string): void {
    this.#excuses += 1;
    this.#covered.delete(scene);
  }

  /** A person does something else with it, and may not come to the end of that: who does renews what was promised. */
  suspend(scene: string): () => void {
    const covered = this.#covered.get(scene);
    this.excuse(scene);
    const excuses = this.#excuses;
    return () => {
      if (covered === undefined || excuses !== this.#excuses) return;
      this.#covered.set(scene, Math.max(covered, this.#covered.get(scene) ?? 0));
    };
  }

  /** A person had jobs forgotten. */
  excuseAll(): void {
    this.#excuses += 1;
    this.#drops += 1;
    this.#covered.clear();
  }

  isPromised(scene: string): boolean {
    return this.isTouched(scene) && this.#covered.get(scene) === this.#touched.get(scene);
  }

  isTouched(scene: string): boolean {
    return (this.#touched.get(scene) ?? 0) > 0;
  }
}

/**
 * What of a scene is not in its item as it should be; null: nothing. What a person undid may be as it is. `mayHaveMore`: of
 * two who delivered at once, one may have left tags that the other takes for a person's.
 */
export function differenceAt(
  scene: string,
  stash: SimStash,
  plex: SimPlex,
  isSpared: (part: string) => boolean,
  mayHaveMore: boolean,
): string | null {
  const wanted = stash.scene(scene);
  const item = plex.item(scene);
  if (wanted === undefined) return null;
  const isBare = wanted.title === '';
  if (item === undefined) return isBare ? null : `no item for ${scene}`;
  const performers = wanted.performers.map(({ name }) => name);
  const shown = (names: readonly string[], ours: readonly string[]) =>
    names.filter((name) => !mayHaveMore || name === FOREIGN_TAG || ours.includes(name)).join();
  type Pair = readonly [part: string, ours: string, theirs: string | undefined];
  const fields: readonly Pair[] = [
    ['title', wanted.title, item.fields.title],
    ['summary', wanted.details, item.fields.summary],
    ['studio', wanted.studio, item.fields.studio],
    ['originallyAvailableAt', wanted.date, item.fields.originallyAvailableAt],
    ['userRating', String((wanted.rating100 ?? 0) / 10), item.fields.userRating],
  ];
  const tags: readonly Pair[] = [
    ['genre', [...wanted.tags, FOREIGN_TAG].sort().join(), shown([...item.tags.genre].sort(), wanted.tags)],
    ['actor', performers.join(), shown(item.tags.actor, performers)],
  ];
  // Of a scene without values only our own tags are taken back.
  const different = [...(isBare ? [] : fields), ...tags].filter(
    ([part, ours, theirs]) => ours !== theirs && !isSpared(part),
  );
  if (different.length === 0) return null;
  return different
    .map(([name, ours, theirs]) => `${name} of ${scene}: Stash "${ours}", Plex "${theirs}"`)
    .join('; ');
}

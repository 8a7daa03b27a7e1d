// What was promised to people: each change of a scene in Stash has to arrive in Plex, told by a hook or not.

import type { SimPlex } from './plex.ts';
import { FOREIGN_TAG } from './plex.ts';
import type { SimStash } from './stash.ts';

export class Promises {
  /** Scenes that were ever changed. */
  readonly #touched = new Set<string>();
  /** Those whose values have to be in Plex, and when they last changed, by Stash's clock. */
  readonly #promised = new Map<string, number>();
  #excuses = 0;
  accepted = 0;
  delivered = 0;
  lost = 0;

  /** `changedAt`: by Stash's clock. */
  touch(scene: string, changedAt: number): void {
    this.accepted += 1;
    this.#touched.add(scene);
    this.#promised.set(scene, changedAt);
  }

  /** It changed without a time. Only a hook tells: what was not promised is not promised by it. */
  touchSilently(scene: string): void {
    this.#touched.add(scene);
  }

  /** Somebody undid in Plex what was delivered, or nothing tells of a change. */
  excuse(scene: string): void {
    this.#excuses += 1;
    this.#promised.delete(scene);
  }

  /** A person does something else with it, and may not come to the end of that: who does renews what was promised. */
  suspend(scene: string): () => void {
    const promised = this.#promised.get(scene);
    this.excuse(scene);
    const excuses = this.#excuses;
    return () => {
      if (promised === undefined || excuses !== this.#excuses || this.#promised.has(scene)) return;
      this.#promised.set(scene, promised);
    };
  }

  /** A person had jobs forgotten. */
  excuseAll(): void {
    this.#excuses += 1;
    this.#promised.clear();
  }

  /** What changed before `begin` is no news. */
  isPromised(scene: string, begin: number): boolean {
    return (this.#promised.get(scene) ?? -1) >= begin;
  }

  isTouched(scene: string): boolean {
    return this.#touched.has(scene);
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

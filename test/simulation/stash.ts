// A Stash that people edit: scenes with values, tags that scenes share, and what is wrong with it at the time.

import type { StashPort } from '../../src/invocation/world.ts';
import type { JobName } from '../../src/queue/events.ts';
import type { ChangedRow } from '../../src/stash/changed.ts';
import { coverOf } from '../../src/stash/cover.ts';
import type { StashFailure } from '../../src/stash/stash-client.ts';
import type { StashScene } from '../../src/stash/stash-scene.ts';
import { performersNamed, sceneWith } from '../support/stash-scenes.ts';
import type { Dice } from './dice.ts';
import { folderOf } from './disk.ts';
import type { Kernel, SimProcess } from './kernel.ts';

export type StashFault = StashFailure['kind'];

interface Held {
  readonly id: string;
  /** Counts the edits; every value holds it, so that an old one is told from a new one. */
  readonly edit: number;
  readonly isEmpty: boolean;
  readonly tagIds: readonly string[];
  /** Wall ms of Stash's clock, whole seconds. */
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Counts the moves of its file. */
  readonly moves: number;
  /** When that was, on no clock that can be set. */
  readonly changedMs: number;
}

interface HeldTag {
  readonly name: string;
  readonly updatedAt: number;
}

const ANSWER_MS = 8;
/** What was there before Breakwater is older than this, in ms. */
const OLD_MS = 30 * 86_400_000;
const LONG_MS = 600_000;

export const PLEX_URL = 'http://plex:32400';
/** Searched for in everything that a run leaves behind. */
export const SECRETS = ['plex-token-0123456789', 'plex-token-9876543210', 'session-cookie-5555'] as const;

export class SimStash {
  readonly #kernel: Kernel;
  /** Of the machine that it runs on. */
  readonly #wallNow: () => number;
  readonly #scenes = new Map<string, Held>();
  readonly #tags = new Map<string, HeldTag>();
  readonly hasCovers: boolean;
  settings: Record<string, unknown>;
  fault: StashFault | null = null;
  onFault: (fault: string) => void = () => {};
  onRead: (process: SimProcess, id: string, said: StashScene | undefined) => void = () => {};
  /** Something was committed that a look finds by its time; `changedAt` by Stash's clock. */
  onChange: (job: JobName, changedAt: number) => void = () => {};
  /** How often tags were renamed or merged. */
  #renames = 0;

  constructor(kernel: Kernel, wallNow: () => number, settings: Record<string, unknown>, hasCovers: boolean) {
    this.#kernel = kernel;
    this.#wallNow = wallNow;
    this.settings = settings;
    this.hasCovers = hasCovers;
    const updatedAt = this.clock - OLD_MS;
    for (const id of TAG_IDS) this.#tags.set(id, { name: `tag ${id}`, updatedAt });
  }

  get ids(): string[] {
    return [...this.#scenes.keys()];
  }

  /** Whether a scene has had nothing to say for so long that nobody can have read another. */
  isLongEmpty(id: string): boolean {
    const held = this.#scenes.get(id);
    return held?.isEmpty === true && this.#kernel.nowMs - held.changedMs > LONG_MS;
  }

  scene(id: string): StashScene | undefined {
    const held = this.#scenes.get(id);
    return held === undefined ? undefined : this.#view(held);
  }

  /** What its clock shows, wall ms: whole seconds. */
  get clock(): number {
    return Math.floor(this.#wallNow() / 1_000) * 1_000;
  }

  create(id: string): void {
    if (this.#scenes.has(id)) return;
    const createdAt = this.clock;
    this.#put({ id, edit: 0, isEmpty: false, tagIds: [], createdAt, moves: 0, ...this.#now() });
  }

  /** A scene that was there before Breakwater. */
  found(id: string): void {
    const updatedAt = this.clock - OLD_MS;
    const changedMs = this.#kernel.nowMs;
    const old = { createdAt: updatedAt, updatedAt, moves: 0, changedMs };
    this.#scenes.set(id, { id, edit: 0, isEmpty: false, tagIds: [], ...old });
  }

  /** False when it is no longer there. `lastedMs`: how long ago its transaction wrote what is committed now. */
  edit(id: string, dice: Dice, lastedMs = 0): boolean {
    const held = this.#scenes.get(id);
    if (held === undefined) return false;
    const tagIds = TAG_IDS.filter(() => dice.chance(0.4));
    const { updatedAt, changedMs } = this.#now();
    // The same row was not written before another transaction had let go of it.
    const wroteAt = Math.max(
      updatedAt - lastedMs,
      Math.min(held.updatedAt + (lastedMs > 0 ? 1_000 : 0), updatedAt),
    );
    this.#put({ ...held, edit: held.edit + 1, isEmpty: false, tagIds, updatedAt: wroteAt, changedMs });
    return true;
  }

  empty(id: string): void {
    const held = this.#scenes.get(id);
    if (held === undefined) return;
    this.#put({ ...held, edit: held.edit + 1, isEmpty: true, tagIds: [], ...this.#now() });
  }

  destroy(id: string): void {
    this.#scenes.delete(id);
  }

  /** The scenes that have it. Only the tag's own time moves. */
  renameTag(tag: string): string[] {
    this.#renames += 1;
    const updatedAt = this.clock;
    this.#tags.set(tag, { name: `tag ${tag} as of ${this.#renames}`, updatedAt });
    this.onChange(`tag:${tag}`, updatedAt);
    return this.scenesWith(tag);
  }

  /** Those that had it have another in its place, and no time moves. */
  mergeTag(tag: string, into: string): string[] {
    const scenes = this.scenesWith(tag);
    for (const id of scenes) {
      const held = this.#scenes.get(id)!;
      const tagIds = [...new Set(held.tagIds.map((one) => (one === tag ? into : one)))].sort();
      this.#scenes.set(id, { ...held, tagIds, changedMs: this.#kernel.nowMs });
    }
    return scenes;
  }

  /** A scan finds its file under another name, and no time moves. */
  move(id: string): void {
    const held = this.#scenes.get(id);
    if (held !== undefined) {
      this.#scenes.set(id, { ...held, moves: held.moves + 1, changedMs: this.#kernel.nowMs });
    }
  }

  fileOf(id: string): string {
    return fileOf(id, this.#scenes.get(id)?.moves ?? 0);
  }

  /** Of a scene: when it last changed, by Stash's clock. */
  changedAt(id: string): number {
    return this.#scenes.get(id)?.updatedAt ?? 0;
  }

  #put(held: Held): void {
    this.#scenes.set(held.id, held);
    this.onChange(`scene:${held.id}`, held.updatedAt);
  }

  #changedSince(since: number): ChangedRow[] {
    const scenes = [...this.#scenes.values()].map((held): ChangedRow => {
      const { id, updatedAt, createdAt } = held;
      return { kind: 'scene', id, changedAt: updatedAt, isNew: createdAt === updatedAt };
    });
    const tags = [...this.#tags].map(([id, { updatedAt }]): ChangedRow => {
      return { kind: 'tag', id, changedAt: updatedAt, isNew: false };
    });
    return [...scenes, ...tags].filter(({ changedAt }) => changedAt >= since);
  }

  scenesWith(tag: string): string[] {
    return [...this.#scenes.values()].filter(({ tagIds }) => tagIds.includes(tag)).map(({ id }) => id);
  }

  #now() {
    return { updatedAt: this.clock, changedMs: this.#kernel.nowMs };
  }

  port(process: SimProcess, dice: Dice): StashPort {
    const ask = async <T>(what: string, value: () => T) => {
      const ms = Math.round(dice.random() * ANSWER_MS);
      const answered = await this.#kernel.operation(process, `Stash ${what}`, ms, () => {
        if (this.fault === null) return { ok: true, value: value() } as const;
        this.onFault(`Stash ${this.fault}`);
        return { ok: false, failure: { kind: this.fault, detail: `Stash is ${this.fault}` } } as const;
      });
      return answered;
    };
    return {
      settings: () => ask('settings', () => ({ ...this.settings })),
      configure: (_, values) =>
        ask('configure', () => {
          Object.assign(this.settings, values);
          return null;
        }),
      changedSince: (since) =>
        ask(`changed since ${since}`, () => ({ now: this.clock, rows: this.#changedSince(since) })),
      sceneIds: () => ask('ids', () => new Set(this.#scenes.keys())),
      scenesWithFile: () => ask('with a file', () => []),
      scenes: (ids) =>
        ask(`scenes ${ids}`, () => {
          const views = ids.map((id) => [id, this.scene(id)] as const);
          for (const [id, view] of views) this.onRead(process, id, view);
          const found = views.map(([, scene]) => scene).filter((scene) => scene !== undefined);
          return new Map(found.map((scene) => [scene.id, scene]));
        }),
      scenesWith: (_kind, id) => ask(`with ${id}`, () => this.scenesWith(id)),
      scenesAfter: (after, limit, since = 0) =>
        ask(`after ${after}`, () => {
          const left = [...this.#scenes.values()]
            .filter(({ id }) => Number(id) > after)
            .sort((a, b) => Number(a.id) - Number(b.id));
          const scenes = left.slice(0, limit).map((held) => this.#view(held));
          const lastId = Math.max(after, ...scenes.map(({ id }) => Number(id)));
          return {
            scenes: scenes.filter(({ updatedAt }) => updatedAt >= since),
            lastId,
            isLast: left.length <= limit,
            left: left.length,
          };
        }),
      cover: (id, validator) =>
        ask(`cover ${id}`, () => {
          if (!this.hasCovers) return { kind: 'unfit', detail: 'no picture' } as const;
          const bytes = Buffer.from(`\xff\xd8\xff the cover of ${id}`, 'latin1');
          return validator === `"${id}"` ? ({ kind: 'same' } as const) : coverOf(bytes, `"${id}"`);
        }),
      close: async () => {},
    };
  }

  #view({ id, edit, isEmpty, tagIds, updatedAt, moves }: Held): StashScene {
    const files = [fileOf(id, moves)];
    if (isEmpty) return sceneWith({ id, files, updatedAt });
    return sceneWith({
      id,
      files,
      updatedAt,
      title: `scene ${id}, edit ${edit}`,
      details: `what happens in ${id} as of ${edit}`,
      studio: `studio ${edit % 3}`,
      date: `20${String(10 + (edit % 15)).padStart(2, '0')}-05-0${1 + (edit % 9)}`,
      rating100: 10 * (1 + (edit % 10)),
      tags: tagIds.map((tag) => this.#tags.get(tag)?.name ?? tag),
      performers: performersNamed(`performer ${edit % 4}`),
    });
  }
}

export const TAG_IDS: readonly string[] = ['1', '2', '3'];

/** Scenes from this number on are of files that came while the rest was there: into one of two folders. */
export const FIRST_NEW = 101;

/** The file of scene `id`, under the same path in Stash and in Plex. */
export function fileOf(id: string, moves = 0): string {
  const folder = Number(id) < FIRST_NEW ? '/media' : `/media/new ${Number(id) % 2}`;
  return moves === 0 ? `${folder}/clip ${id}.mp4` : `${folder}/clip ${id} moved ${moves}.mp4`;
}

export function folderOfScene(id: string): string {
  return folderOf(fileOf(id));
}

// What a person undid, gave back or took again, told a second time from the log: what goes back is what the log says was
// there before, what others changed stays theirs, and no delivery touches either until Stash says something new.

import type { JobName } from '../../src/queue/events.ts';
import type { PlacedQueueEvent } from '../../src/queue/queue.ts';
import type { StashScene } from '../../src/stash/stash-scene.ts';
import type { Looks } from './invariants.ts';
import type { Kernel, SimProcess } from './kernel.ts';
import { isSame, saidOf, shownIn, wishOf } from './parts.ts';
import type { Plan } from './plan.ts';
import { FOREIGN_TAG, type PlexCall, type SimPlex } from './plex.ts';
import type { Promises } from './promises.ts';
import type { SimStash } from './stash.ts';
import type { Watch } from './watch.ts';

type Attempted = Extract<PlacedQueueEvent, { type: 'job.attempted' }>;
type Restored = Extract<PlacedQueueEvent, { type: 'job.restored' }>;

interface Spared {
  /** What Stash said then; null: whatever it says. */
  readonly said: string | null;
  /** False where its writer was no longer the holder of the lease, and others may not have seen it in time. */
  readonly isSeen: boolean;
}

/** What a person asked to be undone. */
export interface UndoAct {
  readonly scene: string | null;
  readonly sinceMs: number | null;
}

export interface UndoneParts {
  readonly kernel: Kernel;
  readonly watch: Watch;
  readonly looks: Looks;
  readonly plex: SimPlex;
  readonly stash: SimStash;
  readonly plan: Plan;
  readonly promises: Promises;
  readonly processes: ReadonlyMap<string, SimProcess>;
}

export class Undone {
  readonly #parts: UndoneParts;
  /** Those that change something, by scene, oldest first. */
  readonly #attempts = new Map<string, Attempted[]>();
  readonly #spared = new Map<string, Map<string, Spared>>();
  /** What processes read of Stash before they undid something, by process and scene: what is spared goes by it. */
  readonly #saidAtUndo = new Map<string, StashScene | undefined>();
  /** What Stash said when it was spared, by scene, part and digest. */
  readonly #saidFor = new Map<string, string>();
  /** What a person was told is locked or unlocked, by scene and part. */
  readonly #locked = new Map<string, { readonly is: boolean; readonly by: string; isTold: boolean }>();
  /** Whose promise is kept again when it is done. */
  readonly #renewals = new Map<string, () => void>();

  constructor(parts: UndoneParts) {
    this.#parts = parts;
  }

  /** The log is read from its beginning again: its end may be another. */
  reset(): void {
    this.#attempts.clear();
    this.#spared.clear();
  }

  onStashRead(process: SimProcess, scene: string, said: StashScene | undefined): void {
    process.notes.set(`Stash ${scene}`, said);
  }

  /** Also for what was looked at before: then nothing is looked at again. */
  onQueue(event: PlacedQueueEvent, by: string, isAgain: boolean): void {
    if (event.type === 'job.attempted') this.#attempted(event, by, isAgain);
    if (event.type === 'queue.compacted' && isAgain) this.#compacted(event);
    if (event.type === 'job.restored' && !isAgain) this.#restored(event, by);
    if (event.type === 'job.delivered' && event.result === 'gone') this.#spared.delete(sceneOf(event.job));
  }

  /** Whether it is left as it is, whatever Stash says now. */
  isSpared(scene: string, part: string): boolean {
    const spared = this.#spared.get(scene)?.get(part);
    const { stash } = this.#parts;
    return spared !== undefined && (spared.said === null || spared.said === saidOf(stash.scene(scene), part));
  }

  /** A lock or unlock that told a person that it is done. */
  onTold(process: SimProcess): void {
    for (const locked of this.#locked.values()) if (locked.by === process.inv) locked.isTold = true;
    this.#renew(process.inv);
  }

  /** Others did something to an item of which nothing was told. */
  forget(scene: string): void {
    for (const key of this.#locked.keys()) if (key.startsWith(`${scene} `)) this.#locked.delete(key);
  }

  lookAtLocks(): void {
    const { plex, looks } = this.#parts;
    for (const [key, { is, isTold }] of this.#locked) {
      const [scene = '', part = ''] = key.split(' ');
      const item = plex.item(scene);
      if (!isTold || item === undefined) continue;
      looks.at(
        23,
        item.locked.has(part) === is,
        () => `${part} of ${scene} should be ${is ? '' : 'un'}locked`,
      );
    }
  }

  onCall(call: PlexCall): void {
    const { process, method, key, scene, parameters } = call;
    if (method === 'items') process.notes.set(`items ${key}`, this.#parts.kernel.nowMs);
    if (method !== 'edit' || scene === null || parameters === null) return;
    for (const [name, value] of parameters) {
      const part = name.slice(0, name.indexOf('.'));
      const told = name.endsWith('.locked') ? this.#locked.get(`${scene} ${part}`) : undefined;
      // Who delivers, or undoes, locks what it writes.
      const isOthers = told?.by !== process.inv || !isByHand(call);
      if (isOthers && told?.is !== (value === '1')) this.#locked.delete(`${scene} ${part}`);
      if (name.endsWith('.value')) this.#lookAtWrite(call, scene, part);
    }
  }

  #lookAtWrite({ process, key }: PlexCall, scene: string, part: string): void {
    const { looks, plex } = this.#parts;
    const intent = process.notes.get(`attempt ${scene}`) as Attempted | undefined;
    if (intent?.by !== 'undo') return;
    const isNoted = intent.changes.some(({ field }) => field === part);
    looks.at(23, isNoted, () => `${process.inv} undoes ${part} of ${scene} without a word`);
    const readMs = process.notes.get(`items ${key}`) as number;
    const isTheirs = plex.touchedMs(scene, part) < readMs;
    looks.at(23, !isTheirs, () => `${process.inv} undoes ${part} of ${scene}, which others changed`);
  }

  #attempted(event: Attempted, by: string, isAgain: boolean): void {
    const { processes, promises } = this.#parts;
    const scene = sceneOf(event.job);
    const process = processes.get(by);
    if (!isAgain) {
      process?.notes.set(`attempt ${scene}`, event);
      if (event.by === undefined) this.#lookAtDelivery(event, scene, process);
      if (event.by === 'undo') this.#saidAtUndo.set(`${by} ${scene}`, readBy(process, scene));
      if (event.by === 'undo' && process !== undefined) this.#lookAtUndo(event, scene, process);
      if (event.by === 'undo' || event.by === 'lock') {
        this.#renewals.set(`${by} ${scene}`, promises.suspend(scene));
      }
      if (event.by === 'unlock' || event.by === 'lock') this.#expectLocks(event, scene, by);
    }
    // Who began after a power loss has read all of it.
    const isSeen = isAgain || this.#isHolder(by);
    const spared = this.#spared.get(scene) ?? new Map<string, Spared>();
    this.#spared.set(scene, spared);
    if (event.by === undefined) for (const { field } of event.changes) spared.delete(field);
    for (const [part, until] of Object.entries(event.spares ?? {})) {
      const said = until === null ? null : saidOf(this.#saidAtUndo.get(`${by} ${scene}`), part);
      if (typeof until === 'string') this.#saidFor.set(`${scene} ${part} ${until}`, said ?? '');
      if (until === false) spared.delete(part);
      else spared.set(part, { said, isSeen });
    }
    if (event.changes.length > 0) this.#attempts.set(scene, [...this.#edits(scene), event]);
  }

  /** What came before is no longer in the log. */
  #compacted({ known = [] }: Extract<PlacedQueueEvent, { type: 'queue.compacted' }>): void {
    for (const [job, { spared = {} }] of known) {
      const scene = sceneOf(job);
      const entries = Object.entries(spared).map(([part, until]): [string, Spared] => {
        const said = until === null ? null : (this.#saidFor.get(`${scene} ${part} ${until}`) ?? '');
        return [part, { said, isSeen: true }];
      });
      this.#spared.set(scene, new Map(entries));
    }
  }

  #lookAtDelivery({ changes }: Attempted, scene: string, process: SimProcess | undefined): void {
    if (process === undefined || !this.#isHolder(process.inv)) return;
    const said = readBy(process, scene);
    for (const { field } of changes) {
      const spared = this.#spared.get(scene)?.get(field);
      if (spared?.isSeen !== true) continue;
      const isNews = spared.said !== null && spared.said !== saidOf(said, field);
      this.#parts.looks.at(
        23,
        isNews,
        () => `${process.inv} delivers ${field} of ${scene}, which was undone`,
      );
    }
  }

  #lookAtUndo(event: Attempted, scene: string, process: SimProcess): void {
    const { looks, plex, plan, kernel } = this.#parts;
    const asked = process.notes.get('undo') as UndoAct | undefined;
    if (asked === undefined || !this.#isHolder(process.inv)) return;
    const all = this.#edits(scene);
    const sinceAt = asked.sinceMs === null ? null : (process.notes.get('begunAt') as number) - asked.sinceMs;
    const meant = sinceAt === null ? all.slice(-1) : all.filter(({ moment }) => moment.at >= sinceAt);
    const edits = meant.filter(({ item }) => item === meant.at(-1)?.item);
    looks.at(23, event.item === edits[0]?.item, () => `${process.inv} undoes another item of ${scene}`);
    const changes = edits.flatMap((edit) => edit.changes);
    // Of the oldest edits the log may know no more.
    const isWhole = sinceAt === null || plan.keepMs === null;
    for (const { field, before, after } of event.changes) {
      const ours = changes.filter((change) => change.field === field);
      const goals = isWhole ? ours.slice(0, 1) : ours;
      const isRight =
        goals.some((change) => isSame(change.before, after)) &&
        ours.some((change) => isSame(change.after, before));
      const told = () =>
        `${process.inv} undoes ${field} of ${scene} ${JSON.stringify([before, after, ours])}`;
      looks.at(23, isRight, told);
      const until = event.spares?.[field];
      const isGivenBack = this.#spared.get(scene)?.get(field)?.said === null;
      if (isGivenBack) looks.at(23, until === null, () => `${told()}: it was given back`);
      const wish = wishOf(readBy(process, scene), field);
      if (wish === null || isGivenBack) continue;
      const others = Array.isArray(after) && after.includes(FOREIGN_TAG) ? [FOREIGN_TAG] : [];
      const isAsWished = isSame(Array.isArray(wish) ? [...wish, ...others] : wish, after);
      looks.at(23, (until === false) === isAsWished, () => `${told()}: spared until ${until}`);
    }
    const readMs = (process.notes.get(`items ${event.item}`) as number | undefined) ?? kernel.nowMs;
    const item = plex.item(scene);
    if (item?.ratingKey !== event.item || plex.isBusySince(scene, readMs) || !isWhole) return;
    for (const field of new Set(changes.map((change) => change.field))) {
      const shown = shownIn(item, field);
      const ours = changes.filter((change) => change.field === field);
      if (shown === undefined || event.changes.some((change) => change.field === field)) continue;
      const isDone = isSame(shown, ours[0]?.before ?? null);
      const isOurs = ours.some((change) => isSame(change.after, shown));
      looks.at(23, isDone || !isOurs, () => `${process.inv} leaves ${field} of ${scene} as it is`);
    }
  }

  #restored({ job, item: key, notes }: Restored, by: string): void {
    const { processes, plex, looks } = this.#parts;
    const scene = sceneOf(job);
    const process = processes.get(by);
    const intent = process?.notes.get(`attempt ${scene}`) as Attempted | undefined;
    if (process === undefined || intent === undefined || notes !== undefined) return;
    this.#renew(`${by} ${scene}`);
    const item = plex.item(scene);
    const readMs = process.notes.get(`items ${key}`) as number;
    if (item === undefined || item.ratingKey !== key || plex.isBusySince(scene, readMs)) return;
    for (const { field, after } of intent.changes) {
      const shown = shownIn(item, field);
      if (shown === undefined) continue;
      looks.at(23, isSame(shown, after), () => `${field} of ${scene} is not put back: ${shown} for ${after}`);
    }
  }

  #expectLocks({ by: how, item, spares }: Attempted, scene: string, by: string): void {
    const { plex, kernel, looks } = this.#parts;
    const isMeant = Object.values(spares ?? {}).every((until) => until === (how === 'lock' ? false : null));
    looks.at(23, isMeant, () => `${by} says ${how} of ${scene} and ${JSON.stringify(spares)}`);
    // An edit that Plex has not applied yet may lock something after all.
    if (plex.item(scene)?.ratingKey !== item || plex.isBusySince(scene, kernel.nowMs)) return;
    for (const part of Object.keys(spares ?? {})) {
      // The year follows the date.
      if (part === 'year') continue;
      this.#locked.set(`${scene} ${part}`, { is: how === 'lock', by, isTold: false });
    }
  }

  /** Of one process, or of that and one scene. */
  #renew(of: string): void {
    for (const [key, renew] of this.#renewals) {
      if (!`${key} `.startsWith(`${of} `)) continue;
      renew();
      this.#renewals.delete(key);
    }
  }

  #edits(scene: string): readonly Attempted[] {
    return this.#attempts.get(scene) ?? [];
  }

  #isHolder(inv: string): boolean {
    const { value, context } = this.#parts.watch.state.drain;
    return value === 'held' && context.owner === inv;
  }
}

/** Whether it is a part of what a person asked for by name, and no delivery. */
export function isByHand({ process, scene }: PlexCall): boolean {
  return (process.notes.get(`attempt ${scene}`) as Attempted | undefined)?.by !== undefined;
}

function readBy(process: SimProcess | undefined, scene: string): StashScene | undefined {
  return process?.notes.get(`Stash ${scene}`) as StashScene | undefined;
}

function sceneOf(job: JobName): string {
  return job.slice(job.indexOf(':') + 1);
}

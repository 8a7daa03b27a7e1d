// A world for drainers, wakes and tasks that happens in memory: the real drain() and runMode() over one MemoryJournal, one virtual clock, a fake Plex and a fake Stash. Processes run at the same time: whatever takes
// time (a sleep, a request, an append) waits its turn on the virtual clock. A process can die at any of its steps, and
// is then neither heard nor waited for.
//
// A loop that goes round without time passing, or that fills the journal, ends the test with `HotLoop`.

import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { ControlLog } from '../../src/breaker/control/control-log.ts';
import type { Step } from '../../src/breaker/control/replay.ts';
import { MemoryJournal } from '../../src/breaker/journal/memory-journal.ts';
import type { Writer } from '../../src/breaker/journal/writer.ts';
import type { Scope } from '../../src/door/scopes.ts';
import type { DataDir } from '../../src/invocation/data-dir.ts';
import { type DrainOptions, type DrainSummary, drain } from '../../src/invocation/drainer.ts';
import { HOUSE_RULES } from '../../src/invocation/housekeeping.ts';
import { runMode, type TaskArgs, type TaskMode } from '../../src/invocation/task.ts';
import type { TaskResult } from '../../src/invocation/task-result.ts';
import type { StashPort, World } from '../../src/invocation/world.ts';
import { type Asked, type Failure, ofBody, ofNetwork, ofStatus } from '../../src/plex/failures.ts';
import type { PlexResult } from '../../src/plex/plex-client.ts';
import { type ImageKind, type PlexItem, type PlexSection, TAG_KINDS } from '../../src/plex/plex-item.ts';
import type { JobName, SharedKind } from '../../src/queue/events.ts';
import { isSeen, NEVER } from '../../src/queue/looked.ts';
import type { Queue } from '../../src/queue/queue.ts';
import { QueueLog } from '../../src/queue/queue-log.ts';
import type { ReconcileScope } from '../../src/queue/reconciliation.ts';
import { parseSettingsFile } from '../../src/settings/file.ts';
import { OTHER_PLUGIN_ID } from '../../src/settings/takeover.ts';
import type { ChangedRow } from '../../src/stash/changed.ts';
import { coverOf } from '../../src/stash/cover.ts';
import type { StashFailure } from '../../src/stash/stash-client.ts';
import type { StashScene } from '../../src/stash/stash-scene.ts';
import type { PlexPort } from '../../src/sync/deliver.ts';
import { FakeClock, fakeWriter } from './fake-writer.ts';
import { NOWHERE } from './nowhere.ts';
import { sceneWith } from './stash-scenes.ts';

/** Something goes round and round: the test is over. */
export class HotLoop extends Error {}
/** What a step of a dead process ends in. */
export class Killed extends Error {}

/** Steps of all processes together that may be taken without time passing. */
const MAX_STEPS_AT_ONCE = 2_000;
/** Appends to both streams in one test, unless it says otherwise. */
const MAX_APPENDS = 5_000;
const APPEND_MS = 1;
const STASH_MS = 2;
const PLEX_MS = 10;

/** The clock, and everybody who waits for it. It goes on only while somebody is waited for by the test. */
export class VirtualTime {
  readonly clock = new FakeClock();
  readonly #sleepers: { readonly dueMs: number; readonly wake: () => void }[] = [];
  #watchers = 0;
  #isRunning = false;
  #stepsAtOnce = 0;
  #broken: Error | null = null;

  get nowMs(): number {
    return this.clock.now().mono;
  }

  sleep(ms: number): Promise<void> {
    this.assertWell();
    const dueMs = this.nowMs + ms;
    const index = this.#sleepers.findIndex((other) => other.dueMs > dueMs);
    return new Promise((wake) => {
      this.#sleepers.splice(index < 0 ? this.#sleepers.length : index, 0, { dueMs, wake });
    });
  }

  /** Runs `work` to its end, and the clock with it. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#watchers += 1;
    if (!this.#isRunning) void this.#run();
    try {
      return await work();
    } finally {
      this.#watchers -= 1;
    }
  }

  /** One step of somebody; too many without time passing are a hot loop. */
  step(): void {
    this.assertWell();
    this.#stepsAtOnce += 1;
    if (this.#stepsAtOnce > MAX_STEPS_AT_ONCE) this.break(new HotLoop('no time passes'));
  }

  break(error: Error): never {
    this.#broken ??= error;
    throw this.#broken;
  }

  assertWell(): void {
    if (this.#broken !== null) throw this.#broken;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#watchers > 0) {
      // All that can go on without time passing has gone on when this returns.
      await setImmediate();
      const next = this.#sleepers.shift();
      if (next === undefined) continue;
      const ms = next.dueMs - this.nowMs;
      if (ms > 0) this.#stepsAtOnce = 0;
      this.clock.advance(Math.max(0, ms));
      next.wake();
    }
    this.#isRunning = false;
  }
}

export type PlexMethod =
  | 'probe'
  | 'sections'
  | 'findByFile'
  | 'itemsOfSection'
  | 'items'
  | 'edit'
  | 'images'
  | 'uploadImage'
  | 'selectImage'
  | 'scan';

const ASKED: Readonly<Record<PlexMethod, Asked>> = {
  probe: 'probe',
  sections: 'sections',
  findByFile: 'search',
  itemsOfSection: 'search',
  items: 'item',
  edit: 'edit',
  images: 'item',
  uploadImage: 'image',
  selectImage: 'image',
  scan: 'sections',
};

/** What goes wrong, as it is on the wire. */
export type Trouble =
  | { readonly code: string }
  | { readonly status: number; readonly retryAfter?: string; readonly body?: string };

export interface PlexCall {
  readonly inv: string;
  readonly method: PlexMethod;
  /** Rating keys; for a search those of the items that have the file; for a scan the folder. */
  readonly keys: readonly string[];
  readonly atMs: number;
  /** Of an edit. */
  readonly parameters: URLSearchParams | null;
}

export interface Rule {
  readonly methods?: readonly PlexMethod[];
  readonly key?: string;
  readonly inv?: string;
  /** What happens, before the request is carried out; null lets it through. */
  readonly does: Trouble | ((call: PlexCall) => Trouble | null | Promise<Trouble | null>);
}

interface Held {
  files: readonly string[];
  fileSizes: Record<string, number>;
  fields: Record<string, string>;
  tags: Record<(typeof TAG_KINDS)[number], string[]>;
  locked: Set<string>;
  images: Record<ImageKind, string>;
  /** Names of what was uploaded, the one that is shown last. */
  uploads: Record<ImageKind, string[]>;
}

export class FakePlex {
  readonly #time: VirtualTime;
  readonly items = new Map<string, Held>();
  readonly calls: PlexCall[] = [];
  readonly #rules = new Set<Rule>();
  machineIdentifier: string;
  libraries: readonly PlexSection[] = [
    { key: '1', type: 'movie', title: 'Scenes', locations: ['/media'], scannedAt: '1' },
  ];
  /** Files on the disk that Plex has not seen, by the id of the item that they become. A scan of their folder takes them in. */
  readonly unscanned = new Map<string, string>();
  /** How long an answer takes, in ms. */
  latencyMs: (call: PlexCall) => number = () => PLEX_MS;
  onCall: (call: PlexCall) => Promise<void> = async () => {};

  constructor(time: VirtualTime, machineIdentifier: string) {
    this.#time = time;
    this.machineIdentifier = machineIdentifier;
  }

  /** The item of scene `id`: same number, same file. */
  add(id: string, fields: Readonly<Record<string, string>> = {}): void {
    this.items.set(id, {
      files: [fileOf(id)],
      fileSizes: {},
      fields: { ...fields },
      tags: { genre: [], actor: [], collection: [], label: [] },
      locked: new Set(),
      images: { thumb: '', art: '' },
      uploads: { thumb: [], art: [] },
    });
  }

  /** Plex looks at a folder, because it was asked to or of itself. */
  scan(folder: string): void {
    for (const [id, file] of [...this.unscanned]) {
      if (!file.startsWith(`${folder}/`)) continue;
      this.unscanned.delete(id);
      this.add(id);
      this.items.get(id)!.files = [file];
    }
    this.libraries = this.libraries.map((library) => ({ ...library, scannedAt: `${this.#time.nowMs}` }));
  }

  title(id: string): string | undefined {
    return this.items.get(id)?.fields.title;
  }

  edits(key?: string): PlexCall[] {
    return this.calls.filter(
      ({ method, keys }) => method === 'edit' && (key === undefined || keys[0] === key),
    );
  }

  /** Titles that were sent for an item, in their order. */
  titlesSent(key: string): string[] {
    return this.edits(key).flatMap(({ parameters }) => parameters?.getAll('title.value') ?? []);
  }

  count(method: PlexMethod): number {
    return this.calls.filter((call) => call.method === method).length;
  }

  /** From now on `rule` holds, until the returned function is called. The newest that fits counts. */
  rule(rule: Rule): () => void {
    this.#rules.add(rule);
    return () => void this.#rules.delete(rule);
  }

  goAway(does: Trouble = { code: 'ECONNREFUSED' }): () => void {
    return this.rule({ does });
  }

  heal(): void {
    this.#rules.clear();
    this.latencyMs = () => PLEX_MS;
  }

  /** The port as one process uses it. */
  port(inv: string, process: VirtualProcess, hasEverWorked: boolean): PlexPort {
    const ask = async <T>(
      method: PlexMethod,
      keys: readonly string[],
      carryOut: () => PlexResult<T>,
      parameters: URLSearchParams | null = null,
    ): Promise<PlexResult<T>> => {
      process.step();
      const call = { inv, method, keys, atMs: this.#time.nowMs, parameters };
      this.calls.push(call);
      await this.onCall(call);
      const trouble = await this.#troubleOf(call);
      const result = trouble === null ? carryOut() : failed(trouble, method, hasEverWorked, this.#time);
      await this.#time.sleep(this.latencyMs(call));
      process.step();
      return result;
    };
    const port: PlexPort = {
      probe: (expected) =>
        ask('probe', [], () => {
          const { machineIdentifier } = this;
          const isOther = expected !== '' && expected !== machineIdentifier;
          if (isOther) return { ok: false, failure: ofBody('otherServer') };
          return { ok: true, value: { machineIdentifier, version: '1.40' } };
        }),
      sections: () => ask('sections', [], () => ({ ok: true, value: [...this.libraries] })),
      findByFile: (sectionKey, baseName) => {
        const keys = [...this.items.keys()].filter((key) =>
          this.items.get(key)!.files.some((file) => file.endsWith(`/${baseName}`)),
        );
        return ask('findByFile', keys, () => {
          if (!this.libraries.some(({ key }) => key === sectionKey)) {
            return failed({ status: 404 }, 'findByFile', hasEverWorked, this.#time);
          }
          const isHere = this.libraries[0]?.key === sectionKey;
          return { ok: true, value: isHere ? this.#view(keys) : [] };
        });
      },
      itemsOfSection: (sectionKey, start, size) =>
        ask('itemsOfSection', [], () => {
          const keys = this.libraries[0]?.key === sectionKey ? [...this.items.keys()] : [];
          return { ok: true, value: this.#view(keys.slice(start, start + size)) };
        }),
      items: async (keys) => {
        const result = await ask('items', keys, () => ({ ok: true, value: this.#view(keys) }) as const);
        return !result.ok && result.failure.class === 'missing' ? { ok: true, value: [] } : result;
      },
      edit: (item, parameters) =>
        ask(
          'edit',
          [item.ratingKey],
          () => {
            this.#apply(item.ratingKey, parameters);
            return { ok: true, value: null };
          },
          parameters,
        ),
      images: (key, kind) =>
        ask('images', [key], () => {
          const names = this.items.get(key)?.uploads[kind] ?? [];
          const value = names.map((ratingKey, index) => ({
            ratingKey,
            isSelected: index === names.length - 1,
          }));
          return { ok: true, value };
        }),
      uploadImage: (key, kind, bytes) =>
        ask('uploadImage', [key], () => this.#show(key, kind, `upload://x/${sha1Of(bytes)}`)),
      selectImage: (key, kind, name) => ask('selectImage', [key], () => this.#show(key, kind, name)),
      scan: (_sectionKey, folder) =>
        ask('scan', [folder], () => {
          this.scan(folder);
          return { ok: true, value: null };
        }),
      close: async () => {},
    };
    return port;
  }

  async #troubleOf(call: PlexCall): Promise<Trouble | null> {
    for (const { methods, key, inv, does } of [...this.#rules].reverse()) {
      if (methods !== undefined && !methods.includes(call.method)) continue;
      if (key !== undefined && !call.keys.includes(key)) continue;
      if (inv !== undefined && inv !== call.inv) continue;
      const trouble = typeof does === 'function' ? await does(call) : does;
      if (trouble !== null) return trouble;
    }
    return null;
  }

  #view(keys: readonly string[]): PlexItem[] {
    return keys.flatMap((ratingKey) => {
      const held = this.items.get(ratingKey);
      if (held === undefined) return [];
      const { files, fileSizes, fields, tags, locked, images } = held;
      const sectionKey = this.libraries[0]?.key ?? '';
      const live = structuredClone({ fields, tags, locked, images });
      return [{ ratingKey, sectionKey, files, fileSizes, actorDetails: {}, ...live }];
    });
  }

  #show(key: string, kind: ImageKind, name: string) {
    const held = this.items.get(key);
    if (held === undefined) return failed({ status: 404 }, 'uploadImage', true, this.#time);
    held.uploads[kind] = [...held.uploads[kind].filter((known) => known !== name), name];
    held.images[kind] = `/library/metadata/${key}/${kind}/${this.#time.nowMs}`;
    return { ok: true, value: null } as const;
  }

  #apply(key: string, parameters: URLSearchParams): void {
    const held = this.items.get(key);
    if (held === undefined) return;
    for (const [name, value] of parameters) {
      if (name.endsWith('.value')) held.fields[name.slice(0, -'.value'.length)] = value;
      const field = name.slice(0, -'.locked'.length);
      if (name.endsWith('.locked') && value === '1') held.locked.add(field);
      else if (name.endsWith('.locked')) held.locked.delete(field);
    }
    for (const kind of TAG_KINDS) {
      const listed = [...parameters].filter(([name]) => name.startsWith(`${kind}[`) && name.endsWith('.tag'));
      if (listed.length > 0) held.tags[kind] = listed.map(([, value]) => value);
      const dropped = (parameters.get(`${kind}[].tag.tag-`) ?? '').split(',').map(decodeURIComponent);
      held.tags[kind] = held.tags[kind].filter((name) => !dropped.includes(name));
    }
  }
}

export type StashMethod =
  | 'settings'
  | 'configure'
  | 'changedSince'
  | 'sceneIds'
  | 'scenes'
  | 'scenesAfter'
  | 'scenesWith'
  | 'scenesWithFile'
  | 'cover';

export class FakeStash {
  readonly #time: VirtualTime;
  readonly scenes = new Map<string, StashScene>();
  /** Those that are not made from the scene's number; as text of single bytes. */
  readonly covers = new Map<string, string>();
  /** Scenes by `tag:5` and the like. */
  readonly touching = new Map<string, string[]>();
  /** When tags and the like (`tag:5`) were changed, wall ms. */
  readonly changes = new Map<JobName, number>();
  /** Of Stash2Plex. */
  otherSettings: Record<string, unknown> = {};
  settings: Record<string, string | number> = { plexUrl: PLEX_URL, plexToken: 'a-token' };
  readonly calls: { readonly method: StashMethod; readonly ids: readonly string[] }[] = [];
  /** What goes wrong; null lets it through. */
  trouble: (method: StashMethod, ids: readonly string[]) => StashFailure | null = () => null;

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  edit(id: string, parts: Partial<StashScene>): void {
    const scene = this.scenes.get(id) ?? sceneWith({ id, files: [fileOf(id)] });
    this.scenes.set(id, { ...scene, updatedAt: this.now, ...parts });
  }

  /** What it says is another without its time moving, as when a tag is merged or renamed in bulk. */
  amend(id: string, parts: Partial<StashScene>): void {
    this.edit(id, { updatedAt: this.scenes.get(id)?.updatedAt ?? 0, ...parts });
  }

  /** Stash's clock, as its times are: whole seconds, wall ms. */
  get now(): number {
    return Math.floor(this.#time.clock.now().at / 1_000) * 1_000;
  }

  /** Somebody saves it, with other values or with the same. Of what is not there, or has no time, nothing moves. */
  touch(job: JobName): void {
    const [kind, id] = job.split(':') as [string, string];
    if (kind !== 'scene' && kind !== 'library') this.changes.set(job, this.now);
    if (kind === 'scene' && this.scenes.has(id)) this.edit(id, {});
  }

  #changedSince(since: number): ChangedRow[] {
    const scenes = [...this.scenes.values()].map(
      ({ id, updatedAt }) => ({ kind: 'scene', id, changedAt: updatedAt, isNew: false }) as const,
    );
    const shared = [...this.changes].map(([job, changedAt]) => {
      const [kind, id] = job.split(':') as [SharedKind, string];
      return { kind, id, changedAt, isNew: false };
    });
    return [...scenes, ...shared].filter(({ changedAt }) => changedAt >= since);
  }

  port(process: VirtualProcess): StashPort {
    const ask = async <T>(method: StashMethod, ids: readonly string[], value: () => T) => {
      process.step();
      this.calls.push({ method, ids });
      const failure = this.trouble(method, ids);
      const answer = failure === null ? ({ ok: true, value: value() } as const) : null;
      await this.#time.sleep(STASH_MS);
      process.step();
      return answer ?? ({ ok: false, failure: failure! } as const);
    };
    return {
      settings: (id) =>
        ask('settings', [], () => ({ ...(id === OTHER_PLUGIN_ID ? this.otherSettings : this.settings) })),
      configure: (_, values) =>
        ask('configure', [], () => {
          Object.assign(this.settings, values);
          return null;
        }),
      changedSince: (since) =>
        ask('changedSince', [], () => ({ now: this.now, rows: this.#changedSince(since) })),
      sceneIds: () => ask('sceneIds', [], () => new Set(this.scenes.keys())),
      scenes: (ids) => ask('scenes', ids, () => new Map([...this.scenes].filter(([id]) => ids.includes(id)))),
      scenesWith: (kind, id) =>
        ask('scenesWith', [id], () => [...(this.touching.get(`${kind}:${id}`) ?? [])]),
      scenesWithFile: (baseNames) =>
        ask('scenesWithFile', [], () =>
          [...this.scenes.values()].filter(({ files }) =>
            files.some((file) => baseNames.some((name) => file.endsWith(`/${name}`))),
          ),
        ),
      scenesAfter: (after, limit, since = 0) =>
        ask('scenesAfter', [], () => {
          const left = [...this.scenes.values()]
            .filter(({ id }) => Number(id) > after)
            .sort((a, b) => Number(a.id) - Number(b.id));
          const scenes = left.slice(0, limit);
          const lastId = Math.max(after, ...scenes.map(({ id }) => Number(id)));
          const isLast = scenes.length < limit;
          return {
            scenes: scenes.filter(({ updatedAt }) => updatedAt >= since),
            lastId,
            isLast,
            left: left.length,
          };
        }),
      cover: (id, validator) =>
        ask('cover', [id], () => {
          const bytes = Buffer.from(this.covers.get(id) ?? `\xff\xd8\xff the cover of ${id}`, 'latin1');
          const etag = `"${sha1Of(bytes)}"`;
          return validator === etag ? ({ kind: 'same' } as const) : coverOf(bytes, etag);
        }),
      close: async () => {},
    };
  }
}

export interface WakeOptions extends ProcessOptions {
  readonly scope?: Scope;
  readonly isBeside?: boolean;
}

export interface ProcessOptions {
  /** Dies instead of taking this step; steps count from 1, and each request and append is two of them. */
  readonly diesAtStep?: number;
}

/** One process: its own name, dice and life; the journal and the clock are everybody's. */
export class VirtualProcess {
  readonly #time: VirtualTime;
  readonly inv: string;
  readonly #diesAtStep: number;
  #steps = 0;
  #isDead = false;

  constructor(time: VirtualTime, inv: string, { diesAtStep = Number.POSITIVE_INFINITY }: ProcessOptions) {
    this.#time = time;
    this.inv = inv;
    this.#diesAtStep = diesAtStep;
  }

  step(): void {
    this.#time.step();
    this.#steps += 1;
    if (this.#steps >= this.#diesAtStep) this.kill();
    if (this.#isDead) throw new Killed(this.inv);
  }

  kill(): void {
    this.#isDead = true;
  }
}

export const PLEX_URL = 'http://plex:32400';

export class VirtualWorld {
  readonly time = new VirtualTime();
  readonly journal = new MemoryJournal();
  readonly stash = new FakeStash(this.time);
  readonly plex = new FakePlex(this.time, 'machine-1');
  /** What answers at which address; anywhere else nothing listens. */
  readonly hosts = new Map<string, FakePlex>([[PLEX_URL, this.plex]]);
  readonly logs: string[] = [];
  /** What is in the settings file; null: there is none. */
  settingsFile: string | null = null;
  maxAppends = MAX_APPENDS;
  houseRules = HOUSE_RULES;
  appends = 0;
  /** Stash is process 1 of its container. */
  isStashInit = false;
  /** Detached drainers that were started, and those that are still at work. */
  readonly started: string[] = [];
  readonly #alive = new Map<string, VirtualProcess>();
  readonly #background = new Set<Promise<unknown>>();
  readonly #checkpoints = { control: '', queue: '', agenda: '' };
  #made = 0;
  /** For the next drainer that is started detached. */
  nextDrainer: ProcessOptions = {};

  /** Scenes 1 to `count`, in Stash and in Plex, not yet the same. */
  static withScenes(count: number): VirtualWorld {
    const world = new VirtualWorld();
    for (let number = 1; number <= count; number++) {
      world.stash.edit(`${number}`, { title: `title ${number}`, updatedAt: 0 });
      world.plex.add(`${number}`);
    }
    return world;
  }

  /** Queues jobs as a look does that finds them changed, without seeing to a drainer. */
  async queued(...jobs: readonly JobName[]): Promise<void> {
    const { journal } = this.#newProcess('wake');
    const log = await QueueLog.open(journal, this.#writer('wake'));
    const { now } = this.stash;
    const isFirst = log.queue.looked.upTo === NEVER;
    const looked = isFirst ? [{ type: 'stash.looked', upTo: now, begin: now } as const] : [];
    const queued = jobs.map((job) => {
      const changedAt = this.stash.scenes.get(job.slice('scene:'.length))?.updatedAt || undefined;
      const isNews = changedAt !== undefined && !isSeen(log.queue.looked, job, changedAt);
      return { type: 'job.queued', job, cause: 'change', ...(isNews && { changedAt }) } as const;
    });
    await this.time.during(() => log.appendOrThrow(...looked, ...queued));
  }

  /** Puts a reconciliation on the journal, for whoever drains next. */
  async request(scope: ReconcileScope): Promise<void> {
    const { journal } = this.#newProcess('task');
    const queue = await QueueLog.open(journal, this.#writer('task'));
    await this.time.during(() => queue.appendOrThrow({ type: 'reconcile.requested', scope, cause: 'task' }));
  }

  /** The control log, for a test to write in as if it were a process. */
  async scribe(inv = 'drain'): Promise<ControlLog> {
    return ControlLog.open(this.journal, this.#writer(inv));
  }

  drain(options: Partial<DrainOptions> & ProcessOptions = {}): Promise<DrainSummary> {
    const { isImpatient = false, mayWait = true, hasLooked } = options;
    const made = this.#newProcess(isImpatient ? 'task' : 'drain', options);
    return this.#living(made.process, () =>
      drain(made.world, { isImpatient, mayWait, ...(hasLooked && { hasLooked }) }),
    );
  }

  run(mode: TaskMode, args: TaskArgs = {}): Promise<TaskResult> {
    const made = this.#newProcess('task');
    return this.#living(made.process, () => runMode(mode, made.world, args));
  }

  /** Something that a process does with its world. */
  acting<T>(act: (world: World) => Promise<T>): Promise<T> {
    const made = this.#newProcess('cli');
    return this.#living(made.process, () => act(made.world));
  }

  /**
   * Something is saved in Stash, and the wake that its hook asks for runs to its end: the real one. The drainer that it
   * starts works on while the test waits for anything.
   */
  hook(job: JobName, options: WakeOptions = {}): Promise<TaskResult> {
    this.stash.touch(job);
    return this.wake({ scope: job.startsWith('library:') ? 'shared' : 'changes', ...options });
  }

  wake({ scope = 'changes', isBeside = false, ...options }: WakeOptions = {}): Promise<TaskResult> {
    const { process, world } = this.#newProcess('wake', options);
    const args = { scope, at: this.time.clock.now().at, beside: isBeside };
    return this.#living(process, () => runMode('wake', world, args));
  }

  /** Something that happens after `ms`, while the test waits for something. */
  after(ms: number, happens: () => unknown): void {
    this.#inBackground(this.time.sleep(ms).then(happens));
  }

  pass(ms: number): Promise<void> {
    return this.time.during(() => this.time.sleep(ms));
  }

  /** Until every process that was started in the background is gone. */
  async settled(): Promise<void> {
    await this.time.during(async () => {
      while (this.#background.size > 0) await Promise.race(this.#background);
    });
    this.time.assertWell();
  }

  /** The checkpoints, as text. */
  kept(): string {
    return JSON.stringify(this.#checkpoints);
  }

  killDrainers(): void {
    for (const process of this.#alive.values()) process.kill();
  }

  startDetached(lingerMs?: number): void {
    const made = this.#newProcess('drain', this.nextDrainer);
    this.nextDrainer = {};
    this.started.push(made.process.inv);
    const linger = lingerMs === undefined ? {} : { lingerMs };
    const run = () => drain(made.world, { isImpatient: false, mayWait: true, ...linger });
    this.#alive.set(made.process.inv, made.process);
    this.#inBackground(this.#living(made.process, run).finally(() => this.#alive.delete(made.process.inv)));
  }

  async steps(): Promise<Step[]> {
    const steps: Step[] = [];
    await ControlLog.open(this.journal, this.#writer('reader'), null, (step) => steps.push(step));
    return steps;
  }

  async control(): Promise<ControlLog> {
    return this.scribe('reader');
  }

  async queue(): Promise<Queue> {
    return (await QueueLog.open(this.journal, this.#writer('reader'))).queue;
  }

  /** How often the breaker has opened. */
  async openings(): Promise<number> {
    const isOpening = ({ before, after }: Step) =>
      before.breaker.value !== 'open' && after.breaker.value === 'open';
    return (await this.steps()).filter(isOpening).length;
  }

  #living<T>(process: VirtualProcess, work: () => Promise<T>): Promise<T> {
    return this.time.during(async () => {
      try {
        return await work();
      } finally {
        this.time.assertWell();
        process.kill();
      }
    });
  }

  /** Deaths are what they are for; anything else that goes wrong in the background breaks the world. */
  #inBackground(work: Promise<unknown>): void {
    const watched: Promise<unknown> = work
      .catch((error: Error) => {
        if (error instanceof Killed) return;
        try {
          this.time.break(error);
        } catch {
          // Whoever takes the next step hears of it.
        }
      })
      .finally(() => this.#background.delete(watched));
    this.#background.add(watched);
  }

  #writer(kind: string): Writer {
    this.#made += 1;
    return fakeWriter(this.time.clock, `${kind}-${this.#made}`, this.#made);
  }

  #newProcess(kind: string, options: ProcessOptions = {}) {
    const writer = this.#writer(kind);
    const process = new VirtualProcess(this.time, writer.inv, options);
    const journal = new ProcessJournal(this, process);
    const dir: DataDir = {
      ...NOWHERE,
      journal,
      controlCheckpoint: this.#file('control', process),
      queueCheckpoint: this.#file('queue', process),
      agendaCheckpoint: this.#file('agenda', process),
    };
    const world: World = {
      dir,
      house: { segments: this.journal, rules: this.houseRules },
      writer,
      settingsFile: {
        read: () => parseSettingsFile(this.settingsFile),
        write: (values) => {
          this.settingsFile = JSON.stringify(values);
        },
      },
      stash: this.stash.port(process),
      connectPlex: ({ plexUrl }, hasEverWorked) =>
        (this.hosts.get(plexUrl) ?? this.#nobody()).port(writer.inv, process, hasEverWorked),
      fingerprint: ({ plexUrl, plexToken }) => `${plexUrl} ${plexToken}`,
      drainers: {
        isStashInit: () => this.isStashInit,
        startDetached: async (lingerMs) => {
          process.step();
          this.startDetached(lingerMs);
        },
      },
      env: {},
      sleep: async (ms) => {
        process.step();
        await this.time.sleep(ms);
        process.step();
      },
      log: { line: (level, text) => void this.logs.push(`${level}: ${text}`), progress: () => {} },
    };
    return { process, journal, dir, writer, world };
  }

  #file(name: 'control' | 'queue' | 'agenda', process: VirtualProcess) {
    return {
      read: () => {
        const text = this.#checkpoints[name];
        return text === '' ? null : JSON.parse(text);
      },
      write: (data: unknown) => {
        process.step();
        this.#checkpoints[name] = JSON.stringify(data);
      },
    };
  }

  #nobody(): FakePlex {
    const nobody = new FakePlex(this.time, '');
    nobody.goAway();
    return nobody;
  }
}

/** The journal as one process uses it: an append takes time, and is there even if its writer dies over it. */
class ProcessJournal extends MemoryJournal {
  readonly #world: VirtualWorld;
  readonly #process: VirtualProcess;

  constructor(world: VirtualWorld, process: VirtualProcess) {
    super();
    this.#world = world;
    this.#process = process;
  }

  override async append(...given: Parameters<MemoryJournal['append']>) {
    const { time, journal, maxAppends } = this.#world;
    this.#process.step();
    this.#world.appends += 1;
    if (this.#world.appends > maxAppends) time.break(new HotLoop(`more than ${maxAppends} appends`));
    const result = await journal.append(...given);
    await time.sleep(APPEND_MS);
    this.#process.step();
    return result;
  }

  override async read(...given: Parameters<MemoryJournal['read']>) {
    this.#process.step();
    return this.#world.journal.read(...given);
  }

  override async size(...given: Parameters<MemoryJournal['size']>) {
    return this.#world.journal.size(...given);
  }
}

function sha1Of(bytes: Buffer): string {
  return createHash('sha1').update(bytes).digest('hex');
}

/** The file of scene `id`, under the same path in Stash and in Plex. */
export function fileOf(id: string): string {
  return `/media/clip ${id}.mp4`;
}

function failed(trouble: Trouble, method: PlexMethod, hasEverWorked: boolean, time: VirtualTime) {
  const failure: Failure =
    'code' in trouble
      ? ofNetwork(trouble.code, hasEverWorked)
      : ofStatus(trouble.status, ASKED[method], trouble.body ?? '', trouble.retryAfter, time.clock.now().at);
  return { ok: false, failure } as const;
}

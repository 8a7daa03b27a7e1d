// A Plex with one library, and what is wrong with it at the time. A request arrives, is carried out or not, and is
// answered or not: whoever dies in between has still asked. Edits of one item take effect in the order in which they
// came, if late.

import { createHash } from 'node:crypto';
import { type Asked, type Failure, ofBody, ofNetwork, ofStatus } from '../../src/plex/failures.ts';
import { type PlexResult, PROBE_TIMEOUT_MS } from '../../src/plex/plex-client.ts';
import { type ImageKind, type PlexItem, TAG_KINDS } from '../../src/plex/plex-item.ts';
import type { PlexPort } from '../../src/sync/deliver.ts';
import type { Dice } from './dice.ts';
import type { Kernel, SimProcess } from './kernel.ts';
import { PLEX_FAULTS, type PlexFault } from './plex-faults.ts';
import { fileOf } from './stash.ts';

export type PlexMethod = Exclude<keyof PlexPort, 'close'>;

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

const WRITES: ReadonlySet<PlexMethod> = new Set(['edit', 'uploadImage', 'selectImage']);
/** Nobody in Stash knows of it: it has to stay. */
export const FOREIGN_TAG = 'put there by a person';
const ANSWER_MS = 20;
const TIMEOUT_MS = 30_000;
const LATE_MS = 15_000;
/** Plex has taken in the files of a folder after at most this. */
export const SCAN_MS = 40_000;
const SERVER_ID = 'machine-1';

interface Held {
  key: string;
  readonly scene: string;
  bornMs: number;
  file: string;
  fields: Record<string, string>;
  tags: Record<(typeof TAG_KINDS)[number], string[]>;
  locked: Set<string>;
  images: Record<ImageKind, string>;
  uploads: Record<ImageKind, string[]>;
  /** When the last edit takes effect. */
  busyUntilMs: number;
  changedMs: number;
  /** When a person said something else of a field that we have not written since. */
  readonly touchedMs: Map<string, number>;
}

export interface PlexCall {
  readonly process: SimProcess;
  readonly method: PlexMethod;
  /** Of an item; of a scan, the folder; of a probe, the server that is asked for. */
  readonly key: string;
  /** Of the item that is meant; null: there is none, or several. */
  readonly scene: string | null;
  readonly parameters: URLSearchParams | null;
}

export class SimPlex {
  readonly #kernel: Kernel;
  readonly #items = new Map<string, Held>();
  readonly faults = new Set<PlexFault>();
  acceptedToken: string;
  #keys = 100;
  #scans = 1;
  /** The scenes that have a file in it. */
  scenesIn: (folder: string) => readonly string[] = () => [];
  /** Where the file of a scene is. */
  fileOf: (scene: string) => string = (scene) => fileOf(scene);
  onFault: (kind: string) => void = () => {};
  onCall: (call: PlexCall) => void = () => {};
  onAnswer: (call: PlexCall, result: 'ok' | 'down' | 'nothing') => void = () => {};

  constructor(kernel: Kernel, token: string) {
    this.#kernel = kernel;
    this.acceptedToken = token;
  }

  /** Plex has scanned: the item of a scene is there. */
  add(scene: string): void {
    if (this.#items.has(scene)) return;
    this.#scans += 1;
    this.#items.set(scene, {
      key: this.#newKey(),
      scene,
      bornMs: this.#kernel.nowMs,
      file: this.fileOf(scene),
      fields: { title: `clip ${scene}` },
      tags: { genre: [FOREIGN_TAG], actor: [], collection: [], label: [] },
      locked: new Set(),
      images: { thumb: '', art: '' },
      uploads: { thumb: [], art: [] },
      busyUntilMs: 0,
      changedMs: 0,
      touchedMs: new Map(),
    });
  }

  /** The library was made anew: the keys that are remembered lead nowhere. */
  rekey(scene: string): void {
    const held = this.#items.get(scene);
    if (held === undefined) return;
    this.#scans += 1;
    held.key = this.#newKey();
    held.bornMs = this.#kernel.nowMs;
    held.locked.clear();
  }

  /** Its file has another name: Plex takes that for another item. */
  move(scene: string): void {
    if (!this.#items.delete(scene)) return;
    this.add(scene);
  }

  /** Somebody says something else in Plex. */
  change(scene: string, field: string, value: string): void {
    const held = this.#items.get(scene);
    if (held === undefined) return;
    held.fields[field] = value;
    held.changedMs = this.#kernel.nowMs;
    held.touchedMs.set(field, this.#kernel.nowMs);
  }

  /** When a person said something else of it, if we have not written it since; else never. */
  touchedMs(scene: string, field: string): number {
    return this.#items.get(scene)?.touchedMs.get(field) ?? Number.POSITIVE_INFINITY;
  }

  /** Whether it changed since, or will as of something that was asked before. */
  isBusySince(scene: string, ms: number): boolean {
    const held = this.#items.get(scene);
    return held !== undefined && Math.max(held.changedMs, held.busyUntilMs) >= ms;
  }

  /** Somebody had Plex forget what it knew of an item. */
  wipe(scene: string): void {
    const held = this.#items.get(scene);
    if (held === undefined) return;
    held.changedMs = this.#kernel.nowMs;
    held.fields = { title: `clip ${scene}` };
    held.tags = { genre: [FOREIGN_TAG], actor: [], collection: [], label: [] };
  }

  isThereSince(scene: string, ms: number): boolean {
    return (this.#items.get(scene)?.bornMs ?? Number.POSITIVE_INFINITY) < ms;
  }

  item(scene: string): PlexItem | undefined {
    const held = this.#items.get(scene);
    return held === undefined ? undefined : this.#view(held);
  }

  port(
    process: SimProcess,
    token: string,
    hasEverWorked: boolean,
    wallNow: () => number,
    dice: Dice,
  ): PlexPort {
    let hasWorked = hasEverWorked;
    const ask = async <T>(
      method: PlexMethod,
      key: string,
      carryOut: () => PlexResult<T>,
      parameters: URLSearchParams | null = null,
    ): Promise<PlexResult<T>> => {
      const scene = [...this.#items.values()].find((held) => held.key === key)?.scene ?? null;
      const call: PlexCall = { process, method, key, scene, parameters };
      this.onCall(call);
      const half = () => Math.round(dice.random() * ANSWER_MS);
      let fault: PlexFault | null = null;
      const arrive = (by: Dice) => {
        fault = this.#faultOf(method, token, by);
        return this.#carryOut(call, fault, carryOut, by);
      };
      // A request that was on its way when its process died may still arrive.
      const torn = (by: Dice) => void (by.chance(0.5) && arrive(by));
      const result = await this.#kernel.operation(
        process,
        `Plex ${method} ${key}`,
        half(),
        () => arrive(dice),
        torn,
      );
      const isHanging = fault === 'hang';
      const timeoutMs = method === 'probe' ? PROBE_TIMEOUT_MS : TIMEOUT_MS;
      await this.#kernel.operation(
        process,
        `answer ${fault ?? 'ok'}`,
        isHanging ? timeoutMs : half(),
        () => null,
      );
      if (fault === null || fault === 'edits late') {
        hasWorked = true;
        this.onAnswer(call, result.ok ? 'ok' : 'nothing');
        return result;
      }
      this.onFault(`Plex ${fault}`);
      this.onAnswer(call, PLEX_FAULTS[fault as PlexFault].says);
      return { ok: false, failure: failureOf(fault, ASKED[method], hasWorked, wallNow(), dice) };
    };
    const items = (keys: readonly string[]) =>
      [...this.#items.values()].filter(({ key }) => keys.includes(key));
    const write = (key: string, change: (held: Held) => void): PlexResult<null> => {
      const held = items([key])[0];
      if (held === undefined) return { ok: false, failure: ofStatus(404, 'edit', '', undefined, wallNow()) };
      change(held);
      held.changedMs = this.#kernel.nowMs;
      return { ok: true, value: null };
    };
    return {
      probe: (serverId) =>
        ask('probe', serverId, () => ({
          ok: true,
          value: { machineIdentifier: SERVER_ID, version: '1.40' },
        })),
      sections: () =>
        ask('sections', '', () => {
          const library = { key: '1', type: 'movie', title: 'Scenes', locations: ['/media'] };
          return { ok: true, value: [{ ...library, scannedAt: `${this.#scans}` }] };
        }),
      findByFile: (_section, baseName) =>
        ask('findByFile', baseName, () => {
          const found = [...this.#items.values()].filter(({ file }) => file.endsWith(`/${baseName}`));
          return { ok: true, value: found.map((held) => this.#view(held)) };
        }),
      itemsOfSection: (_section, start, size) =>
        ask('itemsOfSection', '', () => {
          const page = [...this.#items.values()].slice(start, start + size);
          return { ok: true, value: page.map((held) => this.#view(held)) };
        }),
      items: (keys) =>
        ask('items', keys.join(), () => ({ ok: true, value: items(keys).map((held) => this.#view(held)) })),
      edit: ({ ratingKey }, parameters) =>
        ask('edit', ratingKey, () => write(ratingKey, (held) => edit(held, parameters)), parameters),
      images: (key, kind) =>
        ask('images', key, () => {
          const names = items([key])[0]?.uploads[kind] ?? [];
          const value = names.map((ratingKey, index) => ({
            ratingKey,
            isSelected: index === names.length - 1,
          }));
          return { ok: true, value };
        }),
      uploadImage: (key, kind, bytes) => {
        const name = `upload://x/${createHash('sha1').update(bytes).digest('hex')}`;
        return ask('uploadImage', key, () => write(key, (held) => this.#show(held, kind, name)));
      },
      selectImage: (key, kind, name) =>
        ask('selectImage', key, () => write(key, (held) => this.#show(held, kind, name))),
      scan: (_section, folder) => ask('scan', folder, () => this.#scan(folder, dice)),
      close: async () => {},
    };
  }

  #scan(folder: string, dice: Dice): PlexResult<null> {
    this.#kernel.after(dice.pick([300, 4_000, SCAN_MS]), () => {
      this.#scans += 1;
      for (const scene of this.scenesIn(folder)) this.add(scene);
    });
    return { ok: true, value: null };
  }

  #faultOf(method: PlexMethod, token: string, dice: Dice): PlexFault | null {
    if (token !== this.acceptedToken && this.faults.size === 0) return 'unauthorized';
    const applicable = [...this.faults].filter((fault) => isFor(fault, method));
    return applicable.length === 0 ? null : dice.pick(applicable);
  }

  #carryOut<T>(
    { method, key }: PlexCall,
    fault: PlexFault | null,
    carryOut: () => PlexResult<T>,
    dice: Dice,
  ): PlexResult<T> {
    const isDone = fault === null || fault === 'reset after' || (fault === 'hang' && dice.chance(0.5));
    if (method === 'scan' && !isDone) return { ok: true, value: null as T };
    if (!WRITES.has(method)) return carryOut();
    if (!isDone && fault !== 'edits late') return { ok: true, value: null as T };
    const held = [...this.#items.values()].find((item) => item.key === key);
    const isLate = fault === 'edits late' || (fault === 'hang' && dice.chance(0.5));
    const atMs = Math.max(held?.busyUntilMs ?? 0, this.#kernel.nowMs + (isLate ? dice.int(LATE_MS) : 0));
    if (held === undefined || atMs <= this.#kernel.nowMs) return carryOut();
    held.busyUntilMs = atMs;
    this.#kernel.at(atMs, () => void carryOut());
    return { ok: true, value: null as T };
  }

  #view({ key, file, fields, tags, locked, images }: Held): PlexItem {
    const live = structuredClone({ fields, tags, locked, images });
    return {
      ratingKey: key,
      sectionKey: '1',
      files: [file],
      fileSizes: {},
      actorDetails: {},
      ...live,
    };
  }

  #show(held: Held, kind: ImageKind, name: string): void {
    held.uploads[kind] = [...held.uploads[kind].filter((known) => known !== name), name];
    held.images[kind] = `/library/metadata/${held.key}/${kind}/${this.#kernel.steps}`;
  }

  #newKey(): string {
    this.#keys += 1;
    return `${this.#keys}`;
  }
}

function isFor(fault: PlexFault, method: PlexMethod): boolean {
  if (fault === 'edits rejected' || fault === 'edits fail') return WRITES.has(method);
  if (fault === 'edits late') return method === 'edit';
  if (fault === 'library gone') return method === 'findByFile' || method === 'itemsOfSection';
  if (fault === 'other server' || fault === 'login page') return method === 'probe' || fault === 'login page';
  return true;
}

/** What the client would make of it. */
function failureOf(fault: PlexFault, asked: Asked, hasWorked: boolean, wallNow: number, dice: Dice): Failure {
  const status = (code: number, body = '', retryAfter?: string) =>
    ofStatus(code, asked, body, retryAfter, wallNow);
  const pause = () => (dice.chance(0.3) ? undefined : `${dice.pick([1, 5, 30, 120])}`);
  switch (fault) {
    case 'refused':
      return ofNetwork('ECONNREFUSED', hasWorked);
    case 'unreachable':
      return ofNetwork('EHOSTUNREACH', hasWorked);
    case 'reset before':
    case 'reset after':
      return ofNetwork('ECONNRESET', hasWorked);
    case 'hang':
      return ofNetwork('DEADLINE', hasWorked);
    case 'maintenance':
      return status(503, '{"title":"Maintenance"}');
    case 'bad gateway':
      return status(502);
    case 'gateway timeout':
      return status(504);
    case 'error 500':
    case 'edits fail':
      return status(500);
    case 'garbage':
      return ofBody('garbage');
    case 'overload':
      return status(503, '', pause());
    case 'too many':
      return status(429, '', pause());
    case 'unauthorized':
      return status(401);
    case 'forbidden':
      return status(403);
    case 'login page':
      return ofBody('html');
    case 'other server':
      return ofBody('otherServer');
    case 'library gone':
      return status(404);
    case 'edits rejected':
    case 'edits late':
      return status(400);
  }
}

function edit(held: Held, parameters: URLSearchParams): void {
  for (const [name, value] of parameters) {
    if (name.endsWith('.value')) {
      const part = name.slice(0, -'.value'.length);
      held.fields[part] = value;
      held.touchedMs.delete(part);
    }
    if (!name.endsWith('.locked')) continue;
    const part = name.slice(0, -'.locked'.length);
    if (value === '1') held.locked.add(part);
    else held.locked.delete(part);
  }
  for (const kind of TAG_KINDS) {
    const listed = [...parameters].filter(([name]) => name.startsWith(`${kind}[`) && name.endsWith('.tag'));
    if (listed.length > 0) held.tags[kind] = listed.map(([, value]) => value);
    const dropped = (parameters.get(`${kind}[].tag.tag-`) ?? '').split(',').map(decodeURIComponent);
    held.tags[kind] = held.tags[kind].filter((name) => !dropped.includes(name));
  }
}

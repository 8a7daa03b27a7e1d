// Stash as Breakwater asks it: settings, scenes, fan-out, tasks; one GraphQL document a call. Works from
// v0.25 to v0.30: what differs between versions is asked by introspection, never guessed from a version.
// A failure here says nothing about Plex and never reaches the breaker.

import { HttpSession } from '../http/http-session.ts';
import { parseJson } from '../http/json.ts';
import type { SharedKind } from '../queue/events.ts';
import {
  type Changed,
  type ChangedRow,
  changedLists,
  changedQuery,
  changedRows,
  ZONE_MARGIN_MS,
} from './changed.ts';
import { headersOf, type StashConnection, secretOf } from './connection.ts';
import { type Cover, coverOf } from './cover.ts';
import { filesOf, type StashScene, sceneFields, sceneOf } from './stash-scene.ts';

export interface StashFailure {
  /** `unreachable`: no answer. `unauthorized`: the cookie has expired or the key is wrong. `refused`: GraphQL said no. */
  readonly kind: 'unreachable' | 'unauthorized' | 'refused';
  readonly detail: string;
}

export type StashResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: StashFailure };

type Json = Readonly<Record<string, unknown>>;

export interface ScenePage {
  readonly scenes: readonly StashScene[];
  /** Where the next page begins. */
  readonly lastId: number;
  readonly isLast: boolean;
  /** Scenes from this page on, about. */
  readonly left: number;
}

/** What has to be known of a scene to find its item. */
export type SceneFiles = Pick<StashScene, 'id' | 'files' | 'fileSizes'>;

const TIMEOUT_MS = 30_000;
const NOT_LET_IN = 'Stash does not let us in: the session has ended, or the API key is wrong or missing';
/** Of what has changed, as Stash gives it: a million rows of each kind. */
const MAX_PAGES = 1_000;
/** It is kept in the journal. */
const MAX_VALIDATOR_LENGTH = 200;

export class StashClient {
  readonly #connection: StashConnection;
  readonly #http: HttpSession;
  #groups: 'groups' | 'movies' | null | undefined;

  constructor(connection: StashConnection) {
    this.#connection = connection;
    // Stash runs on this host, usually with a certificate of its own making.
    this.#http = new HttpSession(connection.origin, { allowsSelfSigned: true });
  }

  get sent(): number {
    return this.#http.sent;
  }

  close(): Promise<void> {
    return this.#http.close();
  }

  /** The plugin's settings as Stash keeps them; unset ones are absent. */
  async settings(pluginId: string): Promise<StashResult<Json>> {
    const result = await this.#query('query($ids:[ID!]){configuration{plugins(include:$ids)}}', {
      ids: [pluginId],
    });
    if (!result.ok) return result;
    const plugins = object(object(result.value.configuration).plugins);
    return { ok: true, value: object(plugins[pluginId]) };
  }

  /** Sets some of the plugin's settings. Stash replaces them all: those that are there are sent along. */
  async configure(pluginId: string, values: Json): Promise<StashResult<null>> {
    const before = await this.settings(pluginId);
    if (!before.ok) return before;
    const input = { ...before.value, ...values };
    const result = await this.#query(
      'mutation($id:ID!,$input:Map!){configurePlugin(plugin_id:$id,input:$input)}',
      {
        id: pluginId,
        input,
      },
    );
    return result.ok ? { ok: true, value: null } : result;
  }

  /** Scenes by id; those that are gone are left out. Works where `findScenes(ids:)` is not known yet. */
  async scenes(ids: readonly string[]): Promise<StashResult<Map<string, StashScene>>> {
    if (ids.length === 0) return { ok: true, value: new Map() };
    const groups = await this.#groupsWord();
    if (!groups.ok) return groups;
    const fields = sceneFields(groups.value);
    const parts = ids.map((id, index) => `s${index}:findScene(id:${JSON.stringify(id)}){${fields}}`);
    const result = await this.#query(`query{${parts.join(' ')}}`);
    if (!result.ok) return result;
    const scenes = new Map<string, StashScene>();
    ids.forEach((id, index) => {
      const json = result.value[`s${index}`];
      if (isObject(json)) scenes.set(id, sceneOf(json));
    });
    return { ok: true, value: scenes };
  }

  /** Ids of all scenes that a tag, performer, studio or group touches, in one answer: pages could shift meanwhile. */
  async scenesWith(kind: SharedKind, id: string): Promise<StashResult<string[]>> {
    const criterion = await this.#criterionOf(kind);
    if (!criterion.ok) return criterion;
    if (criterion.value === null) return { ok: true, value: [] };
    const query =
      'query($scenes:SceneFilterType){findScenes(filter:{per_page:-1},scene_filter:$scenes){scenes{id}}}';
    const scenes = { [criterion.value]: { value: [id], modifier: 'INCLUDES' } };
    const result = await this.#query(query, { scenes });
    if (!result.ok) return result;
    const found = object(result.value.findScenes).scenes;
    const ids = Array.isArray(found) ? found.map((scene) => String(object(scene).id)) : [];
    return { ok: true, value: ids.filter(isId) };
  }

  /** All scenes that have a file of one of these names, in whatever folder. */
  async scenesWithFile(baseNames: readonly string[]): Promise<StashResult<SceneFiles[]>> {
    if (baseNames.length === 0) return { ok: true, value: [] };
    const query = `query($scenes:SceneFilterType){findScenes(filter:{per_page:-1},scene_filter:$scenes)
      {scenes{id files{path size}}}}`;
    // Text that is "included" is cut into words by Stash; only a pattern finds a whole name.
    const value = `[/\\\\](?:${baseNames.map(escaped).join('|')})$`;
    const result = await this.#query(query, { scenes: { path: { value, modifier: 'MATCHES_REGEX' } } });
    if (!result.ok) return result;
    const found = object(result.value.findScenes).scenes;
    const scenes = Array.isArray(found) ? found.map(object) : [];
    return { ok: true, value: scenes.map((scene) => ({ id: String(scene.id), ...filesOf(scene) })) };
  }

  /**
   * The next scenes in the order of their ids, at most `limit`; with `since` (wall ms) only those that Stash has seen
   * change from then on. Paged by id: a scene that is deleted meanwhile moves no other to another page.
   */
  async scenesAfter(id: number, limit: number, since?: number): Promise<StashResult<ScenePage>> {
    const groups = await this.#groupsWord();
    if (!groups.ok) return groups;
    const query = `query($filter:FindFilterType,$scenes:SceneFilterType){findScenes(filter:$filter,scene_filter:$scenes)
      {count scenes{${sceneFields(groups.value)}}}}`;
    const filter = { page: 1, per_page: limit, sort: 'id', direction: 'ASC' };
    const scenes = { ...changedFilter(since), id: { value: id, modifier: 'GREATER_THAN' } };
    const result = await this.#query(query, { filter, scenes });
    if (!result.ok) return result;
    const found = object(result.value.findScenes);
    const page = (Array.isArray(found.scenes) ? found.scenes.slice(0, limit) : [])
      .map(object)
      .filter((scene) => isId(String(scene.id)));
    const left = Number.isSafeInteger(found.count) ? Math.max(0, Number(found.count)) : page.length;
    const lastId = page.reduce((last, scene) => Math.max(last, Number(scene.id)), id);
    const wanted = page.filter(hasChangedSince(since)).map(sceneOf);
    // A page that leads nowhere would be asked for again and again.
    const isLast = page.length < limit || lastId === id;
    return { ok: true, value: { scenes: wanted, lastId, isLast, left } };
  }

  /**
   * Scenes, tags, performers, studios and groups that Stash has seen change since then (wall ms, by Stash's clock), in
   * one document unless there are very many.
   */
  async changedSince(since: number): Promise<StashResult<Changed>> {
    const assumed = this.#groups === undefined ? 'groups' : this.#groups;
    const first = await this.#changedPage(changedLists(assumed), since, 1);
    // Only an older Stash pays for a question more.
    const isOlder = !first.ok && first.failure.kind === 'refused' && this.#groups === undefined;
    const groups = isOlder ? await this.#groupsWord() : null;
    if (groups !== null && !groups.ok) return groups;
    let page = groups === null ? first : await this.#changedPage(changedLists(groups.value), since, 1);
    const rows: ChangedRow[] = [];
    for (let number = 2; page.ok && number <= MAX_PAGES; number++) {
      rows.push(...page.value.rows);
      if (page.value.more.length === 0) return { ok: true, value: { now: page.value.now, rows } };
      page = await this.#changedPage(page.value.more, since, number);
    }
    return page.ok ? failed('refused', 'Stash lists changes without end') : page;
  }

  /** Of each kind the one that changed last: a small answer, however much has changed of late. */
  async newest(): Promise<StashResult<Changed>> {
    const groups = await this.#groupsWord();
    // From the beginning of time on: the question goes back by the margin.
    return groups.ok ? this.#changedPage(changedLists(groups.value), ZONE_MARGIN_MS, 1, 1) : groups;
  }

  /** All ids of scenes. */
  async sceneIds(): Promise<StashResult<ReadonlySet<string>>> {
    const result = await this.#query('query{findScenes(filter:{per_page:-1}){scenes{id}}}');
    if (!result.ok) return result;
    const found = object(result.value.findScenes).scenes;
    // What is not said must not count as gone.
    if (!Array.isArray(found)) return failed('refused', 'Stash did not list its scenes');
    return { ok: true, value: new Set(found.map((scene) => String(object(scene).id))) };
  }

  /**
   * The cover of a scene. `validator`: of the one that is had already. Stash keeps most covers in its database and gives
   * those an entity tag; older ones are files and have a time.
   */
  async cover(id: string, validator: string): Promise<StashResult<Cover>> {
    const isTag = /^(W\/)?"/.test(validator);
    const condition = { [isTag ? 'if-none-match' : 'if-modified-since']: validator };
    const result = await this.#http.request({
      method: 'GET',
      path: `/scene/${encodeURIComponent(id)}/screenshot`,
      headers: { ...headersOf(this.#connection), ...(validator === '' ? {} : condition) },
      timeoutMs: TIMEOUT_MS,
    });
    if (result.kind === 'failure') {
      if (result.code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE')
        return { ok: true, value: { kind: 'unfit', detail: 'the cover is absurdly large' } };
      return failed('unreachable', `Stash does not answer (${result.code})`);
    }
    // A picture is asked for as a browser does, which is sent to the login page.
    if ([302, 401, 403].includes(result.status)) return failed('unauthorized', NOT_LET_IN);
    if (result.status === 304 && validator !== '') return { ok: true, value: { kind: 'same' } };
    if (result.status !== 200) {
      return { ok: true, value: { kind: 'none-yet', detail: `Stash has no cover (HTTP ${result.status})` } };
    }
    const header = result.headers.etag ?? result.headers['last-modified'];
    const isFit = typeof header === 'string' && header.length <= MAX_VALIDATOR_LENGTH;
    return { ok: true, value: coverOf(result.body, isFit ? header : '') };
  }

  /** The key that outlives the session cookie; empty when Stash has none. */
  async apiKey(): Promise<StashResult<string>> {
    const result = await this.#query('query{configuration{general{apiKey}}}');
    if (!result.ok) return result;
    const key = object(object(result.value.configuration).general).apiKey;
    return { ok: true, value: typeof key === 'string' ? key : '' };
  }

  async #changedPage(lists: ReturnType<typeof changedLists>, since: number, page: number, perPage?: number) {
    const result = await this.#answer(changedQuery(lists, since, page, perPage));
    if (!result.ok) return result;
    const { data, now } = result.value;
    const read = lists.flatMap((list) => {
      const found = changedRows(list, data, since);
      return found === null ? [] : [{ list, ...found }];
    });
    // What is not said must not count as unchanged: the cursor would move past it.
    if (read.length < lists.length) return failed('refused', 'Stash did not say what has changed');
    const more = read.filter(({ hasMore }) => hasMore).map(({ list }) => list);
    return { ok: true, value: { now, rows: read.flatMap(({ rows }) => rows), more } } as const;
  }

  async #criterionOf(kind: SharedKind): Promise<StashResult<string | null>> {
    if (kind !== 'group') return { ok: true, value: `${kind}s` };
    return this.#groupsWord();
  }

  /** Groups were called movies before v0.27. */
  async #groupsWord(): Promise<StashResult<'groups' | 'movies' | null>> {
    if (this.#groups !== undefined) return { ok: true, value: this.#groups };
    const result = await this.#query('query{__type(name:"SceneFilterType"){inputFields{name}}}');
    if (!result.ok) return result;
    const fields = object(result.value.__type).inputFields;
    const names = Array.isArray(fields) ? fields.map((field) => object(field).name) : [];
    this.#groups = (['groups', 'movies'] as const).find((word) => names.includes(word)) ?? null;
    return { ok: true, value: this.#groups };
  }

  /** What Stash says in an error may be what it was sent. */
  #quoted(message: unknown): string {
    const secret = secretOf(this.#connection);
    const text = typeof message === 'string' ? message : 'it does not say why';
    return (secret === '' ? text : text.replaceAll(secret, '***')).slice(0, 200);
  }

  async #query(query: string, variables: Json = {}): Promise<StashResult<Json>> {
    const result = await this.#answer(query, variables);
    return result.ok ? { ok: true, value: result.value.data } : result;
  }

  /** `now`: Stash's clock, wall ms; NaN where a proxy removes the header that says it. */
  async #answer(
    query: string,
    variables: Json = {},
  ): Promise<StashResult<{ readonly data: Json; readonly now: number }>> {
    const result = await this.#http.request({
      method: 'POST',
      path: '/graphql',
      headers: { 'content-type': 'application/json', ...headersOf(this.#connection) },
      body: JSON.stringify({ query, variables }),
      timeoutMs: TIMEOUT_MS,
      isUnrepeatable: query.startsWith('mutation'),
    });
    if (result.kind === 'failure') return failed('unreachable', `Stash does not answer (${result.code})`);
    // Up to v0.25 a wrong key is answered 500 and this word.
    const isRefused = result.status === 500 && result.body.subarray(0, 12).toString() === 'unauthorized';
    if (result.status === 401 || result.status === 403 || isRefused) {
      return failed('unauthorized', NOT_LET_IN);
    }
    const parsed = parseJson(result.body);
    if (parsed.kind === 'too-large') return failed('unreachable', 'the answer of Stash is absurdly large');
    if (parsed.kind === 'not-json') {
      return failed('unreachable', `Stash answered HTTP ${result.status} without JSON`);
    }
    const { errors, data } = object(parsed.value);
    if (Array.isArray(errors) && errors.length > 0) {
      return failed('refused', `Stash refused a query: ${this.#quoted(object(errors[0]).message)}`);
    }
    const now = Date.parse(String(result.headers.date));
    return { ok: true, value: { data: object(data), now } };
  }
}

/** Stash compares this as text, in its own time zone: ask for a day more, and look closely here. */
function changedFilter(since: number | undefined): Json {
  if (since === undefined) return {};
  const after = new Date(since - ZONE_MARGIN_MS).toISOString().slice(0, 19);
  return { updated_at: { value: `${after}Z`, modifier: 'GREATER_THAN' } };
}

function hasChangedSince(since: number | undefined): (scene: Json) => boolean {
  return ({ updated_at }) => since === undefined || !(Date.parse(String(updated_at)) < since);
}

/** For Go's patterns as for ours. */
function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/** Stash counts scenes from 1; anything else would be a job that nobody can deliver. */
function isId(id: string): boolean {
  return /^[1-9]\d{0,14}$/.test(id);
}

function failed(kind: StashFailure['kind'], detail: string): { ok: false; failure: StashFailure } {
  return { ok: false, failure: { kind, detail } };
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function object(value: unknown): Json {
  return isObject(value) ? value : {};
}

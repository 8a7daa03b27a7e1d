// Stash as Breakwater asks it: settings, scenes, fan-out, tasks; one GraphQL document a call. Works from
// v0.24 (which brought plugin settings) to v0.30: what differs between versions is asked by introspection, never guessed from a version.
// A failure here says nothing about Plex and never reaches the breaker.

import { HttpSession } from '../http/http-session.ts';
import type { JobKind } from '../queue/events.ts';
import { headersOf, type StashConnection } from './connection.ts';
import { SCENE_FIELDS, type StashScene, sceneOf } from './stash-scene.ts';

export interface StashFailure {
  /** `unreachable`: no answer. `unauthorized`: the cookie has expired or the key is wrong. `refused`: GraphQL said no. */
  readonly kind: 'unreachable' | 'unauthorized' | 'refused';
  readonly detail: string;
}

export type StashResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: StashFailure };

type Json = Readonly<Record<string, unknown>>;

const TIMEOUT_MS = 30_000;
/** Two time zones are never further apart, in ms. */
const ZONE_MARGIN_MS = 27 * 3_600_000;

export class StashClient {
  readonly #connection: StashConnection;
  readonly #http: HttpSession;

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

  /** Scenes by id; those that are gone are left out. Works where `findScenes(ids:)` is not known yet. */
  async scenes(ids: readonly string[]): Promise<StashResult<Map<string, StashScene>>> {
    if (ids.length === 0) return { ok: true, value: new Map() };
    const parts = ids.map((id, index) => `s${index}:findScene(id:${JSON.stringify(id)}){${SCENE_FIELDS}}`);
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
  async scenesWith(kind: Exclude<JobKind, 'scene'>, id: string): Promise<StashResult<string[]>> {
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
    return { ok: true, value: ids };
  }

  /** Ids of all scenes; with `since` (wall ms) only of those that Stash has seen change from then on. */
  async sceneIds(since?: number): Promise<StashResult<string[]>> {
    const query =
      'query($scenes:SceneFilterType){findScenes(filter:{per_page:-1},scene_filter:$scenes){scenes{id updated_at}}}';
    // Stash compares this as text, in its own time zone: ask for a day more, and look closely here.
    const after = since === undefined ? null : new Date(since - ZONE_MARGIN_MS).toISOString().slice(0, 19);
    const scenes = after === null ? {} : { updated_at: { value: `${after}Z`, modifier: 'GREATER_THAN' } };
    const result = await this.#query(query, { scenes });
    if (!result.ok) return result;
    const found = object(result.value.findScenes).scenes;
    const all = Array.isArray(found) ? found.map(object) : [];
    const wanted = all.filter(
      ({ updated_at }) => since === undefined || !(Date.parse(String(updated_at)) < since),
    );
    return { ok: true, value: wanted.map(({ id }) => String(id)) };
  }

  /** The key that outlives the session cookie; empty when Stash has none. */
  async apiKey(): Promise<StashResult<string>> {
    const result = await this.#query('query{configuration{general{apiKey}}}');
    if (!result.ok) return result;
    const key = object(object(result.value.configuration).general).apiKey;
    return { ok: true, value: typeof key === 'string' ? key : '' };
  }

  async #criterionOf(kind: Exclude<JobKind, 'scene'>): Promise<StashResult<string | null>> {
    if (kind !== 'group') return { ok: true, value: `${kind}s` };
    // Groups were called movies before v0.27.
    const result = await this.#query('query{__type(name:"SceneFilterType"){inputFields{name}}}');
    if (!result.ok) return result;
    const fields = object(result.value.__type).inputFields;
    const names = Array.isArray(fields) ? fields.map((field) => object(field).name) : [];
    const name = ['groups', 'movies'].find((candidate) => names.includes(candidate)) ?? null;
    return { ok: true, value: name };
  }

  async #query(query: string, variables: Json = {}): Promise<StashResult<Json>> {
    const result = await this.#http.request({
      method: 'POST',
      path: '/graphql',
      headers: { 'content-type': 'application/json', ...headersOf(this.#connection) },
      body: JSON.stringify({ query, variables }),
      timeoutMs: TIMEOUT_MS,
      isUnrepeatable: query.startsWith('mutation'),
    });
    if (result.kind === 'failure') return failed('unreachable', `Stash does not answer (${result.code})`);
    const text = result.body.toString('utf8');
    // Up to v0.25 a wrong key is answered 500 and this word.
    const isRefused = result.status === 500 && text.startsWith('unauthorized');
    if (result.status === 401 || result.status === 403 || isRefused) {
      return failed('unauthorized', 'Stash does not let us in: the session has ended or the key is wrong');
    }
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      return failed('unreachable', `Stash answered HTTP ${result.status} without JSON`);
    }
    const errors = object(json).errors;
    if (Array.isArray(errors) && errors.length > 0) {
      return failed('refused', `Stash refused a query: ${String(object(errors[0]).message).slice(0, 200)}`);
    }
    return { ok: true, value: object(object(json).data) };
  }
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

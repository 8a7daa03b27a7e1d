// The Plex Media Server as Breakwater speaks to it (facts: Plex wire notes, sections 1–9). Asks for JSON, sends
// the token in a header and nowhere else, and gives failures as classes. It keeps no state but the
// conversation; when to call is the drainer's business.

import { HttpSession } from '../http/http-session.ts';
import { parseJson } from '../http/json.ts';
import { type Asked, type Failure, ofBody, ofNetwork, ofStatus } from './failures.ts';
import {
  type ImageKind,
  identityOf,
  imageOf,
  isJson,
  itemOf,
  list,
  type PlexIdentity,
  type PlexImage,
  type PlexItem,
  type PlexSection,
  sectionOf,
} from './plex-item.ts';

export type PlexResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: Failure };

export interface PlexClientOptions {
  /** `http://host:32400`, with a path if a proxy wants one. */
  readonly url: string;
  readonly token: string;
  readonly allowsSelfSigned: boolean;
  /** Names this program to Plex; stable, so that Plex does not list a new device for each run. */
  readonly clientIdentifier: string;
  /** Whether Plex was ever reached under these settings: tells a dead name from a mistyped one. */
  readonly hasEverWorked: boolean;
  /** For one request, in ms. */
  readonly timeoutMs: number;
  /** Wall clock, ms. */
  readonly now: () => number;
}

/** What a probe may take, in ms: the health check answers at once or Plex is not well. */
export const PROBE_TIMEOUT_MS = 5_000;
/** What is looked at of the page that comes with a failure, in bytes. */
const MAX_FAILURE_BYTES = 64 * 1024;
/** A shorter word may well be in an answer by chance. */
const MIN_SECRET_LENGTH = 8;

type Json = Readonly<Record<string, unknown>>;

export class PlexClient {
  readonly #options: PlexClientOptions;
  readonly #http: HttpSession;
  readonly #basePath: string;
  #hasWorked: boolean;

  constructor(options: PlexClientOptions) {
    const url = new URL(options.url);
    this.#options = options;
    this.#basePath = url.pathname.replace(/\/+$/, '');
    this.#http = new HttpSession(url.origin, { allowsSelfSigned: options.allowsSelfSigned });
    this.#hasWorked = options.hasEverWorked;
  }

  /** Requests that went out. */
  get sent(): number {
    return this.#http.sent;
  }

  close(): Promise<void> {
    return this.#http.close();
  }

  /**
   * Is Plex back? `/identity` (needs no token, answers 503 while Plex starts), then whether it is the same
   * server as before (a stranger gets no token), then one authenticated read. `expected` empty: any.
   */
  async probe(expected: string): Promise<PlexResult<PlexIdentity>> {
    const identity = await this.#get('/identity', 'probe', PROBE_TIMEOUT_MS, false);
    if (!identity.ok) return identity;
    const value = identityOf(identity.value);
    const isOther = expected !== '' && value.machineIdentifier !== expected;
    if (isOther) return { ok: false, failure: ofBody('otherServer') };
    const sections = await this.#get('/library/sections', 'probe', PROBE_TIMEOUT_MS);
    return sections.ok ? { ok: true, value } : sections;
  }

  async sections(): Promise<PlexResult<PlexSection[]>> {
    const result = await this.#get('/library/sections', 'sections');
    if (!result.ok) return result;
    const sections = list(result.value.Directory).map(sectionOf);
    return { ok: true, value: sections.filter(({ key }) => key !== '') };
  }

  /** Items of a library with a file whose path holds `baseName`; tags in it are not complete. */
  async findByFile(sectionKey: string, baseName: string): Promise<PlexResult<PlexItem[]>> {
    const query = new URLSearchParams({ type: '1', file: baseName });
    const path = `/library/sections/${segment(sectionKey)}/all?${encoded(query)}`;
    const result = await this.#get(path, 'search');
    return result.ok ? { ok: true, value: itemsOf(result.value, sectionKey) } : result;
  }

  /** One page of all items of a library, as a listing has them; past the end it is empty. */
  async itemsOfSection(sectionKey: string, start: number, size: number): Promise<PlexResult<PlexItem[]>> {
    const page = { 'X-Plex-Container-Start': `${start}`, 'X-Plex-Container-Size': `${size}` };
    const query = new URLSearchParams({ type: '1', ...page });
    const path = `/library/sections/${segment(sectionKey)}/all?${encoded(query)}`;
    const result = await this.#get(path, 'search');
    return result.ok ? { ok: true, value: itemsOf(result.value, sectionKey) } : result;
  }

  /** Whole items, in no order; those that are gone are left out. */
  async items(ratingKeys: readonly string[]): Promise<PlexResult<PlexItem[]>> {
    const keys = ratingKeys.map(segment).join(',');
    const result = await this.#get(`/library/metadata/${keys}`, 'item');
    if (result.ok) return { ok: true, value: itemsOf(result.value, '') };
    return result.failure.class === 'missing' ? { ok: true, value: [] } : result;
  }

  /** Writes fields and tags of one item; the parameters are as in difference.ts. Success says nothing of effect. */
  async edit(item: PlexItem, parameters: URLSearchParams): Promise<PlexResult<null>> {
    const path = `/library/metadata/${segment(item.ratingKey)}?${encoded(parameters)}`;
    const result = await this.#write('PUT', path, 'edit');
    if (result.ok || result.failure.class !== 'missing' || item.sectionKey === '') return result;
    // Some servers know only the older form. `id` must be there: without it every item would be edited.
    const query = new URLSearchParams([['type', '1'], ['id', item.ratingKey], ...parameters]);
    const older = `/library/sections/${segment(item.sectionKey)}/all?${encoded(query)}`;
    return this.#write('PUT', older, 'edit');
  }

  /** The pictures of a kind that Plex has for an item. */
  async images(ratingKey: string, kind: ImageKind): Promise<PlexResult<PlexImage[]>> {
    const result = await this.#get(imagesPath(ratingKey, kind), 'item');
    return result.ok ? { ok: true, value: list(result.value.Metadata).map(imageOf) } : result;
  }

  /** Plex shows it at once. As bytes: an address would put the key of Stash into the log of Plex. */
  uploadImage(ratingKey: string, kind: ImageKind, bytes: Buffer): Promise<PlexResult<null>> {
    return this.#write('POST', imagesPath(ratingKey, kind), 'image', bytes);
  }

  /** Shows one that Plex already has, by its ratingKey. */
  selectImage(ratingKey: string, kind: ImageKind, image: string): Promise<PlexResult<null>> {
    const path = `/library/metadata/${segment(ratingKey)}/${IMAGE_PATHS[kind].shown}`;
    return this.#write('PUT', `${path}?${encoded(new URLSearchParams({ url: image }))}`, 'image');
  }

  /** Has Plex look at one folder of a library; returns before that is done. */
  async scan(sectionKey: string, folder: string): Promise<PlexResult<null>> {
    const query = encoded(new URLSearchParams({ path: folder }));
    const path = `/library/sections/${segment(sectionKey)}/refresh?${query}`;
    return this.#write('GET', path, 'sections');
  }

  async #get(
    path: string,
    asked: Asked,
    timeoutMs?: number,
    isTokenNeeded = true,
  ): Promise<PlexResult<Json>> {
    const result = await this.#send('GET', path, asked, timeoutMs, undefined, isTokenNeeded);
    if (!result.ok) return result;
    const parsed = parseJson(this.#withoutToken(result.value));
    if (parsed.kind === 'too-large') {
      return { ok: false, failure: ofNetwork('UND_ERR_RES_EXCEEDED_MAX_SIZE', this.#hasWorked) };
    }
    if (parsed.kind === 'not-json') {
      const head = result.value.toString('utf8', 0, 1024);
      return { ok: false, failure: ofBody(/^\s*<(!doctype|html)/i.test(head) ? 'html' : 'garbage') };
    }
    const container = isJson(parsed.value) ? parsed.value.MediaContainer : undefined;
    if (!isJson(container)) return { ok: false, failure: ofBody('noContainer') };
    return { ok: true, value: container };
  }

  async #write(
    method: 'GET' | 'PUT' | 'POST',
    path: string,
    asked: Asked,
    body?: Uint8Array,
  ): Promise<PlexResult<null>> {
    const result = await this.#send(method, path, asked, this.#options.timeoutMs, body);
    return result.ok ? { ok: true, value: null } : result;
  }

  async #send(
    method: 'GET' | 'PUT' | 'POST',
    path: string,
    asked: Asked,
    timeoutMs = this.#options.timeoutMs,
    body?: Uint8Array,
    isTokenNeeded = true,
  ): Promise<PlexResult<Buffer>> {
    const { token, clientIdentifier, now } = this.#options;
    const result = await this.#http.request({
      method,
      path: `${this.#basePath}${path}`,
      headers: {
        accept: 'application/json',
        ...(isTokenNeeded ? { 'x-plex-token': token } : {}),
        'x-plex-client-identifier': clientIdentifier,
        'x-plex-product': 'Breakwater',
      },
      timeoutMs,
      ...(body === undefined ? {} : { body }),
    });
    if (result.kind === 'failure') return { ok: false, failure: ofNetwork(result.code, this.#hasWorked) };
    const { status, headers } = result;
    if (status === 200 || status === 201 || status === 204) {
      this.#hasWorked = true;
      return { ok: true, value: result.body };
    }
    const retryAfter = headers['retry-after'];
    const header = Array.isArray(retryAfter) ? retryAfter[0] : retryAfter;
    const page = result.body.toString('utf8', 0, MAX_FAILURE_BYTES);
    return { ok: false, failure: ofStatus(status, asked, page, header, now()) };
  }

  /** Some servers put it into addresses of pictures: what they say goes into the journal, and it must not. */
  #withoutToken(body: Buffer): Buffer {
    const { token } = this.#options;
    if (token.length < MIN_SECRET_LENGTH || !body.includes(token)) return body;
    return Buffer.from(body.toString('utf8').replaceAll(token, '***'));
  }
}

/** One segment of a path, whatever it holds: a key may come from an old journal as well as from Plex. */
function segment(key: string): string {
  const word = encodeURIComponent(key.toWellFormed());
  return /^\.+$/.test(word) ? word.replaceAll('.', '%2E') : word;
}

/** Plex is only known to read a blank as %20. */
function encoded(query: URLSearchParams): string {
  return query.toString().replaceAll('+', '%20');
}

const IMAGE_PATHS = {
  thumb: { shown: 'poster', all: 'posters' },
  art: { shown: 'art', all: 'arts' },
} as const satisfies Readonly<Record<ImageKind, { readonly shown: string; readonly all: string }>>;

function imagesPath(ratingKey: string, kind: ImageKind): string {
  return `/library/metadata/${segment(ratingKey)}/${IMAGE_PATHS[kind].all}`;
}

function itemsOf(container: Json, sectionKey: string): PlexItem[] {
  const section =
    typeof container.librarySectionID === 'number' ? String(container.librarySectionID) : sectionKey;
  return list(container.Metadata)
    .map((json) => itemOf(json, section))
    .filter((item) => item !== null);
}

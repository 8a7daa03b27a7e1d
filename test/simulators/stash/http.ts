// The simulated Stash's HTTP face: faults first, then who asks, then GraphQL, pictures and the login. A
// client that goes away aborts its request, which kills the hook that request waits for.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname } from 'node:path';
import type { Identity } from './auth.ts';
import type { FaultList, RequestFaults } from './faults.ts';
import type { GraphqlEngine } from './graphql.ts';
import { type Picture, PLACEHOLDER } from './images.ts';
import type { Asker, Stash } from './stash.ts';

export interface RequestLine {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** GraphQL's root fields, like `findScene` or `version,plugins`; else method and path, without the query. */
  operation: string;
  /** The request body's size. */
  bytes: number;
  authed: boolean;
  /** 0 while it is not answered, and for ever if the connection was cut first. */
  status: number;
}

export interface HttpFace {
  readonly stash: Stash;
  readonly graphql: GraphqlEngine;
  readonly faults: FaultList;
  readonly requests: RequestLine[];
  /** Who sends this in `x-simulator-admin` is the admin and is spared the faults. */
  readonly adminToken: string;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string | Buffer;
  readonly cookie?: string;
  readonly etag?: string;
  readonly location?: string;
}

const MAX_BODY_BYTES = 64 * 1024 * 1024;
const EMPTY = { type: 'text/plain', body: '' };
const LOGIN_PAGE = '<!DOCTYPE html><title>Login</title>';
const GARBAGE = '<html>\u0000{"data": oops';

export async function handle(
  face: HttpFace,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://stash');
  const line: RequestLine = {
    at: Date.now(),
    operation: `${request.method} ${url.pathname}`,
    bytes: 0,
    authed: false,
    status: 0,
  };
  face.requests.push(line);
  const abort = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) abort.abort();
  });
  const isAdmin = request.headers['x-simulator-admin'] === face.adminToken;
  const faults: RequestFaults = isAdmin ? { delayMs: 0, kind: 'none' } : face.faults.take();
  if (faults.delayMs > 0) await delay(faults.delayMs, abort.signal);
  if (faults.kind === 'hang' || abort.signal.aborted) return;
  if (faults.kind === 'reset') {
    request.socket.resetAndDestroy();
    return;
  }
  const faulty = faultAnswer(faults.kind);
  const answer = faulty ?? (await trueAnswer(face, request, url, line, isAdmin, abort.signal));
  if (abort.signal.aborted) return;
  line.status = answer.status;
  await send(response, answer, faults.kind === 'truncated', face.stash.clock.now());
}

function faultAnswer(kind: RequestFaults['kind']): Answer | undefined {
  if (kind === 'unauthorized') return { status: 401, ...EMPTY };
  if (kind === 'error500') return { status: 500, type: 'text/plain', body: 'internal server error\n' };
  if (kind === 'garbage') return { status: 200, type: 'application/json', body: GARBAGE };
  return undefined;
}

async function trueAnswer(
  face: HttpFace,
  request: IncomingMessage,
  url: URL,
  line: RequestLine,
  isAdmin: boolean,
  signal: AbortSignal,
): Promise<Answer> {
  const { stash } = face;
  const body = await bodyOf(request);
  if (body === undefined) return { status: 413, ...EMPTY };
  line.bytes = body.length;
  if (url.pathname === '/login') {
    return request.method === 'POST'
      ? login(stash, body)
      : { status: 200, type: 'text/html', body: LOGIN_PAGE };
  }
  const visitor: Identity = isAdmin
    ? { kind: 'allowed', user: stash.auth.user, visited: [] }
    : stash.auth.identify(request, url.searchParams);
  if (visitor.kind === 'refused' && visitor.isStranger && isPage(url.pathname)) {
    const location = `/login?${new URLSearchParams({ returnURL: url.pathname + url.search })}`;
    return { status: 302, type: 'text/html', body: `<a href="${location}">Found</a>.\n\n`, location };
  }
  if (visitor.kind === 'refused') return { status: visitor.status, type: 'text/plain', body: visitor.text };
  line.authed = true;
  const base = `http://${request.headers.host ?? `${stash.place.host}:${stash.place.port}`}`;
  const asker: Asker = { user: visitor.user, visited: visitor.visited, signal, base };
  if (url.pathname === '/graphql') {
    const text =
      request.method === 'GET' ? JSON.stringify({ query: url.searchParams.get('query') }) : `${body}`;
    const answer = await face.graphql.answer(text, asker, (fields) => {
      line.operation = fields;
    });
    return { status: answer.status, type: 'application/json', body: answer.body };
  }
  const picture = pictureAt(stash, url.pathname);
  if (picture === undefined) return { status: 404, type: 'text/plain', body: '404 page not found\n' };
  const etag = `"${createHash('md5').update(picture.bytes).digest('hex')}"`;
  if (request.headers['if-none-match'] === etag) return { status: 304, type: picture.type, body: '', etag };
  return { status: 200, type: picture.type, body: picture.bytes, etag };
}

/** A scene without a cover has the SVG placeholder and not a 404, which is what a plugin must see through. */
function pictureAt(stash: Stash, path: string): Picture | undefined {
  const found = /^\/(scene|performer|studio|tag|group)\/(\d+)\/(screenshot|image)$/.exec(path);
  if (found === null) return undefined;
  const [, kind, id, what] = found as unknown as [string, string, string, string];
  if ((kind === 'scene') !== (what === 'screenshot')) return undefined;
  if (kind === 'scene') {
    const scene = stash.db.findScene(id);
    return scene === undefined ? undefined : (scene.cover ?? PLACEHOLDER);
  }
  const entity = stash.db.findEntity(kind as 'performer' | 'studio' | 'tag' | 'group', id);
  return entity === undefined ? undefined : (entity.image ?? PLACEHOLDER);
}

/** What a browser would show: who is not logged in is led to the login there, also for a picture. */
function isPage(path: string): boolean {
  return path !== '/graphql' && ['', '.html'].includes(extname(path));
}

function login(stash: Stash, body: Buffer): Answer {
  const form = new URLSearchParams(body.toString());
  const value = stash.auth.login(form.get('username') ?? '', form.get('password') ?? '');
  if (value === undefined) return { status: 401, ...EMPTY };
  return { status: 200, ...EMPTY, cookie: `session=${value}; Path=/; HttpOnly` };
}

async function send(response: ServerResponse, answer: Answer, isCut: boolean, nowMs: number): Promise<void> {
  const body = Buffer.from(answer.body as string);
  response.writeHead(answer.status, {
    'content-type': answer.type,
    'content-length': body.length,
    date: new Date(nowMs).toUTCString(),
    ...(answer.cookie === undefined ? {} : { 'set-cookie': answer.cookie }),
    ...(answer.location === undefined ? {} : { location: answer.location }),
    ...(answer.etag === undefined ? {} : { etag: answer.etag, 'cache-control': 'no-cache' }),
  });
  if (!isCut) {
    response.end(body);
    return;
  }
  response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.destroy());
  await once(response, 'close');
}

async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

async function delay(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

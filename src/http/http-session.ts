// One HTTP conversation with one server, over undici: keep-alive, one deadline for the whole exchange, a bound
// on what is read, no redirects. What goes wrong comes out as a value with the code of the cause; what the
// status means is the caller's business.
//
// It never retries, with one exception that the wire forces: a reused socket that was closed meanwhile says
// nothing about the server, so the request goes once more on a new one.

import { Agent, type Dispatcher } from 'undici';

export interface HttpRequest {
  readonly method: 'GET' | 'PUT' | 'POST';
  /** Path and query, as sent. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** For the whole exchange: connecting, sending, reading. */
  readonly timeoutMs: number;
  /** Sending it twice would do something else than sending it once. */
  readonly isUnrepeatable?: boolean;
}

export type HttpResult =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers: Readonly<Record<string, string | string[] | undefined>>;
      readonly body: Buffer;
    }
  /** `code` is Node's or undici's, or `DEADLINE`, or `BODY_CUT` (a connection that broke inside an answer). */
  | { readonly kind: 'failure'; readonly code: string };

export interface HttpSessionOptions {
  /** Accept any certificate. */
  readonly allowsSelfSigned?: boolean;
}

/** An answer larger than this is cut off with `UND_ERR_RES_EXCEEDED_MAX_SIZE`, in bytes. */
export const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/** A host that is there answers far sooner, in ms; undici's own clock may make a second more of it. */
const CONNECT_TIMEOUT_MS = 10_000;

/** Plex closes an idle socket after 20 s and says so; never keep one as long as that. */
const KEEP_ALIVE_MS = 15_000;

/** What a socket says that the other side closed while it was idle. */
const STALE_CODES: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

/** All that are open in this process. */
const open = new Set<HttpSession>();

/** Ends every request that is under way in this process, which has to go: each fails. */
export function cutOffRequests(): void {
  for (const session of open) session.cutOff();
}

export class HttpSession {
  readonly #origin: string;
  readonly #options: HttpSessionOptions;
  #agent: Agent;
  /** Whether the agent may hold a socket that has served before. */
  #hasReusable = false;
  /** Whether the agent has ever reached the other side. */
  #isConnected = false;
  /** How many requests went out, for tests and benchmarks. */
  sent = 0;

  constructor(origin: string, options: HttpSessionOptions = {}) {
    this.#origin = origin;
    this.#options = options;
    this.#agent = this.#newAgent();
    open.add(this);
  }

  async request(request: HttpRequest): Promise<HttpResult> {
    const wasReusable = this.#hasReusable;
    const result = await this.#exchange(request);
    const isStale = result.kind === 'failure' && STALE_CODES.has(result.code) && wasReusable;
    if (!isStale || request.isUnrepeatable === true) return result;
    return this.#exchange(request);
  }

  async close(): Promise<void> {
    open.delete(this);
    await this.#agent.destroy();
  }

  cutOff(): void {
    this.#renew(this.#agent);
  }

  async #exchange(request: HttpRequest): Promise<HttpResult> {
    const agent = this.#agent;
    let lateCode: string | null = null;
    // undici's own timers are coarse (and are off here), and a signal does not interrupt connecting: the only
    // way to keep a deadline is to destroy the agent.
    const deadline = setTimeout(() => {
      lateCode = this.#isConnected ? 'DEADLINE' : 'UND_ERR_CONNECT_TIMEOUT';
      this.#renew(agent);
    }, request.timeoutMs);
    this.sent += 1;
    let hasHead = false;
    try {
      const { statusCode, headers, body } = await agent.request({
        origin: this.#origin,
        path: request.path,
        method: request.method,
        headers: { ...request.headers },
        body: request.body ?? null,
        headersTimeout: 0,
        bodyTimeout: 0,
      } satisfies Dispatcher.RequestOptions);
      hasHead = true;
      const bytes = Buffer.from(await body.arrayBuffer());
      this.#hasReusable = true;
      return { kind: 'answer', status: statusCode, headers, body: bytes };
    } catch (error) {
      this.#renew(agent);
      if (lateCode !== null) return { kind: 'failure', code: lateCode };
      const code = codeOf(error);
      return { kind: 'failure', code: hasHead && STALE_CODES.has(code) ? 'BODY_CUT' : code };
    } finally {
      clearTimeout(deadline);
    }
  }

  /** After any failure no socket is trusted. */
  #renew(failed: Agent): void {
    if (this.#agent !== failed) return;
    this.#agent = this.#newAgent();
    this.#hasReusable = false;
    failed.destroy().catch(() => {});
  }

  #newAgent(): Agent {
    this.#isConnected = false;
    const agent = new Agent({
      connections: 1,
      pipelining: 1,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      maxResponseSize: MAX_ANSWER_BYTES,
      connect: { timeout: CONNECT_TIMEOUT_MS, rejectUnauthorized: this.#options.allowsSelfSigned !== true },
    });
    agent.on('connect', () => {
      if (this.#agent === agent) this.#isConnected = true;
    });
    return agent;
  }
}

/** The most telling code in an error and its causes. */
function codeOf(error: unknown): string {
  const seen = new Set<unknown>();
  let found = 'UNKNOWN';
  for (let current = error; current instanceof Error && !seen.has(current); current = current.cause) {
    seen.add(current);
    // Node tries several addresses and gathers their errors.
    const first = current instanceof AggregateError ? (current.errors[0] as unknown) : current;
    const code = (first as NodeJS.ErrnoException).code ?? (current as NodeJS.ErrnoException).code;
    if (typeof code === 'string') found = code;
    else if (current.name === 'HTTPParserError') found = 'HTTP_PARSER';
  }
  return found;
}

// The viewer's server: one page and one stream, on loopback, for whoever holds the token. What it must never do:
// - listen on any other address, or answer under another name: a page of another site that has its name point to
//   127.0.0.1 (DNS rebinding) is refused by its Host
// - give anything of the journal without the token, which is in the fragment of the address and so in no request
// - serve a file: the page is in memory, and there is nothing else

import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Feed } from './feed.ts';

export interface InspectServer {
  readonly port: number;
  /** With the token in its fragment. */
  readonly url: string;
  close(): Promise<void>;
}

const LOOPBACK = '127.0.0.1';
/** Viewers at one time. */
export const MAX_STREAMS = 8;

export async function startInspectServer(page: string, feed: Feed, token: string): Promise<InspectServer> {
  const streams = new Set<ServerResponse>();
  const policy = policyOf(page);
  const server = createServer({ maxHeaderSize: 8 * 1024 }, (request, response) => {
    const asked = judge(request, portOf(server), token);
    switch (asked.kind) {
      case 'page':
        response.writeHead(200, { ...HEADERS, ...policy, 'Content-Type': 'text/html; charset=utf-8' });
        response.end(request.method === 'HEAD' ? undefined : page);
        return;
      case 'stream':
        if (streams.size >= MAX_STREAMS) return refuse(response, 503, 'too many viewers');
        streams.add(response);
        response.once('close', () => streams.delete(response));
        response.writeHead(200, { ...HEADERS, 'Content-Type': 'application/x-ndjson; charset=utf-8' });
        return pump(feed, response);
      case 'refused':
        return refuse(response, asked.status, asked.why);
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: LOOPBACK, port: 0 }, resolve);
  });
  const port = portOf(server);
  return {
    port,
    url: `http://${LOOPBACK}:${port}/#${token}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const stream of streams) stream.end();
        server.closeAllConnections();
      }),
  };
}

type Asked =
  | { readonly kind: 'page' }
  | { readonly kind: 'stream' }
  | { readonly kind: 'refused'; readonly status: number; readonly why: string };

function judge({ method, url, headers }: IncomingMessage, port: number, token: string): Asked {
  const own = `${LOOPBACK}:${port}`;
  if (headers.host !== own) return refused(403, 'this name is not ours');
  if (headers.origin !== undefined && headers.origin !== `http://${own}`)
    return refused(403, 'another origin');
  if (method !== 'GET' && method !== 'HEAD') return refused(405, 'nothing can be sent here');
  if (url === '/') return { kind: 'page' };
  if (url !== '/stream' || method !== 'GET') return refused(404, 'there is nothing here');
  // A navigation to it, or a request that another site caused, says so itself in every browser of today.
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') return refused(403, 'another site');
  if (!isSame(headers.authorization ?? '', `Bearer ${token}`)) return refused(401, 'the token is wrong');
  return { kind: 'stream' };
}

function refused(status: number, why: string): Asked {
  return { kind: 'refused', status, why };
}

/** In the same time wherever they differ. */
function isSame(given: string, wanted: string): boolean {
  const [a, b] = [given, wanted].map((text) => createHash('sha256').update(text).digest()) as [
    Buffer,
    Buffer,
  ];
  return timingSafeEqual(a, b);
}

function refuse(response: ServerResponse, status: number, why: string): void {
  response.writeHead(status, { ...HEADERS, 'Content-Type': 'text/plain; charset=utf-8' });
  response.end(`${why}\n`);
}

/** Everything that is there, then everything that comes, never more at once than the socket takes. */
function pump(feed: Feed, response: ServerResponse): void {
  let next = 0;
  let isFull = false;
  const go = () => {
    while (!isFull && next < feed.length) {
      isFull = !response.write(feed.line(next));
      next += 1;
    }
  };
  response.on('drain', () => {
    isFull = false;
    go();
  });
  response.once('close', feed.watch(go));
  go();
}

const HEADERS = {
  'Cache-Control': 'no-store',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

/** Only the script and the styles that are in the page itself, by their digests; nothing from anywhere else. */
function policyOf(page: string): { readonly 'Content-Security-Policy': string } {
  const digests = (tag: string) =>
    [...page.matchAll(new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`, 'g'))]
      .map(
        ([, text]) =>
          `'sha256-${createHash('sha256')
            .update(text ?? '')
            .digest('base64')}'`,
      )
      .join(' ');
  const parts = [
    "default-src 'none'",
    `script-src ${digests('script')}`,
    `style-src ${digests('style')}`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return { 'Content-Security-Policy': parts.join('; ') };
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

// Puts one rendered answer on the wire: headers, gzip, and the ways a body can go wrong on its way.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type RenderedAnswer, unreachable } from './answer.ts';
import type { Delivery } from './interference.ts';
import { keepAliveMs } from './listener.ts';
import type { Timers } from './timers.ts';

const compress = promisify(gzip);
/** Drips are sent this often, whatever the rate, so that a slow rate is still a trickle and not one late chunk. */
const dripEveryMs = 50;

export async function deliver(
  request: IncomingMessage,
  response: ServerResponse,
  answer: RenderedAnswer,
  delivery: Delivery,
  timers: Timers,
): Promise<void> {
  const headers: Record<string, string> = { ...answer.headers, ...connectionHeaders(request) };
  let body = answer.body;
  if (answer.isCompressible && acceptsGzip(request)) {
    body = await compress(answer.body);
    headers['Content-Encoding'] = 'gzip';
    headers['X-Plex-Content-Original-Length'] = String(answer.body.length);
    headers['X-Plex-Content-Compressed-Length'] = String(body.length);
  }
  headers['Content-Length'] = String(body.length);
  if (response.destroyed) return;

  switch (delivery.kind) {
    case 'reset':
      request.socket.resetAndDestroy();
      return;
    case 'whole':
      response.writeHead(answer.status, headers).end(body);
      return;
    case 'truncated': {
      // An empty body cannot be cut: promise one byte instead, and end the socket all the same.
      headers['Content-Length'] = String(Math.max(1, body.length));
      response.writeHead(answer.status, headers);
      response.flushHeaders();
      response.write(body.subarray(0, Math.floor(body.length / 2)), () => request.socket.end());
      return;
    }
    case 'drip':
      response.writeHead(answer.status, headers);
      drip(response, body, Math.max(1, Math.round((delivery.bytesPerSecond * dripEveryMs) / 1000)), timers);
      return;
    default:
      unreachable(delivery);
  }
}

function drip(response: ServerResponse, body: Buffer, chunkBytes: number, timers: Timers): void {
  if (response.destroyed) return;
  response.flushHeaders();
  if (body.length === 0) {
    response.end();
    return;
  }
  response.write(body.subarray(0, chunkBytes));
  timers.after(dripEveryMs, () => drip(response, body.subarray(chunkBytes), chunkBytes, timers));
}

function connectionHeaders(request: IncomingMessage): Record<string, string> {
  const isLast = /\bclose\b/i.test(request.headers.connection ?? '') || request.httpVersion === '1.0';
  if (isLast) return { Connection: 'close' };
  return { Connection: 'Keep-Alive', 'Keep-Alive': `timeout=${keepAliveMs / 1000}` };
}

function acceptsGzip(request: IncomingMessage): boolean {
  return String(request.headers['accept-encoding'] ?? '')
    .split(',')
    .some((part) => /^\s*(gzip|\*)\s*$/.test(part) || /^\s*gzip\s*;\s*q=(1|0?\.\d*[1-9])/.test(part));
}

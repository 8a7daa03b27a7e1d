// A server that does its worst: what it answers is named by the first part of the path (as a Plex behind a proxy has
// one) or, where there is none, by the name of the cookie. On loopback, gone when its test has ended.

import * as net from 'node:net';
import { gzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import { rawHttp } from './bare-servers.ts';

/** Of what is sent without end, so many bytes at a time. */
const BLOCK = Buffer.alloc(64 * 1024, 'x');
const MB = 1024 * 1024;

type Answer = (socket: net.Socket) => void;

const JSON_HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: application/json';

/** `{"MediaContainer":…}` or `{"data":…}`: both, so that either client looks inside. */
function both(inner: string): string {
  return `{"data":${inner},"MediaContainer":${inner}}`;
}

export const HOSTILE = {
  'ten-gigabytes': (socket) => {
    socket.write(`${JSON_HEAD}\r\nContent-Length: 10737418240\r\n\r\n`);
    flood(socket, BLOCK);
  },
  'endless-chunks': (socket) => {
    socket.write(`${JSON_HEAD}\r\nTransfer-Encoding: chunked\r\n\r\n`);
    flood(socket, Buffer.concat([Buffer.from('10000\r\n'), BLOCK, Buffer.from('\r\n')]));
  },
  'gzip-bomb': (socket) => {
    const bomb = gzipSync(both(JSON.stringify('0'.repeat(16 * MB))));
    socket.write(`${JSON_HEAD}\r\nContent-Encoding: gzip\r\nContent-Length: ${bomb.length}\r\n\r\n`);
    socket.end(bomb);
  },
  'slow-head': (socket) => drip(socket, JSON_HEAD),
  'slow-body': (socket) => drip(socket, 'x'.repeat(1_000), `${JSON_HEAD}\r\nContent-Length: 1000\r\n\r\n`),
  'deep-json': (socket) => socket.end(rawHttp(both('['.repeat(100_000) + ']'.repeat(100_000)))),
  'deepest-json': (socket) => socket.end(rawHttp('['.repeat(15 * MB))),
  'most-items': (socket) => socket.end(rawHttp(both(`{"Directory":[${'{},'.repeat(2.4 * MB)}{}]}`))),
  'many-items': (socket) => socket.end(rawHttp(both(`{"Directory":[${'{},'.repeat(240_000)}{}]}`))),
  'many-keys': (socket) => {
    const keys = Array.from({ length: 150_000 }, (_, index) => `"k${index}":1`);
    socket.end(rawHttp(both(`{${keys.join()}}`)));
  },
  'one-wide-text': (socket) => socket.end(rawHttp(`{"MediaContainer":{"x":"Ж${'x'.repeat(15 * MB)}"}}`)),
  'billion-laughs': (socket) => {
    const entities = Array.from({ length: 10 }, (_, n) => `<!ENTITY l${n + 1} "${`&l${n};`.repeat(10)}">`);
    const xml = `<?xml version="1.0"?><!DOCTYPE l [<!ENTITY l0 "lol">${entities.join('')}]><MediaContainer>&l10;</MediaContainer>`;
    socket.end(rawHttp(xml, 'HTTP/1.1 200 OK\r\nContent-Type: text/xml'));
  },
  'endless-heads': (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n');
    flood(socket, Buffer.from(`X-Flood: ${'x'.repeat(1_000)}\r\n`));
  },
  'endless-hints': (socket) => flood(socket, Buffer.from('HTTP/1.1 103 Early Hints\r\n\r\n')),
  'no-number': (socket) => socket.end('HTTP/1.1 abc OK\r\n\r\n'),
  'odd-protocol': (socket) => socket.end('ICY 200 OK\r\n\r\n{}'),
  'odd-status': (socket) => socket.end('HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n'),
  noise: (socket) => socket.end(Buffer.from(Array.from({ length: 4_096 }, (_, n) => (n * 73) % 256))),
  'forged-head': (socket) => socket.end(`${JSON_HEAD}\r\nX: \u001b[2J\r\nContent-Length: -1\r\n\r\n`),
  'huge-error': (socket) => socket.end(rawHttp('x'.repeat(30 * MB), 'HTTP/1.1 500 Internal Server Error')),
  prototypes: (socket) =>
    socket.end(
      rawHttp(
        both(
          '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"Directory":[{"__proto__":{"key":"9"}}]}',
        ),
      ),
    ),
} satisfies Record<string, Answer>;

export type HostileCase = keyof typeof HOSTILE;

export async function startHostileServer(): Promise<{ readonly port: number; readonly sent: () => number }> {
  const sockets = new Set<net.Socket>();
  let closedBytes = 0;
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      closedBytes += socket.bytesWritten;
      sockets.delete(socket);
    });
    socket.on('data', (data) => {
      const head = data.toString('latin1');
      const path = /^\w+ \/([\w-]+)\//.exec(head)?.[1] ?? '';
      const cookie = /^cookie: ([\w-]+)=/im.exec(head)?.[1] ?? '';
      const name = path in HOSTILE ? path : cookie;
      if (name in HOSTILE && head.includes('\r\n\r\n')) HOSTILE[name as HostileCase](socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((done) => server.close(done));
  });
  return { port: (server.address() as net.AddressInfo).port, sent: () => closedBytes };
}

/** As fast as the other side takes it, for as long as it does. */
function flood(socket: net.Socket, block: Buffer): void {
  const more = () => {
    while (!socket.destroyed && socket.writable) {
      if (!socket.write(block)) {
        socket.once('drain', more);
        return;
      }
    }
  };
  more();
}

/** A byte at a time. */
function drip(socket: net.Socket, text: string, head = ''): void {
  if (head !== '') socket.write(head);
  let at = 0;
  const timer = setInterval(() => {
    if (socket.destroyed || at >= text.length) clearInterval(timer);
    else socket.write(text[at++] ?? '');
  }, 50);
  socket.on('close', () => clearInterval(timer));
}

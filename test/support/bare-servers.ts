// Servers on loopback that misbehave below HTTP, where the Plex simulator cannot: raw sockets, other protocols,
// TLS, and a port that never takes a connection. Each is gone when its test has ended.

import * as http from 'node:http';
import * as https from 'node:https';
import * as net from 'node:net';
import { Worker } from 'node:worker_threads';
import { onTestFinished } from 'vitest';
import { SELF_SIGNED_CERT, SELF_SIGNED_KEY } from './self-signed.ts';

export interface BareServer {
  readonly port: number;
  /** Connections that were made, in order; closed ones too. */
  readonly connections: readonly net.Socket[];
}

/** What one request of a raw connection gets. `request` counts on that connection from 1. */
export type RawAnswer = (socket: net.Socket, request: number, connection: number) => void;

/** Answers whole requests without a body, by hand. */
export function rawServer(answer: RawAnswer): Promise<BareServer> {
  return listening(net.createServer(), (server, connections) => {
    server.on('connection', (socket: net.Socket) => {
      connections.push(socket);
      const connection = connections.length;
      let requests = 0;
      socket.on('error', () => {});
      socket.on('data', (data) => {
        for (const _end of data.toString('latin1').matchAll(/\r\n\r\n/g)) {
          requests += 1;
          answer(socket, requests, connection);
        }
      });
    });
  });
}

export function httpServer(handler: http.RequestListener): Promise<BareServer> {
  return listening(http.createServer(handler), countConnections);
}

export function selfSignedServer(handler: http.RequestListener): Promise<BareServer> {
  const secrets = { key: SELF_SIGNED_KEY, cert: SELF_SIGNED_CERT };
  return listening(https.createServer(secrets, handler), countConnections);
}

/**
 * A port whose queue is full and whose owner never looks at it: the kernel drops whoever comes, as a firewall or
 * a host that is switched off would. The owner is a thread that sleeps for good.
 */
export async function blackhole(): Promise<{ readonly port: number }> {
  const owner = new Worker(BLACKHOLE, { eval: true });
  onTestFinished(async () => {
    await owner.terminate();
  });
  const port = await new Promise<number>((resolve) => owner.once('message', resolve));
  const fillers = Array.from({ length: 8 }, () => net.connect(port, '127.0.0.1'));
  onTestFinished(() => {
    for (const filler of fillers) filler.destroy();
  });
  for (const filler of fillers) filler.on('error', () => {});
  // Linux takes one more than the queue is long; whoever comes after those two waits.
  await Promise.all(fillers.slice(0, 2).map((filler) => new Promise((done) => filler.once('connect', done))));
  return { port };
}

const BLACKHOLE = `
const { parentPort } = require('node:worker_threads');
const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  parentPort.postMessage(server.address().port);
  setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
});`;

/** An answer as it goes over the wire, with its true length. */
export function rawHttp(body: string, head = 'HTTP/1.1 200 OK\r\nContent-Type: application/json'): string {
  return `${head}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

function countConnections(server: net.Server, connections: net.Socket[]): void {
  server.on('connection', (socket: net.Socket) => {
    connections.push(socket);
    socket.on('error', () => {});
  });
}

async function listening(
  server: net.Server,
  prepare: (server: net.Server, connections: net.Socket[]) => void,
): Promise<BareServer> {
  const connections: net.Socket[] = [];
  prepare(server, connections);
  onTestFinished(
    () =>
      new Promise<void>((done) => {
        server.close(() => done());
        for (const socket of connections) socket.destroy();
      }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as net.AddressInfo).port, connections };
}

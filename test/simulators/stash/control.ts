// A second server on its own loopback port, from which a running simulator is watched and changed by hand
// or by another process. It is no part of Stash. It shows no cookie and no key.

import type { Server } from 'node:http';
import { createServer, type IncomingMessage } from 'node:http';
import { FAULT_KINDS, type Fault } from './faults.ts';
import { Listener } from './listener.ts';
import type { StashSimulator } from './server.ts';

export interface StashControl {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

interface Reply {
  readonly status: number;
  readonly body: unknown;
}

const HOST = '127.0.0.1';
const MAX_BODY_BYTES = 1024 * 1024;

export async function startStashControl(sim: StashSimulator, port = 0): Promise<StashControl> {
  const server: Server = createServer((request, response) => {
    reply(sim, request)
      .catch((error: Error) => ({ status: 400, body: { error: error.message } }))
      .then(({ status, body }) => {
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(`${JSON.stringify(body)}\n`);
      });
  });
  const listener = new Listener(server, HOST);
  const opened = await listener.open(port);
  return { url: `http://${HOST}:${opened}`, port: opened, close: () => listener.close() };
}

async function reply(sim: StashSimulator, request: IncomingMessage): Promise<Reply> {
  const path = new URL(request.url ?? '/', 'http://control').pathname;
  const settings = /^\/settings\/([^/]+)$/.exec(path);
  if (request.method === 'PUT' && settings !== null) {
    sim.configurePlugin(decodeURIComponent(settings[1]!), await jsonOf(request));
    return { status: 200, body: {} };
  }
  const plugin = /^\/plugins\/([^/]+)$/.exec(path);
  if (request.method === 'PUT' && plugin !== null) {
    sim.setPluginEnabled(decodeURIComponent(plugin[1]!), (await jsonOf(request)).enabled === true);
    return { status: 200, body: {} };
  }
  switch (`${request.method} ${path}`) {
    case 'POST /faults':
      return { status: 201, body: { id: sim.addFault(faultOf(await jsonOf(request))) } };
    case 'DELETE /faults':
      sim.clearFaults();
      return { status: 200, body: {} };
    case 'POST /clock': {
      const { stepMs } = await jsonOf(request);
      if (typeof stepMs !== 'number') throw new Error('stepMs must be a number');
      sim.stepClock(stepMs);
      return { status: 200, body: {} };
    }
    case 'POST /restart':
      await sim.restart();
      return { status: 200, body: {} };
    case 'GET /runs':
      return { status: 200, body: sim.runs.map((run) => ({ ...run, stdin: withoutCookie(run.stdin) })) };
    case 'GET /log':
      return { status: 200, body: sim.log };
    case 'GET /requests':
      return { status: 200, body: sim.requests };
    case 'POST /scenes': {
      const { title, files } = (await jsonOf(request)) as { title?: unknown; files?: unknown };
      const scene = sim.db.addScene({ title: String(title ?? ''), files: pathsOf(files) });
      return { status: 201, body: { id: scene.id } };
    }
    case 'POST /scan':
      return { status: 200, body: await sim.scan(pathsOf((await jsonOf(request)).files)) };
    default:
      return { status: 404, body: { error: `no ${request.method} ${path} here` } };
  }
}

function faultOf(value: Record<string, unknown>): Fault {
  const kind = FAULT_KINDS.find((known) => known === value.kind);
  if (kind === undefined) throw new Error(`kind must be one of ${FAULT_KINDS.join(', ')}`);
  for (const key of ['ms', 'count', 'durationMs']) {
    const number = value[key];
    if (number !== undefined && !(typeof number === 'number' && number >= 0)) {
      throw new Error(`${key} must be a number that is not negative`);
    }
  }
  if (kind === 'slow' && value.ms === undefined) throw new Error('slow needs ms');
  return value as unknown as Fault;
}

function pathsOf(value: unknown): string[] {
  if (value === undefined) return [];
  if (Array.isArray(value) && value.every((path) => typeof path === 'string')) return value;
  throw new Error('files must be a list of paths');
}

function withoutCookie(stdin: string): string {
  return stdin.replace(/("SessionCookie":\{"Name":"session","Value":")[^"]*/, '$1***');
}

async function jsonOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = '';
  for await (const chunk of request) {
    text += chunk;
    if (text.length > MAX_BODY_BYTES) throw new Error('the body is too large');
  }
  const value: unknown = JSON.parse(text);
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new Error('the body must be a JSON object');
  }
  return value as Record<string, unknown>;
}

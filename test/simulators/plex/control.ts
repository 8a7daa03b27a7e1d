// The simulator's own endpoint, on a second loopback port so that it answers while the simulator is down.
// JSON in, JSON out; a wrong input is a 400 that says what is wrong. It is not part of Plex and needs no token.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { defaultQuirks, type PlexItem, type PlexQuirks, tagKinds, titleOf } from './entries.ts';
import { parseFault } from './fault-input.ts';
import type { PlexSimulator } from './server.ts';

export interface ControlServer {
  readonly url: string;
  close(): Promise<void>;
}

export type Controlled = Omit<PlexSimulator, 'controlUrl'>;

interface Reply {
  readonly status: number;
  readonly body: unknown;
}

const maxBodyBytes = 1024 * 1024;

export async function startControlServer(simulator: Controlled, port: number): Promise<ControlServer> {
  const server = createServer((request, response) => {
    reply(simulator, request, response).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      if (!response.headersSent) send(response, { status: 500, body: { error: reason } });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve());
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function reply(
  simulator: Controlled,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const input = await readJson(request);
  if (input.kind === 'refused') return send(response, badRequest(input.reason));
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  const [, room = '', id = ''] = path.split('/').map(decodeURIComponent);
  const run = actions[`${request.method} /${room}${id === '' ? '' : '/:id'}`];
  send(response, run === undefined ? notFound : await run(simulator, input.value, id));
}

type Action = (simulator: Controlled, input: unknown, id: string) => Reply | Promise<Reply>;

const actions: Readonly<Record<string, Action>> = {
  'GET /': (simulator) => ok({ url: simulator.url, items: simulator.library.items.length }),
  'GET /faults': (simulator) => ok(simulator.listFaults()),
  'POST /faults': (simulator, input) => {
    const parsed = parseFault(input);
    if (parsed.kind === 'refused') return badRequest(parsed.reason);
    try {
      return ok({ id: simulator.addFault(parsed.fault) });
    } catch (error) {
      return badRequest(error instanceof Error ? error.message : String(error));
    }
  },
  'DELETE /faults': (simulator) => done(() => simulator.clearFaults()),
  'DELETE /faults/:id': (simulator, _input, id) => {
    const isKnown = simulator.listFaults().some((fault) => fault.id === id);
    return isKnown ? done(() => simulator.removeFault(id)) : notFound;
  },
  'POST /down': (simulator) => done(() => simulator.down()),
  'POST /up': (simulator) => done(() => simulator.up()),
  // Answers at once: a caller who waits for the server would learn nothing from its probe.
  'POST /restart': (simulator, input) => {
    const { downMs, maintenanceMs } = asRecord(input);
    const times = {
      ...(typeof downMs === 'number' ? { downMs } : {}),
      ...(typeof maintenanceMs === 'number' ? { maintenanceMs } : {}),
    };
    return done(() => void simulator.restart(times));
  },
  'GET /requests': (simulator) => ok(simulator.requests),
  'DELETE /requests': (simulator) => done(() => simulator.reset()),
  'GET /items': (simulator) => ok(simulator.library.items.map((item) => itemView(item))),
  'GET /items/:id': (simulator, _input, id) => {
    const item = simulator.library.byRatingKey(id);
    return item === undefined ? notFound : ok(itemView(item));
  },
  'POST /items': (simulator, input) => place(simulator, input, 'library'),
  'DELETE /items/:id': (simulator, _input, id) =>
    simulator.library.removeItem(id) === undefined ? notFound : ok({ ratingKey: id }),
  /** A file on the disk which Plex has not scanned yet. */
  'POST /files': (simulator, input) => place(simulator, input, 'disk'),
  'GET /quirks': (simulator) => ok(simulator.library.quirks),
  'POST /quirks': (simulator, input) => {
    const wanted = Object.entries(asRecord(input));
    const wrong = wanted.find(
      ([name, value]) => !Object.hasOwn(defaultQuirks, name) || typeof value !== 'boolean',
    );
    if (wrong !== undefined)
      return badRequest(`quirks are ${Object.keys(defaultQuirks).join(', ')}, true or false`);
    Object.assign(simulator.library.quirks, Object.fromEntries(wanted) as Partial<PlexQuirks>);
    return ok(simulator.library.quirks);
  },
};

function place(simulator: Controlled, input: unknown, where: 'library' | 'disk'): Reply {
  const { file, title, section } = asRecord(input);
  if (typeof file !== 'string' || file === '')
    return badRequest('`file` is an absolute path as Plex sees it');
  const wanted = {
    file,
    ...(typeof title === 'string' ? { title } : {}),
    ...(typeof section === 'string' ? { section } : {}),
  };
  if (wanted.section !== undefined && simulator.library.section(wanted.section) === undefined) {
    return badRequest(`there is no section ${wanted.section}`);
  }
  if (where === 'library') return ok(itemView(simulator.library.addItem(wanted)));
  simulator.library.placeFile(wanted);
  return ok({ file });
}

function itemView(item: PlexItem): Record<string, unknown> {
  const named = tagKinds.map((kind) => [kind, item.tags[kind].map((tag) => tag.name)] as const);
  return {
    ratingKey: item.ratingKey,
    section: item.sectionKey,
    file: item.files[0],
    title: titleOf(item),
    fields: item.fields,
    tags: Object.fromEntries(named.filter(([, names]) => names.length > 0)),
    locked: [...item.locked].sort(),
    poster: item.images.thumb.selected,
    art: item.images.art.selected,
    isTrashed: item.isTrashed,
  };
}

type JsonInput =
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'refused'; readonly reason: string };

async function readJson(request: IncomingMessage): Promise<JsonInput> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk;
    if (text.length > maxBodyBytes) return { kind: 'refused', reason: 'the body is too large' };
  }
  if (text.trim() === '') return { kind: 'json', value: {} };
  try {
    return { kind: 'json', value: JSON.parse(text) };
  } catch {
    return { kind: 'refused', reason: 'the body is not JSON' };
  }
}

function asRecord(input: unknown): Record<string, unknown> {
  return typeof input === 'object' && input !== null ? (input as Record<string, unknown>) : {};
}

async function done(work: () => void | Promise<void>): Promise<Reply> {
  await work();
  return ok({ done: true });
}

function ok(body: unknown): Reply {
  return { status: 200, body };
}

function badRequest(error: string): Reply {
  return { status: 400, body: { error } };
}

const notFound: Reply = { status: 404, body: { error: 'not found' } };

function send(response: ServerResponse, { status, body }: Reply): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}

// The listening socket, opened and closed on one port while reasons to be closed come and go.
// Closing is immediate: the port refuses and every socket is gone before `block` returns. Several reasons may hold at
// once (a manual stop during a flap); the port opens again when the last one is lifted.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export type RequestListener = (request: IncomingMessage, response: ServerResponse) => void;

/** Long edits travel in the URL; Node's own limit of 16 KiB would answer 431. */
const maxHeaderBytes = 256 * 1024;
export const keepAliveMs = 20_000;
// Below the ephemeral range: while the port is closed nobody is handed it for an outgoing connection, so a client that
// keeps knocking cannot end up connected to itself.
const lowestPort = 20_000;
const portCount = 12_000;
const maxPortTries = 50;
const maxReopenTries = 100;
const reopenPauseMs = 20;

export class Listener {
  port = 0;
  readonly #host: string;
  readonly #onRequest: RequestListener;
  readonly #sockets = new Map<Socket, 'idle' | 'busy'>();
  readonly #closedFor = new Set<string>();
  #server: Server | 'none' = 'none';
  #opening: Promise<void> = Promise.resolve();

  constructor(host: string, onRequest: RequestListener) {
    this.#host = host;
    this.#onRequest = onRequest;
  }

  async open(port: number): Promise<void> {
    if (port !== 0) {
      this.#server = await this.#listen(port);
      this.port = port;
      return;
    }
    for (let tries = 0; tries < maxPortTries; tries++) {
      const candidate = lowestPort + Math.floor(Math.random() * portCount);
      try {
        this.#server = await this.#listen(candidate);
        this.port = candidate;
        return;
      } catch (error) {
        if (!isAddressInUse(error)) throw error;
      }
    }
    throw new Error(`plex simulator: found no free port in ${maxPortTries} tries`);
  }

  block(reason: string): void {
    this.#closedFor.add(reason);
    this.#shut();
  }

  /** Resolves once the port is open again, or at once when another reason keeps it closed. */
  unblock(reason: string): Promise<void> {
    this.#closedFor.delete(reason);
    // One failed opening must not stop the next one from being tried.
    this.#opening = this.#opening.catch(() => {}).then(() => this.#reopen());
    return this.#opening;
  }

  async close(): Promise<void> {
    this.block('closed for good');
    await this.#opening.catch(() => {});
  }

  async #reopen(): Promise<void> {
    for (let tries = 0; tries < maxReopenTries; tries++) {
      if (this.#closedFor.size > 0 || this.#server !== 'none') return;
      try {
        const server = await this.#listen(this.port);
        this.#server = server;
        if (this.#closedFor.size > 0) this.#shut(); // blocked while it was being opened
        return;
      } catch (error) {
        if (!isAddressInUse(error)) throw error;
        await new Promise((resolve) => setTimeout(resolve, reopenPauseMs));
      }
    }
    throw new Error(`plex simulator: port ${this.port} was taken while the simulator was down`);
  }

  #listen(port: number): Promise<Server> {
    const server = createServer(
      { maxHeaderSize: maxHeaderBytes, keepAliveTimeout: keepAliveMs },
      (request, response) => {
        const { socket } = request;
        this.#sockets.set(socket, 'busy');
        response.on('close', () => {
          if (this.#sockets.has(socket)) this.#sockets.set(socket, 'idle');
        });
        this.#onRequest(request, response);
      },
    );
    server.on('connection', (socket: Socket) => {
      this.#sockets.set(socket, 'idle');
      socket.on('close', () => this.#sockets.delete(socket));
    });
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, this.#host, () => {
        server.removeListener('error', reject);
        resolve(server);
      });
    });
  }

  #shut(): void {
    if (this.#server === 'none') return;
    this.#server.close();
    this.#server = 'none';
    for (const [socket, state] of this.#sockets) {
      if (state === 'busy') socket.resetAndDestroy();
      else socket.destroy();
    }
    this.#sockets.clear();
  }
}

function isAddressInUse(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}

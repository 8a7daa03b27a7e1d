// The socket under the simulated Stash, which can go away and come back on the same port: while it is down
// a connection is refused by the system, as with a Stash that is not running. Changes are applied in order.
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Someone else may have the port for a moment when we come back for it. */
const REOPEN_ATTEMPTS = 100;
const REOPEN_DELAY_MS = 20;

export class Listener {
  readonly #server: Server;
  readonly #host: string;
  #port = 0;
  #isWanted = true;
  #change: Promise<void> = Promise.resolve();

  constructor(server: Server, host: string) {
    this.#server = server;
    this.#host = host;
  }

  /** Gives the port; rejects when it is taken. */
  async open(port: number): Promise<number> {
    await this.#listen(port);
    this.#port = (this.#server.address() as AddressInfo).port;
    return this.#port;
  }

  /** Takes effect at once for new connections when going down, and cuts those that are open. */
  setDown(isDown: boolean): void {
    if (this.#isWanted === !isDown) return;
    this.#isWanted = !isDown;
    if (isDown) this.#shut();
    else this.#change = this.#change.then(() => this.#reopen());
  }

  /** Resolves when the last change has been applied. */
  settled(): Promise<void> {
    return this.#change;
  }

  async close(): Promise<void> {
    await this.#change;
    this.#isWanted = false;
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#shut();
    await closed;
  }

  #shut(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #reopen(): Promise<void> {
    for (let attempt = 1; this.#isWanted && !this.#server.listening; attempt += 1) {
      try {
        await this.#listen(this.#port);
      } catch (error) {
        if (attempt === REOPEN_ATTEMPTS) throw error;
        await new Promise((resolve) => setTimeout(resolve, REOPEN_DELAY_MS));
      }
    }
    if (!this.#isWanted && this.#server.listening) this.#shut();
  }

  async #listen(port: number): Promise<void> {
    this.#server.listen(port, this.#host);
    await once(this.#server, 'listening');
  }
}

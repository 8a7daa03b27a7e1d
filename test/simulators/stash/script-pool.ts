// The threads in which scripts of `interface: js` run, kept from one run to the next and shared by all
// simulators of this process: a thread takes a long time to start. A script that asks the server blocks its
// thread until the main thread has answered, so nested scripts need a thread each: there is no upper bound,
// which a deadlock would be. Idle threads never keep the process alive.
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { type RunMessage, type ThreadMessage, threadMain } from './script-thread.ts';

/** Threads that are kept while nothing runs in them. */
const IDLE_THREADS_KEPT = 8;

const SOURCE = `(${threadMain})(require('node:worker_threads'), require('node:vm'));`;

export interface ScriptEvents {
  readonly onMessage: (message: ThreadMessage) => void;
  /** The thread itself is gone, which no script can do but by using up all memory. */
  readonly onLost: (error: Error) => void;
}

export class ScriptThread {
  readonly #worker: Worker;
  readonly #answers: MessagePort;
  readonly #wake = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  #events: ScriptEvents | undefined;

  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.#answers = port1;
    this.#worker = new Worker(SOURCE, {
      eval: true,
      execArgv: [],
      env: {},
      workerData: { answers: port2, wake: this.#wake },
      transferList: [port2],
    });
    this.#worker.on('message', (message: ThreadMessage) => this.#events?.onMessage(message));
    this.#worker.on('error', (error) => {
      idle = idle.filter((thread) => thread !== this);
      this.#events?.onLost(error);
    });
    this.#worker.unref();
    this.#answers.unref();
  }

  run(message: RunMessage, events: ScriptEvents): void {
    this.#events = events;
    this.#worker.postMessage(message);
  }

  answer(status: number, body: string): void {
    this.#answers.postMessage(`${status}${body}`);
    Atomics.store(this.#wake, 0, 1);
    Atomics.notify(this.#wake, 0);
  }

  /** Ends it wherever it is: the script cannot catch that. */
  kill(): void {
    this.#events = undefined;
    this.#answers.close();
    void this.#worker.terminate();
  }

  release(): void {
    this.#events = undefined;
    if (idle.length >= IDLE_THREADS_KEPT) this.kill();
    else idle.push(this);
  }
}

let idle: ScriptThread[] = [];

/** The one that has rested longest: the last one may still be tidying up after its run. */
export function takeThread(): ScriptThread {
  return idle.shift() ?? new ScriptThread();
}

/** So that a first script need not wait for a thread to start, nor the next for the first one's tidying up. */
export function startThreadsAhead(count: number): void {
  while (idle.length < count) idle.push(new ScriptThread());
}

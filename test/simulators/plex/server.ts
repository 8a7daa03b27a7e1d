// A Plex Media Server on loopback, faithful to what is known of the wire: for the demo, the tests and independent clients.
// This file is the public face: it starts the parts, switches the listener, and hands out the live library.
// It must never let a token into the request log, and must leave no timer and no socket behind when closed.
import type { MaintenancePhase } from './answer.ts';
import { type ControlServer, startControlServer } from './control.ts';
import type { TagMode } from './edit.ts';
import { type ExchangeContext, exchange, type RecordedRequest } from './exchange.ts';
import { type ActiveFault, type Fault, FaultBoard } from './faults.ts';
import { PlexLibrary } from './library.ts';
import { Listener } from './listener.ts';
import { Timers } from './timers.ts';

export type { PlexCollection, PlexItem, PlexQuirks, PlexSection, PlexTag, TagKind } from './entries.ts';
export type { RecordedRequest } from './exchange.ts';
export type { Fault } from './faults.ts';
export type { NewItem, PlexLibrary } from './library.ts';

export interface PlexSimulatorOptions {
  /** 0 or absent: a free port. */
  port?: number;
  host?: string;
  token?: string;
  /** How many items to make; default 0. Item n has the key 1000 + n and the file `${root}/clip n.mp4`. */
  items?: number;
  root?: string;
  /** 40 hex digits. */
  machineIdentifier?: string;
  tagMode?: TagMode;
  /** Unix time in ms, for the library's stamps and the log. Faults always run on real time. */
  now?: () => number;
  /** Starts the control endpoint too. */
  control?: boolean;
  controlPort?: number;
}

export interface PlexSimulator {
  readonly url: string;
  readonly port: number;
  readonly token: string;
  /** '' when there is no control endpoint. */
  readonly controlUrl: string;
  readonly library: PlexLibrary;
  readonly requests: RecordedRequest[];
  addFault(fault: Fault): string;
  removeFault(id: string): void;
  clearFaults(): void;
  /** The faults not yet spent. */
  listFaults(): ActiveFault[];
  /** ECONNREFUSED on the same port, every socket killed. */
  down(): Promise<void>;
  up(): Promise<void>;
  /** Refused for `downMs`, then 503 for `maintenanceMs` (migrations, then startup), then up. Resolves when it is up. */
  restart(options?: { downMs?: number; maintenanceMs?: number }): Promise<void>;
  /** Clears the request log. */
  reset(): void;
  close(): Promise<void>;
}

const defaultToken = 'sim-plex-token';
const defaultRoot = '/media/scenes';
const defaultMachineIdentifier = '9c1f0b6f4c8e4f1fa4a0d7c2b1e5f6a7d8c9b0e1';
const firstItemKey = 1001;
const usualDownMs = 300;
const usualMaintenanceMs = 600;

export async function startPlexSimulator(options: PlexSimulatorOptions = {}): Promise<PlexSimulator> {
  const host = options.host ?? '127.0.0.1';
  const nowMs = options.now ?? Date.now;
  const library = makeLibrary(options, nowMs);
  const board = new FaultBoard();
  const timers = new Timers();
  const requests: RecordedRequest[] = [];
  const stopWatching = new Map<string, () => void>();
  let phase: MaintenancePhase | 'running' = 'running';
  let life = 1;
  let restarts = 0;

  const context: ExchangeContext = {
    library,
    board,
    timers,
    token: options.token ?? defaultToken,
    tagMode: options.tagMode ?? 'append',
    machineIdentifier: options.machineIdentifier ?? defaultMachineIdentifier,
    startedAtS: Math.floor(nowMs() / 1000),
    requests,
    nowMs,
    phase: () => phase,
    life: () => life,
  };
  const listener = new Listener(host, (request, response) => {
    exchange(context, request, response).catch((error: unknown) => {
      process.stderr.write(`plex simulator: ${error instanceof Error ? error.stack : String(error)}\n`);
      request.socket.destroy();
    });
  });
  await listener.open(options.port ?? 0);

  const block = (reason: string): void => {
    life++;
    listener.block(reason);
  };

  const unblock = (reason: string): void => {
    listener.unblock(reason).catch((error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    });
  };

  const flap = (id: string, upMs: number, downMs: number, timesLeft: number): void => {
    const goDown = (): void => {
      block(id);
      stopWatching.set(`${id} phase`, timers.after(downMs, comeUp));
    };
    const comeUp = (): void => {
      unblock(id);
      if (timesLeft <= 1) simulator.removeFault(id);
      else flap(id, upMs, downMs, timesLeft - 1);
    };
    stopWatching.set(`${id} phase`, timers.after(upMs, goDown));
  };

  const begin = ({ id, action, scope }: ActiveFault): void => {
    if (scope.durationMs !== undefined) {
      stopWatching.set(
        id,
        timers.after(scope.durationMs, () => simulator.removeFault(id)),
      );
    }
    if (action.kind === 'refuse') block(id);
    if (action.kind === 'flapping')
      flap(id, action.upMs, action.downMs, scope.count ?? Number.POSITIVE_INFINITY);
  };

  const simulator: Omit<PlexSimulator, 'controlUrl'> = {
    url: `http://${host}:${listener.port}`,
    port: listener.port,
    token: context.token,
    library,
    requests,
    addFault: (fault) => {
      const active = board.add(fault);
      begin(active);
      return active.id;
    },
    removeFault: (id) => {
      for (const watch of [id, `${id} phase`]) {
        stopWatching.get(watch)?.();
        stopWatching.delete(watch);
      }
      const kind = board.remove(id)?.action.kind;
      if (kind === 'refuse' || kind === 'flapping') unblock(id);
    },
    clearFaults: () => {
      for (const { id } of board.list()) simulator.removeFault(id);
    },
    listFaults: () => board.list(),
    down: async () => block('down'),
    up: () => listener.unblock('down'),
    restart: async ({ downMs = usualDownMs, maintenanceMs = usualMaintenanceMs } = {}) => {
      const mine = ++restarts;
      block('restart');
      phase = 'migrations';
      await timers.pause(downMs);
      if (mine !== restarts) return;
      await listener.unblock('restart');
      for (const next of ['startup', 'running'] as const) {
        await timers.pause(maintenanceMs / 2);
        if (mine !== restarts) return;
        phase = next;
      }
    },
    reset: () => {
      requests.length = 0;
    },
    close: async () => {
      timers.stop();
      await listener.close();
      if (control !== 'none') await control.close();
    },
  };

  let control: ControlServer | 'none' = 'none';
  try {
    if (options.control === true) control = await startControlServer(simulator, options.controlPort ?? 0);
  } catch (error) {
    await simulator.close();
    throw error;
  }
  return Object.assign(simulator, { controlUrl: control === 'none' ? '' : control.url });
}

function makeLibrary(options: PlexSimulatorOptions, nowMs: () => number): PlexLibrary {
  const library = new PlexLibrary(nowMs);
  const root = options.root ?? defaultRoot;
  library.addSection({ key: '3', title: 'Scenes', locations: [root] });
  library.addSection({
    key: '4',
    title: 'Movies',
    locations: ['/media/movies'],
    agent: 'tv.plex.agents.movie',
  });
  for (let index = 0; index < (options.items ?? 0); index++) {
    library.addItem({
      file: `${root}/clip ${index + 1}.mp4`,
      section: '3',
      ratingKey: String(firstItemKey + index),
    });
  }
  return library;
}

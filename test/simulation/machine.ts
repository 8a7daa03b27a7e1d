// A machine with Stash on it and Plex beside it: brings the real wakes, drainers and tasks to life as processes, and
// notes what each was promised.

import { AtomicFile } from '../../src/breaker/journal/atomic-file.ts';
import type { Checkpoint, CheckpointStore } from '../../src/breaker/journal/checkpoint.ts';
import { FileJournal } from '../../src/breaker/journal/file-journal.ts';
import { FileSegments } from '../../src/breaker/journal/file-segments.ts';
import type { JournalRecord, StreamName } from '../../src/breaker/journal/record.ts';
import { makeRecord, type Writer } from '../../src/breaker/journal/writer.ts';
import { useProcessTable } from '../../src/breaker/process.ts';
import { isScope, type Scope } from '../../src/door/scopes.ts';
import type { DataDir } from '../../src/invocation/data-dir.ts';
import { drain } from '../../src/invocation/drainer.ts';
import type { HouseRules } from '../../src/invocation/housekeeping.ts';
import { runMode, type TaskArgs, type TaskMode } from '../../src/invocation/task.ts';
import type { TaskResult } from '../../src/invocation/task-result.ts';
import type { World } from '../../src/invocation/world.ts';
import { NO_FILE } from '../../src/settings/file.ts';
import type { Drainers } from '../../src/wake/see-to-drainer.ts';
import { NOWHERE } from '../support/nowhere.ts';
import type { MachineClock } from './clock.ts';
import type { Dice } from './dice.ts';
import type { Looks } from './invariants.ts';
import { type Kernel, type ProcessKind, SimProcess } from './kernel.ts';
import type { SimPlex } from './plex.ts';
import { type DiskState, errorOf, ProcessFs } from './process-fs.ts';
import { SECRETS, type SimStash } from './stash.ts';
import { StashQueue } from './stash-queue.ts';
import { type RawLine, type Version, VersionedJournal, versionedFile } from './versions.ts';

export const DATA_DIR = '/stash/breakwater';

/** Node starts, in ms. */
const START_MS = 40;
const SLOW_START_MS = 4_000;

/** What a process has of the world. */
interface Outside {
  readonly world: World;
  readonly dir: DataDir;
  readonly writer: Writer;
  readonly fs: ProcessFs;
}

export interface MachineEvents {
  onAcknowledged(process: SimProcess, stream: StreamName, record: JournalRecord): void;
  onFile(process: SimProcess, call: 'read' | 'stat' | 'write' | 'sync', path: string): void;
  onCheckpoint(process: SimProcess, name: StreamName | 'agenda', checkpoint: unknown): void;
  onWakeBegins(process: SimProcess, scope: Scope, hookAt: number): void;
  onLog(line: string): void;
}

export class Machine {
  readonly clock: MachineClock;
  readonly #name: string;
  readonly #space: string;
  readonly #kernel: Kernel;
  readonly #dice: Dice;
  readonly #disk: DiskState;
  readonly #stash: SimStash;
  readonly #plex: SimPlex;
  readonly #isStashInit: boolean;
  readonly #houseRules: HouseRules;
  readonly #rawLine: RawLine;
  readonly #events: MachineEvents;
  version: Version = 0;
  canSpawn = true;
  readonly queue: StashQueue;
  readonly #own = new Set<string>();
  #made = 0;
  #pids = 100;

  constructor(parts: {
    /** What its processes are told apart by from those of another; empty: nothing. */
    readonly name: string;
    /** In which process ids mean something. */
    readonly space: string;
    readonly kernel: Kernel;
    readonly dice: Dice;
    readonly clock: MachineClock;
    readonly disk: DiskState;
    readonly stash: SimStash;
    readonly plex: SimPlex;
    readonly isStashInit: boolean;
    readonly houseRules: HouseRules;
    readonly rawLine: RawLine;
    readonly events: MachineEvents;
    readonly looks: Looks;
    /** Of the machine that Stash runs on. */
    readonly stashNow: () => number;
  }) {
    this.#kernel = parts.kernel;
    this.#dice = parts.dice;
    this.clock = parts.clock;
    this.#name = parts.name;
    this.#space = parts.space;
    this.#disk = parts.disk;
    this.#stash = parts.stash;
    this.#plex = parts.plex;
    this.#isStashInit = parts.isStashInit;
    this.#houseRules = parts.houseRules;
    this.#rawLine = parts.rawLine;
    this.#events = parts.events;
    this.queue = new StashQueue({
      kernel: parts.kernel,
      looks: parts.looks,
      wallNow: parts.stashNow,
      startTask: (args) => this.#wake(args),
      onLog: (line) => parts.events.onLog(line),
    });
  }

  /** From here on what is asked of the system about processes is asked of this machine. */
  takeOver(): () => void {
    const self = () => {
      const { current } = this.#kernel;
      if (current === null) throw new Error('nobody runs');
      return current;
    };
    return useProcessTable({
      self: () => ({ pid: self().pid, space: self().space }),
      isGone: ({ pid, space }) =>
        space === self().space && ![...this.#kernel.processes].some((other) => other.pid === pid),
    });
  }

  drainer(lingerMs?: number): void {
    const options = { isImpatient: false, mayWait: true, ...(lingerMs !== undefined && { lingerMs }) };
    this.#start('drain', this.#startMs(), (_, { world }) => drain(world, options));
  }

  task(mode: TaskMode, args: TaskArgs, onResult: (result: TaskResult) => void = () => {}): SimProcess {
    return this.#start('task', this.#startMs(), async (process, { world }) => {
      process.notes.set('begunAt', world.writer.now().at);
      const result = await runMode(mode, world, args);
      onResult(result);
      return result;
    });
  }

  /** What Stash starts for a hook, in its queue or beside it. */
  #wake(args: TaskArgs): SimProcess {
    return this.#start('wake', this.#startMs(), (process, { world }) => {
      // Beside the queue a drainer may do the looking.
      if (args.beside !== true) {
        const scope = isScope(args.scope) ? args.scope : 'changes';
        this.#events.onWakeBegins(process, scope, Number(args.at));
      }
      return runMode('wake', world, args);
    });
  }

  /** What a drainer does now and then, in its spare time. */
  seal(stream: StreamName): void {
    this.#start('task', this.#startMs(), (_, { fs, writer }) => {
      const occasion = makeRecord(writer, 'segment.due', {});
      return new FileSegments(DATA_DIR, fs.journal).seal(stream, occasion);
    });
  }

  has({ inv }: SimProcess): boolean {
    return this.#own.has(inv);
  }

  #startMs(): number {
    return this.#dice.chance(0.05) ? this.#dice.int(SLOW_START_MS) : START_MS;
  }

  #start(
    kind: ProcessKind,
    startMs: number,
    work: (process: SimProcess, parts: Outside) => Promise<unknown>,
  ): SimProcess {
    this.#made += 1;
    this.#pids += 1;
    // Now and then an id is used again, or means something only in a container.
    const pid = this.#dice.chance(0.03) ? this.#dice.between(100, this.#pids) : this.#pids;
    const space = `${this.clock.boot}/${this.#dice.chance(0.05) ? 'container' : this.#space}`;
    const inv = `${kind}-${this.#name}${this.#made}`;
    const process = new SimProcess(inv, kind, pid, space, this.version);
    this.#own.add(inv);
    process.notes.set('clock', this.clock);
    this.#kernel.start(process, startMs, () => work(process, this.#outside(process)));
    return process;
  }

  #drainers(process: SimProcess): Drainers {
    return {
      isStashInit: () => this.#isStashInit,
      startDetached: (lingerMs) =>
        this.#kernel.operation(process, 'spawn', 5, () => {
          if (!this.canSpawn) throw errorOf('EAGAIN', 'spawn');
          this.drainer(lingerMs);
        }),
    };
  }

  #outside(process: SimProcess): Outside {
    const dice = this.#dice.fork(this.#made);
    const writer: Writer = { inv: process.inv, now: () => this.clock.now(), random: dice.fork(1).random };
    const fs = new ProcessFs(this.#kernel, process, this.#disk, dice.fork(2));
    fs.onCall = (call, path) => this.#events.onFile(process, call, path);
    const version = process.version as Version;
    const journal = new VersionedJournal(new FileJournal(DATA_DIR, fs.journal), version, this.#rawLine);
    journal.onAcknowledged = (stream, record) => this.#events.onAcknowledged(process, stream, record);
    const file = <State>(stream: StreamName | 'agenda'): CheckpointStore<State> => {
      const path = `${DATA_DIR}/checkpoint/${stream}.json`;
      const versioned = versionedFile(new AtomicFile<Checkpoint<State>>(path, fs.whole), version);
      return {
        read: versioned.read,
        write: (checkpoint) => {
          versioned.write(checkpoint);
          this.#events.onCheckpoint(process, stream, checkpoint);
        },
      };
    };
    const dir: DataDir = {
      ...NOWHERE,
      path: DATA_DIR,
      journal,
      controlCheckpoint: file('control'),
      queueCheckpoint: file('queue'),
      agendaCheckpoint: file('agenda'),
    };
    const house = { segments: new FileSegments(DATA_DIR, fs.journal), rules: this.#houseRules };
    const say = (line: string) => this.#events.onLog(line);
    const world: World = {
      dir,
      house,
      writer,
      settingsFile: { read: () => NO_FILE, write: () => {} },
      stash: this.#stash.port(process, dice.fork(3)),
      connectPlex: ({ plexToken }, hasEverWorked) =>
        this.#plex.port(process, plexToken, hasEverWorked, () => this.clock.now().at, dice.fork(4)),
      fingerprint: ({ plexUrl, plexToken }) => `${plexUrl} ${SECRETS.indexOf(plexToken as never)}`,
      drainers: this.#drainers(process),
      env: {},
      sleep: (ms) => this.#kernel.operation(process, 'sleep', ms, () => undefined),
      log: { line: (level, text) => say(`${level}: ${text}`), progress: () => {} },
    };
    return { world, dir, writer, fs };
  }
}

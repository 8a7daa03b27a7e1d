// All that a run is made of, put together: the machine, its disk and clocks, Stash and Plex, and those who watch.

import { ERA } from '../../machines/era.ts';
import type { FoldState } from '../../src/breaker/control/replay.ts';
import { FileJournal } from '../../src/breaker/journal/file-journal.ts';
import { imageName, placeOf, segmentName } from '../../src/breaker/journal/segments.ts';
import type { HouseRules } from '../../src/invocation/housekeeping.ts';
import { Checks, WALL_SKEW_MS } from './checks.ts';
import { MachineClock } from './clock.ts';
import { Dice } from './dice.ts';
import { Disk } from './disk.ts';
import { Found } from './found.ts';
import { Looks } from './invariants.ts';
import { Kernel, type SimProcess } from './kernel.ts';
import { DATA_DIR, Machine } from './machine.ts';
import { isCalm, type Plan, type Second } from './plan.ts';
import { SimPlex } from './plex.ts';
import type { DiskState } from './process-fs.ts';
import { Promises } from './promises.ts';
import { immediateFs } from './reader-fs.ts';
import { Scans } from './scans.ts';
import { folderOfScene, PLEX_URL, SECRETS, SimStash } from './stash.ts';
import { Undone } from './undone.ts';
import { type RawLine, type Version, VersionedJournal } from './versions.ts';
import { Watch } from './watch.ts';

type MachineParts = Omit<ConstructorParameters<typeof Machine>[0], 'name' | 'space' | 'dice' | 'clock'>;

export class Stage {
  readonly plan: Plan;
  readonly dice: Dice;
  readonly kernel: Kernel;
  readonly clock: MachineClock;
  readonly looks: Looks;
  readonly disk: DiskState;
  readonly stash: SimStash;
  readonly plex: SimPlex;
  readonly watch: Watch;
  readonly checks: Checks;
  readonly scans: Scans;
  readonly undone: Undone;
  readonly found: Found;
  /** What was committed last: when, by Stash's clock, and whether that time is of no change before. */
  changed = { at: 0, isDistinct: true };
  readonly machine: Machine;
  /** Null: there is one machine. */
  readonly second: Machine | null;
  readonly machines: readonly Machine[];
  readonly clocks: readonly MachineClock[];
  #worstSkewMs = 0;
  readonly promises = new Promises();
  readonly faults: Record<string, number> = {};
  /** The newest version that is ever at work. */
  readonly newest: Version;
  /** All that processes said to anybody. */
  readonly said: string[] = [];
  readonly processes = new Map<string, SimProcess>();
  #isLogDirty = false;
  #restoreFound: () => void = () => {};
  /** When records of the queue were first seen, by id. */
  readonly #seenMs = new Map<string, number>();
  #newestControl = 0;

  constructor(plan: Plan, trace: ((line: string) => void) | null) {
    this.plan = plan;
    this.dice = new Dice(plan.seed ^ 0x5bd1e995);
    this.kernel = new Kernel(this.dice.fork(1));
    this.kernel.trace = trace;
    this.clock = new MachineClock(this.kernel);
    this.looks = new Looks(() => this.kernel.nowMs);
    const injected = (kind: string) => this.count(kind);
    this.disk = { disk: new Disk('/stash'), faults: new Map(), injected };
    this.stash = new SimStash(this.kernel, () => this.clock.now().at, settingsOf(plan), plan.hasCovers);
    this.stash.onFault = injected;
    this.plex = new SimPlex(this.kernel, SECRETS[0]);
    this.newest = Math.max(0, ...plan.acts.map((act) => (act.does === 'upgrade' ? act.to : 0))) as Version;
    const rawLine: RawLine = (stream, from, to) => {
      const { kind, index, offset } = placeOf(from);
      const name = kind === 'image' ? imageName(stream, index) : segmentName(stream, index);
      const bytes = this.disk.disk.file(`${DATA_DIR}/${name}`)?.bytes;
      return bytes?.subarray(offset, offset + to - from) ?? Buffer.alloc(0);
    };
    const open = () => {
      const reader = new FileJournal(DATA_DIR, immediateFs(this.disk.disk));
      return new VersionedJournal(reader, this.newest, rawLine);
    };
    this.watch = new Watch(open, this.looks, () => this.clocks.map((clock) => clock.now()));
    this.checks = new Checks({
      kernel: this.kernel,
      watch: this.watch,
      looks: this.looks,
      stash: this.stash,
      doClocksAgree: () => this.doClocksAgree,
      recoveryTimeoutMs: plan.recoveryTimeoutSeconds * 1000,
    });
    this.scans = new Scans(this);
    this.undone = new Undone(this);
    this.found = new Found(this);
    this.stash.onChange = (job, at) => {
      this.changed = { at, isDistinct: this.found.onChange(job, at) };
    };
    this.plex.fileOf = (scene) => this.stash.fileOf(scene);
    this.stash.onRead = (process, id, said) => this.undone.onStashRead(process, id, said);
    const machineParts: MachineParts = {
      kernel: this.kernel,
      disk: this.disk,
      stash: this.stash,
      plex: this.plex,
      isStashInit: plan.isStashInit,
      houseRules: houseRulesOf(plan),
      rawLine,
      looks: this.looks,
      stashNow: () => this.clock.now().at,
      events: {
        onAcknowledged: (process, stream, record) => this.checks.onAcknowledged(process, stream, record),
        onFile: (process, call, path) => {
          if (call === 'write') this.#isLogDirty = true;
          if (!path.includes('/control')) return;
          // Whoever looks at a segment that is no longer the newest learns nothing of what is in that.
          const segment = segmentOf(path);
          if (call === 'write') this.#newestControl = Math.max(segment, this.#newestControl);
          if (segment === this.#newestControl) this.checks.onLook(process);
        },
        onCheckpoint: (process, stream, written) => this.#lookAtCheckpoint(process, stream, written),
        onWakeBegins: (...begun) => this.found.onWakeBegins(...begun),
        onLog: (line) => this.said.push(line),
      },
    };
    const dice = this.dice.fork(2);
    this.machine = new Machine({ ...machineParts, name: '', space: 'host', dice, clock: this.clock });
    this.second = plan.second === null ? null : this.#secondMachine(plan.second, machineParts);
    this.machines = this.second === null ? [this.machine] : [this.machine, this.second];
    this.clocks = [...new Set(this.machines.map(({ clock }) => clock))];
    this.noteSkew();
    this.#connect(injected);
  }

  get isBroken(): boolean {
    return this.looks.violation !== null;
  }

  get hasClockMoved(): boolean {
    return (
      ['clock step', 'suspend', 'power loss'].some((fault) => fault in this.faults) || this.#worstSkewMs > 0
    );
  }

  /** Whether nothing runs and nothing waits. */
  get isQuiet(): boolean {
    return this.kernel.processes.size === 0 && this.machines.every(({ queue }) => queue.isIdle);
  }

  /** Whether two machines agreed on wall time all along, as well as they must. */
  get doClocksAgree(): boolean {
    return this.#worstSkewMs <= WALL_SKEW_MS;
  }

  /** A clock was set. */
  noteSkew(): void {
    const walls = this.clocks.map((clock) => clock.now().at);
    this.#worstSkewMs = Math.max(this.#worstSkewMs, Math.max(...walls) - Math.min(...walls));
  }

  count(fault: string): void {
    this.faults[fault] = (this.faults[fault] ?? 0) + 1;
  }

  pass(ms: number): Promise<void> {
    return this.kernel.run(this.kernel.nowMs + ms, () => this.isBroken);
  }

  /** Until no process is left, at most so long. */
  settle(atMostMs: number): Promise<void> {
    const { kernel } = this;
    return kernel.run(kernel.nowMs + atMostMs, () => this.isBroken || this.isQuiet);
  }

  /** After a power loss the log is read from its beginning: its end may be another. */
  async readAnew(): Promise<void> {
    this.watch.reset();
    this.undone.reset();
    const { queuedMs } = this.found;
    this.#restoreFound = this.found.reset();
    this.#isLogDirty = false;
    const control = this.disk.disk.files().filter(([path]) => path.includes('/control'));
    this.#newestControl = Math.max(0, ...control.map(([path]) => segmentOf(path)));
    await this.watch.advance(true);
    if (this.faults['disk sync-error'] !== undefined) this.found.excuseLost(queuedMs);
    this.checks.lookForLost(this.present(), this.plan.keepMs === null);
    for (const clock of this.clocks) this.watch.lookAtWaits(clock.now());
  }

  /** Ids of all records in the log, read without any code that is under test. */
  present(): Set<string> {
    const ids = new Set<string>();
    for (const [path, node] of this.disk.disk.files()) {
      if (!path.includes('.ndjson')) continue;
      for (const line of node.bytes.toString('latin1').split('\n')) {
        const id = /^\{"v":\d,"id":"([^"]+)".*"crc":\d+\}$/.exec(line)?.[1];
        if (id !== undefined) ids.add(id);
      }
    }
    return ids;
  }

  #secondMachine({ isContainer, wallOffMs }: Second, parts: MachineParts): Machine {
    const clock = isContainer ? this.clock : new MachineClock(this.kernel, 'other', wallOffMs);
    return new Machine({ ...parts, name: 'b', space: 'second', dice: this.dice.fork(3), clock });
  }

  #connect(injected: (kind: string) => void): void {
    const { watch, plex, kernel, checks, scans, undone, promises, looks, found } = this;
    for (const { queue } of this.machines) queue.onWakeLost = (scope) => found.onWakeLost(scope);
    watch.onControl = (step) => {
      checks.onControl(step, this.processes.get(step.record.inv) ?? null);
      scans.onControl(step);
    };
    watch.onQueue = (event, { id, inv }, isAgain, isVoid) => {
      undone.onQueue(event, inv, isAgain);
      const seenMs = this.#seenMs.get(id) ?? kernel.nowMs;
      this.#seenMs.set(id, seenMs);
      if (isAgain && event.type === 'queue.compacted') this.#restoreFound();
      if (!isVoid) found.onQueue(event, seenMs, isAgain);
      if (isAgain) return;
      scans.onQueue(event, inv);
      if (event.type === 'job.delivered') promises.delivered += 1;
      if (event.type === 'job.dropped') promises.excuseAll();
      const isOwnFault = event.type === 'job.deferred' && /^failed: (?!E[A-Z]+:)/.test(event.detail);
      looks.at(22, !isOwnFault, () => JSON.stringify(event));
    };
    plex.scenesIn = (folder) => this.stash.ids.filter((scene) => folderOfScene(scene) === folder);
    plex.onFault = injected;
    plex.onCall = (call) => {
      checks.onCall(call);
      scans.onCall(call);
      undone.onCall(call);
    };
    plex.onAnswer = (call, result) => {
      checks.onAnswer(call, result);
      scans.onAnswer(call, result);
    };
    kernel.afterStep = () => {
      for (const process of kernel.processes) this.processes.set(process.inv, process);
      if (!this.#isLogDirty) return undefined;
      this.#isLogDirty = false;
      return watch.advance();
    };
    const wasCalm = isCalm(this.plan);
    kernel.onEnd = (process, exit) => {
      checks.onEnd(process, exit);
      for (const { queue } of this.machines) queue.onProcessEnd(process);
      found.onWakeEnds(process, exit);
      // Nobody need save anything again where nothing went wrong: of a wake and a drainer one sees the other.
      const { pending } = watch.queue.counts;
      if (wasCalm && this.isQuiet) {
        looks.at(3, pending === 0, () => `${pending} jobs were left though nothing went wrong`);
      }
      if (exit.kind === 'threw') this.said.push(String(exit.error.stack));
      if (exit.kind === 'done') this.said.push(JSON.stringify(exit.value) ?? '');
    };
  }

  #lookAtCheckpoint(process: SimProcess, stream: string, written: unknown): void {
    if (stream !== 'control' || process.version !== 0) return;
    const { position, state, era } = written as { position: number; state: FoldState; era: string };
    // What a sync that failed has lost with the power was folded by those who saw it before.
    if (this.faults['disk sync-error'] !== undefined && this.faults['power loss'] !== undefined) return;
    // Nor does one that cannot read all of the log see what is true: it writes nothing to it.
    if (state.counts.newer > 0) return;
    const fold = this.watch.folds.get(position);
    const isSame =
      this.newest > 0
        ? JSON.stringify(fold?.control) === JSON.stringify(state.control)
        : JSON.stringify(fold) === JSON.stringify(state);
    this.looks.at(
      8,
      era === ERA && isSame,
      () => `checkpoint of ${process.inv} at ${position}: ${JSON.stringify([fold, state])}`,
    );
  }
}

function segmentOf(path: string): number {
  return Number(/\.(\d{6})\.ndjson$/.exec(path)?.[1] ?? 0);
}

function houseRulesOf({ segmentBytes, keepMs }: Plan): HouseRules {
  const bytes = segmentBytes ?? Number.POSITIVE_INFINITY;
  return {
    sealBytes: { control: bytes, queue: bytes },
    retentionOf: () => ({ keepMs: keepMs ?? Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY }),
  };
}

function settingsOf(plan: Plan): Record<string, unknown> {
  return {
    plexUrl: PLEX_URL,
    plexToken: SECRETS[0],
    vigilMinutes: plan.vigilMinutes,
    recoveryTimeout: plan.recoveryTimeoutSeconds,
    failureThreshold: plan.failureThreshold,
    ...(plan.scansNewFiles && { scanNewFiles: true }),
  };
}

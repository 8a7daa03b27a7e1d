// Stash with its job queue, a Plex and a journal, as small as they can be: what the real hook, wake and drainer need for a
// walk through every order of their steps. No step takes time but to wait for a second to be over: a wake that stays does so
// while nothing happens, or as long as it takes for anything else to happen; or until nothing else is left to happen.

import { setImmediate } from 'node:timers/promises';
import { ControlLog } from '../../src/breaker/control/control-log.ts';
import { MemoryJournal } from '../../src/breaker/journal/memory-journal.ts';
import type { StreamName } from '../../src/breaker/journal/record.ts';
import type { Writer } from '../../src/breaker/journal/writer.ts';
import { type HookOutcome, runHook } from '../../src/door/hook.ts';
import { DESCRIPTIONS, JOB_PREFIX } from '../../src/door/scopes.ts';
import { drain } from '../../src/invocation/drainer.ts';
import { HOUSE_RULES } from '../../src/invocation/housekeeping.ts';
import { runMode, type TaskArgs } from '../../src/invocation/task.ts';
import type { World } from '../../src/invocation/world.ts';
import { agendaCheckpointOf } from '../../src/queue/agenda.ts';
import type { Queue } from '../../src/queue/queue.ts';
import { QueueLog } from '../../src/queue/queue-log.ts';
import { NO_FILE } from '../../src/settings/file.ts';
import type { StashScene } from '../../src/stash/stash-scene.ts';
import type { PlexPort } from '../../src/sync/deliver.ts';
import { STAY_MS } from '../../src/wake/wake.ts';
import { START_AT } from '../support/fake-writer.ts';
import { NOWHERE } from '../support/nowhere.ts';
import { sceneWith } from '../support/stash-scenes.ts';
import { Run, type Step, type Turn } from './interleavings-orders.ts';

interface Job {
  readonly id: string;
  readonly args: TaskArgs;
  readonly description: string;
  readonly addTime: string;
  status: 'READY' | 'RUNNING';
}

/** From here on a sleep is a wake that stays, and not one that waits for the second to be over: that is one of 601 ms. */
const STAY_FROM_MS = 1_000;
const CLOCK = 'the clock';
const SCENES = 'scenes';
const JOBS = 'jobs';

/** As JSON. */
export type Checkpoints = Readonly<Record<'control' | 'queue' | 'agenda', string | null>>;

export class SmallWorld {
  readonly run = new Run();
  readonly journal = new MemoryJournal();
  /** Titles by scene, and when they changed. */
  readonly scenes = new Map<string, { readonly title: string; readonly changedAt: number }>();
  readonly plex = new Map<string, string>();
  readonly outcomes: HookOutcome[] = [];
  jobs: Job[] = [];
  checkpoints: Checkpoints = { control: null, queue: null, agenda: null };
  #nowMs: number;
  #made = 0;
  /** The most wakes that were READY at the same time. */
  mostReady = 0;

  /** A wake that stays does so until all others have come to their ends, and not in any order with them. */
  isStayLongest = false;
  #stays: (() => void)[] = [];

  constructor(nowMs = 400) {
    this.#nowMs = nowMs;
  }

  get clock(): number {
    return START_AT + this.#nowMs;
  }

  get second(): number {
    return Math.floor(this.clock / 1_000) * 1_000;
  }

  /** A save in Stash with its hook, which waits for its turn before each question to Stash. */
  save(name: string, scene: string, title: string, changedAt?: number): void {
    this.run.start(name, async (turn) => {
      await turn({ what: `saves ${scene}`, reads: [CLOCK], writes: [SCENES] });
      this.edit(scene, title, changedAt);
      this.outcomes.push(await this.#hook(name, turn));
    });
  }

  /** Wakes that stayed longest go on; false: there are none. */
  async endStays(): Promise<boolean> {
    const stays = this.#stays.splice(0);
    for (const go of stays) go();
    await setImmediate();
    return stays.length > 0;
  }

  edit(scene: string, title: string, changedAt = this.second): void {
    this.scenes.set(scene, { title, changedAt });
  }

  drainer(name: string): void {
    this.run.start(name, async (turn) => {
      await turn({ what: 'starts', reads: [], writes: [] });
      await drain(this.world(name, merged(turn)), { isImpatient: false, mayWait: true, lingerMs: 0 });
    });
  }

  /** Something was committed, and a wake for it begins. */
  wake(name: string): void {
    this.run.start(name, async (turn) => {
      await turn({ what: 'starts', reads: [], writes: [] });
      await this.#wake(name, { mode: 'wake', scope: 'changes', at: this.clock }, turn);
    });
  }

  /** Stash begins the next job whenever its turn comes. */
  stash(): void {
    this.run.start('Stash', async (turn) => {
      await turn({ what: 'begins a job', reads: [], writes: [JOBS] });
      const [job] = this.jobs;
      if (job === undefined || job.status === 'RUNNING') return;
      job.status = 'RUNNING';
      this.#begin(job);
    });
  }

  /** What was there before, as bytes of the journal. */
  restore(bytes: ReadonlyMap<StreamName, Buffer>): void {
    for (const [stream, some] of bytes) this.journal.appendBytes(stream, some);
  }

  async folded(): Promise<Checkpoints> {
    const writer = this.#writer('reader');
    const control = await ControlLog.open(this.journal, writer);
    const queue = await QueueLog.open(this.journal, writer);
    return {
      control: JSON.stringify(control.checkpoint()),
      queue: JSON.stringify(queue.checkpoint()),
      agenda: JSON.stringify(agendaCheckpointOf(queue)),
    };
  }

  async queue(): Promise<Queue> {
    return (await QueueLog.open(this.journal, this.#writer('reader'))).queue;
  }

  world(name: string, turn: Turn): World {
    let stayedMs = 0;
    const writer = this.#writer(name, () => stayedMs);
    const dir: World['dir'] = {
      ...NOWHERE,
      journal: new JournalInSteps(this.journal, turn),
      controlCheckpoint: held(this.checkpoints.control),
      queueCheckpoint: held(this.checkpoints.queue),
      agendaCheckpoint: held(this.checkpoints.agenda),
    };
    return {
      dir,
      house: { segments: this.journal, rules: HOUSE_RULES },
      writer,
      settingsFile: { read: () => NO_FILE, write: () => {} },
      stash: this.#stashPort(turn),
      connectPlex: () => this.#plexPort(),
      fingerprint: () => 'the same',
      drainers: {
        isStashInit: () => false,
        startDetached: async () => this.drainer(`drainer of ${name}`),
      },
      env: {},
      sleep: async (ms) => {
        const isStay = ms >= STAY_FROM_MS;
        const untilMs = this.#nowMs + ms;
        if (isStay && this.isStayLongest) await new Promise<void>((go) => this.#stays.push(go));
        await turn({ what: `sleeps ${ms}`, reads: [], writes: isStay ? [] : [CLOCK] });
        // All of its stay at once, so that it looks again once: to look twice in a row adds orders, and no other outcome.
        if (isStay) stayedMs += STAY_MS;
        else this.#nowMs = Math.max(this.#nowMs, untilMs);
      },
      log: { line: () => {}, progress: () => {} },
    };
  }

  /** The real one is synchronous: for each step it is run again with the answers that it had. */
  async #hook(name: string, turn: Turn): Promise<HookOutcome> {
    const answers: unknown[] = [];
    const input = { Args: { hookContext: { id: 1, type: 'Scene.Update.Post', input: {} } } };
    await turn({ what: 'begins its hook', reads: [CLOCK], writes: [] });
    const now = this.clock;
    for (;;) {
      let asked: { readonly query: string; readonly variables: TaskArgs } | null = null;
      let count = 0;
      const gql = {
        Do: (query: string, variables: object = {}) => {
          count += 1;
          if (count <= answers.length) return answers[count - 1];
          asked ??= { query, variables: variables as TaskArgs };
          throw new Error('not answered yet');
        },
      };
      const { Output } = runHook(
        { Args: { hookContext: input.Args.hookContext } },
        gql,
        { Debug: () => {} },
        now,
      );
      if (asked === null) return Output;
      answers.push(await this.#answer(asked, name, turn));
    }
  }

  async #answer(
    { query, variables }: { readonly query: string; readonly variables: TaskArgs },
    by: string,
    turn: Turn,
  ): Promise<unknown> {
    if (query.startsWith('{jobQueue')) {
      await turn({ what: 'asks for the jobs', reads: [JOBS], writes: [] });
      const jobQueue = this.jobs.map(({ args: _, ...job }) => ({ ...job }));
      return { jobQueue, plugins: [{ id: 'breakwater', enabled: true }] };
    }
    if (query.includes('runPluginTask')) {
      await turn({ what: 'adds a wake', reads: [CLOCK], writes: [JOBS] });
      this.#add(`${JOB_PREFIX}${variables.text}`, variables.args as TaskArgs);
      return {};
    }
    if (query.includes('stopJob')) {
      await turn({ what: 'stops a wake', reads: [], writes: [JOBS] });
      this.jobs = this.jobs.filter(({ id, status }) => id !== variables.id || status === 'RUNNING');
      return {};
    }
    await turn({ what: 'has a wake done beside', reads: [], writes: [] });
    const name = `wake beside for ${by}`;
    this.run.start(name, (its) => this.#wake(name, variables.args as TaskArgs, its));
    return {};
  }

  #add(description: string, args: TaskArgs): void {
    this.#made += 1;
    const addTime = new Date(this.clock).toISOString();
    this.jobs.push({ id: `${this.#made}`, args, description, addTime, status: 'READY' });
    const ready = this.jobs.filter(({ status }) => status === 'READY').length;
    this.mostReady = Math.max(this.mostReady, ready);
    if (this.jobs.length === 1) this.stash();
  }

  /** A scan that runs, and ends whenever its turn comes; a wake for changes waits behind it, for so long by now. */
  busy(waitedMs: number): void {
    this.jobs.push({ id: 'scan', args: {}, description: 'Scanning...', addTime: '', status: 'RUNNING' });
    this.#add(`${JOB_PREFIX}${DESCRIPTIONS.changes}`, { mode: 'wake', scope: 'changes', at: this.clock });
    this.#nowMs += waitedMs;
    this.run.start('scan', async (turn) => {
      await turn({ what: 'is over', reads: [], writes: [JOBS] });
      this.jobs = this.jobs.filter(({ id }) => id !== 'scan');
      if (this.jobs.length > 0) this.stash();
    });
  }

  #begin(job: Job): void {
    const name = `wake ${job.id}`;
    this.run.start(name, async (turn) => {
      await this.#wake(name, job.args, turn);
      await turn({ what: 'is over', reads: [], writes: [JOBS] });
      this.jobs = this.jobs.filter((one) => one !== job);
      if (this.jobs.length > 0) this.stash();
    });
  }

  async #wake(name: string, args: TaskArgs, turn: Turn): Promise<void> {
    const { isOk, lines } = await runMode('wake', this.world(name, merged(turn)), args);
    if (!isOk) throw new Error(`${name}: ${lines.join()}`);
  }

  #writer(inv: string, stayedMs = () => 0): Writer {
    let drawn = 0;
    const random = () => {
      drawn += 1;
      return (drawn * 0.618_033) % 1;
    };
    return { inv, now: () => ({ at: this.clock, mono: this.#nowMs + stayedMs(), boot: 'boot' }), random };
  }

  #stashPort(turn: Turn): World['stash'] {
    const read = async (what: string, reads: readonly string[]) => turn({ what, reads, writes: [] });
    const ok = <T>(value: T) => ({ ok: true, value }) as const;
    return {
      settings: async () => ok({ plexUrl: 'http://plex:32400', plexToken: 'token', vigilMinutes: 0 }),
      configure: async () => ok(null),
      changedSince: async (since) => {
        await read('asks Stash for changes', [SCENES, CLOCK]);
        const rows = [...this.scenes].map(([id, { changedAt }]) => {
          return { kind: 'scene', id, changedAt, isNew: false } as const;
        });
        return ok({ now: this.second, rows: rows.filter(({ changedAt }) => changedAt >= since) });
      },
      sceneIds: async () => ok(new Set(this.scenes.keys())),
      scenes: async (ids) => {
        await read(`fetches ${ids}`, [SCENES]);
        const found = ids.map((id) => this.#scene(id)).filter((scene) => scene !== undefined);
        return ok(new Map(found.map((scene) => [scene.id, scene])));
      },
      scenesAfter: async () => ok({ scenes: [], lastId: 0, isLast: true, left: 0 }),
      scenesWith: async () => ok([]),
      scenesWithFile: async () => ok([]),
      cover: async () => ok({ kind: 'unfit', detail: 'none' } as const),
      close: async () => {},
    };
  }

  #scene(id: string): StashScene | undefined {
    const held = this.scenes.get(id);
    return (
      held && sceneWith({ id, title: held.title, files: [`/media/${id}.mp4`], updatedAt: held.changedAt })
    );
  }

  /** Only the holder of the lease asks it, so its answers are no steps of their own. */
  #plexPort(): PlexPort {
    const ok = <T>(value: T) => ({ ok: true, value }) as const;
    const view = (id: string) => ({
      ratingKey: id,
      sectionKey: '1',
      files: [`/media/${id}.mp4`],
      fileSizes: {},
      actorDetails: {},
      fields: { title: this.plex.get(id) ?? '' },
      tags: { genre: [], actor: [], collection: [], label: [] },
      locked: new Set<string>(),
      images: { thumb: '', art: '' },
    });
    return {
      probe: async () => ok({ machineIdentifier: 'plex', version: '1.40' }),
      sections: async () =>
        ok([{ key: '1', type: 'movie', title: 'Scenes', locations: ['/media'], scannedAt: '1' }]),
      findByFile: async (_section, name) => ok([view(name.replace('.mp4', ''))]),
      itemsOfSection: async () => ok([]),
      items: async (keys) => ok(keys.map(view)),
      edit: async ({ ratingKey }, parameters) => {
        this.plex.set(ratingKey, parameters.get('title.value') ?? '');
        return ok(null);
      },
      images: async () => ok([]),
      uploadImage: async () => ok(null),
      selectImage: async () => ok(null),
      scan: async () => ok(null),
      close: async () => {},
    };
  }
}

/** What was folded before is not folded again; nothing is written, so that no step is about these files. */
function held(image: string | null) {
  return { read: () => (image === null ? null : JSON.parse(image)), write: () => {} };
}

/**
 * The journal as one process uses it. To read a stream again with nothing done in between is no other step: it could as
 * well have been read once, later.
 */
class JournalInSteps extends MemoryJournal {
  readonly #inner: MemoryJournal;
  readonly #turn: Turn;

  constructor(inner: MemoryJournal, turn: Turn) {
    super();
    this.#inner = inner;
    this.#turn = turn;
  }

  override async append(...given: Parameters<MemoryJournal['append']>) {
    const [stream, records] = given;
    await this.#turn({
      what: `appends ${records.map(({ type }) => type)}`,
      reads: [],
      writes: [stream],
    });
    return this.#inner.append(...given);
  }

  override async read(stream: StreamName, from: number) {
    await this.#turn({ what: `reads ${stream}`, reads: [stream], writes: [] });
    return this.#inner.read(stream, from);
  }

  override async size(stream: StreamName) {
    return this.#inner.size(stream);
  }
}

/** Waits for its turn only where the step before was another. */
function merged(turn: Turn): Turn {
  let before = '';
  return async (step: Step) => {
    const isAgain = step.writes.length === 0 && step.what === before && step.reads.length === 1;
    before = step.what;
    if (!isAgain) await turn(step);
  };
}

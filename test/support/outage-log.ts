// A season of Breakwater as a journal: edits in the evenings, nights without anybody looking, and every kind of trouble
// (refused, maintenance, flapping, a wrong token, a person who holds it, a clock that is set, a reboot, a
// damaged line). A seed repeats it to the byte.

import type { ControlEvent } from '../../machines/events.ts';
import { DEFAULT_POLICY } from '../../machines/policy.ts';
import { ControlLog } from '../../src/breaker/control/control-log.ts';
import { MemoryJournal } from '../../src/breaker/journal/memory-journal.ts';
import type { Writer } from '../../src/breaker/journal/writer.ts';
import type { JobName, QueueEvent } from '../../src/queue/events.ts';
import { QueueLog } from '../../src/queue/queue-log.ts';
import { FakeClock } from './fake-writer.ts';
import { seeded } from './seeded.ts';

/** Texts that come from elsewhere: what a hostile Plex, Stash or person would make of them. */
export interface Told {
  readonly symptom: string;
  readonly reason: string;
  readonly detail: string;
  readonly scene: string;
  readonly inv: string;
}

const PLAIN: Told = { symptom: 'refused', reason: 'moving the NAS', detail: '', scene: '', inv: '' };
const HOUR = 3_600_000;

type Trouble = 'refused' | 'maintenance' | 'flapping' | 'config' | 'operator' | 'throttle' | 'overnight';
const TROUBLES: readonly Trouble[] = [
  'refused',
  'config',
  'maintenance',
  'overnight',
  'flapping',
  'operator',
  'throttle',
  'maintenance',
];

/** At least `events` control records, over about `days` days, ending in `end`. */
export async function seasonOf(
  events: number,
  options: {
    readonly days?: number;
    readonly end?: 'well' | 'away';
    readonly told?: Told;
    readonly seed?: number;
  } = {},
): Promise<MemoryJournal> {
  const season = await Season.begin(options.told ?? PLAIN, options.seed ?? 1);
  const days = options.days ?? 88;
  const perDay = events / days;
  for (let day = 0; season.records < events; day++) await season.day(day, perDay);
  if (options.end === 'away') await season.goesAway();
  return season.journal;
}

class Season {
  readonly journal = new MemoryJournal();
  readonly #clock = new FakeClock(Date.UTC(2026, 0, 5, 6));
  readonly #random: () => number;
  readonly #told: Told;
  #writer: Writer;
  #control!: ControlLog;
  #queue!: QueueLog;
  #processes = 0;
  #scene = 100;
  #troubles = 0;
  records = 0;

  private constructor(told: Told, seed: number) {
    this.#told = told;
    this.#random = seeded(seed);
    this.#writer = this.#newWriter('cli');
  }

  static async begin(told: Told, seed: number): Promise<Season> {
    const season = new Season(told, seed);
    season.#control = await ControlLog.open(season.journal, season.#speaker());
    season.#queue = await QueueLog.open(season.journal, season.#speaker());
    return season;
  }

  /** A day: some sessions, and on every fourth of them trouble. */
  async day(day: number, perDay: number): Promise<void> {
    const until = this.records + perDay;
    const begins = this.#clock.now().at;
    this.#pass(this.#between(1, day % 7 < 5 ? 5 : 2) * HOUR);
    await this.#session(3);
    if (day % 4 === 2) await this.#trouble(TROUBLES[this.#troubles++ % TROUBLES.length]!);
    const half = (this.records + until) / 2;
    let isEvening = false;
    while (this.records < until) {
      if (!isEvening && this.records > half) this.#pass(this.#between(3, 7) * HOUR);
      isEvening = this.records > half;
      this.#pass(this.#random() < 0.7 ? this.#between(2, 11) * 60_000 : this.#between(20, 70) * 60_000);
      await this.#session(1 + Math.floor(this.#random() * 6));
    }
    if (day % 23 === 11) this.#clock.reboot(90_000);
    if (day % 31 === 17) this.#clock.stepWall(-7_000);
    if (day === 40) this.journal.appendBytes('control', Buffer.from('\n{"v":1,"id":"torn\n'));
    this.#pass(Math.max(HOUR, begins + 24 * HOUR - this.#clock.now().at));
  }

  async goesAway(): Promise<void> {
    await this.#opens('refused', 23);
    for (let n = 0; n < 4; n++) await this.#asks('refused', null);
  }

  async #trouble(kind: Trouble): Promise<void> {
    this.#pass(this.#between(5, 14) * 60_000);
    switch (kind) {
      case 'refused':
        await this.#opens(this.#told.symptom, 9);
        for (let n = 0; n < 5; n++) await this.#asks(this.#told.symptom, null);
        return this.#comesBack(17);
      case 'maintenance':
        await this.#opens('refused', 21);
        await this.#asks('refused', null);
        for (let n = 0; n < 9; n++) await this.#asks('maintenance', 'maintenance');
        return this.#comesBack(42);
      case 'overnight':
        await this.#opens('timeout', 6);
        await this.#asks('timeout', null);
        this.#pass(9 * HOUR);
        return this.#comesBack(31);
      case 'flapping':
        for (let n = 0; n < 4; n++) {
          await this.#opens(n % 2 === 0 ? 'reset' : 'error-502', 4);
          await this.#asks('reset', null);
          await this.#comesBack(6);
          this.#pass(3 * 60_000);
          await this.#session(2);
        }
        return;
      case 'config':
        await this.#claims();
        await this.#say({
          type: 'hold.placed',
          hold: 'config',
          stance: 'open',
          reason: 'Plex does not accept the token (401)',
          forMs: 300_000,
          under: 'a1b2c3',
        });
        await this.#releases('held');
        this.#pass(40 * 60_000);
        await this.#say({ type: 'hold.released', hold: 'config', reason: 'a setting changed' });
        return this.#session(4);
      case 'operator':
        await this.#say({
          type: 'hold.placed',
          hold: 'operator',
          stance: 'open',
          reason: this.#told.reason,
          forMs: 2 * HOUR,
        });
        await this.#queues(12);
        this.#pass(50 * 60_000);
        await this.#say({ type: 'hold.released', hold: 'operator', reason: 'a person released it' });
        return this.#session(1);
      case 'throttle':
        await this.#claims();
        await this.#say({
          type: 'hold.placed',
          hold: 'throttle',
          stance: 'open',
          reason: 'Plex asked for a pause (429)',
          forMs: 30_000,
        });
        this.#pass(31_000);
        await this.#say({ type: 'hold.released', hold: 'throttle', reason: 'over' });
        return this.#releases('idle');
    }
  }

  /** Some edits, a drainer, all delivered. */
  async #session(edits: number): Promise<void> {
    await this.#queues(edits);
    await this.#say({ type: 'lease.requested', lease: 'drain', forMs: 15_000 });
    this.#pass(180);
    await this.#claims();
    await this.#delivers(edits + this.#waiting());
    await this.#isDry();
  }

  /** Plex stops answering in the midst of a batch; `edits` come in while it is away. */
  async #opens(symptom: string, edits: number): Promise<void> {
    await this.#queues(3);
    await this.#claims();
    const result = { lease: 'drain', epoch: this.#control.state.drain.context.epoch } as const;
    const { scene } = this.#told;
    const subject = scene === '' ? `scene:${this.#scene}` : scene;
    await this.#say({
      type: 'attempt.failed',
      ...result,
      class: 'outage',
      symptom,
      subject,
      draw: this.#random(),
    });
    this.#pass(1_400);
    await this.#say({ type: 'probe.failed', ...result, class: 'outage', symptom, draw: this.#random() });
    for (let n = 0; n < edits; n++) {
      this.#pass(this.#between(2, 14) * 1_000);
      await this.#queues(1);
    }
  }

  /** One probe when it is due. */
  async #asks(symptom: string | null, kind: 'maintenance' | null): Promise<void> {
    const { due } = this.#control.state.recovery.context;
    this.#pass((due?.waitMs ?? 0) + 40);
    await this.#say({
      type: 'lease.claimed',
      lease: 'probe',
      forMs: 15_000,
      draw: this.#random(),
      process: { pid: 4_000 + this.#processes, space: 'pid:[4026531836]' },
    });
    const asking = { lease: 'probe', epoch: this.#control.state.probe.context.epoch } as const;
    this.#pass(12 + this.#between(1, 300));
    const released = { type: 'lease.released', ...asking, reason: 'asked' } as const;
    const pending = this.#waiting();
    await this.#say(
      symptom === null
        ? { type: 'probe.succeeded', ...asking, tookMs: 14.2, pending }
        : { type: 'probe.failed', ...asking, class: kind ?? 'outage', symptom, draw: this.#random() },
      released,
    );
  }

  async #comesBack(edits: number): Promise<void> {
    await this.#queues(edits);
    await this.#asks(null, null);
    await this.#delivers(this.#waiting());
    await this.#isDry();
  }

  async #delivers(jobs: number): Promise<void> {
    for (let left = jobs, batch = 1; left > 0; left -= batch, batch = Math.min(left, batch * 2)) {
      this.#pass(60 * batch + this.#between(20, 120));
      const names = [...this.#queue.queue.jobs.values()]
        .filter(({ state }) => state === 'pending')
        .slice(0, batch)
        .map(({ job }) => job);
      await this.#settles(names);
      const { epoch } = this.#control.state.drain.context;
      await this.#say({ type: 'attempt.succeeded', lease: 'drain', epoch, count: batch });
    }
  }

  async #settles(jobs: readonly JobName[]): Promise<void> {
    const upTo = this.#queue.position;
    const outcome = (job: JobName): QueueEvent => {
      const luck = this.#random();
      const detail = this.#told.detail || 'Plex has no item for /media/clip.mp4 yet';
      if (luck < 0.012)
        return { type: 'job.deferred', job, upTo, reason: 'missing', detail, attempt: 1, waitMs: 60_000 };
      if (luck < 0.014)
        return {
          type: 'job.deadLettered',
          job,
          upTo,
          reason: 'ambiguous',
          detail: this.#told.detail || 'two items have this file',
        };
      return { type: 'job.delivered', job, upTo, result: luck < 0.3 ? 'unchanged' : 'written' };
    };
    if (jobs.length > 0) await this.#queue.appendOrThrow(...jobs.map(outcome));
  }

  async #claims(): Promise<void> {
    if (this.#control.state.drain.value === 'held') return;
    this.#writer = this.#newWriter('drain');
    const process = { pid: 4_000 + this.#processes, space: 'pid:[4026531836]' };
    const claimed = {
      type: 'lease.claimed',
      lease: 'drain',
      forMs: 120_000,
      draw: this.#random(),
      process,
    } as const;
    const server = { id: 'b1946ac92492d234', under: 'a1b2c3' };
    const isNew = this.#control.state.breaker.context.server.id === '';
    await this.#say(
      claimed,
      ...(isNew ? [{ type: 'policy.set', policy: DEFAULT_POLICY, server } as const] : []),
    );
  }

  async #isDry(): Promise<void> {
    const { epoch } = this.#control.state.drain.context;
    await this.#say({ type: 'backlog.drained', lease: 'drain', epoch });
    await this.#releases('idle');
  }

  async #releases(reason: string): Promise<void> {
    const { epoch } = this.#control.state.drain.context;
    const answeredAt = reason === 'idle' ? { answeredAt: this.#clock.now().at - 30 } : {};
    await this.#say({ type: 'lease.released', lease: 'drain', epoch, reason, ...answeredAt });
  }

  async #queues(count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      this.#scene += 1 + Math.floor(this.#random() * 3);
      const job = `scene:${this.#scene}` as JobName;
      await this.#queue.appendOrThrow({ type: 'job.queued', job, cause: 'Scene.Update.Post' });
      this.#pass(this.#between(1, 40));
    }
  }

  #waiting(): number {
    return this.#queue.queue.counts.pending;
  }

  async #say(...events: readonly ControlEvent[]): Promise<void> {
    this.records += events.length;
    await this.#control.appendOrThrow(...events);
  }

  #pass(ms: number): void {
    this.#clock.advance(Math.round(ms));
  }

  #between(low: number, high: number): number {
    return low + (high - low) * this.#random();
  }

  #newWriter(kind: string): Writer {
    this.#processes += 1;
    const suffix = Math.floor(this.#random() * 0x1_0000_0000)
      .toString(16)
      .padStart(8, '0');
    const inv = `${kind}-${suffix}${this.#told.inv}`;
    return { inv, now: () => this.#clock.now(), random: this.#random };
  }

  /** Whoever speaks now: both logs outlive the processes. */
  #speaker(): Writer {
    const inv = () => this.#writer.inv;
    return {
      get inv() {
        return inv();
      },
      now: () => this.#clock.now(),
      random: this.#random,
    };
  }
}

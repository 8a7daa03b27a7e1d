// One stay under the drain lease: ask the gate, do what it allows, ask again. Each round refreshes both streams
// first, so that it never acts on what was true a while ago. What it waits for is bounded by the vigil.

import { isCounted } from '../../machines/failure-classes.ts';
import { remainingMs } from '../../machines/time.ts';
import {
  type ControlLog,
  type DrainLease,
  type Gate,
  gate,
  type Position,
  probeUnderLease,
} from '../breaker/index.ts';
import type { Failure } from '../plex/failures.ts';
import type { PlexResult } from '../plex/plex-client.ts';
import type { PlexSection } from '../plex/plex-item.ts';
import type { DeliveryResult, JobName, QueueEvent } from '../queue/events.ts';
import { type Job, jobsSeen } from '../queue/queue.ts';
import type { QueueLog } from '../queue/queue-log.ts';
import { Turns } from '../queue/turns.ts';
import type { Settings } from '../settings/settings.ts';
import type { StashFailure } from '../stash/stash-client.ts';
import { FolderScan, scanSign } from '../sync/folder-scan.ts';
import { obfuscatePath } from '../sync/obfuscate.ts';
import { runBatch } from './batch.ts';
import type { DrainOptions } from './drainer.ts';
import { sealWhatIsLarge } from './housekeeping.ts';
import { noteSettings } from './note-settings.ts';
import { type Attempt, transientOutcome } from './outcome.ts';
import { PlexContact } from './plex-contact.ts';
import { Reconciling } from './reconciling.ts';
import { rest } from './rest.ts';
import { saveAgenda, saveControlCheckpoint } from './save-checkpoints.ts';
import type { World } from './world.ts';

/** Why a session ended. */
export type Stop =
  /** Nothing can be attempted now; deferred and dead jobs may be left. */
  | { readonly kind: 'idle' }
  /** Plex is away and the vigil is over. */
  | { readonly kind: 'away'; readonly remainingMs: number }
  | { readonly kind: 'held'; readonly hold: string; readonly reason: string }
  | { readonly kind: 'stash'; readonly failure: StashFailure }
  | { readonly kind: 'settings'; readonly problems: readonly string[] }
  | { readonly kind: 'lease-lost' }
  /** The process was told to end. */
  | { readonly kind: 'ended' };

/** Jobs by what became of them. */
export type Tally = Record<DeliveryResult | 'deferred' | 'deadLettered', number>;

interface SessionParts {
  readonly world: World;
  readonly options: DrainOptions;
  readonly control: ControlLog;
  readonly queue: QueueLog;
  readonly lease: DrainLease;
  readonly tally: Tally;
}

/** After its last job a drainer stays this long for the next one, in ms: a bulk edit is one drainer's work. */
const LINGER_MS = 2_000;
const LINGER_POLL_MS = 100;
/** While it keeps vigil it looks at the journal this often, in ms: an operator or a task may have acted. */
const VIGIL_POLL_MS = 500;
/** While Plex refuses the settings it reads them again this often, in ms. */
const SETTINGS_POLL_MS = 5_000;
/** Scenes that are tried at once because Plex has scanned. */
const MAX_SEEN_JOBS = 200;
/** What a failure of a reconciliation is about. */
const RECONCILE_SUBJECT: JobName = 'library:reconcile';
/** How long it waits for a Stash that does not answer before it leaves, one after the other, in ms. */
const STASH_DELAYS_MS = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000] as const;

const ENDED = { kind: 'ended' } as const satisfies Stop;

export class DrainSession {
  readonly lease: DrainLease;
  readonly #parts: SessionParts;
  readonly #contact: PlexContact;
  /** Whether a person's wish for a probe now has not been met yet. */
  #wantsProbe: boolean;
  readonly #turns: Turns;
  #sections: PlexResult<readonly PlexSection[]> | null = null;
  /** When something last went forward, ms on the monotonic clock. */
  #progressAt: number;
  #settingsReadAt: number;
  #stashFailures = 0;
  /** Up to where the queue was when the agenda was written. */
  #agendaAt: Position = -1;
  readonly #reconciling: Reconciling;
  #scanner: FolderScan | null = null;
  /** Whether a reconciliation met a failure that says nothing about Plex as a whole: it goes on in another session. */
  #isReconcilePaused = false;
  /** Whether jobs that wait for their items were looked at in the light of what Plex has scanned. */
  #hasSeenScans = false;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.lease = parts.lease;
    this.#contact = new PlexContact(parts.world, parts.lease);
    this.#reconciling = new Reconciling(parts.world, parts.queue, this.#contact, () => this.#libraries());
    this.#wantsProbe = parts.options.isImpatient;
    this.#turns = new Turns(parts.options.isImpatient);
    this.#progressAt = this.#monoMs();
    this.#settingsReadAt = this.#progressAt;
  }

  /** When Plex was last seen to answer, wall ms; null: not in this session. */
  get answeredAt(): number | null {
    return this.#contact.answeredAt;
  }

  /** Whether it left a reconciliation that could go on. */
  get hasLeftReconciliation(): boolean {
    return this.#parts.queue.queue.reconciliation.state === 'running' && !this.#isReconcilePaused;
  }

  /** Text without the secrets that this session knows. */
  redact(text: string): string {
    return this.#contact.redact(text);
  }

  /** Null: they were not read. */
  get settings(): Settings | null {
    return this.#contact.isOpen ? this.#contact.settings : null;
  }

  close(): Promise<void> {
    return this.#contact.close();
  }

  async run(): Promise<Stop> {
    for (;;) {
      if (this.#isEnding) return ENDED;
      await this.lease.renewIfNeeded();
      await this.lease.refresh();
      await this.lease.settleHolds();
      await sealWhatIsLarge(this.#parts.world, this.settings);
      await this.#parts.queue.refresh();
      const isOpen = this.#contact.isOpen;
      const stop = isOpen ? await this.#round(gate(this.lease.state, this.#now())) : await this.#connect();
      if (stop !== null) return stop;
    }
  }

  /** Reads the settings. What is missing in them is waited for, as is a Stash that does not answer. */
  async #connect(): Promise<Stop | null> {
    this.#settingsReadAt = this.#monoMs();
    const refused = await this.#contact.open(this.#pending());
    if (refused === null) {
      await noteSettings(this.#parts.queue, this.#contact.reports);
      return null;
    }
    if (refused.kind === 'stash') return this.#waitForStash(refused);
    await this.#contact.holdUnset(refused.problems);
    if (!this.#mayWait || this.#vigilLeftMs() < SETTINGS_POLL_MS) return refused;
    await this.#sleep(SETTINGS_POLL_MS);
    return null;
  }

  /**
   * Holding the lease meanwhile, so that the wakes of a bulk edit do not start one drainer each in vain. A session that has
   * ended stays so: who has a newer one is to have the lease.
   */
  async #waitForStash(stop: Extract<Stop, { kind: 'stash' }>): Promise<Stop | null> {
    const delayMs = STASH_DELAYS_MS[this.#stashFailures];
    if (delayMs === undefined || !this.#mayWait || stop.failure.kind === 'unauthorized') return stop;
    this.#stashFailures += 1;
    await this.#sleep(delayMs);
    return null;
  }

  async #round(answer: Gate): Promise<Stop | null> {
    switch (answer.kind) {
      case 'go': {
        const jobs = this.#turns.next(this.#parts.queue.queue, this.#now(), answer.limit);
        if (jobs.length === 0) return this.#rest();
        return this.#contact.isAcquainted ? this.#work(jobs) : this.#getAcquainted();
      }
      case 'probe':
        return this.#probe();
      case 'wait':
        if (this.#wantsProbe) return this.#probe();
        return this.#keepVigil(answer.remainingMs, { kind: 'away', remainingMs: answer.remainingMs });
      case 'held':
        return this.#standHeld(answer);
    }
  }

  /** Nothing is written to a server before it is known which one it is. */
  async #getAcquainted(): Promise<Stop | null> {
    const stop = await this.#connect();
    if (stop !== null || this.#contact.isAcquainted) return stop;
    // Where the breaker or a hold does not make it wait, the next question still must.
    if (gate(this.lease.state, this.#now()).kind !== 'go') return null;
    if (!this.#mayWait || this.#vigilLeftMs() < SETTINGS_POLL_MS)
      return { kind: 'away', remainingMs: SETTINGS_POLL_MS };
    await this.#sleep(SETTINGS_POLL_MS);
    return null;
  }

  async #work(jobs: readonly Job[]): Promise<Stop | null> {
    const { world, queue } = this.#parts;
    this.#turns.attempted(jobs);
    const result = await runBatch(jobs, {
      world,
      queue,
      lease: this.lease,
      delivery: { ...this.#contact.delivery, sections: () => this.#libraries() },
      folderScan: this.#folderScan(),
      showPath: this.#contact.settings.obfuscatesPaths ? obfuscatePath : (path) => path,
      onOutcome: (event) => this.#count(event),
    });
    if (result.answered > 0) await this.#acknowledge(result.answered);
    // Its requests may have been cut off: that says nothing about Plex.
    if (this.#isEnding) return ENDED;
    switch (result.end.kind) {
      case 'done':
        this.#progressAt = this.#monoMs();
        this.#stashFailures = 0;
        return null;
      case 'stash':
        return this.#waitForStash(result.end);
      case 'plex':
        await this.#heed(result.end.failure, result.end.attempt);
        return null;
    }
  }

  /** Tells the breaker and the ramp of so much that went well, where that means something. */
  async #acknowledge(answered: number): Promise<void> {
    this.#contact.noteAnswer();
    const { breaker, recovery } = this.lease.state;
    const isNews =
      breaker.value === 'halfOpen' || recovery.value === 'ramping' || breaker.context.failures > 0;
    if (isNews) await this.lease.record({ type: 'attempt.succeeded', count: answered });
  }

  /** A failure that says something about Plex: by its class to the breaker, to a hold, or back to the job. */
  async #heed(failure: Failure, attempt: Attempt): Promise<void> {
    const { world, queue } = this.#parts;
    this.#sections = null;
    const wasCanary = this.lease.state.breaker.value === 'halfOpen';
    await this.#contact.tell(failure, attempt.job.job);
    if (!isCounted(failure.class)) return;
    // An outage costs the job nothing. But if work goes on, or this was the canary, it may be the job: the others
    // go first.
    const isStopped = gate(this.lease.state, this.#now()).kind !== 'go';
    if (isStopped && !wasCanary) return;
    const outcome = transientOutcome(attempt, failure, world.writer.random());
    await queue.appendOrThrow(outcome);
    this.#count(outcome);
  }

  async #probe(): Promise<Stop | null> {
    const isForced = this.#wantsProbe;
    this.#wantsProbe = false;
    const { control, world } = this.#parts;
    // A long vigil: the address or token may have been changed meanwhile. A Stash that does not answer is no reason
    // not to ask Plex.
    await this.#contact.open(this.#pending());
    this.lease.assertHeld();
    const plex = this.#contact.plex;
    const pending = this.#pending();
    const outcome = await probeUnderLease({
      control,
      writer: world.writer,
      probe: (known) => plex.probe(known),
      pending,
      isForced,
    });
    this.lease.assertHeld();
    switch (outcome.kind) {
      case 'back':
        this.#progressAt = this.#monoMs();
        this.#sections = null;
        await this.#contact.remember(outcome.identity);
        world.log.line('info', 'Plex is back');
        return null;
      case 'away':
        world.log.line('info', `Plex is still away: ${outcome.failure.detail}`);
        return null;
      case 'not-ours':
        return this.#keepVigil(VIGIL_POLL_MS, { kind: 'away', remainingMs: VIGIL_POLL_MS });
    }
  }

  /** Nothing is due: say so to the recovery flow, stay a little for what may come, then leave. */
  async #rest(): Promise<Stop | null> {
    const { value, context } = this.lease.state.recovery;
    if (value === 'ramping' || (value === 'idle' && context.hasBacklog)) {
      // First the wish, then that the outage is dealt with: who dies between the two only wishes again.
      if (value === 'ramping') await this.#reconciling.requestAfterOutage();
      await this.lease.record({ type: 'backlog.drained' });
      return null;
    }
    const sought = await this.#useSpareTime();
    if (sought !== 'nothing') return sought;
    const idleMs = this.#monoMs() - this.#progressAt;
    if (!this.#mayWait) return { kind: 'idle' };
    const dueMs = this.#nextDueMs();
    if (dueMs !== null && dueMs <= this.#vigilLeftMs()) {
      await this.#sleep(Math.min(VIGIL_POLL_MS, Math.max(1, dueMs)));
      return null;
    }
    const lingerMs = this.#parts.options.lingerMs ?? LINGER_MS;
    if (idleMs >= lingerMs) return { kind: 'idle' };
    await this.#sleep(idleMs >= LINGER_MS ? VIGIL_POLL_MS : LINGER_POLL_MS);
    return null;
  }

  /** What nobody waits for: scenes whose items may have come, and reconciliation. */
  async #useSpareTime(): Promise<Stop | null | 'nothing'> {
    const { value } = this.lease.state.breaker;
    if (value === 'open') return 'nothing';
    const seen = this.#hasSeenScans || value === 'halfOpen' ? [] : await this.#seenByScan();
    const isWanted = !this.#isReconcilePaused && (await this.#reconciling.isWanted());
    if (seen.length === 0 && !isWanted) return 'nothing';
    if (!this.#contact.isAcquainted) return this.#getAcquainted();
    return seen.length > 0 ? this.#work(seen) : this.#reconcile();
  }

  /** Once a session: it costs Plex a question. */
  async #seenByScan(): Promise<Job[]> {
    const { queue } = this.#parts.queue;
    if (jobsSeen(queue, '', 1).length === 0 || !this.#contact.isAcquainted) return [];
    const libraries = await this.#libraries();
    if (!libraries.ok) return [];
    this.#hasSeenScans = true;
    return jobsSeen(queue, scanSign(libraries.value), MAX_SEEN_JOBS);
  }

  /** One page of it; of a breaker that no job is left to close, each is a canary. */
  async #reconcile(): Promise<Stop | null> {
    const isCanary = this.lease.state.breaker.value === 'halfOpen';
    // Not by what is remembered: Plex itself must answer.
    if (isCanary) this.#sections = null;
    const result = await this.#reconciling.advance();
    if (this.#isEnding) return ENDED;
    this.#progressAt = this.#monoMs();
    switch (result.kind) {
      case 'nothing':
        return null;
      case 'advanced':
        if (isCanary) await this.#acknowledge(1);
        else this.#contact.noteAnswer();
        this.#stashFailures = 0;
        return null;
      case 'stash':
        return this.#waitForStash(result);
      case 'plex':
        this.#sections = null;
        await this.#contact.tell(result.failure, RECONCILE_SUBJECT);
        this.#isReconcilePaused = gate(this.lease.state, this.#now()).kind === 'go';
        if (this.#isReconcilePaused) {
          this.#parts.world.log.line('warning', `the reconciliation goes on later: ${result.failure.detail}`);
        }
        return null;
    }
  }

  #folderScan(): FolderScan | null {
    if (!this.#contact.settings.scansNewFiles) return null;
    this.#scanner ??= new FolderScan(this.#contact.plex, this.#contact.settings.pathRules);
    return this.#scanner;
  }

  async #standHeld({
    hold,
    reason,
    remainingMs: leftMs,
  }: Extract<Gate, { kind: 'held' }>): Promise<Stop | null> {
    const stop = { kind: 'held', hold, reason } as const;
    if (hold === 'operator') return stop;
    if (this.#wantsProbe) {
      this.#wantsProbe = false;
      await this.#contact.retryHeld(hold, this.#pending());
      return null;
    }
    const isStale = this.#monoMs() - this.#settingsReadAt >= SETTINGS_POLL_MS;
    if (hold === 'config' && isStale) return this.#connect();
    return this.#keepVigil(leftMs, stop);
  }

  /** Waits a little if the end of the wait can be seen within the vigil, else stops. */
  async #keepVigil(leftMs: number, stop: Stop): Promise<Stop | null> {
    const isLong = Math.min(leftMs, SETTINGS_POLL_MS) > this.#vigilLeftMs();
    if (!this.#mayWait || isLong) return stop;
    await this.#sleep(Math.max(1, Math.min(VIGIL_POLL_MS, leftMs)));
    return null;
  }

  async #libraries(): Promise<PlexResult<readonly PlexSection[]>> {
    if (this.#sections === null || !this.#sections.ok) this.#sections = await this.#contact.libraries();
    return this.#sections;
  }

  /** ms until the next deferred job is due; null when none is deferred. */
  #nextDueMs(): number | null {
    const now = this.#now();
    let next: number | null = null;
    for (const job of this.#parts.queue.queue.jobs.values()) {
      if (job.state !== 'deferred') continue;
      const left = remainingMs(job.due, now);
      next = next === null ? left : Math.min(next, left);
    }
    return next;
  }

  #vigilLeftMs(): number {
    const { vigilMs } = this.lease.state.breaker.context.policy;
    return this.#progressAt + vigilMs - this.#monoMs();
  }

  #pending(): number {
    return this.#parts.queue.queue.counts.pending;
  }

  #count(event: QueueEvent): void {
    const { tally, world, queue } = this.#parts;
    switch (event.type) {
      case 'job.delivered':
        tally[event.result] += 1;
        break;
      case 'job.deferred':
        tally.deferred += 1;
        world.log.line('debug', `${event.job} waits: ${event.detail}`);
        break;
      case 'job.deadLettered':
        tally.deadLettered += 1;
        world.log.line('warning', `${event.job} is given up (${event.reason}): ${event.detail}`);
        break;
    }
    // A reconciliation knows better how much there is.
    if (queue.queue.reconciliation.state === 'running') return;
    const done = Object.values(tally).reduce((sofar, some) => sofar + some, 0);
    const left = Math.max(0, queue.queue.counts.pending);
    world.log.progress(done / Math.max(1, done + left));
  }

  /** Wakes come while we sleep: let them find checkpoints that are current. */
  async #sleep(ms: number): Promise<void> {
    const { world, control, queue } = this.#parts;
    saveControlCheckpoint(world, control);
    if (queue.position !== this.#agendaAt) saveAgenda(world, queue);
    this.#agendaAt = queue.position;
    await rest(world, ms);
  }

  get #isEnding(): boolean {
    return this.#parts.world.ending?.aborted === true;
  }

  get #mayWait(): boolean {
    return this.#parts.options.mayWait;
  }

  #now() {
    return this.#parts.world.writer.now();
  }

  #monoMs(): number {
    return this.#now().mono;
  }
}

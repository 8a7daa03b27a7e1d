// Looks at the invariants that are about what processes do: what they send to Plex, what they were promised, how they
// end. `Watch` looks at those that are about the log.

import { DEFAULT_POLICY } from '../../machines/policy.ts';
import type { Step } from '../../src/breaker/control/replay.ts';
import type { JournalRecord, StreamName } from '../../src/breaker/journal/record.ts';
import type { MachineClock } from './clock.ts';
import type { Looks } from './invariants.ts';
import type { Exit, Kernel, SimProcess } from './kernel.ts';
import { FOREIGN_TAG, type PlexCall } from './plex.ts';
import type { SimStash } from './stash.ts';
import { isByHand } from './undone.ts';
import type { Watch } from './watch.ts';

const WRITES: ReadonlySet<string> = new Set(['edit', 'uploadImage', 'selectImage', 'scan']);
/** Takes our own tags back, and does nothing else. */
function isTakingBack({ method, parameters }: PlexCall): boolean {
  const isHarmless = ([name, value]: [string, string]) =>
    name.endsWith('.tag.tag') ? value === FOREIGN_TAG : /^[a-z]+(\[\]\.tag\.tag-|\.locked)$/.test(name);
  return method === 'edit' && parameters !== null && [...parameters].every(isHarmless);
}

const PROBE_LEASE_MS = 15_000;
/** Two machines at one journal may disagree on wall time by this much, in ms. */
export const WALL_SKEW_MS = 5_000;
/** By one process. */
const MAX_TAKEOVERS = 4;
const ONE_JOB_MS = 120_000;

interface LeaseProbe {
  readonly process: SimProcess;
  readonly mono: number;
  readonly boot: string;
  readonly sentMs: number;
}

export interface ChecksParts {
  readonly kernel: Kernel;
  readonly doClocksAgree: () => boolean;
  readonly watch: Watch;
  readonly looks: Looks;
  readonly stash: SimStash;
  readonly recoveryTimeoutMs: number;
}

export class Checks {
  readonly #stash: SimStash;
  readonly #kernel: Kernel;
  readonly #doClocksAgree: () => boolean;
  readonly #watch: Watch;
  readonly #looks: Looks;
  /** Records that were acknowledged, by stream and id. */
  readonly acknowledged = new Map<
    string,
    { readonly stream: StreamName; readonly type: string; readonly by: string }
  >();
  #probes: LeaseProbe[] = [];
  #lastProbe: LeaseProbe | null = null;
  #recoveryTimeoutMs: number;
  /** When a person last placed or released a hold. */
  #heldMs = Number.NEGATIVE_INFINITY;
  answered = 0;

  constructor(parts: ChecksParts) {
    const { kernel, doClocksAgree, watch, looks, stash, recoveryTimeoutMs } = parts;
    this.#stash = stash;
    this.#kernel = kernel;
    this.#doClocksAgree = doClocksAgree;
    this.#watch = watch;
    this.#looks = looks;
    this.#recoveryTimeoutMs = recoveryTimeoutMs;
  }

  onAcknowledged(process: SimProcess, stream: StreamName, record: JournalRecord): void {
    this.acknowledged.set(record.id, { stream, type: record.type, by: process.inv });
    if (stream !== 'control') return;
    process.notes.set('said', record);
  }

  /** Whoever looks at the control stream knows what is true then. */
  onLook(process: SimProcess): void {
    const { drain, breaker } = this.#watch.state;
    process.notes.set('held', drain.value === 'held' && drain.context.owner === process.inv);
    process.notes.set('breaker', breaker.value);
  }

  onCall(call: PlexCall): void {
    const { process, method } = call;
    if (method === 'probe') this.#onProbe(process, call.key === '');
    if (!WRITES.has(method)) return;
    const { state } = this.#watch;
    const { operator } = state;
    const isForced = operator.value === 'held' && operator.context.stance === 'closed';
    // What a person does about a hold while one job is at work counts from the next job on.
    const isJustMoved = this.#kernel.nowMs - this.#heldMs < ONE_JOB_MS;
    const isHolder = state.drain.value === 'held' && state.drain.context.owner === process.inv;
    const who = `${process.inv} sends ${method} to ${call.key}`;
    if (isHolder) this.#looks.at(1, state.breaker.value !== 'open' || isForced || isJustMoved, () => who);
    this.#looks.at(9, process.notes.get('held') === true, () => `${who} without the lease`);
    const isEmpty = call.scene !== null && this.#stash.isLongEmpty(call.scene);
    const isAsked = isByHand(call);
    this.#looks.at(
      21,
      !isEmpty || isTakingBack(call) || isAsked,
      () => `${who}: its scene has nothing to say`,
    );
    if (call.parameters !== null) this.#onEdit(call.parameters, isAsked, who);
  }

  #onEdit(parameters: URLSearchParams, isAsked: boolean, who: string): void {
    const emptied = [...parameters].filter(([name, value]) => name.endsWith('.value') && value === '');
    this.#looks.at(
      21,
      emptied.length === 0 || isAsked,
      () => `${who}: empties ${emptied.map(([name]) => name)}`,
    );
    const dropped = (parameters.get('genre[].tag.tag-') ?? '').split(',').map(decodeURIComponent);
    this.#looks.at(21, !dropped.includes(FOREIGN_TAG), () => `${who}: drops the tag of a person`);
  }

  #onProbe(process: SimProcess, isForAnyServer: boolean): void {
    const said = process.notes.get('said') as JournalRecord | undefined;
    const isUnderLease = said?.type === 'lease.claimed' && said.data.lease === 'probe';
    if (!isUnderLease) return;
    // It was not granted, and this is what a person's check begins with: that asks without a lease.
    if (isForAnyServer && this.#watch.voids.has(said.id)) return;
    const { mono, boot } = (process.notes.get('clock') as MachineClock).now();
    const sentMs = this.#kernel.nowMs;
    const probe = { process, mono, boot, sentMs };
    const isLive = (other: LeaseProbe) => {
      // Between two of one machine there may have been one of the other, for which neither lease was live.
      if (!this.#doClocksAgree()) return false;
      if (other.boot === boot) return mono - other.mono < PROBE_LEASE_MS;
      return sentMs - other.sentMs < PROBE_LEASE_MS - WALL_SKEW_MS;
    };
    const live = this.#probes.filter((other) => other.process.isAlive && isLive(other));
    this.#looks.at(
      2,
      live.length === 0,
      () => `${process.inv} probes while ${live.map((other) => other.process.inv)} does`,
    );
    const last = this.#lastProbe;
    const isForced = said.data.isForced === true;
    if (last !== null && last.boot === boot && !isForced && this.#doClocksAgree()) {
      const shortestMs = Math.min(this.#recoveryTimeoutMs, DEFAULT_POLICY.maintenanceTimeoutMs) * 0.8;
      // The wait begins with the answer or, of a prober that died, with its claim.
      this.#looks.at(
        2,
        mono - last.mono >= shortestMs * 0.9,
        () => `a probe ${mono - last.mono} ms after another`,
      );
    }
    this.#lastProbe = probe;
    this.#probes = [...live, probe];
  }

  onAnswer({ process, method }: PlexCall, result: 'ok' | 'down' | 'nothing'): void {
    this.#probes = this.#probes.filter((probe) => probe.process !== process);
    process.notes.set('plex', result);
    if (result === 'ok' && method !== 'probe') {
      this.answered += 1;
      process.notes.set('answers', ((process.notes.get('answers') as number | undefined) ?? 0) + 1);
    }
  }

  /** `by` is null for one that is no more. */
  onControl(step: Step, by: SimProcess | null): void {
    if (step.before.operator !== step.after.operator) this.#heldMs = this.#kernel.nowMs;
    this.#lookAtTakeover(step, by);
    const [from, to] = [step.before.breaker.value, step.after.breaker.value];
    if (from === to || step.agreement === 'adopted') return;
    if (to === 'halfOpen') for (const process of this.#kernel.processes) process.notes.set('answers', 0);
    if (by === null) return;
    if (to === 'open') {
      this.#looks.at(
        4,
        by.notes.get('plex') === 'down',
        () => `${by.inv} opened it with ${step.record.type}`,
      );
    }
    if (to === 'closed') {
      const answers = (by.notes.get('answers') as number | undefined) ?? 0;
      this.#looks.at(
        5,
        answers >= 1 && from === 'halfOpen',
        () => `${by.inv} closed it after ${answers} answers`,
      );
    }
  }

  /** To whom a lease seems over may take it from who is at work; but two may not take it from each other for ever. */
  #lookAtTakeover({ before, after }: Step, by: SimProcess | null): void {
    const { owner } = before.drain.context;
    if (by === null || after.drain.context.epoch === before.drain.context.epoch || owner === by.inv) return;
    if (![...this.#kernel.processes].some(({ inv }) => inv === owner)) return;
    const times = ((by.notes.get('takeovers') as number | undefined) ?? 0) + 1;
    by.notes.set('takeovers', times);
    this.#looks.at(
      3,
      times <= MAX_TAKEOVERS,
      () => `${by.inv} takes the lease from ${owner}, again and again`,
    );
  }

  /**
   * Every record that was acknowledged must be in the log, whatever happened. `isQueueKept`: of the queue as well, whose old
   * segments may otherwise be dropped.
   */
  lookForLost(present: ReadonlySet<string>, isQueueKept: boolean): void {
    for (const [id, { stream, type, by }] of this.acknowledged) {
      if (stream === 'queue' && !isQueueKept) continue;
      // The journal's own records are given to no reader.
      const isThere = present.has(id) && (type.startsWith('segment.') || this.#watch.ids.has(id));
      this.#looks.at(7, isThere, () => `${type} of ${by} was acknowledged and is not in ${stream}`);
    }
  }

  onEnd(process: SimProcess, exit: Exit): void {
    this.#probes = this.#probes.filter((probe) => probe.process !== process);
    if (exit.kind !== 'threw') return;
    const { error } = exit;
    const isFromOutside = 'code' in error || error.message.startsWith('the journal cannot be written');
    this.#looks.at(22, isFromOutside, () => `${process.inv}: ${error.stack ?? error.message}`);
  }
}

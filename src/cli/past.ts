// The state at a point of the past, for a person and as a document.

import type { Moment, Wait } from '../../machines/time.ts';
import { remainingMs } from '../../machines/time.ts';
import {
  type ControlState,
  type FoldCounts,
  type Gate,
  gate,
  type HoldState,
  type LeaseState,
  MACHINE_NAMES,
  type MachineName,
} from '../breaker/index.ts';
import type { Past, Reached } from '../history/past.ts';
import { DELIVERY_ORDER, type Job, type QueueCounts } from '../queue/queue.ts';
import type { Reconciliation } from '../queue/reconciliation.ts';
import { STREAMS } from '../queue/streams.ts';
import { count, duration, plain, time } from './format.ts';
import { reconciliationLines } from './reconciliation.ts';

export interface PastDocument {
  readonly at: number;
  /** The newest line of each stream that is in it; null: none is. */
  readonly reached: Reached;
  readonly control: ControlState;
  readonly gate: Gate;
  readonly queue: {
    readonly counts: QueueCounts;
    /** The longest waiting first, at most `MAX_JOBS`. */
    readonly jobs: readonly Job[];
    readonly reconciliation: Reconciliation;
  };
  readonly journal: FoldCounts & { readonly damagedQueueLines: number };
}

const MAX_JOBS = 100;
const MAX_SHOWN_JOBS = 10;
const WIDTH = 10;

/** `at`: the moment that is asked about, wall ms. */
export function pastDocument(past: Past, at: number): PastDocument {
  const { control, counts } = past.fold;
  const { queue } = past;
  return {
    at,
    reached: past.reached,
    control,
    gate: gate(control, past.momentAt(at)),
    queue: {
      counts: queue.counts,
      jobs: [...queue.jobs.values()].sort(DELIVERY_ORDER).slice(0, MAX_JOBS),
      reconciliation: queue.reconciliation,
    },
    journal: { ...counts, damagedQueueLines: past.damagedQueueLines },
  };
}

export function pastLines(past: Past, at: number): string[] {
  const document = pastDocument(past, at);
  const now = past.momentAt(at);
  const { control, reached, queue } = document;
  const after = STREAMS.map((stream) =>
    reached[stream] === null ? `nothing of ${stream}` : `${stream}@${reached[stream]}`,
  ).join(' and ');
  const { pending, deferred, dead, delivered } = queue.counts;
  return [
    `State at ${time(at)}, after ${after}:`,
    ...MACHINE_NAMES.map((name) => `  ${machineLine(name, control, now)}`.trimEnd()),
    gateLine(document.gate),
    `Queue: ${pending} pending, ${deferred} deferred, ${dead} given up; ${delivered} delivered until then.`,
    ...queue.jobs.slice(0, MAX_SHOWN_JOBS).map((job) => `  ${jobLine(job, now)}`),
    ...(queue.jobs.length > MAX_SHOWN_JOBS
      ? [`  … and ${pending + deferred + dead - MAX_SHOWN_JOBS} more`]
      : []),
    ...reconciliationLines(queue.reconciliation),
    ...flawLines(document.journal),
  ];
}

function machineLine(name: MachineName, state: ControlState, now: Moment): string {
  switch (name) {
    case 'breaker': {
      const { value, context } = state.breaker;
      const failures =
        context.failures === 0 ? '' : `${context.failures} of ${context.policy.failureThreshold} failures`;
      const proof = value === 'halfOpen' ? `${context.successes} of ${context.successesNeeded} proofs` : '';
      return row(name, value, [failures, proof]);
    }
    case 'recovery': {
      const { value, context } = state.recovery;
      const due = context.due === null ? '' : `next probe ${leftText(context.due, now, 'in', 'due')}`;
      const isAway = value === 'waiting' || value === 'probing';
      const attempt =
        isAway && context.attempt > 0 ? `${count(context.attempt, 'probe')} without success` : '';
      const limit = value === 'ramping' ? `batches of ${context.limit}` : '';
      return row(name, value, [attempt, isAway ? due : '', limit]);
    }
    case 'drain':
    case 'probe':
      return row(name, state[name].value, leaseFacts(state[name], now));
    case 'operator':
    case 'config':
    case 'throttle':
      return row(name, state[name].value, holdFacts(state[name], now));
  }
}

function leaseFacts({ value, context }: LeaseState, now: Moment): string[] {
  if (value === 'free' || context.ends === null) return [context.epoch === 0 ? '' : `epoch ${context.epoch}`];
  const until = leftText(context.ends, now, 'for', 'overdue');
  return [`epoch ${context.epoch}`, `by ${plain(context.owner)}`, until];
}

function holdFacts({ value, context }: HoldState, now: Moment): string[] {
  if (value === 'free' || context.ends === null) return [];
  return [context.stance, plain(context.reason), leftText(context.ends, now, 'for', 'over')];
}

function leftText(wait: Wait, now: Moment, preposition: string, over: string): string {
  const leftMs = remainingMs(wait, now);
  return leftMs === 0 ? over : `${preposition} ${duration(leftMs)}`;
}

function row(name: string, value: string, details: readonly string[]): string {
  const told = details.filter((detail) => detail !== '').join(', ');
  return `${name.padEnd(WIDTH)}${value.padEnd(WIDTH)}${told}`;
}

function gateLine(answer: Gate): string {
  switch (answer.kind) {
    case 'go':
      return `Gate: work may be attempted, ${count(answer.limit, 'job')} at a time.`;
    case 'probe':
      return 'Gate: nothing is attempted; a probe is due.';
    case 'wait':
      return `Gate: nothing is attempted; the next probe is due in ${duration(answer.remainingMs)}.`;
    case 'held':
      return `Gate: held (${answer.hold}) for ${duration(answer.remainingMs)} more: ${plain(answer.reason)}`;
  }
}

function jobLine(job: Job, now: Moment): string {
  const name = plain(job.job.replace(':', ' '));
  switch (job.state) {
    case 'pending':
      return `${name}: pending since ${time(job.queuedAt)} (${job.causes.map(plain).join(', ')})`;
    case 'deferred':
      return `${name}: deferred, ${leftText(job.due, now, 'again in', 'due')}: ${plain(job.detail)}`;
    case 'dead':
      return `${name}: given up (${job.reason}): ${plain(job.detail)}`;
  }
}

function flawLines({ damaged, damagedQueueLines, drift, newer }: PastDocument['journal']): string[] {
  const flaws = [
    ...(damaged + damagedQueueLines === 0 ? [] : [count(damaged + damagedQueueLines, 'damaged line')]),
    ...(drift === 0 ? [] : [`${count(drift, 'record')} that drifted`]),
    ...(newer === 0 ? [] : [`${count(newer, 'line')} of a newer version`]),
  ];
  return flaws.length === 0 ? [] : [`Journal until then: ${flaws.join(', ')}; "verify" names them.`];
}

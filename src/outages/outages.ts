// Outages as a read model: folded from the steps of the control stream, stored nowhere. One outage lasts from
// the breaker's opening to its closing, however many probes fail in between; its bounds are observations,
// so what was not seen is said and not guessed.
//
// The list of outages is changed in place and the history around it is replaced: to copy all outages for each event
// would make the fold quadratic. So a history tells of its `outages` until the next step is folded onto it.

import { createStore } from '@xstate/store';
import type { StampedControlEvent } from '../../machines/events.ts';
import { type CountedClass, isAway } from '../../machines/failure-classes.ts';
import { annotationOf, type Position, type Step } from '../breaker/index.ts';

/**
 * A point of the log in time. `at` is the wall clock of its record, to show; `t` is a line that never runs
 * backwards, to measure: within a boot it goes with the monotonic clock. Both in ms.
 */
export interface Instant {
  readonly at: number;
  readonly t: number;
}

export interface Outage {
  /** Counts from 1, in the order of the log. */
  readonly number: number;
  /** The record that opened the breaker: where it stands, and its id. */
  readonly position: Position;
  readonly opening: string;
  readonly class: CountedClass;
  /** What opened it. */
  readonly symptom: string;
  /** What was seen while it lasted, in order, without repeats of the one before; at most `MAX_SYMPTOMS`. */
  readonly symptoms: readonly string[];
  /** It began after `lastGood` (null: Plex was never seen before) and not later than `firstFailed`. */
  readonly lastGood: Instant | null;
  readonly firstFailed: Instant;
  /** It ended after `lastFailed` and not later than `firstGood` (null: not yet seen to be over). */
  readonly lastFailed: Instant;
  readonly firstGood: Instant | null;
  /** When the breaker opened, and when it closed again. */
  readonly opened: Instant;
  readonly closed: Instant | null;
  /** Probes that were sent for it: those that asked whether it is over, and the one that confirmed it. */
  readonly probes: number;
  /** Jobs that waited when Plex was back. */
  readonly waiting: number;
  /** When nothing was left to attempt. */
  readonly drained: Instant | null;
  /** What people had to say about it, in the order of the log; the newest `MAX_NOTES`. */
  readonly notes: readonly Note[];
}

export interface Note {
  /** Wall ms. */
  readonly at: number;
  /** The invocation that wrote it. */
  readonly by: string;
  readonly text: string;
}

export interface Observation {
  readonly instant: Instant;
  readonly isGood: boolean;
}

export interface OutageHistory {
  readonly outages: readonly Outage[];
  /** Milliseconds between observations, by what is known of the time between them. */
  readonly coverage: Coverage;
  readonly firstSeen: Instant | null;
  readonly lastSeen: Observation | null;
  readonly lastGood: Instant | null;
  /** The first failure of the row that may become an outage. */
  readonly firstOfRow: Instant | null;
  /** The end of the time line: instant, boot and monotonic clock of the newest record. */
  readonly tip: { readonly instant: Instant; readonly boot: string; readonly mono: number } | null;
  /** Where the outages stand that a record opened, by its id: notes name them so. */
  readonly byOpening: ReadonlyMap<string, readonly number[]>;
}

/** Always: up + down + unobserved = lastSeen − firstSeen. */
export interface Coverage {
  readonly upMs: number;
  readonly downMs: number;
  readonly unobservedMs: number;
}

/** Two observations further apart than this say nothing of the time between them, in ms. */
export const COVERAGE_GAP_MS = 15 * 60_000;

/** A flapping network could name two for ever. */
const MAX_SYMPTOMS = 6;
const MAX_NOTES = 100;

export function newHistory(): OutageHistory {
  return {
    outages: [],
    coverage: { upMs: 0, downMs: 0, unobservedMs: 0 },
    firstSeen: null,
    lastSeen: null,
    lastGood: null,
    firstOfRow: null,
    tip: null,
    byOpening: new Map(),
  };
}

/** A store that takes the steps of a replay, in their order. */
export function createOutageHistory() {
  return createStore({
    context: newHistory(),
    on: { step: (history: OutageHistory, event: { step: Step }) => evolveHistory(history, event.step) },
  });
}

/** `before` is used up: its `outages` are those of the result. */
export function evolveHistory(before: OutageHistory, step: Step): OutageHistory {
  const { event } = step;
  if (event === null) return withNote(before, step);
  const instant = instantOf(before, event);
  // A record may land after one that was written later: the line never goes back.
  const isSameBoot = before.tip?.boot === event.moment.boot;
  const mono = isSameBoot ? Math.max(before.tip?.mono ?? 0, event.moment.mono) : event.moment.mono;
  const tip = { instant, boot: event.moment.boot, mono };
  const observed = observe({ ...before, tip }, observationOf(step, event, instant));
  return moveOutage(observed, step, event, instant);
}

function moveOutage(
  history: OutageHistory,
  step: Step,
  event: StampedControlEvent,
  instant: Instant,
): OutageHistory {
  const [from, to] = [step.before.breaker.value, step.after.breaker.value];
  if (from === 'closed' && to === 'open') return withOutage(history, begun(history, step, instant));
  if (to === 'closed' && from === 'closed' && event.type !== 'backlog.drained') return history;
  return changeLast(history, (outage) => {
    if (from !== 'closed' && to === 'closed') return { ...outage, closed: instant };
    if (from === 'halfOpen' && to === 'open') {
      const symptoms = withSymptom(outage.symptoms, 'symptom' in event ? event.symptom : outage.symptom);
      return { ...outage, firstGood: null, lastFailed: instant, symptoms };
    }
    switch (event.type) {
      case 'lease.claimed':
        return event.lease === 'probe' && !step.isVoid ? { ...outage, probes: outage.probes + 1 } : outage;
      case 'probe.failed':
        if (step.isVoid || outage.closed !== null) return outage;
        return { ...outage, lastFailed: instant, symptoms: withSymptom(outage.symptoms, event.symptom) };
      case 'probe.succeeded':
        return step.isVoid ? outage : { ...outage, firstGood: instant, waiting: event.pending };
      case 'backlog.drained':
        if (step.isVoid || outage.closed === null || outage.drained !== null) return outage;
        return { ...outage, drained: instant };
      default:
        return outage;
    }
  });
}

function withOutage(history: OutageHistory, outage: Outage): OutageHistory {
  const byOpening = history.byOpening as Map<string, number[]>;
  const sameId = byOpening.get(outage.opening);
  if (sameId === undefined) byOpening.set(outage.opening, [history.outages.length]);
  else sameId.push(history.outages.length);
  (history.outages as Outage[]).push(outage);
  return history;
}

function begun(history: OutageHistory, step: Step, instant: Instant): Outage {
  const data = step.record.data as { class?: Outage['class']; symptom?: string };
  return {
    number: history.outages.length + 1,
    position: step.position,
    opening: step.record.id,
    class: data.class ?? 'outage',
    symptom: data.symptom ?? 'unknown',
    symptoms: [data.symptom ?? 'unknown'],
    lastGood: history.lastGood,
    firstFailed: history.firstOfRow ?? instant,
    lastFailed: instant,
    firstGood: null,
    opened: instant,
    closed: null,
    probes: step.record.type === 'probe.failed' ? 1 : 0,
    waiting: 0,
    drained: null,
    notes: [],
  };
}

/** A note is no observation, and time does not go on for it. */
function withNote(history: OutageHistory, { record }: Step): OutageHistory {
  const annotation = annotationOf(record);
  if (annotation === null) return history;
  const note = { at: record.at, by: record.inv, text: annotation.text };
  for (const index of history.byOpening.get(annotation.opening) ?? []) {
    changeAt(history, index, (outage) => ({ ...outage, notes: [...outage.notes, note].slice(-MAX_NOTES) }));
  }
  return history;
}

function withSymptom(symptoms: readonly string[], symptom: string): readonly string[] {
  const isNew = symptoms.at(-1) !== symptom && symptoms.length < MAX_SYMPTOMS;
  return isNew ? [...symptoms, symptom] : symptoms;
}

function changeLast(history: OutageHistory, change: (outage: Outage) => Outage): OutageHistory {
  return changeAt(history, history.outages.length - 1, change);
}

function changeAt(history: OutageHistory, index: number, change: (outage: Outage) => Outage): OutageHistory {
  const outage = history.outages[index];
  if (outage !== undefined) (history.outages as Outage[])[index] = change(outage);
  return history;
}

/** What the event says of the server's health; null when it says nothing. */
function observationOf(step: Step, event: StampedControlEvent, instant: Instant): Observation | null {
  switch (event.type) {
    case 'attempt.succeeded':
    case 'probe.succeeded':
      return isOfHolder(step, event) ? { instant, isGood: true } : null;
    case 'probe.failed':
      return isOfHolder(step, event) ? { instant, isGood: false } : null;
    case 'attempt.failed':
      return isAway(event.class) && isOfHolder(step, event) ? { instant, isGood: false } : null;
    case 'lease.released': {
      if (event.answeredAt === undefined || step.isVoid) return null;
      // It was good a little before the release: as long before as the wall clock of its writer says.
      const agoMs = Math.max(0, event.moment.at - event.answeredAt);
      return { instant: { at: event.answeredAt, t: instant.t - agoMs }, isGood: true };
    }
    default:
      return null;
  }
}

function isOfHolder(step: Step, event: { lease: 'drain' | 'probe'; epoch: number }): boolean {
  const lease = step.before[event.lease];
  return (
    lease.value === 'held' && lease.context.epoch === event.epoch && lease.context.owner === step.record.inv
  );
}

function observe(history: OutageHistory, observation: Observation | null): OutageHistory {
  if (observation === null) return history;
  const last = history.lastSeen;
  const { instant, isGood } = observation;
  // A release tells of an answer that may be older than what was noted since.
  if (last !== null && instant.t < last.instant.t) return history;
  return {
    ...history,
    coverage: last === null ? history.coverage : covered(history.coverage, last, observation),
    firstSeen: history.firstSeen ?? instant,
    lastSeen: observation,
    lastGood: isGood ? instant : history.lastGood,
    firstOfRow: isGood ? null : (history.firstOfRow ?? instant),
  };
}

function covered(coverage: Coverage, from: Observation, to: Observation): Coverage {
  const ms = to.instant.t - from.instant.t;
  if (from.isGood !== to.isGood || ms > COVERAGE_GAP_MS) {
    return { ...coverage, unobservedMs: coverage.unobservedMs + ms };
  }
  return to.isGood
    ? { ...coverage, upMs: coverage.upMs + ms }
    : { ...coverage, downMs: coverage.downMs + ms };
}

function instantOf({ tip }: OutageHistory, { moment }: StampedControlEvent): Instant {
  if (tip === null) return { at: moment.at, t: moment.at };
  const t =
    tip.boot === moment.boot
      ? tip.instant.t + Math.max(0, moment.mono - tip.mono)
      : Math.max(tip.instant.t, moment.at);
  return { at: moment.at, t };
}

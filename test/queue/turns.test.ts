// Whose turn it is, against the plain function that looks at all jobs for each batch.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Moment } from '../../machines/time.ts';
import type { JobName, QueueEvent } from '../../src/queue/events.ts';
import { neverLooked } from '../../src/queue/looked.ts';
import {
  createQueue,
  dueJobs,
  EMPTY_COUNTS,
  type Job,
  type PlacedQueueEvent,
  type Queue,
} from '../../src/queue/queue.ts';
import { NO_RECONCILIATION } from '../../src/queue/reconciliation.ts';
import { Turns } from '../../src/queue/turns.ts';
import { moment, momentOfOtherBoot } from '../support/moments.ts';

const RUNS = { numRuns: process.env.BREAKWATER_LONG === undefined ? 500 : 10_000 };
const EVERY = Number.POSITIVE_INFINITY;

/** A queue that others write to as well, and one drainer's turns beside what the oracle says of them. */
class Drained {
  readonly #store = createQueue();
  readonly #isImpatient: boolean;
  readonly #turns: Turns;
  readonly #tried = new Set<string>();
  #position = 0;
  #ms = 0;
  now: Moment = moment(0);

  constructor(isImpatient: boolean) {
    this.#isImpatient = isImpatient;
    this.#turns = new Turns(isImpatient);
  }

  get queue(): Queue {
    return this.#store.getSnapshot().context;
  }

  pass(ms: number, isOtherBoot = false): void {
    this.#ms += ms;
    this.now = isOtherBoot ? momentOfOtherBoot(this.#ms) : moment(this.#ms);
  }

  say(event: QueueEvent): void {
    this.#position += 100;
    this.#store.send({ ...event, position: this.#position, moment: this.now } as PlacedQueueEvent);
  }

  queued(id: number): void {
    this.say({ type: 'job.queued', job: `scene:${id}`, cause: 'Scene.Update.Post' });
  }

  settled(job: JobName, how: 'delivered' | 'deferred' | 'dead', waitMs = 60_000): void {
    const upTo = this.#position + 1;
    if (how === 'delivered') this.say({ type: 'job.delivered', job, upTo, result: 'written' });
    else if (how === 'dead')
      this.say({ type: 'job.deadLettered', job, upTo, reason: 'ambiguous', detail: 'two items' });
    else this.say({ type: 'job.deferred', job, upTo, reason: 'missing', detail: 'no', attempt: 1, waitMs });
  }

  next(limit: number): readonly Job[] {
    return this.#turns.next(this.queue, this.now, limit);
  }

  expected(limit: number): readonly Job[] {
    return dueJobs(this.queue, this.now, EVERY, this.#isImpatient)
      .filter((job) => job.state === 'pending' || !this.#isImpatient || !this.#tried.has(job.job))
      .slice(0, limit);
  }

  attempt(jobs: readonly Job[]): void {
    this.#turns.attempted(jobs);
    for (const { job } of jobs) this.#tried.add(job);
  }
}

type Does =
  | { readonly kind: 'queues'; readonly id: number }
  | { readonly kind: 'delivers elsewhere'; readonly id: number }
  | { readonly kind: 'waits'; readonly ms: number; readonly isOtherBoot: boolean }
  | {
      readonly kind: 'drains';
      readonly limit: number;
      readonly outcomes: readonly ('delivered' | 'deferred' | 'dead')[];
    };

const does: fc.Arbitrary<Does> = fc.oneof(
  fc.record({ kind: fc.constant('queues' as const), id: fc.integer({ min: 1, max: 12 }) }),
  fc.record({ kind: fc.constant('delivers elsewhere' as const), id: fc.integer({ min: 1, max: 12 }) }),
  fc.record({
    kind: fc.constant('waits' as const),
    ms: fc.constantFrom(1, 30_000, 60_000),
    isOtherBoot: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('drains' as const),
    limit: fc.constantFrom(1, 2, 5, 50),
    // Shorter than the batch: it was broken off, and the rest was not attempted.
    outcomes: fc.array(fc.constantFrom('delivered', 'deferred', 'deferred', 'dead'), { maxLength: 6 }),
  }),
);

const isPending = ({ state }: Job) => state === 'pending';

test('each batch is one that the plain function allows, with as many that never failed; none only where there is none', () =>
  fc.assert(
    fc.property(fc.boolean(), fc.array(does, { maxLength: 60, size: 'max' }), (isImpatient, all) => {
      const drained = new Drained(isImpatient);
      for (const one of all) {
        if (one.kind === 'queues') drained.queued(one.id);
        if (one.kind === 'delivers elsewhere') drained.settled(`scene:${one.id}`, 'delivered');
        if (one.kind === 'waits') drained.pass(one.ms, one.isOtherBoot);
        if (one.kind === 'drains') {
          const [batch, expected] = [drained.next(one.limit), drained.expected(one.limit)];
          const allowed = drained.expected(EVERY);
          for (const job of batch) expect(allowed).toContain(job);
          expect(new Set(batch).size).toBe(batch.length);
          expect(batch.length).toBeLessThanOrEqual(one.limit);
          expect(batch.filter(isPending)).toHaveLength(expected.filter(isPending).length);
          expect(batch.length > 0).toBe(expected.length > 0);
          expect(drained.next(one.limit), 'asking changes nothing').toEqual(batch);
          drained.attempt(batch);
          for (const [index, outcome] of one.outcomes.entries()) {
            const job = batch[index];
            if (job !== undefined) drained.settled(job.job, outcome);
          }
        }
      }
    }),
    RUNS,
  ));

test('where nobody else writes, each batch is that of the plain function', () =>
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.array(fc.constantFrom('pending', 'due', 'waits', 'dead'), { maxLength: 40, size: 'max' }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 45, maxLength: 45 }),
      (isImpatient, states, limits) => {
        const drained = new Drained(isImpatient);
        for (const id of states.keys()) drained.queued(id);
        for (const [id, state] of states.entries()) {
          if (state === 'due' || state === 'waits')
            drained.settled(`scene:${id}`, 'deferred', state === 'due' ? 0 : 1e9);
          if (state === 'dead') drained.settled(`scene:${id}`, 'dead');
        }
        for (const limit of limits) {
          const batch = drained.next(limit);
          expect(batch).toEqual(drained.expected(limit));
          drained.attempt(batch);
          for (const { job } of batch) drained.settled(job, job.endsWith('3') ? 'deferred' : 'delivered');
        }
        expect(drained.next(9)).toEqual([]);
      },
    ),
    RUNS,
  ));

describe('draining looks at each job a few times, not once for each batch', () => {
  class CountedJobs extends Map<JobName, Job> {
    looks = 0;

    override *values(): MapIterator<Job> {
      for (const job of super.values()) {
        this.looks += 1;
        yield job;
      }
    }

    override get(name: JobName): Job | undefined {
      this.looks += 1;
      return super.get(name);
    }
  }

  const one = (id: number) => ({
    job: `scene:${id}` as const,
    since: id,
    newest: id,
    queuedAt: 0,
    causes: [],
    attempts: 0,
    deferredFor: null,
  });

  /** As many deferred ones first, due or not, then the pending ones. */
  function looksFor(count: number, waitMs: number, isImpatient: boolean): number {
    const jobs = new CountedJobs();
    for (let id = 0; id < count; id++) {
      const due = { from: moment(0), waitMs };
      jobs.set(`scene:${id}`, { ...one(id), state: 'deferred', reason: 'missing', detail: '', due });
    }
    for (let id = count; id < 2 * count; id++) jobs.set(`scene:${id}`, { ...one(id), state: 'pending' });
    const store = createQueue({
      jobs,
      known: new Map(),
      counts: { ...EMPTY_COUNTS, pending: count, deferred: count },
      reconciliation: NO_RECONCILIATION,
      looked: neverLooked(),
      settings: {},
      begunAt: 1,
    });
    const turns = new Turns(isImpatient);
    let position = 3 * count;
    for (;;) {
      const batch = turns.next(store.getSnapshot().context, moment(1_000), 10);
      if (batch.length === 0) break;
      turns.attempted(batch);
      for (const { job } of batch) {
        position += 100;
        const event = { type: 'job.delivered', job, upTo: position, result: 'written' } as const;
        store.send({ ...event, position, moment: moment(1_000) });
      }
    }
    const left = waitMs > 0 && !isImpatient ? count : 0;
    expect(jobs.size).toBe(left);
    return jobs.looks;
  }

  test.each([
    ['a drainer, with as many that wait', 60_000, false],
    ['a drainer, with as many that are due', 0, false],
    ['a person, with as many that wait', 60_000, true],
  ])('%s', (_, waitMs, isImpatient) => {
    const [some, twice] = [looksFor(2_000, waitMs, isImpatient), looksFor(4_000, waitMs, isImpatient)];
    expect(some / 4_000).toBeLessThan(10);
    expect(twice / some).toBeLessThan(2.2);
  });
});

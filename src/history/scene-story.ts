// What happened to one job: of all the lines of the queue stream those about it, folded by the queue itself into
// spells. A spell begins when the job is queued and ends when nothing waits for it any more; the last one leads to
// the present state.

import type { JournalRecord, Position } from '../breaker/index.ts';
import type { JobEvent, JobName } from '../queue/events.ts';
import { createQueue, type Job, type Known, type PlacedQueueEvent } from '../queue/queue.ts';
import { queueEventOf } from '../queue/queue-fold.ts';
import { type Chain, EMPTY_CHAIN, linked, newestOf, relinked } from './chain.ts';

type PlacedJobEvent = Extract<PlacedQueueEvent, JobEvent>;

export interface JobLink {
  readonly position: Position;
  readonly record: JournalRecord;
  readonly event: PlacedJobEvent;
  readonly before: Job | null;
  readonly after: Job | null;
  /** Of changes that were queued one after the other for one cause: how many, and when the last was, wall ms. */
  readonly times: number;
  readonly lastAt: number;
}

export interface JobStory {
  readonly job: JobName;
  /** The last spell, over or not. */
  readonly spell: Chain<JobLink>;
  /** Spells before it, and when the first of them began, wall ms (0: there is none). */
  readonly earlierSpells: number;
  readonly begunAt: number;
}

/** Folds the events of one job; the rest of the queue is none of its business. */
export class JobTeller {
  readonly #store = createQueue();
  #story: JobStory;
  #isOver = true;

  constructor(job: JobName) {
    this.#story = { job, spell: EMPTY_CHAIN, earlierSpells: 0, begunAt: 0 };
  }

  get story(): JobStory {
    return this.#story;
  }

  /** Where it is now; null: nothing waits. */
  get job(): Job | null {
    return this.#store.getSnapshot().context.jobs.get(this.#story.job) ?? null;
  }

  get known(): Known | null {
    return this.#store.getSnapshot().context.known.get(this.#story.job) ?? null;
  }

  tell(record: JournalRecord, position: Position): void {
    if (record.data.job !== this.#story.job) return;
    const event = queueEventOf(record, position);
    if (event === null || !('job' in event)) return;
    const before = this.job;
    this.#store.send(event);
    const after = this.job;
    // An outcome that was overtaken by another changed nothing. A person's act and a delivery do, whoever waits.
    const isSaid = event.type === 'job.attempted' || event.type === 'job.delivered' || before !== after;
    if (isSaid) this.#link({ position, record, event, before, after, times: 1, lastAt: record.at });
  }

  #link(link: JobLink): void {
    const { spell } = this.#story;
    if (this.#isOver && link.before === null && link.event.type === 'job.queued') this.#begin(link);
    else {
      const newest = newestOf(spell);
      const isAgain = newest !== null && isSameWish(newest, link);
      const again = isAgain && { ...newest, after: link.after, times: newest.times + 1, lastAt: link.lastAt };
      this.#story = { ...this.#story, spell: again ? relinked(spell, again) : linked(spell, link) };
    }
    this.#isOver = link.after === null;
  }

  #begin(link: JobLink): void {
    const { job, spell, earlierSpells, begunAt } = this.#story;
    const first = spell.first[0];
    this.#story = {
      job,
      spell: linked<JobLink>(EMPTY_CHAIN, link),
      earlierSpells: earlierSpells + (first === undefined ? 0 : 1),
      begunAt: begunAt === 0 ? (first?.record.at ?? 0) : begunAt,
    };
  }
}

function isSameWish(a: JobLink, b: JobLink): boolean {
  return a.event.type === 'job.queued' && b.event.type === 'job.queued' && a.event.cause === b.event.cause;
}

// Whose turn it is: what may be attempted, a batch at a time, for one drainer. All jobs are looked at only when what
// the last look found is used up, so that draining costs in proportion to the jobs and not to their square.
// It changes nothing: a batch that was not attempted after all is given out again, in its place.

import { isOver, type Moment } from '../../machines/time.ts';
import type { JobName } from './events.ts';
import { dueJobs, type Job, type Queue } from './queue.ts';

export class Turns {
  readonly #isImpatient: boolean;
  /** What the last look found, in its order; those before `#head` have had their turn. */
  #found: readonly JobName[] = [];
  #head = 0;
  readonly #tried = new Set<JobName>();

  /** `isImpatient`: deferred jobs before their time as well, each of them once. */
  constructor(isImpatient: boolean) {
    this.#isImpatient = isImpatient;
  }

  /**
   * At most `limit` jobs as `dueJobs` tells them, and none only where there is none. As many of them have never failed
   * as could be; a job that has become due since the last look waits for the next one.
   */
  next(queue: Queue, now: Moment, limit: number): Job[] {
    const jobs = this.#front(queue, now, limit);
    const fresh = jobs.filter(({ state }) => state === 'pending').length;
    const hasMissedNone = fresh >= Math.min(limit, queue.counts.pending);
    if (jobs.length > 0 && hasMissedNone) return jobs;
    this.#found = dueJobs(queue, now, Number.POSITIVE_INFINITY, this.#isImpatient).map(({ job }) => job);
    this.#head = 0;
    return this.#front(queue, now, limit);
  }

  /** They are being attempted: that was the one time before their time. */
  attempted(jobs: readonly Job[]): void {
    for (const { job } of jobs) this.#tried.add(job);
  }

  #front(queue: Queue, now: Moment, limit: number): Job[] {
    const front: Job[] = [];
    for (let at = this.#head; at < this.#found.length && front.length < limit; at++) {
      const job = queue.jobs.get(this.#found[at] as JobName);
      if (job !== undefined && this.#isDue(job, now)) front.push(job);
      else if (front.length === 0) this.#head = at + 1;
    }
    return front;
  }

  #isDue(job: Job, now: Moment): boolean {
    if (job.state !== 'deferred') return job.state === 'pending';
    return this.#isImpatient ? !this.#tried.has(job.job) : isOver(job.due, now);
  }
}

// Stash's one queue: scans, cleans and every plugin's tasks wait for each other here. It is in memory only
// and does not deduplicate. A job that failed still says FINISHED; only from v0.26 a job that could not
// even start its plugin says FAILED (facts, section 4).
import type { Features } from './versions.ts';

export type JobStatus = 'READY' | 'RUNNING' | 'FINISHED' | 'STOPPING' | 'CANCELLED' | 'FAILED';

export interface Job {
  readonly id: number;
  readonly description: string;
  status: JobStatus;
  progress: number;
  /** Milliseconds since 1970 by the server's clock, with a fraction. */
  readonly addTime: number;
  startTime: number | null;
  endTime: number | null;
  error: string | null;
  /** What the plugin said; Stash only logs it. */
  result: JobSaid | null;
}

export interface JobSaid {
  readonly output: unknown;
  readonly error: string | null;
}

export interface JobControl {
  /** Its reason is STASH_ENDED when nobody stopped the job. */
  readonly signal: AbortSignal;
  readonly progress: (share: number) => void;
  readonly said: (result: JobSaid) => void;
}

/** Rejects only when the work could not be started. */
export type JobWork = (control: JobControl) => Promise<void>;

interface Entry {
  readonly job: Job;
  readonly work: JobWork;
  readonly abort: AbortController;
  readonly end: () => void;
  readonly ended: Promise<void>;
}

/** Why a job's signal is aborted when the process that held the queue is gone. */
export const STASH_ENDED = 'Stash ended';

/** Finished jobs that findJob still knows. */
export const FINISHED_JOBS_KEPT = 10;

export class JobQueue {
  readonly #features: Features;
  readonly #now: () => number;
  #queue: Entry[] = [];
  #finished: Job[] = [];
  #lastId = 0;
  #isBusy = false;
  #isClosed = false;
  /** Counts the restarts, so that what was running before one leaves the new queue alone. */
  #life = 0;

  constructor(features: Features, now: () => number) {
    this.#features = features;
    this.#now = now;
  }

  add(description: string, work: JobWork): Job {
    this.#lastId += 1;
    const job: Job = {
      id: this.#lastId,
      description,
      status: 'READY',
      progress: 0,
      addTime: this.#now(),
      startTime: null,
      endTime: null,
      error: null,
      result: null,
    };
    let end = (): void => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#queue.push({ job, work, abort: new AbortController(), end, ended });
    void this.#drain();
    return job;
  }

  queue(): Job[] {
    return this.#queue.map((entry) => entry.job);
  }

  find(id: number): Job | undefined {
    return [...this.queue(), ...this.#finished].find((job) => job.id === id);
  }

  get lastId(): number {
    return this.#lastId;
  }

  /** Resolves at once for a job that is not in the queue any more. */
  async whenEnded(id: number): Promise<void> {
    await this.#queue.find((entry) => entry.job.id === id)?.ended;
  }

  async whenIdle(): Promise<void> {
    while (this.#queue.length > 0) await this.#queue[0]!.ended;
  }

  stop(id: number): void {
    const entry = this.#queue.find((candidate) => candidate.job.id === id);
    if (entry === undefined) return;
    if (entry.job.status === 'READY') {
      entry.job.status = 'CANCELLED';
      this.#bury(entry);
      return;
    }
    entry.job.status = 'STOPPING';
    entry.abort.abort();
  }

  close(): void {
    this.#isClosed = true;
    for (const { job } of [...this.#queue]) this.stop(job.id);
  }

  /** The queue was only in memory: every job is forgotten, and ids begin again. */
  restart(): void {
    const lost = this.#queue;
    this.#life += 1;
    this.#queue = [];
    this.#finished = [];
    this.#lastId = 0;
    this.#isBusy = false;
    for (const entry of lost) {
      entry.abort.abort(STASH_ENDED);
      entry.end();
    }
  }

  async #drain(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    const life = this.#life;
    const next = (): Entry | undefined =>
      this.#isClosed || life !== this.#life ? undefined : this.#queue[0];
    // Stash's dispatcher is another goroutine: whoever added the job sees it READY first.
    await new Promise((resolve) => setImmediate(resolve));
    for (let entry = next(); entry !== undefined; entry = next()) {
      await this.#execute(entry);
      if (life === this.#life) this.#bury(entry);
    }
    if (life === this.#life) this.#isBusy = false;
  }

  async #execute(entry: Entry): Promise<void> {
    const { job, work, abort } = entry;
    job.status = 'RUNNING';
    job.startTime = this.#now();
    const progress = (share: number): void => {
      job.progress = Math.min(1, Math.max(0, share));
    };
    const said = (result: JobSaid): void => {
      job.result = result;
    };
    let failure: string | null = null;
    try {
      await work({ signal: abort.signal, progress, said });
    } catch (error) {
      failure = (error as Error).message;
    }
    const isFailed = failure !== null && this.#features.jobErrors;
    job.error = isFailed ? failure : null;
    if (abort.signal.aborted) job.status = 'CANCELLED';
    else job.status = isFailed ? 'FAILED' : 'FINISHED';
    job.endTime = this.#now();
  }

  #bury(entry: Entry): void {
    this.#queue = this.#queue.filter((candidate) => candidate !== entry);
    this.#finished = [...this.#finished, entry.job].slice(-FINISHED_JOBS_KEPT);
    entry.end();
  }
}

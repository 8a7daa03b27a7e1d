// Stash's job queue as the hook sees it, in memory: one job runs at a time, in the order of their coming.

import { DESCRIPTIONS, JOB_PREFIX, type Scope } from '../../src/door/scopes.ts';

export interface QueuedJob {
  readonly id: string;
  status: 'READY' | 'RUNNING';
  readonly description: string;
  readonly addTime: string;
}

export class JobQueue {
  readonly jobs: QueuedJob[] = [];
  /** Operations that were run beside it. */
  readonly beside: { readonly args: Readonly<Record<string, unknown>>; readonly at: number }[] = [];
  readonly queries: string[] = [];
  apiKey = '';
  plugins: unknown = [{ id: 'breakwater', enabled: true }];
  now = 0;
  #added = 0;

  add(description: string): string {
    this.#added += 1;
    const id = `${this.#added}`;
    this.jobs.push({ id, status: 'READY', description, addTime: stashTime(this.now) });
    return id;
  }

  /** The next job starts, when the one that runs is done. */
  next(): void {
    if (this.jobs[0]?.status === 'RUNNING') this.jobs.shift();
    if (this.jobs[0] !== undefined) this.jobs[0].status = 'RUNNING';
  }

  ready(scope: Scope): QueuedJob[] {
    const named = JOB_PREFIX + DESCRIPTIONS[scope];
    return this.jobs.filter(({ status, description }) => status === 'READY' && description === named);
  }

  /** As the global `gql` of a script: throws where Stash says no. */
  readonly Do = (query: string, variables: Record<string, unknown> = {}): unknown => {
    this.queries.push(query);
    if (query.startsWith('{')) {
      // Stash says null for an empty queue.
      const jobQueue = this.jobs.length === 0 ? null : this.jobs.map((job) => ({ ...job }));
      return { jobQueue, plugins: this.plugins, configuration: { general: { apiKey: this.apiKey } } };
    }
    if (query.includes('runPluginTask')) {
      return { runPluginTask: this.add(`${JOB_PREFIX}${String(variables.text)}`) };
    }
    if (query.includes('runPluginOperation')) {
      this.beside.push({ args: variables.args as Record<string, unknown>, at: this.now });
      return { runPluginOperation: null };
    }
    const index = this.jobs.findIndex(({ id }) => id === variables.id);
    if (index < 0) throw new Error('GraphQL: no such job');
    this.jobs.splice(index, 1);
    return { stopJob: true };
  };
}

/** As Stash writes times: nanoseconds, and its own zone. */
export function stashTime(at: number): string {
  const local = new Date(at + 2 * 3_600_000).toISOString().replace('Z', '');
  return `${local}987654+02:00`;
}

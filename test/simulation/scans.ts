// Looks at the scans that Plex is asked for: a session asks once for each folder, and again only for what was queued
// after that.

import type { Step } from '../../src/breaker/control/replay.ts';
import type { JobName } from '../../src/queue/events.ts';
import type { PlacedQueueEvent } from '../../src/queue/queue.ts';
import type { Looks } from './invariants.ts';
import type { Kernel } from './kernel.ts';
import type { Plan } from './plan.ts';
import type { PlexCall, SimPlex } from './plex.ts';
import { folderOfScene } from './stash.ts';
import type { Watch } from './watch.ts';

/** Between two scans of a folder that one session asks for, in ms. */
const APART_MS = 15_000;

export interface ScansParts {
  readonly kernel: Kernel;
  readonly watch: Watch;
  readonly looks: Looks;
  readonly plex: SimPlex;
  readonly plan: Plan;
  readonly hasClockMoved: boolean;
}

export class Scans {
  readonly #kernel: Kernel;
  readonly #watch: Watch;
  readonly #looks: Looks;
  readonly #parts: ScansParts;
  /** When a session last asked, by process, epoch and folder. */
  readonly #askedMs = new Map<string, number>();
  /** When a scene of the folder was last queued. */
  readonly #queuedMs = new Map<string, number>();

  /** When the last session began. */
  #claimedMs = 0;

  constructor(parts: ScansParts) {
    this.#kernel = parts.kernel;
    this.#watch = parts.watch;
    this.#looks = parts.looks;
    this.#parts = parts;
  }

  /** A session that leaves because there is nothing to do has looked for what has come. */
  onControl({ record, isVoid }: Step): void {
    if (isVoid || record.data.lease !== 'drain') return;
    if (record.type === 'lease.claimed') this.#claimedMs = this.#kernel.nowMs;
    if (record.type !== 'lease.released' || record.data.reason !== 'idle') return;
    const { plan, plex } = this.#parts;
    if (plan.acts.some(({ does }) => does === 'Plex' || does === 'new token')) return;
    const waiting = [...this.#watch.queue.jobs.values()].filter(
      (job) => job.state === 'deferred' && job.scan !== undefined,
    );
    const come = waiting.filter(({ job }) => plex.isThereSince(sceneOf(job), this.#claimedMs));
    this.#looks.at(24, come.length === 0, () => `${record.inv} left them waiting: ${JSON.stringify(come)}`);
  }

  onQueue(event: PlacedQueueEvent, by: string): void {
    if (!('job' in event) || !event.job.startsWith('scene:')) return;
    const folder = folderOfScene(sceneOf(event.job));
    if (event.type === 'job.queued') this.#queuedMs.set(folder, this.#kernel.nowMs);
    if (event.type !== 'job.deferred' || event.reason !== 'scanning') return;
    const isAsked = this.#askedMs.has(this.#session(by, folder));
    this.#looks.at(24, isAsked, () => `${by} waits for a scan of ${folder} that it did not ask for`);
  }

  onCall({ process, method, key }: PlexCall): void {
    if (method !== 'scan') return;
    process.notes.set('scan', this.#kernel.nowMs);
    const askedMs = this.#askedMs.get(this.#session(process.inv, key));
    // The time of what is queued is that of a clock which people may set.
    if (askedMs === undefined || this.#parts.hasClockMoved) return;
    const isNews = (this.#queuedMs.get(key) ?? 0) >= askedMs;
    const isLater = this.#kernel.nowMs - askedMs >= APART_MS - 1;
    this.#looks.at(24, isNews && isLater, () => `${process.inv} has ${key} scanned again`);
  }

  onAnswer({ process, method, key }: PlexCall, result: 'ok' | 'down' | 'nothing'): void {
    if (method !== 'scan' || result !== 'ok') return;
    this.#askedMs.set(this.#session(process.inv, key), process.notes.get('scan') as number);
  }

  /** A drainer may have several, each under a lease of its own. */
  #session(inv: string, folder: string): string {
    return `${inv} ${this.#watch.state.drain.context.epoch} ${folder}`;
  }
}

function sceneOf(job: JobName): string {
  return job.slice('scene:'.length);
}

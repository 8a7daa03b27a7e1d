// The drainer's spare time: a reconciliation that was asked for or is due, one page at a time, so that a change that comes
// meanwhile goes first. What a page found and how far it came are one append: a kill repeats that page at most.

import type { Failure } from '../plex/failures.ts';
import type { PlexResult } from '../plex/plex-client.ts';
import type { PlexSection } from '../plex/plex-item.ts';
import type { QueueEvent } from '../queue/events.ts';
import type { QueueLog } from '../queue/queue-log.ts';
import type { ReconcileScope } from '../queue/reconciliation.ts';
import { countGaps, type Gap } from '../reconcile/gaps.ts';
import { type FileIndex, reconcilePage } from '../reconcile/page.ts';
import { isReconcileDue, scheduledScope, scopeAfterOutage } from '../reconcile/schedule.ts';
import type { StashFailure } from '../stash/stash-client.ts';
import { chosenLibraries } from '../sync/libraries.ts';
import { SectionIndex } from '../sync/section-index.ts';
import type { PlexContact } from './plex-contact.ts';
import type { World } from './world.ts';

export type Reconciled =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'advanced' }
  | { readonly kind: 'stash'; readonly failure: StashFailure }
  | { readonly kind: 'plex'; readonly failure: Failure };

type Libraries = () => Promise<PlexResult<readonly PlexSection[]>>;

export class Reconciling {
  readonly #world: World;
  readonly #queue: QueueLog;
  readonly #contact: PlexContact;
  /** Those that the settings name. */
  readonly #libraries: Libraries;
  /** Of the libraries that it was made from. */
  #index: { readonly of: string; readonly files: FileIndex } | null = null;

  constructor(world: World, queue: QueueLog, contact: PlexContact, libraries: Libraries) {
    this.#world = world;
    this.#queue = queue;
    this.#contact = contact;
    this.#libraries = libraries;
  }

  /** Whether there is anything to do. Begins what is due. */
  async isWanted(): Promise<boolean> {
    const { queue } = this.#queue;
    if (queue.reconciliation.state === 'running') return true;
    if (!isReconcileDue(this.#contact.settings.reconcile.every, queue, this.#now())) return false;
    await this.#request(scheduledScope(queue), 'schedule');
    return true;
  }

  async requestAfterOutage(): Promise<void> {
    const { queue } = this.#queue;
    if (!this.#contact.settings.reconcile.afterOutage || queue.reconciliation.state === 'running') return;
    await this.#request(scopeAfterOutage(queue, this.#now()), 'outage');
  }

  /** One page of it. */
  async advance(): Promise<Reconciled> {
    const { reconciliation } = this.#queue.queue;
    if (reconciliation.state === 'idle') return { kind: 'nothing' };
    const { scope, cause, cursor, checked } = reconciliation;
    const { settings, plex } = this.#contact;
    const all = await this.#libraries();
    if (!all.ok) return { kind: 'plex', failure: all.failure };
    const libraries = scope.libraries.length === 0 ? all : chosenLibraries(all.value, scope.libraries);
    // A slip of the person who asked, and nothing that Plex should be left alone for.
    if (!libraries.ok) return this.#cancel(libraries.failure.detail);
    const page = await reconcilePage(scope, cursor, this.#queue.queue, {
      stash: this.#world.stash,
      plex,
      libraries: async () => libraries,
      index: () => this.#filesOf(libraries.value),
      pathRules: settings.pathRules,
      sync: settings.sync,
    });
    if (page.kind !== 'page') return page;
    const { gaps, skipped, checked: compared, left, isLast, lastId } = page;
    await this.#queue.appendOrThrow(
      ...gaps.filter((gap) => this.#isQueued(gap, cause)).map(queuedFor(cause)),
      { type: 'reconcile.advanced', cursor: lastId, checked: compared, left, gaps: countGaps(gaps, skipped) },
      ...(isLast ? [{ type: 'reconcile.finished', result: 'done' } as const] : []),
    );
    this.#world.log.progress((checked + compared) / Math.max(1, checked + compared + left));
    return { kind: 'advanced' };
  }

  /** What Plex does not have is asked for again where that is wanted, or where a person asked. */
  #isQueued({ kind }: Gap, cause: string): boolean {
    return kind !== 'missing' || cause === 'task' || this.#contact.settings.reconcile.missing;
  }

  async #cancel(detail: string): Promise<Reconciled> {
    this.#world.log.line('error', detail);
    await this.#queue.appendOrThrow({ type: 'reconcile.finished', result: 'cancelled' });
    return { kind: 'advanced' };
  }

  async #filesOf(libraries: readonly PlexSection[]): Promise<PlexResult<FileIndex>> {
    const of = libraries.map(({ key }) => key).join();
    if (this.#index?.of === of) return { ok: true, value: this.#index.files };
    const built = await SectionIndex.build(this.#contact.plex, libraries);
    if (built.ok) this.#index = { of, files: built.value };
    return built;
  }

  #request(scope: ReconcileScope, cause: string): Promise<void> {
    return this.#queue.appendOrThrow({ type: 'reconcile.requested', scope, cause });
  }

  #now(): number {
    return this.#world.writer.now().at;
  }
}

function queuedFor(cause: string) {
  return ({ scene, kind }: Gap): QueueEvent => ({
    type: 'job.queued',
    job: `scene:${scene}`,
    cause: `reconcile ${cause}: ${kind}`,
  });
}

// The reconciliation as the queue stream tells it: asked for, how far it came, over. Folded like a job, so that a process
// that dies over it loses the page in hand and nothing else, and whoever drains next goes on from there.

import type { Moment } from '../../machines/time.ts';

/**
 * Why a scene is not as it should be in Plex:
 * - `changed`: Stash says something else than what was delivered, or it never was
 * - `empty`: it was never delivered and Plex has nothing of it
 * - `wiped`: it was delivered and Plex shows something else now
 * - `missing`: Plex has no item for it
 * - `ambiguous`: Plex has several
 * - `deleted`: it is no longer in Stash
 * - `merged`: the same, and its item belongs to another scene now
 */
export const GAP_KINDS = ['changed', 'empty', 'wiped', 'missing', 'ambiguous', 'deleted', 'merged'] as const;
export type GapKind = (typeof GAP_KINDS)[number];

/** Why a scene in the scope is not compared; `waiting`: a delivery of it is due anyway. */
export const SKIP_REASONS = ['no-values', 'no-file', 'waiting'] as const;
export type SkipReason = (typeof SKIP_REASONS)[number];

/**
 * How closely scenes are compared, each more than the one before:
 * - `stash`: what Stash says now against what was delivered
 * - `files`: and the files that a scene has; one of which they are not known counts as changed
 * - `plex`: what Plex holds as well
 */
export const DEPTHS = ['stash', 'files', 'plex'] as const;
export type Depth = (typeof DEPTHS)[number];

export interface ReconcileScope {
  /** Only scenes that Stash has seen change from then on, wall ms; null: all. */
  readonly since: number | null;
  /**
   * Of scenes that were never delivered only those that changed from then on, wall ms; null: all of them, where Plex is
   * compared as well, else none.
   */
  readonly newSince: number | null;
  readonly depth: Depth;
  /** Only scenes that were never delivered. */
  readonly isMissingOnly: boolean;
  /** Names of Plex libraries; empty: all that are synced. */
  readonly libraries: readonly string[];
}

/** What a scope that names nothing means. */
export const WIDEST: Omit<ReconcileScope, 'depth'> = {
  since: null,
  newSince: null,
  isMissingOnly: false,
  libraries: [],
};

export interface GapCounts {
  readonly kinds: Readonly<Partial<Record<GapKind, number>>>;
  /** Scenes by the part of the item that differs. */
  readonly fields: Readonly<Record<string, number>>;
  /** Scenes by the Plex library of their item. */
  readonly libraries: Readonly<Record<string, number>>;
  /** Scenes that were not compared. */
  readonly skipped?: Readonly<Partial<Record<SkipReason, number>>>;
}

export interface ReconcileRequested {
  readonly type: 'reconcile.requested';
  readonly scope: ReconcileScope;
  /** `schedule`, `outage`, `task`, `files`, `clock`, `upgrade`, or what a job of the library was queued for. */
  readonly cause: string;
}
/** One page is done; its jobs are in the same append. */
export interface ReconcileAdvanced {
  readonly type: 'reconcile.advanced';
  /** The last scene of the page. */
  readonly cursor: number;
  readonly checked: number;
  /** Scenes that are still to be looked at, about. */
  readonly left: number;
  readonly gaps: GapCounts;
}
export interface ReconcileFinished {
  readonly type: 'reconcile.finished';
  readonly result: 'done' | 'cancelled';
}

export type ReconcileEvent = ReconcileRequested | ReconcileAdvanced | ReconcileFinished;

interface Progress {
  readonly scope: ReconcileScope;
  readonly cause: string;
  /** Wall ms. */
  readonly startedAt: number;
  readonly checked: number;
  readonly gaps: GapCounts;
}

export interface FinishedReconciliation extends Progress {
  readonly endedAt: number;
  readonly result: ReconcileFinished['result'];
}

export type Reconciliation = {
  readonly last: FinishedReconciliation | null;
  /** When one of all scenes was last begun, wall ms; 0: never. */
  readonly wholeAt: number;
} & (
  | { readonly state: 'idle' }
  | ({
      readonly state: 'running';
      readonly cursor: number;
      readonly left: number | null;
      /** Told of meanwhile, perhaps of what it has passed already: once more when it is over. */
      readonly again?: { readonly scope: ReconcileScope; readonly cause: string };
    } & Progress)
);

export const NO_RECONCILIATION: Reconciliation = { state: 'idle', last: null, wholeAt: 0 };

/** Asked for while it runs, it is being done. Whatever else asks knows of a change, and a page may have been read before it. */
const WISHES: ReadonlySet<string> = new Set(['task', 'schedule', 'outage']);

export const NO_GAPS: GapCounts = { kinds: {}, fields: {}, libraries: {} };

export function evolveReconciliation(
  before: Reconciliation,
  event: ReconcileEvent,
  { at }: Moment,
): Reconciliation {
  switch (event.type) {
    case 'reconcile.requested': {
      if (before.state === 'idle') return begun(event.scope, event.cause, at, before);
      if (!WISHES.has(event.cause)) return { ...before, again: onceMore(before.again, event) };
      const scope = widest(before.scope, event.scope);
      return isSameScope(scope, before.scope) ? before : begun(scope, event.cause, at, before);
    }
    case 'reconcile.advanced': {
      // A page of a reconciliation that has begun anew or ended meanwhile.
      if (before.state === 'idle' || event.cursor <= before.cursor) return before;
      const checked = before.checked + event.checked;
      const gaps = sum(before.gaps, event.gaps);
      return { ...before, cursor: event.cursor, left: event.left, checked, gaps };
    }
    case 'reconcile.finished': {
      if (before.state === 'idle') return before;
      const { scope, cause, startedAt, checked, gaps, again } = before;
      const ended = { scope, cause, startedAt, checked, gaps, endedAt: at, result: event.result };
      const { wholeAt } = before;
      if (again !== undefined) return begun(again.scope, again.cause, at, { wholeAt, last: ended });
      return { state: 'idle', wholeAt, last: ended };
    }
  }
}

function begun(
  scope: ReconcileScope,
  cause: string,
  at: number,
  { last, wholeAt }: Pick<Reconciliation, 'last' | 'wholeAt'>,
): Reconciliation {
  const isWhole = scope.since === null && scope.depth === 'plex' && !scope.isMissingOnly;
  const progress = { startedAt: at, checked: 0, gaps: NO_GAPS, cursor: 0, left: null };
  return { state: 'running', last, wholeAt: isWhole ? at : wholeAt, scope, cause, ...progress };
}

function onceMore(
  before: { readonly scope: ReconcileScope } | undefined,
  { scope, cause }: ReconcileRequested,
): { readonly scope: ReconcileScope; readonly cause: string } {
  return { scope: before === undefined ? scope : widest(before.scope, scope), cause };
}

/** What covers both. */
function widest(a: ReconcileScope, b: ReconcileScope): ReconcileScope {
  const earliest = (one: number | null, other: number | null) =>
    one === null || other === null ? null : Math.min(one, other);
  const isEverywhere = a.libraries.length === 0 || b.libraries.length === 0;
  return {
    since: earliest(a.since, b.since),
    newSince: earliest(a.newSince, b.newSince),
    depth: DEPTHS.indexOf(a.depth) > DEPTHS.indexOf(b.depth) ? a.depth : b.depth,
    isMissingOnly: a.isMissingOnly && b.isMissingOnly,
    libraries: isEverywhere ? [] : [...new Set([...a.libraries, ...b.libraries])],
  };
}

function isSameScope(a: ReconcileScope, b: ReconcileScope): boolean {
  return (
    a.since === b.since &&
    a.newSince === b.newSince &&
    a.depth === b.depth &&
    a.isMissingOnly === b.isMissingOnly &&
    a.libraries.length === b.libraries.length &&
    a.libraries.every((name) => b.libraries.includes(name))
  );
}

export function sum(a: GapCounts, b: GapCounts): GapCounts {
  return {
    kinds: added(a.kinds, b.kinds),
    fields: added(a.fields, b.fields),
    libraries: added(a.libraries, b.libraries),
    skipped: added(a.skipped ?? {}, b.skipped ?? {}),
  };
}

function added(
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): Record<string, number> {
  const total = new Map(Object.entries(a));
  for (const [name, count] of Object.entries(b)) total.set(name, (total.get(name) ?? 0) + count);
  return Object.fromEntries(total);
}

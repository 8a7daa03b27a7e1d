// What happens in a run, as data: made from a seed before anything runs, so that a failing run can be made smaller by
// leaving things out of it.

import type { StreamName } from '../../src/breaker/journal/record.ts';
import { Dice } from './dice.ts';
import { furthered } from './further-acts.ts';
import { PLEX_FAULT_NAMES, type PlexFault } from './plex-faults.ts';
import type { DiskFault } from './process-fs.ts';
import { type StashFault, TAG_IDS } from './stash.ts';
import type { Version } from './versions.ts';

export interface Plan {
  readonly seed: number;
  readonly scenes: number;
  /** Those that have no item in Plex at first. */
  readonly missing: readonly string[];
  readonly hasCovers: boolean;
  /** Where Stash is process 1, drainers are tasks of Stash. */
  readonly isStashInit: boolean;
  readonly vigilMinutes: number;
  readonly recoveryTimeoutSeconds: number;
  readonly failureThreshold: number;
  /** At the end all is compared once more, what no hook told included. */
  readonly reconcilesAtEnd: boolean;
  /** How large a segment grows, in bytes; null: as large as ever. */
  readonly segmentBytes: number | null;
  /** How long the queue keeps segments, in ms; null: for ever. */
  readonly keepMs: number | null;
  /** Plex is asked to look where a new file is. */
  readonly scansNewFiles: boolean;
  /** Another machine, or a container beside the first, at the same journal; null: there is none. */
  readonly second: Second | null;
  /** Of hooks, the share that never run. */
  readonly hookLoss: number;
  readonly acts: readonly Act[];
}

export interface Second {
  /** Of the same boot, and so of the same clocks. */
  readonly isContainer: boolean;
  /** By how much its wall clock is ahead. */
  readonly wallOffMs: number;
}

export type Act = {
  readonly atMs: number;
  /** Where it happens, if not on the first machine. */
  readonly on?: 'second';
} /** A person edits scenes; each has a hook, one after another, unless it is lost. */ & (
  | {
      readonly does: 'edit';
      readonly scenes: readonly string[];
      readonly isHookLost: boolean;
      /** All in one transaction; the client leaves after the hooks of so many. */
      readonly told?: number;
    }
  | { readonly does: 'empty' | 'destroy'; readonly scene: string }
  | { readonly does: 'rename tag'; readonly tag: string }
  /** No time moves: only a hook tells. */
  | { readonly does: 'merge tags'; readonly tag: string; readonly into: string }
  /** A scan finds a file under another name, and so does Plex. */
  | { readonly does: 'file moves'; readonly scene: string }
  /** A scan, or another job of Stash: what waits in its queue waits so long. */
  | { readonly does: 'busy'; readonly forMs: number }
  /** Its queue is gone, hooks that were to come do not, and a task that ran is nobody's. */
  | { readonly does: 'Stash restarts'; readonly downMs: number }
  | { readonly does: 'plugin off'; readonly forMs: number }
  /** Somebody stops a job of Stash. */
  | { readonly does: 'job stopped' }
  | { readonly does: 'task'; readonly mode: TaskName }
  /** A segment of the log is ended. */
  | { readonly does: 'seal'; readonly stream: StreamName }
  | { readonly does: 'Plex'; readonly faults: readonly PlexFault[]; readonly forMs: number }
  | { readonly does: 'Stash'; readonly fault: StashFault; readonly forMs: number }
  | { readonly does: 'disk'; readonly fault: DiskFault; readonly share: number; readonly forMs: number }
  /** One of those that are alive then, or the next to start, dies at its step with this number from there on. */
  | { readonly does: 'kill'; readonly steps: number }
  | { readonly does: 'power'; readonly offMs: number }
  | { readonly does: 'step clock'; readonly ms: number }
  /** The second machine begins anew; the disk is another's. */
  | { readonly does: 'second reboots' }
  /** The machine sleeps; the monotonic clock may or may not. */
  | { readonly does: 'suspend'; readonly ms: number; readonly isMonotonicRunning: boolean }
  | { readonly does: 'upgrade'; readonly to: Version }
  | { readonly does: 'new token' }
  | { readonly does: 'item appears' | 'item has a new key' | 'item is wiped'; readonly scene: string }
  /** What was delivered is undone: the newest edit of one scene, or (null) all of the last `since`. */
  | { readonly does: 'undo'; readonly scene: string | null; readonly since: string }
  /** Fields, with commas between, are given back or taken again; null: of every scene. */
  | { readonly does: 'unlock' | 'lock'; readonly scene: string | null; readonly fields: string }
  /** Somebody says something else in Plex. */
  | { readonly does: 'person'; readonly scene: string; readonly field: string }
  /** Stash finds a file that Plex has not seen. */
  | { readonly does: 'new file'; readonly scene: string }
  /** Processes can no longer be started. */
  | { readonly does: 'no spawn'; readonly forMs: number }
);

export const TASK_NAMES = [
  'drain',
  'check',
  'status',
  'retry',
  'sync',
  'reconcile',
  'dry run',
  'hold open',
  'hold closed',
  'release',
  'clear',
] as const;
export type TaskName = (typeof TASK_NAMES)[number];

const DAY_MS = 86_400_000;

const ACT_WEIGHTS = {
  edit: 9,
  bulk: 2,
  empty: 0.7,
  destroy: 0.4,
  'rename tag': 1,
  task: 3,
  Plex: 4.5,
  Stash: 1,
  disk: 1.6,
  kill: 4,
  power: 1.2,
  'step clock': 1.2,
  suspend: 0.5,
  upgrade: 0.5,
  seal: 0.8,
  'new token': 0.25,
  item: 1,
  'no spawn': 0.3,
};

/** Nothing goes wrong: there is the more to see. */
const CALM_WEIGHTS: typeof ACT_WEIGHTS = {
  ...(Object.fromEntries(Object.keys(ACT_WEIGHTS).map((does) => [does, 0])) as typeof ACT_WEIGHTS),
  edit: 9,
  bulk: 2,
  empty: 0.7,
  destroy: 0.4,
  'rename tag': 1,
  seal: 0.8,
};

const CALM: ReadonlySet<Act['does']> = new Set([
  'edit',
  'empty',
  'destroy',
  'rename tag',
  'item appears',
  'new file',
  'merge tags',
  'file moves',
  'busy',
  'undo',
  'unlock',
  'lock',
  'person',
  'seal',
]);

/** Whether nothing goes wrong in it: a disk that is slow is no trouble. */
export function isCalm({ acts, hookLoss }: Plan): boolean {
  return (
    hookLoss === 0 && acts.every((act) => CALM.has(act.does) || (act.does === 'disk' && act.fault === 'slow'))
  );
}

export function planOf(seed: number): Plan {
  return furthered(firstPlanOf(seed));
}

function firstPlanOf(seed: number): Plan {
  const dice = new Dice(seed);
  const scenes = dice.between(1, 8);
  const ids = Array.from({ length: scenes }, (_, index) => String(index + 1));
  const spanMs = dice.pick([5_000, 60_000, 60_000, 600_000, 600_000, 7_200_000, 2 * DAY_MS]);
  const count = dice.between(3, 15);
  const weights = dice.chance(0.15) ? CALM_WEIGHTS : ACT_WEIGHTS;
  const planned = Array.from({ length: count }, () => actOf(dice, ids, dice.int(spanMs), weights));
  const all = planned.flatMap((act) =>
    TROUBLE.has(act.does) && dice.chance(0.6) ? [act, ...company(dice, ids, act)] : [act],
  );
  if (weights === ACT_WEIGHTS && dice.chance(0.12)) all.push(...flapping(dice, ids, dice.int(spanMs)));
  if (weights === ACT_WEIGHTS && dice.chance(0.2)) all.push(...rush(dice, ids, dice.int(spanMs)));
  if (weights === ACT_WEIGHTS && dice.chance(0.08)) all.push(...oversleeping(dice, ids, dice.int(spanMs)));
  if (weights === CALM_WEIGHTS) all.push(...late(dice, ids, all));
  // The journal's own records of a newer version are not to be had from code that is the same.
  const isNewer = all.some((act) => act.does === 'upgrade' && act.to === 2);
  const acts = isNewer ? all.filter(({ does }) => does !== 'seal') : all;
  return {
    seed,
    scenes,
    missing: ids.filter(() => dice.chance(0.08)),
    hasCovers: dice.chance(0.25),
    isStashInit: dice.chance(0.15),
    vigilMinutes: dice.pick([0, 0.1, 0.2, 0.2, 0.5, 0.5, 1, dice.pick([2, 2, 10])]),
    recoveryTimeoutSeconds: dice.pick([1, 5, 20, 60]),
    failureThreshold: dice.pick([1, 2, 5, 5]),
    reconcilesAtEnd: dice.chance(0.4),
    segmentBytes: isNewer ? null : dice.pick([null, null, 2_000, 6_000]),
    keepMs: dice.pick([null, null, 0, 60_000]),
    scansNewFiles: false,
    second: null,
    hookLoss: 0,
    acts: acts.sort((a, b) => a.atMs - b.atMs),
  };
}

/** What shows little while nobody is at work. */
const TROUBLE: ReadonlySet<Act['does']> = new Set([
  'Plex',
  'Stash',
  'disk',
  'kill',
  'power',
  'seal',
  'no spawn',
]);

/** People are at work when it happens, and some wonder what is wrong. */
function company(dice: Dice, ids: readonly string[], { does, atMs }: Act): Act[] {
  const edit = edited(dice, ids, atMs);
  if (does !== 'Plex' || dice.chance(0.7)) return [edit];
  const askedAt = atMs + dice.pick([2_000, 8_000, 30_000]);
  const asked = Array.from({ length: 3 }, (): Act => {
    return {
      atMs: askedAt + dice.int(60),
      does: 'task',
      mode: dice.pick(['check', 'check', 'drain'] as const),
    };
  });
  return [edit, ...asked];
}

/** Several people want it done, all at the same moment. */
function rush(dice: Dice, ids: readonly string[], at: number): Act[] {
  const tasks = Array.from({ length: dice.between(2, 4) }, (): Act => {
    const mode = dice.pick(['drain', 'drain', 'sync', 'reconcile', 'check'] as const);
    return { atMs: at + dice.int(4), does: 'task', mode };
  });
  return [{ atMs: at, does: 'edit', scenes: [...ids], isHookLost: true }, ...tasks];
}

/** A drainer on a slow disk sleeps longer than its lease lasts, and others take over before it knows. */
function oversleeping(dice: Dice, ids: readonly string[], at: number): Act[] {
  const asleepAt = at + dice.between(500, 40_000);
  const tasks = Array.from({ length: 2 }, (): Act => {
    return { atMs: asleepAt + dice.between(1, 3_000), does: 'task', mode: 'drain' };
  });
  return [
    { atMs: at, does: 'edit', scenes: ids.slice(0, 3), isHookLost: false },
    { atMs: at + dice.int(400), does: 'disk', fault: 'slow', share: dice.pick([0.3, 1]), forMs: 120_000 },
    { atMs: asleepAt, does: 'suspend', ms: 600_000, isMonotonicRunning: true },
    ...tasks,
  ];
}

/** Changes that come about when the drainer of one before has waited long enough, and leaves. */
function late(dice: Dice, ids: readonly string[], acts: readonly Act[]): Act[] {
  // A disk that is slow is no trouble, and leaves much time between a last look and a last word.
  const slow: Act[] = dice.chance(0.4)
    ? [{ atMs: 0, does: 'disk', fault: 'slow', share: 0.2, forMs: 1_000_000_000 }]
    : [];
  const edits = acts
    .filter(({ does }) => does === 'edit')
    .map(({ atMs }): Act => {
      return {
        atMs: atMs + (slow.length === 0 ? dice.between(2_000, 2_700) : dice.between(2_000, 40_000)),
        does: 'edit',
        scenes: [dice.pick(ids)],
        isHookLost: false,
      };
    });
  return [...slow, ...edits];
}

/** Plex goes and comes, again and again. */
function flapping(dice: Dice, ids: readonly string[], fromMs: number): Act[] {
  return Array.from({ length: dice.between(3, 5) }, (_, index): Act[] => {
    const atMs = fromMs + index * 70_000;
    const faults = [dice.pick(['refused', 'maintenance', 'bad gateway'] as const)];
    return [edited(dice, ids, atMs), { atMs, does: 'Plex', faults, forMs: dice.pick([4_000, 15_000]) }];
  }).flat();
}

/** A little before, or while it lasts. */
function edited(dice: Dice, ids: readonly string[], at: number): Act {
  const atMs = Math.max(0, at + dice.between(-800, 1_200));
  return { atMs, does: 'edit', scenes: [dice.pick(ids), dice.pick(ids)], isHookLost: false };
}

function actOf(dice: Dice, ids: readonly string[], at: number, weights: typeof ACT_WEIGHTS): Act {
  // Trouble likes company: many acts fall together.
  const atMs = dice.chance(0.4) ? at - (at % 2_000) + dice.int(300) : at;
  const scene = dice.pick(ids);
  const does = dice.weighted(weights);
  const spell = () => dice.pick([500, 3_000, 20_000, 90_000, 400_000, 3_600_000]);
  switch (does) {
    case 'edit':
      return { atMs, does, scenes: [scene], isHookLost: dice.chance(0.06) };
    case 'bulk': {
      const some = ids.filter(() => dice.chance(0.8));
      const all = dice.chance(0.1) ? [...Array(60).keys()].map((index) => ids[index % ids.length]!) : some;
      return { atMs, does: 'edit', scenes: all.length === 0 ? ids : all, isHookLost: false };
    }
    case 'empty':
    case 'destroy':
      return { atMs, does, scene };
    case 'rename tag':
      return { atMs, does, tag: dice.pick(TAG_IDS) };
    case 'task':
      return {
        atMs,
        does,
        mode: dice.pick([...TASK_NAMES, 'drain', 'drain', 'check', 'reconcile', 'release']),
      };
    case 'Plex': {
      const faults = Array.from({ length: dice.chance(0.3) ? 2 : 1 }, () => dice.pick(PLEX_FAULT_NAMES));
      return { atMs, does, faults, forMs: spell() };
    }
    case 'Stash':
      return {
        atMs,
        does,
        fault: dice.pick(['unreachable', 'unauthorized', 'refused'] as const),
        forMs: spell(),
      };
    case 'disk':
      return {
        atMs,
        does,
        fault: dice.weighted({
          full: 2,
          short: 2,
          'write-error': 1,
          'sync-error': 2,
          'read-error': 1,
          'too-many-files': 1,
          slow: 2,
        }),
        share: dice.pick([0.05, 0.3, 1]),
        forMs: spell(),
      };
    case 'kill':
      return { atMs, does, steps: dice.pick([1, 2, 3, 5, 8, 13, 21, 40]) };
    case 'power':
      return { atMs, does, offMs: dice.pick([1_000, 60_000, 3_600_000]) };
    case 'step clock':
      return { atMs, does, ms: dice.pick([-DAY_MS, DAY_MS, -3_600_000, 3_600_000, -7_000, 4_000]) };
    case 'suspend':
      return { atMs, does, ms: dice.pick([60_000, 3_600_000, DAY_MS]), isMonotonicRunning: dice.chance(0.3) };
    case 'upgrade':
      return { atMs, does, to: dice.pick([1, 1, 2, 0]) };
    case 'seal':
      return { atMs, does, stream: dice.pick(['control', 'queue'] as const) };
    case 'new token':
      return { atMs, does };
    case 'item':
      return {
        atMs,
        does: dice.pick(['item appears', 'item has a new key', 'item is wiped'] as const),
        scene,
      };
    case 'no spawn':
      return { atMs, does, forMs: spell() };
  }
}

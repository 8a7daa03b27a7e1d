// Acts that came into the simulation later. They are drawn from dice of their own, so that what a seed did before they
// came is still what it does, but for those that have some.

import { Dice } from './dice.ts';
import { type Act, isCalm, type Plan, type Second } from './plan.ts';
import { FIRST_NEW, TAG_IDS } from './stash.ts';

/** A plan with what its seed has of them. */
export function furthered(plan: Plan): Plan {
  return withStash(withMore(plan));
}

/** What becomes of hooks and of Stash's job queue. */
function withStash(plan: Plan): Plan {
  const dice = new Dice(plan.seed ^ 0x68bc21eb);
  const acts = plan.acts.map((act): Act => {
    const isBulk = act.does === 'edit' && act.scenes.length > 1 && dice.chance(0.3);
    return isBulk
      ? { ...act, told: dice.chance(0.3) ? dice.int(act.scenes.length) : act.scenes.length }
      : act;
  });
  const more = dice.chance(0.5) ? ofStash(dice, plan) : [];
  const hookLoss = !isCalm(plan) && dice.chance(0.15) ? dice.pick([0.1, 0.5, 1]) : 0;
  return { ...plan, hookLoss, acts: [...acts, ...more].sort((a, b) => a.atMs - b.atMs) };
}

function ofStash(dice: Dice, plan: Plan): Act[] {
  const isTrouble = !isCalm(plan);
  const some = Array.from({ length: dice.between(1, 3) }, () => ofStashOnce(dice, plan, isTrouble));
  return some.flat().map((act) => ({ ...act, atMs: Math.max(0, act.atMs) }));
}

function ofStashOnce(dice: Dice, plan: Plan, isTrouble: boolean): Act[] {
  const atMs = time(dice, plan);
  const scene = String(dice.between(1, plan.scenes));
  const edit = (editAt: number): Act => ({
    atMs: editAt,
    does: 'edit',
    scenes: [String(dice.between(1, plan.scenes)), scene],
    isHookLost: false,
  });
  const rare = isTrouble ? 1 : 0;
  const does = dice.weighted({
    busy: 3,
    'merge tags': 2,
    'file moves': 2,
    'Stash restarts': 2 * rare,
    'plugin off': 2 * rare,
    'job stopped': 1.5 * rare,
  });
  const forMs = dice.pick([8_000, 60_000, 600_000, 7_200_000]);
  switch (does) {
    case 'busy': {
      const edits = Array.from({ length: dice.between(1, 4) }, () => edit(atMs + dice.int(forMs)));
      return [{ atMs, does, forMs }, ...edits];
    }
    case 'merge tags':
      return [
        edit(atMs),
        { atMs: atMs + dice.int(9_000), does, tag: dice.pick(TAG_IDS), into: dice.pick(TAG_IDS) },
      ];
    case 'file moves':
      return [
        edit(atMs),
        { atMs: atMs + dice.int(9_000), does, scene },
        { atMs: atMs + dice.int(9_000), does, scene: '1' },
      ];
    case 'Stash restarts':
      return [edit(atMs - dice.int(300)), { atMs, does, downMs: dice.pick([500, 5_000, 60_000]) }];
    case 'plugin off':
      return [{ atMs, does, forMs }, edit(atMs + dice.int(9_000))];
    case 'job stopped':
      return [edit(atMs - dice.int(3_000)), { atMs, does }];
  }
}

function withMore(plan: Plan): Plan {
  const dice = new Dice(plan.seed ^ 0x2545f491);
  const scansNewFiles = dice.chance(0.06);
  const isUndone = dice.chance(0.08);
  const further = [...(scansNewFiles ? newFiles(dice, plan) : []), ...(isUndone ? undone(dice, plan) : [])];
  const sorted = (acts: readonly Act[]) => [...acts].sort((a, b) => a.atMs - b.atMs);
  const whole = { ...plan, scansNewFiles, acts: sorted([...plan.acts, ...further]) };
  if (!dice.chance(0.06)) return further.length === 0 ? plan : whole;
  const acts = whole.acts.map((act): Act => (dice.chance(0.5) ? { ...act, on: 'second' } : act));
  return { ...whole, second: second(dice), acts: sorted([...acts, ...together(dice, whole)]) };
}

/** In the same place, on time, about on time, or wrong by minutes. */
function second(dice: Dice): Second {
  if (dice.chance(0.3)) return { isContainer: true, wallOffMs: 0 };
  const wallOffMs = dice.pick([0, 300, -900, 4_000, -4_500, 70_000, -70_000, 400_000, -400_000]);
  return { isContainer: false, wallOffMs };
}

/** Both machines at once, while Plex is away and when it is there. */
function together(dice: Dice, plan: Plan): Act[] {
  return Array.from({ length: dice.between(1, 3) }, (): Act[] => {
    const atMs = time(dice, plan);
    const scenes = [String(dice.between(1, plan.scenes)), String(dice.between(1, plan.scenes))];
    const edits: Act[] = [
      { atMs, does: 'edit', scenes, isHookLost: false },
      { atMs: atMs + dice.int(400), does: 'edit', scenes, isHookLost: false, on: 'second' },
    ];
    if (isCalm(plan)) return edits;
    const faults = [dice.pick(['refused', 'maintenance', 'hang'] as const)];
    const outage: Act = { atMs, does: 'Plex', faults, forMs: dice.pick([3_000, 60_000, 400_000]) };
    const askedAt = atMs + dice.pick([200, 8_000, 40_000]);
    const mode = () => dice.pick(['drain', 'check', 'drain', 'reconcile'] as const);
    return [
      ...edits,
      ...(dice.chance(0.6) ? [outage] : []),
      { atMs: askedAt, does: 'task', mode: mode() },
      { atMs: askedAt + dice.int(40), does: 'task', mode: mode(), on: 'second' },
      ...(dice.chance(0.3) ? [{ atMs: askedAt + dice.int(2_000), does: 'second reboots' } as const] : []),
    ];
  }).flat();
}

/** When something happens in the plan, or at any time of it. */
function time(dice: Dice, { acts }: Plan): number {
  const lastMs = acts.at(-1)?.atMs ?? 0;
  return dice.chance(0.6) && acts.length > 0 ? dice.pick(acts).atMs : dice.int(lastMs + 5_000);
}

/** Files that are put into two folders, some of them at once. */
function newFiles(dice: Dice, plan: Plan): Act[] {
  let atMs = time(dice, plan);
  return Array.from({ length: dice.between(2, 8) }, (_, index): Act => {
    atMs += dice.pick([20, 60, 400, 5_000, 20_000, 90_000]);
    return { atMs, does: 'new file', scene: `${FIRST_NEW + index}` };
  });
}

/** People change their minds about what came to Plex, in the middle of other things. */
function undone(dice: Dice, plan: Plan): Act[] {
  const isTrouble = !isCalm(plan) && dice.chance(0.5);
  return Array.from({ length: dice.between(1, 3) }, () => {
    const scene = String(dice.between(1, plan.scenes));
    const editedAt = time(dice, plan);
    const atMs = editedAt + dice.pick([300, 3_000, 8_000, 40_000]);
    const edit = (editAt: number): Act => ({
      atMs: editAt,
      does: 'edit',
      scenes: [scene],
      isHookLost: false,
    });
    const acts: Act[] = [edit(editedAt)];
    if (dice.chance(0.3)) acts.push({ atMs: atMs - 200, does: 'person', scene, field: dice.pick(FIELDS) });
    acts.push(byHand(dice, scene, atMs));
    if (isTrouble) acts.push(trouble(dice, atMs + dice.int(200)));
    if (dice.chance(0.5)) acts.push(byHand(dice, scene, atMs + dice.pick([40, 4_000, 30_000])));
    if (dice.chance(0.3)) acts.push(...lent(dice, scene, atMs + 40_000));
    if (dice.chance(0.4)) acts.push(edit(atMs + dice.pick([100, 2_000, 60_000])));
    if (dice.chance(0.3)) acts.push({ atMs: atMs + 70_000, does: 'task', mode: 'reconcile' });
    return acts;
  }).flat();
}

/** Given back, changed in Stash, and taken again. */
function lent(dice: Dice, scene: string, atMs: number): Act[] {
  const fields = dice.pick(['title', '']);
  const takenAt = atMs + 6_000 + dice.pick([100, 30_000]);
  return [
    { atMs, does: 'unlock', scene, fields },
    { atMs: atMs + 6_000, does: 'edit', scenes: [scene], isHookLost: false },
    { atMs: takenAt, does: 'lock', scene, fields },
  ];
}

const FIELDS = ['title', 'summary', 'studio'] as const;

function byHand(dice: Dice, of: string, atMs: number): Act {
  const scene = dice.chance(0.8) ? of : null;
  const does = dice.weighted({ undo: 6, unlock: 2, lock: 2 });
  if (does !== 'undo') return { atMs, does, scene, fields: dice.pick(['title', 'tags, date', '']) };
  const since = scene === null ? dice.pick(['1m', '1h']) : dice.pick(['', '', '', '10m']);
  return { atMs, does, scene, since };
}

/** It comes while the undo is at it. */
function trouble(dice: Dice, atMs: number): Act {
  if (dice.chance(0.5)) return { atMs, does: 'kill', steps: dice.between(1, 60) };
  const faults = [dice.pick(['edits late', 'reset after', 'hang', 'edits rejected', 'refused'] as const)];
  return { atMs, does: 'Plex', faults, forMs: dice.pick([200, 3_000, 60_000]) };
}

// Why the breaker, the recovery flow and the holds are as they are: of all the steps of the control stream those that
// led there. A read model: folded from steps, stored nowhere. It holds no sentences and knows no `now`.

import { HOLD_NAMES, type HoldName } from '../../machines/events.ts';
import type { Step } from '../breaker/index.ts';
import { type Chain, EMPTY_CHAIN, linked } from './chain.ts';

export interface OutageStory {
  /** As `outages` counts them. */
  readonly number: number;
  /** From the first failure of the row that opened the breaker to the backlog's end. */
  readonly chain: Chain<Step>;
  /** The backlog of it is worked off, or another outage came first. */
  readonly isSettled: boolean;
}

export interface ControlStory {
  /** Failures in a row that count against a closed breaker. */
  readonly row: readonly Step[];
  /** The newest outage. */
  readonly outage: OutageStory | null;
  /** A probe that was claimed and has not been answered. */
  readonly asking: Step | null;
  /** What placed each hold that was not released. Whether it still holds is asked with `now`. */
  readonly holds: Readonly<Record<HoldName, Step | null>>;
}

export const EMPTY_STORY: ControlStory = {
  row: [],
  outage: null,
  asking: null,
  holds: { operator: null, config: null, throttle: null },
};

export function evolveStory(story: ControlStory, step: Step): ControlStory {
  // What changed nothing led nowhere.
  if (step.isVoid) return story;
  return withOutage(withRow(withHold(story, step), step), step);
}

function withHold(story: ControlStory, step: Step): ControlStory {
  const { record, event } = step;
  const hold = record.data.hold as HoldName | undefined;
  if (event === null || hold === undefined || !HOLD_NAMES.has(hold)) return story;
  const placed = event.type === 'hold.placed' ? step : null;
  return { ...story, holds: { ...story.holds, [hold]: placed } };
}

/** The failures that a closed breaker counts; a success forgets them. */
function withRow(story: ControlStory, step: Step): ControlStory {
  const [before, after] = [step.before.breaker, step.after.breaker];
  if (before.value !== 'closed' || after.value !== 'closed') return story;
  if (after.context.failures > before.context.failures) return { ...story, row: [...story.row, step] };
  return after.context.failures === 0 && story.row.length > 0 ? { ...story, row: [] } : story;
}

function withOutage(story: ControlStory, step: Step): ControlStory {
  const [from, to] = [step.before.breaker.value, step.after.breaker.value];
  if (from === 'closed' && to === 'open') return opened(story, step);
  const { outage, asking } = story;
  if (outage === null || outage.isSettled) return story;
  const add = (...steps: readonly Step[]): ControlStory => ({
    ...story,
    asking: null,
    outage: { ...outage, chain: steps.reduce<Chain<Step>>(linked, outage.chain) },
  });
  switch (step.event?.type) {
    case 'lease.claimed':
      if (step.event.lease !== 'probe') break;
      // The one before was never answered: its process is gone.
      return { ...(asking === null ? story : add(asking)), asking: step };
    case 'probe.failed':
    case 'probe.succeeded':
      if (step.event.lease === 'probe' || from !== to) return add(step);
      break;
    case 'lease.released':
    case 'lease.lost':
      // After an answer the flow has moved on: the release says nothing more.
      if (step.event.lease === 'probe' && step.before.recovery.value === 'probing') return add(step);
      break;
    case 'attempt.succeeded':
    case 'attempt.failed':
      if (from === 'halfOpen') return add(step);
      break;
    case 'backlog.drained': {
      const told = add(step);
      return { ...told, outage: told.outage && { ...told.outage, isSettled: true } };
    }
  }
  // A log of another era, or one with damage, may move the breaker by other words.
  return from === to ? story : add(step);
}

function opened(story: ControlStory, step: Step): ControlStory {
  const chain = [...story.row, step].reduce<Chain<Step>>(linked, EMPTY_CHAIN);
  const number = (story.outage?.number ?? 0) + 1;
  return { ...story, row: [], asking: null, outage: { number, chain, isSettled: false } };
}

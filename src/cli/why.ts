// Why the breaker, the recovery flow and the holds are as they are: the records that led there, one sentence each with
// its place and time, and what will happen. Pure: the story and a moment in, sentences out.

import { HOLD_NAMES, type HoldName } from '../../machines/events.ts';
import { type Moment, remainingMs } from '../../machines/time.ts';
import { type ControlState, type Gate, gate, isHeld, isLeaseLive, type Step } from '../breaker/index.ts';
import { type Chain, EMPTY_CHAIN } from '../history/chain.ts';
import type { ControlStory, OutageStory } from '../history/control-story.ts';
import { count, duration, plain, time } from './format.ts';

/** A record of the chain, told. */
export interface ToldLink {
  readonly stream: 'control' | 'queue';
  readonly position: number;
  /** Wall ms. */
  readonly at: number;
  readonly type: string;
  readonly text: string;
}

export interface WhyDocument {
  /** The present state, in a sentence or two. */
  readonly state: readonly string[];
  readonly links: readonly ToldLink[];
  /** Links between the first and the last of them that are not told, and after how many of those that are. */
  readonly elided: { readonly count: number; readonly after: number };
  /** What will happen, and what a person can do. */
  readonly next: readonly string[];
}

export function whyControl(
  story: ControlStory,
  state: ControlState,
  now: Moment,
  isHolderGone: boolean,
): WhyDocument {
  const holds = [...HOLD_NAMES].flatMap((hold) => holdLink(story, state, hold, now));
  const { breaker, recovery } = state;
  const isCalm = breaker.value === 'closed' && recovery.value === 'idle' && !recovery.context.hasBacklog;
  const { outage } = story;
  const chain = isCalm || outage === null ? EMPTY_CHAIN : outage.chain;
  const { links, elided } = toldChain<Step>(chain, toldStep);
  return {
    state: [stateSentence(story, state), ...holds.map(({ sentence }) => sentence)],
    links: [
      ...links,
      ...story.row.map(toldStep),
      ...askingLink(story, state),
      ...holds.map(({ link }) => link),
    ],
    elided,
    next: nextSentences(state, now, isHolderGone),
  };
}

/** One outage, from its first failure to the end of its backlog. */
export function whyOutage(
  { number, chain, isSettled }: OutageStory,
  state: readonly string[],
  isOver: boolean,
): WhyDocument {
  const open = isOver ? 'Its backlog was not seen to end.' : 'It is not over; "why" says what happens next.';
  const end = isSettled ? [] : [open];
  return { state: [`Outage #${number}:`, ...state], ...toldChain(chain, toldStep), next: end };
}

export function whyLines({ state, links, elided, next }: WhyDocument): string[] {
  const lines = links.map(
    ({ stream, position, at, text }) => `  ${time(at)}  ${`${stream}@${position}`.padEnd(16)}  ${text}`,
  );
  if (elided.count > 0) lines.splice(elided.after, 0, `  … ${elided.count} more of the kind …`);
  return [...state, ...lines, ...next];
}

export function toldChain<Link>(
  { first, last, elided }: Chain<Link>,
  tell: (link: Link) => ToldLink,
): Pick<WhyDocument, 'links' | 'elided'> {
  return { links: [...first, ...last].map(tell), elided: { count: elided, after: first.length } };
}

/** What stands between a job and Plex. */
export function gateSentence(state: ControlState, now: Moment, isHolderGone: boolean): string {
  const answer = gate(state, now);
  const who = whoComes(state, now, isHolderGone);
  switch (answer.kind) {
    case 'go':
      return `Nothing stands in the way: ${who}.`;
    case 'probe':
      return `A probe is due now: ${who}.`;
    case 'wait':
      return `The next probe is due in ${duration(answer.remainingMs)}, at ${time(now.at + answer.remainingMs)}: ${who}.`;
    case 'held':
      return heldSentence(answer);
  }
}

function heldSentence({ hold, remainingMs: leftMs }: Extract<Gate, { kind: 'held' }>): string {
  const end = `Nothing is sent to Plex for ${duration(leftMs)} more`;
  switch (hold) {
    case 'operator':
      return `${end}; "release" ends that at once.`;
    case 'config':
      return `${end}, or until the settings change: put right what it says, then run "check".`;
    case 'throttle':
      return `${end}, as Plex asked; then it goes on by itself.`;
  }
}

function whoComes(state: ControlState, now: Moment, isHolderGone: boolean): string {
  const isLive = isLeaseLive(state, 'drain', now) && !isHolderGone;
  const owner = plain(state.drain.context.owner);
  if (isLive && state.drain.value === 'held') return `a drainer is at work (${owner}) and sees to it`;
  if (isLive) return `a drainer was started (by ${owner}) and sees to it`;
  return 'the next thing that Stash starts sees to it, or "drain" at once';
}

function stateSentence({ outage, row }: ControlStory, { breaker, recovery }: ControlState): string {
  const which = outage === null ? '' : ` (outage #${outage.number})`;
  switch (breaker.value) {
    case 'open':
      return `The breaker is open: Plex is away${which}.`;
    case 'halfOpen': {
      const { successes, successesNeeded } = breaker.context;
      return `The breaker is half-open: Plex answers again, ${successes} of ${successesNeeded} changes have proven it${which}.`;
    }
    case 'closed':
      if (recovery.value === 'ramping')
        return `The breaker is closed: Plex is back, and the backlog goes in batches of ${recovery.context.limit}${which}.`;
      if (recovery.context.hasBacklog) return `The breaker is closed: Plex is back${which}.`;
      if (row.length > 0)
        return `The breaker is closed, with ${breaker.context.failures} of ${breaker.context.policy.failureThreshold} failures in a row that would open it.`;
      return outage === null
        ? 'The breaker is closed: no outage was recorded.'
        : `The breaker is closed: nothing stands against Plex since outage #${outage.number}; "why --outage ${outage.number}" tells it.`;
  }
}

function nextSentences(state: ControlState, now: Moment, isHolderGone: boolean): string[] {
  if (state.breaker.value === 'closed' && gate(state, now).kind === 'go') return [];
  return [gateSentence(state, now, isHolderGone)];
}

function holdLink(
  story: ControlStory,
  state: ControlState,
  hold: HoldName,
  now: Moment,
): { sentence: string; link: ToldLink }[] {
  const step = story.holds[hold];
  const { ends, reason, stance } = state[hold].context;
  if (step === null || ends === null || !isHeld(state, hold, now)) return [];
  const what = stance === 'open' ? 'nothing is sent to Plex' : 'changes go out whatever the breaker says';
  const sentence = `Held (${hold}) for ${duration(remainingMs(ends, now))} more: ${what}.`;
  return [
    {
      sentence,
      link: linkOf(step, `${placedBy(hold, step)} for ${duration(ends.waitMs)}: ${plain(reason)}`),
    },
  ];
}

function placedBy(hold: HoldName, { record }: Step): string {
  switch (hold) {
    case 'operator':
      return `a person held it (${plain(record.inv)})`;
    case 'config':
      return 'Plex or the settings refused us: held';
    case 'throttle':
      return 'Plex asked for a pause: held';
  }
}

/** A probe that may still be answered. */
function askingLink({ asking }: ControlStory, { recovery }: ControlState): ToldLink[] {
  if (asking === null || recovery.value !== 'probing') return [];
  return [linkOf(asking, `a probe was begun (${plain(asking.record.inv)}), and is not answered yet`)];
}

function toldStep(step: Step): ToldLink {
  return linkOf(step, sentenceOf(step));
}

function linkOf({ position, record }: Step, text: string): ToldLink {
  return { stream: 'control', position, at: record.at, type: record.type, text };
}

function sentenceOf(step: Step): string {
  const { event, before, after } = step;
  const [from, to] = [before.breaker.value, after.breaker.value];
  const told = event === null ? plain(step.record.type) : eventSentence(step, event);
  const adopted =
    step.agreement === 'adopted' ? ' (as it was recorded: the fold alone would not have said so)' : '';
  return from === to ? `${told}${adopted}` : `${told}${movedSentence(step)}${adopted}`;
}

function eventSentence({ before, after }: Step, event: NonNullable<Step['event']>): string {
  switch (event.type) {
    case 'attempt.failed': {
      const what = event.subject === undefined ? 'an attempt' : plain(event.subject.replace(':', ' '));
      const { failures, policy } = after.breaker.context;
      const counted =
        after.breaker.value === 'open' ? '' : ` (${failures} of ${policy.failureThreshold} in a row)`;
      return `${what} failed: ${plain(event.symptom)}${counted}`;
    }
    case 'probe.failed':
      if (event.lease === 'drain') return `Plex itself was asked, to make sure: ${plain(event.symptom)}`;
      return `a probe failed: ${plain(event.symptom)}${waitSentence(after)}`;
    case 'probe.succeeded':
      return `Plex answered a probe in ${Math.round(event.tookMs)} ms, with ${count(event.pending, 'change')} waiting`;
    case 'attempt.succeeded':
      return before.breaker.value === 'halfOpen'
        ? 'a change was delivered'
        : `${count(event.count, 'change')} delivered`;
    case 'lease.claimed':
      return `a probe was begun and never answered for: its process is gone (${plain(event.by)})${waitSentence(after)}`;
    case 'lease.released':
      return `a probe ended without an answer: ${plain(event.reason)}${waitSentence(after)}`;
    case 'lease.lost':
      return `a probe ended without an answer: its process is gone${waitSentence(after)}`;
    case 'backlog.drained':
      return 'nothing that can be attempted was left: the outage is dealt with';
    default:
      return plain(event.type);
  }
}

function movedSentence({ before, after, event }: Step): string {
  switch (after.breaker.value) {
    case 'open': {
      const again = before.breaker.value === 'halfOpen' ? ' again' : '';
      // A failed probe has told of the wait already.
      const wait = event?.type === 'probe.failed' && event.lease === 'probe' ? '' : waitSentence(after);
      return `; the breaker opened${again}${wait}`;
    }
    case 'halfOpen':
      return `; the breaker is half-open, and ${count(after.breaker.context.successesNeeded, 'change')} must prove it`;
    case 'closed':
      return '; that proved it, the breaker closed';
  }
}

function waitSentence({ recovery }: ControlState): string {
  const { due } = recovery.context;
  return due === null ? '' : `, asked again after ${duration(due.waitMs)}`;
}

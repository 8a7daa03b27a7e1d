// What happened to one scene, and what will: the records of its last spell in the queue, one sentence each. Pure: the
// story, the gate and a moment in, sentences out.

import { type Moment, remainingMs } from '../../machines/time.ts';
import { type ControlState, gate } from '../breaker/index.ts';
import type { JobLink, JobStory } from '../history/scene-story.ts';
import type { DeadReason, DeliveryResult } from '../queue/events.ts';
import type { Job, Known } from '../queue/queue.ts';
import { count, duration, plain, time } from './format.ts';
import { changeText, fieldName } from './reconciliation.ts';
import { gateSentence, type ToldLink, toldChain, type WhyDocument } from './why.ts';

export interface SceneNow {
  /** Null: nothing waits for it. */
  readonly job: Job | null;
  readonly known: Known | null;
  readonly state: ControlState;
  readonly now: Moment;
  readonly isHolderGone: boolean;
}

export function whyScene(story: JobStory, present: SceneNow): WhyDocument {
  const { links, elided } = toldChain(story.spell, toldLink);
  return { state: stateSentences(story, present), links, elided, next: nextSentences(story, present) };
}

function stateSentences(
  { job: name, spell, earlierSpells, begunAt }: JobStory,
  { job, known }: SceneNow,
): string[] {
  const scene = nameOf(name);
  const isGone = job !== null && job.state !== 'pending' && job.reason === 'missing';
  const item = known === null ? '' : ` Its Plex item ${isGone ? 'was' : 'is'} ${plain(known.item)}.`;
  const earlier =
    earlierSpells === 0
      ? []
      : [
          `Before what follows it was queued and settled ${count(earlierSpells, 'time')} since ${time(begunAt)}.`,
        ];
  return [`${presentSentence(scene, job, spell.first.length > 0)}${item}`, ...earlier];
}

function presentSentence(scene: string, job: Job | null, isKnown: boolean): string {
  if (job === null) return isKnown ? `${scene}: nothing waits.` : `Nothing is known of ${scene}.`;
  switch (job.state) {
    case 'pending':
      return `${scene} waits to be delivered, since ${time(job.queuedAt)}.`;
    case 'deferred':
      return `${scene} is deferred: ${plain(job.detail)}.`;
    case 'dead':
      return `${scene} was given up: ${plain(job.detail)}.`;
  }
}

function nextSentences(
  { job: name, spell }: JobStory,
  { job, state, now, isHolderGone }: SceneNow,
): string[] {
  const id = name.slice(name.indexOf(':') + 1);
  if (job === null) {
    return spell.first.length > 0
      ? [`Its next change in Stash is delivered; "sync --scene ${id}" does it now.`]
      : [
          `Neither a look at Stash nor a reconciliation found it different. "sync --scene ${id}" delivers it.`,
        ];
  }
  switch (job.state) {
    case 'pending':
      return [
        gate(state, now).kind === 'go' ? 'It is delivered next.' : 'It is delivered when Plex is there.',
        gateSentence(state, now, isHolderGone),
      ];
    case 'deferred': {
      const leftMs = remainingMs(job.due, now);
      const when = leftMs === 0 ? 'now' : `in ${duration(leftMs)}, at ${time(now.at + leftMs)}`;
      return [
        `It is tried again ${when}; a change in Stash or "drain" tries it at once.`,
        gateSentence(state, now, isHolderGone),
      ];
    }
    case 'dead':
      return [
        `${REMEDY[job.reason]} Then "retry --job ${id}", or change the scene in Stash: that revives it.`,
      ];
  }
}

const REMEDY: Readonly<Record<DeadReason, string>> = {
  ambiguous: 'Take the file out of all Plex items but one.',
  rejected: 'Plex refused this very edit; look at what it says above.',
  missing: 'Let Plex scan the folder of the file, and check pathMap.',
  'no-file': 'Give the scene a file.',
};

function toldLink({ position, record, event, before, after, times, lastAt }: JobLink): ToldLink {
  const again = times === 1 ? '' : ` (${count(times, 'time')}, until ${time(lastAt)})`;
  const text = `${sentenceOf(event, before, after)}${again}`;
  return { stream: 'queue', position, at: record.at, type: record.type, text };
}

function sentenceOf(event: JobLink['event'], before: Job | null, after: Job | null): string {
  switch (event.type) {
    case 'job.queued': {
      const revived = before?.state === 'dead' ? ' That revived it.' : '';
      return `queued: ${causeText(event.cause)}.${revived}`;
    }
    case 'job.attempted': {
      const changes = event.changes.map(changeText).join('; ') || turnedText(event) || 'nothing';
      return `${attemptText(event.by)} Plex item ${plain(event.item)}: ${changes}`;
    }
    case 'job.restored': {
      const notes = (event.notes ?? []).map((note) => ` Not as wanted: ${plain(note)}.`).join('');
      return `done, in Plex item ${plain(event.item)}.${notes}`;
    }
    case 'job.delivered': {
      const notes = (event.notes ?? []).map((note) => ` Not as wanted: ${plain(note)}.`).join('');
      return `${RESULT[event.result]}.${notes}${changedMeanwhile(after)}`;
    }
    case 'job.deferred': {
      const due = `tried again after ${duration(event.waitMs)}`;
      return `deferred (attempt ${event.attempt}): ${plain(event.detail)}; ${due}.${changedMeanwhile(after)}`;
    }
    case 'job.deadLettered':
      return `given up (${plain(event.reason)}): ${plain(event.detail)}.${changedMeanwhile(after)}`;
    case 'job.dropped':
      return `dropped: ${plain(event.reason)}.${changedMeanwhile(after)}`;
    default:
      return unreachable(event);
  }
}

const RESULT: Readonly<Record<DeliveryResult, string>> = {
  written: 'delivered: Plex was changed',
  unchanged: 'delivered: Plex had it already',
  withheld: 'withheld: the scene has no values, and nothing in Plex is wiped for that',
  gone: 'the scene is no longer in Stash, and was forgotten',
  expanded: 'became one job for each scene that it touches',
};

function attemptText(by: Extract<JobLink['event'], { type: 'job.attempted' }>['by']): string {
  switch (by) {
    case undefined:
      return 'writing to';
    case 'undo':
      return 'a person undid, in';
    case 'unlock':
      return 'a person gave back, in';
    case 'lock':
      return 'a person took again, in';
  }
}

/** Which fields were given back or taken again: nothing changes with that yet. */
function turnedText({ by, spares }: Extract<JobLink['event'], { type: 'job.attempted' }>): string {
  if (by !== 'lock' && by !== 'unlock') return '';
  return [...new Set(Object.keys(spares ?? {}).map(fieldName))].join(', ');
}

/** An outcome that leaves the job pending was overtaken by a newer change. */
function changedMeanwhile(after: Job | null): string {
  return after?.state === 'pending' ? ' It had changed again meanwhile, and stays queued.' : '';
}

function causeText(cause: string): string {
  const shared = /^(tag|performer|studio|group):(\d+)$/.exec(cause);
  if (shared !== null) return `its ${shared[1]} ${shared[2]} has changed`;
  if (/^[A-Z]\w+\.\w+\.Post$/.test(cause)) return `a hook of Stash told of a change (${cause})`;
  const gap = /^reconcile (\w+): (\w+)$/.exec(cause);
  if (gap !== null) return `a reconciliation (${gap[1]}) found it ${gap[2]}`;
  return CAUSES[cause] ?? plain(cause);
}

const CAUSES: Readonly<Record<string, string>> = {
  change: 'Stash says that it has changed',
  gone: 'it is no longer in Stash',
  retry: 'a person asked to try it again',
  sync: 'a person asked to deliver it',
  lock: 'a person took fields of it again',
  'lease-lost': 'its drainer lost the lease while it was delivered',
};

function nameOf(job: string): string {
  return plain(job.replace(':', ' '));
}

function unreachable(event: never): never {
  throw new Error(`no sentence for ${JSON.stringify(event)}`);
}

// Looking back: replay, verify and why, for a person. All of it is read from the journal alone and from its beginning:
// no checkpoint is opened and nothing is written.

import {
  type ControlState,
  EMPTY_FOLD,
  foldEntry,
  isHolderGone,
  type Journal,
  type Step,
  verifyChain,
} from '../breaker/index.ts';
import { count, duration, plain, time } from '../cli/format.ts';
import { pastDocument, pastLines } from '../cli/past.ts';
import { nowhereMessage, parseLineName, parseOutageNumber, parseTime } from '../cli/point.ts';
import { chainLines, controlVerificationLines, isSound, queueVerificationLines } from '../cli/verify.ts';
import { type WhyDocument, whyControl, whyLines, whyOutage } from '../cli/why.ts';
import { whyScene } from '../cli/why-scene.ts';
import { type ControlStory, EMPTY_STORY, evolveStory, type OutageStory } from '../history/control-story.ts';
import { eachEntry } from '../history/entries.ts';
import type { Happening, Past } from '../history/past.ts';
import { JobTeller } from '../history/scene-story.ts';
import { type Cut, isOpening, stateAt } from '../history/state-at.ts';
import { verifyControl, verifyQueue } from '../history/verify.ts';
import { evolveHistory, newHistory, type Outage } from '../outages/outages.ts';
import { figuresOf, type OutageFigures } from '../outages/summary.ts';
import { ReplayTeller } from './replay-teller.ts';
import type { TaskResult } from './task-result.ts';
import type { World } from './world.ts';

/** Options as they come, text or nothing. */
export interface ReplayOptions {
  readonly at: string;
  readonly to: string;
  readonly outage: string;
  readonly isStepped: boolean;
  readonly isJsonl: boolean;
}

/** The state at a point; stepped, everything on the way there as well. */
export async function replay(world: World, options: ReplayOptions): Promise<TaskResult> {
  const now = world.writer.now().at;
  const cut = cutOf(options, now);
  const teller = new ReplayTeller(world, options);
  let openings = 0;
  let opening: unknown;
  const past = await travel(world.dir.journal, cut, (happening, past) => {
    if (isOpening(happening)) {
      openings += 1;
      if (cut.kind === 'outage' && openings === cut.number) {
        opening = pastDocument(past, past.at);
        teller.say(pastLines(past, past.at));
      }
    }
    if (cut.kind !== 'outage' || openings >= cut.number) teller.tell(happening);
  });
  if (past === null) return EMPTY;
  const at = cut.kind === 'at' ? cut.at : cut.kind === 'end' ? Math.max(now, past.at) : past.at;
  const state = pastDocument(past, at);
  return teller.ended(pastLines(past, at), opening === undefined ? { state } : { opening, state });
}

/**
 * Folds the whole log, compares every record with what its writer computed, and every sealed segment with the hash that
 * was taken of it. `withQueue`: the other stream as well.
 */
export async function verify({ dir, house }: World, withQueue: boolean): Promise<TaskResult> {
  const { segments } = house;
  const control = await verifyControl(dir.journal);
  const queue = withQueue ? await verifyQueue(dir.journal) : null;
  const chains = [
    await verifyChain(segments, 'control'),
    ...(withQueue ? [await verifyChain(segments, 'queue')] : []),
  ];
  const isOk =
    isSound(control) &&
    (queue === null || isSound(queue)) &&
    chains.every((verdict) => verdict.kind === 'intact');
  const lines = [
    ...controlVerificationLines(control),
    ...(queue === null ? [] : queueVerificationLines(queue)),
    ...chains.flatMap(chainLines),
    ...(isOk ? ['The journal is sound.'] : []),
  ];
  return { isOk, lines, document: { isSound: isOk, control, ...(queue === null ? {} : { queue }), chains } };
}

/** Why the breaker is as it is; why a scene is; what an outage was. */
export async function why(world: World, scene: string, outage: string): Promise<TaskResult> {
  if (scene !== '' && outage !== '') throw new Error('ask for a scene or for an outage, not for both');
  if (scene !== '') return whySceneNow(world, scene);
  if (outage !== '') return whyOutageThen(world, parseOutageNumber(outage));
  const { story, state } = await storyOf(world.dir.journal);
  return answered(whyControl(story, state, world.writer.now(), isHolderGone(state)));
}

async function whySceneNow({ dir, writer }: World, scene: string): Promise<TaskResult> {
  if (!/^[1-9]\d{0,15}$/.test(scene)) throw new Error(`"${scene}" is not the number of a scene`);
  const teller = new JobTeller(`scene:${scene}`);
  await eachEntry(dir.journal, 'queue', (entry) => {
    if (entry.kind === 'record') teller.tell(entry.record, entry.position);
  });
  const { state } = await storyOf(dir.journal);
  const present = { job: teller.job, known: teller.known, state, now: writer.now() };
  return answered(whyScene(teller.story, { ...present, isHolderGone: isHolderGone(state) }));
}

async function whyOutageThen({ dir }: World, number: number): Promise<TaskResult> {
  let history = newHistory();
  let found: OutageStory | null = null;
  const { story } = await storyOf(dir.journal, (step, { outage }) => {
    if (outage !== null && outage.number > number) return;
    history = evolveHistory(history, step);
    if (outage?.number === number) found = outage;
  });
  if (found === null) {
    const outages = story.outage?.number ?? 0;
    const range = { from: null, to: null, outages, first: null, last: null, before: null, after: null };
    throw new Error(nowhereMessage({ kind: 'outage', number }, range));
  }
  const outage = history.outages[number - 1];
  if (outage === undefined) return answered(whyOutage(found, [], true));
  const sentence = figuresSentence(outage, figuresOf(outage));
  return answered(whyOutage(found, [sentence], outage.firstGood !== null));
}

function answered(document: WhyDocument): TaskResult {
  return { isOk: true, lines: whyLines(document), document };
}

async function storyOf(
  journal: Journal,
  onStep: (step: Step, story: ControlStory) => void = () => {},
): Promise<{ readonly story: ControlStory; readonly state: ControlState }> {
  let [fold, story] = [EMPTY_FOLD, EMPTY_STORY];
  await eachEntry(journal, 'control', (entry) => {
    const folded = foldEntry(fold, entry);
    fold = folded.fold;
    if (folded.step === null) return;
    story = evolveStory(story, folded.step);
    onStep(folded.step, story);
  });
  return { story, state: fold.control };
}

async function travel(
  journal: Journal,
  cut: Cut,
  onHappening: (happening: Happening, past: Past) => void,
): Promise<Past | null> {
  const travelled = await stateAt(journal, cut, onHappening);
  switch (travelled.kind) {
    case 'arrived':
      return travelled.past;
    case 'empty':
      if (cut.kind === 'end') return null;
      throw new Error('the journal is empty');
    case 'nowhere':
      throw new Error(nowhereMessage(cut, travelled.range));
  }
}

const EMPTY: TaskResult = { isOk: true, lines: ['The journal is empty.'], document: { state: null } };

function cutOf({ at, to, outage }: ReplayOptions, now: number): Cut {
  const given = [at, to, outage].filter((option) => option !== '');
  if (given.length > 1) throw new Error('give one of at, to and outage');
  if (at !== '') {
    const cut = { kind: 'at', at: parseTime(at, now) } as const;
    if (cut.at > now) throw new Error(`${time(cut.at)} has not come yet`);
    return cut;
  }
  if (to !== '') return parseLineName(to);
  return outage === '' ? { kind: 'end' } : { kind: 'outage', number: parseOutageNumber(outage) };
}

/** `lasted 9m 28s, 9 probes, …`: what `outages` says of it, in a line. */
function figuresSentence({ probes, waiting }: Outage, figures: OutageFigures): string {
  const { cause, lastedMs, drainedInMs, detectedAfterMs } = figures;
  const parts = [
    lastedMs === null ? 'Plex is still away' : `lasted ${duration(lastedMs)}`,
    `noticed after ${duration(detectedAfterMs)}`,
    count(probes, 'probe'),
    // Counted when Plex is back.
    ...(lastedMs === null ? [] : [`${count(waiting, 'change')} waiting`]),
    ...(drainedInMs === null ? [] : [`drained in ${duration(drainedInMs)}`]),
  ];
  return `${plain(cause)}; ${parts.join(', ')}.`;
}

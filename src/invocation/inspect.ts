// The verb `inspect`: the log, or a stretch of it, streamed to a page on this machine, and from there to Stately's
// inspector when the reader asks. It only reads the journal.

import type { Readable } from 'node:stream';
import { ControlLog, type Journal, type Step, type Writer } from '../breaker/index.ts';
import { plainJson } from '../cli/format.ts';
import { Feed } from '../inspect/feed.ts';
import { frameOf } from '../inspect/frames.ts';
import { greetingOf } from '../inspect/opening.ts';
import type { InspectWish } from '../inspect/options.ts';
import { OutageStretch } from '../inspect/outage-stretch.ts';
import { Selection, type Wanted } from '../inspect/selection.ts';
import { type InspectServer, startInspectServer } from '../inspect/server.ts';

/** Between two looks at the journal, in ms; an end that was asked for is noticed as soon. */
const LIVE_POLL_MS = 250;
/** A page holds them all: a live view that has come to so many lines is ended, and said to be. */
const MAX_LIVE_LINES = 50_000;

export interface InspectWorld {
  readonly journal: Journal;
  readonly writer: Writer;
  readonly page: string;
  /** Random; whoever has it may look. */
  readonly token: string;
  readonly sleep: (ms: number) => Promise<void>;
  readonly say: (line: string) => void;
  /** A line of it is a step, when stepping. */
  readonly stdin: Readable;
  /** When to end. */
  readonly signal: AbortSignal;
  readonly onListening?: (server: InspectServer) => void;
}

/** Serves until `signal`. */
export async function inspectJournal(world: InspectWorld, wish: InspectWish): Promise<void> {
  const feed = new Feed();
  const log = await fill(world, wish, feed);
  const server = await startInspectServer(world.page, feed, world.token);
  const { mode } = wish.playback;
  world.say(server.url);
  world.say(
    'This page works offline; a button in it opens https://stately.ai/inspect with the same. Ctrl-C ends.',
  );
  if (mode === 'step') world.say('Enter steps.');
  world.onListening?.(server);
  try {
    if (mode === 'step') onLines(world.stdin, () => feed.add({ kind: 'next' }));
    if (mode === 'live') await follow(world, log, feed);
    else await aborted(world.signal);
  } finally {
    world.stdin.removeAllListeners('data');
    world.stdin.pause();
    await server.close();
  }
}

/** The stream alone, for programs: one inspection event a line. */
export async function inspectionLines(
  { journal, writer }: Pick<InspectWorld, 'journal' | 'writer'>,
  wish: InspectWish,
  onLine: (line: string) => void,
): Promise<void> {
  const { selection } = await select(journal, writer, wish);
  const { opening, openingAt, steps, omitted } = selection.shown();
  const greeting = greetingOf({
    opening,
    at: openingAt ?? steps[0]?.record.at ?? null,
    omitted,
    playback: wish.playback,
  });
  for (const event of greeting.events) onLine(plainJson(event, 0));
  for (const step of steps) for (const event of frameOf(step).events) onLine(plainJson(event, 0));
}

async function fill(
  { journal, writer, say }: InspectWorld,
  wish: InspectWish,
  feed: Feed,
): Promise<ControlLog> {
  const { selection, log } = await select(journal, writer, wish);
  const { opening, openingAt, steps, omitted, cursor } = selection.shown();
  feed.add(greetingOf({ opening, at: openingAt, omitted, playback: wish.playback }));
  for (const step of steps) feed.add(frameOf(step));
  feed.add({ kind: 'loaded', cursor });
  const left = omitted === 0 ? '' : ` (${omitted} before them are left out; --from and --to choose others)`;
  say(`${steps.length} records${left}`);
  return log;
}

/** From the beginning: a checkpoint holds the state, not the story. */
async function select(journal: Journal, writer: Writer, { stretch, at }: InspectWish) {
  const selection = new Selection({ ...(await bounds(journal, writer, stretch)), at });
  const log = await ControlLog.open(journal, writer, null, (step) => selection.take(step));
  return { selection, log };
}

async function bounds(
  journal: Journal,
  writer: Writer,
  stretch: InspectWish['stretch'],
): Promise<Omit<Wanted, 'at'>> {
  if (stretch.kind === 'range') return stretch;
  const outage = new OutageStretch(stretch.number);
  await ControlLog.open(journal, writer, null, (step) => outage.take(step));
  const { from, to } = outage.bounds();
  return { from: { kind: 'position', position: from }, to: { kind: 'position', position: to } };
}

async function follow({ sleep, signal, say }: InspectWorld, log: ControlLog, feed: Feed): Promise<void> {
  const add = (step: Step) => feed.add(frameOf(step));
  while (!signal.aborted) {
    await log.refresh(add);
    if (feed.length > MAX_LIVE_LINES) {
      say(`Ended after ${MAX_LIVE_LINES} records: a page cannot hold more. Start it again.`);
      return;
    }
    await sleep(LIVE_POLL_MS);
  }
}

function onLines(stdin: Readable, act: () => void): void {
  stdin.on('data', (chunk: Buffer) => {
    for (const byte of chunk) if (byte === 0x0a) act();
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

// What happens in the demo, in order: edits with Plex up, Plex gone, Plex at 503, Plex back. It waits for things to
// happen and not for time to pass, but for the pauses that let an outage last; every wait has an end, so a
// Breakwater that does nothing makes a demo that fails and not one that hangs.

import { setTimeout as sleep } from 'node:timers/promises';
import type { RecordedRequest } from '../simulators/plex/server.ts';
import { type Edit, itemOf, newestEdits, noteArrivals, type PlexWas, type SceneInput } from './edits.ts';
import { JournalWatch } from './journal-watch.ts';
import { Narrator } from './narration.ts';
import { type Screen, seconds, type Tone } from './screen.ts';
import { type Stage, VIDEOS } from './stage.ts';

export interface Outage {
  /** Wall ms, as Plex knows them. */
  readonly beganAt: number;
  readonly endedAt: number;
  /** What Plex was asked in between. */
  readonly requests: readonly RecordedRequest[];
}

export interface StoryOptions {
  /** For the demo's own test: the item of one edited scene disappears from Plex, so that its edit cannot arrive. */
  readonly losesItem: boolean;
  /** Wall ms after which nothing is waited for any more. */
  readonly endBy: number;
  readonly signal: AbortSignal;
}

const POLL_MS = 20;
/** Between two edits while Plex is away, in ms: a person is not faster, and the outage is to last a little. */
const PACE_MS = 300;
/** The longest wait for any one thing, in ms. */
const PATIENCE_MS = 20_000;
/** A drainer stays for 2 s after its last job; this is far beyond. */
const LEAVE_MS = 10_000;
/** Scheduled probes that find the port closed before Plex is started again. */
const REFUSED_PROBES = 2;
const LOST_SCENE = 8;

const WHILE_UP: readonly (readonly [number, SceneInput])[] = [
  [1, { title: 'Harbour at dawn', details: 'Boats leave before the sun is up.' }],
  [2, { title: 'The lighthouse keeper' }],
  [3, { title: 'Low tide', date: '2023-08-14' }],
];
const WHILE_REFUSING: readonly (readonly [number, SceneInput])[] = [
  [4, { title: 'Storm warning' }],
  [5, { title: 'Ropes and lanterns', details: 'A night on the quay.' }],
  [4, { title: 'Storm warning lifted' }],
  [6, { title: 'Night ferry', date: '2024-01-05' }],
  [7, { title: 'Salt and rust' }],
];
const WHILE_AT_503: readonly (readonly [number, SceneInput])[] = [
  [8, { title: 'Return of the fleet' }],
  [2, { title: "The keeper's daughter" }],
  [9, { title: 'Calm after the storm' }],
  [10, { title: 'Mending the nets' }],
];

export class Story {
  readonly edits: Edit[] = [];
  readonly watch: JournalWatch;
  readonly #stage: Stage;
  readonly #screen: Screen;
  readonly #options: StoryOptions;
  readonly #narrator: Narrator;
  /** Jobs that Breakwater said it cannot deliver for now, or at all. */
  readonly #stuck = new Set<string>();

  constructor(stage: Stage, screen: Screen, options: StoryOptions) {
    this.#stage = stage;
    this.#screen = screen;
    this.#options = options;
    this.#narrator = new Narrator(stage.companion !== null);
    this.watch = new JournalWatch(stage.data);
  }

  async play(): Promise<Outage> {
    this.#introduce();
    this.#screen.heading('1  Plex is up');
    await this.#save(WHILE_UP, 'up');
    await this.#until('the edits arrive', () => this.#isAllInPlex());
    await this.#until('the drainer ends', () => !this.watch.isDrainerExpected);
    const outage = await this.#outage();
    await this.#until('the rest arrives', () => this.#isAllInPlexOrStuck());
    if (this.#stuck.size === 0) {
      await this.#until('the drainer ends', () => !this.watch.isDrainerExpected);
    }
    return outage;
  }

  /**
   * Nothing of Breakwater may be left running. A drainer that still waits for something (an edit that cannot
   * arrive, a Plex that is still away) would stay for minutes; it was started by this demo and is ended by it.
   */
  async endDrainers(): Promise<void> {
    const leaveBy = Date.now() + LEAVE_MS;
    while (this.#mayStillLeave() && Date.now() < leaveBy) await this.#look();
    const { companion } = this.#stage;
    await companion?.end();
    for (const { pid } of companion === null ? this.watch.liveDrainers : []) {
      this.#say('Demo', 'ends the drainer, which would have gone on waiting', 'quiet');
      process.kill(pid);
    }
    const goneBy = Date.now() + LEAVE_MS;
    while (this.watch.liveDrainers.length > 0 && Date.now() < goneBy) await sleep(POLL_MS);
  }

  /** One that was only just asked for has to be seen before it can be ended. */
  #mayStillLeave(): boolean {
    if (this.watch.state.drain.value === 'asked') return true;
    if (this.#options.signal.aborted || this.#stuck.size > 0) return false;
    // A companion is there before and after it drains.
    const isThere = this.#stage.companion === null && this.watch.liveDrainers.length > 0;
    return this.watch.isDrainerExpected || isThere;
  }

  async #outage(): Promise<Outage> {
    const { plex } = this.#stage;
    this.#screen.heading('2  Plex goes away, and editing goes on');
    const firstRequest = plex.requests.length;
    const beganAt = Date.now();
    await plex.down();
    this.#say('Plex', 'stops: its port refuses every connection', 'bad');
    await this.#save(WHILE_REFUSING, 'refusing', PACE_MS);
    await this.#until('a few probes fail', () => this.#failedProbes('outage') >= REFUSED_PROBES);

    this.#screen.heading('3  Plex starts: it answers, but only "503 Maintenance"');
    const fault = plex.addFault({ kind: 'maintenance', status: 'migrations' });
    await plex.up();
    this.#say('Plex', 'listens again, and is "currently running database migrations"', 'warn');
    await this.#save(WHILE_AT_503, 'at 503', PACE_MS);
    if (this.#options.losesItem) this.#loseItem();
    await this.#until('a probe meets the 503', () => this.#failedProbes('maintenance') > 0);

    this.#screen.heading('4  Plex is back');
    const requests = plex.requests.slice(firstRequest);
    const endedAt = Date.now();
    plex.removeFault(fault);
    const waiting = newestEdits(this.edits).filter(({ arrivedAt }) => arrivedAt === null).length;
    this.#say('Plex', `works again. It has missed the edits of ${waiting} scenes`, 'good');
    return { beganAt, endedAt, requests };
  }

  #introduce(): void {
    const { plex, stash, plugin, companion } = this.#stage;
    this.#say('Plex', `is up on ${plex.url} with ${VIDEOS} videos`);
    this.#say('Stash', `is up on ${stash.url} with the same ${VIDEOS}, as scenes`);
    this.#say('Stash', `has loaded the plugin: Breakwater ${plugin.version}, as built`);
    if (companion !== null) {
      this.#say(
        'Stash',
        'finds no Node, as in its official container; a companion beside it does the work',
        'warn',
      );
    }
  }

  async #save(
    scenes: readonly (readonly [number, SceneInput])[],
    plexWas: PlexWas,
    paceMs = 0,
  ): Promise<void> {
    for (const [scene, input] of scenes) {
      const { stash } = this.#stage;
      const isAgain = this.edits.some((edit) => edit.scene === scene);
      const savedAt = Date.now();
      await stash.updateScene(scene, input);
      this.edits.push({ scene, input, plexWas, savedAt, arrivedAt: null });
      const run = stash.runs.findLast(({ kind, sceneId }) => kind === 'hook' && sceneId === scene);
      const hook =
        run === undefined ? 'no hook ran' : `it waited ${run.durationMs.toFixed(1)} ms for the hook`;
      this.#say('You', `save scene ${scene}${isAgain ? ' again' : ''}: "${input.title}" (${hook})`, 'strong');
      if (run?.error) this.#say('Breakwater', `says: ${run.error}`, 'bad');
      await this.#pause(paceMs);
    }
  }

  #loseItem(): void {
    const item = itemOf(this.#stage.plex, LOST_SCENE);
    if (item !== undefined) this.#stage.plex.library.removeItem(item.ratingKey);
    this.#say('Plex', `loses the video of scene ${LOST_SCENE} for good (--lose-item)`, 'bad');
  }

  /** Takes in what is new in the journal and in Plex, and tells it in the order in which it happened. */
  async #look(): Promise<void> {
    const { steps, jobs } = await this.watch.look();
    const told: { at: number; actor: string; text: string; tone: Tone }[] = [];
    for (const step of steps) {
      const words = this.#narrator.tell(step);
      if (words !== null) told.push({ at: step.record.at, actor: 'Breakwater', ...words });
    }
    for (const { at, type, data } of jobs) {
      if (type !== 'job.deferred' && type !== 'job.deadLettered') continue;
      const isGivenUp = type === 'job.deadLettered';
      const scene = String(data.job).replace(':', ' ');
      if (isGivenUp || data.reason === 'missing') this.#stuck.add(String(data.job));
      told.push({
        at,
        actor: 'Breakwater',
        text: `${isGivenUp ? 'gives up' : 'puts off'} ${scene}: ${data.detail}`,
        tone: 'warn',
      });
    }
    for (const { scene, input, savedAt, arrivedAt } of noteArrivals(this.#stage.plex, this.edits)) {
      const at = arrivedAt ?? Date.now();
      const text = `✓ has "${input.title}" (scene ${scene}), ${seconds(at - savedAt)} later`;
      told.push({ at, actor: 'Plex', text, tone: 'good' });
    }
    for (const { actor, text, tone, at } of told.sort((a, b) => a.at - b.at))
      this.#say(actor, text, tone, at);
    await sleep(POLL_MS);
  }

  async #until(what: string, isSo: () => boolean): Promise<void> {
    const { endBy, signal } = this.#options;
    const until = Math.min(endBy, Date.now() + PATIENCE_MS);
    for (;;) {
      await this.#look();
      signal.throwIfAborted();
      if (isSo()) return;
      if (Date.now() > until) {
        this.#say('Demo', `waited for this in vain: ${what}`, 'bad');
        return;
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    const until = Date.now() + ms;
    do await this.#look();
    while (Date.now() < until);
    this.#options.signal.throwIfAborted();
  }

  #failedProbes(failure: 'outage' | 'maintenance'): number {
    return this.watch.steps.filter(
      ({ event, isVoid }) =>
        event?.type === 'probe.failed' && event.lease === 'probe' && event.class === failure && !isVoid,
    ).length;
  }

  #isAllInPlex(): boolean {
    return newestEdits(this.edits).every(({ arrivedAt }) => arrivedAt !== null);
  }

  #isAllInPlexOrStuck(): boolean {
    return newestEdits(this.edits).every(
      ({ arrivedAt, scene }) => arrivedAt !== null || this.#stuck.has(`scene:${scene}`),
    );
  }

  #say(actor: string, text: string, tone?: Tone, at?: number): void {
    this.#screen.happened(actor, text, tone, at);
  }
}

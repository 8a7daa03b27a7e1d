// Where in the timeline the reader is, and what moves on by itself: at the speed of the log's own clock, times a factor,
// with long silences cut short.

import type { Playback } from '../frames.ts';
import type { Timeline } from '../timeline.ts';

/** Silence in the log is shown for so long at most, in ms. */
const MAX_PAUSE_MS = 1_500;
/** Faster than this no one can see. */
const MIN_PAUSE_MS = 40;

export class Player {
  readonly #timeline: Timeline;
  readonly #onChange: () => void;
  speed: Playback['speed'];
  #place = 0;
  #isPlaying: boolean;
  #timer: number | null = null;

  constructor(timeline: Timeline, onChange: () => void) {
    const { mode, speed } = timeline.greeting.playback;
    this.#timeline = timeline;
    this.#onChange = onChange;
    this.speed = speed;
    this.#isPlaying = mode !== 'step';
  }

  /** How many frames are behind us. */
  get place(): number {
    return this.#place;
  }

  /** What has come to its end plays only if more can come. */
  get isPlaying(): boolean {
    return this.#isPlaying && !(this.isAtEnd && !this.#isLive);
  }

  get isAtEnd(): boolean {
    return this.#place >= this.#timeline.frames.length;
  }

  go(place: number): void {
    this.#place = Math.min(Math.max(0, place), this.#timeline.frames.length);
    this.#schedule();
    this.#onChange();
  }

  /** By hand: what plays by itself stops. */
  jump(place: number): void {
    this.#isPlaying = false;
    this.go(place);
  }

  toggle(): void {
    this.#isPlaying = !this.isPlaying;
    this.go(this.#isPlaying && this.isAtEnd && !this.#isLive ? 0 : this.#place);
  }

  /** There are more frames than before. */
  wake(): void {
    if (this.#isPlaying && this.speed === 'max') this.go(this.#timeline.frames.length);
    else this.#schedule();
  }

  get #isLive(): boolean {
    return this.#timeline.greeting.playback.mode === 'live';
  }

  #schedule(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (!this.#isPlaying || this.isAtEnd) return;
    this.#timer = window.setTimeout(() => {
      this.#timer = null;
      this.go(this.speed === 'max' ? this.#timeline.frames.length : this.#place + 1);
    }, this.#pauseMs());
  }

  #pauseMs(): number {
    if (this.speed === 'max') return 0;
    const [before, next] = [this.#timeline.frames[this.#place - 1], this.#timeline.frames[this.#place]];
    if (before === undefined || next === undefined) return MIN_PAUSE_MS;
    return Math.min(MAX_PAUSE_MS, Math.max(MIN_PAUSE_MS, (next.at - before.at) / this.speed));
  }
}

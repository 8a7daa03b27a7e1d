// The offline viewer: what `breakwater inspect` streams, played, stepped and scrubbed; and handed on to Stately's
// inspector when asked to.

import { time } from '../../cli/format.ts';
import type { Greeting, Message } from '../frames.ts';
import { Timeline } from '../timeline.ts';
import { byId } from './element.ts';
import { Player } from './player.ts';
import { receive } from './reception.ts';
import { RecordPane } from './record-pane.ts';
import { StatePane } from './state-pane.ts';
import { openStately, type Relay } from './stately.ts';

class Viewer {
  readonly #timeline: Timeline;
  readonly #player: Player;
  readonly #states: StatePane;
  readonly #records: RecordPane;
  #relay: Relay | null = null;
  /** How many frames Stately has been sent; it knows no way back. */
  #relayed = 0;
  #isLoaded = false;
  #isToBeShown = false;

  constructor(greeting: Greeting) {
    this.#timeline = new Timeline(greeting);
    this.#player = new Player(this.#timeline, () => this.#changed());
    this.#states = new StatePane(this.#timeline, () => this.#changed());
    this.#records = new RecordPane(this.#timeline, (place) => this.#player.jump(place));
    this.#wire();
  }

  take(message: Exclude<Message, Greeting>): void {
    switch (message.kind) {
      case 'frame':
        this.#timeline.add(message);
        if (!this.#isLoaded) return;
        this.#player.wake();
        this.#changed();
        return;
      case 'loaded':
        this.#isLoaded = true;
        this.#player.go(message.cursor);
        this.#player.wake();
        return;
      case 'next':
        this.#player.jump(this.#player.place + 1);
        return;
    }
  }

  /** Shown once for all that comes in one piece. */
  #changed(): void {
    this.#feedStately();
    if (this.#isToBeShown) return;
    this.#isToBeShown = true;
    queueMicrotask(() => {
      this.#isToBeShown = false;
      this.#show();
    });
  }

  #show(): void {
    const { place, isPlaying } = this.#player;
    const { frames, greeting } = this.#timeline;
    this.#states.show(place, byId<HTMLInputElement>('follow').checked);
    this.#records.show(place);
    const scrub = byId<HTMLInputElement>('scrub');
    scrub.max = String(frames.length);
    scrub.value = String(place);
    const frame = frames[place - 1];
    const at = frame?.at ?? greeting.at;
    const when = at === null ? 'the beginning' : time(at);
    byId('where').textContent = `${place} of ${frames.length} · ${when}`;
    byId('play').textContent = isPlaying ? 'Pause' : 'Play';
  }

  #feedStately(): void {
    if (this.#relay === null) return;
    for (; this.#relayed < this.#player.place; this.#relayed += 1) {
      for (const event of this.#timeline.frames[this.#relayed]?.events ?? []) this.#relay.send(event);
    }
  }

  #openStately(): void {
    const relay = openStately();
    if (relay === null) {
      say('The browser blocked the window: allow pop-ups for this page.', true);
      return;
    }
    this.#relay = relay;
    this.#relayed = 0;
    for (const event of this.#timeline.greeting.events) relay.send(event);
    this.#feedStately();
  }

  #wire(): void {
    const player = this.#player;
    const actions: Readonly<Record<string, () => void>> = {
      first: () => player.jump(0),
      back: () => player.jump(player.place - 1),
      play: () => player.toggle(),
      next: () => player.jump(player.place + 1),
      last: () => player.jump(this.#timeline.frames.length),
      stately: () => this.#openStately(),
    };
    for (const [id, act] of Object.entries(actions)) byId(id).addEventListener('click', act);
    const scrub = byId<HTMLInputElement>('scrub');
    scrub.addEventListener('input', () => player.jump(Number(scrub.value)));
    const speed = byId<HTMLSelectElement>('speed');
    addSpeed(speed, String(player.speed));
    speed.addEventListener('change', () => {
      player.speed = speed.value === 'max' ? 'max' : Number(speed.value);
      player.wake();
    });
    document.addEventListener('keydown', (event) => {
      const key = KEYS[event.key];
      const isTyping = (event.target as Element).matches('select, input, button') && event.key === ' ';
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping) return;
      if (key !== undefined) {
        event.preventDefault();
        actions[key]?.();
      } else if (/^[1-7]$/.test(event.key)) {
        this.#states.choose(Number(event.key) - 1);
        byId<HTMLInputElement>('follow').checked = false;
        this.#changed();
      }
    });
  }
}

const KEYS: Readonly<Record<string, string>> = {
  ' ': 'play',
  ArrowLeft: 'back',
  ArrowRight: 'next',
  Home: 'first',
  End: 'last',
};

/** The command's speed may be one that the list does not have. */
function addSpeed(select: HTMLSelectElement, value: string): void {
  if (![...select.options].some((option) => option.value === value)) {
    select.add(new Option(`${value}×`, value), 0);
  }
  select.value = value;
}

function say(text: string, isTrouble = false): void {
  const said = byId('said');
  said.textContent = text;
  said.classList.toggle('is-trouble', isTrouble);
}

function greetingText({ omitted, playback }: Greeting): string {
  const left = omitted === 0 ? '' : `The ${omitted} records before these are left out. `;
  if (playback.mode === 'live') return `${left}Live: new records appear as they are written.`;
  return `${left}A replay of the journal.`;
}

async function main(): Promise<void> {
  let viewer: Viewer | null = null;
  const ended = await receive((message) => {
    if (message.kind === 'greeting') {
      viewer = new Viewer(message);
      say(greetingText(message));
    } else viewer?.take(message);
  });
  if (ended.kind === 'ended') say('The command has ended; what was received stays.', viewer === null);
  else say(`Not let in: ${ended.detail}. Use the whole address that the command printed.`, true);
}

void main();

// One step of Breakwater's machines in the words of a person who has never heard of them; null for a step that
// would only be noise. Every term is explained the first time it is used.

import type { Step } from '../../src/breaker/control/replay.ts';
import { seconds, type Tone } from './screen.ts';

export interface Told {
  readonly text: string;
  readonly tone: Tone;
}

const SYMPTOMS: Readonly<Record<string, string>> = {
  refused: 'connection refused',
  reset: 'connection reset',
  maintenance: '503, maintenance',
};

export class Narrator {
  readonly #explained = new Set<string>();
  readonly #hasCompanion: boolean;

  constructor(hasCompanion: boolean) {
    this.#hasCompanion = hasCompanion;
  }

  tell(step: Step): Told | null {
    const { event, before, after, isVoid } = step;
    if (event === null || isVoid) return null;
    switch (event.type) {
      case 'lease.claimed':
        if (event.lease !== 'drain') return null;
        if (this.#hasCompanion) return quiet('begins to deliver, in the companion');
        return quiet(
          `starts a drainer${this.#once('drainer', ', the process that carries edits over to Plex')}`,
        );
      case 'lease.released':
        if (event.lease !== 'drain') return null;
        if (this.#hasCompanion) return quiet('has nothing left to do: the companion waits for changes');
        return quiet(
          `has nothing left to do: the drainer ends${this.#once('ends', '. No daemon stays behind')}`,
        );
      case 'attempt.failed':
        return {
          text: `cannot deliver ${event.subject?.replace(':', ' ') ?? 'that'} (${symptom(event.symptom)}), so it asks Plex itself`,
          tone: 'bad',
        };
      case 'probe.failed':
        return event.lease === 'drain'
          ? this.#openedBy(event.symptom)
          : this.#stillAway(event.symptom, after.recovery.context.due?.waitMs ?? 0);
      case 'probe.succeeded':
        if (event.lease === 'drain') return quiet('asks Plex who it is, before the first edit: it answers');
        return {
          text: 'probe: Plex answers. One edit goes ahead of the others, to prove it',
          tone: 'good',
        };
      case 'attempt.succeeded':
        if (before.breaker.value !== 'halfOpen' || after.breaker.value !== 'closed') return null;
        return {
          text: 'that one arrived: the breaker closes and the rest follows, by one, two, four at a time',
          tone: 'good',
        };
      case 'backlog.drained':
        return { text: 'has carried over all that had piled up', tone: 'good' };
      case 'hold.placed':
        return { text: `pauses: ${event.reason}`, tone: 'warn' };
      default:
        return null;
    }
  }

  #openedBy(name: string): Told {
    const meaning = this.#once('breaker', '; while it is open no edit is tried, and all are kept');
    return {
      text: `no answer either (${symptom(name)}). That is an outage: the breaker opens${meaning}`,
      tone: 'bad',
    };
  }

  #stillAway(name: string, waitMs: number): Told {
    const meaning = this.#once('probe', ' (the only thing it sends now: "are you there?")');
    const next = `The next one in ${seconds(waitMs)}`;
    return { text: `probe${meaning}: ${symptom(name)}. ${next}`, tone: 'warn' };
  }

  #once(term: string, explanation: string): string {
    if (this.#explained.has(term)) return '';
    this.#explained.add(term);
    return explanation;
  }
}

function symptom(name: string): string {
  return SYMPTOMS[name] ?? name;
}

function quiet(text: string): Told {
  return { text, tone: 'quiet' };
}

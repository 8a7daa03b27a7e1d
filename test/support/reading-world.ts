// A world for commands that only look back: a journal and a clock. Whoever asks it for Stash, Plex or a checkpoint fails.

import type { Journal, Segments } from '../../src/breaker/journal/journal.ts';
import { HOUSE_RULES } from '../../src/invocation/housekeeping.ts';
import type { World } from '../../src/invocation/world.ts';
import { FakeClock, fakeWriter } from './fake-writer.ts';
import { NOWHERE } from './nowhere.ts';

const NO_SEGMENTS = {
  list: async () => [],
  newestBytes: async () => 0,
  imageBytes: async () => 0,
} as unknown as Segments;

export function readingWorld(
  journal: Pick<Journal, 'read' | 'size'>,
  clock = new FakeClock(),
): World & { printed: string[] } {
  const forbidden = new Proxy(
    {},
    {
      get(_, name) {
        throw new Error(`a command that looks back asked for ${String(name)}`);
      },
    },
  ) as never;
  const readOnly: Journal = {
    read: (stream, from) => journal.read(stream, from),
    size: (stream) => journal.size(stream),
    append: () => Promise.reject(new Error('a command that looks back wrote')),
  };
  return {
    dir: {
      ...NOWHERE,
      journal: readOnly,
      controlCheckpoint: forbidden,
      queueCheckpoint: forbidden,
      agendaCheckpoint: forbidden,
    },
    writer: fakeWriter(clock, 'cli-test'),
    stash: forbidden,
    settingsFile: forbidden,
    house: {
      segments: 'list' in journal ? (journal as unknown as Segments) : NO_SEGMENTS,
      rules: HOUSE_RULES,
    },
    connectPlex: forbidden,
    fingerprint: forbidden,
    drainers: forbidden,
    env: {},
    sleep: forbidden,
    log: { line: () => {}, progress: () => {} },
    printed: [],
  };
}

/** The same journal, one line at a time: what a long one is to its reader. */
export function lineByLine(journal: Journal): Pick<Journal, 'read' | 'size'> {
  return {
    size: (stream) => journal.size(stream),
    async read(stream, from) {
      const { entries, next } = await journal.read(stream, from);
      const first = entries[0];
      return first === undefined ? { entries: [], next } : { entries: [first], next: first.next };
    },
  };
}

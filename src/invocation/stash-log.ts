// Stash's log protocol: a level between two control characters, then one line, on stderr. Standard output
// belongs to the one JSON document that ends an invocation.

import * as fs from 'node:fs';
import { plain, plainJson } from '../cli/format.ts';

export type LogLevel = 'debug' | 'info' | 'warning' | 'error';

export interface Log {
  line(level: LogLevel, text: string): void;
  /** In [0, 1]; only tasks show it. */
  progress(fraction: number): void;
}

const LEVEL_CHARS: Readonly<Record<LogLevel, string>> = { debug: 'd', info: 'i', warning: 'w', error: 'e' };

/** Stash stops reading at a line of 64 KiB; ours stay far below, in characters. */
const MAX_LOG_LINE = 4_000;

export const stashLog = stashLogTo(2);

export function stashLogTo(fd: number): Log {
  return {
    // Stash takes a line of less than four characters for an error.
    line: (level, text) => {
      const line = onOneLine(text).trimEnd();
      if (line !== '') writeQuietly(fd, `\u0001${LEVEL_CHARS[level]}\u0002${line}\n`);
    },
    progress: (fraction) =>
      writeQuietly(fd, `\u0001p\u0002${Math.min(1, Math.max(0, fraction)).toFixed(4)}\n`),
  };
}

/** A task has several things to do, each with a progress of its own: its bar never goes back. */
export function forwardOnly(log: Log): Log {
  let furthest = 0;
  return {
    ...log,
    progress: (fraction) => {
      furthest = Math.max(furthest, fraction);
      log.progress(furthest);
    },
  };
}

/** For a drainer that nobody listens to. */
export const silentLog: Log = { line: () => {}, progress: () => {} };

/** What came from Stash or Plex can hold anything: no line of theirs may pass for one of ours. */
export function onOneLine(text: string): string {
  const clean = plain(text);
  return clean.length > MAX_LOG_LINE ? `${clean.slice(0, MAX_LOG_LINE)}…` : clean;
}

export type Answer = { readonly output: unknown } | { readonly error: string };

/** Prints the one document that Stash parses. */
export function answer(document: Answer): void {
  // There are words of others in it.
  writeQuietly(1, `${plainJson(document, 0)}\n`);
}

/** A pipe that is full is tried again so often; its reader is Stash, which reads all the time. */
const MAX_BUSY_TRIES = 10_000;

/** Nobody may be listening any more: that is no reason to fail. */
export function writeQuietly(fd: number, text: string): void {
  let tries = 0;
  try {
    writeWhole(fd, text, () => ++tries < MAX_BUSY_TRIES);
  } catch {
    // There is nobody left to tell.
  }
}

/** Every byte, or it throws what the system says. `mayTryAgain` is asked where a pipe is full. */
export function writeWhole(fd: number, text: string, mayTryAgain: () => boolean): void {
  const bytes = Buffer.from(text);
  let written = 0;
  while (written < bytes.length) {
    try {
      written += fs.writeSync(fd, bytes, written);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || !mayTryAgain()) throw error;
    }
  }
}

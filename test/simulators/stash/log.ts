// What Stash would show on its log page, and the line protocol by which a plugin writes to it on stderr:
// \x01, a letter for the level, \x02, the text. Lines without that take the plugin's errLog level.
import type { Readable } from 'node:stream';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warning' | 'error' | 'progress';

export interface StashLogLine {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly level: LogLevel;
  /** The plugin's id, or '' for Stash's own lines. */
  readonly plugin: string;
  readonly text: string;
}

export type LogLine = (level: LogLevel, plugin: string, text: string) => void;

/** A line that does not end within this stops the reader: the rest is lost, the plugin gets EPIPE (measured). */
export const STDERR_LINE_LIMIT_BYTES = 64 * 1024;

const NEWLINE = 10;
const SHORTEST_LEVEL_LINE = 4;
const LEVELS: Readonly<Record<string, LogLevel>> = {
  t: 'trace',
  d: 'debug',
  i: 'info',
  w: 'warning',
  e: 'error',
  p: 'progress',
};

/** Reads until the stream ends or a line is too long, and then closes it. Resolves when it is done. */
export async function readLogLines(
  source: Readable,
  fallback: LogLevel | 'none',
  onLine: (level: LogLevel, text: string) => void,
): Promise<void> {
  let rest: Buffer = Buffer.alloc(0);
  const take = (line: Buffer): void => {
    const { level, text } = levelOf(line.toString().replace(/\r$/, ''), fallback);
    if (level !== 'none' && text !== '') onLine(level, text);
  };
  try {
    for await (const chunk of source) {
      rest = Buffer.concat([rest, chunk as Buffer]);
      let end = rest.indexOf(NEWLINE);
      while (end !== -1 && end < STDERR_LINE_LIMIT_BYTES) {
        take(rest.subarray(0, end));
        rest = rest.subarray(end + 1);
        end = rest.indexOf(NEWLINE);
      }
      if (rest.length >= STDERR_LINE_LIMIT_BYTES) return;
    }
    take(rest);
  } catch {
    // The pipe was closed under the reader, as Wait() does in Stash: what was not read is lost.
  } finally {
    source.destroy();
  }
}

/** Control characters are shown as \x.., never sent to a terminal. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (letter) => `\\x${letter.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

function levelOf(line: string, fallback: LogLevel | 'none'): { level: LogLevel | 'none'; text: string } {
  const level = LEVELS[line[1] ?? ''];
  if (line.length < SHORTEST_LEVEL_LINE || line[0] !== '\x01' || line[2] !== '\x02' || level === undefined) {
    return { level: fallback, text: line };
  }
  return { level, text: line.slice(3).trim() };
}

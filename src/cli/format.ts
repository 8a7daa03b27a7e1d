// Durations, times and counts as a person reads them.

/** Two units at most: `65 s` → `1m 5s`, `90000 s` → `1d 1h`. */
export function duration(ms: number): string {
  const totalSeconds = Math.max(0, ms) / 1000;
  if (totalSeconds < 10) return `${Number(totalSeconds.toFixed(1))}s`;
  const seconds = Math.round(totalSeconds);
  const parts: string[] = [];
  let left = seconds;
  for (const [unit, size] of [
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
    ['s', 1],
  ] as const) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0 || parts.length > 0) parts.push(`${count}${unit}`);
    if (parts.length === 2) break;
  }
  return parts.filter((part) => !part.startsWith('0')).join(' ');
}

/** Local time of this machine, to the second, with the offset: `2026-03-01 09:05:07 +01:00`. */
export function time(at: number): string {
  const date = new Date(at);
  const offset = -date.getTimezoneOffset();
  const shifted = new Date(at + offset * 60_000);
  // A record may say anything; what shows it must not die of that.
  if (Number.isNaN(shifted.getTime())) return `an impossible time (${at})`;
  const local = shifted.toISOString();
  const sign = offset < 0 ? '-' : '+';
  const hours = String(Math.floor(Math.abs(offset) / 60)).padStart(2, '0');
  const minutes = String(Math.abs(offset) % 60).padStart(2, '0');
  return `${local.slice(0, 10)} ${local.slice(11, 19)} ${sign}${hours}:${minutes}`;
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

export function percent(share: number): string {
  return `${(Math.floor(share * 10_000) / 100).toFixed(2)} %`;
}

// What follows is for the words of others, on whatever way they leave us: each text that is printed, written to a file or
// shown in a page goes through one of these.

// biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is what this is for
const OBEYED = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;
/** But for tabs and the ends of lines. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the same
const OBEYED_IN_A_TEXT = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028\u2029]+/g;
/** Marks, embeddings, overrides and isolates of direction: they make a line read as another. */
const REORDERING = /\p{Bidi_Control}/gu;
/** JSON itself leaves these as they are. */
const LEFT_BY_JSON = /[\u007f-\u009f\u2028\u2029\p{Bidi_Control}]/gu;

/** Text of others on one line, without what a terminal would obey. */
export function plain(text: string): string {
  return text.replace(OBEYED, ' ').replace(REORDERING, '');
}

/** The same of a text that may have several lines. */
export function plainText(text: string): string {
  return text.replace(OBEYED_IN_A_TEXT, ' ').replace(REORDERING, '');
}

/** A document for programs that keeps the words as they are, and for a terminal or an editor that shows it. */
export function plainJson(document: unknown, indent = 2): string {
  return JSON.stringify(document, null, indent).replace(LEFT_BY_JSON, escaped);
}

/** A document for a page that shows its words to people, so that what reorders them is left out. */
export function shownJson(document: unknown): string {
  return JSON.stringify(document).replace(REORDERING, '').replace(LEFT_BY_JSON, escaped);
}

/** As JSON writes a character by its number. */
export function escaped(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

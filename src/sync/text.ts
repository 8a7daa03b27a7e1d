// Text as Plex can hold it: NFC, no control characters, bounded. What is only unusual (emoji joined by ZWJ,
// Persian non-joiners, quotes, dashes) stays as it is: it is the user's.

/** No limits of Plex are published; these are the ones in use without complaint, in UTF-16 units. */
export const MAX_LINE_LENGTH = 255;
export const MAX_SUMMARY_LENGTH = 10_000;

// biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is what this is for
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g;
// Zero width space, BOM, bidi overrides and isolates: invisible, and able to disguise what is shown.
const DECEPTIVE = /[\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069]/g;

const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** One line: blanks of all kinds become one space. */
export function cleanLine(text: string): string {
  const line = visible(text.replace(/[\t\n\v\f\r\u2028\u2029]/g, ' '));
  return shortened(line.replace(/\s+/g, ' ').trim(), MAX_LINE_LENGTH);
}

/** Several lines: paragraphs survive, trailing blanks do not. */
export function cleanText(text: string): string {
  const lines = visible(
    text
      .replace(/\r\n?|\u2028/g, '\n')
      .replace(/\u2029/g, '\n\n')
      .replace(/\t/g, ' '),
  )
    .split('\n')
    .map((line) => line.trimEnd());
  return shortened(
    lines
      .join('\n')
      .replace(/\n{3,}/g, '\n\n')
      .trim(),
    MAX_SUMMARY_LENGTH,
  );
}

/** What can be seen and sent: composed last, so that what stood between two parts of a letter does not part them. */
function visible(text: string): string {
  return text.replace(CONTROL, '').replace(DECEPTIVE, '').replace(LONE_SURROGATE, '').normalize('NFC');
}

/** Cut at the last blank if that loses less than a fifth, never inside a character. */
function shortened(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  const head = text.slice(0, maxLength);
  const blankAt = Math.max(head.lastIndexOf(' '), head.lastIndexOf('\n'));
  const cut = blankAt > maxLength * 0.8 ? head.slice(0, blankAt) : head;
  return cut.replace(/[\ud800-\udbff]$/, '').trimEnd();
}

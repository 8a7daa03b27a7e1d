/** The word of a closed list that a person wrote, in whatever case and with blanks around it. */
export function wordAmong<const Word extends string>(
  words: readonly Word[],
  given: string,
): Word | undefined {
  return words.find((word) => folded(word) === folded(given));
}

function folded(text: string): string {
  return text.trim().toLowerCase();
}

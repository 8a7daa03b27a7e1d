// A word of a closed list, as people write it. No list has a word with a capital in it today; the next one may.

import { expect, test } from 'vitest';
import { wordAmong } from '../../src/settings/word.ts';

const WORDS = ['title', 'sortTitle'] as const;

test.each(['sortTitle', 'sorttitle', 'SORTTITLE', ' sortTitle\n'])('%j is sortTitle', (given) => {
  expect(wordAmong(WORDS, given)).toBe('sortTitle');
});

test.each(['', 'sort title', 'sort', 'toString'])('%j is none of them', (given) => {
  expect(wordAmong(WORDS, given)).toBeUndefined();
});

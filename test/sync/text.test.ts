// Text as Plex can hold it. Cases 1 to 5 are those of the plugin Stash2Plex (its sanitising of text, read),
// in a better form where there is one; in case 1 Breakwater differs on purpose: curly quotes and dashes are the user's text and stay.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cleanLine, cleanText, MAX_LINE_LENGTH, MAX_SUMMARY_LENGTH } from '../../src/sync/text.ts';
import { PROPERTY_RUNS } from '../support/property-runs.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be left
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/;
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

describe('acceptance cases', () => {
  test('1: curly quotes, dashes and an ellipsis stay (the incumbent makes ASCII of them)', () => {
    const text = '\u201cHi\u201d \u2018x\u2019 a\u2013b\u2014c\u2026';
    expect(cleanLine(text)).toBe(text);
    expect(cleanText(text)).toBe(text);
  });

  test.each([
    ['a\u0000b', 'ab'],
    ['a\u001bb', 'ab'],
    ['a\u200bb', 'ab'],
    ['\u0000\u001b', ''],
    ['\u0000 \u001b\n', ''],
    ['\u202eevil\u202c', 'evil'],
    ['\u2066x\u2069\u2060', 'x'],
    ['a\u007f\u0085b', 'ab'],
  ])('2: what nobody can see is removed: %j', (text, expected) => {
    expect(cleanLine(text)).toBe(expected);
    expect(cleanText(text)).toBe(expected);
  });

  test('2: ZWJ and ZWNJ stay: emoji families and Persian words need them', () => {
    for (const text of ['👩\u200d👩\u200d👧', 'می\u200cخواهم']) {
      expect(cleanLine(text)).toBe(text);
      expect(cleanText(text)).toBe(text);
    }
  });

  test('3: a line break is a space in a line, and stays in a summary', () => {
    expect(cleanLine('a\nb')).toBe('a b');
    expect(cleanLine('a\r\n\t b\u2028c\u00a0d')).toBe('a b c d');
    expect(cleanText('a\nb')).toBe('a\nb');
    expect(cleanText('one\r\n\r\ntwo\rthree')).toBe('one\n\ntwo\nthree');
    expect(cleanText('one  \n\n\n\n  two\t \n')).toBe('one\n\n  two');
    expect(cleanText('one\u2028two\u2029three')).toBe('one\ntwo\n\nthree');
  });

  test('4: composed (NFC), and emoji are kept', () => {
    expect(cleanLine('e\u0301')).toBe('\u00e9');
    expect(cleanText('e\u0301')).toBe('\u00e9');
    expect(cleanLine('🎬 fin')).toBe('🎬 fin');
  });

  test('5: cut at a blank where that loses little, else hard', () => {
    expect(cleanLine('word '.repeat(100))).toBe('word '.repeat(51).trim());
    expect(cleanLine('word '.repeat(100))).toHaveLength(254);
    expect(cleanLine('x'.repeat(300))).toBe('x'.repeat(255));
    // The last blank is at four fifths or before: to cut there would lose too much.
    expect(cleanLine(`${'a'.repeat(204)} ${'b'.repeat(100)}`)).toHaveLength(255);
    expect(cleanLine(`${'a'.repeat(205)} ${'b'.repeat(100)}`)).toBe('a'.repeat(205));
    expect(cleanLine(`${'a'.repeat(253)}…`)).toBe(`${'a'.repeat(253)}…`);
  });
});

describe('at the bound and one past it', () => {
  test('a line', () => {
    expect(MAX_LINE_LENGTH).toBe(255);
    expect(cleanLine('x'.repeat(255))).toHaveLength(255);
    expect(cleanLine('x'.repeat(256))).toHaveLength(255);
  });

  test('a summary', () => {
    expect(MAX_SUMMARY_LENGTH).toBe(10_000);
    expect(cleanText('x'.repeat(10_000))).toHaveLength(10_000);
    expect(cleanText('x'.repeat(10_001))).toHaveLength(10_000);
    expect(cleanText(`${'x'.repeat(9_000)}\n${'y'.repeat(2_000)}`)).toBe('x'.repeat(9_000));
  });

  test('a character of two units at the bound is left out, never cut in two', () => {
    expect(cleanLine(`${'x'.repeat(254)}🎬`)).toBe('x'.repeat(254));
    expect(cleanLine(`${'x'.repeat(253)}🎬`)).toBe(`${'x'.repeat(253)}🎬`);
    expect(cleanText(`${'x'.repeat(9_999)}🎬y`)).toBe('x'.repeat(9_999));
  });
});

describe('whatever text comes', () => {
  const part = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '\u0000',
      '\u001b[31m',
      '\r\n',
      '\t',
      '\u200b',
      '\u202e',
      '🎬',
      '👩\u200d👧',
      'e\u0301',
      ' ',
    ),
    fc.string({ unit: 'grapheme', minLength: 200, maxLength: 400 }),
  );
  const anyText = fc.array(part, { maxLength: 12 }).map((parts) => parts.join(''));

  test('a line is one line, bounded, whole characters, nothing hidden', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const line = cleanLine(text);
        expect(line.length).toBeLessThanOrEqual(MAX_LINE_LENGTH);
        expect(line).not.toMatch(/[\n\r\t]/);
        expect(line).not.toMatch(CONTROL);
        expect(line).not.toMatch(LONE_SURROGATE);
        expect(line).toBe(line.trim());
      }),
      PROPERTY_RUNS,
    );
  });

  test('a summary is bounded, whole characters, nothing hidden, no empty paragraphs', () => {
    fc.assert(
      fc.property(anyText, fc.nat(40), (text, times) => {
        const summary = cleanText(text.repeat(times));
        expect(summary.length).toBeLessThanOrEqual(MAX_SUMMARY_LENGTH);
        expect(summary).not.toMatch(CONTROL);
        expect(summary).not.toMatch(LONE_SURROGATE);
        expect(summary).not.toMatch(/\n{3}|[ \t]\n/);
        expect(summary).toBe(summary.trim());
      }),
      PROPERTY_RUNS,
    );
  });

  test('plain text that fits stays as it is', () => {
    const plain = fc
      .array(fc.stringMatching(/^[A-Za-z0-9'"äöü湖🎬.,!-]{1,12}$/u), { minLength: 1, maxLength: 15 })
      .map((words) => words.join(' ').normalize('NFC'));
    fc.assert(
      fc.property(plain, (text) => {
        expect(cleanLine(text)).toBe(text);
        expect(cleanText(text)).toBe(text);
      }),
      PROPERTY_RUNS,
    );
  });
});

describe('known bugs', () => {
  test('blanks around a removed character become one', () => {
    expect(cleanLine('a \u0000 b')).toBe('a b');
  });

  test('a byte order mark inside a word is removed, as in a summary', () => {
    expect(cleanText('a\ufeffb')).toBe('ab');
    expect(cleanLine('a\ufeffb')).toBe('ab');
  });

  test('the result is composed even where something was removed between letter and accent', () => {
    expect(cleanLine('e\u200b\u0301')).toBe('\u00e9');
  });

  test('half a character that came from outside does not stay', () => {
    expect(cleanLine('a\ud800b')).not.toMatch(LONE_SURROGATE);
  });
});

// Annotations: what a person typed is kept as one line, and a record that says nothing readable is none.
import { describe, expect, test } from 'vitest';
import { annotationOf, MAX_NOTE, noteText } from '../../../src/breaker/control/annotations.ts';
import { ControlLog } from '../../../src/breaker/control/control-log.ts';
import { EMPTY_FOLD, foldEntry } from '../../../src/breaker/control/replay.ts';
import { INITIAL_STATE } from '../../../src/breaker/control/state.ts';
import { MemoryJournal } from '../../../src/breaker/journal/memory-journal.ts';
import { makeRecord } from '../../../src/breaker/journal/writer.ts';
import { FakeClock, fakeWriter } from '../../support/fake-writer.ts';

const writer = fakeWriter(new FakeClock());
const noted = { type: 'outage.noted', opening: 'id-1', text: 'the NAS was full' } as const;
const recordOf = (type: string, data: object) => makeRecord(writer, type, { ...data });

describe('the text of a note', () => {
  test('is one line: a run of control characters is one space, and those at its ends are none', () => {
    expect(noteText('\u0007 the disk\r\n\u001b\u0000was\u009ffull\u2028\u2029again\u007f\n')).toBe(
      'the disk was full again',
    );
  });

  test('is empty when nothing is left of it', () => {
    expect(noteText(' \n\t\u0085')).toBe('');
  });

  test('is cut at its bound, and never inside a character', () => {
    expect(noteText('🌊'.repeat(MAX_NOTE))).toBe('🌊'.repeat(MAX_NOTE));
    expect(noteText('🌊'.repeat(MAX_NOTE + 1))).toBe('🌊'.repeat(MAX_NOTE));
  });
});

describe('a record', () => {
  test('of a note is told as one', () => {
    const { type, ...data } = noted;
    expect(annotationOf(recordOf(type, data))).toEqual(noted);
  });

  test.each([
    ['is of another type', 'outage.praised', { opening: 'id-1', text: 'x' }],
    ['names no opening', 'outage.noted', { text: 'x' }],
    ['has no text', 'outage.noted', { opening: 'id-1', text: 7 }],
  ])('that %s is no annotation, and void', (_, type, data) => {
    const record = recordOf(type, data);
    expect(annotationOf(record)).toBe(null);
    const { step } = foldEntry(EMPTY_FOLD, { kind: 'record', position: 0, next: 1, record });
    expect(step?.isVoid).toBe(true);
  });
});

test('a note is appended, moves nothing, and is not void for that', async () => {
  const log = await ControlLog.open(new MemoryJournal(), writer);
  const steps = await log.appendOrThrow(noted);
  expect(steps).toMatchObject([{ event: null, isVoid: false, agreement: 'agreed' }]);
  expect(log.state).toBe(INITIAL_STATE);
});

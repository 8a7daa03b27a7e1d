// Which part of the log is shown, and what its words mean.

import { describe, expect, test } from 'vitest';
import type { Step } from '../../src/breaker/control/replay.ts';
import { INITIAL_STATE } from '../../src/breaker/control/state.ts';
import { MemoryJournal } from '../../src/breaker/journal/memory-journal.ts';
import { inspectWish, parsePoint } from '../../src/inspect/options.ts';
import { OutageStretch } from '../../src/inspect/outage-stretch.ts';
import { MAX_STEPS, Selection } from '../../src/inspect/selection.ts';
import { START_AT } from '../support/fake-writer.ts';
import { writeOutage } from '../support/outage-journal.ts';
import { entriesOf, foldAll } from '../support/streams.ts';

async function steps(): Promise<Step[]> {
  const journal = new MemoryJournal();
  await writeOutage(journal);
  return foldAll(await entriesOf(journal)).steps;
}

function shown(all: readonly Step[], wanted: Partial<ConstructorParameters<typeof Selection>[0]>) {
  const selection = new Selection({ from: null, to: null, at: null, ...wanted });
  for (const step of all) selection.take(step);
  return selection.shown();
}

test('all of it, from the beginning', async () => {
  const all = await steps();
  expect(shown(all, {})).toEqual({
    opening: INITIAL_STATE,
    openingAt: null,
    steps: all,
    omitted: 0,
    cursor: 0,
  });
});

test('a stretch opens with the state before its first record; both ends belong to it', async () => {
  const all = await steps();
  const [from, to] = [all[5]!, all[9]!];
  for (const bounds of [
    { from: { kind: 'position', position: from.position }, to: { kind: 'position', position: to.position } },
    { from: { kind: 'time', at: from.record.at }, to: { kind: 'time', at: to.record.at } },
  ] as const) {
    const part = shown(all, bounds);
    expect(part.steps[0]?.record.at).toBe(from.record.at);
    expect(part.steps.at(-1)?.record.at).toBe(to.record.at);
    expect(part.opening).toEqual(part.steps[0]?.before);
  }
});

test('a moment inside it is where it begins; after the last it is the end', async () => {
  const all = await steps();
  expect(shown(all, { at: { kind: 'position', position: all[9]!.position } }).cursor).toBe(10);
  expect(shown(all, { at: { kind: 'time', at: START_AT - 1 } }).cursor).toBe(0);
  expect(shown(all, { at: { kind: 'time', at: START_AT + 1e12 } }).cursor).toBe(all.length);
});

test.each([MAX_STEPS, MAX_STEPS + 1, 2 * MAX_STEPS + 7])(
  'of %i records the newest are shown',
  async (count) => {
    const [one] = await steps();
    const many = Array.from({ length: count }, (_, at) => ({ ...one!, position: at }));
    const part = shown(many, {});
    expect(part.steps).toHaveLength(Math.min(count, MAX_STEPS));
    expect(part.omitted).toBe(count - part.steps.length);
    expect(part.steps.at(-1)?.position).toBe(count - 1);
    expect(part.openingAt).toBe(part.omitted === 0 ? null : one!.record.at);
  },
);

test('an outage: some records before it opened, all until its backlog was worked off', async () => {
  const all = await steps();
  const stretch = new OutageStretch(1);
  for (const step of all) stretch.take(step);
  const { from, to } = stretch.bounds();
  const opened = all.findIndex((step) => step.after.breaker.value === 'open');
  expect(all.findIndex(({ position }) => position === from)).toBe(Math.max(0, opened - 11));
  expect(all.find(({ position }) => position === to)?.record.type).toBe('backlog.drained');
  expect(() => new OutageStretch(2).bounds()).toThrow('there is no outage #2; none was recorded');
});

describe('its words', () => {
  const now = Date.parse('2026-03-01T12:00:00Z');

  test.each([
    ['control@512', { kind: 'position', position: 512 }],
    ['512', { kind: 'position', position: 512 }],
    ['2h', { kind: 'time', at: now - 7_200_000 }],
    ['2026-03-01T04:00:00Z', { kind: 'time', at: Date.parse('2026-03-01T04:00:00Z') }],
    ['2026-03-01 04:00:12 +01:00', { kind: 'time', at: Date.parse('2026-03-01T03:00:12Z') }],
  ] as const)('%s is a point', (text, point) => {
    expect(parsePoint(text, now)).toEqual(point);
  });

  test.each(['', 'yesterday', '2026-13-40', 'queue@5', '-1', '1e9'])('%j is none', (text) => {
    expect(() => parsePoint(text, now)).toThrow(/is not a time|names no line|is not of the control stream/);
  });

  test.each([
    [{}, { speed: 10, mode: 'play' }],
    [{ speed: '0.5x' }, { speed: 0.5, mode: 'play' }],
    [{ speed: 'max' }, { speed: 'max', mode: 'play' }],
    [{ step: true }, { speed: 10, mode: 'step' }],
    [{ at: '5' }, { speed: 10, mode: 'step' }],
    [{ live: true }, { speed: 'max', mode: 'live' }],
  ])('%j plays as %j', (words, playback) => {
    expect(inspectWish(words, now).playback).toEqual(playback);
  });

  test.each([
    [{ speed: '0' }, /is no speed/],
    [{ speed: 'fast' }, /is no speed/],
    [{ outage: '0' }, /not the number of an outage/],
    [{ outage: '1', from: '5' }, /leave out --from/],
    [{ live: true, to: '5' }, /leave out --at, --to/],
    [{ live: true, step: true }, /leave out/],
  ])('%j is refused', (words, message) => {
    expect(() => inspectWish(words, now)).toThrow(message);
  });
});

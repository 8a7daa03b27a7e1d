// The viewer's model: at each place of the timeline the machines are what the fold says they were.

import { expect, test } from 'vitest';
import { INITIAL_STATE, MACHINE_NAMES } from '../../src/breaker/control/state.ts';
import { MemoryJournal } from '../../src/breaker/journal/memory-journal.ts';
import { frameOf } from '../../src/inspect/frames.ts';
import { greetingOf } from '../../src/inspect/opening.ts';
import { Timeline } from '../../src/inspect/timeline.ts';
import { writeOutage } from '../support/outage-journal.ts';
import { entriesOf, foldAll } from '../support/streams.ts';

test('going to any place, on or back, shows the state of that place', async () => {
  const journal = new MemoryJournal();
  await writeOutage(journal);
  const { steps } = foldAll(await entriesOf(journal));
  const playback = { speed: 10, mode: 'play' } as const;
  const timeline = new Timeline(greetingOf({ opening: INITIAL_STATE, at: null, omitted: 0, playback }));
  for (const step of steps) timeline.add(frameOf(step));
  const places = [...steps.keys(), steps.length];
  for (const place of [...places, ...places.toReversed()]) {
    const state = steps[place - 1]?.after ?? INITIAL_STATE;
    for (const name of MACHINE_NAMES) {
      const view = timeline.at(place, name);
      expect({ value: view.value, context: view.context }).toEqual(state[name]);
      const step = steps[place - 1];
      expect(view.hasJustMoved).toBe(step !== undefined && step.before[name] !== step.after[name]);
      if (view.hasJustMoved) expect(view.contextBefore).toEqual(step?.before[name].context);
    }
  }
});

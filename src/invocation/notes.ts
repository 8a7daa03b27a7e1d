// What a person has to say about an outage, kept in the journal beside it.

import { noteText } from '../control/annotations.ts';
import { ControlLog } from '../control/control-log.ts';
import { createOutageHistory, type Outage, type OutageHistory } from '../outages/outages.ts';
import type { TaskResult } from './task-result.ts';
import type { World } from './world.ts';

export async function noteOutage(world: World, number: string, typed: string): Promise<TaskResult> {
  const text = noteText(typed);
  if (text === '') throw new Error('a note needs some words');
  const { control, history } = await openHistory(world);
  const { opening, number: outage } = outageNumbered(history, number);
  await control.appendOrThrow({ type: 'outage.noted', opening, text });
  return { isOk: true, lines: [`Noted for outage #${outage}: ${text}`], document: { outage, text } };
}

/** The control log with its story: from the beginning, as a checkpoint holds the state alone. */
export async function openHistory(
  world: Pick<World, 'dir' | 'writer'>,
): Promise<{ readonly control: ControlLog; readonly history: OutageHistory }> {
  const store = createOutageHistory();
  const onStep = (step: Parameters<typeof store.trigger.step>[0]['step']) => store.trigger.step({ step });
  const control = await ControlLog.open(world.dir.journal, world.writer, null, onStep);
  return { control, history: store.getSnapshot().context };
}

/** Throws for a number that `outages` does not show. */
export function outageNumbered({ outages }: OutageHistory, number: string): Outage {
  const outage = /^\d+$/.test(number) ? outages[Number(number) - 1] : undefined;
  if (outage === undefined) throw new Error(`there is no outage #${number}; "outages" lists them`);
  return outage;
}

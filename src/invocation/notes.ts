// What a person has to say about an outage, kept in the journal beside it.

import { noteText } from '../breaker/index.ts';
import { parseOutageNumber } from '../cli/point.ts';
import { openHistory, outageNumbered } from './outage-history.ts';
import type { TaskResult } from './task-result.ts';
import type { World } from './world.ts';

export async function noteOutage(world: World, number: string, typed: string): Promise<TaskResult> {
  const text = noteText(typed);
  if (text === '') throw new Error('a note needs some words');
  const { control, history } = await openHistory(world.dir.journal, world.writer);
  const { opening, number: outage } = outageNumbered(history, parseOutageNumber(number));
  await control.appendOrThrow({ type: 'outage.noted', opening, text });
  return { isOk: true, lines: [`Noted for outage #${outage}: ${text}`], document: { outage, text } };
}

// The outages as the whole log tells them, and how a person names one.

import { ControlLog, type Journal, type Writer } from '../breaker/index.ts';
import { createOutageHistory, type Outage, type OutageHistory } from '../outages/outages.ts';

/** The control log with its story: from the beginning, as a checkpoint holds the state alone. */
export async function openHistory(
  journal: Journal,
  writer: Writer,
): Promise<{ readonly control: ControlLog; readonly history: OutageHistory }> {
  const store = createOutageHistory();
  const onStep = (step: Parameters<typeof store.trigger.step>[0]['step']) => store.trigger.step({ step });
  const control = await ControlLog.open(journal, writer, null, onStep);
  return { control, history: store.getSnapshot().context };
}

/** `last` → its number, as text; anything else as it is. Throws where there was none. */
export async function outageNamed(name: string, journal: Journal, writer: Writer): Promise<string> {
  if (name.trim() !== 'last') return name;
  const { outages } = (await openHistory(journal, writer)).history;
  if (outages.length === 0) throw new Error('there is no last outage: none was recorded');
  return String(outages.length);
}

/** Throws for a number that `outages` does not show. */
export function outageNumbered({ outages }: OutageHistory, number: number): Outage {
  const outage = outages[number - 1];
  if (outage === undefined) throw new Error(`there is no outage #${number}; "outages" lists them`);
  return outage;
}

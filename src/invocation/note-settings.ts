// Settings as events: what a drainer goes by is written down when it changes, so that a replay of last month knows last
// month's settings, and why something was or was not written can be said.

import type { NotedSetting } from '../queue/events.ts';
import type { QueueLog } from '../queue/queue-log.ts';
import type { SettingReport } from '../settings/settings.ts';

export async function noteSettings(queue: QueueLog, reports: readonly SettingReport[]): Promise<void> {
  const changed = changedSettings(queue.queue.settings, reports);
  if (Object.keys(changed).length > 0)
    await queue.appendOrThrow({ type: 'settings.changed', settings: changed });
}

/** What differs from `before`; null: at its default again. */
export function changedSettings(
  before: Readonly<Record<string, NotedSetting>>,
  reports: readonly SettingReport[],
): Record<string, NotedSetting | null> {
  const changed: Record<string, NotedSetting | null> = {};
  for (const { name, value, origin } of reports) {
    const now = origin === 'default' ? null : { value, origin };
    if (JSON.stringify(now) !== JSON.stringify(before[name] ?? null)) changed[name] = now;
  }
  return changed;
}

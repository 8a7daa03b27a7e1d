// Asking Plex without writing anything anywhere, for dry runs: no lease, no journal, and no question while Plex is away.

import { ControlLog, gate } from '../breaker/index.ts';
import type { Settings } from '../settings/settings.ts';
import type { PlexPort } from '../sync/deliver.ts';
import { problemLines, settingsNow } from './settings-now.ts';
import { failed, type TaskResult } from './task-result.ts';
import type { World } from './world.ts';

export async function readingPlex(
  world: World,
  look: (plex: PlexPort, settings: Settings, problems: readonly string[]) => Promise<TaskResult>,
): Promise<TaskResult> {
  const { journal, controlCheckpoint } = world.dir;
  const control = await ControlLog.open(journal, world.writer, controlCheckpoint.read());
  const answer = gate(control.state, world.writer.now());
  if (answer.kind !== 'go') {
    const reason = answer.kind === 'held' ? `held (${answer.hold}): ${answer.reason}` : 'Plex is away';
    return failed(`Nothing was compared: ${reason}.`, answer.kind);
  }
  const given = await settingsNow(world);
  if (!given.ok) return failed(given.failure.detail, 'stash');
  const read = given.value;
  const problems = problemLines(read);
  if (!read.ok) return { isOk: false, lines: problems, document: { symptom: 'settings', problems } };
  const plex = world.connectPlex(read.settings, true);
  try {
    return await look(plex, read.settings, problems);
  } finally {
    await plex.close();
  }
}

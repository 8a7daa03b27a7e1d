// What a person asks about the settings: which hold and where each was given; and taking over those of Stash2Plex.

import { plain } from '../cli/format.ts';
import { PLUGIN_ID } from '../door/scopes.ts';
import { OTHER_PLUGIN_ID, takeOver } from '../settings/takeover.ts';
import { problemLines, settingsNow } from './settings-now.ts';
import { failed, type TaskResult } from './task-result.ts';
import type { World } from './world.ts';

export async function showSettings(world: World): Promise<TaskResult> {
  const now = await settingsNow(world);
  if (!now.ok) return failed(now.failure.detail, 'stash');
  const { ok, reports, problems } = now.value;
  const width = Math.max(...reports.map(({ name }) => name.length));
  const lines = reports.map(({ name, value, origin }) => {
    const text = value === null ? '-' : plain(typeof value === 'string' ? value : JSON.stringify(value));
    return `${name.padEnd(width)}  ${text}  (${origin})`;
  });
  return {
    isOk: ok,
    lines: [...lines, ...problemLines(now.value)],
    document: { settings: reports, problems },
  };
}

/** `isDry`: only says what would be set. */
export async function takeOverSettings(world: World, isDry: boolean): Promise<TaskResult> {
  const theirs = await world.stash.settings(OTHER_PLUGIN_ID);
  if (!theirs.ok) return failed(theirs.failure.detail, 'stash');
  if (Object.keys(theirs.value).length === 0) {
    return failed(`Stash has no settings of ${OTHER_PLUGIN_ID}.`, 'nothing');
  }
  const ours = await world.stash.settings(PLUGIN_ID);
  if (!ours.ok) return failed(ours.failure.detail, 'stash');
  const file = world.settingsFile.read();
  if (file.kind === 'bad') return failed(`${file.name} ${file.problem}: put that right first`, 'settings');
  const inFile = file.kind === 'read' ? file.values : {};
  const taken = takeOver(theirs.value, { ...inFile, ...ours.value });
  if (!isDry && Object.keys(taken.inFile).length > 0)
    world.settingsFile.write({ ...inFile, ...taken.inFile });
  if (!isDry && Object.keys(taken.inStash).length > 0) {
    const set = await world.stash.configure(PLUGIN_ID, taken.inStash);
    if (!set.ok) return failed(set.failure.detail, 'stash');
  }
  const names = [...Object.keys(taken.inStash), ...Object.keys(taken.inFile)];
  const verb = isDry ? 'Would take over' : 'Taken over';
  const head = names.length === 0 ? 'Nothing to take over.' : `${verb}: ${names.join(', ')}.`;
  const left = taken.left.map(({ setting, reason }) => `${setting} is left: ${reason}`);
  return { isOk: true, lines: [head, ...left], document: { takenOver: names, left: taken.left, isDry } };
}

// The settings as they are at this moment, wherever they were given: in Stash, in the settings file, in the environment.

import * as fs from 'node:fs';
import { READ_FLAGS, replaceFile } from '../breaker/index.ts';
import { PLUGIN_ID } from '../door/scopes.ts';
import { parseSettingsFile, SETTINGS_FILE, type SettingsFile } from '../settings/file.ts';
import { readSettings, type SettingsResult } from '../settings/settings.ts';
import type { StashResult } from '../stash/stash-client.ts';
import type { World } from './world.ts';

export interface SettingsFilePort {
  read(): SettingsFile;
  /** Replaces the file. Throws when it cannot. */
  write(values: Readonly<Record<string, unknown>>): void;
}

/** What is longer was not written by a person, in bytes. */
const MAX_FILE_BYTES = 256 * 1024;

export async function settingsNow(world: World): Promise<StashResult<SettingsResult>> {
  const given = await world.stash.settings(PLUGIN_ID);
  if (!given.ok) return given;
  return { ok: true, value: readSettings(given.value, world.env, world.settingsFile.read()) };
}

export function settingsFileIn(dir: string): SettingsFilePort {
  const path = `${dir}/${SETTINGS_FILE}`;
  return {
    read: () => {
      const bad = (problem: string) =>
        ({ kind: 'bad', name: SETTINGS_FILE, problem: `${problem}; nothing in it is used` }) as const;
      try {
        return readFile(path, bad);
      } catch (error) {
        const { code = 'unknown' } = error as NodeJS.ErrnoException;
        if (code === 'ENOENT') return { kind: 'none' };
        return bad(code === 'ELOOP' ? 'is a link' : `cannot be read (${code})`);
      }
    },
    write: (values) => {
      fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
      replaceFile(path, `${JSON.stringify(values, null, 2)}\n`, 0o600);
    },
  };
}

function readFile(path: string, bad: (problem: string) => SettingsFile): SettingsFile {
  const fd = fs.openSync(path, READ_FLAGS);
  try {
    const stat = fs.fstatSync(fd);
    if (!stat.isFile()) return bad('is no file');
    if (stat.size > MAX_FILE_BYTES) return bad(`is over ${MAX_FILE_BYTES} bytes`);
    return parseSettingsFile(fs.readFileSync(fd, 'utf8'));
  } finally {
    fs.closeSync(fd);
  }
}

/** One line each, for a log and a person. */
export function problemLines({ problems }: SettingsResult): string[] {
  return problems.map(({ setting, problem }) => `setting ${setting} ${problem}`);
}

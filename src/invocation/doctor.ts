// Gathers what the doctor judges. It reads, asks and writes nothing; what cannot be found out is a fact as well.

import * as fs from 'node:fs';
import { remainingMs } from '../../machines/time.ts';
import { doctorLines } from '../cli/doctor.ts';
import { duration } from '../cli/format.ts';
import { ControlLog } from '../control/control-log.ts';
import { isHeld } from '../control/decide.ts';
import type { ControlState } from '../control/state.ts';
import type { DirFacts } from '../doctor/dir-findings.ts';
import { type Facts, findingsOf, type SettingsFacts } from '../doctor/findings.ts';
import { verifyControl, verifyQueue } from '../history/verify.ts';
import { isShared, LOCK_MARK } from '../journal/network.ts';
import { settingsNow } from './settings-now.ts';
import type { TaskResult } from './task-result.ts';
import type { World } from './world.ts';

/** Files that are looked at; the data dir has a dozen. */
const MAX_FILES = 1_000;

export async function doctor(world: World): Promise<TaskResult> {
  const facts: Facts = {
    dir: dirFacts(world.dir.journal.dir),
    nodeVersion: process.versions.node,
    now: world.writer.now().at,
    ...(await journalFacts(world)),
    settings: await settingsFacts(world),
  };
  const findings = findingsOf(facts);
  const isOk = findings.every(({ level }) => level !== 'problem');
  return { isOk, lines: doctorLines(findings), document: { isOk, findings } };
}

async function journalFacts(world: World): Promise<Pick<Facts, 'journal' | 'holds'>> {
  const { journal, controlCheckpoint } = world.dir;
  try {
    const control = await verifyControl(journal);
    const queue = await verifyQueue(journal);
    const log = await ControlLog.open(journal, world.writer, controlCheckpoint.read());
    const facts = { kind: 'read', control, queue, controlTail: log.tailLength } as const;
    return { journal: facts, holds: holdFacts(log.state, world) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return { journal: { kind: 'unread', detail: code }, holds: [] };
  }
}

function dirFacts(path: string): DirFacts {
  let stat: fs.Stats;
  try {
    stat = fs.statSync(path);
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? { kind: 'missing' } : { kind: 'unusable', detail: code };
  }
  if (!stat.isDirectory()) return { kind: 'unusable', detail: 'it is no folder' };
  try {
    const hasModes = process.platform !== 'win32';
    const { type, bavail, bsize } = fs.statfsSync(path);
    return {
      kind: 'there',
      path,
      mode: hasModes ? stat.mode & 0o777 : null,
      isWritable: isWritable(path),
      loose: looseFiles(path, hasModes),
      fileSystemType: process.platform === 'linux' ? type : null,
      isLocked: isShared(fs.readdirSync(path), type),
      freeBytes: bavail * bsize,
    };
  } catch (error) {
    return { kind: 'unusable', detail: (error as NodeJS.ErrnoException).code ?? 'unknown' };
  }
}

function isWritable(path: string): boolean {
  try {
    fs.accessSync(path, fs.constants.R_OK | fs.constants.W_OK | fs.constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

type Loose = Extract<DirFacts, { kind: 'there' }>['loose'][number];

function looseFiles(path: string, hasModes: boolean): Loose[] {
  const names = fs.readdirSync(path, { recursive: true, encoding: 'utf8' }).slice(0, MAX_FILES);
  return names.flatMap((name): Loose[] => {
    const stat = fs.lstatSync(`${path}/${name}`, { throwIfNoEntry: false });
    // A temporary file that its writer has renamed meanwhile, or the lock; that one is empty, and may be a person's.
    if (stat === undefined || name.startsWith(LOCK_MARK)) return [];
    if (stat.isSymbolicLink()) return [{ name, what: 'link' }];
    return hasModes && (stat.mode & 0o077) !== 0 ? [{ name, what: 'mode' }] : [];
  });
}

async function settingsFacts(world: World): Promise<SettingsFacts> {
  const given = await settingsNow(world);
  if (!given.ok) return { kind: 'unread', detail: given.failure.detail };
  const read = given.value;
  const problems = read.problems.map(({ setting, problem }) => `${setting} ${problem}`);
  return { kind: 'read', isUsable: read.ok, problems };
}

function holdFacts(state: ControlState, { writer }: World): Facts['holds'] {
  const now = writer.now();
  return (['operator', 'config', 'throttle'] as const).flatMap((hold) => {
    const { ends, reason } = state[hold].context;
    if (ends === null || !isHeld(state, hold, now)) return [];
    return [{ hold, reason, leftText: duration(remainingMs(ends, now)) }];
  });
}

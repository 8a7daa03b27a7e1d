// Gathers what the doctor judges. It reads, asks and writes nothing; what cannot be found out is a fact as well.

import { remainingMs } from '../../machines/time.ts';
import { ControlLog, type ControlState, isHeld } from '../breaker/index.ts';
import { doctorLines } from '../cli/doctor.ts';
import { duration } from '../cli/format.ts';
import { type Facts, findingsOf, type SettingsFacts } from '../doctor/findings.ts';
import { verifyControl, verifyQueue } from '../history/verify.ts';
import { settingsNow } from './settings-now.ts';
import type { TaskResult } from './task-result.ts';
import type { World } from './world.ts';

export async function doctor(world: World): Promise<TaskResult> {
  const facts: Facts = {
    dir: world.dir.facts(),
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

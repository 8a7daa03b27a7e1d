// What Stash, or the launcher for it, gets for an answer: one document. On the way there the log tells what happens.

import { JournalError } from '../breaker/index.ts';
import type { Answer, Log } from '../invocation/stash-log.ts';
import { isTaskMode, runMode, TASK_MODES, type TaskArgs } from '../invocation/task.ts';
import type { TaskResult } from '../invocation/task-result.ts';
import type { World } from '../invocation/world.ts';

const NOTHING_LOST =
  'Nothing is lost: Stash holds what was changed, and the next look finds it once this is put right.';

/** Runs the mode that is named in `args`. `worldFor` opens what it needs, once it is known to be one. */
export async function answerTo(args: TaskArgs, log: Log, worldFor: () => World): Promise<Answer> {
  const { mode } = args;
  if (!isTaskMode(mode)) {
    const named = typeof mode === 'string' ? JSON.stringify(mode.slice(0, 40)) : 'that is not text';
    return refusal(log, `mode ${named} is not known; it is one of ${TASK_MODES.join(', ')}`);
  }
  const world = worldFor();
  try {
    return told(log, await runMode(mode, world, args));
  } catch (error) {
    return refusal(log, problemOf(error as NodeJS.ErrnoException));
  } finally {
    await world.stash.close();
  }
}

function problemOf(error: NodeJS.ErrnoException): string {
  if (error instanceof JournalError) return `${error.message}. ${NOTHING_LOST}`;
  if (error.code === undefined) return error.message;
  return `the data folder cannot be used: ${error.message}. ${NOTHING_LOST}`;
}

export function told(log: Log, { isOk, lines, document }: TaskResult): Answer {
  for (const line of lines) log.line(isOk ? 'info' : 'warning', line);
  log.progress(1);
  return isOk ? { output: document } : { error: lines.filter((line) => line !== '').join('; ') };
}

/** Never an exit code: Stash would say "exit status 1" in place of the reason. */
export function refusal(log: Log, problem: string): Answer {
  log.line('error', problem);
  return { error: problem };
}

// Everything but hooks: Stash tasks and operations, drainers, the command line. Loaded whole at its start,
// because an update may replace the files under a running process.

import { plainJson } from '../cli/format.ts';
import { dataPath } from '../invocation/data-dir.ts';
import type { Input } from '../invocation/input.ts';
import { startDetached } from '../invocation/start-drainer.ts';
import { type Answer, forwardOnly, stashLog, writeQuietly } from '../invocation/stash-log.ts';
import { isTaskMode, runMode, TASK_MODES } from '../invocation/task.ts';
import { runCommand } from './command-line.ts';
import { worldOf } from './process-world.ts';

export { runCommand };

/** A task or operation that Stash started; ends with one document on stdout. */
export async function runTask({ args, from }: Extract<Input, { kind: 'task' }>): Promise<void> {
  const mode = args.mode;
  if (!isTaskMode(mode)) {
    const named = typeof mode === 'string' ? JSON.stringify(mode.slice(0, 40)) : 'that is not text';
    const problem = `mode ${named} is not known; it is one of ${TASK_MODES.join(', ')}`;
    stashLog.line('error', problem);
    return answer({ error: problem });
  }
  const data = dataPath(from.dir, process.env);
  const world = worldOf('task', data, from.connection, forwardOnly(stashLog));
  try {
    const isForHook = args.by === 'hook';
    const result = await runMode(mode, world, args);
    // The task may not wait for Plex; somebody has to, or nobody sees it come back.
    if (isForHook && result.isAway === true) await startDetached(from.connection, data, __dirname);
    for (const line of result.lines) stashLog.line(result.isOk ? 'info' : 'warning', line);
    stashLog.progress(1);
    answer(
      result.isOk
        ? { output: result.document }
        : { error: result.lines.filter((line) => line !== '').join('; ') },
    );
  } catch (error) {
    const problem = (error as Error).message;
    stashLog.line('error', problem);
    answer({ error: problem });
  } finally {
    await world.stash.close();
  }
}

/** As a hook does, but there are words of others in it. */
function answer(document: Answer): void {
  writeQuietly(1, `${plainJson(document, 0)}\n`);
}

// Started by itself (a drainer), and not loaded by the entry.
if (require.main === module) void runCommand(process.argv.slice(2));

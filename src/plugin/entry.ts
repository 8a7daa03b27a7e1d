// What Stash starts for every hook, task and operation, and what a person starts with a verb. A hook is dealt
// with here and must stay cheap; anything else is the worker's, in a bundle of its own that is loaded
// at once, because the files may be replaced by an update while we run.

import * as fs from 'node:fs';
import { dataPath, openDataDir } from '../invocation/data-dir.ts';
import { START_FILE, WORKER_FILE } from '../invocation/handover.ts';
import { type HookResult, runHook } from '../invocation/hook.ts';
import { type Input, MAX_INPUT_BYTES, parseInput } from '../invocation/input.ts';
import { processWriter } from '../invocation/process.ts';
import { answer, stashLog } from '../invocation/stash-log.ts';
import type { AppendFailure } from '../journal/journal.ts';

/** Most of what Stash sends fits; room for more is made as it comes. */
const FIRST_READ_BYTES = 4000;

type Worker = typeof import('../worker/worker.ts');
type Starter = typeof import('../invocation/start-drainer.ts');

async function main(): Promise<void> {
  const verbs = process.argv.slice(2).filter((word) => !word.startsWith('--plugin-dir='));
  if (verbs.length > 0) return worker().runCommand(verbs);
  if (isTerminal()) return worker().runCommand(['--help']);
  const input = readInput();
  switch (input.kind) {
    case 'hook':
      return hook(input);
    case 'ignored':
      stashLog.line('debug', `${input.trigger} changes nothing that is synced`);
      return answer({ output: 'ignored' });
    case 'task':
      return worker().runTask(input);
    case 'invalid':
      return refuse(input.problem);
  }
}

async function hook({ trigger, job, from }: Extract<Input, { kind: 'hook' }>): Promise<void> {
  const data = dataPath(from.dir, process.env);
  const result = await runHook(
    job,
    trigger,
    openDataDir(data),
    processWriter('hook'),
    (dir, writer, checked) => {
      const { startIfNeeded } = require(`${__dirname}/${START_FILE}`) as Starter;
      return startIfNeeded(dir, writer, checked, from.connection, __dirname);
    },
  );
  report(result, job, data);
  // All is written synchronously: waiting for the event loop to notice would cost a tenth of the hook.
  process.exit();
}

function report(result: HookResult, job: string, data: string): void {
  if (result.kind === 'refused') {
    refuse(refusal(result.failure, job, data));
    return;
  }
  if (result.warning !== undefined) stashLog.line('warning', result.warning);
  answer({ output: result.started ? 'queued, drainer started' : 'queued' });
}

function refusal(failure: AppendFailure, job: string, data: string): string {
  const lost = `the change of ${job} was not noted; save it again once this is put right`;
  switch (failure.kind) {
    case 'full':
      return `no room left for the journal in ${data} (${failure.detail}): ${lost}`;
    case 'unwritable':
      return `cannot write to the data folder ${data} (${failure.detail}): ${lost}`;
    case 'io':
      return `the disk failed under ${data} (${failure.detail}): ${lost}`;
  }
}

/** Never an exit code: Stash would report the save itself as troubled. */
function refuse(problem: string): void {
  stashLog.line('error', problem);
  answer({ error: problem });
}

/** `process.stdin` would build a stream, which costs more than all else that a hook does. */
function isTerminal(): boolean {
  try {
    return fs.fstatSync(0).isCharacterDevice() && fs.readlinkSync('/proc/self/fd/0') !== '/dev/null';
  } catch {
    return false;
  }
}

function readInput(): Input {
  let bytes = Buffer.allocUnsafe(FIRST_READ_BYTES);
  let total = 0;
  for (;;) {
    if (total === bytes.length) {
      const more = Buffer.allocUnsafe(Math.min(total * 4, MAX_INPUT_BYTES + 1));
      bytes.copy(more);
      bytes = more;
    }
    let count: number;
    try {
      count = fs.readSync(0, bytes, total, bytes.length - total, null);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EAGAIN') continue;
      if (code === 'EOF') break;
      return { kind: 'invalid', problem: `stdin cannot be read (${code})` };
    }
    if (count === 0) break;
    total += count;
    if (total > MAX_INPUT_BYTES)
      return { kind: 'invalid', problem: `stdin is over ${MAX_INPUT_BYTES} bytes` };
  }
  return parseInput(bytes.toString('utf8', 0, total));
}

function worker(): Worker {
  return require(`${__dirname}/${WORKER_FILE}`) as Worker;
}

main().catch((error: unknown) => {
  refuse(`Breakwater failed: ${error instanceof Error ? error.message : String(error)}`);
});

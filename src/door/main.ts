// What the launcher starts: with words it is the command line, with a document on stdin a task or an operation of Stash.
// One bundle, loaded whole at its start, because an update may replace the files under a running process.

import * as fs from 'node:fs';
import { dataPath } from '../invocation/data-dir.ts';
import { answer, forwardOnly, stashLog } from '../invocation/stash-log.ts';
import { runCommand } from '../worker/command-line.ts';
import { worldOf } from '../worker/process-world.ts';
import { answerTo, refusal } from './answer.ts';
import { type Input, MAX_INPUT_BYTES, parseInput } from './input.ts';

async function main(): Promise<void> {
  // The yml of an older version gives this word, until Stash has reloaded its plugins. Nobody needs it any more.
  const words = process.argv.slice(2).filter((word) => !word.startsWith('--plugin-dir='));
  if (words.length > 0) return runCommand(words);
  if (isTerminal()) return runCommand(['--help']);
  const input = readInput();
  return input.kind === 'task' ? runTask(input) : refuse(input.problem);
}

/** Ends with one document on stdout. */
async function runTask({ args, from }: Extract<Input, { kind: 'task' }>): Promise<void> {
  const log = forwardOnly(stashLog);
  const kind = args.mode === 'wake' ? 'wake' : 'task';
  const data = dataPath(from.dir, process.env);
  answer(await answerTo(args, log, () => worldOf(kind, data, from.connection, log)));
}

function refuse(problem: string): void {
  answer(refusal(stashLog, problem));
}

function isTerminal(): boolean {
  try {
    return fs.fstatSync(0).isCharacterDevice() && fs.readlinkSync('/proc/self/fd/0') !== '/dev/null';
  } catch {
    return false;
  }
}

function readInput(): Input {
  const chunks: Buffer[] = [];
  let total = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(64 * 1024);
    let count: number;
    try {
      count = fs.readSync(0, chunk);
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
    chunks.push(chunk.subarray(0, count));
  }
  return parseInput(Buffer.concat(chunks).toString('utf8'));
}

main().catch((error: unknown) => {
  refuse(`Breakwater failed: ${error instanceof Error ? error.message : String(error)}`);
});

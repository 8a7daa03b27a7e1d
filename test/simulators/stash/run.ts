// One plugin process, as Stash's raw interface runs it: the document on stdin, stdout read to its end and
// only then the exit waited for, log lines on stderr. There is no timeout. A stop is SIGKILL to this one
// process: its descendants live on, and one that kept stdout open keeps the run going.
import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type LogLevel, readLogLines } from './log.ts';

export interface RunAbout {
  readonly kind: 'hook' | 'task' | 'operation';
  readonly pluginId: string;
  /** The hook's type, the task's name (the plugin's id for a task without one), or 'operation'. */
  readonly trigger: string;
  /** Only for hooks of scenes. */
  readonly sceneId?: number;
}

export type PluginRun = ProcessRun | ScriptRun;

export interface ProcessRun extends RunBase {
  readonly engine: 'process';
  readonly pid: number;
}

export interface ScriptRun extends RunBase {
  readonly engine: 'script';
  readonly pid: null;
  exitCode: null;
  signal: null;
  stdout: '';
  /** The root fields of each `gql.Do`, like `jobQueue` or `runPluginTask`. */
  readonly asked: string[];
}

interface RunBase extends RunAbout {
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** null while it runs. What follows is only right when it is set. */
  endedAt: number | null;
  durationMs: number;
  exitCode: number | null;
  signal: string | null;
  stdout: string;
  /** What Stash made of stdout, or of the script's last value. */
  output: unknown;
  error: string | null;
  /** The exact document the process was given; JSON of `input` for a script. */
  readonly stdin: string;
}

export interface RunOrder {
  readonly about: RunAbout;
  readonly command: readonly string[];
  readonly stdin: string;
  readonly env: NodeJS.ProcessEnv;
  readonly errLog: LogLevel | 'none';
  readonly onLine: (level: LogLevel, text: string) => void;
  readonly onRun: (run: ProcessRun, child: ChildProcess) => void;
}

export type Started =
  | {
      readonly kind: 'started';
      readonly ended: Promise<PluginRun>;
      readonly kill: () => void;
      /** What happens to it when Stash itself ends: a process lives on without anybody at its pipes. */
      readonly abandon: () => void;
    }
  | { readonly kind: 'failed'; readonly message: string };

/** How long the last stderr lines may take to arrive once the process has ended. */
const STDERR_DRAIN_MS = 100;

export async function startRun(order: RunOrder): Promise<Started> {
  const [program, ...args] = order.command;
  if (program === undefined) return { kind: 'failed', message: 'empty exec value in operation' };
  let child: ChildProcessWithoutNullStreams;
  let exited: Promise<[number | null, string | null]>;
  try {
    child = spawn(program, args, { env: order.env, stdio: ['pipe', 'pipe', 'pipe'] });
    exited = new Promise((resolve) => child.on('exit', (code, signal) => resolve([code, signal])));
    child.stdin.on('error', (error) => {
      order.onLine('warning', `error writing input to plugins stdin: ${error.message}`);
    });
    await once(child, 'spawn');
  } catch (error) {
    return { kind: 'failed', message: `error running plugin: ${(error as Error).message}` };
  }
  child.on('error', () => {}); // From here on it is only a kill that came too late.
  const run: ProcessRun = {
    ...order.about,
    engine: 'process',
    pid: child.pid!,
    startedAt: Date.now(),
    endedAt: null,
    durationMs: 0,
    exitCode: null,
    signal: null,
    stdout: '',
    output: null,
    error: null,
    stdin: order.stdin,
  };
  order.onRun(run, child);
  child.stdin.end(order.stdin);
  const ended = follow(run, child, order, exited);
  const abandon = (): void => {
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
  };
  return { kind: 'started', ended, kill: () => child.kill('SIGKILL'), abandon };
}

async function follow(
  run: ProcessRun,
  child: ChildProcessWithoutNullStreams,
  order: RunOrder,
  exited: Promise<[number | null, string | null]>,
): Promise<ProcessRun> {
  const startedMs = performance.now();
  const logged = readLogLines(child.stderr, order.errLog, order.onLine);
  run.stdout = await readAll(child.stdout);
  [run.exitCode, run.signal] = await exited;
  await Promise.race([logged, elapsed(STDERR_DRAIN_MS)]);
  child.stderr.destroy();
  child.stdin.destroy();
  const { output, error } = outputOf(run.stdout);
  run.output = output;
  run.error = error ?? exitError(run);
  run.durationMs = performance.now() - startedMs;
  run.endedAt = Date.now();
  return run;
}

/** Text that is no PluginOutput is itself the output; a JSON object without its keys gives null (measured). */
export function outputOf(stdout: string): { output: unknown; error: string | null } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(stdout);
  } catch {
    return { output: stdout, error: null };
  }
  if (parsed === null) return { output: null, error: null };
  if (typeof parsed !== 'object' || Array.isArray(parsed)) return { output: stdout, error: null };
  const { output = null, error = null } = parsed as { output?: unknown; error?: unknown };
  if (error !== null && typeof error !== 'string') return { output: stdout, error: null };
  return { output, error };
}

function exitError(run: ProcessRun): string | null {
  if (run.signal !== null) return `signal: ${run.signal === 'SIGKILL' ? 'killed' : run.signal}`;
  return run.exitCode === 0 ? null : `exit status ${run.exitCode}`;
}

async function readAll(source: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of source) chunks.push(chunk as Buffer);
  } catch {
    // A broken pipe ends the output where it broke.
  }
  return Buffer.concat(chunks).toString();
}

/** And a turn of the event loop more, so that a busy simulator has looked at the pipe at least once. */
async function elapsed(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  await new Promise((resolve) => setImmediate(resolve));
}

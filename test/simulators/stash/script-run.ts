// One run of a plugin with `interface: js`. The file is read and compiled at each run; one that is not
// there or does not compile could not be started, which takes later plugins' hooks with it. One that throws
// has run, and its error is the plugin's (pkg/plugin/js.go; read, not measured).
import { readFileSync } from 'node:fs';
import type { LogLevel } from './log.ts';
import type { RunAbout, ScriptRun, Started } from './run.ts';
import { takeThread } from './script-pool.ts';
import type { ThreadMessage } from './script-thread.ts';

export interface ScriptOrder {
  readonly about: RunAbout;
  readonly file: string;
  /** JSON of the variable `input`. */
  readonly input: string;
  readonly engine: 'goja' | 'otto';
  readonly onLine: (level: LogLevel, text: string) => void;
  /** Only a task has it. */
  readonly onProgress: ((share: number) => void) | undefined;
  readonly onRun: (run: ScriptRun, kill: () => void) => void;
  readonly onEnd: (kill: () => void) => void;
  /** What `gql.Do` asks. `onFields` hears the root fields. */
  readonly ask: (
    body: string,
    onFields: (fields: string) => void,
  ) => Promise<{ readonly status: number; readonly body: string }>;
}

export function startScript(order: ScriptOrder): Promise<Started> {
  let source: string;
  try {
    source = readFileSync(order.file, 'utf8');
  } catch (error) {
    return Promise.resolve({
      kind: 'failed',
      message: `failed to read file: ${(error as Error).message}`,
    });
  }
  const { about, input, engine } = order;
  const run: ScriptRun = {
    ...about,
    engine: 'script',
    pid: null,
    startedAt: Date.now(),
    endedAt: null,
    durationMs: 0,
    exitCode: null,
    signal: null,
    stdout: '',
    output: null,
    error: null,
    stdin: input,
    asked: [],
  };
  const startedMs = performance.now();
  const thread = takeThread();
  let ended = (_: ScriptRun): void => {};
  const end = new Promise<ScriptRun>((resolve) => {
    ended = resolve;
  });
  const finish = (output: unknown, error: string | null): void => {
    if (run.endedAt !== null) return;
    Object.assign(run, { output, error, endedAt: Date.now(), durationMs: performance.now() - startedMs });
    order.onEnd(kill);
    ended(run);
  };
  const kill = (): void => {
    if (run.endedAt !== null) return;
    thread.kill();
    finish(null, 'interrupted');
  };
  return new Promise((resolve) => {
    const started = (): void => {
      if (run.endedAt !== null || hasStarted) return;
      hasStarted = true;
      order.onRun(run, kill);
      resolve({ kind: 'started', ended: end, kill, abandon: kill });
    };
    let hasStarted = false;
    const onMessage = (message: ThreadMessage): void => {
      if (message.kind !== 'broken') started();
      switch (message.kind) {
        case 'broken':
          thread.release();
          resolve({ kind: 'failed', message: message.message });
          return;
        case 'gql':
          void order
            .ask(message.body, (fields) => run.asked.push(fields))
            .then(({ status, body }) => {
              if (run.endedAt === null) thread.answer(status, body);
            });
          return;
        case 'log':
          order.onLine(message.level as LogLevel, message.text);
          return;
        case 'progress':
          order.onProgress?.(message.share);
          return;
        case 'ended': {
          thread.release();
          const { output, error } = JSON.parse(message.outcome) as { output: unknown; error: string | null };
          finish(output, error);
        }
      }
    };
    const onLost = (error: Error): void => {
      started();
      finish(null, error.message);
    };
    thread.run({ source, input, engine, hasProgress: order.onProgress !== undefined }, { onMessage, onLost });
  });
}

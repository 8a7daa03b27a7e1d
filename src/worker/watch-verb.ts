// The verb `watch` as this process runs it: until it is told to end, and then it ends soon.

import { version } from '../../package.json';
import { parseDuration } from '../cli/duration.ts';
import { accompany } from '../companion/companion.ts';
import type { Companion } from '../companion/presence.ts';
import { answerTo } from '../door/answer.ts';
import { cutOffRequests } from '../http/http-session.ts';
import { writeQuietly } from '../invocation/stash-log.ts';
import type { TaskResult } from '../invocation/task-result.ts';
import type { World } from '../invocation/world.ts';
import type { StashConnection } from '../stash/connection.ts';
import { worldOf } from './process-world.ts';

/** Less would ask Stash more often than a person can save, in ms. */
const MIN_EVERY_MS = 1_000;
/** After the signal, in ms: what waits for an answer waits no longer; Docker itself gives 10 s. */
const CUT_OFF_MS = 1_000;
const CUT_AGAIN_MS = 100;
/** The lease then ends by its time. */
const GIVE_UP_MS = 5_000;

export async function runWatch(
  world: World,
  data: string,
  connection: StashConnection,
  every: string,
): Promise<TaskResult> {
  const everyMs = parseDuration(every);
  if (everyMs < MIN_EVERY_MS) throw new Error('--every is at least 1s');
  const signal = toldToEnd();
  const self: Companion = {
    pid: process.pid,
    version,
    node: process.version,
    startedAt: new Date(world.writer.now().at).toISOString(),
    inv: world.writer.inv,
  };
  return accompany(world, {
    data,
    self,
    everyMs,
    signal,
    perform: async (args, log, ending) => {
      const own = { ...worldOf('task', data, connection, log), ending };
      try {
        return await answerTo(args, log, () => own);
      } finally {
        await own.dir.close();
      }
    },
  });
}

function toldToEnd(): AbortSignal {
  const ending = new AbortController();
  const end = () => {
    ending.abort();
    // Again and again: what fails may be tried once more before it is seen that all is to end.
    setTimeout(() => setInterval(cutOffRequests, CUT_AGAIN_MS).unref(), CUT_OFF_MS).unref();
    setTimeout(() => {
      writeQuietly(2, 'breakwater: what was under way did not end in time\n');
      process.exit(1);
    }, GIVE_UP_MS).unref();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, end);
  return ending.signal;
}

// A wake that finds nothing, whole process, by processor time: nobody waits for it, and there is at most one in two
// seconds. It must not depend on how long the journal is.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { makeRecord } from '../../src/breaker/journal/writer.ts';
import { processWriter } from '../../src/breaker/process.ts';
import { openDataDir } from '../../src/invocation/data-dir.ts';
import { saveAgenda } from '../../src/invocation/save-checkpoints.ts';
import { QueueLog } from '../../src/queue/queue-log.ts';
import { compare } from './measure.ts';
import { spawnedStash } from './spawned-stash.ts';

const BUNDLE = path.join(__dirname, '../plugin/breakwater.cjs');
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 15);
const LONG = Number(process.env.BENCH_EVENTS ?? 1_000_000);
/** Times the processor time of `node -e 0`. */
const BUDGET = 4;
const MAX_GROWTH = 0.05;
/** As many scenes as a library may have; each is delivered again and again. */
const SCENES = 5_000;

/** Whether it is within its budget. */
export async function benchWake(): Promise<boolean> {
  const root = mkdtempSync(path.join(tmpdir(), 'breakwater-bench-'));
  const stash = await spawnedStash(root);
  try {
    const candidates = [];
    for (const events of [100, LONG]) {
      const dir = path.join(root, String(events));
      await prepare(dir, events);
      const name = `wake, nothing changed, ${events} events in the journal`;
      const input = JSON.stringify({ server_connection: stash.connection, args: { mode: 'wake' } });
      candidates.push({ name, args: [BUNDLE], input, env: { BREAKWATER_DATA: dir } });
    }
    return report(compare(candidates, ROUNDS));
  } finally {
    stash.end();
    rmSync(root, { recursive: true, force: true });
  }
}

/** All is delivered, and Stash was looked at just now. */
async function prepare(dir: string, events: number): Promise<void> {
  const data = openDataDir(dir);
  const writer = processWriter('drain');
  const { at } = writer.now();
  await data.journal.append('queue', [makeRecord(writer, 'stash.looked', { upTo: at, begin: at })]);
  for (let done = 0; done < events; done += 1_000) {
    const records = Array.from({ length: Math.min(500, events / 2) }, (_, index) => {
      const job = `scene:${1 + ((done + index) % SCENES)}`;
      const upTo = Number.MAX_SAFE_INTEGER;
      return [
        makeRecord(writer, 'job.queued', { job, cause: 'change' }),
        makeRecord(writer, 'job.delivered', {
          job,
          upTo,
          result: 'unchanged',
          item: '7',
          digest: '0123456789abcdef',
        }),
      ];
    });
    await data.journal.append('queue', records.flat());
  }
  saveAgenda({ dir: data }, await QueueLog.open(data.journal, writer));
  await data.journal.close();
}

function report(rows: ReturnType<typeof compare>): boolean {
  for (const { name, cpuMs, cpuRatio, peakRatio } of rows) {
    process.stdout.write(
      `${name.padEnd(52)} ${cpuMs.toFixed(0).padStart(6)} ms CPU ${cpuRatio.toFixed(2).padStart(6)} × node  memory × ${peakRatio.toFixed(2)}\n`,
    );
  }
  const [, short, long] = rows.map(({ cpuRatio }) => cpuRatio);
  const growth = (long ?? Number.NaN) / (short ?? Number.NaN) - 1;
  process.stdout.write(
    `the long journal costs ${(growth * 100).toFixed(1)} % more (budget ± ${MAX_GROWTH * 100} %); a wake at most ${BUDGET} × node (${ROUNDS} interleaved rounds)\n\n`,
  );
  return (short ?? Number.NaN) <= BUDGET && Math.abs(growth) <= MAX_GROWTH;
}

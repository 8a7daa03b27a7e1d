// What it costs to verify a long log, whole process, beside the least that any reader must do: splitting the same bytes into
// lines and parsing each as JSON. Budgets are printed beside; over budget is an exit code.
// BENCH_RECORDS: how many records (1 000 000).

import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { writeControlLog } from './control-log.ts';
import { median, peakKb } from './measure.ts';

const RECORDS = Number(process.env.BENCH_RECORDS ?? 1_000_000);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const BUNDLE = path.join(__dirname, '../plugin/breakwater.cjs');
/** For 1 000 000 records; fewer are allowed as much less. */
const MAX_SECONDS = 15;
const MAX_PEAK_MB = 300;
const READ_BYTES = 1024 * 1024;

if (process.argv[2] === 'parse') parseAll(process.argv[3]!);
else main();

function main(): void {
  const dir = mkdtempSync(path.join(tmpdir(), 'breakwater-replay-bench-'));
  try {
    writeControlLog(dir, RECORDS);
    const mb = statSync(`${dir}/control.ndjson`).size / 1e6;
    say(`${RECORDS} control records, ${mb.toFixed(0)} MB, ${ROUNDS} interleaved rounds`);
    const env = { BREAKWATER_DATA: dir };
    const rows = [
      { name: 'JSON.parse of the same lines', args: [__filename, 'parse', dir], budget: null },
      { name: 'verify', args: [BUNDLE, 'verify', '--json'], budget: (MAX_SECONDS * RECORDS) / 1_000_000 },
      {
        name: 'replay --verify',
        args: [BUNDLE, 'replay', '--verify', '--json'],
        budget: (MAX_SECONDS * RECORDS) / 1_000_000,
      },
      { name: 'why', args: [BUNDLE, 'why'], budget: null },
      { name: 'replay --at (the whole log)', args: [BUNDLE, 'replay'], budget: null },
    ].map((row) => ({ ...row, input: '', env, seconds: [] as number[] }));
    for (let round = 0; round < ROUNDS; round++) {
      for (const row of rows) row.seconds.push(secondsOf(row.args, env));
    }
    report(rows.map((row) => ({ ...row, medianS: median(row.seconds), peakMb: peakKb(row) / 1024 })));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function secondsOf(args: readonly string[], env: Readonly<Record<string, string>>): number {
  const startedAt = process.hrtime.bigint();
  const run = spawnSync(process.execPath, [...args], { env: { ...process.env, ...env }, encoding: 'utf8' });
  if (run.status !== 0)
    throw new Error(`${args.join(' ')} ended with ${run.status}: ${run.stdout}${run.stderr}`);
  if (args.includes('verify')) assertWhole(run.stdout);
  return Number(process.hrtime.bigint() - startedAt) / 1e9;
}

/** A verification that compared nothing would be fast. */
function assertWhole(stdout: string): void {
  const { control } = JSON.parse(stdout) as { control: { agreed: number } };
  if (control.agreed !== RECORDS) throw new Error(`only ${control.agreed} of ${RECORDS} records agreed`);
}

interface Row {
  readonly name: string;
  readonly budget: number | null;
  readonly medianS: number;
  readonly peakMb: number;
}

function report(rows: readonly Row[]): void {
  const baseS = rows[0]?.medianS ?? Number.NaN;
  let isOver = false;
  say(['what'.padEnd(30), 'seconds', '× parse', 'records/s', 'peak MB', 'budget'].join('  '));
  for (const { name, budget, medianS, peakMb } of rows) {
    isOver ||= budget !== null && (medianS > budget || peakMb > MAX_PEAK_MB);
    say(
      [
        name.padEnd(30),
        medianS.toFixed(2).padStart(7),
        (medianS / baseS).toFixed(2).padStart(7),
        Math.round(RECORDS / medianS)
          .toString()
          .padStart(9),
        peakMb.toFixed(0).padStart(7),
        budget === null ? '' : `${budget.toFixed(1)} s, ${MAX_PEAK_MB} MB`,
      ].join('  '),
    );
  }
  say(isOver ? 'OVER BUDGET' : 'within budget');
  process.exitCode = isOver ? 1 : 0;
}

/** The baseline: read, split, parse. */
function parseAll(dir: string): void {
  const fd = openSync(`${dir}/control.ndjson`, 'r');
  const bytes = Buffer.allocUnsafe(READ_BYTES);
  let kept = 0;
  let total = 0;
  for (;;) {
    const got = readSync(fd, bytes, kept, READ_BYTES - kept, null);
    if (got === 0) break;
    const filled = bytes.subarray(0, kept + got);
    let start = 0;
    for (let end = filled.indexOf(10); end >= 0; end = filled.indexOf(10, start)) {
      if (end > start) total += (JSON.parse(filled.toString('utf8', start, end)) as { v: number }).v;
      start = end + 1;
    }
    kept = filled.length - start;
    filled.copyWithin(0, start);
  }
  closeSync(fd);
  if (total !== RECORDS) throw new Error(`parsed ${total} records`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

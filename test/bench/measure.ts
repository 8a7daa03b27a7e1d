// Timing whole processes against `node -e 0` in the same run: interleaved, medians, ratios. The machine is
// shared and noisy, so a time alone means nothing.

import { spawnSync } from 'node:child_process';

export interface Candidate {
  readonly name: string;
  readonly args: readonly string[];
  readonly input: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface Measured {
  readonly name: string;
  readonly medianMs: number;
  /** Median over median of the baseline. */
  readonly ratio: number;
  readonly peakRatio: number;
}

export const BASELINE: Candidate = { name: 'node -e 0', args: ['-e', '0'], input: '', env: {} };

/** Each round runs every candidate once, in turn, so that a slow moment of the machine hits all of them. */
export function compare(candidates: readonly Candidate[], rounds: number): Measured[] {
  const all = [BASELINE, ...candidates];
  const times = all.map(() => [] as number[]);
  for (const candidate of all) runOnce(candidate);
  for (let round = 0; round < rounds; round++) {
    all.forEach((candidate, index) => {
      times[index]?.push(runOnce(candidate));
    });
  }
  const baseMs = median(times[0] ?? []);
  const peaks = all.map((candidate) => median([1, 2, 3].map(() => peakKb(candidate))));
  return all.map(({ name }, index) => {
    const medianMs = median(times[index] ?? []);
    const peakRatio = (peaks[index] ?? Number.NaN) / (peaks[0] ?? Number.NaN);
    return { name, medianMs, ratio: medianMs / baseMs, peakRatio };
  });
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function runOnce({ name, args, input, env }: Candidate): number {
  const startedAt = process.hrtime.bigint();
  const run = spawnSync(process.execPath, [...args], { input, env: { ...cleanEnv(), ...env } });
  const ms = Number(process.hrtime.bigint() - startedAt) / 1e6;
  if (run.status !== 0) throw new Error(`${name} ended with ${run.status}: ${run.stderr}`);
  return ms;
}

/** Peak resident memory, told by the process itself as it ends. */
export function peakKb({ args, input, env }: Omit<Candidate, 'name'>): number {
  const tell = `process.on('exit',()=>require('fs').writeSync(2,'\\npeak '+process.resourceUsage().maxRSS+'\\n'))`;
  const preload = `data:text/javascript,import{createRequire}from'module';const require=createRequire('/');${tell}`;
  const run = spawnSync(process.execPath, ['--import', preload, ...args], {
    input,
    env: { ...cleanEnv(), ...env },
    encoding: 'utf8',
  });
  return Number(/peak (\d+)/.exec(run.stderr)?.[1]);
}

function cleanEnv(): NodeJS.ProcessEnv {
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  return env;
}

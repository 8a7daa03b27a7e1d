// Timing whole processes against `node -e 0` in the same run: interleaved, medians, ratios. The machine is
// shared and noisy, so a time alone means nothing.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';

export interface Candidate {
  readonly name: string;
  readonly args: readonly string[];
  readonly input: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface Measured {
  readonly name: string;
  /** Processor time, user and system, in ms. */
  readonly cpuMs: number;
  /** Medians over those of the baseline. */
  readonly cpuRatio: number;
  readonly peakRatio: number;
}

interface Sample {
  readonly cpuMs: number;
  readonly peakKb: number;
}

export const BASELINE: Candidate = { name: 'node -e 0', args: ['-e', '0'], input: '', env: {} };

/** What a process used, told by itself as it ends. */
const TELL = `process.on('exit',()=>{const {user,system}=process.cpuUsage();
require('fs').writeSync(2,'\\nused '+(user+system)/1000+' '+process.resourceUsage().maxRSS+'\\n')});`;

/** Each round runs every candidate once, in turn, so that a slow moment of the machine hits all of them. */
export function compare(candidates: readonly Candidate[], rounds: number): Measured[] {
  const all = [BASELINE, ...candidates];
  const samples = all.map(() => [] as Sample[]);
  for (const candidate of all) runOnce(candidate);
  for (let round = 0; round < rounds; round++) {
    for (const [index, candidate] of all.entries()) samples[index]?.push(runOnce(candidate));
  }
  const medians = samples.map((some) => ({
    cpuMs: median(some.map(({ cpuMs }) => cpuMs)),
    peakKb: median(some.map(({ peakKb }) => peakKb)),
  }));
  const [base] = medians;
  return all.map(({ name }, index) => {
    const { cpuMs = Number.NaN, peakKb = Number.NaN } = medians[index] ?? {};
    return {
      name,
      cpuMs,
      cpuRatio: cpuMs / (base?.cpuMs ?? Number.NaN),
      peakRatio: peakKb / (base?.peakKb ?? Number.NaN),
    };
  });
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Peak resident memory. */
export function peakKb(candidate: Candidate): number {
  return runOnce(candidate).peakKb;
}

function runOnce({ name, args, input, env }: Candidate): Sample {
  const dir = mkdtempSync(path.join(tmpdir(), 'breakwater-measure-'));
  try {
    const tell = path.join(dir, 'tell.cjs');
    writeFileSync(tell, TELL);
    const run = spawnSync(process.execPath, ['--require', tell, ...args], {
      input,
      env: { ...cleanEnv(), ...env },
      encoding: 'utf8',
    });
    const [, cpuMs, peakKb] = /used (\S+) (\d+)/.exec(run.stderr) ?? [];
    if (run.status === 0 && cpuMs !== undefined) return { cpuMs: Number(cpuMs), peakKb: Number(peakKb) };
    throw new Error(`${name} ended with ${run.status}: ${run.stderr}`);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function cleanEnv(): NodeJS.ProcessEnv {
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  return env;
}

// This process as a writer: its clocks, its dice, its name; and whether another process is still there.
// The only place that reads the clock, draws random numbers or looks at process ids.

import * as fs from 'node:fs';
import type { Moment } from '../../machines/time.ts';
import type { Writer } from './journal/writer.ts';

/** `kind`: what kind of invocation writes; the first part of its name in the journal. */
export function processWriter(kind: string): Writer {
  const boot = bootId();
  const suffix = Math.floor(Math.random() * 0x1_0000_0000)
    .toString(16)
    .padStart(8, '0');
  return {
    inv: `${kind}-${suffix}`,
    now: () => ({ at: Date.now(), mono: monotonicMs(), boot }),
    random: Math.random,
  };
}

/** Milliseconds on a clock that all processes of this boot share. */
function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1000;
}

/** Names the boot. Where the system does not, the time of boot to ten minutes: a stepped clock makes it another. */
function bootId(): string {
  knownBootId ??= readBootId();
  return knownBootId;
}

let knownBootId: string | undefined;

function readBootId(): string {
  try {
    // As UTF-8: for that Node has a short cut.
    return fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 13);
  } catch {
    const bootedAt = Date.now() - monotonicMs();
    return `b${Math.round(bootedAt / 600_000).toString(36)}`;
  }
}

/** A process id, and the space in which it means something: its boot and namespace. */
export interface ProcessName {
  readonly pid: number;
  readonly space: string;
}

/** What is asked of the system about processes. */
export interface ProcessTable {
  self(): ProcessName;
  /** True only when it is certain: same space, and no such process, or only its zombie. `heardAt`: when it last wrote. */
  isGone(holder: ProcessName, heardAt?: Moment): boolean;
}

/** The system's own. */
const SYSTEM: ProcessTable = {
  self: () => ({ pid: process.pid, space: processSpace() }),
  isGone: (holder, heardAt) =>
    holder.space === processSpace() && (isGoneHere(holder.pid, heardAt) || isBeforeUs(holder, heardAt)),
};

let table = SYSTEM;

/** For a simulation, whose processes are none of the system. Returns what puts the old one back. */
export function useProcessTable(simulated: ProcessTable): () => void {
  const before = table;
  table = simulated;
  return () => {
    table = before;
  };
}

/** This process, so that another can see it gone. */
export function thisProcess(): ProcessName {
  return table.self();
}

export function isGone(holder: ProcessName, heardAt?: Moment): boolean {
  return table.isGone(holder, heardAt);
}

/**
 * Whether it had our process id before we did. In a container that is started anew the main process has the same one
 * each time, and Linux gives the number of a namespace that has gone to the next.
 */
function isBeforeUs({ pid }: ProcessName, heardAt: Moment | undefined): boolean {
  return pid === process.pid && heardAt?.boot === bootId() && heardAt.mono < STARTED_MS;
}

/** On the monotonic clock. */
const STARTED_MS = monotonicMs() - 1_000 * process.uptime();

function isGoneHere(pid: number, heardAt: Moment | undefined): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
  try {
    const [, after = ''] = /.*\) (.*)/s.exec(fs.readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    const fields = after.split(' ');
    if (/[ZX]/.test(fields[0] ?? '')) return true;
    const upMs = 1_000 * Number(fs.readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
    return (
      heardAt?.boot === bootId() &&
      isYounger(Number(fields[STARTED_FIELD]), upMs, monotonicMs(), heardAt.mono)
    );
  } catch {
    return false;
  }
}

/** Behind the name of the process: when it was started, in ticks since the boot (proc_pid_stat(5)). */
const STARTED_FIELD = 19;
/** What every Linux tells programs, whatever its own is. */
const TICK_MS = 10;

/**
 * Whether a process was started after the holder last wrote: then it has the number of the holder, which is gone. The
 * system counts the time asleep (`upMs` without `nowMs`) for a process's start, and not for our clock: all of it is taken
 * off, so that this is certain. A container may be told another `upMs` than its system's (LXC): less than `nowMs`.
 */
export function isYounger(startedTicks: number, upMs: number, nowMs: number, heardMs: number): boolean {
  const asleepMs = upMs - nowMs;
  return asleepMs >= -TICK_MS && startedTicks * TICK_MS - asleepMs > heardMs + TICK_MS;
}

function processSpace(): string {
  try {
    return `${bootId()}/${fs.readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return bootId();
  }
}

// The log of this data dir under other settings. Reads, and writes nothing.

import { DEFAULT_POLICY, type Policy } from '../../machines/policy.ts';
import { backtest } from '../backtest/compare.ts';
import { readRecorded } from '../backtest/recorded.ts';
import { backtestLines } from '../cli/backtest.ts';
import { parseDuration } from '../cli/duration.ts';
import { duration } from '../cli/format.ts';
import { parseOutageNumber } from '../cli/point.ts';
import { openHistory, outageNumbered } from './outage-history.ts';
import type { TaskResult } from './task-result.ts';
import type { World } from './world.ts';

/** As they were typed; empty: as it was. */
export interface BacktestWish {
  readonly failureThreshold: string;
  readonly successThreshold: string;
  readonly recoveryTimeout: string;
  readonly maxWait: string;
  readonly outage: string;
}

const MAX_THRESHOLD = 20;
const MAX_WAIT_MS = 86_400_000;

export async function backtestLog(world: World, wish: BacktestWish): Promise<TaskResult> {
  const overrides = overridesOf(wish);
  const { control, history } = await openHistory(world.dir.journal, world.writer);
  const only = wish.outage === '' ? null : outageNumbered(history, parseOutageNumber(wish.outage)).number;
  const recorded = await readRecorded(world.dir.journal);
  const document = backtest(recorded, control.state.breaker.context.policy, overrides, only);
  return { isOk: true, lines: backtestLines(document), document };
}

function overridesOf({
  failureThreshold,
  successThreshold,
  recoveryTimeout,
  maxWait,
}: BacktestWish): Partial<Policy> {
  const success = thresholdOf('--success-threshold', successThreshold);
  const overrides = {
    failureThreshold: thresholdOf('--failure-threshold', failureThreshold),
    successThreshold: success,
    // Flapping never asks for less.
    successThresholdFlapping:
      success === undefined ? undefined : Math.max(success, DEFAULT_POLICY.successThresholdFlapping),
    recoveryTimeoutMs: waitOf('--recovery-timeout', recoveryTimeout),
    recoveryTimeoutMaxMs: waitOf('--max-wait', maxWait),
  };
  const given = Object.entries(overrides).filter(([, value]) => value !== undefined);
  if (given.length === 0)
    throw new Error('say what would have been other, for instance --recovery-timeout 30s');
  return Object.fromEntries(given);
}

function thresholdOf(option: string, typed: string): number | undefined {
  if (typed === '') return undefined;
  const count = Number(typed);
  if (Number.isInteger(count) && count >= 1 && count <= MAX_THRESHOLD) return count;
  throw new Error(`${option} is a whole number from 1 to ${MAX_THRESHOLD}`);
}

function waitOf(option: string, typed: string): number | undefined {
  if (typed === '') return undefined;
  const ms = parseDuration(typed);
  if (ms >= 1_000 && ms <= MAX_WAIT_MS) return ms;
  throw new Error(`${option} is from 1s to ${duration(MAX_WAIT_MS)}`);
}

// Three processes that share one control log and say only what is theirs to say: claims at any time, results only
// of a lease that they believe to hold. Between two moves time passes, clocks step and the machine reboots.
import fc from 'fast-check';
import type { ControlEvent } from '../../machines/events.ts';
import { ControlLog } from '../../src/breaker/control/control-log.ts';
import type { Step } from '../../src/breaker/control/replay.ts';
import { MemoryJournal } from '../../src/breaker/journal/memory-journal.ts';
import { FakeClock, fakeWriter } from './fake-writer.ts';

export const drainClaim = { type: 'lease.claimed', lease: 'drain', forMs: 120_000, draw: 0.5 } as const;
export const probeClaim = { type: 'lease.claimed', lease: 'probe', forMs: 15_000, draw: 0.5 } as const;
export const probeFailed = (lease: 'drain' | 'probe', epoch: number) =>
  ({ type: 'probe.failed', lease, epoch, class: 'outage', symptom: 'refused', draw: 0.5 }) as const;

export interface Move {
  readonly who: number;
  /** Reads what is new, or says something: which, out of what it may say, is the number. */
  readonly does: 'refreshes' | number;
  readonly ms: number;
  readonly clock: 'runs' | 'reboots' | 'steps back' | 'steps on';
}

const move: fc.Arbitrary<Move> = fc.record({
  who: fc.nat({ max: 2 }),
  does: fc.oneof(
    { weight: 1, arbitrary: fc.constant('refreshes' as const) },
    { weight: 4, arbitrary: fc.nat({ max: 9 }) },
  ),
  ms: fc.constantFrom(0, 10, 1_000, 60_000, 150_000, 1_000_000),
  clock: fc.oneof(
    { weight: 20, arbitrary: fc.constant('runs' as const) },
    { weight: 1, arbitrary: fc.constantFrom('reboots' as const, 'steps back' as const, 'steps on' as const) },
  ),
});

export const moves = (maxLength: number) => fc.array(move, { maxLength, size: 'max' });

const NAMES = ['one', 'two', 'three'];
const STEP_MS = 3_600_000;

export async function playHonestly(all: readonly Move[], onSaid: (step: Step) => void = () => {}) {
  const clock = new FakeClock();
  const journal = new MemoryJournal();
  const logs = await Promise.all(
    NAMES.map((name, index) => ControlLog.open(journal, fakeWriter(clock, name, index))),
  );
  for (const { who, does, ms, clock: moves } of all) {
    clock.advance(ms);
    if (moves === 'reboots') clock.reboot(30_000);
    if (moves === 'steps back') clock.stepWall(-STEP_MS);
    if (moves === 'steps on') clock.stepWall(STEP_MS);
    const log = logs[who]!;
    if (does === 'refreshes') {
      await log.refresh();
      continue;
    }
    const recorded = await log.append(...said(log, NAMES[who]!, does, clock));
    if (recorded.ok) recorded.steps.forEach(onSaid);
  }
  return { clock, journal, logs };
}

function said(log: ControlLog, inv: string, choice: number, clock: FakeClock): readonly ControlEvent[] {
  const { drain, probe } = log.state;
  const holds = (lease: typeof drain) => lease.value === 'held' && lease.context.owner === inv;
  const under = { lease: 'drain', epoch: drain.context.epoch } as const;
  const asking = { lease: 'probe', epoch: probe.context.epoch } as const;
  if (holds(probe)) {
    const released = { type: 'lease.released', ...asking, reason: 'asked' } as const;
    if (choice < 4) return [{ type: 'probe.succeeded', ...asking, tookMs: 1, pending: 2 }, released];
    return choice < 8 ? [probeFailed('probe', asking.epoch), released] : [released];
  }
  if (choice < 2) return [choice === 0 ? probeClaim : { ...probeClaim, isForced: true }];
  if (!holds(drain)) return [drainClaim];
  if (choice < 5) return [{ type: 'attempt.succeeded', ...under, count: choice }];
  if (choice === 5) return [probeFailed('drain', under.epoch)];
  if (choice === 6) {
    const answeredAt = clock.now().at - 5_000;
    return [{ type: 'lease.released', ...under, reason: 'idle', answeredAt }];
  }
  if (choice === 7) return [{ type: 'backlog.drained', ...under }];
  const failure = choice === 8 ? 'outage' : 'transient';
  return [{ type: 'attempt.failed', ...under, class: failure, symptom: 'timeout', draw: 0.1 }];
}

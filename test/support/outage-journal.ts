// A recorded outage in which every machine moves, some records are void, and a reason looks like a page.

import type { ControlEvent } from '../../machines/events.ts';
import { DEFAULT_POLICY } from '../../machines/policy.ts';
import { ControlLog } from '../../src/breaker/control/control-log.ts';
import type { Journal } from '../../src/breaker/journal/journal.ts';
import { FakeClock, fakeWriter } from './fake-writer.ts';

export const HOSTILE_REASON =
  '<script>window.wasRun = true</script>\u001b[2J<img src=x onerror="window.wasRun=true">';

/** Three dozen records over some minutes. Answers the log, to go on with. */
export async function writeOutage(journal: Journal): Promise<{ log: ControlLog; clock: FakeClock }> {
  const clock = new FakeClock();
  const log = await ControlLog.open(journal, fakeWriter(clock, 'drain-0a1b2c3d'));
  const hook = await ControlLog.open(journal, fakeWriter(clock, 'hook-99887766', 2));
  const say = async (afterMs: number, ...events: readonly ControlEvent[]) => {
    clock.advance(afterMs);
    await log.refresh();
    await log.appendOrThrow(...events);
  };
  const drain = () => ({ lease: 'drain', epoch: log.state.drain.context.epoch }) as const;
  const probe = () => ({ lease: 'probe', epoch: log.state.probe.context.epoch }) as const;
  const claim = { type: 'lease.claimed', lease: 'drain', forMs: 120_000, draw: 0.25 } as const;
  const ask = { type: 'lease.claimed', lease: 'probe', forMs: 15_000, draw: 0.5 } as const;
  const succeeded = (count: number) => ({ type: 'attempt.succeeded', ...drain(), count }) as const;
  const failed = (symptom: string) =>
    ({
      type: 'attempt.failed',
      ...drain(),
      class: 'outage',
      symptom,
      draw: 0.5,
      subject: 'scene:12',
    }) as const;

  await say(0, { type: 'policy.set', policy: DEFAULT_POLICY, server: { id: 'abc', under: '1f2e' } });
  await hook.refresh();
  await hook.append({ type: 'lease.requested', lease: 'drain', forMs: 10_000 });
  await say(400, { ...claim, process: { pid: 4711, space: 'boot/pid:[1]' } });
  // Of a hook that came at the same time: void, the lease is held.
  await hook.refresh();
  await hook.append({ type: 'lease.requested', lease: 'drain', forMs: 10_000 });
  await say(800, succeeded(1));
  await say(1_500, succeeded(3));
  await say(2_000, failed('refused'));
  await say(300, { type: 'probe.failed', ...drain(), class: 'outage', symptom: 'refused', draw: 0.5 });
  for (const [symptom, kind] of [
    ['refused', 'outage'],
    ['503 maintenance', 'maintenance'],
    ['503 maintenance', 'maintenance'],
  ] as const) {
    await say(61_000, { type: 'lease.renewed', ...drain(), forMs: 120_000 }, ask);
    await say(40, { type: 'probe.failed', ...probe(), class: kind, symptom, draw: 0.5 });
    await say(1, { type: 'lease.released', ...probe(), reason: 'asked' });
  }
  // Of an epoch that is over: void.
  await say(10, { type: 'probe.succeeded', lease: 'probe', epoch: 1, tookMs: 7, pending: 1 });
  await say(70_000, { type: 'lease.renewed', ...drain(), forMs: 120_000 }, ask);
  await say(30, { type: 'probe.succeeded', ...probe(), tookMs: 28, pending: 17 });
  await say(1, { type: 'lease.released', ...probe(), reason: 'asked' });
  for (const count of [1, 1, 2, 4, 8]) await say(500, succeeded(count));
  await say(200, { type: 'backlog.drained', ...drain() });
  await say(900, { type: 'hold.placed', hold: 'throttle', stance: 'open', reason: '429', forMs: 5_000 });
  await say(6_000, { type: 'hold.released', hold: 'throttle', reason: 'over' });
  await say(3_000, {
    type: 'hold.placed',
    hold: 'operator',
    stance: 'open',
    reason: HOSTILE_REASON,
    forMs: 9e5,
  });
  await say(100, {
    type: 'hold.placed',
    hold: 'config',
    stance: 'open',
    reason: '401',
    forMs: 300_000,
    under: 'x',
  });
  await say(2_000, { type: 'lease.released', ...drain(), reason: 'idle', answeredAt: clock.now().at - 100 });
  return { log, clock };
}

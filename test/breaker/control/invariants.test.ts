// The invariants of test/simulation/invariants.ts that are about control, over random logs. The number is in the name.
import fc from 'fast-check';
import { expect, expectTypeOf, test } from 'vitest';
import type { ControlEvent } from '../../../machines/events.ts';
import type { CountedClass } from '../../../machines/failure-classes.ts';
import { type Moment, remainingMs } from '../../../machines/time.ts';
import { gate, isDrainerNeeded, isHeld, isLeaseLive } from '../../../src/breaker/control/decide.ts';
import { evolve } from '../../../src/breaker/control/evolve.ts';
import type { ControlState } from '../../../src/breaker/control/state.ts';
import { type Passed, play, strokes } from '../../support/control-logs.ts';
import { event } from '../../support/machine-events.ts';

const RUNS = { numRuns: process.env.BREAKWATER_LONG === undefined ? 200 : 5_000 };

function forEachPassed(check: (passed: Passed, history: readonly Passed[]) => void): void {
  fc.assert(
    fc.property(strokes(), (log) => {
      const { passed } = play(log);
      for (const [index, one] of passed.entries()) check(one, passed.slice(0, index));
    }),
    RUNS,
  );
}

const isProbeClaim = ({ event }: Passed) => event.type === 'lease.claimed' && event.lease === 'probe';

test('1: while the breaker is open the gate lets no job through, unless somebody holds it closed', () => {
  forEachPassed(({ event: { moment }, after }) => {
    if (after.breaker.value !== 'open') return;
    const isForcedClosed = (['operator', 'config', 'throttle'] as const).some(
      (hold) => isHeld(after, hold, moment) && after[hold].context.stance === 'closed',
    );
    if (!isForcedClosed) expect(gate(after, moment).kind).not.toBe('go');
  });
});

test('2: a probe is granted only when no other is live, and each under an epoch of its own', () => {
  forEachPassed((one) => {
    const { before, after, event } = one;
    if (!isProbeClaim(one) || after === before) return;
    expect(before.probe.value === 'held' && isLeaseLive(before, 'probe', event.moment)).toBe(false);
    expect(after.probe).toMatchObject({ value: 'held', context: { owner: event.by } });
    expect(after.probe.context.epoch).toBe(before.probe.context.epoch + 1);
    expect(after.recovery.value).toBe('probing');
  });
});

test('2: an unforced probe is granted only when its wait is over', () => {
  forEachPassed((one) => {
    const { before, after, event } = one;
    if (!isProbeClaim(one) || after === before || !('isForced' in event)) return;
    const { due } = before.recovery.context;
    if (event.isForced !== true && due !== null) expect(remainingMs(due, event.moment)).toBe(0);
  });
});

/** Moments from which everything that was waited for is over: much later here, and after a reboot with any clock. */
function farMoments({ at, mono, boot }: Moment): readonly Moment[] {
  const farMs = 1e11;
  return [
    { at: at + farMs, mono: mono + farMs, boot },
    { at: at + farMs, mono: 0, boot: 'boot-after' },
    { at: at - farMs, mono: 0, boot: 'boot-before' },
    { at: at - farMs, mono: mono + farMs, boot },
  ];
}

function isWedged(state: ControlState, now: Moment): boolean {
  const { kind } = gate(state, now);
  if (kind === 'go') return false;
  const claimed = evolve(state, event('lease.claimed', {}, now, 'rescuer'));
  return kind !== 'probe' || claimed === state || claimed.probe.context.owner !== 'rescuer';
}

test('3: no wedge: after every prefix, with time enough, work goes on or a probe is granted', () => {
  forEachPassed(({ event: { moment }, after }) => {
    for (const now of farMoments(moment)) expect(isWedged(after, now)).toBe(false);
  });
});

test('3: no wedge: with time enough a drainer is needed and is granted its lease', () => {
  forEachPassed(({ event: { moment }, after }) => {
    for (const now of farMoments(moment)) {
      expect(isDrainerNeeded(after, now, false)).toBe(true);
      const claimed = evolve(after, event('lease.claimed', { lease: 'drain' }, now, 'rescuer'));
      expect(claimed.drain).toMatchObject({ value: 'held', context: { owner: 'rescuer' } });
    }
  });
});

test('3: whoever is granted a probe can end the outage', () => {
  forEachPassed(({ event: { moment }, after }) => {
    if (after.breaker.value !== 'open') return;
    const now = farMoments(moment)[0]!;
    const claimed = ['probe', 'drain'].reduce(
      (state, lease) => evolve(state, event('lease.claimed', { lease } as never, now, 'rescuer')),
      after,
    );
    const back = evolve(
      claimed,
      event('probe.succeeded', { epoch: claimed.probe.context.epoch }, now, 'rescuer'),
    );
    expect([back.breaker.value, back.recovery.value]).toEqual(['halfOpen', 'proving']);
    const { epoch } = back.drain.context;
    const closed = evolve(back, event('attempt.succeeded', { epoch, count: 3 }, now, 'rescuer'));
    expect([closed.breaker.value, closed.recovery.value]).toEqual(['closed', 'ramping']);
  });
});

test('4: only failures that say something of the server are ever given to the breaker', () => {
  type Classes = Extract<ControlEvent, { class: unknown }>['class'];
  expectTypeOf<Classes>().toEqualTypeOf<CountedClass>();
  expectTypeOf<CountedClass>().toEqualTypeOf<'outage' | 'maintenance' | 'transient'>();
});

test('4: nothing opens the breaker but a counted failure or a failed probe of the holder', () => {
  forEachPassed(({ event, before, after }) => {
    if (before.breaker.value === after.breaker.value || after.breaker.value !== 'open') return;
    expect(['attempt.failed', 'probe.failed']).toContain(event.type);
  });
});

test('4: a hold for settings or for throttling leaves the breaker and the recovery flow alone', () => {
  forEachPassed(({ event, before, after }) => {
    if (event.type !== 'hold.placed' && event.type !== 'hold.released') return;
    expect(after.breaker).toBe(before.breaker);
    expect(after.recovery).toBe(before.recovery);
  });
});

test('5: closing needs as many canary successes since the probe as it asked for, each of its current epoch', () => {
  forEachPassed((one, history) => {
    const { before, after } = one;
    if (before.breaker.value === 'closed' || after.breaker.value !== 'closed') return;
    expect(before.breaker.value).toBe('halfOpen');
    const since = history.findLastIndex((past) => past.before.breaker.value !== 'halfOpen');
    let successes = 0;
    for (const { event, before } of [...history.slice(since + 1), one]) {
      if (event.type !== 'attempt.succeeded') continue;
      const { epoch, owner } = before.drain.context;
      const isCurrent = before.drain.value === 'held' && event.epoch === epoch && event.by === owner;
      if (isCurrent) successes += event.count;
    }
    expect(successes).toBeGreaterThanOrEqual(before.breaker.context.successesNeeded);
  });
});

test('5: a closed breaker came by half-open: nothing closes it at once', () => {
  forEachPassed(({ before, after }) => {
    if (before.breaker.value === 'open') expect(['open', 'halfOpen']).toContain(after.breaker.value);
  });
});

test('6: results of old epochs, and of those who hold nothing, change nothing', () => {
  forEachPassed(({ event, before, after }) => {
    if (!('epoch' in event)) return;
    const { value, context } = before[event.lease];
    if (value !== 'held' || context.epoch !== event.epoch) expect(after).toBe(before);
    if (context.owner !== event.by && event.type !== 'lease.lost') expect(after).toBe(before);
  });
});

test('6: epochs only grow, by one, and only by a claim', () => {
  forEachPassed(({ event, before, after }) => {
    for (const lease of ['drain', 'probe'] as const) {
      const grown = after[lease].context.epoch - before[lease].context.epoch;
      expect([0, 1]).toContain(grown);
      if (grown === 1) expect(event).toMatchObject({ type: 'lease.claimed', lease });
    }
  });
});

test('12: a wall clock that steps within a boot changes no decision', () => {
  forEachPassed(({ event: { moment }, after }) => {
    const asked = gate(after, moment);
    // Waits of another boot go by the wall clock; those of this boot do not.
    const waits = [
      after.recovery.context.due,
      after.probe.context.ends,
      after.operator.context.ends,
      after.config.context.ends,
      after.throttle.context.ends,
    ];
    if (waits.some((wait) => wait !== null && wait.from.boot !== moment.boot)) return;
    for (const stepMs of [-1e9, -1, 1, 1e9]) {
      expect(gate(after, { ...moment, at: moment.at + stepMs })).toEqual(asked);
    }
  });
});

test('12: after a reboot with any clock the next probe is at most one wait away', () => {
  forEachPassed(({ event: { moment }, after }) => {
    const { due } = after.recovery.context;
    if (after.breaker.value !== 'open' || due === null) return;
    for (const stepMs of [-1e10, -10_000, -5_000, 0, 5_000, 1e10]) {
      const now = { at: moment.at + stepMs, mono: 0, boot: 'boot-next' };
      expect(remainingMs(due, now)).toBeLessThanOrEqual(due.waitMs);
    }
  });
});

test('13: what the gate says remains is above nothing and at most the whole wait', () => {
  forEachPassed(({ event: { moment }, after }) => {
    const answer = gate(after, moment);
    if (answer.kind === 'wait') {
      expect(answer.remainingMs).toBeGreaterThan(0);
      // The wait of the recovery flow, or of a prober that has the lease.
      const waits = [after.recovery.context.due, after.probe.context.ends].map((wait) => wait?.waitMs ?? 0);
      expect(answer.remainingMs).toBeLessThanOrEqual(Math.max(...waits));
    }
    if (answer.kind === 'held') {
      expect(answer.remainingMs).toBeGreaterThan(0);
      expect(answer.remainingMs).toBeLessThanOrEqual(after[answer.hold].context.ends!.waitMs);
    }
  });
});

test('14: the ramp widens only on acknowledged jobs, and never past what they earned', () => {
  forEachPassed(({ event, before, after }) => {
    const [from, to] = [before.recovery.context, after.recovery.context];
    if (to.limit <= from.limit) return;
    expect(event.type).toBe('attempt.succeeded');
    expect(before.recovery.value).toBe('ramping');
    const count = event.type === 'attempt.succeeded' ? event.count : 0;
    expect(to.limit - from.limit).toBeLessThanOrEqual(from.acknowledged + count);
  });
});

test('14: a ramp begins with one job', () => {
  forEachPassed(({ before, after }) => {
    if (before.recovery.value === 'ramping' || after.recovery.value !== 'ramping') return;
    expect(after.recovery.context).toMatchObject({ limit: 1, acknowledged: 0, hasBacklog: true });
  });
});

test('18: a hold ends by its expiry though nobody writes that down', () => {
  forEachPassed(({ event: { moment }, after }) => {
    for (const hold of ['operator', 'config', 'throttle'] as const) {
      const { value, context } = after[hold];
      if (value !== 'held' || context.ends === null || context.ends.from.boot !== moment.boot) continue;
      const { from, waitMs } = context.ends;
      const at = (ms: number) => ({ at: from.at + ms, mono: from.mono + ms, boot: from.boot });
      if (waitMs > 0) expect(isHeld(after, hold, at(waitMs - 1))).toBe(true);
      expect(isHeld(after, hold, at(waitMs))).toBe(false);
    }
  });
});

test('the breaker is open exactly while the recovery flow waits or probes, when nobody says a result twice', () => {
  fc.assert(
    fc.property(strokes(), (log) => {
      const results = new Set<number>();
      for (const { event, before, after } of play(log).passed) {
        const isResult = event.type === 'probe.succeeded' || event.type === 'probe.failed';
        if (isResult && event.lease === 'probe' && after !== before) {
          if (results.has(event.epoch)) return;
          results.add(event.epoch);
        }
        const isAway = after.recovery.value === 'waiting' || after.recovery.value === 'probing';
        expect(isAway).toBe(after.breaker.value === 'open');
        expect(after.recovery.value === 'proving').toBe(after.breaker.value === 'halfOpen');
      }
    }),
    RUNS,
  );
});

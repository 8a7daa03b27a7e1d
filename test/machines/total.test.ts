// Guards and assignments are total: one that hears an event which it is not made for (a transition that names it for the
// wrong event compiles) says no, or changes nothing that it would have to guess.
import { describe, expect, test } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import { type BreakerContext, breakerMachine } from '../../machines/breaker.ts';
import { type HoldContext, holdMachine } from '../../machines/hold.ts';
import { type LeaseContext, leaseMachine } from '../../machines/lease.ts';
import { type RecoveryContext, recoveryMachine } from '../../machines/recovery.ts';
import { event } from '../support/machine-events.ts';
import { moment } from '../support/moments.ts';

type Args = { readonly context: unknown; readonly event: unknown };
type Named = Readonly<Record<string, unknown>>;

/** The context after one assignment of the machine, asked by its name. */
function assigned<Context extends object>(
  machine: unknown,
  name: string,
  context: Context,
  heard: unknown,
): Context {
  const { actions } = (machine as AnyStateMachine).implementations as { actions: Named };
  const { assignment } = actions[name] as { assignment: Named | ((args: Args) => object) };
  const args = { context, event: heard };
  const news = typeof assignment === 'function' ? assignment(args) : assignment;
  return { ...context, ...news };
}

/** The names of the machine's guards that say yes. */
function guardsOpenTo(machine: unknown, context: object, heard: unknown): string[] {
  const { guards } = (machine as AnyStateMachine).implementations as { guards: Named };
  return Object.keys(guards).filter((name) =>
    (guards[name] as (args: Args) => boolean)({ context, event: heard }),
  );
}

describe('the breaker', () => {
  const context: BreakerContext = {
    ...(breakerMachine.config.context as BreakerContext),
    failures: 2,
    subjects: ['scene:1'],
    successes: 1,
    successesNeeded: 2,
  };
  const foreign = event('backlog.drained', {}, moment(7));

  test('takes no policy from an event that has none', () => {
    expect(assigned(breakerMachine, 'setPolicy', context, foreign)).toEqual(context);
  });

  test('counts a failure that has no subject, and keeps those that it knows', () => {
    const counted = assigned(breakerMachine, 'countFailure', context, event('probe.failed', {}, moment(7)));
    expect(counted).toEqual({ ...context, failures: 3, failedAt: moment(7) });
  });

  test('counts no success that nobody counted', () => {
    expect(assigned(breakerMachine, 'countSuccess', context, foreign)).toEqual(context);
  });

  test('takes nothing for a failed attempt, a probe or the last success that is none', () => {
    expect(guardsOpenTo(breakerMachine, context, foreign)).toEqual(['hasFailures']);
    expect(guardsOpenTo(breakerMachine, context, event('probe.failed', { class: 'outage' }))).toEqual([
      'hasFailures',
    ]);
    expect(guardsOpenTo(breakerMachine, context, event('lease.claimed', { lease: 'probe' }))).toEqual([
      'hasFailures',
    ]);
    expect(guardsOpenTo(breakerMachine, context, event('attempt.succeeded'))).toEqual([
      'hasFailures',
      'isProven',
    ]);
  });
});

describe('a hold', () => {
  test('takes no stance from an event that has none', () => {
    const context: HoldContext = { stance: 'closed', reason: 'r', under: 'u', ends: null };
    expect(assigned(holdMachine, 'place', context, event('hold.released'))).toEqual(context);
  });
});

describe('a lease', () => {
  const context: LeaseContext = {
    epoch: 4,
    owner: 'one',
    ends: { from: moment(0), waitMs: 9 },
    holder: { pid: 7, space: 'here' },
  };

  test('that no claim granted is of no known process', () => {
    const granted = assigned(
      leaseMachine,
      'grant',
      context,
      event('lease.requested', { forMs: 5 }, moment(7), 'two'),
    );
    expect(granted).toEqual({ epoch: 5, owner: 'two', ends: { from: moment(7), waitMs: 5 }, holder: null });
  });

  test('that was extended for no time is over at once', () => {
    const extended = assigned(leaseMachine, 'extend', context, event('lease.lost', {}, moment(7), 'two'));
    expect(extended).toEqual({ ...context, owner: 'two', ends: { from: moment(7), waitMs: 0 } });
  });

  test('is not current for one who names no epoch', () => {
    expect(guardsOpenTo(leaseMachine, context, event('lease.requested'))).toEqual([]);
    expect(guardsOpenTo(leaseMachine, context, event('lease.lost', { epoch: 4 }))).toEqual(['isCurrent']);
  });
});

describe('the recovery flow', () => {
  const context: RecoveryContext = {
    ...(recoveryMachine.config.context as RecoveryContext),
    limit: 4,
    acknowledged: 3,
  };
  const foreign = event('hold.placed', {}, moment(7));

  test('takes no policy from an event that has none', () => {
    expect(assigned(recoveryMachine, 'setPolicy', context, foreign)).toEqual(context);
  });

  test('waits its nominal time when nothing was drawn', () => {
    const waiting = assigned(recoveryMachine, 'startWaiting', context, foreign);
    expect(waiting).toEqual({ ...context, attempt: 0, due: { from: moment(7), waitMs: 60_000 } });
  });

  test('widens by nothing that was not acknowledged', () => {
    expect(assigned(recoveryMachine, 'widen', context, foreign)).toEqual(context);
  });

  test('gives its probe to nobody who claims something else', () => {
    expect(guardsOpenTo(recoveryMachine, context, foreign)).toEqual([]);
    expect(guardsOpenTo(recoveryMachine, context, event('lease.released', { lease: 'drain' }))).toEqual([]);
    expect(guardsOpenTo(recoveryMachine, context, event('lease.released'))).toEqual(['isProbeLease']);
    expect(guardsOpenTo(recoveryMachine, context, event('lease.claimed'))).toEqual([
      'isProbeDue',
      'isProbeLease',
    ]);
  });
});

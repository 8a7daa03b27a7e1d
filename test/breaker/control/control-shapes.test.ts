// What a control record must look like to be heard, part by part: a part that no check watches would let through what
// the machines were not made for.
import { describe, expect, test } from 'vitest';
import { CONTROL_EVENT_TYPES, type ControlEventType } from '../../../machines/events.ts';
import { DEFAULT_POLICY } from '../../../machines/policy.ts';
import { isControlEvent } from '../../../src/breaker/control/control-shapes.ts';
import { MAX_WAIT_MS } from '../../../src/breaker/journal/shape.ts';
import { withEach, withoutEach } from '../../support/spoilt.ts';

const result = { epoch: 3, class: 'outage', symptom: 'refused', draw: 0.5, retryAfterMs: 9 };
/** Each with all that it may have, and the parts that it may do without. */
const SOUND: Readonly<Record<ControlEventType, readonly [data: object, optional?: readonly string[]]>> = {
  'policy.set': [{ policy: DEFAULT_POLICY, server: { id: 'plex-a', under: 'settings-a' } }],
  'lease.requested': [{ lease: 'drain', forMs: 10 }],
  'lease.claimed': [
    { lease: 'probe', forMs: 10, draw: 0, isForced: true, process: { pid: 1, space: 'here' } },
    ['isForced', 'process'],
  ],
  'lease.renewed': [{ lease: 'drain', epoch: 0, forMs: 10 }],
  'lease.released': [{ lease: 'drain', epoch: 1, reason: 'done', answeredAt: 7 }, ['answeredAt']],
  'lease.lost': [{ lease: 'probe', epoch: 1 }],
  'probe.succeeded': [{ lease: 'probe', epoch: 1, tookMs: 0.5, pending: 0 }],
  'probe.failed': [{ lease: 'probe', ...result }, ['retryAfterMs']],
  'attempt.succeeded': [{ lease: 'drain', epoch: 1, count: 0 }],
  'attempt.failed': [
    { lease: 'drain', ...result, subject: 'scene:1', opensAfter: 1 },
    ['retryAfterMs', 'subject', 'opensAfter'],
  ],
  'backlog.drained': [{ lease: 'drain', epoch: 1 }],
  'hold.placed': [
    { hold: 'config', stance: 'closed', reason: 'r', forMs: 10, under: 'settings-a' },
    ['under'],
  ],
  'hold.released': [{ hold: 'throttle', reason: 'r' }],
};
const soundOf = (type: ControlEventType) => SOUND[type][0] as Readonly<Record<string, unknown>>;
const isHeard = (type: string, data: object) => isControlEvent(type, { ...data });

describe.each([...CONTROL_EVENT_TYPES])('%s', (type) => {
  const [data, optional = []] = SOUND[type];

  test('is heard as it should be', () => {
    expect(isHeard(type, data)).toBe(true);
  });

  test('is heard without exactly those parts that it may lack', () => {
    const lacking = withoutEach(data).filter(({ document }) => isHeard(type, document));
    expect(lacking.map(({ part }) => part)).toEqual(optional);
  });

  test('is not heard with any part of another kind', () => {
    for (const other of [null, [], {}, Number.NaN, -1, Symbol('none')]) {
      const heard = withEach(data, other).filter(({ document }) => isHeard(type, document));
      // Of a moment on the wall clock nothing says that it must be after 1970.
      expect(heard.map(({ part }) => part).filter((part) => part !== 'answeredAt' || other !== -1)).toEqual(
        [],
      );
    }
  });
});

test('every type is told once, and none that has no shape', () => {
  expect([...CONTROL_EVENT_TYPES].sort()).toEqual(Object.keys(SOUND).sort());
});

test('a type that nobody knows is not heard', () => {
  expect(isHeard('tide.turned', {})).toBe(false);
  expect(isHeard('constructor', {})).toBe(false);
});

describe('words are of closed lists', () => {
  test.each<[ControlEventType, string, readonly string[], readonly string[]]>([
    ['lease.lost', 'lease', ['drain', 'probe'], ['', 'operator']],
    ['probe.failed', 'class', ['outage', 'maintenance', 'transient'], ['', 'config', 'missing', 'throttled']],
    ['attempt.failed', 'class', ['outage', 'maintenance', 'transient'], ['', 'rejected']],
    ['hold.placed', 'hold', ['operator', 'config', 'throttle'], ['', 'drain']],
    ['hold.placed', 'stance', ['open', 'closed'], ['', 'halfOpen']],
    // Only a drainer attempts anything.
    ['attempt.succeeded', 'lease', ['drain'], ['', 'probe']],
    ['attempt.failed', 'lease', ['drain'], ['', 'probe']],
    ['backlog.drained', 'lease', ['drain'], ['', 'probe']],
  ])('%s, %s', (type, part, known, unknown) => {
    const heard = [...known, ...unknown].filter((word) => isHeard(type, { ...soundOf(type), [part]: word }));
    expect(heard).toEqual(known);
  });
});

describe('numbers have bounds', () => {
  const { policy } = soundOf('policy.set') as { policy: object };
  const policySet = (change: object) => ({ ...soundOf('policy.set'), policy: { ...policy, ...change } });
  const row = (type: ControlEventType, part: string, last: readonly number[], beyond: readonly number[]) =>
    [type, part, last, beyond] as const;
  test.each([
    row('lease.requested', 'forMs', [0, 0.5, MAX_WAIT_MS], [-1, MAX_WAIT_MS + 1]),
    row('lease.claimed', 'draw', [0, 1], [-0.001, 1.001]),
    row('lease.renewed', 'epoch', [0, Number.MAX_SAFE_INTEGER], [-1, 0.5, Number.MAX_SAFE_INTEGER + 1]),
    row('attempt.failed', 'opensAfter', [1], [0, 1.5]),
    row('probe.failed', 'retryAfterMs', [0, 1e12], [-1, Number.POSITIVE_INFINITY]),
    row('lease.released', 'answeredAt', [0, -1, 8.5e15], [8.6e15, -8.6e15]),
  ])('%s, %s', (type, part, last, beyond) => {
    const heard = [...last, ...beyond].filter((number) =>
      isHeard(type, { ...soundOf(type), [part]: number }),
    );
    expect(heard).toEqual(last);
  });

  test('a policy of no failures, no successes or no batch is none', () => {
    for (const part of ['failureThreshold', 'successThreshold', 'successThresholdFlapping', 'rampFull']) {
      expect(isHeard('policy.set', policySet({ [part]: 1 }))).toBe(true);
      expect(isHeard('policy.set', policySet({ [part]: 0 }))).toBe(false);
    }
  });

  test('the largest batch is a million', () => {
    expect(isHeard('policy.set', policySet({ rampFull: 1_000_000 }))).toBe(true);
    expect(isHeard('policy.set', policySet({ rampFull: 1_000_001 }))).toBe(false);
  });
});

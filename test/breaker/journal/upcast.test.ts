// A record from before a field was required is heard as if it had said what was true then.

import { expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../../machines/policy.ts';
import { isControlEvent } from '../../../src/breaker/control/control-shapes.ts';
import { eventOf } from '../../../src/breaker/control/replay.ts';
import { filledIn, upcast } from '../../../src/breaker/journal/upcast.ts';
import { makeRecord } from '../../../src/breaker/journal/writer.ts';
import { queueEventOf } from '../../../src/queue/queue-fold.ts';
import { isQueueEvent } from '../../../src/queue/queue-shapes.ts';
import { FakeClock, fakeWriter } from '../../support/fake-writer.ts';

const writer = fakeWriter(new FakeClock());
const SERVER = { id: 'plex', under: 'x' };
const SCOPE = { since: 5, depth: 'plex' };

test('a policy from before one of its settings counts, with the default of that', () => {
  const { vigilMs, ...before } = { ...DEFAULT_POLICY, failureThreshold: 7 };
  const record = makeRecord(writer, 'policy.set', { policy: before, server: SERVER });
  expect(isControlEvent(record.type, record.data)).toBe(false);
  expect(eventOf(record)).toMatchObject({ policy: { ...before, vigilMs } });
});

test('a scope and a count from before some of their fields count', () => {
  const requested = makeRecord(writer, 'reconcile.requested', { scope: SCOPE, cause: 'task' });
  const advanced = makeRecord(writer, 'reconcile.advanced', { cursor: 1, checked: 1, left: 0, gaps: {} });
  for (const { type, data } of [requested, advanced]) expect(isQueueEvent(type, data)).toBe(false);
  const scope = { ...SCOPE, newSince: null, isMissingOnly: false, libraries: [] };
  expect(queueEventOf(requested, 0)).toMatchObject({ scope });
  expect(queueEventOf(advanced, 0)).toMatchObject({ gaps: { kinds: {}, fields: {}, libraries: {} } });
});

test.each([
  ['is missing', { server: SERVER }],
  ['is none', { policy: null, server: SERVER }],
  ['has a field of a wrong type', { policy: { ...DEFAULT_POLICY, vigilMs: 'long' }, server: SERVER }],
])('a policy that %s stays void', (_what, data) => {
  expect(eventOf(makeRecord(writer, 'policy.set', data))).toBeNull();
});

test('a record of a type that has no older shape is given back as it is', () => {
  const upcasts = { 'test.said': filledIn('more', { n: 1 }) };
  for (const type of ['test.other', 'constructor', '__proto__']) {
    const record = makeRecord(writer, type, { more: {} });
    expect(upcast(record, upcasts)).toBe(record);
  }
  const record = makeRecord(writer, 'test.said', { more: {} });
  expect(upcast(record, upcasts)).toEqual({ ...record, data: { more: { n: 1 } } });
});

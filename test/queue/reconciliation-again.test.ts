// What is told of while a reconciliation runs: a page of it may have been read before.

import { expect, test } from 'vitest';
import {
  evolveReconciliation,
  NO_RECONCILIATION,
  type ReconcileEvent,
} from '../../src/queue/reconciliation.ts';
import { FILES_CHANGED, SHARED_GONE } from '../../src/reconcile/schedule.ts';

const MOMENT = { at: 1_000, mono: 0, boot: 'boot' };
const after = (...events: readonly ReconcileEvent[]) =>
  events.reduce((before, event) => evolveReconciliation(before, event, MOMENT), NO_RECONCILIATION);
const told = { type: 'reconcile.requested', scope: FILES_CHANGED, cause: 'files' } as const;
const gaps = { kinds: {}, fields: {}, libraries: {} };
const page = { type: 'reconcile.advanced', cursor: 8, checked: 8, left: 0, gaps } as const;
const finished = { type: 'reconcile.finished', result: 'done' } as const;

test('a file that is renamed while files are compared has them compared once more', () => {
  const once = after(told, told, page, finished);
  expect(once).toMatchObject({ state: 'running', cursor: 0, scope: FILES_CHANGED, cause: 'files' });
  expect(evolveReconciliation(evolveReconciliation(once, page, MOMENT), finished, MOMENT).state).toBe('idle');
});

test('what is told of waits for its turn, and is as wide as all that was told of', () => {
  const shared = { type: 'reconcile.requested', scope: SHARED_GONE, cause: 'change' } as const;
  const running = after(shared, shared, told);
  expect(running).toMatchObject({ state: 'running', scope: SHARED_GONE, again: { scope: FILES_CHANGED } });
  expect(after(shared, shared, told, page, finished)).toMatchObject({
    state: 'running',
    scope: FILES_CHANGED,
  });
});

test('a person who asks again while it runs is being served', () => {
  const asked = { type: 'reconcile.requested', scope: FILES_CHANGED, cause: 'task' } as const;
  expect(after(asked, asked, page, finished).state).toBe('idle');
});

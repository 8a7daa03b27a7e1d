// What becomes of a job by what its delivery came to, where the simulation and the drainer's tests do not say it plainly.

import { expect, test } from 'vitest';
import { type Attempt, NO_WAIT, settledAs } from '../../src/invocation/outcome.ts';
import type { Delivery } from '../../src/sync/deliver.ts';
import { sceneWith } from '../support/stash-scenes.ts';

const UNCERTAIN: Delivery = {
  kind: 'unchanged',
  isCertain: false,
  item: '7',
  own: { genre: ['ours'] },
  cover: null,
  digest: 'd',
  waitsFor: null,
  refused: [],
};

function attemptAfter(attempts: number): Attempt {
  const since = { since: 1, newest: 1, queuedAt: 0, causes: ['Scene.Update.Post'] };
  const deferredFor = attempts === 0 ? null : 'incomplete';
  const job = { job: 'scene:1', ...since, attempts, deferredFor, state: 'pending' } as const;
  return { job, upTo: 2, isExtra: false };
}

test('what an edit of before may still change is looked at again, then taken as it is', () => {
  const settled = (attempts: number) =>
    settledAs(attemptAfter(attempts), sceneWith({}), UNCERTAIN, 0, NO_WAIT, (path) => path);
  const waits = [0, 1].map(settled);
  expect(waits).toMatchObject([
    { event: { type: 'job.deferred', reason: 'incomplete', attempt: 1, waitMs: 5_000 } },
    { event: { type: 'job.deferred', reason: 'incomplete', attempt: 2, waitMs: 10_000 } },
  ]);
  expect(settled(2)).toMatchObject({
    event: { type: 'job.delivered', result: 'unchanged', own: { genre: ['ours'] } },
  });
});

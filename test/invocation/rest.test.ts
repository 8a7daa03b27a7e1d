// Waiting that can be told to end.

import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { rest } from '../../src/invocation/rest.ts';

const forEver = () => new Promise<void>(() => {});

test('ends at once when it is told to, and where it was told before', async () => {
  const ending = new AbortController();
  const resting = rest({ sleep: forEver, ending: ending.signal }, 1_000);
  ending.abort();
  await resting;
  await rest({ sleep: forEver, ending: ending.signal }, 1_000);
});

test('leaves nobody listening behind, however often: a companion rests for months with one signal', async () => {
  const ending = new AbortController();
  for (let count = 0; count < 100; count++) await rest({ sleep: async () => {}, ending: ending.signal }, 1);
  expect(getEventListeners(ending.signal, 'abort')).toEqual([]);
});

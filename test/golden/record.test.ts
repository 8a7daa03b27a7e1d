// Records the histories from the code of today: in every run to see that it still makes them so, and into this folder
// only when asked to (npm run golden:record), because a golden log is of the day on which it was recorded.

import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { expectedOf, goldenLog, readGolden, replayed } from '../../src/export/golden.ts';
import { HISTORIES } from './histories.ts';

test.each(HISTORIES)('$name: $guards', async ({ name, record, check }) => {
  const { journal } = await record();
  const original = await replayed(journal);
  check(original);
  const text = await goldenLog(journal);
  const golden = readGolden(text!);
  const redacted = await replayed(golden.journal);
  check(redacted);
  // The same story: all that is told by numbers and closed lists.
  const { digest: _, figures, ...told } = expectedOf(original);
  expect(expectedOf(redacted)).toMatchObject({
    counts: told.counts,
    state: told.state,
    outages: told.outages,
  });
  expect(expectedOf(redacted).figures).toEqual(figures);
  if (process.env.BREAKWATER_RECORD === '1') {
    writeFileSync(new URL(`${name}.ndjson`, import.meta.url), text!);
  }
});

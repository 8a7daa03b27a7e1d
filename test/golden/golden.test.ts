// Golden logs: recorded once, replayed for ever. Each comes out as it did when it was recorded, and has the property that
// it is kept for. A log that a user exported (`breakwater export --golden`) can be laid in this folder as it is.

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ERA } from '../../machines/era.ts';
import { decodeLine, encodeLine } from '../../src/breaker/journal/record.ts';
import { expectedOf, readGolden, replayed } from '../../src/export/golden.ts';
import { HISTORIES } from './histories.ts';

/** Eras of machines that fold alike: what changed between them is no behaviour. */
const ALIKE = ['5624410b', ERA];

const folder = new URL('./', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.ndjson'));

test('every recorded history is here', () => {
  expect(files).toEqual(expect.arrayContaining(HISTORIES.map(({ name }) => `${name}.ndjson`)));
});

describe.each(files)('%s', (file) => {
  const { header, journal } = readGolden(readFileSync(new URL(file, folder), 'utf8'));

  test('comes to what it came to', async () => {
    const { digest, counts, ...rest } = expectedOf(await replayed(journal));
    const { digest: expectedDigest, counts: expectedCounts, ...expected } = header.expected;
    expect(rest).toMatchObject(expected);
    expect(counts.drift).toBe(0);
    // Machines that have changed since take over what was recorded, and may hold it in other words.
    if (ALIKE.includes(header.era))
      expect({ digest, counts }).toEqual({ digest: expectedDigest, counts: expectedCounts });
  });

  test('is written today as it was, byte for byte', () => {
    const [, ...lines] = readFileSync(new URL(file, folder), 'utf8').trimEnd().split('\n');
    const read = lines.map((line) => ({ line, decoded: decodeLine(Buffer.from(line)) }));
    for (const { line, decoded } of read) {
      if (decoded.kind === 'record') expect(encodeLine(decoded.record)).toBe(line);
    }
    const { counts, queue } = header.expected;
    const damaged = read.filter(({ decoded }) => decoded.kind === 'damaged');
    expect(damaged).toHaveLength(counts.damaged + queue.damaged);
  });

  const history = HISTORIES.find(({ name }) => `${name}.ndjson` === file);
  test.runIf(history !== undefined)(`guards: ${history?.guards}`, async () => {
    history?.check(await replayed(journal));
  });
});

// The README's pictures are the machines as they are.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { MACHINES_BEGIN, MACHINES_END, withMachines } from '../../src/chart/readme.ts';

const readme = readFileSync(new URL('../../src/README.md', import.meta.url), 'utf8');

test('src/README.md shows the machines as they are', () => {
  expect(withMachines(readme) === readme, 'the drawings in src/README.md are stale: npm run docs').toBe(true);
});

test('what stands around the drawings stays, and writing twice changes nothing', () => {
  const written = withMachines(`before\n${MACHINES_BEGIN}\nstale picture\n${MACHINES_END}\nafter\n`);
  expect(written).toMatch(/^before\n<!-- machines -->\n\n\*\*breaker\*\*: /);
  expect(written).toMatch(/```\n\n<!-- \/machines -->\nafter\n$/);
  expect(written).not.toContain('stale picture');
  expect(withMachines(written)).toBe(written);
});

test.each(['nothing', MACHINES_BEGIN, `${MACHINES_END} ${MACHINES_BEGIN}`])(
  'without a place for them: %s',
  (text) => {
    expect(() => withMachines(text)).toThrow(/no place for the drawings: put <!-- machines -->/);
  },
);

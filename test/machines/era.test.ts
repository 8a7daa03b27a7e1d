// The era is a constant, so that a hook need not load XState; this test is what keeps it honest.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ERA } from '../../machines/era.ts';

const folder = new URL('../../machines/', import.meta.url);

/** Behaviour is in the sources; comments and white space are not behaviour. */
function digestOfMachines(): string {
  const hash = createHash('sha256');
  const files = readdirSync(folder).filter((name) => name.endsWith('.ts') && name !== 'era.ts');
  for (const name of files.sort()) {
    const code = readFileSync(new URL(name, folder), 'utf8')
      .replace(/\/\*[\s\S]*?\*\//g, '')
      .replace(/(^|\s)\/\/.*$/gm, '')
      .replace(/\s+/g, '');
    hash.update(`${name}\n${code}\n`);
  }
  return hash.digest('hex').slice(0, 8);
}

test('the era names the machines as they are', () => {
  const now = digestOfMachines();
  expect(ERA, `the machines have changed: put '${now}' into machines/era.ts`).toBe(now);
});

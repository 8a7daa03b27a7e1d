// What arrives on stdin: documents that a real Stash sent with some part replaced, and any bytes at all. It is a task
// or invalid, never a crash; what it names is one server and one folder. So is what one process hands to the next.

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { handedConnection, STASH_VARIABLE } from '../../src/door/handover.ts';
import { parseInput } from '../../src/door/input.ts';
import { headersOf, secretOf } from '../../src/stash/connection.ts';
import { BUNDLE, spawnAndRead } from '../support/live-world.ts';
import { mutated } from '../support/nonsense.ts';
import { PROPERTY_RUNS } from '../support/property-runs.ts';
import { tempDir } from '../support/temp-dir.ts';

const raw = fileURLToPath(new URL('../fixtures/captures/raw/', import.meta.url));
const captures = readdirSync(raw).map((name) => JSON.parse(readFileSync(`${raw}${name}`, 'utf8')) as unknown);

function expectSound(text: string): void {
  const input = parseInput(text);
  if (input.kind === 'invalid') return;
  const { connection, dir } = input.from;
  expect(new URL(connection.origin).pathname).toBe('/');
  expect(dir).not.toBe('');
  // Whatever is sent to Stash later is one header.
  for (const value of Object.values(headersOf(connection))) expect(value).not.toMatch(/[\r\n\0]/);
  expect(secretOf(connection)).not.toMatch(/[;\s]/);
}

test('documents of a real Stash with some part replaced', () => {
  fc.assert(
    fc.property(fc.constantFrom(...captures).chain(mutated), (document) =>
      expectSound(JSON.stringify(document)),
    ),
    PROPERTY_RUNS,
  );
});

test('documents of a real Stash with some bytes changed, and any bytes at all', () => {
  const texts = captures.map((document) => Buffer.from(JSON.stringify(document)));
  const changed = fc
    .tuple(fc.constantFrom(...texts), fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 6 }))
    .map(([text, changes]) => {
      const bytes = Buffer.from(text);
      for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
      return bytes;
    });
  const anyBytes = fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(fc.oneof(changed, anyBytes), (bytes) => expectSound(bytes.toString('utf8'))),
    PROPERTY_RUNS,
  );
});

test('a handed connection that was cut short is refused without being quoted', async () => {
  const secret = 'canary-S3cret';
  const env = { [STASH_VARIABLE]: `${secret}{"origin":` };
  expect(() => handedConnection(env)).toThrow(/is not what Breakwater hands on/);
  const run = await spawnAndRead(process.execPath, [BUNDLE, 'check', '--data', tempDir()], {
    ...process.env,
    ...env,
  });
  expect(run.code).not.toBe(0);
  expect(`${run.stdout}${run.stderr}`).not.toContain(secret.slice(0, 6));
});

test('a password in the address of Stash is not told', async () => {
  const env = { ...process.env, STASH_URL: 'http://me:canary-P4ss@127.0.0.1:1' };
  for (const verb of ['check', 'drain']) {
    const run = await spawnAndRead(process.execPath, [BUNDLE, verb, '--data', tempDir()], env);
    expect(run.code).not.toBe(0);
    expect(`${run.stdout}${run.stderr}`).not.toContain('canary');
  }
});

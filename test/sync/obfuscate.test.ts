import fc from 'fast-check';
import { expect, test } from 'vitest';
import { obfuscatePath } from '../../src/sync/obfuscate.ts';
import { PROPERTY_RUNS } from '../support/property-runs.ts';

test.each([
  ['/data/Studio A/clip one.mp4', /^\/[a-z-]+\/[a-z-]+\/[a-z-]+\.mp4$/],
  ['D:\\Clips\\x.MKV', /^D:\\[a-z-]+\\[a-z-]+\.MKV$/],
  ['\\\\nas\\share\\x', /^\\\\[a-z-]+\\[a-z-]+\\[a-z-]+$/],
])('%s keeps its shape', (path, shape) => {
  expect(obfuscatePath(path)).toMatch(shape);
});

test('the same name is always the same words, however it is composed, and tells nothing', () => {
  expect(obfuscatePath('/a/caf\u00e9.mp4')).toBe(obfuscatePath('/a/cafe\u0301.mp4'));
  expect(obfuscatePath('/a/x.mp4').split('/')[1]).toBe(obfuscatePath('/a/y.mp4').split('/')[1]);
  expect(obfuscatePath('/a/x.mp4')).not.toBe(obfuscatePath('/a/y.mp4'));
  fc.assert(
    fc.property(fc.stringMatching(/^[A-Z]{6,20}$/), (name) => {
      expect(obfuscatePath(`/${name}/${name}.mp4`)).not.toContain(name);
    }),
    PROPERTY_RUNS,
  );
});

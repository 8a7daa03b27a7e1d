// A folder that is there for one test.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export function tempDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'breakwater-test-'));
  onTestFinished(() => removeDir(dir));
  return dir;
}

const TRIES = 50;
const BETWEEN_MS = 100;

/** A process that was just told to die may still be writing there: it is tried again for some seconds. */
export function removeDir(dir: string): void {
  for (let tries = 1; ; tries++) {
    try {
      // Its own retries do not look again at what is in the folder.
      rmSync(dir, { recursive: true, force: true });
      return;
    } catch (error) {
      if (tries === TRIES || (error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BETWEEN_MS);
    }
  }
}

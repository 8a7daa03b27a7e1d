// A Plex or Stash that means harm: no answer exhausts memory, outlasts its deadline, reaches another host or becomes
// anything but data. The clients run in a process of their own with little memory: running out of it cannot be caught.

import { describe, expect, test } from 'vitest';
import { bundledProgram } from '../support/bundled-program.ts';
import { HOSTILE, startHostileServer } from '../support/hostile-server.ts';
import { spawnAndRead } from '../support/live-world.ts';
import { tempDir } from '../support/temp-dir.ts';

/** What a small NAS could give, in MB. */
const HEAP_MB = 128;
/** Heap, the buffers of two answers, and Node itself, in MB. */
const MAX_RSS_MB = 450;
/** What a deadline of half a second may come to on a busy machine. */
const MAX_SLOW_MS = 5_000;

interface Said {
  readonly way: string;
  readonly fromPlex: string;
  readonly fromStash: string;
  readonly plexMs: number;
  readonly isPolluted: boolean;
  readonly maxRssKb: number;
}

describe(`with ${HEAP_MB} MB of heap`, () => {
  test('every hostile answer is a failure or harmless, and the process lives', async () => {
    const { port, sent } = await startHostileServer();
    const script = await bundledProgram('hostile-caller', tempDir());
    const args = [`--max-old-space-size=${HEAP_MB}`, script, String(port), ...Object.keys(HOSTILE)];
    const { code, stdout, stderr } = await spawnAndRead(process.execPath, args, process.env);
    const said = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Said);
    expect(stderr).toBe('');
    expect(code, stdout).toBe(0);
    expect(said.at(-1)?.way).toBe('end');
    expect((said.at(-1)?.maxRssKb ?? 0) / 1024).toBeLessThan(MAX_RSS_MB);
    expect(
      Object.fromEntries(
        said.slice(0, -1).map(({ way, fromPlex, fromStash }) => [way, [fromPlex, fromStash]]),
      ),
    ).toEqual({
      'ten-gigabytes': ['transient garbage', 'unreachable'],
      'endless-chunks': ['transient garbage', 'unreachable'],
      'gzip-bomb': ['transient garbage', 'unreachable'],
      'slow-head': ['transient timeout', 'not asked'],
      'slow-body': ['transient timeout', 'not asked'],
      'deep-json': ['config no-section', 'ok 0'],
      'deepest-json': ['transient garbage', 'unreachable'],
      'most-items': ['transient garbage', 'unreachable'],
      'many-items': ['ok []', 'ok 0'],
      'many-keys': ['ok []', 'ok 0'],
      'one-wide-text': ['ok []', 'ok 0'],
      'billion-laughs': ['transient garbage', 'unreachable'],
      'endless-heads': ['transient garbage', 'unreachable'],
      'endless-hints': ['transient timeout', 'not asked'],
      'no-number': ['transient garbage', 'unreachable'],
      'odd-protocol': ['transient garbage', 'unreachable'],
      'odd-status': ['transient garbage', 'unreachable'],
      noise: ['transient garbage', 'unreachable'],
      'forged-head': ['transient garbage', 'unreachable'],
      'huge-error': ['outage error-500', 'unreachable'],
      prototypes: ['ok []', 'ok 0'],
    });
    for (const { way, fromPlex, plexMs, isPolluted } of said.slice(0, -1)) {
      if (fromPlex === 'transient timeout') expect(plexMs, way).toBeLessThan(MAX_SLOW_MS);
      expect(isPolluted, way).toBe(false);
    }
    expect(sent()).toBeLessThan(1024 ** 3);
  });
});

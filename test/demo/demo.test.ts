// The demo as a person runs it: the built bundle, in a process of its own. Both runs are the real thing.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DEMO = join(ROOT, 'dist/tools/demo.cjs');
const PLUGIN = join(ROOT, 'dist/plugin/breakwater.yml');
const LIMIT_MS = 60_000;

beforeAll(() => {
  if (existsSync(DEMO) && existsSync(PLUGIN)) return;
  const built = spawnSync(process.execPath, [join(ROOT, 'src/build/build.mjs'), '--quiet'], { cwd: ROOT });
  expect(built.status, String(built.stderr)).toBe(0);
});

interface Run {
  readonly exitCode: number | null;
  readonly output: string;
  readonly tookMs: number;
  /** What is left in its temporary folder. */
  readonly left: readonly string[];
}

async function runDemo(...flags: string[]): Promise<Run> {
  const temp = mkdtempSync(join(tmpdir(), 'demo-test-'));
  const startedMs = performance.now();
  const child = spawn(process.execPath, [DEMO, ...flags], {
    cwd: ROOT,
    env: { ...process.env, TMPDIR: temp, TEMP: temp, TMP: temp },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  try {
    const exitCode = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { exitCode, output, tookMs: performance.now() - startedMs, left: readdirSync(temp) };
  } finally {
    child.kill();
    rmSync(temp, { recursive: true, force: true });
  }
}

test('every edit arrives, within a minute, and nothing is left behind', {
  timeout: 2 * LIMIT_MS,
}, async () => {
  const { exitCode, output, tookMs, left } = await runDemo();
  expect(output).toContain('✓ all edits arrived');
  expect(output).toContain('Nothing was lost.');
  expect(output).not.toContain('✗');
  expect(output).toMatch(/\d+ × GET \/identity, answered 503: a probe/);
  expect(output).toMatch(/ 0 × an edit/);
  expect(output).toMatch(/#1 .*refused/);
  expect(output).toMatch(/Open dist\/demo-report\.html in a browser/);
  expect(readFileSync(join(ROOT, 'dist/demo-report.html'), 'utf8')).toContain('refused');
  expect(exitCode).toBe(0);
  expect(tookMs).toBeLessThan(LIMIT_MS);
  expect(left).toEqual([]);
  expect(output, 'no colour where nobody looks').not.toContain('\u001b');
  const tooWide = output.split('\n').filter((line) => line.length > 80);
  expect(tooWide).toEqual([]);
});

test('an edit that cannot arrive is named, and fails the demo', { timeout: 2 * LIMIT_MS }, async () => {
  const { exitCode, output, tookMs, left } = await runDemo('--lose-item');
  expect(output).toContain('✗ not all edits arrived; missing: scene 8 "Return of the fleet"');
  expect(output.match(/✓/g)?.length, 'the others arrive all the same').toBeGreaterThan(9);
  expect(exitCode).toBe(1);
  expect(tookMs).toBeLessThan(LIMIT_MS);
  expect(left).toEqual([]);
});

// The log protocol of Stash: level, one line, bounded; and no line of somebody else's may pass for one of ours.

import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { onOneLine, silentLog, writeQuietly } from '../../src/invocation/stash-log.ts';
import { PROPERTY_RUNS } from '../support/property-runs.ts';
import { tempDir } from '../support/temp-dir.ts';

const LOG = fileURLToPath(new URL('../../src/invocation/stash-log.ts', import.meta.url));
/** Stash stops reading at a line of 64 KiB. */
const STASH_LINE_BYTES = 64 * 1024;

// biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be left
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/** A script that has the module as `log`, built as it is shipped: in one file. */
function withLog(script: string): string {
  const outfile = path.join(tempDir(), 'log.cjs');
  buildSync({ entryPoints: [LOG], outfile, bundle: true, platform: 'node', format: 'cjs' });
  return `const log = require(${JSON.stringify(outfile)});\n${script}`;
}

/** Runs a script in a process of its own, where stdout and stderr are the real ones. */
function run(script: string): { stdout: string; stderr: string; status: number | null } {
  const options = { encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 } as const;
  return spawnSync(process.execPath, ['-e', withLog(script)], options);
}

describe('a line', () => {
  test.each([
    ['plain', 'plain'],
    ['two\nlines\r\nand more', 'two lines and more'],
    ['a\u0001e\u0002not ours', 'a e not ours'],
    ['\u001b[31mred\u001b[0m', ' [31mred [0m'],
    ['\u009b31mred', ' 31mred'],
    ['bell\u0007 tab\t nul\u0000', 'bell  tab  nul '],
    ['para\u2028graph\u2029s', 'para graph s'],
    ['Jürgen 湖 🎬 "quoted" — fine', 'Jürgen 湖 🎬 "quoted" — fine'],
  ])('of %j is %j', (text, expected) => {
    expect(onOneLine(text)).toBe(expected);
  });

  test('is cut past its bound, and not at it', () => {
    expect(onOneLine('x'.repeat(4_000))).toBe('x'.repeat(4_000));
    expect(onOneLine('x'.repeat(4_001))).toBe(`${'x'.repeat(4_000)}…`);
  });

  test('holds no control character and stays far below what Stash reads, whatever the text', () => {
    const part = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '\u0001i\u0002',
        '\n',
        '\u001b[2J',
        '\u001b]0;title\u0007',
        '\u0085',
        '湖'.repeat(3_000),
        '🎬'.repeat(2_500),
      ),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const line = onOneLine(parts.join(''));
        expect(line).not.toMatch(CONTROL);
        expect(Buffer.byteLength(line)).toBeLessThan(STASH_LINE_BYTES / 4);
      }),
      PROPERTY_RUNS,
    );
  });
});

describe('on the real descriptors', () => {
  test('each line has its level, progress its fraction, and stdout only the one answer', () => {
    const { stdout, stderr, status } = run(`
      const { stashLog, answer } = log;
      stashLog.line('debug', 'd'); stashLog.line('info', 'i'); stashLog.line('warning', 'w');
      stashLog.line('error', 'one\\ntwo\\u0001i\\u0002three');
      for (const fraction of [-1, 0, 1 / 3, 1, 7]) stashLog.progress(fraction);
      answer({ output: { text: 'a\\nb' } });
    `);
    expect(status).toBe(0);
    expect(stderr.split('\n')).toEqual([
      '\u0001d\u0002d',
      '\u0001i\u0002i',
      '\u0001w\u0002w',
      '\u0001e\u0002one two i three',
      '\u0001p\u00020.0000',
      '\u0001p\u00020.0000',
      '\u0001p\u00020.3333',
      '\u0001p\u00021.0000',
      '\u0001p\u00021.0000',
      '',
    ]);
    expect(stdout).toBe('{"output":{"text":"a\\nb"}}\n');
  });

  test('more than a pipe holds gets through whole', () => {
    const { stdout, status } = run(`log.answer({ output: 'x'.repeat(3_000_000) });`);
    expect(status).toBe(0);
    expect(JSON.parse(stdout).output).toHaveLength(3_000_000);
  });

  test('a reader that has gone is no reason to fail', async () => {
    const script = `
      require('node:fs').readFileSync(0);
      log.answer({ output: 'nobody hears this'.repeat(100_000) });
      log.stashLog.line('info', 'but it goes on');
    `;
    const child = spawn(process.execPath, ['-e', withLog(script)]);
    child.stdout.destroy();
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.stdin.end('now');
    expect(await ended).toBe(0);
    expect(said).toBe('\u0001i\u0002but it goes on\n');
  });
});

describe('writing quietly', () => {
  test('puts down every byte', () => {
    const file = path.join(tempDir(), 'out');
    const fd = fs.openSync(file, 'w');
    writeQuietly(fd, '湖'.repeat(100_000));
    fs.closeSync(fd);
    expect(fs.readFileSync(file, 'utf8')).toBe('湖'.repeat(100_000));
  });

  test('to a descriptor that is closed or full does nothing, and says nothing', () => {
    expect(() => writeQuietly(9_999, 'x')).not.toThrow();
    const full = fs.existsSync('/dev/full') ? fs.openSync('/dev/full', 'w') : 9_999;
    expect(() => writeQuietly(full, 'x')).not.toThrow();
    if (full !== 9_999) fs.closeSync(full);
  });
});

test('a drainer that nobody listens to says nothing', () => {
  expect(silentLog.line('error', 'x')).toBeUndefined();
  expect(silentLog.progress(0.5)).toBeUndefined();
});

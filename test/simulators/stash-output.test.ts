// What Stash makes of a plugin's stdout and stderr.
import { expect, test } from 'vitest';
import { STDERR_LINE_LIMIT_BYTES } from './stash/log.ts';
import { outputOf } from './stash/run.ts';
import { startStash, texts } from './stash-fixture.ts';

test.each([
  ['{"output":{"a":1}}', { a: 1 }, null],
  ['{"output":"x","error":null}\n', 'x', null],
  ['{"error":"broken"}', null, 'broken'],
  ['{"other":1}', null, null],
  ['null', null, null],
  ['not json', 'not json', null],
  ['[1]', '[1]', null],
  ['{"output":1}\n{"output":2}', '{"output":1}\n{"output":2}', null],
  ['{"output":1,"error":5}', '{"output":1,"error":5}', null],
  ['', '', null],
])('stdout %j gives output %j and error %j', (stdout, output, error) => {
  expect(outputOf(stdout)).toEqual({ output, error });
});

async function linesOf(script: string, yml = ''): Promise<string[][]> {
  const sim = await startStash({ p: { script, yml } });
  await sim.runOperation('p');
  return sim.log.map((line) => [line.level, line.text]);
}

test('every level has its letter, and text before the end needs no newline', async () => {
  const script = `for (const level of 'tdiwep') log(level, level === 'p' ? '0.5' : 'a ' + level);
    fs.writeSync(2, '\\x01x\\x02unknown\\n\\x01i\\x02\\n\\x01i\\x02last')`;
  expect(await linesOf(script)).toEqual([
    ['trace', 'a t'],
    ['debug', 'a d'],
    ['info', 'a i'],
    ['warning', 'a w'],
    ['error', 'a e'],
    ['progress', '0.5'],
    ['error', '\x01x\x02unknown'],
    ['error', '\x01i\x02'],
    ['info', 'last'],
  ]);
});

test('a line without a level takes errLog, and none hides it', async () => {
  const script = "fs.writeSync(2, 'plain\\n')";
  expect(await linesOf(script)).toEqual([['error', 'plain']]);
  expect(await linesOf(script, 'errLog: info\n')).toEqual([['info', 'plain']]);
  expect(await linesOf(script, 'errLog: none\n')).toEqual([]);
});

test('the longest line is logged; one byte more loses everything after it', async () => {
  const longest = STDERR_LINE_LIMIT_BYTES - 1;
  const write = (length: number) => `fs.writeSync(2, 'first\\n');
    try { for (let left = ${length}; left > 0; left -= 4096) fs.writeSync(2, 'x'.repeat(Math.min(left, 4096)));
      fs.writeSync(2, '\\n'); fs.writeSync(2, 'later\\n'); } catch {}`;
  const fits = await linesOf(write(longest));
  expect(fits.map(([, text]) => text!.length)).toEqual([5, longest, 5]);
  expect(await linesOf(write(longest + 1))).toEqual([['error', 'first']]);
});

test('a plugin need not read its stdin, however long it is', async () => {
  const sim = await startStash({ deaf: { exec: '[node, -e, "process.exit(0)"]' } });
  expect(await sim.runOperation('deaf', { text: 'x'.repeat(2_000_000) })).toBe('');
  expect(texts(sim, 'error')).toEqual([]);
});

test('a plugin inherits the working folder and the environment', async () => {
  const sim = await startStash(
    { p: { script: 'answer({ output: [process.cwd(), process.env.EXTRA] })' } },
    { env: { EXTRA: 'given' } },
  );
  expect(await sim.runOperation('p')).toEqual([process.cwd(), 'given']);
});

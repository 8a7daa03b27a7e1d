// backtest as a person reads it.
import { expect, test } from 'vitest';
import { dataDirOf } from '../support/data-dirs.ts';
import { BUNDLE, spawnAndRead } from '../support/live-world.ts';

const cli = async (...words: string[]) =>
  spawnAndRead(
    process.execPath,
    [BUNDLE, 'backtest', ...words, '--data', await dataDirOf('flapping')],
    process.env,
  );

test('side by side, with what is a guess, and in total', async () => {
  const { code, stdout } = await cli('--recovery-timeout', '10s', '--max-wait', '30s');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^The same log under first wait 10s \(now 1m\), longest wait 30s \(now 5m\):/);
  expect(stdout).toMatch(/#1 {2}bad-gateway\n +was +would have been\n +detected +0s +0s\n/);
  expect(stdout).toMatch(/probes +2 +3 \(est\. \d+%\) +1 more/);
  expect(stdout).toMatch(/found back .*\d+s sooner \(est\. \d+%\)/);
  expect(stdout).toMatch(/In total \(3 outages\)/);
});

test('one outage alone', async () => {
  const { stdout } = await cli('--recovery-timeout', '10s', '--outage', '2');
  expect(stdout).toMatch(/#2/);
  expect(stdout).not.toMatch(/#1|#3|In total/);
});

test.each([
  [[], /say what would have been other/],
  [['--failure-threshold', '0'], /a whole number from 1 to 20/],
  [['--success-threshold', '1.5'], /a whole number from 1 to 20/],
  [['--recovery-timeout', 'soon'], /"soon" is not a length of time/],
  [['--max-wait', '500d'], /--max-wait is from 1s to 1d/],
  [['--recovery-timeout', '10s', '--outage', '9'], /there is no outage #9/],
])('%j is refused', async (words, message) => {
  const { code, stderr } = await cli(...words);
  expect(code).toBe(2);
  expect(stderr).toMatch(message);
});
